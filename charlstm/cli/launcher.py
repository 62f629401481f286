"""Under a launcher of several processes, such as torchrun: which of them this is, and who speaks.

Knows the environment that torch's launchers set; imports nothing heavy.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ProcessGroupError

if TYPE_CHECKING:
    from ..training.ranks import Ranks

OF_ONE_PROCESS = ("output", "force", "log", "sample_every", "plain", "quiet")
"""Options of train that only the process of rank 0 heeds; in all others the processes must agree."""


def rank(environment: Mapping[str, str] = os.environ) -> int | None:
    """Which of several processes that train together this is; None: it is alone."""
    number, size = environment.get("RANK", ""), environment.get("WORLD_SIZE", "")
    return int(number) if number.isdecimal() and size.isdecimal() and int(size) > 1 else None


def launched_ranks() -> contextlib.AbstractContextManager[Ranks]:
    """The processes that train together: those of the launcher, or this one alone.

    Raises:
        ProcessGroupError: they cannot be reached.
    """
    if rank() is None:
        from ..training.ranks import ALONE

        return contextlib.nullcontext(ALONE)
    from ..training.distributed import ProcessGroup

    return ProcessGroup()


def compare_options(ranks: Ranks, given: Mapping[str, Any]) -> None:
    """See that all processes were started alike.

    Raises:
        UsageError: they were not.
    """
    import torch

    from .. import __version__
    from ..training.following import refuse_differences

    options = {f"--{name.replace('_', '-')}": given[name] for name in given if name not in OF_ONE_PROCESS}
    refuse_differences(ranks, {"charlstm": __version__, "torch": torch.__version__, **options})


def speaks_of(error: Exception) -> bool:
    """Whether this process is the one that tells a person of an error: of several, the first on each machine.

    Where the processes have lost each other that may be the one that ended, so that of rank 1 speaks, too.
    """
    first = rank() in (None, 0) or os.environ.get("LOCAL_RANK") == "0"
    return first or (rank() == 1 and isinstance(error, ProcessGroupError))

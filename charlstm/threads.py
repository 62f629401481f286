"""Independent pieces of work in several threads, and how many processors there are for them.

Knows nothing about what the work is, and imports nothing heavy.
"""

from __future__ import annotations

import numbers
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .errors import UsageError

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count(threads: Any) -> int:
    """A number of threads that was given, checked.

    Raises:
        UsageError: it is none.
    """
    if isinstance(threads, bool) or not isinstance(threads, numbers.Integral) or threads < 1:
        raise UsageError(f"threads is {threads!r:.20}; it must be a whole number, at least 1")
    return int(threads)


def in_threads(work: Callable[[_Part], _Result], parts: Sequence[_Part], threads: int) -> list[_Result]:
    """Do work on each part, in that many threads; results in order.

    numpy lets go of the interpreter while it computes. Threads of ours over independent sequences also keep the
    element-wise half of the work on all processors, which threads inside a matrix product do not.
    """
    if threads == 1 or len(parts) < 2:
        return [work(part) for part in parts]
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads)
    try:
        return list(pool.map(work, parts))
    finally:  # after Ctrl-C nobody waits for work that is under way
        pool.shutdown(wait=False, cancel_futures=True)

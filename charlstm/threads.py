"""Independent pieces of work in several threads, and how many processors there are for them.

Knows nothing about what the work is, and imports nothing heavy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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

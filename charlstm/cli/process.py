"""All that changes the whole process: environment, allocator, warnings, signals, standard descriptors.

Called by the command line only, so that a library call leaves its caller's process as it was. Knows the operating
system; knows nothing about texts and networks, and imports nothing heavy.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator

from ..threads import processors

STARTED = time.monotonic()
"""When the user began to wait, as nearly as the program can tell."""

BYTES_PER_THREAD = 48 << 20
"""Address space that a thread of torch takes, with its stack and its buffers."""

NUMPY_NEEDS = 92 << 20
"""Address space that numpy takes when it is loaded, measured; with less it may end in any way."""

BLAS_BUFFER = 36 << 20
"""Address space that numpy's matrix products take at once and for good: OpenBLAS's buffer for one thread, and more."""

MOST_THREADS = 16
"""That share the work on a text."""

KEEP_BLOCKS_UP_TO = (1 << 30, 32 << 20)
"""Bytes of the largest block that is kept when it is freed, best first: older C libraries take 32 MiB at most."""


def open_standard_streams() -> None:
    """Open what is closed of descriptors 0 to 2: a file that is opened later must not become one of them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")


def end_with_the_reader() -> None:
    """Let a closed pipe end the process, as it ends any Unix filter."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


@contextlib.contextmanager
def outliving_the_reader() -> Iterator[None]:
    """Let the work go on when whoever read its reports is gone: it is not for them."""
    if not hasattr(signal, "SIGPIPE"):
        yield
        return
    handler = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, handler)


class StopSignals:
    """A context in which Ctrl-C, SIGTERM and SIGHUP are noted, for the work to end when it can; a second one ends it.

    What is ignored stays so: SIGHUP under nohup, and Ctrl-C in what a script runs in the background.

    Args:
        announced: whether to say what a signal does.
    """

    def __init__(self, *, announced: bool = True) -> None:
        self._announced = announced
        self.received: int | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopSignals:
        known = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
        heeded = [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, number: int, _frame: object) -> None:
        self.received = self.received or number
        signal.signal(number, signal.SIG_DFL)
        with contextlib.suppress(OSError):
            if self._announced:
                begun = b"\n" if os.isatty(2) else b""  # the line that the terminal, or a live display, is in
                os.write(2, begun + b"charlstm: stopping after this step; once more stops at once\n")


def prepare_for_numpy() -> None:
    """Make the process ready for numpy, before numpy is first imported.

    One thread for each matrix product; see `shared_threads` for ours. On a busy machine threads inside small products
    wait for each other most of the time: measured, many times slower beside another program on both processors.

    Raises:
        MemoryError: the address space is limited, and there is not enough for matrix products.
    """
    for name in ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):  # not MKL's: torch would heed it
        os.environ.setdefault(name, "1")
    if memory_is_limited():
        _make_room_for_products()


def shared_threads() -> int:
    """How many threads of ours share the work on a text."""
    return 1 if memory_is_limited() else min(processors(), MOST_THREADS)


def _make_room_for_products() -> None:
    """Let OpenBLAS take its buffer while there is room: where it finds none, it ends the process with its own words.

    And one arena for glibc: to look for another of 128 MiB at every allocation made a second last for minutes.
    """
    mallopt = _glibc_mallopt()
    if mallopt:
        mallopt(-8, 1)  # M_ARENA_MAX, from malloc.h
    try:
        if "numpy" not in sys.modules:
            _check_memory(NUMPY_NEEDS)
        import numpy as np

        _check_memory(BLAS_BUFFER)
    except MemoryError:
        raise MemoryError from ImportError("numpy")  # so that what cannot be loaded is named
    np.ones((512, 512), np.float32) @ np.ones((512, 512), np.float32)


def _check_memory(size: int) -> None:
    """Find out whether so many bytes of address space can be had.

    Raises:
        MemoryError: they cannot.
    """
    try:
        mmap.mmap(-1, size, access=mmap.ACCESS_COPY).close()
    except OSError as error:
        raise MemoryError from error


def prepare_for_torch() -> None:
    """Make the process ready for torch, before torch is first imported."""
    # GNU OpenMP's threads spin for long while they wait. Beside another busy program that made a step of 5 ms take
    # seconds; with this, a tenth of one.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    # cuDNN says so where weights are computed, as ours are, at every run: a user can do nothing about it.
    warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")
    keep_freed_memory()


def start_torch_threads(threads: int | None) -> None:
    """Where the address space is limited, start torch's threads while there is room for them.

    OpenMP ends the process, or stops it for ever, where a thread cannot start in the midst of the work.

    Args:
        threads: how many; None: torch's choice.

    Raises:
        MemoryError: there is not enough memory for them.
    """
    if not memory_is_limited():
        return
    import torch

    if threads:
        torch.set_num_threads(threads)
    _check_memory(torch.get_num_threads() * BYTES_PER_THREAD)
    torch.ones(1 << 20).add_(1.0)  # large enough for torch to use all threads


def memory_is_limited() -> bool:
    """Whether the process may use only so much address space, as after `ulimit -v`."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return False
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def keep_freed_memory() -> None:
    """Let glibc keep large blocks that are freed: on Linux that alone makes a step of training a third faster.

    By default it gives them back to the system and gets them anew, page by page, in the next step. Other C libraries
    are left as they are.
    """
    mallopt = _glibc_mallopt()
    if mallopt:
        set_allocator(mallopt)


def set_allocator(mallopt: Callable[[int, int], int]) -> bool:
    """Set glibc's thresholds by its `mallopt` (which gives 0 for what it refuses); whether all were taken.

    Where no threshold for large blocks is taken, nothing is set: any other setting alone turns off glibc's own
    adjustment of that threshold, and then blocks of 128 KiB already go back to the system.
    """
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # from malloc.h
    if not any(mallopt(mmap_threshold, size) for size in KEEP_BLOCKS_UP_TO):
        return False
    return bool(mallopt(trim_threshold, (1 << 31) - 1)) and bool(mallopt(top_pad, 64 << 20))


def _glibc_mallopt() -> Callable[[int, int], int] | None:
    import ctypes
    import platform

    if platform.libc_ver()[0] != "glibc":
        return None
    with contextlib.suppress(OSError, AttributeError):
        function: Callable[[int, int], int] = ctypes.CDLL("libc.so.6").mallopt
        return function
    return None

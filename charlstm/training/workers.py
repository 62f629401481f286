"""Threads that compute independent parts of a training step side by side.

A step of a recurrent network is thousands of small products. Threads inside each of them wait for each other as often:
no loss on a quiet machine, but beside another busy program many times slower than threads with half of the streams
each, which meet once (benchmarks/LOG.md). Knows nothing about what is computed. What the parts are does not depend on
who computes them, so that the result is the same, bit for bit, with fewer threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


class Workers:
    """Threads that stay for many steps; they end with `close`, and begin anew when they are needed again.

    Args:
        count: how many, the calling thread included.
    """

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self._pool: ThreadPoolExecutor | None = None

    def map(self, work: Callable[[_Part], _Result], parts: Sequence[_Part]) -> list[_Result]:
        """Do work on each part; results in order. Inside, torch has as many threads as it has here.

        Raises:
            MemoryError: there is room for some of the threads only.
        """
        if self.count == 1 or len(parts) < 2:
            return [work(part) for part in parts]
        threads, grad = torch.get_num_threads(), torch.is_grad_enabled()

        def alike(part: _Part) -> _Result:
            torch.set_num_threads(threads)  # both are each thread's own
            with torch.set_grad_enabled(grad):
                return work(part)

        futures: list[Future[_Result]] = []
        try:
            self._pool = self._pool or ThreadPoolExecutor(self.count - 1, "charlstm-worker")
            for part in parts[1:]:
                futures.append(self._pool.submit(alike, part))
        except RuntimeError as error:  # no room for another thread
            self.close()
            if futures:
                raise MemoryError from error
            self.count = 1
            return self.map(work, parts)
        return [work(parts[0]), *(future.result() for future in futures)]

    def close(self) -> None:
        """End the threads."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


ALONE = Workers()

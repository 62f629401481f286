"""How many threads torch computes with while a run trains: as many as are fastest, beside whatever else is running.

A step of a recurrent network is thousands of small products, after each of which the threads wait for each other.
Beside another busy program a step in several threads takes many times as long (benchmarks/LOG.md, `busy.py`);
on a quiet machine one takes longer than two; and on a large machine a small network gains nothing from most threads.

Knows the time that steps take; knows nothing about networks or budgets. Only for runs whose budget is in minutes:
another number of threads adds in another order.
"""

from __future__ import annotations

import contextlib
import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import torch

USUAL = 8
"""So many of the last steps say how long a step takes now."""
PROBE = 4
"""Steps with another number of threads; before them one that is not counted, as threads may have to start."""
FASTER = 0.92
"""Another number of threads must take this fraction of the time, or less."""
HOPELESS = 2.0
"""Steps that take so many times as long end a probe early."""
CHANGED = 1.5
"""Where steps take so many times as long as after the last probe, another is due at once."""
SHORTEST_WAIT, LONGEST_WAIT = 1.0, 20.0
"""Seconds between two probes: twice as long after each that found nothing."""


def thread_counts(most: int) -> list[int]:
    """The numbers of threads worth a try: powers of two, and the most that are allowed."""
    return sorted({most, *(1 << k for k in range(most.bit_length()) if 1 << k <= most)})


class ThreadTuner:
    """Times the steps of a run, now and then tries half or twice as many threads, and keeps what is faster.

    Args:
        most: threads at most, more than one; it begins with one.
        set_threads: what sets their number.
        clock: seconds, from any origin.
    """

    def __init__(
        self,
        most: int,
        set_threads: Callable[[int], None] = torch.set_num_threads,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._counts, self._set_threads, self._clock = thread_counts(most), set_threads, clock
        self._chosen, self._direction = 0, 1  # index of the number in use, and which neighbour is tried next
        self._usual: deque[float] = deque(maxlen=USUAL)  # seconds a character
        self._tried: list[float] | None = None  # of a probe that is under way
        self._expected, self._wait, self._due = math.inf, SHORTEST_WAIT, -math.inf

    @property
    def threads(self) -> int:
        """The number that is the fastest so far."""
        return self._counts[self._chosen]

    @contextlib.contextmanager
    def step(self, characters: int) -> Iterator[None]:
        """A context in which a step of so many characters is done; around it the number is the fastest so far."""
        self._set_threads(self._counts[self._chosen + (0 if self._tried is None else self._direction)])
        begin = self._clock()
        yield
        now = self._clock()
        self._add((now - begin) / max(1, characters), now)
        self._set_threads(self.threads)

    def _add(self, seconds: float, now: float) -> None:
        if self._tried is None:
            self._usual.append(seconds)
            if len(self._usual) >= PROBE and self._is_due(now):
                self._begin_probe()
            return
        self._tried.append(seconds)
        if len(self._tried) > PROBE or self._is_hopeless(seconds):
            self._end_probe(self._tried[1:] or [seconds], now)

    def _is_due(self, now: float) -> bool:
        return now >= self._due or min(list(self._usual)[-PROBE:]) > CHANGED * self._expected

    def _is_hopeless(self, seconds: float) -> bool:
        first = self._tried is not None and len(self._tried) == 1
        return seconds > HOPELESS * (2 if first else 1) * statistics.median(self._usual)

    def _begin_probe(self) -> None:
        if not 0 <= self._chosen + self._direction < len(self._counts):
            self._direction = -self._direction
        self._tried = []

    def _end_probe(self, tried: Sequence[float], now: float) -> None:
        """Keep the other number if it was faster, and look further in that direction; else turn round, and wait."""
        if statistics.median(tried) < FASTER * statistics.median(self._usual):
            self._chosen += self._direction
            self._usual = deque(tried, maxlen=USUAL)
            self._wait, self._due = SHORTEST_WAIT, now
        else:
            self._direction = -self._direction
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._due = now + self._wait
        self._expected, self._tried = statistics.median(self._usual), None

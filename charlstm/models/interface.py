"""What a network is to the rest of the package: ids and a state in, logits and a state out.

`engine.py` (numpy) and `model.py` (torch) are two of them; sampling and evaluation work with either and know
neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..config import ModelSettings

Floats = NDArray[np.floating[Any]]

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


class State(NamedTuple):
    """What a network remembers: a value that the caller holds and passes on; never changed in place."""

    hidden: Floats
    """(L, B, H)"""
    cell: Floats
    """(L, B, H); for cells other than the lstm (0, B, H)"""

    def streams(self, chosen: Any) -> State:
        """The state of some of the B streams; `chosen` is any numpy index of one axis."""
        return State(self.hidden[:, chosen], self.cell[:, chosen])

    def updated(self, chosen: Any, by: State) -> State:
        """These streams, but for some of them those of another state."""
        hidden, cell = self.hidden.copy(), self.cell.copy()
        hidden[:, chosen], cell[:, chosen] = by.hidden, by.cell
        return State(hidden, cell)

    @staticmethod
    def concatenate(states: Iterable[State]) -> State:
        """The streams of several states, one after the other."""
        return State(*(np.concatenate(parts, axis=1) for parts in zip(*states, strict=True)))


class LanguageModel(Protocol):
    """A network that computes logits; a softmax makes them probabilities."""

    settings: ModelSettings

    def zero_state(self, streams: int) -> State:
        """The state before anything was read, for that many streams."""

    def logits(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Read ids (T, B); give the logits (T, B, V) of what follows each, and the state after the last."""

    def step(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Read one character a stream, ids (B,); give the logits (B, V) of what follows, and the state."""

    def read(self, ids: NDArray[np.integer], state: State) -> State:
        """Read ids (T, B) for the state alone."""


NUMBERS_AT_ONCE = 1 << 21
"""Numbers of any one intermediate result held at a time: memory depends neither on the text nor on the width."""


def steps_at_once(settings: ModelSettings, streams: int) -> int:
    """Time steps of that many streams that a network should be given at a time."""
    widest = max(settings.vocab_size, settings.gates * settings.hidden)
    return max(1, NUMBERS_AT_ONCE // (streams * widest))


def read_long(network: LanguageModel, ids: NDArray[np.integer], state: State) -> State:
    """As `LanguageModel.read`, of ids (T, B) of any length."""
    rows = steps_at_once(network.settings, ids.shape[1])
    for begin in range(0, len(ids), rows):
        state = network.read(ids[begin : begin + rows], state)
    return state


def in_threads(work: Callable[[_Part], _Result], parts: Sequence[_Part], threads: int) -> list[_Result]:
    """Do work on each part, in that many threads; results in order.

    numpy lets go of the interpreter while it computes. Threads of ours over independent streams also keep the
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

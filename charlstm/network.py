"""What a network is to the rest of the package: ids and a state in, scores and a state out.

`engine.py` (numpy) and `model.py` (torch) are two of them; sampling and evaluation work with either and know
neither.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .settings import ModelSettings

Floats = NDArray[np.floating[Any]]


class State(NamedTuple):
    """What a network remembers: a value that the caller holds and passes on; never changed in place."""

    hidden: Floats
    """(L, B, H)"""
    cell: Floats
    """(L, B, H); for cells other than the lstm (0, B, H)"""

    def streams(self, chosen: Any) -> State:
        """The state of some of the B streams; `chosen` is any numpy index of one axis."""
        return State(self.hidden[:, chosen], self.cell[:, chosen])


class Network(Protocol):
    """A network that computes scores; a softmax makes them probabilities."""

    settings: ModelSettings

    def zero_state(self, streams: int) -> State:
        """The state before anything was read, for that many streams."""

    def scores(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Read ids (T, B); give the scores (T, B, V) of what follows each, and the state after the last."""

    def step(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Read one character a stream, ids (B,); give the scores (B, V) of what follows, and the state."""

    def read(self, ids: NDArray[np.integer], state: State) -> State:
        """Read ids (T, B) for the state alone."""

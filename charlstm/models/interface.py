"""What a model is to the rest of the package: ids and a state in, logits and a state out.

`numpy_lstm`, `torch_lstm` and `mixture` hold such models; sampling, scoring and all that is above them know this
protocol and no implementation. Shapes: T time steps, B sequences in a batch, L layers, H hidden units, V symbols.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


class State(NamedTuple):
    """What a model remembers of B sequences: a value that the caller holds and passes on; never changed in place.

    The batch is the second axis of every part. Only the model that made a state knows what it means; others may ask
    how far two states are from each other.
    """

    hidden: Floats
    """(L, B, H)"""
    cell: Floats
    """(L, B, H); for cells other than the lstm (0, B, H)"""
    history: NDArray[np.integer]
    """(K, B): K numbers of the model's choice about what was read last; K is 0 for a network alone, which ignores it"""

    def select(self, index: Any) -> State:
        """The state of some of the sequences; `index` is any numpy index of one axis that keeps it."""
        return State(self.hidden[:, index], self.cell[:, index], self.history[:, index])

    def updated(self, index: Any, by: State) -> State:
        """A copy in which some of the sequences have the state `by`."""
        hidden, cell, history = self.hidden.copy(), self.cell.copy(), self.history.copy()
        hidden[:, index], cell[:, index], history[:, index] = by
        return State(hidden, cell, history)

    @staticmethod
    def concatenate(states: Iterable[State]) -> State:
        """The sequences of several states, one after the other."""
        return State(*(np.concatenate(parts, axis=1) for parts in zip(*states, strict=True)))


def no_history(batch_size: int) -> NDArray[np.integer]:
    """The history (0, B) of models that keep none."""
    return np.zeros((0, batch_size), dtype=np.int64)


class LanguageModel(Protocol):
    """A model of which character comes next: computes logits; a softmax makes them probabilities."""

    @property
    def vocab_size(self) -> int:
        """V: the symbols that it predicts, the unknown symbol included."""

    @property
    def numbers_per_step(self) -> int:
        """Size of the widest intermediate result for one character of one sequence."""

    def zero_state(self, batch_size: int) -> State:
        """The state of B sequences before anything was read."""

    def logits(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Read ids (T, B); give the logits (T, B, V) of what follows each, and the state after the last."""

    def step(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Read one character of each sequence, ids (B,); give the logits (B, V) of what follows, and the state."""

    def read(self, ids: NDArray[np.integer], state: State) -> State:
        """Read ids (T, B) for the state alone."""


NUMBERS_AT_ONCE = 1 << 21
"""Numbers of any one intermediate result held at a time: memory depends neither on the text nor on the width."""


def steps_at_once(model: LanguageModel, batch_size: int) -> int:
    """Time steps of that many sequences that a model should be given at a time."""
    return max(1, NUMBERS_AT_ONCE // (batch_size * model.numbers_per_step))


def read_long(model: LanguageModel, ids: NDArray[np.integer], state: State) -> State:
    """As `LanguageModel.read`, of ids (T, B) of any length and of the smallest type that holds them."""
    steps = steps_at_once(model, ids.shape[1])
    for begin in range(0, len(ids), steps):
        state = model.read(ids[begin : begin + steps].astype(np.int64), state)
    return state

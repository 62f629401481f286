"""The state as a value: selected, updated and concatenated by sequence, and what models are given at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from charlstm.models.interface import NUMBERS_AT_ONCE, State, no_history, read_long, steps_at_once


def state_of(batch_size: int, first: int = 0, *, cells: int = 2, history: int = 3) -> State:
    """A state of which every number says which sequence it is of."""
    sequences = np.arange(first, first + batch_size)
    hidden = np.broadcast_to(sequences[None, :, None], (2, batch_size, 4)).astype(float)
    return State(hidden, hidden[:cells] + 100, np.broadcast_to(sequences, (history, batch_size)).copy())


def sequences_of(state: State) -> list[int]:
    """Which sequences a state is of, after a check that all its parts say the same."""
    named = state.hidden[0, :, 0]
    assert (state.hidden == named[None, :, None]).all()
    assert (state.cell == named[None, :, None] + 100).all()
    assert (state.history == named).all()
    return [int(name) for name in named]


shapes = pytest.mark.parametrize("parts", [{}, {"cells": 0}, {"history": 0}, {"cells": 0, "history": 0}], ids=str)


@shapes
@pytest.mark.parametrize(
    ("index", "chosen"),
    [
        ([1], [1]),
        ([3, 0, 0], [3, 0, 0]),
        ([], []),
        (slice(1, 3), [1, 2]),
        (np.array([True, False, False, True]), [0, 3]),
    ],
    ids=str,
)
def test_select_gives_the_sequences_of_every_part(parts: dict[str, int], index: Any, chosen: list[int]) -> None:
    assert sequences_of(state_of(4, **parts).select(index)) == chosen


@shapes
def test_updated_replaces_some_sequences_and_leaves_both_states_alone(parts: dict[str, int]) -> None:
    state, other = state_of(4, **parts), state_of(2, 7, **parts)
    assert sequences_of(state.updated([2, 0], other)) == [8, 1, 7, 3]
    assert sequences_of(state) == [0, 1, 2, 3]
    assert sequences_of(other) == [7, 8]


@shapes
def test_concatenate_joins_along_the_batch(parts: dict[str, int]) -> None:
    states = (state_of(size, first, **parts) for size, first in [(2, 0), (1, 5), (3, 2)])
    joined = State.concatenate(states)
    assert sequences_of(joined) == [0, 1, 5, 2, 3, 4]
    assert sequences_of(joined.select([2])) == [5]


class Counting:
    """A model that counts what it reads and how much of it at once."""

    def __init__(self, numbers_per_step: int) -> None:
        self.vocab_size, self.numbers_per_step, self.most = 3, numbers_per_step, 0

    def zero_state(self, batch_size: int) -> State:
        return State(np.zeros((1, batch_size, 1)), np.zeros((0, batch_size, 1)), no_history(batch_size))

    def logits(self, ids: Any, state: State) -> Any:
        raise NotImplementedError

    def step(self, ids: Any, state: State) -> Any:
        raise NotImplementedError

    def read(self, ids: Any, state: State) -> State:
        self.most = max(self.most, ids.size * self.numbers_per_step)
        return state._replace(hidden=state.hidden + ids.sum(axis=0)[None, :, None])


@pytest.mark.parametrize(("numbers_per_step", "batch_size"), [(1, 1), (NUMBERS_AT_ONCE // 5, 2), (NUMBERS_AT_ONCE, 3)])
def test_read_long_reads_everything_in_bounded_parts(numbers_per_step: int, batch_size: int) -> None:
    model = Counting(numbers_per_step)
    ids = np.ones((17, batch_size), dtype=int)
    assert read_long(model, ids, model.zero_state(batch_size)).hidden.ravel().tolist() == [17.0] * batch_size
    assert model.most <= max(NUMBERS_AT_ONCE, numbers_per_step * batch_size)  # one time step at least
    assert steps_at_once(model, batch_size) >= 1

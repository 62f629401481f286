"""Surprisals of a stretch of text: read from beginning to end or, for speed, as parts side by side.

Each part begins in a state that is typical of the text, which is wrong at first. So its beginning is read again from
the state that the part before it ended in, until it comes to the state that it was in before: from there on all is
as it would be. Comparing states, not figures, also finds what is remembered and not yet needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import Ids
from ..models.interface import Floats, LanguageModel, State, in_threads, steps_at_once

MENDING = 256
"""Characters of a part that are read again at a time."""
ROUGHLY_MENDED = 2
"""Such stretches of a part that are read again where a rough figure will do."""
SAME = 0.03
"""How far apart two states may be that count as one (see `apart`)."""


def surprisal(logits: Floats, targets: NDArray[np.integer]) -> NDArray[np.float64]:
    """-ln softmax(logits)[target]: logits (..., V) and targets (...) -> nats (...)."""
    top = logits.max(axis=-1, keepdims=True)  # (..., 1)
    picked = np.take_along_axis(logits, targets[..., None].astype(np.intp), axis=-1)  # (..., 1)
    total = np.exp(logits - top).sum(axis=-1, dtype=np.float64)  # (...)
    nats: NDArray[np.float64] = np.log(total) + (top - picked)[..., 0]
    return nats


def read_scoring(
    network: LanguageModel, inputs: NDArray[Any], targets: NDArray[Any], state: State
) -> tuple[NDArray[np.float64], State]:
    """Read inputs (T, B), a few time steps at once; give the surprisals (T, B) of the targets, and the state."""
    time, streams = inputs.shape
    rows = steps_at_once(network, streams)
    nats = np.empty((time, streams))
    for begin in range(0, time, rows):
        logits, state = network.logits(inputs[begin : begin + rows], state)
        nats[begin : begin + rows] = surprisal(logits, targets[begin : begin + rows])
    return nats, state


def state_distance(one: State, other: State) -> NDArray[np.floating[Any]]:
    """How far apart the states of B streams are (B,): the largest difference of a unit, of cells as a share.

    A cell of 100 that should be 99 is nothing, as the network reads its tanh; one of 0 that should be 1 is all.
    """
    hidden = np.abs(one.hidden - other.hidden).max(axis=(0, 2))  # (B,)
    cells = np.abs(one.cell - other.cell) / (1 + np.abs(other.cell))  # (L, B, H), or none
    distance: NDArray[np.floating[Any]] = np.maximum(hidden, cells.max(axis=(0, 2), initial=0))
    return distance


class Parts:
    """A stretch of text in parts of one length, which are read side by side as B streams.

    Args:
        network: reads them.
        inputs: what is read (N,).
        targets: what is to be predicted after each (N,).
        count: B; all parts have N / B characters, rounded up, but the last.
        threads: how many threads share the streams.
    """

    def __init__(self, network: LanguageModel, inputs: Ids, targets: Ids, count: int, threads: int) -> None:
        self._network, self._inputs, self._targets, self._threads = network, inputs, targets, threads
        self._count, self._length = count, -(-len(targets) // count)
        ends = range(0, self._length, MENDING)
        self._stretches = [range(begin, min(begin + MENDING, self._length)) for begin in ends]
        self._nats = np.empty((self._length, count))  # (T, B)
        self._states: list[State] = []  # (B streams) after each stretch

    def surprisals(self, state: State, typical: State, *, rough: bool) -> tuple[NDArray[np.float64], State]:
        """The surprisals (N,) in nats, and the state at the end, where all parts are of one length.

        Args:
            state: at the beginning of the text.
            typical: of one stream in the midst of such a text, from which the other parts begin.
            rough: whether to read a few stretches of each part again and leave it at that.
        """
        after = State.concatenate([state, *[typical] * (self._count - 1)])
        for rows in self._stretches:
            self._nats[rows.start : rows.stop], after = self._read(np.arange(self._count), rows, after)
            self._states.append(after)
        off = self._mend(np.arange(1, self._count), ROUGHLY_MENDED if rough else len(self._stretches))
        # What is remembered for longer than a part is mended part by part: this takes no longer than one stream would.
        while len(off) and not rough:
            first, off = off[0] + 1, off[1:]
            if first < self._count:
                off = np.union1d(off, self._mend(np.array([first]), len(self._stretches)))
        return self._nats.T.reshape(-1)[: len(self._targets)], self._states[-1].select([-1])

    def _read(self, streams: NDArray[np.intp], rows: range, before: State) -> tuple[NDArray[np.float64], State]:
        """Read some time steps (T) of some streams (B), by number, from states: surprisals (T, B) and states."""

        def read(columns: NDArray[np.intp]) -> tuple[NDArray[np.float64], State]:
            places = streams[columns] * self._length + np.array(rows)[:, None]  # (T, B)
            places = np.minimum(places, len(self._targets) - 1)  # the last part ends early
            return read_scoring(self._network, self._inputs[places], self._targets[places], before.select(columns))

        shares = np.array_split(np.arange(len(streams)), min(self._threads, len(streams)))
        results = in_threads(read, shares, self._threads)
        return np.concatenate([nats for nats, _ in results], axis=1), State.concatenate(after for _, after in results)

    def _mend(self, streams: NDArray[np.intp], most: int) -> NDArray[np.intp]:
        """Read streams again from where those before them end by now, at most so many stretches.

        Give those that were off until then.
        """
        after = self._states[-1].select(streams - 1)
        for number, rows in enumerate(self._stretches[:most]):
            self._nats[rows.start : rows.stop, streams], after = self._read(streams, rows, after)
            off = state_distance(after, self._states[number].select(streams)) > SAME
            self._states[number] = self._states[number].updated(streams, after)
            streams, after = streams[off], after.select(off)
            if not len(streams):
                break
        return streams

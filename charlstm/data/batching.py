"""What each step of training reads: parallel streams through a text, or lines as records.

Batches are a sequence without a state: step k is computed from k alone, so that a run can go on anywhere.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .corpus import Corpus, line_bounds
from .vocabulary import UNKNOWN, Ids


@dataclass(frozen=True)
class Batch:
    """What one step of training reads and must predict. T time steps, B streams."""

    inputs: NDArray[np.int64]
    """(T, B) ids; the start symbol where a stream starts afresh."""
    targets: NDArray[np.int64]
    """(T, B) ids; IGNORED where a record has ended."""
    fresh: NDArray[np.bool_]
    """(B,) streams that start from the zero state."""
    carried: int
    """The first so many streams go on in the next step; the others end with this one."""
    characters: int
    """Targets that count."""


IGNORED = -100
"""A target that is not scored: torch's default for cross entropy."""


def _mix_in_unknown(window: NDArray[np.int64], share: float, rng: np.random.Generator) -> None:
    """Show a few characters as unknown, so that the symbol is trained on texts without rare characters."""
    count = rng.poisson(share * window.size)
    if count:
        flat = window.reshape(-1)
        places = rng.integers(0, window.size, count)
        flat[places[flat[places] != IGNORED]] = UNKNOWN


class TextBatches:
    """B contiguous streams through one text, T characters a step; step k is computed from k alone.

    Stream b starts at b/B of the text; each goes round and round, so that no state is ever thrown away at an
    epoch's end and chunk borders move from one round to the next. So that cold starts are learnt too, now and
    then one stream more joins for a single step: it begins from the start symbol where a text would begin.

    Args:
        ids: (characters,) the text.
        batch, context: B and T.
        start: id of the start symbol.
        line_end: id of the newline.
        fresh_every: every so many steps one stream more starts afresh.
        unknown: share of characters shown as unknown.
        seed: all that is random comes from it and the step's number.
    """

    def __init__(
        self,
        ids: Ids,
        batch: int,
        context: int,
        *,
        start: int,
        line_end: int,
        fresh_every: int,
        unknown: float,
        seed: int,
    ) -> None:
        self.ids, self.batch, self.context = ids, batch, context
        self.start, self.fresh_every, self.unknown, self.seed = start, fresh_every, unknown, seed
        self.starts = _natural_starts(ids, line_end)
        self.steps_per_epoch = max(1.0, len(ids) / (batch * context))

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self.seed, step))
        at = (np.arange(self.batch) * len(self.ids) // self.batch + step * self.context) % len(self.ids)  # (B,)
        fresh = np.full(self.batch, step == 0)
        if step % self.fresh_every == 0:
            at = np.append(at, rng.choice(self.starts))
            fresh = np.append(fresh, True)
        window = self.ids.take(at + np.arange(-1, self.context)[:, None], mode="wrap").astype(np.int64)  # (T+1, B)
        _mix_in_unknown(window, self.unknown, rng)
        targets = window[1:]  # (T, B)
        inputs = window[:-1].copy()
        inputs[0, fresh] = self.start
        return Batch(inputs, targets, fresh, self.batch, targets.size)


FAR = 2000
"""Characters between empty lines, on average, beyond which they do not mark where a text would begin."""


def _natural_starts(ids: Ids, line_end: int) -> NDArray[np.int64]:
    """Where a text would begin: at its own beginning, and after empty lines or, where these are few, after any."""
    ends = ids == line_end if line_end != UNKNOWN else np.zeros(len(ids), dtype=bool)
    after_blank = np.flatnonzero(ends[1:-1] & ends[:-2]) + 2
    found = after_blank if len(after_blank) * FAR >= len(ids) else np.flatnonzero(ends[:-1]) + 1
    return np.concatenate([np.zeros(1, dtype=np.int64), found])


def split_lines(ids: Ids, line_end: int) -> list[Ids]:
    """Cut a text into its lines; each keeps its newline (the last may lack one)."""
    return [ids[begin:end] for begin, end in itertools.pairwise(line_bounds(ids, line_end))]


def lines_all_over(ids: Ids, line_end: int, most: int) -> Ids:
    """A text or, where it is longer than so many characters, every second, third ... of its lines: about so many."""
    if len(ids) <= most:
        return ids
    bounds = line_bounds(ids, line_end)
    every = -(-len(ids) // most)
    return np.concatenate([ids[begin:end] for begin, end in zip(bounds[:-1:every], bounds[1::every], strict=True)])


class LineBatches:
    """Batches of lines, each line a record that starts from the zero state and ends with its newline.

    Lines of similar length go together; the order is drawn anew in each epoch. Lines longer than the context
    are read in several steps with the state carried. Step k is computed from k alone.
    """

    def __init__(
        self,
        ids: Ids,
        batch: int,
        context: int,
        *,
        start: int,
        line_end: int,
        unknown: float,
        seed: int,
    ) -> None:
        self.ids, self.batch, self.context = ids, batch, context
        self.start, self.unknown, self.seed = start, unknown, seed
        self.bounds = line_bounds(ids, line_end)  # (records + 1,)
        self.lengths = np.diff(self.bounds)  # (records,)
        self._epoch = -1
        self._plan: list[tuple[NDArray[np.int64], int]] = []
        self._first = 0
        self._enter(0, 0)
        self.steps_per_epoch = float(len(self._plan))

    def _enter(self, epoch: int, first: int) -> None:
        """Lay out the steps of an epoch: pairs of (record numbers, offset within the records)."""
        rng = np.random.default_rng((self.seed, epoch, 1))
        order = rng.permutation(len(self.lengths))
        order = order[np.argsort(self.lengths[order], kind="stable")]
        groups = self._groups(order)
        self._plan = [
            (groups[place], offset)
            for place in rng.permutation(len(groups))
            for offset in range(0, int(self.lengths[groups[place][-1]]), self.context)
        ]
        self._epoch, self._first = epoch, first

    def _groups(self, order: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Cut record numbers, from the shortest to the longest record, into batches of B T characters at most."""
        budget = self.batch * self.context
        groups = []
        while len(order):
            most = order[: max(1, budget // int(self.lengths[order[0]]))]
            sizes = self.lengths[most] * np.arange(1, len(most) + 1)  # of a batch that ends with each record
            count = max(1, int(sizes.searchsorted(budget, side="right")))
            groups.append(order[:count])
            order = order[count:]
        return groups

    def __getitem__(self, step: int) -> Batch:
        if step < self._first:
            self._enter(0, 0)
        while step >= self._first + len(self._plan):
            self._enter(self._epoch + 1, self._first + len(self._plan))
        numbers, offset = self._plan[step - self._first]
        rng = np.random.default_rng((self.seed, step))
        longest = int(self.lengths[numbers[-1]])
        size = min(self.context, longest - offset)
        window = np.full((size + 1, len(numbers)), IGNORED, dtype=np.int64)  # (T+1, B)
        for column, number in enumerate(numbers):
            begin, end = self.bounds[number : number + 2]
            piece = self.ids[begin + max(0, offset - 1) : min(begin + offset + size, end)]
            row = 0 if offset else 1
            window[row : row + len(piece), column] = piece
        characters = int((window[1:] != IGNORED).sum())
        _mix_in_unknown(window, self.unknown, rng)
        inputs = np.where(window[:-1] == IGNORED, self.start, window[:-1])
        fresh = np.full(len(numbers), offset == 0)
        return Batch(inputs, window[1:], fresh, len(numbers), characters)


def batches(
    corpus: Corpus, *, batch: int, context: int, lines: bool, fresh_every: int, unknown: float, seed: int
) -> TextBatches | LineBatches:
    """The training part of a corpus as an endless, stateless sequence of batches."""
    start = corpus.vocabulary.start
    if lines:
        return LineBatches(
            corpus.training, batch, context, start=start, line_end=corpus.line_end, unknown=unknown, seed=seed
        )
    return TextBatches(
        corpus.training, batch, context,
        start=start, line_end=corpus.line_end, fresh_every=fresh_every, unknown=unknown, seed=seed,
    )  # fmt: skip

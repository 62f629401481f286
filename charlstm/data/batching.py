"""What each step of training reads: parallel streams through a text, or lines as records.

Batches are a sequence without a state: step k is computed from k alone, so that a run can resume anywhere. Knows ids
only: nothing of characters, networks or devices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..config import TrainingSettings
from .corpus import Corpus
from .lines import line_bounds, lines_within
from .mapping import forget, stretches
from .vocabulary import UNKNOWN, Ids

IGNORED = -100
"""A target that is not scored: torch's default for cross entropy."""

DOCUMENT_LENGTH = 2000
"""Characters between empty lines, on average, beyond which these do not count as document boundaries."""
MOST_SEARCHED = 1 << 26
"""Characters that are searched for where documents begin."""
STRETCHES = 64
"""Of a longer text, which are searched."""
FORGOTTEN_EVERY = 1024
"""Steps after which the memory is let go of that reading a mapped text has taken."""
MOST_ORDERED = 1 << 26
"""Characters of a text whose lines are put in order by length all together."""
LEAST_PART = 8
"""Contexts in a stream's part of the text, below which all epochs are alike."""
CHUNK, CHUNKS = 1 << 16, 256
"""Characters of a chunk of a longer text, and chunks from all over it whose lines are put in order together."""


class Shard(NamedTuple):
    """Which streams of each batch are read: all, or those of one of several processes."""

    rank: int = 0
    size: int = 1

    def of(self, streams: int) -> slice:
        """Its part of so many streams."""
        return slice(streams * self.rank // self.size, streams * (self.rank + 1) // self.size)

    @property
    def is_last(self) -> bool:
        """Whether it is the one that takes what is left over."""
        return self.rank == self.size - 1


WHOLE = Shard()


@dataclass(frozen=True)
class Batch:
    """What one step of training reads and must predict, or a shard of it. T time steps, B streams."""

    inputs: NDArray[np.int64]
    """(T, B) ids; the start symbol where a stream starts from the zero state."""
    targets: NDArray[np.int64]
    """(T, B) ids; IGNORED where a record has ended."""
    fresh: NDArray[np.bool_]
    """(B,) streams that start from the zero state."""
    carried: int
    """The first so many streams go on in the next step; the others end with this one."""
    characters: int
    """Targets that are scored, in all shards."""
    positions: NDArray[np.int64]
    """(T, B) where in the training text the targets stand; anywhere, where a record has ended."""
    before: int = 0
    """So many streams of the batch, in shards before this one, ..."""
    after: int = 0
    """... and so many, in shards after it, are read by others."""

    def shards(self, count: int) -> list[Batch]:
        """The same in so many parts of about as many streams each, or in one a stream."""
        parts = [Shard(number, count).of(len(self.fresh)) for number in range(count)]
        return [self._part(streams) for streams in parts if streams.stop > streams.start]

    def _part(self, streams: slice) -> Batch:
        return Batch(
            self.inputs[:, streams],
            self.targets[:, streams],
            self.fresh[streams],
            carried=max(0, min(streams.stop, self.carried) - streams.start),
            characters=self.characters,
            positions=self.positions[:, streams],
            before=self.before + streams.start,
            after=self.after + len(self.fresh) - streams.stop,
        )


@dataclass(frozen=True)
class BatchSettings:
    """How a text is cut into batches."""

    batch_size: int
    """Streams, or so many contexts' worth of lines."""
    context: int
    """Time steps."""
    start: int
    """Id of the start symbol."""
    line_end: int
    """Id of the newline; UNKNOWN where the vocabulary has none."""
    fresh_every: int = 10
    """Every so many steps one more stream starts from the zero state."""
    unknown: float = 0.0
    """Fraction of characters that are shown as the unknown symbol."""
    seed: int = 0
    """All that is random comes from it and the step's number."""
    shard: Shard = WHOLE
    """What is read of each batch; the shards together are the same batch as the whole."""


class Batches(Protocol):
    """An endless sequence of batches."""

    steps_per_epoch: float

    def __getitem__(self, step: int) -> Batch:
        """The batch of one step, computed from its number alone."""
        ...


def batches(corpus: Corpus, settings: TrainingSettings, shard: Shard = WHOLE) -> Batches:
    """The training part of a corpus as an endless, stateless sequence of batches, or a shard of each."""
    how = BatchSettings(
        batch_size=settings.batch,
        context=settings.context,
        start=corpus.vocabulary.start,
        line_end=corpus.line_end,
        fresh_every=settings.fresh_every,
        unknown=settings.unknown,
        seed=settings.seed,
        shard=shard,
    )
    return LineBatches(corpus.training, how) if settings.lines else TextBatches(corpus.training, how)


def _show_some_as_unknown(
    window: NDArray[np.int64], own: slice, streams: int, fraction: float, rng: np.random.Generator
) -> None:
    """Replace a few characters by the unknown symbol, so that it is trained on texts without rare characters.

    Args:
        window: (T + 1, B) what is read of a batch.
        own: which of its streams that are.
        streams: of the whole batch, from all of which the characters are chosen.
        fraction, rng: how many, and by which random numbers.
    """
    size = len(window) * streams
    count = rng.poisson(fraction * size)
    if count:
        rows, columns = np.divmod(rng.integers(0, size, count), streams)
        ours = (columns >= own.start) & (columns < own.stop)
        rows, columns = rows[ours], columns[ours] - own.start
        shown = window[rows, columns] != IGNORED
        window[rows[shown], columns[shown]] = UNKNOWN


class TextBatches:
    """B contiguous streams through one text, T characters a step.

    In the first epoch stream b reads the part of the text from b/B on. In each later one it reads another stream's
    part, from a random place in it on and round: what stands side by side in a step is then never the same again,
    and window boundaries move (what it gains: benchmarks/LOG.md). States are carried on. So that the zero state is
    trained too, now and then one more stream joins for a single step, at the beginning of a document.

    Args:
        ids: (characters,) the text.
        settings: batch size B, context T and the rest.
    """

    def __init__(self, ids: Ids, settings: BatchSettings) -> None:
        self.ids, self.settings = ids, settings
        self.document_starts = _document_starts(ids, settings.line_end)
        self.steps_per_epoch = max(1.0, len(ids) / (settings.batch_size * settings.context))

    def __getitem__(self, step: int) -> Batch:
        """The batch of one step, computed from its number alone."""
        how = self.settings
        rng = np.random.default_rng((how.seed, step))
        positions = self._positions(step)
        fresh = np.full(how.batch_size, step == 0)
        if step % how.fresh_every == 0:
            positions = np.append(positions, rng.choice(self.document_starts))
            fresh = np.append(fresh, True)
        total, own = len(positions), how.shard.of(how.batch_size)
        carried = own.stop - own.start
        if how.shard.is_last:
            own = slice(own.start, total)
        positions, fresh = positions[own], fresh[own]
        if step % FORGOTTEN_EVERY == 0:
            forget(self.ids)
        offsets = np.arange(-1, how.context)[:, None]
        window = self.ids.take(positions + offsets, mode="wrap").astype(np.int64)  # (T + 1, B)
        _show_some_as_unknown(window, own, total, how.unknown, rng)
        targets = window[1:]  # (T, B)
        inputs = window[:-1].copy()
        inputs[0, fresh] = how.start
        targets_at = (positions + offsets[1:]) % len(self.ids)  # (T, B)
        characters = total * how.context
        return Batch(inputs, targets, fresh, carried, characters, targets_at, own.start, total - own.stop)

    def _positions(self, step: int) -> NDArray[np.int64]:
        """Where in the text the streams (B,) stand at a step."""
        how, size = self.settings, len(self.ids)
        begins = np.arange(how.batch_size) * size // how.batch_size  # of each part
        part = -(-size // how.batch_size)  # characters
        if part < LEAST_PART * how.context:
            return (begins + step * how.context) % size
        epoch, read = divmod(step * how.context, part)
        if not epoch:
            return (begins + read) % size
        rng = np.random.default_rng((how.seed, epoch, 2))
        from_where = rng.integers(0, part, how.batch_size)
        return (rng.permutation(begins) + (from_where + read) % part) % size


def _document_starts(ids: Ids, line_end: int) -> NDArray[np.int64]:
    """Where documents begin: at 0, and after empty lines or, where these are few, after any line.

    Of a long text, those in stretches from all over it.
    """
    if len(ids) <= MOST_SEARCHED:
        return _starts_in(ids, line_end)
    parts = stretches(len(ids), MOST_SEARCHED, STRETCHES)
    found = [part.start + _starts_in(ids[part.start : part.stop], line_end)[1:] for part in parts]
    forget(ids)
    return np.concatenate([np.zeros(1, dtype=np.int64), *found])


def _starts_in(ids: Ids, line_end: int) -> NDArray[np.int64]:
    ends = ids == line_end if line_end != UNKNOWN else np.zeros(len(ids), dtype=bool)
    after_blank = np.flatnonzero(ends[1:-1] & ends[:-2]) + 2
    enough = len(after_blank) * DOCUMENT_LENGTH >= len(ids)
    found = after_blank if enough else np.flatnonzero(ends[:-1]) + 1
    return np.concatenate([np.zeros(1, dtype=np.int64), found])


class LineBatches:
    """Batches of lines, each line a record that starts from the zero state and ends with its newline.

    Lines of similar length go together; the order is drawn anew in each epoch. Lines longer than the context
    are read in several steps with the state carried. The lines of a long text are ordered by length a portion of them
    at a time, the lines of some chunks of it that are drawn at random, so that memory stays flat.

    The plan of one portion is kept, that of the step which was asked for last; what is given depends on the step alone.

    Args:
        ids: (characters,) the text.
        settings: a step reads B T characters at most, in T time steps at most.
    """

    def __init__(self, ids: Ids, settings: BatchSettings) -> None:
        self.ids, self.settings = ids, settings
        self.portions = 1 if len(ids) <= MOST_ORDERED else -(-len(ids) // (CHUNK * CHUNKS))  # of an epoch
        self._begins = np.zeros(0, dtype=np.int64)  # (records,) of the present portion
        self.lengths = np.zeros(0, dtype=np.int64)
        self._steps: list[tuple[NDArray[np.int64], int]] = []
        self._portion, self._first_step = 0, 0
        self._plan(self._portion, self._first_step)
        self.steps_per_epoch = max(1.0, len(self._steps) * len(ids) / max(1, int(self.lengths.sum())))

    def __getitem__(self, step: int) -> Batch:
        """The batch of one step, computed from its number alone."""
        if step < self._first_step:
            self._plan(0, 0)
        while step >= self._first_step + len(self._steps):
            self._plan(self._portion + 1, self._first_step + len(self._steps))
        whole, offset = self._steps[step - self._first_step]
        left = np.clip(self.lengths[whole] - offset, 0, self.settings.context)  # (B of all shards,)
        own = self.settings.shard.of(len(whole))
        records = whole[own]
        window = self._window(records, offset, int(left[-1]))  # (T + 1, B)
        rng = np.random.default_rng((self.settings.seed, step))
        _show_some_as_unknown(window, own, len(whole), self.settings.unknown, rng)
        inputs = np.where(window[:-1] == IGNORED, self.settings.start, window[:-1])
        fresh = np.full(len(records), offset == 0)
        targets_at = self._begins[records] + offset + np.arange(len(window) - 1)[:, None]  # (T, B)
        targets_at = np.minimum(targets_at, len(self.ids) - 1)
        after = len(whole) - own.stop
        return Batch(inputs, window[1:], fresh, len(records), int(left.sum()), targets_at, own.start, after)

    def _window(self, records: NDArray[np.int64], offset: int, size: int) -> NDArray[np.int64]:
        """(T + 1, B) ids of records from an offset on; row 0 is the character before, padding is IGNORED.

        Args:
            records: their numbers (B,).
            offset: within each of them.
            size: T, by the longest record of all shards.
        """
        window = np.full((size + 1, len(records)), IGNORED, dtype=np.int64)  # (T + 1, B)
        ends = self._begins[records] + self.lengths[records]
        for column, (begin, end) in enumerate(zip(self._begins[records].tolist(), ends.tolist(), strict=True)):
            piece = self.ids[begin + max(0, offset - 1) : min(begin + offset + size, end)]
            row = 0 if offset else 1
            window[row : row + len(piece), column] = piece
        return window

    def _plan(self, portion: int, first_step: int) -> None:
        """Lay out the steps of a portion of an epoch: pairs of (record numbers, offset within the records).

        Args:
            portion: its number, counted through all epochs.
            first_step: the number of its first step.
        """
        forget(self.ids)
        epoch, part = divmod(portion, self.portions)
        whole = self.portions == 1
        if not (whole and len(self._begins)):
            bounds = [line_bounds(self.ids, self.settings.line_end)] if whole else self._bounds_of(epoch, part)
            self._begins = np.concatenate([some[:-1] for some in bounds])
            self.lengths = np.concatenate([np.diff(some) for some in bounds])
        rng = np.random.default_rng((self.settings.seed, epoch, 1) if whole else (self.settings.seed, epoch, 1, part))
        order = rng.permutation(len(self.lengths))
        order = order[np.argsort(self.lengths[order], kind="stable")]
        groups = self._groups(order)
        self._steps = [
            (groups[number], offset)
            for number in rng.permutation(len(groups))
            for offset in range(0, int(self.lengths[groups[number][-1]]), self.settings.context)
        ]
        self._portion, self._first_step = portion, first_step

    def _bounds_of(self, epoch: int, part: int) -> list[NDArray[np.int64]]:
        """The bounds of the lines that begin in the chunks of a portion."""
        rng = np.random.default_rng((self.settings.seed, epoch, 3))
        chunks = np.sort(rng.permutation(-(-len(self.ids) // CHUNK))[part :: self.portions])
        return [lines_within(self.ids, self.settings.line_end, n * CHUNK, (n + 1) * CHUNK) for n in chunks.tolist()]

    def _groups(self, order: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Cut record numbers, from the shortest to the longest record, into batches of B T characters at most."""
        budget = self.settings.batch_size * self.settings.context
        groups = []
        while len(order):
            candidates = order[: max(1, budget // int(self.lengths[order[0]]))]
            sizes = self.lengths[candidates] * np.arange(1, len(candidates) + 1)  # of a batch that ends with each
            count = max(1, int(sizes.searchsorted(budget, side="right")))
            groups.append(order[:count])
            order = order[count:]
        return groups

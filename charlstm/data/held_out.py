"""What a validation reads: a held-out part or a sample of it, each block behind what stands before it in its text.

What follows upon a jump to another place is harder than any text is that is read on. Knows ids; knows nothing about
files, networks, or how the part was chosen.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .lines import lines_all_over
from .mapping import stretches
from .vocabulary import Ids

CONTEXT = 256
"""Characters that are read before a block, at most."""
STRETCH = 2048
"""Characters of a stretch of running text: a sample of the held-out part is made of stretches from all over it."""
LEAST_STRETCHES = 4
"""Of a short sample, which are shorter."""


@dataclass(frozen=True)
class Sample:
    """Text that is read, and what of it counts."""

    ids: Ids
    """(N,) what is read."""
    scored: NDArray[np.bool_]
    """(N,) whether a character counts; the others are there to be read before it."""

    @staticmethod
    def of(ids: Ids) -> Sample:
        """A text all of which counts."""
        return Sample(ids, np.ones(len(ids), dtype=bool))

    def __len__(self) -> int:
        """Characters that count."""
        return int(np.count_nonzero(self.scored))

    @property
    def text(self) -> Ids:
        """What counts."""
        return self.ids[self.scored]

    def at_most(self, most: int, count: int) -> Sample:
        """It or, where more is read than so many characters, so many stretches from all over it."""
        parts = [slice(part.start, part.stop) for part in stretches(len(self.ids), most, count)]
        return Sample(*(np.concatenate([array[part] for part in parts]) for array in (self.ids, self.scored)))


@dataclass(frozen=True)
class Contexts:
    """What stands before each block of a held-out part in its text."""

    begins: NDArray[np.int64]
    """(blocks,) where each block begins in the held-out part, in order."""
    lengths: NDArray[np.int64]
    """(blocks,) characters that are known of what stands before each, CONTEXT at most."""
    ids: Ids
    """(characters,) all of them, one context after the other."""

    @staticmethod
    def of(ids: Ids, blocks: NDArray[np.int64]) -> Contexts:
        """Those of blocks (blocks, 2), where each begins and ends in a text."""
        sizes = blocks[:, 1] - blocks[:, 0]
        lengths = np.minimum(blocks[:, 0], CONTEXT)
        parts = [ids[begin - length : begin] for begin, length in zip(blocks[:, 0], lengths, strict=True)]
        return Contexts(np.cumsum(sizes) - sizes, lengths, np.concatenate([ids[:0], *parts]))

    def before(self, part: Ids, position: int, line_end: int) -> Ids:
        """What is read before a position of the held-out part: from the beginning of a line on, where there is one.

        Args:
            part: the held-out part.
            position: in it.
            line_end: the newline's id; -1: there is none.
        """
        block = int(np.searchsorted(self.begins, position, side="right")) - 1
        begin = int(self.begins[block]) if block >= 0 else 0
        here = part[max(begin, position - CONTEXT) : position]
        stored = self._of_block(block) if block >= 0 else part[:0]
        window = np.concatenate([stored[max(0, len(stored) + len(here) - CONTEXT) :], here])
        ends = np.flatnonzero(window[:-1] == line_end)
        return window[ends[0] + 1 :] if len(ends) else window

    def _of_block(self, block: int) -> Ids:
        end = int(self.lengths[: block + 1].sum())
        return self.ids[end - int(self.lengths[block]) : end]


def no_contexts() -> Contexts:
    """Those of a text that validates as it is."""
    return Contexts.of(np.zeros(0, dtype=np.uint8), np.zeros((0, 2), dtype=np.int64))


def sample_of_lines(part: Ids, line_end: int, most: int) -> Sample:
    """A held-out part of lines or, where it is longer than so many characters, about so many from all over it."""
    return Sample.of(lines_all_over(part, line_end, most))


def sample_of_text(part: Ids, contexts: Contexts, line_end: int, most: int) -> Sample:
    """A held-out part of running text or, where it is longer than so many characters, about so many from all over it.

    Stretches begin and end with lines, where these are not too long: a network that keeps track of something, such as
    how deep in brackets it is, is confused by a jump from the midst of one line into another.

    Args:
        part: the held-out part.
        contexts: what stands before its blocks.
        line_end: the newline's id; -1: there is none.
        most: characters that count.
    """
    parts = stretches(len(part), most, max(LEAST_STRETCHES, most // STRETCH))
    bounds = [(one.start, one.stop) for one in parts]
    if len(parts) > 1:
        reach = len(parts[0]) // 4
        bounds = [tuple(_line_start(part, at, line_end, reach) for at in both) for both in bounds]  # type: ignore[misc]
    pieces = list(_in_context(part, contexts, line_end, bounds))
    return Sample(
        np.concatenate([part[:0], *(piece for piece, _ in pieces)]),
        np.repeat([counts for _, counts in pieces], [len(piece) for piece, _ in pieces]).astype(bool),
    )


def _in_context(
    part: Ids, contexts: Contexts, line_end: int, bounds: Sequence[tuple[int, int]]
) -> Iterator[tuple[Ids, bool]]:
    """Stretches of a held-out part piece by piece, each with whether it counts."""
    for begin, end in bounds:
        first, last = np.searchsorted(contexts.begins, [begin + 1, end]).tolist()
        for low, high in itertools.pairwise([begin, *contexts.begins[first:last].tolist(), end]):
            yield contexts.before(part, low, line_end), False
            yield part[low:high], True


def _line_start(ids: Ids, position: int, line_end: int, reach: int) -> int:
    """Where the line begins that a position is in, if that is within reach; else the position."""
    first = max(0, position - reach)
    ends = np.flatnonzero(ids[first:position] == line_end)
    return first + int(ends[-1]) + 1 if len(ends) else position

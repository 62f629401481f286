"""Which part of a text is held out: blocks spread over it, its end, or distinct lines drawn at random.

Knows ids and where texts begin; knows nothing about files, vocabularies or networks.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import counted
from .lines import bounds_by_piece, line_bounds, start_of_line
from .mapping import count_of, forget, pieces, sampled
from .repeats import STRETCHES, Hashes, line_hashes, occurring
from .vocabulary import Ids

NOWHERE = np.zeros((0, 2), dtype=np.int64)


@dataclass(frozen=True)
class Split:
    """The held-out part of a text."""

    blocks: NDArray[np.int64]
    """(blocks, 2) where each begins and ends: in order, none empty, none touching another."""
    description: str
    """What is held out, in words; empty when nothing is."""
    note: str = ""
    """Something that a person should be told of how it was chosen."""

    @property
    def held_out(self) -> int:
        """Characters of the held-out part."""
        return int(np.diff(self.blocks).sum())

    def cut(self, ids: Ids) -> Iterator[tuple[Ids, Ids]]:
        """A text piece by piece, of each piece what is trained on, and what is held out.

        The training part is the text with the blocks cut out, the held-out part the blocks joined.
        """
        for begin, piece in pieces(ids):
            end = begin + len(piece)
            first = int(np.searchsorted(self.blocks[:, 1], begin, side="right"))
            last = int(np.searchsorted(self.blocks[:, 0], end))
            if first == last:
                yield piece, piece[:0]
                continue
            edges = np.clip(self.blocks[first:last] - begin, 0, len(piece))
            steps = np.zeros(len(piece) + 1, dtype=np.int8)
            steps[edges[:, 0]] += 1
            steps[edges[:, 1]] -= 1
            inside = np.cumsum(steps[:-1], dtype=np.int8).astype(bool)
            yield piece[~inside], piece[inside]


def the_end(ids: Ids, fraction: float, unit: str = "characters") -> Split:
    """Hold out the last characters of a text, or what its unit is called."""
    count = int(len(ids) * fraction)
    if not count:
        return Split(NOWHERE, "")
    return Split(np.array([[len(ids) - count, len(ids)]]), f"the last {count:,} {unit} of the text")


def last_lines(ids: Ids, fraction: float, newline: int) -> Split:
    """Hold out the last lines of a text."""
    lines = count_of(ids, newline) + int(ids[-1] != newline)
    count = min(max(1, round(lines * fraction)), lines - 1)
    if not count:
        return Split(NOWHERE, "")
    what = "the last line" if count == 1 else f"the last {count:,} lines"
    return Split(np.array([[start_of_line(ids, newline, lines - count), len(ids)]]), what)


# ----------------------------------------------------------------------------------------- distinct lines


COMMON = 20
"""A line that occurs that many times as often as the median line is common: any text of its source has it again."""
CERTAIN = 10
"""So is a line of which a random part as long as the held-out one has that many copies, whatever the median line is: of
yes and no neither is new in another text."""
MOST_COMPARED = 1 << 24
"""Characters of a text whose lines are all compared; in a longer one each line is drawn by its own hash."""
NOTABLE_COPIES = 0.1
"""Fraction of lines that are copies of others beyond which that is said."""


def random_lines(ids: Ids, fraction: float, newline: int, seed: int) -> Split:
    """Hold out distinct lines drawn at random, each with all lines that are equal to it.

    Of common lines, such as the questions of a form or yes and no, only some copies are held out: a new text would have
    them again, and they are in the training part by then.
    """
    if len(ids) > MOST_COMPARED:
        return _lines_drawn_by_hash(ids, fraction, newline, seed)
    bounds = line_bounds(ids, newline)
    _, which, copies = np.unique(line_hashes(ids, bounds), return_inverse=True, return_counts=True)
    common = _are_common(copies, fraction)  # (distinct lines,)
    rng = np.random.default_rng((seed, 2))
    chosen = _drawn(np.where(common, 0, copies), fraction * float(copies[~common].sum()), rng)
    held_out = np.where(common[which], rng.random(len(which)) < fraction, chosen[which])  # (lines,)
    distinct = len(np.unique(which[held_out]))
    return Split(
        _blocks(bounds, held_out),
        _lines_in_words(distinct, int(held_out.sum())),
        _copies_noted(len(copies), len(which), int(common.sum()), some=bool(held_out.any())),
    )


def _lines_drawn_by_hash(ids: Ids, fraction: float, newline: int, seed: int) -> Split:
    """As `random_lines`, of a text of which not all lines can be compared: equal ones have equal hashes.

    Which lines are common is found in stretches of it.
    """
    rng = np.random.default_rng((seed, 2))
    sample = sampled(ids, MOST_COMPARED, STRETCHES)
    found, copies = np.unique(line_hashes(sample, line_bounds(sample, newline)), return_counts=True)
    common = found[_are_common(copies, fraction)]
    salt, least = rng.integers(0, 2**64, dtype=np.uint64), np.uint64(fraction * 2**64)
    blocks, lines = [NOWHERE], 0
    for bounds in bounds_by_piece(ids, newline):
        hashes = line_hashes(ids, bounds)
        drawn = _mixed(hashes ^ salt) < least
        held_out = np.where(occurring(hashes, common), rng.random(len(hashes)) < fraction, drawn)
        blocks.append(_blocks(bounds, held_out))
        lines += int(held_out.sum())
    copied = _copies_noted(len(copies), int(copies.sum()), len(common), some=lines > 0)
    return Split(
        _joined(np.concatenate(blocks)),
        f"{counted(lines, 'line')} drawn at random, equal ones together" if lines else "",
        f"in {len(sample):,} characters from all over the text {copied}" if copied else "",
    )


def _are_common(copies: NDArray[np.int64], fraction: float) -> NDArray[np.bool_]:
    """(distinct lines,) which lines are common, by how often each occurs, where such a fraction is held out."""
    return (copies >= COMMON * max(1.0, float(np.median(copies)))) | (copies * fraction >= CERTAIN)


def _mixed(hashes: Hashes) -> Hashes:
    """Other numbers for hashes, as good as random ones (the last steps of SplitMix64, Steele et al. 2014)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(31))


def _blocks(bounds: NDArray[np.int64], held_out: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(blocks, 2) where neighbouring lines (lines,) that are held out begin and end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held_out, [False]]).astype(np.int8)))
    return bounds[edges].reshape(-1, 2)


def _joined(blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Blocks in order, those that touch as one."""
    apart = blocks[1:, 0] != blocks[:-1, 1]
    first, last = np.concatenate([[True], apart]), np.concatenate([apart, [True]])
    return np.stack([blocks[first[: len(blocks)], 0], blocks[last[: len(blocks)], 1]], axis=1)


def _copies_noted(distinct: int, lines: int, common: int, *, some: bool) -> str:
    if lines - distinct < NOTABLE_COPIES * lines:
        return ""
    found = f"lines occur more than once ({distinct:,} distinct of {lines:,})"
    if not some:
        return f"{found}; nothing is held out: name a text to validate on with --val"
    if common == distinct:
        return f"{found}; some copies of each are held out"
    but = f", but for copies of the {common:,} most common" if common else ""
    return f"{found}; equal ones are held out together{but}"


def _drawn(copies: NDArray[np.int64], target: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw distinct lines at random until they stand for about so many lines; those that would be too many are left.

    One at least is drawn, and one at least is not; of a single one none can be. Lines of 0 copies are not drawn.
    """
    chosen = np.zeros(len(copies), dtype=bool)
    order = rng.permutation(np.flatnonzero(copies))
    most = len(copies) - 1
    if not most or not len(order):
        return chosen
    room = max(1, round(target))
    for line, count in zip(order.tolist(), copies[order].tolist(), strict=True):
        if count <= room and most:
            chosen[line] = True
            room -= count
            most -= 1
        if not room:
            break
    if not chosen.any():
        chosen[order[copies[order].argmin()]] = True
    return chosen


def _lines_in_words(distinct: int, lines: int) -> str:
    if not lines:
        return ""
    if lines == 1:
        return "1 line drawn at random"
    copies = "" if lines == distinct else f", {lines:,} with all that are equal to {'it' if distinct == 1 else 'them'},"
    return f"{counted(distinct, 'distinct line')}{copies} drawn at random"


# ------------------------------------------------------------------------------------------ spread blocks


ROWS_TOGETHER, MOST_BLOCKS_OF_ROWS = 2, 4000
"""Rows of a block of a table, about, unless there are too many blocks."""


@dataclass(frozen=True)
class Boundaries:
    """Where a text may well be cut."""

    ids: Ids
    """(characters,) the text."""
    text_starts: Sequence[int] = ()
    """Where its files begin."""
    newline: int = -1
    """Its id; -1 where the text has none."""
    space: int = -1
    """Likewise."""
    row: float = 0.0
    """Mean characters of a row where the text is a table; else 0."""

    def nearest(self, position: int, reach: int, far: int, low: int, high: int) -> int:
        """Where best to cut near a position, between `low` and `high`.

        After several empty lines (they part what shares its names: chapters, classes), if that is not too far; else
        the nearest document boundary within reach (after an empty line, between files), else line end, else end of a
        word, else the position itself.

        Args:
            position: where a cut is wanted.
            reach: characters that it may be moved by.
            far: the same, to come after several empty lines.
            low, high: bounds of the result.
        """
        position = min(max(position, low), high)
        ways = ((self._large, far), (self._documents, reach), (self._lines, reach), (self._words, reach))
        for cuts, most in ways:
            found = cuts(max(low, position - most), min(high, position + most))
            if len(found):
                return int(found[np.abs(found - position).argmin()])
        return position

    def _after(self, symbol: int, first: int, last: int) -> NDArray[np.int64]:
        """Positions from the first to the last, both included, that come after a symbol."""
        begin = max(0, first - 1)
        return np.flatnonzero(self.ids[begin:last] == symbol) + begin + 1

    def _lines(self, first: int, last: int) -> NDArray[np.int64]:
        return self._after(self.newline, first, last)

    def _words(self, first: int, last: int) -> NDArray[np.int64]:
        return self._after(self.space, first, last)

    def _large(self, first: int, last: int) -> NDArray[np.int64]:
        return self._after_empty_lines(2, first, last)

    def _documents(self, first: int, last: int) -> NDArray[np.int64]:
        files = [start for start in (*self.text_starts, len(self.ids)) if first <= start <= last]
        return np.concatenate([self._after_empty_lines(1, first, last), np.array(files, dtype=np.int64)])

    def _after_empty_lines(self, least: int, first: int, last: int) -> NDArray[np.int64]:
        """Positions after so many empty lines or more, where the next line is not empty."""
        ends = self._lines(first, last)
        ends = ends[ends > least]
        for distance in range(2, least + 2):
            ends = ends[self.ids[ends - distance] == self.newline]
        following = self.ids[np.minimum(ends, len(self.ids) - 1)]
        found: NDArray[np.int64] = ends[(ends == len(self.ids)) | (following != self.newline)]
        return found


def spread_blocks(text: Boundaries, fraction: float, seed: int, unit: str = "characters") -> Split:
    """Hold out contiguous blocks, one at a random position in each stratum of the text.

    No rhythm of a text can be in step with such blocks (stratified sampling, with jitter).
    """
    size = len(text.ids)
    bounds = _strata(size, fraction * size, text.text_starts, text.row) if fraction * size >= 1 else [0]
    rng = np.random.default_rng((seed, 1))
    blocks: list[list[int]] = []
    held_out = 0
    for low, high in itertools.pairwise(bounds):
        begin, end = _block(text, fraction, low, high, fraction * high - held_out, rng.random())
        held_out += end - begin
        forget(text.ids)
        if blocks and begin == blocks[-1][1]:
            blocks[-1][1] = end
        elif end > begin:
            blocks.append([begin, end])
    if not blocks:
        return Split(NOWHERE, "")
    where = "one block" if len(blocks) == 1 else f"{len(blocks):,} blocks spread over the text"
    return Split(np.array(blocks, dtype=np.int64), f"{held_out:,} {unit} in {where}")


def _block(text: Boundaries, fraction: float, low: int, high: int, wanted: float, jitter: float) -> tuple[int, int]:
    """A block of about the wanted length between two positions; an empty one where only a scrap is wanted.

    The end of the last block is moved hardly at all, so that the whole comes out right: what the others have too much
    or too little is made up for by the next one.
    """
    wanted, usual = min(wanted, high - low), fraction * (high - low)
    is_last = high == len(text.ids)
    if wanted < 1 or (wanted < usual / 2 and not (is_last or low in text.text_starts)):
        return low, low
    reach, far = int(usual / 4), int(2 * usual)
    begin = text.nearest(round(low + jitter * (high - low - wanted)), reach, far, low, high - 1)
    if is_last:
        reach = far = min(reach, len(text.ids) // 200)
    return begin, text.nearest(round(begin + wanted), reach, far, begin + 1, high)


def _strata(size: int, wanted: float, text_starts: Sequence[int], row: float) -> list[int]:
    """Bounds of the strata: about as many as blocks are good for so many held-out characters.

    Blocks are long, so that what is trained on has few jumps, and many, so that they stand for the whole.
    Those of a table are short: what is sorted has neighbours that share what no other part has, such as a place, and a
    row has little to do with what stands before it. Files are strata of their own, or several, so that each gives its
    part; small neighbours are one together.
    """
    blocks = min(max(3, round(math.sqrt(wanted) / 8)), 400, max(1, int(wanted) // 20))
    if row:
        blocks = max(blocks, min(int(wanted / (ROWS_TOGETHER * row)), MOST_BLOCKS_OF_ROWS))
    smallest = size / (4 * blocks)
    units = [0]
    for start in text_starts:
        if min(start - units[-1], size - start) >= smallest:
            units.append(start)
    bounds = [0]
    for begin, end in itertools.pairwise([*units, size]):
        count = max(1, round(blocks * (end - begin) / size))
        bounds += [begin + (end - begin) * number // count for number in range(1, count + 1)]
    return bounds

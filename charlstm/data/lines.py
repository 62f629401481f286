"""The lines of a text in ids.

Knows nothing about characters: the newline is an id like others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .mapping import PIECE, pieces
from .vocabulary import Ids

CHARACTERS_OF_LINES = 1 << 22
"""Characters of lines that are looked at together."""


def line_bounds(ids: Ids, line_end: int) -> NDArray[np.int64]:
    """Where each line of a text begins, and last the text's length; a newline belongs to the line before it."""
    ends = [np.flatnonzero(piece == line_end) + begin + 1 for begin, piece in pieces(ids)]
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), *ends])
    return bounds if bounds[-1] == len(ids) else np.append(bounds, len(ids))


def bounds_by_piece(ids: Ids, line_end: int, size: int = CHARACTERS_OF_LINES) -> Iterator[NDArray[np.int64]]:
    """The bounds of a text's lines, some lines at a time: where each begins and, last, where the last of them ends.

    Args:
        ids: the text.
        line_end: the newline's id.
        size: characters of these lines together, about; one line may be longer.
    """
    begin = 0
    for first, piece in pieces(ids, size):
        ends = np.flatnonzero(piece == line_end) + first + 1
        if len(ends):
            yield np.concatenate([[begin], ends])
            begin = int(ends[-1])
    if begin < len(ids):
        yield np.array([begin, len(ids)])


def lines_within(ids: Ids, line_end: int, first: int, last: int) -> NDArray[np.int64]:
    """The bounds of the lines that begin between two positions, the second excluded; the last line may end beyond."""
    last = min(last, len(ids))
    begin = _line_end_from(ids, line_end, first - 1) if first else 0
    if begin >= last:
        return np.zeros(1, dtype=np.int64)
    ends = np.flatnonzero(ids[begin : last - 1] == line_end) + begin + 1
    return np.concatenate([[begin], ends, [_line_end_from(ids, line_end, last - 1)]])


def _line_end_from(ids: Ids, line_end: int, first: int) -> int:
    """The first position after a newline that stands at a position or later; the text's length where there is none."""
    for begin in range(first, len(ids), PIECE):
        found = np.flatnonzero(ids[begin : begin + PIECE] == line_end)
        if len(found):
            return begin + int(found[0]) + 1
    return len(ids)


def start_of_line(ids: Ids, line_end: int, number: int) -> int:
    """Where the line of that number begins, from 0; the text's length where there are not so many."""
    passed = 0
    for begin, piece in pieces(ids):
        here = int(np.count_nonzero(piece == line_end))
        if number and passed + here >= number:
            return begin + int(np.flatnonzero(piece == line_end)[number - passed - 1]) + 1
        passed += here
    return len(ids) if number else 0


def split_lines(ids: Ids, line_end: int) -> list[Ids]:
    """Cut a text into its lines; each keeps its newline (the last may lack one)."""
    return [ids[begin:end] for begin, end in itertools.pairwise(line_bounds(ids, line_end))]


def lines_all_over(ids: Ids, line_end: int, most: int) -> Ids:
    """A text or, where it is longer than so many characters, every second, third ... of its lines: about so many."""
    if len(ids) <= most:
        return ids
    every = -(-len(ids) // most)
    chosen: list[Ids] = []
    passed = 0
    for bounds in bounds_by_piece(ids, line_end):
        first = -passed % every
        begins, ends = bounds[first:-1:every].tolist(), bounds[first + 1 :: every].tolist()
        chosen += [ids[begin:end] for begin, end in zip(begins, ends, strict=True)]
        passed += len(bounds) - 1
    return np.concatenate(chosen)

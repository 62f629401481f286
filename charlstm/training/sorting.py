"""Sorts the positions of a text by the characters that follow them: then all n-grams of one context stand together.

And that for every length at once. What follows a position is packed into one number of 64 bits, its first character
highest; where that is not long enough, positions are sorted once more by their rank and the rank of what follows as
much later (prefix doubling: Manber and Myers 1993).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import Ids

Keys = NDArray[np.uint64]

PIECE = 1 << 20
"""Characters that are packed together."""


@dataclass(frozen=True)
class SortedText:
    """A text of N characters, its positions sorted by at most so many characters from each on."""

    ids: Ids
    """(N,) the text."""
    positions: NDArray[np.int32]
    """(N,) sorted."""
    shared: NDArray[np.uint8]
    """(N,) how many characters each has in common with the one before it in that order."""
    lengths: NDArray[np.uint8]
    """(N,) how many characters there are from each to the end of the text or of its record."""

    @cached_property
    def ranks(self) -> NDArray[np.int32]:
        """(N,) where each position stands in the order."""
        ranks = np.empty(len(self.positions), np.int32)
        ranks[self.positions] = np.arange(len(ranks), dtype=np.int32)
        return ranks

    @property
    def unique(self) -> NDArray[np.uint8]:
        """(N,) from how many characters on what begins at each position of the text stands nowhere else in it.

        Where nothing that short is unique, it is one more than the characters that the order looks at.
        """
        found = np.empty(len(self.shared), np.uint8)
        found[self.positions] = np.maximum(self.shared, np.append(self.shared[1:], np.uint8(0))) + np.uint8(1)
        return found


def longest_sorted(vocab_size: int) -> int:
    """By how many characters positions can be sorted."""
    return 2 * _packable(vocab_size)


def sorted_text(ids: Ids, vocab_size: int, order: int, record_end: int | None = None) -> SortedText:
    """Sort the positions of a text.

    Args:
        ids: (N,).
        vocab_size: V.
        order: by how many characters, at most `longest_sorted` and 255.
        record_end: the id that ends a record, beyond which no character is looked at; None for running text.
    """
    some = min(order, _packable(vocab_size))
    keys = packed(ids, vocab_size, some, record_end)
    positions = np.argsort(keys).astype(np.int32)
    in_order = keys[positions]
    shared = _leading(in_order[1:] ^ in_order[:-1], vocab_size, some, some)
    if some < order:
        positions = _refined(in_order, positions, some)  # what was equal stays together
        same = np.flatnonzero(shared == some)
        further = keys.take(positions[same + 1] + some, mode="clip") ^ keys.take(positions[same] + some, mode="clip")
        shared[same] += _leading(further, vocab_size, some, order - some)
    lengths = _lengths(ids, order, record_end)[positions]
    shared = np.minimum(shared, np.minimum(lengths[1:], lengths[:-1]))
    return SortedText(ids, positions, np.append(np.zeros(min(1, len(ids)), np.uint8), shared), lengths)


def packed(ids: Ids, vocab_size: int, order: int, record_end: int | None) -> Keys:
    """The n-gram at each position (N,) as one number, each id plus 1; 0 where the text or its record ends before.

    Args:
        ids: (N,).
        vocab_size: V.
        order: n.
        record_end: the id that ends a record, which no n-gram crosses; None for running text.
    """
    keys = np.zeros(len(ids), np.uint64)
    for begin in range(0, len(ids), PIECE):  # what is computed on the way is eight times as large as the text
        piece = keys[begin : begin + PIECE]
        codes = np.zeros(len(piece) + order, np.uint64)
        read = ids[begin : begin + len(codes)]
        codes[: len(read)] = read
        codes[: len(read)] += np.uint64(1)
        inside = np.ones(len(piece), bool)
        for offset in range(order):
            column = codes[offset : offset + len(piece)]
            piece <<= np.uint64(_bits(vocab_size))
            piece |= column if record_end is None else np.where(inside, column, np.uint64(0))
            if record_end is not None and offset:
                inside &= column != record_end + 1
    return keys


def _packable(vocab_size: int) -> int:
    """Characters that one number holds."""
    return 64 // _bits(vocab_size)


def _bits(vocab_size: int) -> int:
    """Bits of a character's id, or of none."""
    return int(vocab_size).bit_length()


def _lengths(ids: Ids, order: int, record_end: int | None) -> NDArray[np.uint8]:
    """Characters (N,) from each position to the end of the text or record, at most `order`.

    The character that ends a record is its last, and also stands before the first one of the next.
    """
    lengths = np.full(len(ids), order, np.uint8)
    if record_end is None or not len(ids):
        few = min(order, len(ids))
        lengths[len(ids) - few :] = np.arange(few, 0, -1)
        return lengths
    ends = np.where(ids == record_end, np.arange(1, len(ids) + 1), len(ids))
    ends = np.minimum.accumulate(ends[::-1])[::-1]  # (N,) of the record that each character belongs to
    lengths[:-1] = np.minimum(ends[1:] - np.arange(len(ids) - 1), order)
    lengths[-1] = 1
    return lengths


def _leading(differing: Keys, vocab_size: int, held: int, most: int) -> NDArray[np.uint8]:
    """How many of their first characters, at most so many, pairs of keys (N,) have in common, from what differs.

    Args:
        differing: (N,) the two numbers of each pair, combined by exclusive or.
        vocab_size: V.
        held: characters in each number.
        most: so many.
    """
    leading = np.zeros(len(differing), np.uint8)
    for k in range(1, most + 1):
        leading += differing < np.uint64(1 << _bits(vocab_size) * (held - k))
    return leading


def _refined(in_order: Keys, positions: NDArray[np.int32], some: int) -> NDArray[np.int32]:
    """Positions (N,), sorted by `some` characters as their keys say, sorted by twice as many.

    Of positions whose record ends before that, those that are equal are equal in whatever order.
    """
    ranks = np.zeros(len(positions), np.uint64)
    ranks[positions[1:]] = np.cumsum(in_order[1:] != in_order[:-1])
    later = np.zeros_like(ranks)
    later[:-some] = ranks[some:] + np.uint64(1)
    return np.argsort(ranks << np.uint64(32) | later).astype(np.int32)

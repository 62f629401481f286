"""Which n-gram begins at each position of a counted text, for every length.

Sorted by what follows them, the positions at which the same n-gram begins stand together, and that for every length at
once. So a position's rank in that order and one bit a rank and length (whether another n-gram begins there) say all: an
n-gram's index is the number of ones up to its rank (Jacobson 1989). That is 13 bytes a character; of short texts the
indices themselves are kept, 4 bytes a character and length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.ngrams import ABSENT, Contexts

WORD = 16
"""Bits that are counted together."""
ONES = np.array([word.bit_count() for word in range(1 << WORD)], np.uint8)
"""In each word."""
UP_TO = np.array([(2 << bit) - 1 for bit in range(WORD)], np.uint16)
"""The bits up to each bit."""
PIECE = 1 << 18
"""Ranks that are looked at together; a multiple of WORD."""
MOST_UNPACKED = 1 << 22
"""Characters of a text whose n-grams' indices are kept as they are."""

Flags = NDArray[np.bool_]


class Occurrences:
    """The n-grams of a text of N characters, found again by the position at which they begin.

    Args:
        order: (N,) the positions, sorted by what follows them.
        begins: for n-grams of 1, 2, ... characters the ranks (N,) at which one that is kept begins.
        held: the ranks (N,) of those that are kept.
    """

    def __init__(self, order: NDArray[np.int64], begins: Sequence[Flags], held: Sequence[Flags]) -> None:
        self.order: NDArray[np.int32] = order.astype(np.int32)
        self.levels = len(begins)
        self._begins = np.stack([_packed(flags) for flags in begins])  # (levels, words)
        self._held = np.stack([_packed(flags) for flags in held])  # (levels, words)
        ones = ONES[self._begins]
        self._before = np.cumsum(ones, axis=1, dtype=np.int32) - ones  # (levels, words) ones before each word
        self._unpacked: NDArray[np.int32] | None = None
        self._ranks: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        """N."""
        return len(self.order)

    def pieces(self) -> Iterator[slice]:
        """All ranks, some at a time."""
        return (slice(begin, min(begin + PIECE, len(self))) for begin in range(0, len(self), PIECE))

    def in_order(self, level: int, ranks: slice) -> NDArray[np.int32]:
        """Indices of the n-grams of `level` + 1 characters at some ranks; ABSENT where the text or a record ends.

        Args:
            level: that.
            ranks: one of `pieces`.
        """
        words = slice(ranks.start // WORD, -(-ranks.stop // WORD))
        begins, held = (
            _unpacked(bits[level, words])[: ranks.stop - ranks.start] for bits in (self._begins, self._held)
        )
        index = np.cumsum(begins, dtype=np.int32) + (self._before[level, words.start] - 1)
        return np.where(held, index, np.int32(ABSENT))

    def contexts(self, positions: NDArray[np.integer[Any]]) -> Contexts:
        """The contexts (C, M) of 1, 2, ... characters before positions (M,)."""
        sizes = np.arange(1, self.levels)[:, None]
        starts = positions - sizes  # (C, M)
        if len(self) <= MOST_UNPACKED:
            found: Contexts = self._indices().take(starts + (sizes - 1) * len(self), mode="clip")
        else:
            found = self._at(sizes - 1, starts)
        found[starts < 0] = ABSENT
        return found

    def _indices(self) -> NDArray[np.int32]:
        """Indices of the n-grams of 1 ... C characters that begin at each position (C, N)."""
        if self._unpacked is None:
            self._unpacked = np.empty((self.levels - 1, len(self)), np.int32)
            for level, row in enumerate(self._unpacked):
                for ranks in self.pieces():
                    row[self.order[ranks]] = self.in_order(level, ranks)
        return self._unpacked

    def _at(self, levels: NDArray[np.integer[Any]], starts: NDArray[np.integer[Any]]) -> Contexts:
        """Indices of the n-grams of `levels` + 1 (K, 1) characters that begin at positions (K, M)."""
        if self._ranks is None:
            self._ranks = np.empty(len(self), np.int32)
            self._ranks[self.order] = np.arange(len(self), dtype=np.int32)
        ranks = self._ranks.take(starts, mode="clip")
        words, bits = ranks // WORD + levels * self._begins.shape[1], ranks % WORD
        index = self._before.take(words) + ONES[self._begins.take(words) & UP_TO[bits]] - 1
        held = self._held.take(words) >> bits.astype(np.uint16) & 1
        return np.where(held, index, ABSENT)


def _packed(flags: Flags) -> NDArray[np.uint16]:
    """Flags (N,) as the bits of words, the first one lowest."""
    padded = np.zeros(-(-len(flags) // WORD) * WORD, bool)
    padded[: len(flags)] = flags
    return np.packbits(padded, bitorder="little").view("<u2").astype(np.uint16)


def _unpacked(words: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The bits of words, one in each byte."""
    return np.unpackbits(words.astype("<u2").view(np.uint8), bitorder="little")

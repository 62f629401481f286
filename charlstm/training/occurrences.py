"""Which n-gram begins at each position of a counted text, for every length.

Sorted by what follows them, the positions at which the same n-gram begins stand together, and that for every length at
once. So a position's rank in that order and one bit a rank and length (whether another n-gram begins there) say all: an
n-gram's index is the number of ones up to its rank (Jacobson 1989). That is 11 bytes a character; of short texts the
indices themselves are kept, 4 bytes a character and length.
"""

from __future__ import annotations

from collections.abc import Sequence
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
MOST_UNPACKED = 1 << 22
"""Characters of a text whose n-grams' indices are kept as they are."""

Flags = NDArray[np.bool_]


class Occurrences:
    """The n-grams of a text of N characters, found again by where they stand.

    Args:
        ranks: (N,) where each position stands in the order of what follows it.
        begins: for n-grams of 1, 2, ... characters the ranks (N,) at which one that is kept begins.
        held: the ranks (N,) of those that are kept.
        unique: (N,) from how many characters on what begins at each position occurs once only.
    """

    def __init__(
        self, ranks: NDArray[np.int32], begins: Sequence[Flags], held: Sequence[Flags], unique: NDArray[np.uint8]
    ) -> None:
        self._ranks, self._unique = ranks, unique
        self._begins = np.stack([_packed(flags) for flags in begins])  # (levels, words)
        self._held = np.stack([_packed(flags) for flags in held])  # (levels, words)
        ones = ONES[self._begins]
        self._before = np.cumsum(ones, axis=1, dtype=np.int32) - ones  # (levels, words) ones before each word
        self._unpacked: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        """N."""
        return len(self._ranks)

    def prepare(self) -> None:
        """Put together what `ending` needs for a short text, before several threads ask for it."""
        if self._unpacked is None and len(self) <= MOST_UNPACKED:
            self._unpacked = np.stack([self._by_rank(level)[self._ranks] for level in range(len(self._begins))])

    def ending(self, positions: NDArray[np.integer[Any]]) -> Contexts:
        """The n-grams (levels, ...) of 1, 2, ... characters that end with the characters at positions (...).

        A position of -1 is that before the first character, where all are absent.
        """
        self.prepare()
        levels = np.arange(len(self._begins)).reshape(-1, *[1] * positions.ndim)
        starts = positions - levels
        if self._unpacked is not None:
            found: Contexts = self._unpacked.take(starts + levels * len(self), mode="clip")
        else:
            found = self._at(levels, starts)
        found[starts < 0] = ABSENT
        return found

    def alone(self, positions: NDArray[np.integer[Any]]) -> Flags:
        """Whether the n-grams of 2, 3, ... characters that end at positions (...) occur there only (levels, ...).

        One more than are kept. They need not be kept themselves; what would begin before the text is alone.
        """
        levels = np.arange(len(self._begins)).reshape(-1, *[1] * positions.ndim)
        starts = positions - levels - 1
        found: Flags = (self._unique.take(starts, mode="clip") <= levels + 2) | (starts < 0)
        return found

    def _by_rank(self, level: int) -> NDArray[np.int32]:
        """Indices of the n-grams of `level` + 1 characters at each rank (N,)."""
        begins, held = (_unpacked(bits[level])[: len(self)] for bits in (self._begins, self._held))
        return np.where(held, np.cumsum(begins, dtype=np.int32) - np.int32(1), np.int32(ABSENT))

    def _at(self, levels: NDArray[np.integer[Any]], starts: NDArray[np.integer[Any]]) -> Contexts:
        """Indices of the n-grams of `levels` + 1 characters that begin at positions."""
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

"""Probabilities of an n-gram model at many positions: the rows of contexts that many characters follow are kept.

Such contexts are few, stand at most positions, and take most of the time to put together. Gives what
`NgramModel.probabilities` gives, to rounding, in less time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .candidates import Candidates
from .ngrams import ABSENT, Contexts, Floats, NgramModel

NUMBERS = 1 << 21
"""In all rows that are kept, at most."""
FEW = 6
"""Characters: what so few follow is quickly put together."""


class DenseRows:
    """Rows of probabilities of the contexts that many characters follow.

    Args:
        ngrams: the model.
        numbers: how many numbers may be kept.
    """

    def __init__(self, ngrams: NgramModel, numbers: int = NUMBERS) -> None:
        self.ngrams = ngrams
        least = self._least_followers(max(1, numbers // ngrams.vocab_size))
        rows = [ngrams.probabilities(np.full((ngrams.longest, 1), ABSENT))]  # of the empty context
        self._row_of: list[NDArray[np.int32]] = []  # of contexts of 1, 2, ... characters; the last stands for ABSENT
        size = 1
        for k in range(1, ngrams.order):
            chosen = np.flatnonzero(np.diff(ngrams.levels[k].first) >= least)
            if not len(chosen):
                break
            row_of = np.full(len(ngrams.levels[k].backoff) + 1, -1, np.int32)
            row_of[chosen] = np.arange(size, size + len(chosen))
            rows.append(self._rows(k, chosen))
            self._row_of.append(row_of)
            size += len(chosen)
        self.size = size
        """Rows that are kept."""
        self._kept = np.concatenate(rows)

    def _least_followers(self, most: int) -> int:
        """So that there are at most so many contexts with as many followers or more."""
        followers = [np.diff(level.first) for level in self.ngrams.levels[1:]]
        numbers = np.bincount(np.concatenate([np.zeros(1, np.int64), *followers]))
        as_many = np.cumsum(numbers[::-1])[::-1]  # contexts with so many followers or more
        return max(FEW, int(np.flatnonzero(np.append(as_many, 0) <= most)[0]))

    def _rows(self, k: int, nodes: NDArray[np.intp]) -> Floats:
        """The probabilities (N, V) after some contexts of k characters."""
        characters = np.empty((k, len(nodes)), np.int64)
        at = nodes
        for level in range(k - 1, -1, -1):
            characters[level] = self.ngrams.levels[level].symbols[at]
            at = np.searchsorted(self.ngrams.levels[level].first, at, side="right") - 1
        return self.ngrams.probabilities(self.ngrams.walk(characters, self.ngrams.start(len(nodes)))[:, -1])

    def probabilities(self, contexts: Contexts, candidates: Candidates | None = None) -> Floats:
        """The probability of each next character, or of the candidates: contexts (C, B) -> (B, V), or a column each."""
        row, depth = self._longest_kept(contexts)
        left = np.ones(len(row), np.float32)
        more = self.ngrams.spans(range(self.ngrams.longest, 0, -1), contexts, left, depth)
        rows = self._kept_of(row, candidates)
        rows *= left[:, None]
        self.ngrams.add(more, rows, candidates)
        return rows

    def _kept_of(self, row: NDArray[Any], candidates: Candidates | None) -> Floats:
        """Copies of the rows with these numbers."""
        if candidates is None:
            return self._kept.take(row, axis=0)
        used, again = np.unique(row, return_inverse=True)  # few rows stand at many positions
        some: Floats = self._kept[used[:, None], candidates.symbols]
        return some.take(again, axis=0)

    def _longest_kept(self, contexts: Contexts) -> tuple[NDArray[Any], NDArray[Any]]:
        """Row and size (B,) of the longest context of each whose row is kept."""
        row, depth = np.zeros((2, contexts.shape[1]), np.int32)
        for k, row_of in enumerate(self._row_of, 1):
            found = row_of[contexts[k - 1]]
            kept = found >= 0
            np.copyto(row, found, where=kept)
            np.copyto(depth, k, where=kept)
        return row, depth

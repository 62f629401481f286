"""What an n-gram model would predict at a position of its own training text, had that not been counted.

A network that is trained together with the counts must see them as they are on new text: at a position that was
counted itself, they know the answer. So the occurrence is taken out again. For the character w that came, on each level
whose count it changed, with c the (adjusted) count of the n-gram that ends here, N that of its context h, D the
discounts:

    u'(w | h) = (c - 1 - D(c - 1)) / (N - 1)      p'(w | h) = u'(w | h) + backoff'(h) p'(w | h')

All other characters keep their proportions to each other, and sum to 1 - p'(w | h).

An adjusted count of Kneser-Ney's says before how many different characters an n-gram stands: the occurrence changes it
only where the n-gram with the character before occurs nowhere else. (Leaving one out: Ney, Essen and Kneser 1994.)
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import Ids
from ..models.dense_rows import DenseRows
from ..models.ngrams import ABSENT, DENSE_VOCABULARY, LEAST, Contexts, Floats, Level, NgramModel
from .counting import CountedText, LevelStatistics
from .occurrences import Occurrences

LEAST_LEFT = 1e-4
"""Of the probability that a context leaves to the shorter one, where so little is known of it."""
LOWEST = 2
"""Characters of the shortest context that is corrected: of shorter ones, one occurrence more or less is nothing."""
WORKERS = 4
"""Threads that look for what is left out."""
LEAST_OTHERS = 1e-6
"""Probability of all characters together that did not come."""

Positions = NDArray[np.integer[Any]]


def left_out(ngrams: NgramModel, counted: CountedText, ids: Ids) -> Floats:
    """The probability p'(w | h) of each character of a text (N,) that was counted, itself left out.

    Args:
        ngrams: the counts.
        counted: what they were made from.
        ids: the text (N,).
    """
    lowest = min(LOWEST if ngrams.vocab_size <= DENSE_VOCABULARY else 1, ngrams.longest)
    p = _not_corrected(ngrams, lowest, ids)
    pieces = list(_located(counted).pieces())
    with ThreadPoolExecutor(WORKERS) as pool:
        for k in range(lowest, ngrams.order):
            once = np.ones(len(p), bool)
            if k < ngrams.longest:
                list(pool.map(partial(_find_singletons, counted, k + 1, once), pieces))
            said = np.zeros((len(p), 2), np.float32)  # u', and what is left to the shorter context
            said[:, 1] = 1
            level = _CorrectedLevel(ngrams.levels[k], counted.statistics[k])
            list(pool.map(partial(_correct, level, counted, k, once, said), pieces))
            p = said[:, 0] + said[:, 1] * p
    return p


def _located(counted: CountedText) -> Occurrences:
    """Where the n-grams of a text stand.

    Raises:
        ValueError: that was not asked for when it was counted.
    """
    if counted.occurrences is None:
        raise ValueError("the text was counted without keeping where its n-grams stand")
    return counted.occurrences


def _not_corrected(ngrams: NgramModel, lowest: int, ids: Ids) -> Floats:
    """The probability of each character of a text (N,) after contexts shorter than `lowest`, as counted."""
    none = np.full((ngrams.longest, ngrams.vocab_size), ABSENT)
    p: Floats = ngrams.probabilities(none[:, :1])[0, ids]
    if lowest > 1:
        symbols = np.arange(ngrams.vocab_size)
        none[0] = ngrams.children(0, np.zeros_like(symbols), symbols)
        p[1:] = ngrams.probabilities(none)[ids[:-1], ids[1:]]
    return p


def _find_singletons(counted: CountedText, level: int, once: NDArray[np.bool_], ranks: slice) -> None:
    """Fill in whether the n-gram of `level` + 1 characters that ends at a position (N,) stands nowhere else."""
    found = _located(counted)
    ends = found.order[ranks] + level
    inside = ends < len(found)
    entries = found.in_order(level, ranks)[inside]
    once[ends[inside]] = (entries == ABSENT) | counted.statistics[level].once[entries]


def _correct(
    level: _CorrectedLevel, counted: CountedText, k: int, once: NDArray[np.bool_], said: Floats, ranks: slice
) -> None:
    """Fill in what contexts of k characters say at positions (N, 2), where these are counted once on this level."""
    found = _located(counted)
    ends = found.order[ranks] + k  # of the n-grams of k + 1 characters
    inside = ends < len(found)
    ends, entries = ends[inside], found.in_order(k, ranks)[inside]
    changes = once[ends]
    said.view(np.int64)[ends, 0] = level.entries[changes.astype(np.intp), entries]  # the two floats of each as one
    missing = np.flatnonzero(entries == ABSENT)
    if len(missing):
        nodes = found.in_order(k - 1, ranks)[inside][missing]
        said[ends[missing]] = level.without_entry(nodes, changes[missing])


class _CorrectedLevel:
    """What the contexts of one length say of a character that came, without one occurrence of it or with all."""

    def __init__(self, level: Level, statistics: LevelStatistics) -> None:
        self._level, self._statistics = level, statistics
        owners = np.repeat(np.arange(len(level.backoff)), np.diff(level.first))
        both = [self._said(owners, statistics.adjusted, changes) for changes in (False, True)]
        self.entries = np.stack(both).view(np.int64)[:, :, 0]
        """(2, M) for each n-gram, without and with a change, u' and what is left: two float32 as one number."""

    def without_entry(self, nodes: NDArray[np.int32], changes: NDArray[np.bool_]) -> Floats:
        """The same (M, 2) after contexts (M,) where the n-gram itself is not kept."""
        said = self._said(nodes, np.zeros(len(nodes), np.int32), changes)
        said[nodes == ABSENT] = 0, 1
        return said

    def _said(self, nodes: NDArray[Any], counts: NDArray[np.int32], changes: NDArray[np.bool_] | bool) -> Floats:
        """U' of n-grams with some counts (M,) after contexts (M,), and what those leave to shorter ones: (M, 2)."""
        total = self._statistics.totals[nodes].astype(np.float32)
        discounts = self._statistics.discounts.astype(np.float32)
        known = total > changes
        rest = np.where(known, total - changes, 1)
        fewer = np.maximum(counts - changes, 0)
        u = (fewer - discounts[np.minimum(fewer, 3)]) / rest
        others = (1 - self._level.backoff[nodes]) * total - (counts - discounts[np.minimum(counts, 3)])
        left = np.clip(1 - u - others / rest, LEAST_LEFT, 1)
        return np.stack([np.where(known, u, 0), np.where(known, left, 1)], axis=1).astype(np.float32)


class LeaveOneOut:
    """Predictions for each position of a training text that do not count the position itself.

    Args:
        ngrams: counts of the text, or of a part of it.
        counted: what they were made from.
        ids: the training text (N,).
        stretches: which of it was counted, one after another; None: all of it.
    """

    def __init__(
        self, ngrams: NgramModel, counted: CountedText, ids: Ids, stretches: Sequence[range] | None = None
    ) -> None:
        self.ngrams, self.ids, self.occurrences = ngrams, ids, _located(counted)
        self.rows = DenseRows(ngrams)
        parts = stretches or [range(len(ids))]
        self.probabilities = left_out(ngrams, counted, np.concatenate([ids[part.start : part.stop] for part in parts]))
        self._begins = np.array([part.start for part in parts])
        self._ends = np.array([part.stop for part in parts])
        self._shifts = np.cumsum([0, *map(len, parts[:-1])]) - self._begins  # from the text to what was counted

    def log_probabilities(self, positions: Positions) -> Floats:
        """Logarithms of the probabilities at positions (T, B) of the text, each column one stretch -> (T, B, V)."""
        flat = positions.ravel()  # (M,)
        part = np.searchsorted(self._begins, flat, side="right") - 1
        counted = np.flatnonzero(flat < self._ends[part])
        indices = flat + self._shifts[part]
        whole = len(counted) == len(flat)
        rows = self.rows.probabilities(self.occurrences.contexts(indices) if whole else self._walked(positions))
        self._take_out(rows, counted, self.ids[flat[counted]], self.probabilities[indices[counted]])
        np.maximum(rows, LEAST, out=rows)
        return np.log(rows, out=rows).reshape(*positions.shape, -1)

    def _walked(self, positions: Positions) -> Contexts:
        """The contexts (C, M) before positions (T, B), whether these were counted or not."""
        longest = self.ngrams.longest
        reach = np.arange(-longest, len(positions) - 1)[:, None]
        window = self.ids.take(positions[:1] + reach, mode="wrap").astype(np.int64)  # (C + T - 1, B)
        walked = self.ngrams.walk(window, self.ngrams.start(positions.shape[1]))
        return walked[:, longest - 1 :].reshape(longest, positions.size)

    def _take_out(self, rows: Floats, counted: Positions, targets: Ids, without: Floats) -> None:
        """Change the rows (M, V) that were counted to what they would be without their targets."""
        with_it = rows[counted, targets]
        factors = np.ones(len(rows), np.float32)
        factors[counted] = np.maximum(1 - without, LEAST_OTHERS) / np.maximum(1 - with_it, LEAST_OTHERS)
        rows *= factors[:, None]
        rows[counted, targets] = without

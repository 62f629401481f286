"""What an n-gram model would predict at a position of its own training text, had that not been counted.

A network that is trained together with the counts must see them as they are on new text: at a position that was
counted itself, they know the answer. So the occurrence is taken out again. For the character w that came, on each level
whose count it changed, with c the (adjusted) count of the n-gram that ends here, N that of its context h, D the
discounts:

    u'(w | h) = (c - 1 - D(c - 1)) / (N - 1)      p'(w | h) = u'(w | h) + backoff'(h) p'(w | h')

All other characters keep their proportions to each other, and sum to 1 - p'(w | h), or to almost nothing where that is
less than 0, as u and the backoff come out of the file, which rounds them.

An adjusted count of Kneser-Ney's says before how many different characters an n-gram stands: the occurrence changes it
only where the n-gram with the character before occurs nowhere else. (Leaving one out: Ney, Essen and Kneser 1994.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import Ids
from ..models.candidates import OUTSIDE, Candidates
from ..models.dense_rows import DenseRows
from ..models.ngrams import ABSENT, DENSE_VOCABULARY, LEAST, Contexts, Floats, Level, NgramModel
from ..threads import in_threads
from .counting import CountedText, LevelStatistics
from .occurrences import MOST_UNPACKED

LEAST_LEFT = 1e-4
"""Of the probability that a context leaves to the shorter one, where so little is known of it."""
LOWEST = 2
"""Characters of the shortest context that is corrected: of shorter ones, one occurrence more or less is nothing."""
LEAST_OTHERS = 1e-6
"""Probability of all characters together that did not come."""
PIECE = 1 << 14
"""Positions that are looked at together."""
WORKERS = 2
"""Threads that do so."""

Positions = NDArray[np.integer[Any]]


class Around(NamedTuple):
    """What is known of M places of a text that was counted."""

    contexts: Contexts
    """(C, M) of 1, 2, ... characters before each."""
    grams: Contexts
    """(C + 1, M) the n-grams of 1, 2, ... characters that end with each."""
    alone: NDArray[np.bool_]
    """(C + 1, M) whether those of one character more occur there only."""


class Corrected:
    """The probability p'(w | h) of characters of a text that was counted, each itself left out.

    Args:
        ngrams: the counts.
        statistics: of each of their levels.
    """

    def __init__(self, ngrams: NgramModel, statistics: Sequence[LevelStatistics]) -> None:
        self._lowest = min(LOWEST if ngrams.vocab_size <= DENSE_VOCABULARY else 1, ngrams.longest)
        self._rows = _rows_up_to(ngrams, self._lowest - 1)
        self._levels = list(zip(ngrams.levels, statistics, strict=True))

    def probabilities(self, around: Around, targets: Ids) -> Floats:
        """What is said of targets (M,), by what is around each."""
        contexts, grams, alone = around
        p: Floats = self._rows[contexts[0] if self._lowest > 1 else 0, targets]
        for k in range(self._lowest, len(self._levels)):
            level, statistics = self._levels[k]
            u, left = _said(level, statistics, contexts[k - 1], grams[k], alone[k])
            p = u + left * p
        return p


def _rows_up_to(ngrams: NgramModel, longest: int) -> Floats:
    """Probabilities (N + 1, V) after each context of `longest` characters, 1 or 0, and, last, after one not held."""
    nodes = np.append(np.arange(len(ngrams.levels[longest].backoff) if longest else 0), ABSENT)
    contexts = np.full((ngrams.longest, len(nodes)), ABSENT)
    contexts[:longest] = nodes
    return ngrams.probabilities(contexts)


def _said(
    level: Level,
    statistics: LevelStatistics,
    nodes: NDArray[np.integer[Any]],
    entries: NDArray[np.integer[Any]],
    changes: NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """What contexts say of the n-grams that end here, and what they leave to shorter ones: u' and backoff' (M,).

    Args:
        level: the contexts.
        statistics: of them.
        nodes: (M,) which context; or ABSENT.
        entries: (M,) which n-gram; or ABSENT.
        changes: (M,) whether the level's counts know the occurrence that is left out.
    """
    discounts = statistics.discounts.astype(np.float32)
    counts = np.where(entries == ABSENT, 0, statistics.adjusted[entries])
    total = statistics.totals[nodes].astype(np.float32)
    known = (nodes != ABSENT) & (total > changes)
    rest = np.where(known, total - changes, 1)
    fewer = np.maximum(counts - changes, 0)
    u = (fewer - discounts[np.minimum(fewer, 3)]) / rest
    others = (1 - level.backoff[nodes]) * total - (counts - discounts[np.minimum(counts, 3)])
    left = np.clip(1 - u - others / rest, LEAST_LEFT, 1)
    return np.where(known, u, 0), np.where(known, left, 1)


class LeaveOneOut:
    """Predictions for each position of a training text that do not count the position itself.

    Args:
        ngrams: counts of the text, or of a part of it.
        counted: what they were made from.
        ids: the training text (N,).
        stretches: which of it was counted, one after another; None: all of it.

    Raises:
        ValueError: the text was counted without keeping where its n-grams stand.
    """

    def __init__(
        self, ngrams: NgramModel, counted: CountedText, ids: Ids, stretches: Sequence[range] | None = None
    ) -> None:
        if counted.occurrences is None:
            raise ValueError("the text was counted without keeping where its n-grams stand")
        self.ngrams, self.ids, self.occurrences = ngrams, ids, counted.occurrences
        self.rows = DenseRows(ngrams)
        parts = stretches or [range(len(ids))]
        self._begins = np.array([part.start for part in parts])
        self._ends = np.array([part.stop for part in parts])
        self._shifts = np.cumsum([0, *map(len, parts[:-1])]) - self._begins  # from the text to what was counted
        self._corrected = Corrected(ngrams, counted.statistics)
        self._known: Floats | None = None
        if len(self.occurrences) <= MOST_UNPACKED:  # of a longer text, most positions may never be asked for
            self._known = self._all(np.concatenate([ids[part.start : part.stop] for part in parts]))

    def log_probabilities(self, positions: Positions, candidates: Candidates | None = None) -> Floats:
        """Logarithms of the probabilities at positions (T, B) of the text, each column one stretch -> (T, B, V).

        Args:
            positions: that.
            candidates: of these alone -> (T, B, C); where the text's own character is none of them, they are not
                corrected.
        """
        flat = positions.ravel()  # (M,)
        part = np.searchsorted(self._begins, flat, side="right") - 1
        counted = np.flatnonzero(flat < self._ends[part])
        indices, targets = (flat + self._shifts[part])[counted], self.ids[flat[counted]]
        around = self._around(indices.reshape(positions.shape)) if len(counted) == len(flat) else None
        without = self._without(indices, targets, around)
        rows = self.rows.probabilities(around.contexts if around else self._walked(positions), candidates)
        if candidates is not None:
            targets = candidates.columns[targets]
            held = targets != OUTSIDE
            counted, targets, without = counted[held], targets[held], without[held]
        _take_out(rows, counted, targets, without)
        np.maximum(rows, LEAST, out=rows)
        return np.log(rows, out=rows).reshape(*positions.shape, -1)

    def _all(self, counted_ids: Ids) -> Floats:
        """What is said of each character (N,) of what was counted."""
        self.occurrences.prepare()

        def said(begin: int) -> Floats:
            indices = np.arange(begin, min(begin + PIECE, len(counted_ids)))
            return self._corrected.probabilities(self._around(indices[:, None]), counted_ids[indices])

        return np.concatenate(in_threads(said, range(0, len(counted_ids), PIECE), WORKERS))

    def _without(self, indices: Positions, targets: Ids, around: Around | None) -> Floats:
        """The probabilities of targets (M,), themselves left out.

        Args:
            indices: (M,) where they stand in what was counted.
            targets: (M,).
            around: what `_around` gives there, if that is known.
        """
        if self._known is not None:
            return self._known[indices]
        return self._corrected.probabilities(around or self._around(indices[None]), targets)

    def _around(self, indices: Positions) -> Around:
        """That of indices (T, B) of what was counted, each column a stretch, one row after the other."""
        found = self.occurrences.ending(np.concatenate([indices[:1] - 1, indices]))  # (C + 1, T + 1, B)
        levels = len(found)
        return Around(
            found[:-1, :-1].reshape(levels - 1, -1),
            found[:, 1:].reshape(levels, -1),
            self.occurrences.alone(indices).reshape(levels, -1),
        )

    def _walked(self, positions: Positions) -> Contexts:
        """The contexts (C, M) before positions (T, B), whether these were counted or not."""
        longest = self.ngrams.longest
        reach = np.arange(-longest, len(positions) - 1)[:, None]
        window = self.ids.take(positions[:1] + reach, mode="wrap").astype(np.int64)  # (C + T - 1, B)
        walked = self.ngrams.walk(window, self.ngrams.start(positions.shape[1]))
        return walked[:, longest - 1 :].reshape(longest, positions.size)


def _take_out(rows: Floats, counted: Positions, targets: NDArray[np.integer[Any]], without: Floats) -> None:
    """Change the rows (M, V) that were counted to what they would be without the characters in these columns."""
    with_it = rows[counted, targets]
    factors = np.ones(len(rows), np.float32)
    factors[counted] = np.maximum(1 - without, LEAST_OTHERS) / np.maximum(1 - with_it, LEAST_OTHERS)
    rows *= factors[:, None]
    rows[counted, targets] = without

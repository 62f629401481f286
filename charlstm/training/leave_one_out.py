"""What an n-gram model would predict at a position of its own training text, had that not been counted.

A network that is trained together with the counts must see them as they are on new text: at a position that was
counted itself, they know the answer. So the occurrence is taken out again, on each level whose count it changed. With c
the (adjusted) count of the n-gram that ends here, N that of its context h, D the discounts:

    u'(x | h) = u(x | h) N / (N - 1)              for every other character x
    u'(w | h) = (c - 1 - D(c - 1)) / (N - 1)      for the character w that came

An adjusted count of Kneser-Ney's says before how many different characters an n-gram stands: the occurrence changes it
only where the n-gram with the character before occurs nowhere else. (Leaving one out: Ney, Essen and Kneser 1994.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import Ids
from ..models.ngrams import ABSENT, Contexts, Floats, NgramModel
from .counting import LevelStatistics

LEAST_LEFT = 1e-4
"""Of the probability that a context leaves to the shorter one, where so little is known of it."""
LOWEST = 2
"""Characters of the shortest context that is corrected: of shorter ones, one occurrence more or less is nothing."""
MOST_WALKED = 1 << 22
"""Characters of a text whose contexts are found beforehand and kept; of longer ones, step by step."""


class LeaveOneOut:
    """Predictions for each position of a training text that do not count the position itself.

    Args:
        ngrams: counts of the text, or of a part of it.
        statistics: of each level of theirs.
        ids: the training text (N,).
        counted: which stretches of it were counted; None: all of it.
    """

    def __init__(
        self,
        ngrams: NgramModel,
        statistics: list[LevelStatistics],
        ids: Ids,
        counted: Sequence[range] | None = None,
    ) -> None:
        self.ngrams, self.statistics, self.ids = ngrams, statistics, ids
        self._begins = np.array([stretch.start for stretch in counted or [range(len(ids))]])
        self._ends = np.array([stretch.stop for stretch in counted or [range(len(ids))]])
        self._walked: Contexts | None = None
        if len(ids) <= MOST_WALKED:
            walked = ngrams.walk(ids[:, None].astype(np.int64), ngrams.start(1))[:, :, 0]
            self._walked = walked.astype(np.int32)  # (C, N) after each character

    def log_probabilities(self, positions: NDArray[np.integer[Any]]) -> Floats:
        """Logarithms of the probabilities at positions (T, B) of the text -> (T, B, V)."""
        flat = positions.ravel()  # (M,)
        before, entries = self._contexts(flat)
        counted = flat < self._ends[np.searchsorted(self._begins, flat, side="right") - 1]
        rows = self._rows(before, entries, self.ids[flat].astype(np.int64), counted)
        np.log(rows, out=rows)
        return rows.reshape(*positions.shape, -1)

    def _contexts(self, positions: NDArray[np.integer[Any]]) -> tuple[Contexts, Contexts]:
        """The contexts (C, M) before positions (M,), and the n-grams (C, M) of 1, 2, ... characters that end there."""
        if self._walked is not None:
            before = self._walked[:, positions - 1]
            before[:, positions == 0] = ABSENT
            return before, self._walked[:, positions]
        reach = np.arange(-self.ngrams.longest, 1)[:, None]  # (C + 1, 1)
        window = self.ids.take(positions + reach, mode="wrap").astype(np.int64)  # (C + 1, M)
        walked = self.ngrams.walk(window, self.ngrams.start(len(positions)))
        return walked[:, -2], walked[:, -1]

    def _rows(
        self, before: Contexts, ending: Contexts, targets: NDArray[np.int64], counted: NDArray[np.bool_]
    ) -> Floats:
        """Probabilities (M, V) after contexts (C, M), where n-grams (C, M) end with the targets (M,).

        Args:
            before, ending, targets: that.
            counted: whether each position was counted, so that there is something to take out (M,).
        """
        ngrams, size = self.ngrams, len(targets)
        rows = np.zeros((size, ngrams.vocab_size), np.float32)
        left = np.ones(size, np.float32)
        changes = counted  # whether the occurrence counts on this level
        for k in range(ngrams.longest, LOWEST - 1, -1):
            nodes = before[k - 1]
            entries = ending[k] if k < ngrams.longest else ngrams.children(k, nodes, targets)
            self._add_level(k, nodes, entries, changes, targets, rows, left)
            changes = counted & ((entries == ABSENT) | self.statistics[k].once[np.maximum(entries, 0)])
        ngrams.add_up_to(min(LOWEST - 1, ngrams.longest), before, rows, left)
        return rows

    def _add_level(
        self,
        k: int,
        nodes: NDArray[Any],
        entries: NDArray[Any],
        changes: NDArray[np.bool_],
        targets: NDArray[np.int64],
        rows: Floats,
        left: Floats,
    ) -> None:
        """Add what contexts of k characters say to rows (M, V), and multiply what is left (M,) by what they leave."""
        statistics, level = self.statistics[k], self.ngrams.levels[k]
        total = statistics.totals[np.maximum(nodes, 0)]
        known = np.flatnonzero((nodes >= 0) & (total > changes))
        grown = np.ones(len(nodes), np.float32)
        grown[known] = total[known] / (total[known] - changes[known])
        self.ngrams.add_continuations(k, nodes, known, rows, left * grown)
        said = (1 - level.backoff[nodes]) * grown  # the sum of u'
        here = known[(entries[known] != ABSENT) & changes[known]]
        fewer = statistics.adjusted[entries[here]] - 1
        u = (fewer - statistics.discounts[np.minimum(fewer, 3)]) / (total[here] - 1)
        difference = (u - level.probabilities[entries[here]] * grown[here]).astype(np.float32)
        rows[here, targets[here]] += left[here] * difference
        said[here] += difference
        left[known] *= np.maximum(1 - said[known], LEAST_LEFT)

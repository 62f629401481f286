"""Chooses how long the n-grams are that are counted.

Of natural text and of code, longer ones predict better. Where a character depends on the few before it only, as in a
sequence of bases, digits or notes, they make the counts worse by far: most of what they tell apart is chance.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..data.mapping import sampled
from ..data.vocabulary import Ids
from ..models.ngrams import LEAST, NgramModel

TRIED, HELD_OUT = 1 << 18, 20_000
"""Characters that are counted, and that are predicted, to choose."""
STRETCHES = 16
"""Of a longer text, that these are from."""
SHORT, SHORTER = 6, 3
"""Characters of n-grams that are tried in place of the longest."""
CLEARLY = 0.01
"""Fraction by which these must be better, for others as short to be tried and one of them to be chosen."""

Count = Callable[[Ids, int], NgramModel]
"""Makes an n-gram model of a text, with n-grams of at most so many characters."""


def best_order(ids: Ids, held_out: Ids, order: int, count: Count) -> int:
    """Characters of the longest n-gram, at most `order`.

    Args:
        ids: the text that will be counted.
        held_out: text to be predicted; if it is empty, nothing is tried.
        order: characters.
        count: makes a model.
    """
    some, unread = sampled(ids, TRIED, STRETCHES), sampled(held_out, HELD_OUT, STRETCHES)
    if order <= SHORT or not len(unread):
        return order

    def cost(longest: int) -> float:
        return surprisal_of_counts(count(some, longest), unread)

    costs = {longest: cost(longest) for longest in (SHORTER, SHORT)}
    if min(costs.values()) > (1 - CLEARLY) * cost(order):
        return order
    costs |= {longest: cost(longest) for longest in range(2, SHORT) if longest != SHORTER}
    return min(costs, key=costs.__getitem__)


def surprisal_of_counts(model: NgramModel, ids: Ids) -> float:
    """Mean surprisal of a text (N,) in nats per character, as one sequence."""
    inputs = np.concatenate([[model.vocab_size], ids[:-1]])
    contexts = model.walk(inputs[:, None], model.start(1))[:, :, 0]
    return -float(np.log(np.maximum(model.probabilities_of(ids, contexts), LEAST)).mean(dtype=np.float64))

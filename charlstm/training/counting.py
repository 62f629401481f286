"""Counts a training text: ids to the tensors of an n-gram model (see `models/ngrams.py` for the equations).

One sort gives everything: where positions stand in the order of what follows them (see `sorting.py`), all n-grams of
one context stand together, for every length at once.

Kneser-Ney: the longest n-grams count how often they occur; a shorter one counts before how many different characters
it stands, so that what follows one character only ("u" after "q") is not expected elsewhere (Kneser and Ney 1995).
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import NGRAMS
from ..data.vocabulary import Ids
from ..models.ngrams import encoded, symbol_dtype, tensor_name, tensor_types
from ..threads import in_threads
from .occurrences import Occurrences
from .sorting import SortedText, longest_sorted, sorted_text

CountArray = NDArray[np.int32]

LARGEST_ORDER = NGRAMS + 1
"""Characters of the longest n-grams that are counted, where the vocabulary allows it."""
MOST_COUNTED = 1 << 24
"""Characters that are counted at most."""
WORKERS = 2
"""Threads; each works on n-grams of one length."""


def largest_order(vocab_size: int) -> int:
    """Characters of the longest n-gram that is counted."""
    return min(LARGEST_ORDER, longest_sorted(vocab_size))


@dataclass(frozen=True)
class Ngrams:
    """The different n-grams of one length, N of them, in ascending order."""

    owners: NDArray[np.int32]
    """(N,) which n-gram of one character fewer, its context, each continues."""
    symbols: Ids
    """(N,) the last character of each."""
    counts: CountArray
    """(N,) how often each occurs."""
    adjusted: CountArray
    """(N,) Kneser-Ney's counts: before how many different characters each stands, but for the longest n-grams."""
    firsts: NDArray[np.int64]
    """(N,) the rank of the first of each, among all n-grams of the text in ascending order."""


def all_ngrams(text: SortedText, order: int) -> list[Ngrams]:
    """The n-grams of 1 ... `order` characters, with Kneser-Ney's counts."""
    levels: list[Ngrams] = []
    indices = np.zeros(len(text.ids), np.int32)  # of the n-gram of one character fewer at each rank
    for k in range(1, order + 1):
        edges = np.flatnonzero(text.shared < k)
        whole = text.lengths[edges] >= k
        firsts, counts = edges[whole], np.diff(np.append(edges, len(text.ids)))[whole].astype(np.int32)
        begins = text.positions[firsts]
        if levels:
            levels[-1] = _continued(levels[-1], indices[text.ranks[begins + 1]])
        levels.append(Ngrams(indices[firsts], text.ids[begins + k - 1], counts, counts, firsts))
        starting = np.zeros(len(indices), np.int32)
        starting[firsts] = 1
        indices = np.cumsum(starting, dtype=np.int32) - np.int32(1)
    return levels


def _continued(level: Ngrams, continued: NDArray[np.int32]) -> Ngrams:
    """With Kneser-Ney's counts: before how many different characters each stands; without any its own count.

    Args:
        level: the n-grams.
        continued: which of them each n-gram of one character more ends in.
    """
    numbers = np.bincount(continued, minlength=len(level.counts)).astype(np.int32)
    return dataclasses.replace(level, adjusted=np.where(numbers, numbers, level.counts))


def discounts(counts: CountArray) -> NDArray[np.float64]:
    """What is taken from counts of 0, 1, 2, and 3 or more (Chen and Goodman 1999, eq. 4.26)."""
    n = np.bincount(np.minimum(counts, 5), minlength=6).astype(float)  # how many counts of 1, 2, ...
    if not n[1:5].all():
        return np.array([0, 0.5, 0.75, 0.9])
    y = n[1] / (n[1] + 2 * n[2])
    taken = [0, 1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]]
    clipped: NDArray[np.float64] = np.clip(taken, [0, 0.05, 0.1, 0.1], [0, 0.95, 1.9, 2.9])
    return clipped


@dataclass(frozen=True)
class LevelStatistics:
    """What smoothing has made of one level: N contexts, M n-grams that continue them."""

    adjusted: CountArray
    """(M,) the adjusted count of each n-gram."""
    totals: CountArray
    """(N,) the sum of the adjusted counts after each context, of those that are left out too."""
    discounts: NDArray[np.float64]
    """(4,) what is taken from counts of 0, 1, 2, and 3 or more."""


@dataclass(frozen=True)
class CountedText:
    """An n-gram model of a text."""

    tensors: dict[str, NDArray[Any]]
    """See `models.ngrams.tensor_types`."""
    statistics: list[LevelStatistics]
    """Of each level."""
    occurrences: Occurrences | None
    """Where the n-grams stand; None where that was not asked for."""


def count_text(
    ids: Ids,
    vocab_size: int,
    order: int,
    *,
    record_end: int | None = None,
    most_bytes: float = math.inf,
    located: bool = False,
) -> CountedText:
    """Count a text.

    Args:
        ids: (N,) of the training part.
        vocab_size: V.
        order: characters of the longest n-grams, at most `largest_order`.
        record_end: see `sorting.sorted_text`.
        most_bytes: size of the result; rare n-grams are left out, the longest first, until it fits.
        located: whether to remember where in the text each n-gram stands.

    Raises:
        ValueError: the order is larger than the text can be sorted by.
    """
    if not 1 <= order <= largest_order(vocab_size):
        raise ValueError(f"an order of {order} does not fit {vocab_size} symbols")
    text = sorted_text(ids, vocab_size, order, record_end)
    levels = all_ngrams(text, order)
    least = _pruning(levels, vocab_size, most_bytes)
    kept = [level.counts >= wanted for level, wanted in zip(levels, least, strict=True)]
    kept = list(itertools.takewhile(np.any, kept))
    contexts = [np.ones(1, bool), *kept]  # of each level, those that are kept

    def smoothed(k: int) -> tuple[dict[str, NDArray[Any]], LevelStatistics]:
        return _smoothed(levels[k], kept[k], contexts[k], vocab_size)

    found = in_threads(smoothed, range(len(kept)), WORKERS)
    tensors = {tensor_name(k, name): tensor for k, (some, _) in enumerate(found) for name, tensor in some.items()}
    occurrences = _occurrences(text, levels, kept) if located else None
    return CountedText(tensors, [statistics for _, statistics in found], occurrences)


def _occurrences(text: SortedText, levels: list[Ngrams], kept: list[NDArray[np.bool_]]) -> Occurrences:
    """Where the n-grams that are kept stand in the text."""

    def ranks(k: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """At which one begins, and which are those of any (N,)."""
        first, count = levels[k].firsts[kept[k]], levels[k].counts[kept[k]]
        begins = np.zeros(len(text.ids), bool)
        begins[first] = True
        changes = begins.astype(np.int8)
        ends = first + count
        changes[ends[ends < len(changes)]] -= 1
        return begins, np.cumsum(changes, dtype=np.int8).view(bool)

    begins, held = zip(*in_threads(ranks, range(len(kept)), WORKERS), strict=True)
    return Occurrences(text.ranks, begins, held, text.unique)


def _smoothed(
    level: Ngrams, kept: NDArray[np.bool_], kept_contexts: NDArray[np.bool_], vocab_size: int
) -> tuple[dict[str, NDArray[Any]], LevelStatistics]:
    """The tensors of one level: of its contexts (N,), and of the n-grams (M,) after them, those that are kept."""
    small, owners, size = symbol_dtype(vocab_size), level.owners, len(kept_contexts)
    totals = np.bincount(owners, weights=level.adjusted, minlength=size)  # (N,)
    taken = discounts(level.adjusted)
    u = (level.adjusted - taken[np.minimum(level.adjusted, 3)]) / totals[owners]
    owners, u = owners[kept], u[kept]
    left = 1.0 - np.bincount(owners, weights=u, minlength=size).astype(float)
    tensors = {
        "followers": np.bincount(owners, minlength=size)[kept_contexts].astype(small),
        "backoff": encoded(left[kept_contexts]),
        "symbols": level.symbols[kept].astype(small),
        "probabilities": encoded(u),
    }
    return tensors, LevelStatistics(level.adjusted[kept], totals[kept_contexts].astype(np.int32), taken)


def _pruning(levels: Sequence[Ngrams], vocab_size: int, most_bytes: float) -> list[int]:
    """For each length the least count of the n-grams that are kept: rising with the length, and so that all fits."""
    least = [1] * len(levels)
    largest = max(int(level.counts.max(initial=0)) for level in levels)
    wanted = 2
    while _size(levels, least, vocab_size) > most_bytes and wanted <= largest + 1:
        k = max((k for k in range(1, len(levels)) if least[k] < wanted), default=0)
        if k:
            least[k] = wanted
        else:
            wanted += max(1, wanted // 8)
    return least


def _size(levels: Sequence[Ngrams], least: Sequence[int], vocab_size: int) -> int:
    """Bytes of the tensors that remain."""
    sizes = [int((level.counts >= wanted).sum()) for level, wanted in zip(levels, least, strict=True)]
    types = tensor_types(vocab_size, sizes)
    return sum(math.prod(shape) * dtype.itemsize for shape, dtype in types.values())

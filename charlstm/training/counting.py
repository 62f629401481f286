"""Counts a training text: ids to the tensors of an n-gram model (see `models/ngrams.py` for the equations).

One sort gives everything: each position's n-gram is packed into one number of 64 bits, its first character highest, so
that in the sorted numbers all n-grams of one context stand together, for every length at once.

Kneser-Ney: the longest n-grams count how often they occur; a shorter one counts before how many different characters
it stands, so that what follows one character only ("u" after "q") is not expected elsewhere (Kneser and Ney 1995).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import Ids
from ..models.ngrams import encoded, symbol_dtype, tensor_name, tensor_types
from .occurrences import Occurrences

Keys = NDArray[np.uint64]
Counts = NDArray[np.int32]

LARGEST_ORDER = 9
"""Characters of the longest n-grams that are counted, where the vocabulary allows it."""
PIECE = 1 << 20
"""Characters that are packed together."""
MOST_COUNTED = 1 << 24
"""Characters that are counted at most."""


def largest_order(vocab_size: int) -> int:
    """Characters of the longest n-gram that one number holds."""
    return min(LARGEST_ORDER, 64 // _bits(vocab_size))


def _bits(vocab_size: int) -> int:
    """Bits of a character's id, or of none."""
    return int(vocab_size).bit_length()


@dataclass(frozen=True)
class Ngrams:
    """The different n-grams of one length, N of them, in ascending order."""

    keys: Keys
    """(N,) their characters, packed."""
    counts: Counts
    """(N,) how often each occurs."""
    adjusted: Counts
    """(N,) Kneser-Ney's counts: before how many different characters each stands, but for the longest n-grams."""
    firsts: NDArray[np.int64]
    """(N,) the rank of the first of each, among all n-grams of the text in ascending order."""


def packed(ids: Ids, vocab_size: int, order: int, record_end: int | None) -> Keys:
    """The n-gram at each position (N,) as one number, each id plus 1; 0 where the text or its record ends before.

    Args:
        ids: (N,).
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


def counted(keys: Keys, vocab_size: int, order: int) -> list[Ngrams]:
    """The n-grams of 1 ... `order` characters, from keys in ascending order."""
    bits = _bits(vocab_size)
    levels: list[Ngrams] = []
    for k in range(order, 0, -1):
        prefixes = keys >> np.uint64(bits * (order - k))
        edges = np.flatnonzero(np.concatenate([[True], prefixes[1:] != prefixes[:-1]]))
        counts = np.diff(np.append(edges, len(prefixes))).astype(np.int32)
        whole = (prefixes[edges] & np.uint64((1 << bits) - 1)) != 0
        found, counts = prefixes[edges][whole], counts[whole]
        adjusted = _continuations(found, counts, levels[-1].keys, bits * k) if levels else counts
        levels.append(Ngrams(found, counts, adjusted, edges[whole]))
    return levels[::-1]


def _continuations(keys: Keys, counts: Counts, longer: Keys, bits: int) -> Counts:
    """Before how many different characters each n-gram stands; one that nothing precedes keeps its count."""
    ends, numbers = np.unique(longer & np.uint64((1 << bits) - 1), return_counts=True)
    adjusted = counts.copy()
    if len(ends):
        adjusted[np.searchsorted(keys, ends)] = numbers
    return adjusted


def discounts(counts: Counts) -> NDArray[np.float64]:
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

    adjusted: Counts
    """(M,) the adjusted count of each n-gram."""
    once: NDArray[np.bool_]
    """(M,) whether it occurs once only."""
    totals: Counts
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
    """Which n-gram begins at each position; None where that was not asked for: it takes as long as the counting."""


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
        record_end: see `packed`.
        most_bytes: size of the result; rare n-grams are left out, the longest first, until it fits.
        located: whether to remember where in the text each n-gram stands.

    Raises:
        ValueError: the order is larger than 64 bits allow.
    """
    if not 1 <= order <= largest_order(vocab_size):
        raise ValueError(f"an order of {order} does not fit {vocab_size} symbols")
    keys = packed(ids, vocab_size, order, record_end)
    by_key = np.argsort(keys) if located else None
    if by_key is None:
        keys.sort()
    levels = counted(keys if by_key is None else keys[by_key], vocab_size, order)
    least = _pruning(levels, vocab_size, most_bytes)
    tensors: dict[str, NDArray[Any]] = {}
    statistics, kept_levels = [], []
    contexts, kept_contexts = np.zeros(1, np.uint64), np.ones(1, bool)
    for k, level in enumerate(levels):
        kept = level.counts >= least[k]
        if not kept.any():
            break
        found, some = _smoothed(level, kept, contexts, kept_contexts, vocab_size)
        tensors |= {tensor_name(k, name): tensor for name, tensor in found.items()}
        statistics.append(some)
        kept_levels.append(kept)
        contexts, kept_contexts = level.keys, kept
    occurrences = None if by_key is None else _occurrences(by_key, levels, kept_levels)
    return CountedText(tensors, statistics, occurrences)


def _occurrences(by_key: NDArray[np.int64], levels: list[Ngrams], kept: list[NDArray[np.bool_]]) -> Occurrences:
    """Where the n-grams that are kept stand in the text, whose positions are given in the order of their keys."""
    begins, held = [], []
    for level, some in zip(levels, kept, strict=False):
        first, count = level.firsts[some], level.counts[some]
        begin = np.zeros(len(by_key), bool)
        begin[first] = True
        changes = np.zeros(len(by_key) + 1, np.int8)
        changes[first] += 1
        changes[first + count] -= 1
        begins.append(begin)
        held.append(np.cumsum(changes[:-1], dtype=np.int8).astype(bool))
    return Occurrences(by_key, begins, held)


def _smoothed(
    level: Ngrams, kept: NDArray[np.bool_], contexts: Keys, kept_contexts: NDArray[np.bool_], vocab_size: int
) -> tuple[dict[str, NDArray[Any]], LevelStatistics]:
    """The tensors of one level: of its contexts (N,), and of the n-grams (M,) after them, those that are kept."""
    bits, small = _bits(vocab_size), symbol_dtype(vocab_size)
    owners = np.searchsorted(contexts, level.keys >> np.uint64(bits))  # (M,)
    totals = np.bincount(owners, weights=level.adjusted, minlength=len(contexts))  # (N,)
    taken = discounts(level.adjusted)
    u = (level.adjusted - taken[np.minimum(level.adjusted, 3)]) / totals[owners]
    owners, u = owners[kept], u[kept]
    left = 1.0 - np.bincount(owners, weights=u, minlength=len(contexts)).astype(float)
    symbols = (level.keys[kept] & np.uint64((1 << bits) - 1)) - np.uint64(1)
    tensors = {
        "followers": np.bincount(owners, minlength=len(contexts))[kept_contexts].astype(small),
        "backoff": encoded(left[kept_contexts]),
        "symbols": symbols.astype(small),
        "probabilities": encoded(u),
    }
    once = level.counts[kept] == 1
    return tensors, LevelStatistics(level.adjusted[kept], once, totals[kept_contexts].astype(np.int32), taken)


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

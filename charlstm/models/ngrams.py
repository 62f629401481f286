"""A smoothed n-gram model of characters: what followed each short context in the training text, and how often.

Knows ids and the counts that `training/counting.py` made; knows nothing about texts, networks or files. `mixture.py`
joins it with a network.

The n-grams form a trie. Level k holds the contexts of k characters and, for each, the characters that followed it.
With w a character, h a context, h' the same context without its first character, and u the discounted relative
frequency (interpolated modified Kneser-Ney: Chen and Goodman 1999, section 3):

    p(w | h) = u(w | h) + backoff(h) p(w | h')          backoff(h) = 1 - sum over w of u(w | h)

Below the empty context stands the uniform distribution. A context that the training text does not hold has u = 0 and
backoff 1. In the file, u and backoff are codes of eight bits for powers of two; u is scaled so that the sum is exact.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelFileError
from .candidates import OUTSIDE, Candidates

CODES_PER_OCTAVE = 12
"""A code of n stands for 2 ** (-n / CODES_PER_OCTAVE): rounding changes a probability by 3 % at most."""
ABSENT = -1
"""In place of a context's index: the training text does not hold it."""
LEAST = float(np.finfo(np.float32).tiny)
"""A smaller probability counts as this one in a logarithm: the product of many backoffs may be rounded to 0."""
DENSE_VOCABULARY = 512
"""Largest vocabulary for which the probabilities after each single character are kept as a matrix."""
CACHED_NUMBERS = 1 << 21
"""Numbers that the caches of one model's rows hold at most."""
MOST_EXPANDED = 1 << 21
"""Continuations that are looked at together."""
LONGEST_ORDER = 64
"""Characters of the longest n-grams that a file may hold."""
PREFIX = "ngrams."
"""What the names of the tensors begin with."""

Floats = NDArray[np.float32]
Contexts = NDArray[np.integer[Any]]
"""(C, B): for each of B sequences the indices of its contexts of 1 ... C characters; ABSENT for those not held."""


def encoded(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """The codes nearest to probabilities; those next to nothing become 2 ** (-255 / CODES_PER_OCTAVE)."""
    octaves = -np.log2(np.maximum(probabilities, 1e-9))
    codes: NDArray[np.uint8] = np.clip(np.round(octaves * CODES_PER_OCTAVE), 0, 255).astype(np.uint8)
    return codes


def decoded(codes: NDArray[np.uint8]) -> Floats:
    """The probabilities that codes stand for."""
    table: Floats = (2.0 ** (-np.arange(256) / CODES_PER_OCTAVE)).astype(np.float32)
    return table[codes]


def symbol_dtype(vocab_size: int) -> np.dtype[Any]:
    """The type of a symbol, and of the number of symbols that follow a context."""
    return np.min_scalar_type(max(vocab_size, 1))


def tensor_name(level: int, name: str) -> str:
    """What a tensor of a level is called in a model file."""
    return f"{PREFIX}{level}.{name}"


def tensor_types(vocab_size: int, sizes: Sequence[int]) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Names, shapes and types of the tensors of an n-gram model.

    Args:
        vocab_size: V.
        sizes: how many n-grams there are of 1, 2, ... characters.
    """
    small, byte = symbol_dtype(vocab_size), np.dtype(np.uint8)
    types: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
    for level, (contexts, followers) in enumerate(zip([1, *sizes], sizes, strict=False)):
        types[tensor_name(level, "followers")] = ((contexts,), small)
        types[tensor_name(level, "backoff")] = ((contexts,), byte)
        types[tensor_name(level, "symbols")] = ((followers,), small)
        types[tensor_name(level, "probabilities")] = ((followers,), byte)
    return types


@dataclass(frozen=True)
class Level:
    """The N contexts of one length, and the M n-grams that continue them."""

    first: NDArray[np.int64]
    """(N + 1,) where the continuations of each context begin."""
    backoff: Floats
    """(N,) the probability that each context leaves to the shorter one."""
    symbols: NDArray[Any]
    """(M,) the last character of each n-gram, ascending within a context."""
    probabilities: Floats
    """(M,) u of it."""

    @staticmethod
    def from_tensors(tensors: Mapping[str, NDArray[Any]], level: int) -> Level:
        """Decode a level, and scale u so that it sums to 1 with the backoff of its context."""
        followers = tensors[tensor_name(level, "followers")].astype(np.int64)
        first = np.concatenate([[0], np.cumsum(followers)])
        backoff = np.where(followers > 0, decoded(tensors[tensor_name(level, "backoff")]), np.float32(1))
        u = decoded(tensors[tensor_name(level, "probabilities")])
        held = np.flatnonzero(followers)
        sums = np.add.reduceat(u, first[held]) if len(held) else np.zeros(0)
        scale = ((1 - backoff[held]) / sums).astype(np.float32)
        return Level(first, backoff, tensors[tensor_name(level, "symbols")], u * np.repeat(scale, followers[held]))


class Spans(NamedTuple):
    """What some contexts say of the characters after them, each for one row of many."""

    rows: NDArray[np.intp]
    """(S,) which row."""
    begins: NDArray[np.int64]
    """(S,) where the context's continuations begin, among those of all levels."""
    counts: NDArray[np.int64]
    """(S,) how many there are."""
    scales: Floats
    """(S,) what their u is to be multiplied by."""


class NgramModel:
    """Probabilities of the next character after short contexts.

    Args:
        vocab_size: V.
        tensors: see `tensor_types`; those of strangers must have passed `check_tries`.
        newline: the id that stands before the first character of a text.
    """

    def __init__(self, vocab_size: int, tensors: Mapping[str, NDArray[Any]], newline: int) -> None:
        self.vocab_size, self.newline = vocab_size, newline
        self.order = len([name for name in tensors if name.startswith(PREFIX) and name.endswith(".symbols")])
        """Characters of the longest n-gram; its context has one fewer."""
        levels = [Level.from_tensors(tensors, level) for level in range(self.order)]
        self._symbols = np.concatenate([level.symbols for level in levels])  # (M of all levels,)
        self._probabilities = np.concatenate([level.probabilities for level in levels])
        self._offsets = [0, *np.cumsum([len(level.symbols) for level in levels]).tolist()]
        self.levels = [self._level(number, level) for number, level in enumerate(levels)]
        self._followers = [(level.first.data, level.symbols.data) for level in self.levels]
        self._keys: dict[int, NDArray[np.int64]] = {}
        self._unigrams = self._unigram_row()  # (V,)
        self._bigrams: Floats | None = None
        self._rows: dict[tuple[int, int], Floats] = {}
        self._logs: dict[tuple[int, int], Floats] = {}

    def _level(self, number: int, level: Level) -> Level:
        """A level whose continuations are views of those of all."""
        span = slice(*self._offsets[number : number + 2])
        return replace(level, symbols=self._symbols[span], probabilities=self._probabilities[span])

    @property
    def longest(self) -> int:
        """C, the characters of the longest context."""
        return self.order - 1

    # ------------------------------------------------------------------------------------ contexts

    def start(self, batch_size: int) -> Contexts:
        """The contexts (C, B) of sequences before anything was read."""
        return np.full((self.longest, batch_size), ABSENT, dtype=np.int64)

    def walk(self, ids: NDArray[np.integer[Any]], contexts: Contexts) -> Contexts:
        """Read (T, B) ids, the start symbol's included: the contexts after each, (C, T, B)."""
        time, batch = ids.shape
        after = np.empty((self.longest, time, batch), dtype=np.int64)
        fresh = ids >= self.vocab_size
        symbols = np.where(fresh, self.newline, ids)  # (T, B)
        before = np.zeros((time, batch), dtype=np.int64)  # of the empty context
        for k in range(self.longest):
            after[k] = self.children(k, before, symbols)
            before = np.where(fresh, ABSENT, np.concatenate([contexts[k][None], after[k][:-1]]))
        return after

    def children(self, k: int, nodes: NDArray[Any], symbols: NDArray[Any]) -> NDArray[np.int64]:
        """Indices of the contexts that continue those of k characters, or ABSENT; shapes alike."""
        if k not in self._keys:  # (context, symbol) of each n-gram of this level as one number, ascending
            level = self.levels[k]
            owners = np.repeat(np.arange(len(level.backoff)), np.diff(level.first))
            self._keys[k] = owners * self.vocab_size + level.symbols
        keys = self._keys[k]
        wanted = nodes * self.vocab_size + symbols
        found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((nodes >= 0) & (keys[found] == wanted), found, ABSENT)

    def advance_one(self, symbol: int, contexts: Contexts) -> Contexts:
        """As `walk`, of one character of one sequence: (C, 1) -> (C, 1)."""
        fresh = symbol >= self.vocab_size
        symbol = self.newline if fresh else symbol
        before = [0, *contexts[:, 0].tolist()]
        after = np.full_like(contexts, ABSENT)
        for k in range(min(1, self.longest) if fresh else self.longest):
            if before[k] != ABSENT:
                first, symbols = self._followers[k]
                end = first[before[k] + 1]
                found = bisect_left(symbols, symbol, first[before[k]], end)
                if found < end and symbols[found] == symbol:
                    after[k, 0] = found
        return after

    # ------------------------------------------------------------------------------------ probabilities

    def log_probabilities(self, contexts: Contexts) -> Floats:
        """Logarithm of p of each next character: contexts (C, B) -> (B, V)."""
        rows = self.probabilities(contexts)
        np.maximum(rows, LEAST, out=rows)
        return np.log(rows, out=rows)

    def probabilities(self, contexts: Contexts) -> Floats:
        """The probability of each next character: contexts (C, B) -> (B, V); rows sum to 1."""
        batch = contexts.shape[1]
        rows = np.zeros((batch, self.vocab_size), np.float32)
        self.add_up_to(self.longest, contexts, rows, np.ones(batch, np.float32))
        return rows

    def probabilities_of(self, targets: NDArray[np.integer[Any]], contexts: Contexts) -> Floats:
        """The probability of one next character each: targets (B,) after contexts (C, B) -> (B,), whatever V is."""
        p = np.full(len(targets), 1 / self.vocab_size, np.float32)
        for k, level in enumerate(self.levels):
            nodes = contexts[k - 1] if k else np.zeros(len(targets), np.int64)
            entries = self.children(k, nodes, targets)
            u = np.where(entries == ABSENT, 0, level.probabilities[entries])
            p = np.where(nodes == ABSENT, p, u + level.backoff[nodes] * p)
        return p

    def add_up_to(self, longest: int, contexts: Contexts, rows: Floats, left: Floats) -> None:
        """Add to rows (B, V) what contexts of so many characters and of fewer say.

        Args:
            longest: so many, at most C.
            contexts: (C, B).
            rows: added to.
            left: (B,) what longer contexts leave to these; changed.
        """
        dense = self.vocab_size <= DENSE_VOCABULARY and longest > 0
        said = self.spans(range(longest, int(dense), -1), contexts, left)
        rows += left[:, None] * (self._bigram_rows()[contexts[0]] if dense else self._unigrams)
        self.add(said, rows)

    def spans(
        self, lengths: Iterable[int], contexts: Contexts, left: Floats, known: NDArray[np.integer[Any]] | int = 0
    ) -> Spans:
        """Where the continuations of contexts (C, B) stand; what is left (B,) is multiplied by their backoff.

        Args:
            lengths: characters of the contexts, falling.
            contexts: (C, B).
            left: (B,) what longer contexts leave to these; changed.
            known: (B,) contexts of so many characters and of fewer are passed over.
        """
        nothing = np.zeros(0, np.int64)
        found = [Spans(nothing, nothing, nothing, np.zeros(0, np.float32))]
        for k in lengths:
            rows = np.flatnonzero((contexts[k - 1] >= 0) & (known < k))
            nodes, level = contexts[k - 1][rows], self.levels[k]
            begins = level.first[nodes]
            found.append(Spans(rows, begins + self._offsets[k], level.first[nodes + 1] - begins, left[rows]))
            left[rows] *= level.backoff[nodes]
        return Spans(*map(np.concatenate, zip(*found, strict=True)))

    def add(self, spans: Spans, rows: Floats, candidates: Candidates | None = None) -> None:
        """Add u of continuations, times their scales, to rows (B, V), or to rows (B, C) of the candidates alone."""
        flat = rows.reshape(-1)  # a view: one index for each cell is faster than two
        for begin, end in _pieces(np.cumsum(spans.counts)):
            count = spans.counts[begin:end]
            starts = spans.begins[begin:end] - (np.cumsum(count) - count)
            index = np.repeat(starts, count) + np.arange(int(count.sum()))
            cells = np.repeat(spans.rows[begin:end] * rows.shape[1], count)
            u = np.repeat(spans.scales[begin:end], count) * self._probabilities[index]
            if candidates is None:
                np.add.at(flat, cells + self._symbols[index], u)
            else:
                columns = candidates.columns[self._symbols[index]]
                held = np.flatnonzero(columns != OUTSIDE)
                np.add.at(flat, cells[held] + columns[held], u[held])

    def _unigram_row(self) -> Floats:
        level = self.levels[0]
        row = np.full(self.vocab_size, level.backoff[0] / self.vocab_size, np.float32)
        row[level.symbols] += level.probabilities
        return row

    def _bigram_rows(self) -> Floats:
        """Probabilities (N + 1, V) after each context of one character and, last, after one that is not held."""
        if self._bigrams is None:
            nodes = np.append(np.arange(len(self.levels[1].backoff)), ABSENT)
            rows, left = np.zeros((len(nodes), self.vocab_size), np.float32), np.ones(len(nodes), np.float32)
            self.add(self.spans([1], nodes[None], left), rows)
            self._bigrams = rows + left[:, None] * self._unigrams
        return self._bigrams

    def log_row(self, contexts: Contexts) -> Floats:
        """As `log_probabilities`, of one sequence: contexts (C, 1) -> (V,), not to be changed."""
        nodes = contexts[:, 0].tolist()
        k = next((k for k in range(self.longest, 0, -1) if nodes[k - 1] != ABSENT), 0)
        key = (k, nodes[k - 1] if k else 0)
        row = self._logs.get(key)
        if row is None:
            row = self._kept(self._logs, key, np.log(np.maximum(self._row(k, nodes), LEAST)))
        return row

    def _row(self, k: int, nodes: list[int]) -> Floats:
        """Probabilities (V,) after a context of k characters, by recursion to shorter ones."""
        while k and nodes[k - 1] == ABSENT:
            k -= 1
        if not k:
            return self._unigrams
        node = nodes[k - 1]
        row = self._rows.get((k, node))
        if row is None:
            level = self.levels[k]
            row = self._row(k - 1, nodes) * level.backoff[node]
            span = slice(level.first[node], level.first[node + 1])
            row[level.symbols[span]] += level.probabilities[span]
            self._kept(self._rows, (k, node), row)
        return row

    def _kept(self, cache: dict[tuple[int, int], Floats], key: tuple[int, int], row: Floats) -> Floats:
        if len(cache) * self.vocab_size > CACHED_NUMBERS:
            cache.clear()
        cache[key] = row
        return row


def _pieces(ends: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut rows whose sizes sum to `ends` into ranges of at most about MOST_EXPANDED in all."""
    if not len(ends) or ends[-1] <= MOST_EXPANDED:
        return [(0, len(ends))][: len(ends)]
    limits = np.arange(MOST_EXPANDED, int(ends[-1]) + MOST_EXPANDED, MOST_EXPANDED)
    bounds = np.unique(np.concatenate([[0], np.searchsorted(ends, limits, side="right"), [len(ends)]])).tolist()
    return list(itertools.pairwise(bounds))


def check_tries(tensors: Mapping[str, NDArray[Any]], vocab_size: int, order: int) -> None:
    """Check that the tensors of `order` levels belong together.

    Raises:
        ModelFileError: they contradict each other, or hold a symbol outside the vocabulary.
    """
    if not 1 <= order <= LONGEST_ORDER:
        raise ModelFileError(f"its n-grams have {order} levels; there can be 1 to {LONGEST_ORDER}")
    contexts = 1
    for level in range(order):
        followers, symbols = tensors[tensor_name(level, "followers")], tensors[tensor_name(level, "symbols")]
        if len(followers) != contexts or int(followers.sum(dtype=np.int64)) != len(symbols) or not len(symbols):
            raise ModelFileError(f"the n-grams of level {level} do not add up")
        if int(symbols.max()) >= vocab_size:
            raise ModelFileError(f"the n-grams of level {level} hold a symbol outside the vocabulary")
        steps = np.diff(symbols.astype(np.int64))
        inside = np.ones(len(symbols), dtype=bool)
        inside[(np.cumsum(followers, dtype=np.int64) - followers)[followers > 0]] = False
        if (steps[inside[1:]] <= 0).any():
            raise ModelFileError(f"the n-grams of level {level} are not in order")
        contexts = len(symbols)

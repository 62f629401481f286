"""Counts of what was read so far: a cache of n-grams that joins any model while a text is scored, without gradients.

What a text has just said it is likely to say again (Kuhn and De Mori 1990). For each character, from short contexts to
long ones, the probability is interpolated with what followed the same context earlier in the text (Jelinek and Mercer
1980): half of that is how often, half what followed it last.

    p <- (1 - w) p + w (count(context, character) / count(context) + [character followed last]) / 2

The weight w depends on the context's length, on how often it came and on how many characters followed it; it is
estimated as the text is read, from the mean share of the counts in what came true (a pass of expectation and
maximisation: Dempster et al. 1977). Where the model alone foresees a text better than with the counts, it prevails: the
two are mixed by their posterior probabilities, so that counts cost a text ln 2 nats at most, but for what keeps the
loser in the game (Herbster and Warmuth 1998). Only the probability of what came is needed for all that: a character
takes microseconds whatever the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data.repeats import Hashes, window_hashes
from ..data.vocabulary import UNKNOWN, Ids, Vocabulary, regrouped
from .scoring import Nats, Surprisals

LENGTHS = (3, 4, 5, 6, 8, 12, 20, 32)
"""Characters of the contexts, from short to long."""
REMEMBERED = 1 << 17
"""Characters that are counted before those of a block: memory and time do not depend on the text's length."""
BLOCK = 1 << 16
"""Characters that are counted together."""
STEP = 256
"""Characters between two estimates of the weights."""
FIRST_WEIGHT, FIRST_SEEN = 0.15, 5.0
"""What a weight begins with, and how many characters that is worth."""
OCTAVES, DISTINCT = 8, 6
"""Contexts that came 2 ** 7 times or more are alike, and those that six or more different characters followed."""
SHARED = 1e-4
"""Of the posterior probabilities, what is shared evenly at each step."""
TINY = float(np.finfo(np.float64).tiny)
"""A smaller probability counts as this one."""
Numbers = NDArray[np.int64]


class ContextCounts(NamedTuple):
    """At N positions of a text: what followed the same context before."""

    came: Numbers
    """(N,) how often the context came."""
    distinct: Numbers
    """(N,) how many different characters followed it."""
    share: Nats
    """(N,) of what comes here: the mean of its relative frequency and of whether it followed last; 0 where nothing
    came."""

    def part(self, some: slice) -> ContextCounts:
        """At some of the positions."""
        return ContextCounts(self.came[some], self.distinct[some], self.share[some])


class RecentCounts:
    """Scores texts as `Scorer.surprisals` does, as one stream, and counts what it has scored.

    Args:
        surprisals: how the model itself scores a text.
        vocabulary: the model's.
    """

    def __init__(self, surprisals: Surprisals, vocabulary: Vocabulary) -> None:
        self._surprisals, self.vocabulary = surprisals, vocabulary

    def surprisals(self, pieces: Iterable[Ids]) -> Iterator[Nats]:
        """Score one text, given in pieces of ids; give its surprisals in nats, in pieces, in order."""
        waiting: list[Ids] = []
        weights, experts = [Weights() for _ in LENGTHS], Experts()
        before: Ids = np.zeros(0, dtype=self.vocabulary.dtype)

        def noted() -> Iterator[Ids]:
            for piece in pieces:
                waiting.append(piece)
                yield piece

        for nats in regrouped(self._surprisals(noted()), BLOCK):
            read = np.concatenate(waiting)
            ids, waiting[:] = read[: len(nats)], [read[len(nats) :]]
            window = np.concatenate([before, ids])
            counts = [found.part(slice(len(before), None)) for found in context_counts(window, LENGTHS)]
            shared = np.where(ids == UNKNOWN, self.vocabulary.unknown_nats, 0.0)
            p = np.maximum(np.exp(shared - nats), TINY)
            for begin in range(0, len(ids), STEP):
                some = slice(begin, begin + STEP)
                both = p[some]
                for weight, found in zip(weights, counts, strict=True):
                    both = weight.interpolate(both, found.part(some))
                p[some] = experts.mixed(p[some], both)
            before = window[-REMEMBERED:]
            yield shared - np.log(p)


class Weights:
    """The weights of the counts after contexts of one length, estimated as a text is read.

    By how often the context came and how many characters followed it; what is rare begins with the estimate for all
    contexts that as many characters followed, and that with the one for all.
    """

    def __init__(self) -> None:
        self.share, self.seen = np.zeros((OCTAVES, DISTINCT)), np.zeros((OCTAVES, DISTINCT))
        """Of what came true, how much is owed to the counts, summed; and how many characters that is of."""

    def estimates(self) -> NDArray[np.float64]:
        """The weights (OCTAVES, DISTINCT)."""
        of_all = (self.share.sum() + FIRST_WEIGHT * FIRST_SEEN) / (self.seen.sum() + FIRST_SEEN)
        alike = (self.share.sum(0) + of_all * FIRST_SEEN) / (self.seen.sum(0) + FIRST_SEEN)  # (DISTINCT,)
        found: NDArray[np.float64] = (self.share + alike * FIRST_SEEN) / (self.seen + FIRST_SEEN)
        return found

    def interpolate(self, p: Nats, counts: ContextCounts) -> Nats:
        """The probabilities (N,) of what came, interpolated with the counts; then the weights learn from it."""
        known = np.flatnonzero(counts.came)
        octaves = np.minimum(np.log2(counts.came[known]).astype(np.int64), OCTAVES - 1)
        kinds = octaves, np.minimum(counts.distinct[known], DISTINCT) - 1
        w = self.estimates()[kinds]
        of_counts = w * counts.share[known]
        both = p.copy()
        both[known] = (1 - w) * p[known] + of_counts
        np.add.at(self.share, kinds, of_counts / both[known])
        np.add.at(self.seen, kinds, 1.0)
        return both


class Experts:
    """Two models of one text as one: each is believed by its posterior probability, and neither is ever given up."""

    def __init__(self) -> None:
        self.logs = np.log([0.5, 0.5])
        """Logarithms of the posterior probabilities."""

    def mixed(self, one: Nats, other: Nats) -> Nats:
        """The probabilities (N,) of what came, from those that each gave it; then the posterior is that after it."""
        p = np.stack([one, other])  # (2, N)
        until = self.logs[:, None] + np.cumsum(np.log(p), axis=1)  # (2, N): after each character
        before = np.concatenate([self.logs[:, None], until[:, :-1]], axis=1)
        believed = np.exp(before - np.logaddexp(*before))  # (2, N)
        posterior = np.exp(until[:, -1] - np.logaddexp(*until[:, -1]))
        self.logs = np.log((1 - SHARED) * posterior + SHARED / 2)
        mixed: Nats = (believed * p).sum(axis=0)
        return mixed


def context_counts(ids: Ids, lengths: Sequence[int]) -> Iterator[ContextCounts]:
    """For contexts of each length, what came earlier in the text ids (N,): of each position, only what stands before.

    Contexts are told apart by a hash of 64 bits: should two ever have the same one, they are counted together.
    """
    for length, windows in zip(lengths, window_hashes(ids, lengths), strict=True):
        hashes = np.zeros(len(ids), dtype=np.uint64)
        hashes[length:] = windows[:-1]  # of the characters before each position
        yield _occurrences(hashes, ids, length)


def _occurrences(contexts: Hashes, ids: Ids, length: int) -> ContextCounts:
    """What followed equal contexts before; at the first positions of a text there is no whole context."""
    order, first = _grouped(contexts)
    positions = np.arange(len(ids))
    came, followed, distinct = (np.empty(len(ids), dtype=np.int64) for _ in range(3))
    came[order] = positions - first
    by_pair, first_of_pair = _grouped(contexts ^ ids.astype(np.uint64))
    followed[by_pair] = positions - first_of_pair
    new = (followed[order] == 0).astype(np.int64)  # a character for the first time after this context
    until = np.cumsum(new) - new
    distinct[order] = until - until[first]
    last = np.zeros(len(ids))
    last[order[1:]] = ids[order[1:]] == ids[order[:-1]]
    share = np.where(came > 0, (followed / np.maximum(came, 1) + last) / 2, 0.0)
    came[:length] = 0
    return ContextCounts(came, distinct, share)


def _grouped(values: Hashes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The order that brings equal values together, each group in the text's order; and where each group begins."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]
    return order, np.maximum.accumulate(np.where(begins, np.arange(len(ordered)), 0))

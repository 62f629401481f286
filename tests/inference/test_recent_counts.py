"""Counts of what was read so far: honest, the same whatever the pieces, and as the definition says."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from charlstm.data.vocabulary import UNKNOWN, Ids, Vocabulary
from charlstm.inference import recent_counts
from charlstm.inference.recent_counts import (
    DISTINCT,
    FIRST_SEEN,
    FIRST_WEIGHT,
    LENGTHS,
    OCTAVES,
    SHARED,
    Experts,
    RecentCounts,
    context_counts,
)
from charlstm.inference.scoring import Nats

VOCABULARY = Vocabulary(list("abc"))


def uniform(pieces: Iterable[Ids]) -> Iterator[Nats]:
    """A model for which all four symbols are alike."""
    for ids in pieces:
        yield np.log(4) + np.where(ids == UNKNOWN, VOCABULARY.unknown_nats, 0.0)


def nats_of(ids: NDArray[np.int64], cuts: tuple[int, ...] = ()) -> Nats:
    scorer = RecentCounts(uniform, VOCABULARY)
    return np.concatenate([np.zeros(0), *scorer.surprisals(np.split(ids, cuts))])


class Definition:
    """The docstring of the module, one character after the other, with dictionaries."""

    def __init__(self) -> None:
        self.share: Counter[tuple[int, ...]] = Counter()
        self.seen: Counter[tuple[int, ...]] = Counter()
        self.posterior = [0.5, 0.5]

    def weight(self, *kind: int) -> float:
        """Of (length,), of (length, distinct), and of (length, distinct, octave): each begins with the one before."""
        first = self.weight(*kind[:-1]) if len(kind) > 1 else FIRST_WEIGHT
        return (self.share[kind] + FIRST_SEEN * first) / (self.seen[kind] + FIRST_SEEN)

    def probabilities(self, ids: list[int], step: int) -> list[float]:
        found: list[float] = []
        learned: list[tuple[tuple[int, ...], float]] = []
        for t, target in enumerate(ids):
            if t % step == 0:
                for kind, responsible in learned:
                    for some in (kind[:1], kind[:2], kind):
                        self.share[some] += responsible  # type: ignore[assignment]
                        self.seen[some] += 1
                learned = []
                self.posterior = [(1 - SHARED) * p + SHARED / 2 for p in self.posterior] if t else self.posterior
            p = 0.25
            for length in LENGTHS:
                followers = [ids[s] for s in range(length, t) if ids[s - length : s] == ids[t - length : t]]
                if t >= length and followers:
                    octave = min(int(math.log2(len(followers))), OCTAVES - 1)
                    kind = length, min(len(set(followers)), DISTINCT), octave
                    share = (followers.count(target) / len(followers) + (followers[-1] == target)) / 2
                    w = self.weight(*kind)
                    p = (1 - w) * p + w * share
                    learned.append((kind, w * share / p))
            mixed = self.posterior[0] * 0.25 + self.posterior[1] * p
            self.posterior = [self.posterior[0] * 0.25 / mixed, self.posterior[1] * p / mixed]
            found.append(mixed)
        return found


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=120))
def test_the_probabilities_are_those_of_the_definition(ids: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent_counts, "STEP", 16)
        nats = nats_of(np.array(ids))
    shared = np.where(np.array(ids) == UNKNOWN, VOCABULARY.unknown_nats, 0.0)
    np.testing.assert_allclose(np.exp(shared - nats), Definition().probabilities(ids, 16), rtol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=3, max_size=60), st.data())
def test_after_any_beginning_the_probabilities_sum_to_one(ids: list[int], data: st.DataObject) -> None:
    begin = ids[: data.draw(st.integers(0, len(ids)))]
    shared = [VOCABULARY.unknown_nats, 0.0, 0.0, 0.0]
    total = sum(math.exp(shared[x] - nats_of(np.array([*begin, x]))[-1]) for x in range(4))
    assert total == pytest.approx(1.0)


def test_pieces_and_blocks_do_not_matter_and_the_future_changes_nothing() -> None:
    ids = np.random.default_rng(0).integers(1, 4, 3000)
    whole = nats_of(ids)
    np.testing.assert_array_equal(nats_of(ids, (1, 700, 701, 2900)), whole)
    changed = ids.copy()
    changed[2000:] = ids[:1000]
    np.testing.assert_array_equal(nats_of(changed)[:2000], whole[:2000])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent_counts, "BLOCK", 512)  # a multiple of STEP: estimates come at the same characters
        np.testing.assert_array_equal(nats_of(ids), whole)


def test_what_lies_far_back_is_forgotten() -> None:
    """A text of any length takes the same memory: a phrase from beyond what is remembered is news again."""
    phrase = np.random.default_rng(1).integers(1, 4, 200)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent_counts, "BLOCK", 256)
        patch.setattr(recent_counts, "REMEMBERED", 512)
        near = nats_of(np.concatenate([phrase, np.full(200, 1), phrase]))[-150:].mean()
        far = nats_of(np.concatenate([phrase, np.full(2000, 1), phrase]))[-150:].mean()
    assert near < 0.9 * far


def test_a_text_that_repeats_itself_is_soon_foreseen_and_noise_costs_next_to_nothing() -> None:
    rng = np.random.default_rng(2)
    assert nats_of(np.tile(rng.integers(1, 4, 400), 5))[-400:].mean() < 0.05
    noise = rng.integers(1, 4, 20_000)
    model = next(uniform([noise]))
    assert (nats_of(noise) - model).sum() < math.log(2) + 0.1


def test_the_better_of_two_experts_is_believed_soon_and_again_after_a_change() -> None:
    good, bad = np.full(300, 0.9), np.full(300, 0.1)
    experts = Experts()
    assert -np.log(experts.mixed(good, bad)).sum() < -np.log(good).sum() + math.log(2) + 1e-9
    assert experts.mixed(bad, good)[20:].min() > 0.89


def test_counts_are_of_what_stands_before() -> None:
    (counts,) = context_counts(np.array([1, 2, 1, 3, 1, 2, 1, 2]), (1,))
    assert counts.came.tolist() == [0, 0, 0, 1, 0, 2, 1, 3]
    assert counts.distinct.tolist() == [0, 0, 0, 1, 0, 2, 1, 2]
    assert counts.share.tolist() == pytest.approx([0, 0, 0, 0, 0, 0.25, 1, (2 / 3 + 1) / 2])


def test_the_empty_text_has_no_surprisals() -> None:
    assert not len(nats_of(np.zeros(0, dtype=np.int64)))

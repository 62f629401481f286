"""Sampled softmax: the loss over a large vocabulary from some of its symbols, right on average."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from charlstm.data.batching import IGNORED
from charlstm.models.candidates import OUTSIDE
from charlstm.training.sampled_softmax import SampledSoftmax

V = 60


def frequencies() -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = 1 / np.arange(1, V + 1)
    return np.asarray(numbers / numbers.sum())


def nats(softmax: SampledSoftmax, logits: NDArray[np.float32], targets: NDArray[np.int64], step: int) -> float:
    """Of logits (N, V)."""
    sample = softmax.draw(step, targets)
    return float(sample.nats(torch.from_numpy(logits[:, sample.candidates.symbols]), targets))


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=50), st.integers(1, 60))
def test_as_many_are_drawn_as_asked_for_in_proportion_to_their_frequencies(counts: list[int], size: int) -> None:
    frequencies = np.array(counts) / sum(counts)
    inclusion = SampledSoftmax(frequencies, size, seed=0).inclusion
    assert inclusion.sum() == pytest.approx(min(size, len(counts)), rel=1e-6)
    assert (inclusion > 0).all() and (inclusion <= 1).all()
    rare = inclusion < 1
    factors = inclusion[rare] / frequencies[rare]
    np.testing.assert_allclose(factors, factors.mean() if rare.any() else 1)


def test_where_all_symbols_are_drawn_it_is_the_softmax() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(50, V)).astype(np.float32)
    targets = rng.integers(0, V, 50)
    targets[::7] = IGNORED
    whole = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits), torch.from_numpy(targets), ignore_index=IGNORED, reduction="sum"
    )
    assert nats(SampledSoftmax(frequencies(), V, seed=0), logits, targets, 0) == pytest.approx(float(whole), rel=1e-5)


def test_the_sum_over_the_vocabulary_is_right_on_average() -> None:
    rng = np.random.default_rng(1)
    logits = (rng.normal(size=(1, V)) + np.log(frequencies())).astype(np.float32)
    softmax = SampledSoftmax(frequencies(), 20, seed=0)
    for target in (0, V - 1):  # one that is always drawn, and one that hardly ever is
        targets = np.array([target])
        sums = [np.exp(nats(softmax, logits, targets, step) + logits[0, target]) for step in range(4000)]
        error = np.std(sums) / np.sqrt(len(sums))
        assert np.mean(sums) == pytest.approx(np.exp(logits).sum(), abs=4 * error)
        assert error < 0.02 * np.mean(sums)


def test_what_is_drawn_in_a_step_does_not_depend_on_the_targets() -> None:
    softmax = SampledSoftmax(frequencies(), 20, seed=3)
    rng = np.random.default_rng(2)
    logits, targets = rng.normal(size=(40, V)).astype(np.float32), rng.integers(0, V, 40)
    parts = [nats(softmax, logits[some], targets[some], 5) for some in (slice(0, 10), slice(10, 40))]
    assert sum(parts) == pytest.approx(nats(softmax, logits, targets, 5), rel=1e-5)
    assert nats(softmax, logits, targets, 5) != nats(softmax, logits, targets, 6)


def test_all_targets_are_candidates() -> None:
    targets = np.array([[V - 1, 3], [IGNORED, V - 2]])
    candidates = SampledSoftmax(frequencies(), 5, seed=0).draw(0, targets).candidates
    for symbol in (V - 1, 3, V - 2):
        assert candidates.symbols[candidates.columns[symbol]] == symbol
    assert len(candidates) < V and (candidates.columns == OUTSIDE).sum() == V - len(candidates)

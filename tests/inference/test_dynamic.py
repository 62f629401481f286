"""Dynamic evaluation: honest, and without a trace in the model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import ALPHABET, random_model, with_counts
from numpy.typing import NDArray

from charlstm.data.vocabulary import Vocabulary
from charlstm.inference.dynamic import BETA, DECAY, EPSILON, SEGMENT, DynamicEvaluation, UpdateRule
from charlstm.inference.scoring import Scorer
from charlstm.models.mixture import Mixture
from charlstm.models.ngrams import NgramModel
from charlstm.models.torch_lstm import TorchLanguageModel, TorchNetwork


def network(cell: str = "lstm") -> tuple[TorchNetwork, Vocabulary]:
    file = random_model(cell=cell)
    model = TorchNetwork(file.settings)
    model.load(file.tensors)
    return model, file.vocabulary


def ids_of(size: int, seed: int = 0) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, len(ALPHABET) + 1, size)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_without_a_rate_it_is_the_static_figure(cell: str) -> None:
    model, vocabulary = network(cell)
    ids = ids_of(3 * SEGMENT + 7)
    static = np.concatenate(list(Scorer(TorchLanguageModel(model), vocabulary).surprisals([ids])))
    adapting = DynamicEvaluation(model, vocabulary, rate=0.0)
    np.testing.assert_allclose(np.concatenate(list(adapting.surprisals([ids]))), static, atol=1e-4)


def test_every_character_is_scored_before_the_copy_is_trained_on_it() -> None:
    """What comes later changes nothing before it, and the first segment is scored by the pretrained network."""
    model, vocabulary = network()
    one, other = ids_of(4 * SEGMENT), ids_of(4 * SEGMENT)
    other[2 * SEGMENT + 5 :] = ids_of(2 * SEGMENT - 5, seed=9)
    adapting = DynamicEvaluation(model, vocabulary, rate=0.01)
    first, second = (np.concatenate(list(adapting.surprisals([ids]))) for ids in (one, other))
    np.testing.assert_array_equal(first[: 2 * SEGMENT + 5], second[: 2 * SEGMENT + 5])
    static = np.concatenate(list(DynamicEvaluation(model, vocabulary, rate=0.0).surprisals([one])))
    np.testing.assert_array_equal(first[:SEGMENT], static[:SEGMENT])
    assert not np.allclose(first[SEGMENT:], static[SEGMENT:])


def test_the_model_is_left_as_it_was_and_pieces_do_not_matter() -> None:
    model, vocabulary = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    ids = ids_of(5 * SEGMENT + 3)
    adapting = DynamicEvaluation(model, vocabulary)
    whole = np.concatenate(list(adapting.surprisals([ids])))
    cut = np.concatenate(list(adapting.surprisals([ids[:10], ids[10:200], ids[200:]])))
    np.testing.assert_array_equal(whole, cut)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_with_counts_and_without_a_rate_it_is_the_figure_of_the_mixture() -> None:
    text = "abcabcaabbc\nabc" * 30
    file = with_counts(random_model(), text)
    model = TorchNetwork(file.settings)
    model.load(file.tensors)
    assert file.mixture
    ngrams = NgramModel(file.settings.vocab_size, file.counts, newline=1)
    mixture = Mixture.of(TorchLanguageModel(model), ngrams, file.mixture)
    ids = file.vocabulary.encode(text)
    static = np.concatenate(list(Scorer(mixture, file.vocabulary).surprisals([ids])))
    adapting = DynamicEvaluation(model, file.vocabulary, mixture, rate=0.0)
    np.testing.assert_allclose(np.concatenate(list(adapting.surprisals([ids]))), static, atol=1e-4)


def test_the_update_is_the_rule_of_the_docstring() -> None:
    rng = np.random.default_rng(0)
    pretrained = rng.normal(size=5)
    parameter = torch.nn.Parameter(torch.tensor(pretrained))
    rule = UpdateRule([parameter], rate=0.01)
    expected, v = pretrained.copy(), np.zeros(5)
    for t in range(1, 4):
        g = rng.normal(size=5)
        v = BETA * v + (1 - BETA) * g**2
        step = 0.01 * g / (np.sqrt(v / (1 - BETA**t)) + EPSILON)
        expected += DECAY * (pretrained - expected) - step
        rule.update((torch.tensor(g),))
        np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=0, atol=1e-12)

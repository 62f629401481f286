"""Masking earlier characters: it finds what a prediction rests on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers import random_model, with_counts

from charlstm.api import Model
from charlstm.config import ModelSettings
from charlstm.data.vocabulary import Vocabulary
from charlstm.inference.influence import influence
from charlstm.models.file import ModelFile
from charlstm.models.numpy_lstm import NumpyNetwork


def remembering() -> ModelFile:
    """Writes `x` after a text in which a `k` was read, however long ago, else `y`; looks at nothing else."""
    settings = ModelSettings(5, 1, 1, 4, "lstm")
    tensors = {name: np.zeros(shape, np.float32) for name, shape in settings.shapes().items()}
    tensors["embedding.weight"][1, 0] = 1  # `k`
    ih, bias = tensors["layers.0.weight_ih_l0"], tensors["layers.0.bias_ih_l0"]  # i, f, g, o
    bias[:] = -30, 30, 30, 30
    ih[0, 0] = 60
    tensors["head.weight"][3:5, 0] = 20, -20
    tensors["head.bias"][3:5] = -7, 7
    return ModelFile(settings, Vocabulary("kaxy"), tensors)


@pytest.mark.parametrize("position", [0, 6, 63, 64, 128])  # some where a batch ends or begins
def test_the_one_character_that_a_network_looks_at_is_found(position: int) -> None:
    file = remembering()
    text = ("axayay" * 30)[:position] + "k" + "axaayx" * 10
    seen = influence(NumpyNetwork(file.settings, file.tensors), file.vocabulary, text, "x")
    assert seen.first == 0
    assert len(seen.divergence) == len(text)
    assert int(seen.divergence.argmax()) == text.index("k")
    assert seen.cost is not None
    assert seen.cost[text.index("k")] > 10
    assert np.delete(seen.divergence, text.index("k")).max() < 1e-6
    assert seen.likeliest(file.vocabulary, 1)[0][0] == "x"


def test_only_so_many_characters_back_are_masked() -> None:
    file = remembering()
    network = NumpyNetwork(file.settings, file.tensors)
    seen = influence(network, file.vocabulary, "k" + "a" * 20, farthest=20)
    assert (seen.first, len(seen.divergence), seen.cost) == (1, 20, None)
    assert seen.divergence.max() < 1e-6


@pytest.mark.parametrize("counts", [False, True])
def test_figures_are_those_of_the_texts_with_each_character_masked(counts: bool) -> None:
    file = random_model()
    if counts:
        file = with_counts(file, "abcabcaabbc\nabc" * 5)
    model = Model(file)
    text = "abc ab\nfed " * 8  # more than are read together
    seen = influence(model.network, file.vocabulary, text, "b")
    assert seen.cost is not None
    plain = -model.score(text + "b").nats + model.score(text).nats
    assert seen.log_probabilities[file.vocabulary.encode("b")[0]] == pytest.approx(plain, abs=1e-4)
    for position in (0, 3, 63, 64, 70, len(text) - 1):
        masked = text[:position] + "?" + text[position + 1 :]
        cost = (model.score(masked + "b").nats - model.score(masked).nats + plain) / math.log(2)
        assert seen.cost[position] == pytest.approx(cost, abs=1e-4)
    assert seen.divergence.min() >= 0 < seen.divergence[-1]


@pytest.mark.parametrize("text", ["", "a", "abcabc"])
def test_where_nothing_is_masked_the_prediction_is_the_same(text: str) -> None:
    file = random_model()
    network = NumpyNetwork(file.settings, file.tensors)
    seen = influence(network, file.vocabulary, text, farthest=0)
    assert (seen.first, len(seen.divergence)) == (len(text), 0)
    assert seen.log_probabilities == pytest.approx(influence(network, file.vocabulary, text).log_probabilities)


def test_the_first_character_rests_on_nothing() -> None:
    file = random_model()
    seen = influence(Model(file).network, file.vocabulary, "", "a")
    assert (len(seen.divergence), seen.first) == (0, 0)
    assert np.exp(seen.log_probabilities).sum() == pytest.approx(1)

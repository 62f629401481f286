"""The unit that tells labels apart."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import random_model

from charlstm.config import ModelSettings
from charlstm.data.vocabulary import Vocabulary
from charlstm.errors import TextError
from charlstm.inference.separation import separate
from charlstm.models.numpy_lstm import NumpyNetwork


def knowing() -> tuple[NumpyNetwork, Vocabulary]:
    """Five lstm units of which number 3 alone remembers whether an `x` was read; the others are noise."""
    settings = ModelSettings(4, 1, 5, 4, "lstm")
    rng = np.random.default_rng(0)
    tensors = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in settings.shapes().items()}
    tensors["embedding.weight"][:4] = np.eye(4)
    rows = [5 * gate + 3 for gate in range(4)]  # i, f, g, o of that unit
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        tensors[f"layers.0.{name}"][rows] = 0
    tensors["layers.0.bias_ih_l0"][rows] = -30, 30, 30, 30
    tensors["layers.0.weight_ih_l0"][rows[0], 3] = 60
    return NumpyNetwork(settings, tensors), Vocabulary("abx")


def texts_with_and_without(count: int) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(5)
    texts = ["".join(rng.choice(list("ab"), 30)) for _ in range(count)]
    marked = [text[:10] + "x" + text[10:] if n % 3 == 0 else text for n, text in enumerate(texts)]
    return marked, ["with" if "x" in text else "without" for text in marked]


def test_the_unit_that_knows_is_found_and_tested_on_other_texts() -> None:
    (found,) = separate(*knowing(), *texts_with_and_without(60))
    assert (found.label, found.layer, found.unit, found.above) == ("with", 0, 3, True)
    assert (found.accuracy, found.chosen_on, found.texts) == (1.0, 1.0, 30)


def test_labels_that_mean_nothing_are_told_apart_by_chance_only() -> None:
    """What a unit was chosen by flatters; the figure is of the other texts."""
    file = random_model(hidden=64)
    rng = np.random.default_rng(2)
    texts = ["".join(rng.choice(list("abcdefgh"), 12)) for _ in range(80)]
    labels = [str(label) for label in rng.choice(["p", "q"], 80)]
    (found,) = separate(NumpyNetwork(file.settings, file.tensors), file.vocabulary, texts, labels)
    assert found.chosen_on > 0.75
    assert found.accuracy < 0.7


def test_of_three_labels_each_has_its_unit() -> None:
    texts, labels = texts_with_and_without(60)
    labels = [f"{label}{n % 2 if label == 'without' else ''}" for n, label in enumerate(labels)]
    found = separate(*knowing(), texts, labels)
    assert [one.label for one in found] == list(dict.fromkeys(labels))
    assert found[0].accuracy == 1


@pytest.mark.parametrize(
    ("texts", "labels", "words"),
    [
        (["a", "b"], ["p", "p"], "1 label in 2 texts"),
        (["a", "b", "a"], ["p", "p", "q"], "'q' has one text only"),
        (["a", "b", "", "a"], ["p", "p", "q", "q"], "empty"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(texts: list[str], labels: list[str], words: str) -> None:
    with pytest.raises(TextError, match=words):
        separate(*knowing(), texts, labels)


def test_a_model_whose_units_never_change_does_no_better_than_guessing() -> None:
    settings = ModelSettings(4, 1, 3, 2, "rnn")
    zeros = {name: np.zeros(shape, np.float32) for name, shape in settings.shapes().items()}
    (found,) = separate(NumpyNetwork(settings, zeros), Vocabulary("abx"), *texts_with_and_without(20))
    assert (found.chosen_on, found.accuracy) == (0.5, 0.5)

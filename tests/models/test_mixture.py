"""Network and counts as one model: it fulfils the protocol, and is the product that it says it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import ngrams_of, random_model, with_counts

import charlstm as library
from charlstm.api import Model
from charlstm.errors import ModelFileError
from charlstm.models.file import load
from charlstm.models.interface import State, read_long
from charlstm.models.mixture import Mixture
from charlstm.models.ngrams import NgramModel
from charlstm.models.numpy_lstm import NumpyNetwork
from charlstm.models.tensor_file import write

FILE = random_model()
VOCAB_SIZE = FILE.settings.vocab_size
TEXT = np.random.default_rng(0).integers(1, 5, 300)


def mixture(network_weight: float = 0.7, ngram_weight: float = 0.4, order: int = 4) -> Mixture:
    ngrams = NgramModel(VOCAB_SIZE, ngrams_of(TEXT, VOCAB_SIZE, order), newline=1)
    return Mixture(NumpyNetwork(FILE.settings, FILE.tensors), ngrams, network_weight, ngram_weight)


IDS = np.random.default_rng(1).integers(0, VOCAB_SIZE, (25, 3))


def test_the_logits_are_the_weighted_sum_of_both_experts() -> None:
    model = mixture()
    logits, _ = model.logits(IDS, model.zero_state(3))
    network, _ = model.network.logits(IDS, model.network.zero_state(3))
    contexts = model.ngrams.walk(IDS, model.ngrams.start(3))
    for t in range(len(IDS)):
        expected = 0.7 * network[t] + 0.4 * model.ngrams.log_probabilities(contexts[:, t])
        assert logits[t] == pytest.approx(expected, abs=1e-5)


def test_a_weight_of_nothing_leaves_the_network_alone() -> None:
    model = mixture(1.0, 0.0)
    network, _ = model.network.logits(IDS, model.network.zero_state(3))
    assert model.logits(IDS, model.zero_state(3))[0] == pytest.approx(network)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_character_at_a_time_gives_what_the_whole_gives(batch: int, order: int) -> None:
    model, ids = mixture(order=order), IDS[:, :batch]
    expected, after = model.logits(ids, model.zero_state(batch))
    state = model.zero_state(batch)
    for t, symbols in enumerate(ids):
        logits, state = model.step(symbols, state)
        assert logits == pytest.approx(expected[t], abs=1e-4)
    assert (state.history == after.history).all()
    assert state.hidden == pytest.approx(after.hidden, abs=1e-5)


@pytest.mark.parametrize("length", [0, 1, 2, 25])
def test_reading_leaves_the_state_that_scoring_leaves(length: int) -> None:
    model, ids = mixture(), IDS[:length]
    _, middle = model.logits(IDS, model.zero_state(3))
    expected = model.logits(ids, middle)[1]
    for state in (model.read(ids, middle), read_long(model, ids, middle)):
        assert (state.history == expected.history).all()


def test_states_of_sequences_can_be_chosen_and_joined() -> None:
    model = mixture()
    _, state = model.logits(IDS, model.zero_state(3))
    swapped = State.concatenate([state.select([2]), state.select([0, 1])])
    expected, _ = model.step(np.array([1, 2, 3]), state)
    logits, _ = model.step(np.array([3, 1, 2]), swapped)
    assert logits[[1, 2, 0]] == pytest.approx(expected, abs=1e-5)


def test_counts_are_saved_and_loaded_with_the_network(tmp_path: Path) -> None:
    before = with_counts(random_model(), "abcabcaabbc\nabc" * 5)
    before.save(tmp_path / "m.safetensors")
    after = load(tmp_path / "m.safetensors")
    assert after.mixture == before.mixture
    assert set(after.counts) == set(before.counts)
    assert all((after.counts[name] == tensor).all() for name, tensor in before.counts.items())
    assert set(after.tensors) == set(before.tensors)
    model, network = library.load(tmp_path / "m.safetensors"), Model(FILE)
    assert model.score("abcabc").nats != pytest.approx(network.score("abcabc").nats)


def test_the_parts_of_a_model_are_models_too() -> None:
    text = "abcabcaabbc\nabc" * 5
    model = Model(with_counts(random_model(), text))
    parts = {name: part.score(text).nats for name, part in model.parts().items()}
    assert parts["network"] == pytest.approx(Model(random_model()).score(text).nats)
    assert parts["ngrams"] < parts["network"]
    assert Model(random_model()).parts() == {}


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "no sizes": ({"sizes": []}, "n-grams"),
    "a size that is no number": ({"sizes": [3, "a"]}, "n-grams"),
    "a negative size": ({"sizes": [-3]}, "n-grams"),
    "sizes of another trie": ({"sizes": [9, 9, 9, 9]}, "shape"),
    "one level too few": ({"sizes": [9]}, "call for"),
    "a weight that is no number": ({"ngram_weight": "much"}, "weight"),
    "a weight beyond reason": ({"network_weight": 1e9}, "weight"),
    "a field that is not known": ({"base": 2}, "base"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_description_that_does_not_fit_the_counts_is_refused(case: str, tmp_path: Path) -> None:
    change, message = CHANGES[case]
    file = with_counts(random_model(), "abcabcaabbc\nabc" * 5)
    description = file.description()
    description["ngrams"] = {**description["ngrams"], **change}
    write(tmp_path / "m.safetensors", {**file.tensors, **file.counts}, description)
    with pytest.raises(ModelFileError, match=message):
        load(tmp_path / "m.safetensors")


@pytest.mark.parametrize("lacking", ["network_weight", "ngram_weight"])
def test_a_description_of_counts_that_lacks_something_says_what(lacking: str, tmp_path: Path) -> None:
    file = with_counts(random_model(), "abcabcaabbc\nabc" * 5)
    description = file.description()
    description["ngrams"] = {name: value for name, value in description["ngrams"].items() if name != lacking}
    write(tmp_path / "m.safetensors", {**file.tensors, **file.counts}, description)
    with pytest.raises(ModelFileError, match=f"its n-grams lack '{lacking}'"):
        load(tmp_path / "m.safetensors")


def test_counts_that_point_outside_are_refused_with_the_files_name(tmp_path: Path) -> None:
    file = with_counts(random_model(), "abcabcaabbc\nabc" * 5)
    file.counts["ngrams.1.symbols"][:] = 200
    file.save(tmp_path / "m.safetensors")
    with pytest.raises(ModelFileError, match=r"m\.safetensors.*outside"):
        load(tmp_path / "m.safetensors")

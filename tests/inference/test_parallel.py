"""Parts of a text that are read side by side: each ends up in the state that one stream would be in."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from helpers import random_model
from test_scoring import all_surprisals, some_text

from charlstm.config import CELLS
from charlstm.inference import parallel as streams
from charlstm.inference import scoring as evaluation
from charlstm.inference.parallel import state_distance
from charlstm.inference.scoring import Scorer
from charlstm.models.file import ModelFile
from charlstm.models.interface import State, no_history
from charlstm.models.numpy_lstm import NumpyNetwork


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("threads", [1, 2])
def test_parts_that_began_in_a_wrong_state_are_mended(cell: Any, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "SHORTEST", 300)
    monkeypatch.setattr(evaluation, "SETTLING", 1)
    monkeypatch.setattr(streams, "MENDING", 30)
    file = random_model(cell=cell, hidden=8)
    if cell == "lstm":  # forget gates all but open: what is remembered is remembered for thousands of characters
        for layer in range(2):
            file.tensors[f"layers.{layer}.bias_ih_l0"][8:16] = 9.0
    network = NumpyNetwork(file.settings, file.tensors)
    text = some_text(5000)
    one = Scorer(network, file.vocabulary, streams=1).score([text])
    several = Scorer(network, file.vocabulary, streams=64, threads=threads)
    assert several.score([text]).nats == pytest.approx(one.nats, abs=0.5)
    monkeypatch.setattr(streams, "SAME", math.inf)
    lost = abs(several.score([text]).nats - one.nats)
    assert lost > 5 if cell == "lstm" else lost > 0  # so that there was something to mend


def model_that_remembers_a_letter() -> ModelFile:
    """After q it expects y if the last capital letter was A and n if it was B; nothing else shows which it was."""
    file = random_model("ABqynx", hidden=1, layers=1)
    known = {character: symbol for symbol, character in enumerate(file.vocabulary.characters, 1)}
    settings = dataclasses.replace(file.settings, embedding=8)
    tensors = {name: np.zeros(shape, np.float32) for name, shape in settings.shapes().items()}
    tensors["embedding.weight"] = np.eye(8, dtype=np.float32)
    inputs = tensors["layers.0.weight_ih_l0"]  # rows: input, forget, cell, output
    inputs[:, :] = np.array([[-30], [30], [0], [-30]])
    for letter, value in (("A", 30), ("B", -30)):
        inputs[:3, known[letter]] = 30, -30, value
    inputs[3, known["q"]] = 30
    tensors["head.weight"][[known["y"], known["n"]], 0] = 8, -8
    return dataclasses.replace(file, settings=settings, tensors=tensors)


@pytest.mark.parametrize("every", [170, 4000])
def test_what_is_remembered_long_before_it_is_needed_is_mended_too(every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "SHORTEST", 700)
    monkeypatch.setattr(evaluation, "SETTLING", 200)
    rng = np.random.default_rng(0)
    text, letter = "", "A"
    while len(text) < 30_000:
        letter = "AB"[rng.integers(2)] if len(text) % every < 100 else letter
        text += letter * (len(text) % every < 100) + "x" * 150 + "q" + "yn"["AB".index(letter)]
    file = model_that_remembers_a_letter()
    network = NumpyNetwork(file.settings, file.tensors)
    one = Scorer(network, file.vocabulary, streams=1)
    several = Scorer(network, file.vocabulary, threads=2)
    np.testing.assert_allclose(all_surprisals(several, text), all_surprisals(one, text), atol=1e-3)
    monkeypatch.setattr(streams, "SAME", math.inf)
    assert several.score([text]).nats > one.score([text]).nats + 10


def test_states_are_apart_by_their_largest_difference_and_cells_by_their_size() -> None:
    def state(hidden: list[float], cell: list[float]) -> State:
        return State(np.array([[hidden]]), np.array([[cell]]), no_history(1))

    one = state([0.1, 0.2], [100.0, 0.0])
    assert state_distance(one, state([0.1, 0.25], [100.0, 0.0])) == pytest.approx(0.05)
    assert state_distance(one, state([0.1, 0.2], [99.0, 0.0])) == pytest.approx(0.01)
    assert state_distance(one, state([0.1, 0.2], [100.0, 1.0])) == pytest.approx(0.5)
    without = State(np.zeros((2, 3, 4)), np.zeros((0, 3, 4)), no_history(3))  # gru and rnn
    assert state_distance(without, without).tolist() == [0.0] * 3

"""Parts of a text that are read side by side: each ends up in the state that one stream would be in."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from helpers import peak_memory, random_model, with_counts

from charlstm.api import Model
from charlstm.config import CELLS
from charlstm.inference.parallel import EXACT, ONE_STREAM, PROMPT, Division, read_in_parts, state_distance
from charlstm.inference.scoring import Scorer
from charlstm.models.file import ModelFile
from charlstm.models.interface import State, no_history, read_long
from charlstm.models.numpy_lstm import NumpyNetwork


def some_text(length: int, seed: int = 0) -> str:
    return "".join(np.random.default_rng(seed).choice(list("\n abcdefghé"), length).tolist())


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("threads", [1, 2])
def test_parts_that_began_in_a_wrong_state_are_corrected(cell: Any, threads: int) -> None:
    division = Division(most=64, shortest=300, burn_in=1, segment=30)
    file = random_model(cell=cell, hidden=8)
    if cell == "lstm":  # forget gates all but open: what is remembered is remembered for thousands of characters
        for layer in range(2):
            file.tensors[f"layers.{layer}.bias_ih_l0"][8:16] = 9.0
    network = NumpyNetwork(file.settings, file.tensors)
    text = some_text(5000)
    one = Scorer(network, file.vocabulary, ONE_STREAM).score([text])
    assert Scorer(network, file.vocabulary, division, threads).score([text]).nats == pytest.approx(one.nats, abs=0.5)
    uncorrected = Scorer(network, file.vocabulary, dataclasses.replace(division, tolerance=math.inf), threads)
    lost = abs(uncorrected.score([text]).nats - one.nats)
    assert lost > 5 if cell == "lstm" else lost > 0  # so that there was something to correct


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
def test_what_is_remembered_long_before_it_is_needed_is_corrected_too(every: int) -> None:
    division = Division(shortest=700, burn_in=200)
    rng = np.random.default_rng(0)
    text, letter = "", "A"
    while len(text) < 30_000:
        letter = "AB"[rng.integers(2)] if len(text) % every < 100 else letter
        text += letter * (len(text) % every < 100) + "x" * 150 + "q" + "yn"["AB".index(letter)]
    file = model_that_remembers_a_letter()
    network = NumpyNetwork(file.settings, file.tensors)
    one = Scorer(network, file.vocabulary, ONE_STREAM)
    several = Scorer(network, file.vocabulary, division, threads=2)
    ids = file.vocabulary.encode(text)
    in_parts, expected = (np.concatenate(list(way.surprisals([ids]))) for way in (several, one))
    np.testing.assert_allclose(in_parts, expected, atol=1e-3)
    uncorrected = Scorer(network, file.vocabulary, dataclasses.replace(division, tolerance=math.inf))
    assert uncorrected.score([text]).nats > one.score([text]).nats + 10
    by_parts = read_in_parts(network, ids, network.zero_state(1), division=division, end=100)
    assert state_distance(by_parts, read_long(network, ids[:, None], network.zero_state(1)))[0] < division.tolerance


def test_the_distance_of_states_is_their_largest_difference_and_that_of_cells_in_proportion() -> None:
    def state(hidden: list[float], cell: list[float]) -> State:
        return State(np.array([[hidden]]), np.array([[cell]]), no_history(1))

    one = state([0.1, 0.2], [100.0, 0.0])
    assert state_distance(one, state([0.1, 0.25], [100.0, 0.0])) == pytest.approx(0.05)
    assert state_distance(one, state([0.1, 0.2], [99.0, 0.0])) == pytest.approx(0.01)
    assert state_distance(one, state([0.1, 0.2], [100.0, 1.0])) == pytest.approx(0.5)
    without = State(np.zeros((2, 3, 4)), np.zeros((0, 3, 4)), no_history(3))  # gru and rnn
    assert state_distance(without, without).tolist() == [0.0] * 3


# --------------------------------------------------------------------------------------- long prompts

SHORT = Division(most=6, fewest=2, shortest=100, longest=150, burn_in=60, segment=30)
"""Texts of some hundred characters are split already, and those of a thousand are several blocks."""


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("threads", [1, 2, 100])
def test_a_text_read_in_parts_ends_in_the_state_of_one_stream(cell: Any, threads: int) -> None:
    file = random_model(cell=cell)
    network = NumpyNetwork(file.settings, file.tensors)
    for length in (0, 1, 50, 249, 250, 251, 299, 349, 350, 351, 950, 1000, 2000, 2777):
        ids = file.vocabulary.encode(some_text(length, seed=length))
        state = read_long(network, np.full((3, 1), 2), network.zero_state(1))
        one = read_long(network, ids[:, None], state)
        for end in (0, 50):
            several = read_in_parts(network, ids, state, threads, SHORT, end)
            tolerance = 1e-5 if end else SHORT.tolerance  # what is read as one stream at the end makes it exact
            assert state_distance(several, one)[0] < tolerance, (length, end)


def test_a_mixture_read_in_parts_ends_in_the_state_of_one_stream() -> None:
    """What it keeps of the text besides the network's state, too: without that it would predict something else."""
    text = "abcabcaabbc\nabc" * 130
    model = Model(with_counts(random_model(), text))
    ids = model.vocabulary.encode(text)
    state = model.network.zero_state(1)
    one = read_long(model.network, ids[:, None], state)
    several = read_in_parts(model.network, ids, state, 2, SHORT, end=50)
    assert len(one.history) > 0
    np.testing.assert_array_equal(several.history, one.history)
    assert state_distance(several, one)[0] < 1e-5
    nats = [
        np.concatenate(list(Scorer(model.network, model.vocabulary, division).surprisals([ids])))
        for division in (ONE_STREAM, SHORT)
    ]
    np.testing.assert_allclose(nats[1], nats[0], rtol=0, atol=2e-3)


class Widths(NumpyNetwork):
    """A network that notes how many sequences it reads side by side, and how much of each in all."""

    def __init__(self, file: ModelFile) -> None:
        super().__init__(file.settings, file.tensors)
        self.steps: dict[int, int] = {}

    def read(self, ids: np.ndarray[Any, Any], state: State) -> State:
        self.steps[ids.shape[1]] = self.steps.get(ids.shape[1], 0) + len(ids)
        return super().read(ids, state)


def test_most_of_a_long_prompt_is_read_by_many_parts_at_once() -> None:
    network = Widths(random_model("ab", hidden=2, layers=1))
    ids = np.random.default_rng(0).integers(1, 3, 1_300_000).astype(np.uint8)
    read_in_parts(network, ids, network.zero_state(1))
    assert max(network.steps) == PROMPT.most
    assert sum(network.steps.values()) < len(ids) / 50  # time steps, of which one takes little longer for many parts


def test_memory_does_not_depend_on_the_length_of_a_prompt() -> None:
    file = random_model("ab", hidden=2, layers=1)
    network = NumpyNetwork(file.settings, file.tensors)
    division = dataclasses.replace(EXACT, most=16)
    short, long = (
        peak_memory(read_in_parts, network, np.ones(size, np.uint8), network.zero_state(1), 1, division)
        for size in (300_000, 900_000)
    )
    assert long < 1.1 * short

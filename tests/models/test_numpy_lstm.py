"""The numpy network: equal to the equations written out, equal to torch's, and a state that is a value."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from helpers import random_tensors

from charlstm.config import CELLS, ModelSettings
from charlstm.models.interface import Floats, State
from charlstm.models.numpy_lstm import NumpyNetwork
from charlstm.models.torch_lstm import TorchLanguageModel, TorchNetwork

VOCABULARY, HIDDEN, EMBEDDING, TIME = 7, 6, 5, 9
BATCHES = (1, 5)
LAYERS = (1, 2, 3)

every_shape = pytest.mark.parametrize(
    ("cell", "layers", "batch"), [(cell, layers, batch) for cell in CELLS for layers in LAYERS for batch in BATCHES]
)
every_start = pytest.mark.parametrize("start", ["zero", "random"])
every_cell = pytest.mark.parametrize("cell", CELLS)


def network_of(cell: Any, layers: int, dtype: Any = np.float64) -> NumpyNetwork:
    settings = ModelSettings(VOCABULARY, layers, HIDDEN, EMBEDDING, cell)
    return NumpyNetwork(settings, random_tensors(settings, seed=layers, scale=0.6), dtype)


def some_ids(batch: int, time: int = TIME, seed: int = 0) -> np.ndarray[Any, Any]:
    """Random ids (T, B); the first row is the start symbol."""
    ids = np.random.default_rng(seed).integers(0, VOCABULARY, (time, batch))
    ids[0] = VOCABULARY
    return ids


def state_of(network: NumpyNetwork, batch: int, start: str) -> State:
    state = network.zero_state(batch)
    if start == "zero":
        return state
    rng = np.random.default_rng(5)
    return State(*(rng.uniform(-1, 1, part.shape).astype(part.dtype) for part in state))


def assert_same_state(first: State, second: State, atol: float) -> None:
    for name in State._fields:
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=0, atol=atol, err_msg=name)


# ------------------------------------------------------------------------- the equations, number by number

Vector = list[float]


def sigmoid(a: float) -> float:
    return 1.0 / (1.0 + math.exp(-a))


def product(rows: Any, vector: Vector) -> Vector:
    """A matrix by a vector."""
    return [sum(float(weight) * value for weight, value in zip(row, vector, strict=True)) for row in rows]


def textbook_layer(cell_name: str, part: dict[str, Any], x: Vector, h: Vector, c: Vector) -> tuple[Vector, Vector]:
    """One step of one layer of one sequence."""
    wx, uh = product(part["weight_ih_l0"], x), product(part["weight_hh_l0"], h)
    b, d = [float(v) for v in part["bias_ih_l0"]], [float(v) for v in part["bias_hh_l0"]]
    n = len(h)
    new_h, new_c = [], []
    for unit in range(n):
        if cell_name == "lstm":
            i, f, g, o = (wx[at] + uh[at] + b[at] + d[at] for at in range(unit, 4 * n, n))
            memory = sigmoid(f) * c[unit] + sigmoid(i) * math.tanh(g)
            new_c.append(memory)
            new_h.append(sigmoid(o) * math.tanh(memory))
        elif cell_name == "gru":
            r, z = (sigmoid(wx[at] + uh[at] + b[at] + d[at]) for at in (unit, unit + n))
            at = unit + 2 * n
            candidate = math.tanh(wx[at] + b[at] + r * (uh[at] + d[at]))
            new_h.append((1 - z) * candidate + z * h[unit])
        else:
            new_h.append(math.tanh(wx[unit] + uh[unit] + b[unit] + d[unit]))
    return new_h, new_c


def textbook(
    settings: ModelSettings, tensors: dict[str, Any], ids: np.ndarray[Any, Any], state: State
) -> tuple[Floats, State]:
    """The whole network, one number at a time."""
    time, batch = ids.shape
    logits = np.zeros((time, batch, settings.vocab_size))
    hidden, cell = state.hidden.astype(np.float64), state.cell.astype(np.float64)
    for sequence in range(batch):
        for t in range(time):
            x = [float(v) for v in tensors["embedding.weight"][ids[t, sequence]]]
            for layer in range(settings.layers):
                part = {name.split(".")[2]: value for name, value in tensors.items() if f"layers.{layer}." in name}
                c = cell[layer, sequence].tolist() if settings.cell == "lstm" else []
                h, c = textbook_layer(settings.cell, part, x, hidden[layer, sequence].tolist(), c)
                hidden[layer, sequence] = h
                if settings.cell == "lstm":
                    cell[layer, sequence] = c
                x = [a + b for a, b in zip(h, x, strict=True)] if layer else h
            rows, bias = tensors["head.weight"], tensors["head.bias"]
            logits[t, sequence] = [a + float(b) for a, b in zip(product(rows, x), bias, strict=True)]
    return logits, State(hidden, cell, state.history)


@every_shape
@every_start
def test_the_numpy_network_computes_the_textbook_equations(cell: str, layers: int, batch: int, start: str) -> None:
    network = network_of(cell, layers)
    tensors = random_tensors(network.settings, seed=layers, scale=0.6)
    ids, state = some_ids(batch), state_of(network, batch, start)
    expected, expected_state = textbook(network.settings, tensors, ids, state)
    logits, after = network.logits(ids, state)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-10)
    assert_same_state(after, expected_state, 1e-10)


# ---------------------------------------------------------------------------------- the same as torch's


@every_shape
@every_start
def test_the_numpy_network_equals_the_torch_model(cell: str, layers: int, batch: int, start: str) -> None:
    network = network_of(cell, layers, np.float32)
    model = TorchNetwork(network.settings, dropout=0.5, dropconnect=0.5).eval()
    model.load(random_tensors(network.settings, seed=layers, scale=0.6))
    ids, state = some_ids(batch), state_of(network, batch, start)
    logits, after = network.logits(ids, state)

    parts = [state.hidden, state.cell] if cell == "lstm" else [state.hidden]
    torch_state = [tuple(torch.tensor(part[layer : layer + 1]) for part in parts) for layer in range(layers)]
    with torch.no_grad():
        torch_logits, torch_after = model(torch.tensor(ids), torch_state)
    np.testing.assert_allclose(logits, torch_logits.numpy(), rtol=0, atol=1e-5)
    for layer in range(layers):
        np.testing.assert_allclose(after.hidden[layer], torch_after[layer][0][0], rtol=0, atol=1e-5)
        if cell == "lstm":
            np.testing.assert_allclose(after.cell[layer], torch_after[layer][1][0], rtol=0, atol=1e-5)

    wrapped = TorchLanguageModel(model)
    wrapped_logits, wrapped_after = wrapped.logits(ids, state)
    np.testing.assert_allclose(logits, wrapped_logits, rtol=0, atol=1e-5)
    assert_same_state(after, wrapped_after, 1e-5)
    assert_same_state(network.zero_state(batch), wrapped.zero_state(batch), 0.0)
    assert [part.shape for part in after] == [part.shape for part in wrapped_after]


# -------------------------------------------------------------------------- reading, and what is remembered


@every_shape
@every_start
def test_reading_step_by_step_equals_reading_at_once(cell: str, layers: int, batch: int, start: str) -> None:
    network = network_of(cell, layers)
    ids, state = some_ids(batch), state_of(network, batch, start)
    at_once, after = network.logits(ids, state)
    walking = state
    for t in range(TIME):
        logits, walking = network.step(ids[t], walking)
        assert logits.shape == (batch, VOCABULARY)
        np.testing.assert_allclose(logits, at_once[t], rtol=0, atol=1e-12)
    assert_same_state(walking, after, 1e-12)
    assert_same_state(network.read(ids, state), after, 0.0)


@every_cell
def test_reading_in_two_parts_equals_reading_at_once(cell: str) -> None:
    network = network_of(cell, 2)
    ids = some_ids(3)
    whole, after = network.logits(ids, network.zero_state(3))
    for cut in range(TIME + 1):
        first, between = network.logits(ids[:cut], network.zero_state(3))
        second, end = network.logits(ids[cut:], between)
        np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=0, atol=1e-12)
        assert_same_state(end, after, 1e-12)


@every_cell
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_a_state_that_is_passed_in_is_never_changed(cell: str, batch: int, library: str) -> None:
    numpy_network = network_of(cell, 2, np.float32)
    network = numpy_network if library == "numpy" else TorchLanguageModel(TorchNetwork(numpy_network.settings))
    ids, state = some_ids(batch), state_of(numpy_network, batch, "random")
    before = copy.deepcopy(state)
    first, after = network.step(ids[1], state)
    kept = copy.deepcopy(after)
    network.logits(ids, state)
    network.read(ids, state)
    network.step(ids[2], after)
    assert_same_state(state, before, 0.0)
    assert_same_state(after, kept, 0.0)
    np.testing.assert_array_equal(network.step(ids[1], state)[0], first)  # the same question, the same answer


@every_cell
def test_the_tensors_that_are_passed_in_are_never_changed(cell: Any) -> None:
    settings = ModelSettings(VOCABULARY, 2, HIDDEN, EMBEDDING, cell)
    tensors = random_tensors(settings)
    network = NumpyNetwork(settings, tensors)
    network.logits(some_ids(1), network.zero_state(1))
    network.step(some_ids(1)[1], network.zero_state(1))
    for name, tensor in random_tensors(settings).items():
        np.testing.assert_array_equal(tensors[name], tensor)


@every_cell
def test_sequences_do_not_know_of_each_other(cell: str) -> None:
    network = network_of(cell, 3)
    ids, state = some_ids(5), state_of(network, 5, "random")
    together, after = network.logits(ids, state)
    for sequence in range(5):
        alone, after_alone = network.logits(ids[:, sequence : sequence + 1], state.select([sequence]))
        np.testing.assert_allclose(alone[:, 0], together[:, sequence], rtol=0, atol=1e-12)
        assert_same_state(after_alone, after.select([sequence]), 1e-12)


@every_cell
@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ([2], [2]),
        ([4, 0, 0], [4, 0, 0]),
        (slice(1, 3), [1, 2]),
        (np.array([True, False, False, True, False]), [0, 3]),
        (np.zeros(5, dtype=bool), []),
    ],
)
def test_sequences_of_a_state_are_chosen_by_any_index(cell: str, chosen: Any, expected: list[int]) -> None:
    network = network_of(cell, 2)
    state = state_of(network, 5, "random")
    part = state.select(chosen)
    assert part.hidden.shape == (2, len(expected), HIDDEN)
    assert part.cell.shape == (2 if cell == "lstm" else 0, len(expected), HIDDEN)
    for index, sequence in enumerate(expected):
        np.testing.assert_array_equal(part.hidden[:, index], state.hidden[:, sequence])
        np.testing.assert_array_equal(part.cell[:, index], state.cell[:, sequence])


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
def test_ids_of_any_integer_type_are_read_alike(batch: int, dtype: Any) -> None:
    network = network_of("lstm", 2)
    ids, state = some_ids(batch), network.zero_state(batch)
    expected, _ = network.logits(ids, state)
    np.testing.assert_array_equal(network.logits(ids.astype(dtype), state)[0], expected)
    np.testing.assert_allclose(network.step(ids[0].astype(dtype), state)[0], expected[0], rtol=0, atol=1e-12)


@every_cell
def test_the_numpy_network_stays_in_its_precision(cell: str) -> None:
    for dtype in (np.float32, np.float64):
        network = network_of(cell, 2, dtype)
        for batch in BATCHES:
            for logits, state in (
                network.logits(some_ids(batch), network.zero_state(batch)),
                network.step(some_ids(batch)[0], network.zero_state(batch)),
            ):
                assert {logits.dtype, state.hidden.dtype, state.cell.dtype} == {np.dtype(dtype)}


@every_cell
def test_saturated_gates_stay_finite_and_silent(cell: Any) -> None:
    settings = ModelSettings(VOCABULARY, 2, HIDDEN, EMBEDDING, cell)
    network = NumpyNetwork(settings, random_tensors(settings, scale=1e4))
    logits, state = network.logits(some_ids(2), network.zero_state(2))  # a warning would be an error here
    assert np.isfinite(logits).all()
    assert np.abs(state.hidden).max() <= 1

"""The benchmark of vanishing gradients computes exact gradients, and averages them over a text."""

from __future__ import annotations

import gradients
import numpy as np
import pytest
from helpers import random_tensors
from numpy.typing import NDArray

from charlstm.config import CELLS, CellName, ModelSettings
from charlstm.inference.scoring import surprisal
from charlstm.models.interface import State
from charlstm.models.numpy_lstm import NumpyNetwork
from charlstm.models.torch_lstm import TorchNetwork

LONGEST = 6


def example(cell: CellName) -> tuple[ModelSettings, NDArray[np.int64]]:
    """A tiny network's shape, and texts (T, B)."""
    return ModelSettings(7, 2, 5, 4, cell), np.random.default_rng(0).integers(0, 7, (12, 3))


def torch_network(settings: ModelSettings) -> TorchNetwork:
    network = TorchNetwork(settings)
    network.load(random_tensors(settings, scale=0.7))
    return network


def finite_difference(settings: ModelSettings, ids: NDArray[np.int64], k: int, parts: str) -> NDArray[np.float64]:
    """Norms (B,) by central differences of the plain equations in float64, a number of the state at a time."""
    reference = NumpyNetwork(settings, random_tensors(settings, scale=0.7), np.float64)
    state = reference.read(ids[: -k - 1], reference.zero_state(ids.shape[1]))

    def loss(changed: State) -> NDArray[np.float64]:
        logits, _ = reference.logits(ids[-k - 1 : -1], changed)
        return np.asarray(surprisal(logits[-1], ids[-1]))

    squares = np.zeros(ids.shape[1])
    for name in parts.split():
        values = getattr(state, name)  # (L, B, H)
        for layer, unit in np.ndindex(values.shape[0], values.shape[2]):
            both = []
            for move in (1e-5, -1e-5):
                moved = values.copy()
                moved[layer, :, unit] += move
                both.append(loss(state._replace(**{name: moved})))
            squares += ((both[0] - both[1]) / 2e-5) ** 2
    return np.sqrt(squares)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_those_of_finite_differences(cell: CellName) -> None:
    settings, ids = example(cell)
    found = gradients.gradient_norms(torch_network(settings), ids, LONGEST)
    assert set(found) == ({"state", "cell"} if cell == "lstm" else {"state"})
    for name, parts in {"state": "hidden cell", "cell": "cell"}.items():
        if name in found:
            wanted = [finite_difference(settings, ids, k, parts) for k in range(1, LONGEST + 1)]
            assert found[name].shape == (LONGEST, ids.shape[1])
            np.testing.assert_allclose(found[name], wanted, rtol=1e-3)


def test_gradients_too_small_for_float32_are_found() -> None:
    settings, _ = example("rnn")
    network = TorchNetwork(settings)
    network.load(random_tensors(settings, scale=0.05))
    ids = np.random.default_rng(0).integers(0, 7, (62, 1))
    norms = gradients.gradient_norms(network, ids, 60)["state"][:, 0]
    assert 0 < norms[-1] < 1e-46
    assert np.all(np.diff(np.log(norms[20:])) < 0)


def test_the_average_is_over_places_from_the_beginning_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "WARM", 3)
    monkeypatch.setattr(gradients, "TOGETHER", 2)
    settings, _ = example("lstm")
    ids = np.random.default_rng(1).integers(0, 7, 50)
    network = torch_network(settings)
    length = 3 + LONGEST + 1
    each = [
        gradients.gradient_norms(network, ids[begin : begin + length, None], LONGEST)["cell"][:, 0]
        for begin in (0, 20, 40)
    ]
    found = gradients.averaged(network, ids, LONGEST, places=3)["cell"]
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=1e-4)


def test_the_distance_from_which_on_little_is_left() -> None:
    assert gradients.remembered(np.array([1.0, 0.5, 0.001, 0.02, 0.009, 0.0])) == 5
    assert gradients.remembered(np.array([1.0, 0.5, 0.001, 0.02])) is None

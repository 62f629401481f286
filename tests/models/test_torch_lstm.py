"""The torch network: its start, what acts in training only, its tensors, and torch's own module as a witness."""

from __future__ import annotations

import dataclasses
import sys
import threading
from typing import Any

import numpy as np
import pytest
import torch
from helpers import random_tensors
from torch import nn

from charlstm.config import CELLS, ModelSettings
from charlstm.models.dropout import Noise
from charlstm.models.numpy_lstm import NumpyNetwork
from charlstm.models.torch_lstm import TorchLanguageModel, TorchNetwork

VOCABULARY, HIDDEN, EMBEDDING, TIME, BATCH = 9, 8, 5, 12, 4

every_cell = pytest.mark.parametrize("cell", CELLS)


def model_of(cell: Any = "lstm", layers: int = 2, *, seed: int = 0, **options: Any) -> TorchNetwork:
    return TorchNetwork(ModelSettings(VOCABULARY, layers, HIDDEN, EMBEDDING, cell), seed=seed, **options)


def some_ids() -> torch.Tensor:
    return torch.tensor(np.random.default_rng(0).integers(0, VOCABULARY + 1, (TIME, BATCH)))


def logits_of(model: TorchNetwork, seed: int = 0) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = model(some_ids(), model.zero_state(BATCH), Noise(seed, 0))[0]
    return logits


# ---------------------------------------------------------------------------------------- a fresh model


def test_a_seed_gives_the_same_parameters_while_other_threads_draw_too() -> None:
    expected = {seed: nn.utils.parameters_to_vector(model_of(seed=seed).parameters()) for seed in (1, 2)}
    assert not torch.equal(expected[1], expected[2])
    drawn: dict[int, list[torch.Tensor]] = {1: [], 2: []}

    def draw(seed: int) -> None:
        for _ in range(20):
            drawn[seed].append(nn.utils.parameters_to_vector(model_of(seed=seed).parameters()))

    before = torch.get_rng_state()
    threads = [threading.Thread(target=draw, args=[seed]) for seed in drawn]
    often = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(often)
    assert torch.equal(torch.get_rng_state(), before)
    for seed, parameters in drawn.items():
        assert all(torch.equal(one, expected[seed]) for one in parameters)
        assert len(parameters) == 20


@pytest.mark.parametrize("layers", [1, 3])
def test_forget_gates_start_open_and_a_quarter_of_the_units_with_time_constants_of_their_own(layers: int) -> None:
    model = model_of("lstm", layers)
    quarter = HIDDEN // 4
    for layer in model.layers:
        parts = dict(layer.named_parameters())
        # torch's order: input, forget, cell, output
        enter, forget, cell, out = (parts["bias_ih_l0"] + parts["bias_hh_l0"]).detach().reshape(4, HIDDEN)
        assert not cell.any()
        assert not out.any()
        assert forget[quarter:].tolist() == [1.0] * (HIDDEN - quarter)
        assert not enter[quarter:].any()
        kept = torch.sigmoid(forget[:quarter])
        lengths = 1 / (1 - kept) - 1  # in characters, of what fades by that factor a step
        assert lengths[0] == pytest.approx(1)
        assert lengths[-1] == pytest.approx(500, rel=1e-3)
        assert torch.allclose(lengths.log().diff(n=2), torch.zeros(quarter - 2), atol=1e-3)
        assert torch.allclose(torch.sigmoid(enter[:quarter]), 1 - kept)


@every_cell
def test_a_fresh_model_has_the_tensors_that_its_settings_name(cell: str) -> None:
    model = model_of(cell, 3)
    assert {name: tensor.shape for name, tensor in model.tensors().items()} == model.settings.shapes()
    assert sum(parameter.numel() for parameter in model.parameters()) == model.settings.parameters()


@every_cell
def test_the_same_seed_makes_the_same_fresh_model(cell: str) -> None:
    first, second, other = (model_of(cell, seed=seed).tensors() for seed in (3, 3, 4))
    assert all((first[name] == second[name]).all() for name in first)
    assert (first["head.weight"] != other["head.weight"]).any()


# ---------------------------------------------------------------------------- what acts in training only


@every_cell
@pytest.mark.parametrize("option", ["dropout", "dropconnect"])
def test_dropping_acts_in_training_only(cell: str, option: str) -> None:
    options: dict[str, Any] = {option: 0.5}
    model = model_of(cell, **options)
    plain = model_of(cell)
    training = logits_of(model.train(), seed=1)
    assert not torch.equal(training, logits_of(model, seed=2))
    assert torch.equal(training, logits_of(model, seed=1))
    assert torch.equal(logits_of(model.eval(), seed=1), logits_of(model, seed=2))
    assert torch.equal(logits_of(model), logits_of(plain.eval()))


@every_cell
def test_without_dropping_training_computes_what_evaluation_computes(cell: str) -> None:
    model = model_of(cell)
    torch.testing.assert_close(logits_of(model.train()), logits_of(model.eval()), rtol=0, atol=1e-6)


def test_dropout_keeps_the_mean_of_what_it_drops() -> None:
    model = model_of("lstm", 1, dropout=0.4).train()
    values = torch.ones(3, 200, 200)
    dropped = model._dropped(values, Noise(0, 0))  # noqa: SLF001  # what it drops cannot be seen from outside the network
    assert set(dropped.flatten().tolist()) == {0.0, dropped.max().item()}
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.02)
    assert not torch.equal(dropped[0], dropped[1])  # a mask of its own for each time step


def test_evaluation_ignores_the_precision_of_training() -> None:
    assert torch.equal(logits_of(model_of(precision=torch.bfloat16).eval()), logits_of(model_of().eval()))


@every_cell
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_every_parameter_gets_a_finite_gradient_in_float32(cell: str, precision: torch.dtype) -> None:
    model = model_of(cell, dropout=0.1, dropconnect=0.1, precision=precision).train()
    logits, state = model(some_ids(), model.zero_state(BATCH), Noise(0, 0))
    assert logits.dtype == torch.float32
    assert {part.dtype for layer in state for part in layer} == {torch.float32}
    loss = nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), some_ids().reshape(-1) % VOCABULARY)
    torch.autograd.backward(loss)
    for name, parameter in model.named_parameters():
        assert parameter.dtype == torch.float32, name
        assert parameter.grad is not None, name
        assert parameter.grad.dtype == torch.float32, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


@every_cell
def test_a_step_computes_on_the_model_s_device_alone(cell: str) -> None:
    model = model_of(cell, dropout=0.3, dropconnect=0.3).to("meta").train()  # a device without numbers, as good as any
    logits, state = model(some_ids().to("meta"), model.zero_state(BATCH), Noise(1, 2, device="meta"))
    logits.mean().backward()  # "meta" and "cpu" in one operation are an error
    tensors = [logits, *state[0], *(weight.grad for weight in model.parameters())]
    assert {tensor.device.type for tensor in tensors if tensor is not None} == {"meta"}


def test_a_stream_s_dropout_does_not_depend_on_who_computes_the_others() -> None:
    model = model_of(dropout=0.3, dropconnect=0.2).train()
    ids = some_ids()
    whole, _ = model(ids, model.zero_state(BATCH), Noise(1, 2))
    for begin, end in ((0, 1), (1, BATCH), (1, 1)):
        noise = Noise(1, 2, begin, BATCH - end)
        part, _ = model(ids[:, begin:end], model.zero_state(end - begin), noise)
        torch.testing.assert_close(part, whole[:, begin:end])


@every_cell
def test_bfloat16_training_computes_nearly_the_same(cell: str) -> None:
    low, full = logits_of(model_of(cell, precision=torch.bfloat16).train()), logits_of(model_of(cell).train())
    assert not torch.equal(low, full)  # the option does something
    assert (low - full).abs().max() < 0.05


# ------------------------------------------------------------------------------------- tensors and witness


@every_cell
def test_tensors_and_load_are_inverse(cell: str) -> None:
    model, other = model_of(cell, seed=1), model_of(cell, seed=2)
    expected = logits_of(model.eval())
    tensors = model.tensors()
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float32)}
    other.load(tensors)
    assert torch.equal(logits_of(other.eval()), expected)
    for name, tensor in other.tensors().items():
        np.testing.assert_array_equal(tensor, tensors[name])


def test_tensors_are_a_copy_both_ways() -> None:
    model = model_of()
    expected = logits_of(model.eval())
    tensors = model.tensors()
    for tensor in tensors.values():
        tensor += 1.0
    assert torch.equal(logits_of(model), expected)
    model.load(tensors)
    changed = logits_of(model)
    for tensor in tensors.values():
        tensor += 1.0
    assert torch.equal(logits_of(model), changed)


def test_tensors_that_may_not_be_written_to_are_loaded_in_silence() -> None:
    model, tensors = model_of(seed=1), model_of(seed=2).tensors()
    for tensor in tensors.values():
        tensor.flags.writeable = False
    model.load(tensors)  # a warning would be an error here
    assert torch.equal(logits_of(model.eval()), logits_of(model_of(seed=2).eval()))


def test_load_refuses_tensors_of_another_shape() -> None:
    other = random_tensors(ModelSettings(VOCABULARY, 2, HIDDEN + 1, EMBEDDING))
    with pytest.raises(RuntimeError, match="size mismatch"):
        model_of().load(other)


@pytest.mark.parametrize(
    ("cell", "layer_type"), [("lstm", nn.LSTM), ("gru", nn.GRU), ("rnn", nn.RNN)], ids=["lstm", "gru", "rnn"]
)
@pytest.mark.parametrize("training", [False, True])
def test_torchs_own_module_gives_the_same(cell: str, layer_type: Any, training: bool) -> None:
    model = model_of(cell, 1).train(training)
    tensors = {name: torch.from_numpy(tensor) for name, tensor in model.tensors().items()}
    module = layer_type(EMBEDDING, HIDDEN)
    module.load_state_dict({name.split(".")[2]: value for name, value in tensors.items() if "layers.0." in name})
    ids = some_ids()
    with torch.no_grad():
        outputs, last = module(tensors["embedding.weight"][ids])
        expected = outputs @ tensors["head.weight"].T + tensors["head.bias"]
        logits, state = model(ids, model.zero_state(BATCH))
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-6)
    for part, expected_part in zip(state[0], last if cell == "lstm" else (last,), strict=True):
        torch.testing.assert_close(part, expected_part, rtol=0, atol=1e-6)


def test_the_second_layers_input_is_added_to_its_output() -> None:
    model = model_of("lstm", 2).eval()
    with torch.no_grad():
        for parameter in model.layers[1].parameters():
            parameter.zero_()  # a layer that says nothing: only its input passes
    alone = model_of("lstm", 1).eval()
    alone.load({name: tensor for name, tensor in model.tensors().items() if "layers.1." not in name})
    torch.testing.assert_close(logits_of(model), logits_of(alone), rtol=0, atol=1e-6)


def test_the_torch_network_evaluates_and_keeps_no_gradient() -> None:
    model = model_of(dropout=0.5, dropconnect=0.5).train()
    network = TorchLanguageModel(model)
    assert not model.training
    ids = some_ids().numpy()
    first, state = network.logits(ids, network.zero_state(BATCH))
    second, _ = network.logits(ids, network.zero_state(BATCH))
    np.testing.assert_array_equal(first, second)
    step, after = network.step(ids[0], state)
    np.testing.assert_array_equal(step, network.logits(ids[:1], state)[0][0])
    np.testing.assert_array_equal(after.hidden, network.read(ids[:1], state).hidden)


@pytest.mark.parametrize("cell", CELLS)
def test_with_a_larger_vocabulary_a_pretrained_model_predicts_as_before(cell: str) -> None:
    small = ModelSettings(vocab_size=6, layers=2, hidden=8, embedding=5, cell=cell)  # type: ignore[arg-type]
    larger = dataclasses.replace(small, vocab_size=9)
    tensors = random_tensors(small)
    grown = TorchNetwork(larger)
    grown.load_pretrained(tensors)
    ids = np.array([[6], [1], [5], [0]])  # begins with the small vocabulary's start symbol
    old = NumpyNetwork(small, tensors)
    before, _ = old.logits(ids, old.zero_state(1))
    ids[0] = 9  # the larger one's
    new = NumpyNetwork(larger, grown.tensors())
    after, _ = new.logits(ids, new.zero_state(1))
    np.testing.assert_allclose(after[..., :6], before, atol=1e-5)
    assert np.isfinite(after[..., 6:]).all()
    new.logits(np.array([[8]]), new.zero_state(1))  # a new character can be read

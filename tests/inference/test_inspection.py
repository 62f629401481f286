"""Gates, half-lives and units, against arithmetic written down here, numpy's own and torch's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from helpers import ALPHABET, peak_memory, random_model, random_tensors

from charlstm.config import ModelSettings
from charlstm.data.vocabulary import Vocabulary
from charlstm.errors import TextError, UsageError
from charlstm.inference import inspection
from charlstm.inference.inspection import (
    check_unit,
    gate_index,
    gate_values,
    observe,
    report,
    unit_values,
)
from charlstm.inference.parallel import Division
from charlstm.inference.properties import PROPERTIES, PropertyReader
from charlstm.models.file import ModelFile
from charlstm.models.numpy_lstm import GATE_NAMES, NumpyNetwork

TEXT = "abc fed\n\nhg ab a bad cab\nhead\n" * 4
CELLS = ("lstm", "gru", "rnn")


def network_of(file: ModelFile) -> NumpyNetwork:
    return NumpyNetwork(file.settings, file.tensors)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def plain_steps(file: ModelFile, ids: list[int]) -> list[list[dict[str, Any]]]:
    """The equations as the literature writes them, in float64: for each step, of each layer the gates and the unit."""
    w = {name: tensor.astype(np.float64) for name, tensor in file.tensors.items()}
    size, cell = file.settings.hidden, file.settings.cell
    hidden = [np.zeros(size) for _ in range(file.settings.layers)]
    memory = [np.zeros(size) for _ in range(file.settings.layers)]
    steps = []
    for symbol in ids:
        x, seen = w["embedding.weight"][symbol], []
        for n in range(file.settings.layers):
            at, h = f"layers.{n}.", hidden[n]
            a = w[at + "weight_ih_l0"] @ x + w[at + "bias_ih_l0"]
            b = w[at + "weight_hh_l0"] @ h + w[at + "bias_hh_l0"]
            if cell == "lstm":
                i, f, g, o = np.split(a + b, 4)
                memory[n] = sigmoid(f) * memory[n] + sigmoid(i) * np.tanh(g)
                hidden[n] = sigmoid(o) * np.tanh(memory[n])
                gates = {"input": sigmoid(i), "forget": sigmoid(f), "output": sigmoid(o), "candidate": np.tanh(g)}
                seen.append({**gates, "unit": np.tanh(memory[n])})
            elif cell == "gru":
                (ar, az, an), (br, bz, bn) = np.split(a, 3), np.split(b, 3)
                r, z = sigmoid(ar + br), sigmoid(az + bz)
                candidate = np.tanh(an + r * bn)
                hidden[n] = (1 - z) * candidate + z * h
                seen.append({"reset": r, "update": z, "candidate": candidate, "unit": hidden[n]})
            else:
                hidden[n] = np.tanh(a + b)
                seen.append({"unit": hidden[n]})
            x = hidden[n] if n == 0 else x + hidden[n]
        steps.append(seen)
    return steps


@pytest.mark.parametrize("cell", CELLS)
def test_gates_and_units_are_those_of_the_equations(cell: str) -> None:
    file = random_model(cell=cell, layers=3)
    network = network_of(file)
    stretches = list(observe(network, file.vocabulary, [TEXT[:20], TEXT[20:40]]))
    ids = [file.vocabulary.start, *map(int, file.vocabulary.encode(TEXT[:40]))]
    wanted = plain_steps(file, ids)[1:]
    assert "".join(stretch.text for stretch in stretches) == TEXT[:40]
    for layer in range(3):
        for unit in (0, 7):
            seen = np.concatenate([unit_values(stretch, layer, unit) for stretch in stretches])
            np.testing.assert_allclose(seen, [step[layer]["unit"][unit] for step in wanted], atol=2e-6)
        for index, name in enumerate(GATE_NAMES[file.settings.cell]):
            seen = np.concatenate([gate_values(stretch, index, layer) for stretch in stretches])
            np.testing.assert_allclose(seen, [step[layer][name].mean() for step in wanted], atol=2e-6)
    for index, name in enumerate(GATE_NAMES[file.settings.cell]):
        everywhere = np.concatenate([gate_values(stretch, index) for stretch in stretches])
        np.testing.assert_allclose(everywhere, [np.mean([of[name] for of in step]) for step in wanted], atol=2e-6)


def test_the_cell_states_are_torchs() -> None:
    import torch

    from charlstm.models.torch_lstm import TorchNetwork

    file = random_model()
    theirs = TorchNetwork(file.settings)
    theirs.load(file.tensors)
    theirs.eval()
    ids = np.concatenate([[file.vocabulary.start], file.vocabulary.encode(TEXT[:30])]).astype(np.int64)
    (last,) = observe(network_of(file), file.vocabulary, [TEXT[:30]])
    with torch.no_grad():
        _, state = theirs(torch.from_numpy(ids[:, None]), theirs.zero_state(1))
    for layer, (hidden, cell) in enumerate(state):
        np.testing.assert_allclose(last.trace.hidden[-1, 0, layer], hidden[0, 0].numpy(), atol=1e-5)
        np.testing.assert_allclose(last.trace.cell[-1, 0, layer], cell[0, 0].numpy(), atol=1e-5)


def test_each_line_of_a_model_of_lines_begins_anew() -> None:
    file = random_model(lines=True)
    alone = list(observe(network_of(file), file.vocabulary, ["ab\n"]))
    seen = list(observe(network_of(file), file.vocabulary, ["cab\na", "b"], lines=True))
    assert [(stretch.text, stretch.first) for stretch in seen] == [("cab\n", True), ("ab\n", True)]
    np.testing.assert_array_equal(seen[1].trace.gates, alone[0].trace.gates)


def test_a_long_text_in_parts_side_by_side_gives_the_figures_of_one_stream() -> None:
    file = random_model(hidden=8)
    network, rng = network_of(file), np.random.default_rng(0)
    text = "".join(rng.choice(list('abc fed"\n'), 11 * 4096 + 77))
    seen = report(network, file.vocabulary, [text[:100], text[100:]])
    traces = [stretch.trace for stretch in observe(network, file.vocabulary, [text])]
    units = np.concatenate([trace.units for trace in traces])[:, 0]
    forget = np.concatenate([trace.gates for trace in traces])[:, 0, :, 1].astype(np.float64)
    table = PropertyReader().read(text)
    assert seen.characters == len(text)
    np.testing.assert_allclose(seen.half_lives, math.log(2) / -np.log(forget).mean(axis=0), rtol=1e-3)
    for name, found in seen.correlations.items():
        wanted = np.corrcoef(units[:, 1, 3], table[:, PROPERTIES.index(name)])[0, 1]
        assert found[1, 3] == pytest.approx(wanted, abs=1e-3)


def test_properties_of_a_model_of_lines_are_those_of_each_line() -> None:
    file = random_model(lines=True)
    lines = ['"ab (c\n', "fed ab\n", 'a "bad" cab\n'] * 3
    seen = report(network_of(file), file.vocabulary, ["".join(lines)], lines=True)
    units = np.concatenate(
        [unit_values(s, 1, 4) for s in observe(network_of(file), file.vocabulary, lines, lines=True)]
    )
    table = np.concatenate([PropertyReader().read(line) for line in lines])
    for name in ("inside quotes", "depth of brackets"):
        wanted = np.corrcoef(units, table[:, PROPERTIES.index(name)])[0, 1]
        assert seen.correlations[name][1, 4] == pytest.approx(wanted, abs=1e-5)


def test_gates_and_half_lives_are_those_of_all_values() -> None:
    file = random_model(layers=2)
    seen = report(network_of(file), file.vocabulary, [TEXT])
    gates = np.concatenate([stretch.trace.gates for stretch in observe(network_of(file), file.vocabulary, [TEXT])])
    for layer in range(2):
        for index, name in enumerate(("input", "forget", "output")):
            values, use = gates[:, 0, layer, index], seen.gates[layer][name]
            assert use.mean == pytest.approx(values.mean(), abs=1e-5)
            if name == "forget":
                lives = math.log(2) / -np.log(values.astype(np.float64)).mean(axis=0)
                np.testing.assert_allclose(seen.half_lives[layer], lives, rtol=1e-4)
            assert [use.open, use.closed] == pytest.approx([(values > 0.9).mean(), (values < 0.1).mean()], abs=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_correlations_are_numpys(cell: str) -> None:
    file = random_model(cell=cell)
    text = '"a" (b) Bc. d\n' + TEXT
    seen = report(network_of(file), file.vocabulary, [text[:9], text[9:70], text[70:]])
    (whole,) = observe(network_of(file), file.vocabulary, [text])
    table = PropertyReader().read(text)
    for name, found in seen.correlations.items():
        for layer, unit in ((0, 0), (1, 5)):
            wanted = np.corrcoef(unit_values(whole, layer, unit), table[:, PROPERTIES.index(name)])[0, 1]
            assert found[layer, unit] == pytest.approx(wanted, abs=1e-5)
    assert "digit" not in seen.correlations  # there is none in the text
    best = seen.ranked("upper case", 1)[0]
    assert abs(best.r) == np.abs(seen.correlations["upper case"]).max()


def hand_made(forget: float = 0.0) -> ModelFile:
    """One layer of 4 lstm units over the characters of `'"ab\\n'`, all zero but where said: f of unit 3 as given."""
    settings = ModelSettings(5, 1, 4, 5, "lstm")
    tensors = {name: np.zeros(shape, np.float32) for name, shape in settings.shapes().items()}
    tensors["embedding.weight"][:5] = np.eye(5)
    tensors["layers.0.bias_ih_l0"][4 + 3] = math.log(forget / (1 - forget)) if forget else 0.0
    return ModelFile(settings, Vocabulary('"ab\n'), tensors)


@pytest.mark.parametrize("forget", [0.05, 0.5, 0.9, 0.999])
def test_the_half_life_of_a_constant_forget_gate(forget: float) -> None:
    file = hand_made(forget)
    seen = report(network_of(file), file.vocabulary, ["abba"])
    assert seen.half_lives[0, 3] == pytest.approx(math.log(2) / -math.log(forget), rel=1e-3)
    assert seen.half_lives[0, 0] == pytest.approx(1.0)  # a sigmoid of 0 is 1/2


def test_the_half_life_of_a_gru_is_of_its_update_gate_and_an_rnn_has_none() -> None:
    file = random_model(cell="gru", layers=1)
    for name in file.tensors:
        if name.startswith("layers."):
            file.tensors[name][:] = 0
    file.tensors["layers.0.bias_ih_l0"][12:24] = math.log(4)  # z = 0.8
    assert report(network_of(file), file.vocabulary, ["ab"]).half_lives == pytest.approx(math.log(2) / -math.log(0.8))
    plain = random_model(cell="rnn")
    assert report(network_of(plain), plain.vocabulary, ["ab"]).half_lives.size == 0


def test_a_unit_that_never_forgets_has_an_infinite_half_life() -> None:
    file = hand_made()
    file.tensors["layers.0.bias_ih_l0"][4:8] = 100
    assert np.isinf(report(network_of(file), file.vocabulary, ["ab"]).half_lives).all()


def keeping_quotes() -> ModelFile:
    """Unit 2: a quotation mark turns it round, everything else leaves it; the other units are noise.

    Its cell keeps (f = 1) but at a mark, where it takes in (i = 1) what it does not hold: g = -tanh(its own state).
    """
    file = hand_made()
    rng = np.random.default_rng(1)
    ih, hh = file.tensors["layers.0.weight_ih_l0"], file.tensors["layers.0.weight_hh_l0"]
    ih[:] = rng.standard_normal(ih.shape)
    i, f, g, o = (4 * gate + 2 for gate in range(4))
    ih[[i, f, g, o]] = 0
    bias = file.tensors["layers.0.bias_ih_l0"]
    mark = 1  # the id of the quotation mark
    bias[[i, f, g, o]] = -30, 30, -3, 30
    ih[i, mark], ih[f, mark] = 60, -60
    hh[g, 2] = -20  # h is about +-0.76
    return file


@pytest.mark.parametrize("quoted", [3, 1500])
def test_a_unit_that_is_inside_quotes_for_certain_is_ranked_first(quoted: int) -> None:
    """Also where quotations run on from one part of a long text into the next."""
    file = keeping_quotes()
    text = ("ab" * quoted + '"' + "ba" * quoted + '"ab\n') * 7
    seen = report(network_of(file), file.vocabulary, [text])
    best = seen.ranked("inside quotes", 1)[0]
    assert (best.layer, best.unit) == (0, 2)
    assert abs(best.r) > 0.95


def test_memory_does_not_grow_with_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "IN_PARTS", Division(most=2, fewest=2, shortest=1024, longest=1024, burn_in=64))
    file = random_model(hidden=32)
    network, piece = network_of(file), TEXT * 10
    report(network, file.vocabulary, [piece])
    short = peak_memory(report, network, file.vocabulary, (piece for _ in range(3)))
    long = peak_memory(report, network, file.vocabulary, (piece for _ in range(9)))
    assert long < 1.2 * short


def test_figures_do_not_depend_on_how_the_text_is_cut() -> None:
    file = random_model(cell="gru")
    whole = report(network_of(file), file.vocabulary, [TEXT])
    cut = report(network_of(file), file.vocabulary, list(TEXT))
    np.testing.assert_allclose(whole.half_lives, cut.half_lives, rtol=1e-5)
    assert whole.characters == cut.characters == len(TEXT)
    for name, table in whole.correlations.items():
        np.testing.assert_allclose(table, cut.correlations[name], atol=1e-5)


def test_what_is_not_there_is_refused_by_name() -> None:
    network = network_of(random_model(cell="gru"))
    with pytest.raises(UsageError, match="no layer 3: this model has layers 1 to 2"):
        check_unit(network, 2)
    with pytest.raises(UsageError, match="no unit 13: each layer of this model has units 1 to 12"):
        check_unit(network, 0, 12)
    with pytest.raises(UsageError, match=r"no forget gate: .* gru, has the gates reset, update"):
        gate_index(network, "forget")
    with pytest.raises(UsageError, match="rnn, has no gates"):
        gate_index(network_of(random_model(cell="rnn")), "update")
    with pytest.raises(UsageError, match="candidate"):
        gate_index(network, "candidate")
    with pytest.raises(TextError, match="empty"):
        report(network, Vocabulary(ALPHABET), [])


def test_tracing_ends_in_the_state_that_reading_ends_in() -> None:
    settings = ModelSettings(5, 3, 7, 3, "lstm")
    network = NumpyNetwork(settings, random_tensors(settings))
    ids = np.random.default_rng(0).integers(0, 5, (11, 3))
    state = network.zero_state(3)
    for traced, read in zip(network.trace(ids, state)[1], network.read(ids, state), strict=True):
        np.testing.assert_allclose(traced, read, atol=1e-6)

"""The pictures of docs/how-it-works.md: what happens inside a model of the tales while it reads a few lines.

python benchmarks/pictures.py MODEL [--folder docs/pictures]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from common import described, machine, report
from matplotlib import pyplot

import charlstm
from charlstm.config import SampleSettings
from charlstm.inference.inspection import observe, unit_values
from charlstm.inference.sampling import probabilities
from charlstm.inference.scoring import LN2
from charlstm.models.numpy_lstm import GATE_NAMES, NumpyNetwork, Trace

SAID = 'She put down her basket. "This is so cool!" she said. "It is," said the hill.\n'
PROMPT = "Once upon a "


def quotation_unit(network: NumpyNetwork, model: charlstm.Model, text: str) -> tuple[int, int]:
    """Layer and number of the unit that goes best with being inside quotation marks."""
    trace = next(observe(network, model.vocabulary, [text])).trace
    inside = np.cumsum([char == '"' for char in text]) % 2  # after each character
    units = trace.units[:, 0].reshape(len(text), -1)  # (T, L H)
    centred = units - units.mean(axis=0)
    spread = np.maximum(np.sqrt((centred**2).sum(axis=0)), 1e-6)
    correlations = np.abs(((inside - inside.mean()) @ centred) / spread)
    layer, unit = divmod(int(correlations.argmax()), network.settings.hidden)
    return layer, unit


def draw_gates(path: Path, trace: Trace, text: str, layer: int, unit: int) -> None:
    """One unit while it reads: its three gates, its candidate, its cell and its hidden state, a column a character."""
    gates = trace.gates[:, 0, layer, :, unit]  # (T, 4)
    rows = [*gates.T, np.tanh(trace.cell[:, 0, layer, unit]), trace.hidden[:, 0, layer, unit]]
    names = [f"{name} {letter}" for name, letter in zip(GATE_NAMES["lstm"], "ifog", strict=True)]
    figure, axes = pyplot.subplots(figsize=(13, 3.2))
    image = axes.imshow(np.array(rows), aspect="auto", cmap="PuOr", vmin=-1, vmax=1)
    axes.set_yticks(range(len(rows)), [*names, "cell tanh(c)", "hidden h"])
    axes.set_xticks(range(len(text)), list(text.replace("\n", "¶").replace(" ", "·")), fontfamily="monospace")
    axes.set_title(f"Unit {unit + 1} of layer {layer + 1}, a character at a time")
    figure.colorbar(image, pad=0.01)
    _save(figure, path)


def draw_surprisal(path: Path, model: charlstm.Model, text: str) -> float:
    """Bits of each character as bars; gives their mean."""
    bits = np.concatenate([nats for _, nats in model.surprisals([text])]) / LN2
    figure, axes = pyplot.subplots(figsize=(13, 3))
    axes.bar(range(len(text)), bits, color="#5e3c99")
    axes.axhline(bits.mean(), color="#e66101", linestyle="--", label=f"mean {bits.mean():.2f} bits")
    axes.set_xticks(range(len(text)), list(text.replace("\n", "¶").replace(" ", "·")), fontfamily="monospace")
    axes.set_ylabel("surprisal, bits")
    axes.margins(x=0.01)
    axes.legend()
    _save(figure, path)
    return float(bits.mean())


def draw_temperatures(path: Path, model: charlstm.Model, prompt: str, most: int = 12) -> None:
    """The likeliest characters after a prompt, at three temperatures."""
    ids = np.append(model.vocabulary.start, model.vocabulary.encode(prompt)).astype(np.int64)
    logits, _ = model.network.logits(ids[:, None], model.network.zero_state(1))
    likeliest = np.argsort(-logits[-1, 0, 1:])[:most] + 1
    figure, axes = pyplot.subplots(figsize=(9, 3))
    for number, (temperature, colour) in enumerate([(0.5, "#5e3c99"), (1.0, "#b2abd2"), (2.0, "#e66101")]):
        p = probabilities(logits[-1], SampleSettings(temperature=temperature))[0]
        axes.bar(
            np.arange(most) + 0.27 * (number - 1),
            p[likeliest],
            0.27,
            label=f"temperature {temperature:g}",
            color=colour,
        )
    axes.set_xticks(range(most), [model.vocabulary.decode(np.array([one])) for one in likeliest])
    axes.set_ylabel("probability")
    axes.set_title(f'The next character after "{prompt}"')
    axes.legend()
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--folder", type=Path, default=Path("docs/pictures"))
    arguments = parser.parse_args()
    arguments.folder.mkdir(exist_ok=True, parents=True)
    model = charlstm.load(arguments.model)
    network = NumpyNetwork(model.file.settings, model.file.tensors)
    layer, unit = quotation_unit(network, model, SAID)
    stretch = next(observe(network, model.vocabulary, [SAID]))
    draw_gates(arguments.folder / "gates.png", stretch.trace, SAID, layer, unit)
    bits = draw_surprisal(arguments.folder / "surprisal.png", model, SAID)
    draw_temperatures(arguments.folder / "temperature.png", model, PROMPT)
    values = unit_values(stretch, layer, unit)
    print(f"{machine()}\n{described(arguments.model)}\nunit {layer + 1}.{unit + 1}, {bits:.2f} bits per character")
    report("pictures", unit=f"{layer + 1}.{unit + 1}", range=[float(values.min()), float(values.max())], bits=bits)


if __name__ == "__main__":
    main()

"""The vanishing gradient: how much the loss at step t depends on the state k steps before, for lstm, gru and rnn.

python benchmarks/gradients.py [TEXT] [--minutes 1 | --steps N] [--longest 400] [--places 256] [--plot FILE.png]

Each cell is trained on the text, without n-gram counts, and all with as many layers and hidden units. Then, for places
t in the last tenth of the text, which is held out, the gradient of -ln p(character t + 1) with respect to the whole
state after character t - k is computed by autograd, through all the k steps without truncation; its norm is averaged
over the places. "fresh" is the same network before it was trained, "cell" the part of the gradient of an lstm that is
with respect to the cell states alone.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from common import ROOT, described, machine, report
from numpy.typing import NDArray
from torch.nn import functional

import charlstm
from charlstm.config import CellName, ModelSettings
from charlstm.models.torch_lstm import TorchNetwork

Norms = dict[str, NDArray[np.float64]]
"""Of "state" and, for an lstm, of "cell": K numbers or (K, B), those of k = 1 first."""
WARM = 200
"""Characters that are read before the first state, so that it is one of the middle of a text."""
TOGETHER = 32
"""Places computed at a time."""
SCALE = 2.0**80
"""Of the loss while gradients are computed: float32 holds nothing below 1e-45."""
SHOWN = (1, 3, 10, 30, 100, 200, 400)
LITTLE = 0.01


def gradient_norms(network: TorchNetwork, ids: NDArray[np.integer[Any]], longest: int) -> Norms:
    """Norms of the gradient of the last character's loss with respect to the states before it.

    Args:
        network: any.
        ids: (T, B), T > longest: texts, whose last characters are those that are predicted.
        longest: K, the steps back.

    Returns:
        (K, B) of all layers' hidden and cell states together, and for an lstm of the cell states alone.
    """
    network.eval().requires_grad_(False)
    text = torch.from_numpy(ids.astype(np.int64))  # (T, B)
    _, state = network(text[: -longest - 1], network.zero_state(text.shape[1]))
    state = [tuple(part.requires_grad_() for part in layer) for layer in state]
    passed = []
    for row in text[-longest - 1 : -1]:
        passed += [part for layer in state for part in layer]
        logits, state = network(row[None], state)  # (1, B, V)
    loss = SCALE * functional.cross_entropy(logits[0], text[-1], reduction="sum")
    found = torch.stack(torch.autograd.grad(loss, passed)).double() / SCALE  # (K L parts, 1, B, H)
    layers, parts = len(network.layers), len(state[0])
    squares = found.square().sum(dim=(1, 3)).view(longest, layers, parts, -1).flip(0)  # (K, L, parts, B)
    norms = {"state": squares.sum(dim=(1, 2)).sqrt().numpy()}
    return norms if parts == 1 else {**norms, "cell": squares[:, :, 1].sum(dim=1).sqrt().numpy()}


def averaged(network: TorchNetwork, ids: NDArray[np.integer[Any]], longest: int, places: int) -> Norms:
    """Means over so many places all over a text, (K,) each."""
    length = WARM + longest + 1
    begins = np.linspace(0, len(ids) - length, places).astype(int)
    found = [
        gradient_norms(network, ids[begins[first : first + TOGETHER] + np.arange(length)[:, None]], longest)
        for first in range(0, places, TOGETHER)
    ]
    return {name: np.concatenate([one[name] for one in found], axis=1).mean(axis=1) for name in found[0]}


def fresh(settings: ModelSettings) -> TorchNetwork:
    """A network before training."""
    torch.manual_seed(0)
    return TorchNetwork(settings)


def measured(cell: CellName, given: argparse.Namespace, folder: Path) -> tuple[dict[str, Norms], dict[str, Any]]:
    """Train a network of those cells; norms of the fresh and of the trained one, and what ran."""
    output = folder / f"{cell}.safetensors"
    budget: dict[str, Any] = {"steps": given.steps} if given.steps else {"minutes": given.minutes}
    model = charlstm.train(
        given.text, output=output, cell=cell, ngrams=0, val_split="end", layers=given.layers, hidden=given.hidden,
        threads=given.threads, **budget,
    )  # fmt: skip
    text = given.text.read_text(encoding="utf-8")
    ids = model.vocabulary.encode(text[-(len(text) // 10) :])
    trained = TorchNetwork(model.file.settings)
    trained.load(model.file.tensors)
    networks = {"fresh": fresh(model.file.settings), "trained": trained}
    norms = {name: averaged(network, ids, given.longest, given.places) for name, network in networks.items()}
    result = model.file.result
    return norms, {"ran": described(output), "steps": result["steps"], "bits": round(result["val_bits_per_char"], 4)}


def remembered(norms: NDArray[np.float64]) -> int | None:
    """The first k from which on less than LITTLE of the norm at k = 1 is left; None: never."""
    more = np.flatnonzero(norms >= LITTLE * norms[0])
    return None if more[-1] == len(norms) - 1 else int(more[-1]) + 2


def rows(found: dict[str, dict[str, Norms]], longest: int) -> dict[str, dict[str, Any]]:
    """The table: by name, norms at some distances and the distance at which little is left."""
    table = {}
    for cell, when in found.items():
        for name, norms in when.items():
            for part, values in norms.items():
                shown = {str(k): float(f"{values[k - 1]:.3g}") for k in SHOWN if k <= longest}
                table[f"{cell}, {name}{', cell alone' * (part == 'cell')}"] = {**shown, "1 %": remembered(values)}
    return table


def draw(path: Path, found: dict[str, dict[str, Norms]], title: str) -> None:
    """A picture of the norms against the distance, of fresh networks and of trained ones."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(10, 4.4), sharey=True)
    for axes, when in zip(panels, ("fresh", "trained"), strict=True):
        for (cell, norms), colour in zip(found.items(), ("tab:blue", "tab:green", "tab:red"), strict=False):
            for part, values in norms[when].items():
                alone = part == "cell"
                label = f"{cell}, cell state alone" if alone else cell
                k = np.arange(1, len(values) + 1)
                axes.plot(k, values, ":" if alone else "-", color=colour, label=label, linewidth=1.6)
        axes.set(yscale="log", xlabel="steps back, k", title=when)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("mean norm of d loss(t) / d state(t - k)")
    panels[0].legend()
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def asked() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, nargs="?", default=ROOT / "corpora" / "tales.txt")
    parser.add_argument("--minutes", type=float, default=1.0, help="of training, for each cell")
    parser.add_argument("--steps", type=int, help="of training, in place of minutes")
    parser.add_argument("--threads", type=int, help="in place of the tool's choice")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--longest", type=int, default=400, help="steps back")
    parser.add_argument("--places", type=int, default=256)
    parser.add_argument("--plot", type=Path)
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    given = asked()
    print(machine())
    found: dict[str, dict[str, Norms]] = {}
    ran: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for cell in get_args(CellName):
            found[cell], ran[cell] = measured(cell, given, Path(folder))
            figures = "{ran}; {steps:,} steps, {bits} bits per character".format(**ran[cell])
            print(figures, flush=True)
    table = rows(found, given.longest)
    heads = list(next(iter(table.values())))
    print("| | " + " | ".join(f"k = {head}" if head != "1 %" else "less than 1 % from k" for head in heads) + " |")
    print("|---" * (len(heads) + 1) + "|")
    for name, row in table.items():
        cells = ["never" if value is None else f"{value:.3g}" for value in row.values()]
        print(f"| {name} | " + " | ".join(cells) + " |")
    if given.plot:
        draw(given.plot, found, f"{given.text.name}, {given.layers} layers of {given.hidden} units")
    report("gradients", text=given.text.name, ran=ran, places=given.places, norms=table)


if __name__ == "__main__":
    main()

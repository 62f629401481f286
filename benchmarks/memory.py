"""What is remembered of what was said earlier, against distance: words of the tales that earlier words decide.

python benchmarks/memory.py MODEL...                 of models of the tales
python benchmarks/memory.py [--minutes 10] [--peers charlstm lstm gru rnn window-16 window-64 ngrams] [--plot FILE.png]

The words are those that corpora/tales.py lists, on tales of another seed than the corpus'; one is foreseen where its
characters together have a probability of one half or more. "most frequent" is what naming the most frequent word of
each kind would foresee. Without a model, each peer is trained for so many minutes: the tool with its defaults
(charlstm), networks alone with about as many parameters, feed-forward networks over windows of characters; "ngrams" are
the counts.

Of a MODEL it is also said how many of its own tales keep to their people: all names in them are those of one pair of
neighbours; tales of a message name a third person.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import re
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import ROOT, described, machine, report
from numpy.typing import NDArray
from windows import WindowNetwork, surprisals, trained

import charlstm
from charlstm.config import CELLS, CellName, ModelSettings, SampleSettings
from charlstm.data.vocabulary import Vocabulary
from charlstm.inference.scoring import LN2
from charlstm.keywords import TrainingOptions
from charlstm.models.dense_rows import DenseRows
from charlstm.models.ngrams import NgramModel
from charlstm.training.counting import count_text, largest_order

sys.path.insert(0, str(ROOT / "corpora"))

CORPUS = ROOT / "corpora" / "tales.txt"
EDGES = [0, 25, 50, 100, 200, 400, 10**9]
PEERS = ["charlstm", "lstm", "gru", "rnn", "window-16", "window-64", "ngrams"]
Nats = NDArray[np.floating[Any]]


class Decided(NamedTuple):
    """A word that an earlier one decides."""

    at: int
    """Where in the text."""
    word: str
    distance: int
    """Characters between the two."""
    kind: str


def unread(characters: int) -> tuple[str, list[Decided]]:
    """Tales of another seed than the corpus', and their decided words."""
    placed = list(importlib.import_module("tales").placed(2, characters))
    words = [
        Decided(start + one.at, one.word, one.distance, one.kind) for start, tale in placed for one in tale.dependencies
    ]
    return "\n".join(tale.text for _, tale in placed), words


def foreseen(words: list[Decided], nats: Nats) -> NDArray[np.bool_]:
    """Which words have a probability of one half or more, from the nats of each character of the text."""
    sums = np.concatenate([[0.0], np.cumsum(nats)])
    return np.array([sums[one.at + len(one.word)] - sums[one.at] < LN2 for one in words])


def most_frequent(words: list[Decided]) -> NDArray[np.bool_]:
    """Which words are the most frequent ones of their kinds."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in words:
        counts[one.kind][one.word] += 1
    return np.array([one.word == counts[one.kind].most_common(1)[0][0] for one in words])


def by_distance(words: list[Decided], right: NDArray[np.bool_]) -> dict[str, float]:
    """The fraction that is right, from each distance on."""
    distance = np.array([one.distance for one in words])
    return {str(low): round(float(right[(low <= distance) & (distance < high)].mean()), 3) for low, high in _ranges()}


def by_kind(words: list[Decided], right: NDArray[np.bool_]) -> dict[str, float]:
    """The fraction that is right up to the last edge, of each kind of word."""
    kinds: dict[str, list[bool]] = defaultdict(list)
    for one, good in zip(words, right.tolist(), strict=True):
        if one.distance < EDGES[-2]:
            kinds[one.kind].append(good)
    return {kind: round(float(np.mean(found)), 3) for kind, found in sorted(kinds.items())}


def _ranges() -> list[tuple[int, int]]:
    return list(itertools.pairwise(EDGES))


def faithful(model: charlstm.Model, samples: int, temperature: float) -> tuple[int, int]:
    """How many sampled tales keep to one pair of neighbours, and how many are about people at all."""
    names = [row["name"] for row in importlib.import_module("tales_words").PEOPLE]
    settings = SampleSettings(length=1600, temperature=temperature, count=samples, seed=5, stop=("\n\n",))
    about = keep = 0
    for text in model.samples([""], settings):
        pairs = {names.index(word) // 2 for word in re.findall(r"\b[A-Z][a-z]+\b", text) if word in names}
        about += bool(pairs)
        keep += len(pairs) == 1 or (len(pairs) == 2 and "Message" in text.split("\n")[0])
    return keep, about


# --------------------------------------------------------------------------------------------- peers


def nats_of(model: charlstm.Model, text: str) -> Nats:
    """Nats of each character."""
    return np.concatenate([nats for _, nats in model.surprisals([text])])


def as_large(cell: CellName, like: ModelSettings) -> int:
    """The hidden size at which a network of another cell has about as many parameters."""
    sizes = range(16, 4 * like.hidden, 8)
    settings = {size: ModelSettings(like.vocab_size, like.layers, size, like.embedding, cell) for size in sizes}
    return min(sizes, key=lambda size: abs(settings[size].parameters() - like.parameters()))


def of_ngrams(vocabulary: Vocabulary, text: str) -> tuple[str, Nats]:
    """What the counts of the corpus alone give."""
    size, newline = len(vocabulary), int(vocabulary.encode("\n")[0])
    order = largest_order(size)
    counts = count_text(vocabulary.encode(CORPUS.read_text()), size, order)
    ngrams = NgramModel(size, counts.tensors, newline)
    ids = vocabulary.encode(text).astype(np.int64)
    contexts = ngrams.walk(np.append(vocabulary.start, ids[:-1])[:, None], ngrams.start(1))[:, :, 0]  # (C, N)
    rows = DenseRows(ngrams)
    parts = np.array_split(np.arange(len(ids)), 64)
    nats = [-np.log(rows.probabilities(contexts[:, some])[np.arange(len(some)), ids[some]]) for some in parts]
    return f"contexts of up to {order - 1} characters", np.concatenate(nats)


def trained_peers(names: list[str], minutes: float, seed: int, text: str) -> dict[str, tuple[str, Nats]]:
    """What each peer is and gives, nats of each character of the text, after so many minutes."""
    found: dict[str, tuple[str, Nats]] = {}
    with tempfile.TemporaryDirectory() as folder:
        tool = Path(folder) / "charlstm.safetensors"
        first = charlstm.train(CORPUS, output=tool, minutes=minutes, seed=seed, force=True)
        for name in names:
            if name == "charlstm":
                found[name] = described(tool), nats_of(first, text)
            elif name == "ngrams":
                found[name] = of_ngrams(first.vocabulary, text)
            elif name.startswith("window-"):
                found[name] = _window_peer(int(name.split("-")[1]), first, minutes, seed, text)
            elif name in CELLS:
                found[name] = _cell_peer(
                    CELLS[CELLS.index(name)], first, Path(folder) / f"{name}.safetensors", minutes, seed, text
                )
            print(f"{name}: {found[name][0]}; {found[name][1].mean() / LN2:.4f} bits per character", flush=True)
    return found


def _cell_peer(
    cell: CellName, like: charlstm.Model, output: Path, minutes: float, seed: int, text: str
) -> tuple[str, Nats]:
    settings: TrainingOptions = {
        "minutes": minutes,
        "seed": seed,
        "ngrams": 0,
        "cell": cell,
        "layers": like.file.settings.layers,
        "hidden": as_large(cell, like.file.settings),
    }
    model = charlstm.train(CORPUS, output=output, **settings)
    return described(output), nats_of(model, text)


def _window_peer(window: int, like: charlstm.Model, minutes: float, seed: int, text: str) -> tuple[str, Nats]:
    network = WindowNetwork(len(like.vocabulary), window, like.file.settings.parameters())
    steps = trained(network, like.vocabulary.encode(CORPUS.read_text()), 60 * minutes, seed)
    size = sum(p.numel() for p in network.parameters())
    return f"{size:,} parameters, {steps} steps", surprisals(network, like.vocabulary.encode(text))


# ------------------------------------------------------------------------------------------- reports


def plot(path: str, rows: dict[str, dict[str, float]], minutes: float) -> None:
    """Draw the fraction foreseen against the distance."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    labels = [f"{low} to {high}" if high < 10**9 else f"{low} and more" for low, high in _ranges()]
    for marker, (name, row) in zip("osD^v<>*", rows.items(), strict=False):
        style = ":" if name == "most frequent" else "-"
        axes.plot(labels, [100 * value for value in row.values()], style, marker=marker, label=name)
    axes.set_xlabel("characters since the deciding word")
    axes.set_ylabel("decided words foreseen, %")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
    axes.set_title(f"What is remembered after {minutes:g} minutes on the tales")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def table(rows: dict[str, dict[str, float]]) -> None:
    """Print the rows below each other."""
    print(f"{'':24}" + "".join(f"{'>=' + low:>8}" for low in next(iter(rows.values()))))
    for name, row in rows.items():
        print(f"{name:24}" + "".join(f"{value:8.0%}" for value in row.values()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--temperature", type=float, default=0.3)
    parser.add_argument("--plot", metavar="FILE.png")
    arguments = parser.parse_args()
    print(machine())
    text, words = unread(arguments.characters)
    if arguments.models:
        found = {path: (described(path), nats_of(charlstm.load(path), text)) for path in arguments.models}
    else:
        found = trained_peers(arguments.peers, arguments.minutes, arguments.seed, text)
    right = {"most frequent": most_frequent(words)} | {name: foreseen(words, nats) for name, (_, nats) in found.items()}
    rows = {name: by_distance(words, flags) for name, flags in right.items()}
    kinds = {name: by_kind(words, flags) for name, flags in right.items()}
    table(rows)
    print(f"below {EDGES[-2]} characters, by kind")
    table(kinds)
    figures: dict[str, Any] = {"foreseen_from_distance": rows, "by_kind": kinds}
    for path in arguments.models:
        keep, about = faithful(charlstm.load(path), arguments.samples, arguments.temperature)
        print(f"{path}: {keep} of {about} tales keep to their people")
        figures |= {"tales_of_people": about, "that_keep_to_them": keep}
    if arguments.plot:
        plot(arguments.plot, rows, arguments.minutes)
    report("memory", ran={name: ran for name, (ran, _) in found.items()}, words=len(words), **figures)


if __name__ == "__main__":
    main()

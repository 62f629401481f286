"""The n-gram counts alone: how well they predict, how large they are, how fast they are made; what a mixture costs.

python benchmarks/counting.py [TEXT] [--orders 6,9] [--bytes 4,2,1]

The last tenth of the text is scored by counts of the rest, in nats per character. Sizes are bytes a character of the
text, to which the rarest n-grams are left out; "-" leaves out none. The mixture's network has random parameters.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")  # as the command line does

import argparse
import dataclasses
import math
import time
from pathlib import Path
from typing import Any

from common import ROOT, in_words, machine, median_time, random_model, report
from numpy.typing import NDArray

from charlstm.api import Model
from charlstm.config import MixtureSettings
from charlstm.data.vocabulary import Vocabulary
from charlstm.models.ngrams import NgramModel
from charlstm.training.counting import count_text, largest_order
from charlstm.training.ngram_order import surprisal_of_counts


def counts_row(train: NDArray[Any], held_out: NDArray[Any], vocabulary: Vocabulary, order: int, size: float) -> Any:
    """One row of the table, and the tensors."""
    before = time.perf_counter()
    tensors = count_text(train, len(vocabulary), order, most_bytes=size * len(train)).tensors
    seconds = time.perf_counter() - before
    model = NgramModel(len(vocabulary), tensors, newline=int(vocabulary.encode("\n")[0]))
    row = {
        "order": order,
        "bytes a character": size if math.isfinite(size) else None,
        "nats": round(surprisal_of_counts(model, held_out), 4),
        "MB": round(sum(tensor.nbytes for tensor in tensors.values()) / 1e6, 2),
        "characters a second": round(len(train) / seconds),
        "loaded in": round(median_time(lambda: NgramModel(len(vocabulary), tensors, newline=0), 3), 4),
    }
    print(row, flush=True)
    return row, tensors


def speeds(model: Model, text: str) -> dict[str, float]:
    """Characters a second of one stream, of scoring, and of 64 samples together."""
    return {
        "one stream": 2000 / median_time(lambda: model.sample(length=2000, seed=1), 5),
        "scoring": len(text) / median_time(lambda: model.score(text), 3),
        "64 samples": 64 * 100 / median_time(lambda: list(model.samples([""], count=64, length=100, seed=1)), 3),
    }


def mixture_speeds(vocabulary: Vocabulary, tensors: dict[str, Any], text: str) -> dict[str, Any]:
    """A mixture beside its network alone."""
    network = random_model(192, 3, vocabulary)
    sizes = tuple(len(tensor) for name, tensor in tensors.items() if name.endswith(".symbols"))
    mixture = dataclasses.replace(network, mixture=MixtureSettings(sizes, 0.5, 0.7), counts=tensors)
    rows = {"network": speeds(Model(network), text), "mixture": speeds(Model(mixture), text)}
    print(in_words(network.settings))
    for what, alone in rows["network"].items():
        print(f"    {what}: network {alone:,.0f}/s, mixture {rows['mixture'][what] / alone:.0%} of it")
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path, nargs="?", default=ROOT / "corpora" / "tales.txt")
    parser.add_argument("--orders", default="6,7,8,9")
    parser.add_argument("--bytes", default="-,4,2,1")
    arguments = parser.parse_args()
    text = arguments.text.read_text(encoding="utf-8")
    vocabulary = Vocabulary(sorted(set(text)))
    ids = vocabulary.encode(text)
    cut = len(ids) - len(ids) // 10
    print(machine())
    rows, tensors = [], {}
    for order in (int(order) for order in arguments.orders.split(",")):
        for size in arguments.bytes.split(",") if order <= largest_order(len(vocabulary)) else []:
            row, tensors = counts_row(ids[:cut], ids[cut:], vocabulary, order, math.inf if size == "-" else float(size))
            rows.append(row)
    mixed = mixture_speeds(vocabulary, tensors, text[cut : cut + 60_000])
    report("counting", text=arguments.text.name, characters=len(text), rows=rows, speeds=mixed)


if __name__ == "__main__":
    main()

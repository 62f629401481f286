"""What a model of the tales remembers: what decided words cost it, and whether its own tales keep to their people.

python benchmarks/memory.py MODEL [--characters 100000] [--samples 64] [--temperature 0.3]

The words that earlier ones decide are those that corpora/tales.py lists, on tales of another seed than the corpus'.
A word is foreseen where its characters together have a probability of one half or more. A tale keeps to its people
if all names in it are those of one pair of neighbours; tales of a message name a third person.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import re
import sys
from collections import defaultdict
from typing import Any

import numpy as np
from common import ROOT, described, machine, report

import charlstm
from charlstm.config import SampleSettings
from charlstm.inference.scoring import LN2

sys.path.insert(0, str(ROOT / "corpora"))


def decided(model: charlstm.Model, characters: int) -> dict[str, list[tuple[int, float]]]:
    """Distances and bits of the words that are decided, by kind."""
    placed = list(importlib.import_module("tales").placed(2, characters))
    text = "\n".join(tale.text for _, tale in placed)
    bits = np.concatenate([nats for _, nats in model.surprisals([text])]) / LN2
    kinds: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for start, tale in placed:
        for one in tale.dependencies:
            cost = float(bits[start + one.at : start + one.at + len(one.word)].sum())
            kinds[one.kind].append((one.distance, cost))
    return kinds


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


def foreseen(costs: list[tuple[int, float]]) -> float:
    """Fraction of the words that cost less than a bit."""
    return round(sum(bits < 1 for _, bits in costs) / max(1, len(costs)), 3)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--temperature", type=float, default=0.3)
    arguments = parser.parse_args()
    model = charlstm.load(arguments.model)
    kinds = decided(model, arguments.characters)
    every = [cost for costs in kinds.values() for cost in costs]
    ran = described(arguments.model)
    print(f"{machine()}\n{ran}")
    rows: dict[str, Any] = {}
    for kind, costs in sorted(kinds.items(), key=lambda item: -len(item[1])):
        mean = round(float(np.mean([bits for _, bits in costs])), 2)
        rows[kind] = {"words": len(costs), "bits": mean, "foreseen": foreseen(costs)}
        print(f"{kind:10} {len(costs):5} words  {mean:5.2f} bits  {foreseen(costs):4.0%} foreseen")
    edges = [0, 25, 50, 100, 200, 400, 10**9]
    by_distance = {
        str(low): foreseen([cost for cost in every if low <= cost[0] < high]) for low, high in itertools.pairwise(edges)
    }
    keep, about = faithful(model, arguments.samples, arguments.temperature)
    print(f"foreseen by distance from {by_distance}\n{keep} of {about} tales keep to their people")
    figures = {"foreseen_from_distance": by_distance, "tales_of_people": about, "that_keep_to_them": keep}
    report("memory", ran=ran, kinds=rows, **figures)


if __name__ == "__main__":
    main()

"""Whether the validation figure can be believed: beside the figure of fresh text of the same source, for ten sources.

python benchmarks/held_out.py [--steps 600] [--seeds 3] [--only log]

Texts are trained on in two ways: with blocks (or lines) from all over them held out, and with their end held out. Every
seed has a text and a fresh text of its own, since how hard a single text is depends on what it tells. Budgets are in
steps and one thread computes, so that the machine's speed does not matter. The columns are means of the seeds (the end
is held out of the first text only), and "each" says how far every one of them is off. "chance" is the standard error of
a single difference that the two lengths of text allow, from the spread of the fresh text's surprisal in blocks.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import described, machine, report
from numpy.typing import NDArray
from sources import Source, all_sources

import charlstm
from charlstm.config import SplitName

BLOCK = 1000
"""Characters of a block, whose mean surprisals are taken to be independent of each other."""
GOAL = 0.03


@dataclass(frozen=True)
class Figures:
    """Of one training."""

    validation: float
    """Bits per character, as the run says."""
    fresh: float
    """Bits per character of the fresh text."""
    chance: float
    """Standard error of the difference, relative to the fresh text's figure."""
    ran: str

    @property
    def difference(self) -> float:
        """Of the validation figure to that of fresh text, relative to the latter."""
        return self.validation / self.fresh - 1


def measured(source: Source, folder: Path, split: SplitName, steps: int, seed: int = 0) -> Figures:
    """Train on a text, and score the fresh one."""
    text, output = folder / "text.txt", folder / f"{split}.safetensors"
    text.write_text(source.text, encoding="utf-8")
    model = charlstm.train(
        text, output=output, val_split=split, lines=source.lines, steps=steps, seed=seed, layers=1, hidden=96, batch=16,
        context=64, dropout=0.0, threads=1, device="cpu", precision="float32", force=True,
    )  # fmt: skip
    nats = np.concatenate([found for _, found in model.surprisals([source.fresh])])  # (characters,)
    result = model.file.result
    fresh = float(nats.mean()) / math.log(2)
    chance = standard_error(nats, result["val_characters"]) / float(nats.mean())
    return Figures(result["val_bits_per_char"], fresh, chance, described(output))


def standard_error(nats: NDArray[np.float64], others: int) -> float:
    """Of the difference of the mean of these surprisals and the mean of so many others from the same source."""
    blocks = nats[: len(nats) // BLOCK * BLOCK].reshape(-1, BLOCK).mean(axis=1)
    variance = float(blocks.var(ddof=1)) * BLOCK  # of one character, the dependence of neighbours included
    return math.sqrt(variance / len(nats) + variance / others)


def mean(figures: list[Figures]) -> Figures:
    """Of several trainings on one text."""
    count = len(figures)
    validation, fresh = sum(one.validation for one in figures) / count, sum(one.fresh for one in figures) / count
    return Figures(validation, fresh, figures[0].chance, figures[0].ran)


def row(source: Source, spread: list[Figures], end: Figures) -> str:
    """Of the table."""
    cells = [source.name, f"{len(source.text):,}"]
    for one in (mean(spread), end):
        cells += [f"{one.validation:.4f}", f"{one.fresh:.4f}", f"{one.difference:+.1%}"]
    cells += [", ".join(f"{one.difference:+.1%}" for one in spread), f"{spread[0].chance:.1%}"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3, help="texts of each source with a spread held-out part")
    parser.add_argument("--only", default="", help="sources whose name contains this")
    given = parser.parse_args()
    print(machine())
    print(
        "| text | characters | spread: validation | fresh | off by | end: validation | fresh | off by | each | chance |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    found: dict[str, dict[str, float]] = {}
    ran = ""
    with tempfile.TemporaryDirectory() as folder:
        for draws in zip(*map(all_sources, range(given.seeds)), strict=True):
            source = draws[0]
            if given.only not in source.name:
                continue
            spread = [measured(one, Path(folder), "spread", given.steps, seed) for seed, one in enumerate(draws)]
            end = measured(source, Path(folder), "end", given.steps)
            print(row(source, spread, end), flush=True)
            found[source.name] = {"spread": round(mean(spread).difference, 4), "end": round(end.difference, 4)}
            ran = ran or end.ran
    within = sum(abs(figures["spread"]) <= GOAL for figures in found.values())
    print(ran)
    print(f"spread: {within} of {len(found)} within {GOAL:.0%}")
    report("held_out", steps=given.steps, ran=ran, within=within, off_by=found)


if __name__ == "__main__":
    main()

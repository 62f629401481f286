"""How near the limit a minute comes, and by that whether the figures can be trusted: sources of known entropy rate.

python benchmarks/known_entropy.py [--minutes 1 | --steps N] [--cells lstm gru rnn] [--only brackets] [--threads N]

Each source of automata.py writes a text, a model is trained on it for a minute with no other option but the cell, once
by the network alone (`ngrams=0`) and once as a mixture with counts, which is the default, and scores fresh text from
another seed. No model can do better than the source's entropy rate in the long run. "excess" is what the model pays
for the fresh text beyond what the text costs whoever knows the source, as a fraction of that: chance that makes the
text an easy or a hard one is in both.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from automata import Automaton, all_automata
from common import described, machine, report

import charlstm
from charlstm.config import CellName

CHARACTERS = 1_000_000
FRESH = 200_000
GOAL = 0.01
WAYS = {"network": 0, "mixture": None}
"""The n-gram counts of each: none, or as many as the tool chooses."""


@dataclass(frozen=True)
class Figures:
    """Of one training. All are bits per character."""

    limit: float
    """The entropy rate of the source."""
    source: float
    """What the fresh text costs whoever knows the source."""
    measured: float
    """What it costs the model."""
    validation: float
    """The run's own figure."""
    steps: int
    ran: str

    @property
    def excess(self) -> float:
        """What the model pays beyond the source, as a fraction."""
        return self.measured / self.source - 1


def measured(source: Automaton, cell: CellName, ngrams: int | None, budget: dict[str, Any], folder: Path) -> Figures:
    """Train on a text of the source, and score fresh text."""
    text, output = folder / "text.txt", folder / "model.safetensors"
    text.write_text(source.text(CHARACTERS, seed=1), encoding="utf-8")
    model = charlstm.train(text, output=output, cell=cell, ngrams=ngrams, lines=source.lines, force=True, **budget)
    fresh = source.text(FRESH, seed=2)
    nats = sum(float(found.sum()) for _, found in model.surprisals([fresh]))
    bits = nats / math.log(2) / len(fresh)
    result = model.file.result
    rate, own = source.entropy_rate(), source.bits(fresh)
    return Figures(rate, own, bits, result["val_bits_per_char"], result["steps"], described(output))


def reached(found: dict[str, dict[str, Figures]]) -> dict[str, list[str]]:
    """Of each source, which models came within the goal."""
    return {
        source: [name for name, figures in models.items() if figures.excess <= GOAL] for source, models in found.items()
    }


def table(found: dict[str, dict[str, Figures]]) -> str:
    """Excess over the limit: a source a row, a model a column."""
    names = list(next(iter(found.values())))
    lines = ["| source | limit | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for source, models in found.items():
        limit = next(iter(models.values())).limit
        cells = [f"{'**' * (f.excess <= GOAL)}{f.excess:+.2%}{'**' * (f.excess <= GOAL)}" for f in models.values()]
        lines.append(f"| {source} | {limit:.4f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def asked() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--steps", type=int, help="in place of minutes")
    parser.add_argument("--threads", type=int, help="in place of the tool's choice")
    parser.add_argument("--cells", nargs="+", choices=get_args(CellName), default=get_args(CellName))
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--only", default="", help="sources whose name contains this")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    given = asked()
    budget: dict[str, Any] = {"steps": given.steps} if given.steps else {"minutes": given.minutes}
    print(machine())
    found: dict[str, dict[str, Figures]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for source in (source for source in all_automata() if given.only in source.name):
            found[source.name] = {}
            for way in given.ways:
                for cell in given.cells:
                    figures = measured(source, cell, WAYS[way], {**budget, "threads": given.threads}, Path(folder))
                    found[source.name][f"{cell}, {way}"] = figures
                    said = f"{figures.measured:.4f} bits, source {figures.source:.4f}: {figures.excess:+.2%}"
                    print(f"{source.name}, {cell}, {way}: {said}; {figures.steps:,} steps; {figures.ran}", flush=True)
    print(table(found))
    rounded = {
        source: {
            name: {"bits": round(f.measured, 5), "source": round(f.source, 5), "excess": round(f.excess, 5),
                   "validation": round(f.validation, 5), "steps": f.steps, "ran": f.ran}
            for name, f in models.items()
        }
        for source, models in found.items()
    }  # fmt: skip
    limits = {source: round(next(iter(models.values())).limit, 6) for source, models in found.items()}
    report("known_entropy", budget=budget, limits=limits, within_goal=reached(found), figures=rounded)


if __name__ == "__main__":
    main()

"""Scaling laws of our own: loss against parameters and characters, and whether the automatic sizing keeps to them.

python benchmarks/scaling.py --texts tiny-shakespeare.txt corpora/tales.txt library --save points.json
python benchmarks/scaling.py --points points.json [MORE.json ...] [--plot FILE.png]      fits again, trains nothing

Networks alone (`--ngrams 0 --val-split end`) of each size are trained on so many characters of each text, each with a
learning rate that falls to zero at its end; "library" is the source of Python's standard library. Budgets are in
epochs, so that the loss does not depend on the machine's speed; seconds are measured beside. All networks of a text are
scored on the same characters of its last tenth. The cheapest come first: those that take longer than --seconds by the
measured speed are left out, and none begins after --minutes.

The law (power_law.py) is fitted to the points of at most four epochs. N is the multiplications of a character
(parameters but for the embedding), D the characters trained on. What further epochs are worth is fitted to the points
that have more, if there are any; else the 15.4 epochs of Muennighoff et al. 2023 are taken. Intervals hold 80 % of the
fits to bootstrap samples of the points; they know nothing of how wrong the law itself may be far away from the points,
so "x" says how many times as large as the largest network, and as long as the longest training, a prediction is.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from common import ROOT, described, machine, report
from scaling_laws import GOAL, Machine, Scaling, draw, explained, planned

import charlstm
from charlstm.data.corpus import Reading, read_corpus
from charlstm.errors import counted
from charlstm.threads import processors
from charlstm.training.hardware import measured_precision, pick_device
from charlstm.training.planning import Speed, Text

SIZES = ["2x64", "2x96", "2x128", "2x192", "3x192", "3x224", "3x256", "3x320", "3x384"]
CHARACTERS = [250_000, 500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000]
LEFT_OUT = {"test", "tests", "encodings", "site-packages", "idle_test", "__pycache__"}
"""Folders of the standard library's that are no part of the text."""


@dataclass(frozen=True)
class Corpus:
    """A text: where it is, what the planner knows of it, and what networks are scored on."""

    name: str
    path: Path
    text: Text
    held_out: str


class Cell(NamedTuple):
    """A training to be done."""

    corpus: Corpus
    layers: int
    hidden: int
    characters: int
    seed: int
    seconds: float
    """Expected."""


# -------------------------------------------------------------------------------------------- texts


def library() -> str:
    """The source of Python's standard library, in the order of the names' SHA-256."""
    root = Path(sysconfig.get_path("stdlib"))
    names = [path.relative_to(root) for path in root.rglob("*.py")]
    kept = [name.as_posix() for name in names if not LEFT_OUT.intersection(name.parts[:-1])]
    kept.sort(key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return "".join((root / name).read_text(encoding="utf-8", errors="replace") for name in kept)


def corpus_of(name: str, folder: Path, scored: int) -> Corpus:
    """A text by its path, or the library; of its last tenth so many characters are scored."""
    path = Path(name)
    if name == "library":
        path = folder / "library.py.txt"
        path.write_text(library(), encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    facts = Text.of(read_corpus(Reading([str(path)], val_split="end")))
    return Corpus(path.name.split(".")[0], path, facts, text[len(text) - len(text) // 10 :][:scored])


# ---------------------------------------------------------------------------------------- trainings


def grid(corpora: list[Corpus], sizes: list[str], characters: list[int], seeds: int, here: Machine) -> list[Cell]:
    """All trainings, the cheapest first."""
    cells = []
    for corpus, size, count, seed in itertools.product(corpora, sizes, characters, range(seeds)):
        layers, hidden = map(int, size.split("x"))
        chosen = planned(corpus.text, here, layers=layers, hidden=hidden, epochs=count / corpus.text.characters)
        step = chosen.training.batch * chosen.training.context
        seconds = here.speed.seconds(chosen.model, chosen.training.batch, chosen.training.context) * count / step
        cells.append(Cell(corpus, layers, hidden, count, seed, seconds))
    return sorted(cells, key=lambda cell: cell.seconds)


def trained(cell: Cell, here: Machine, folder: Path) -> dict[str, Any]:
    """Train and score once."""
    corpus, output = cell.corpus, folder / "model.safetensors"
    charlstm.train(
        corpus.path, output=output, force=True, epochs=cell.characters / corpus.text.characters, layers=cell.layers,
        hidden=cell.hidden, ngrams=0, val_split="end", seed=cell.seed, device=here.device, precision=here.precision,
        threads=here.threads,
    )  # fmt: skip
    model = charlstm.load(output, threads=processors())
    result = model.file.result
    return {
        "text": corpus.name,
        "layers": cell.layers,
        "hidden": cell.hidden,
        "seed": cell.seed,
        "multiplications": model.file.settings.multiplications(),
        "characters": result["characters"],
        "epochs": round(result["characters"] / corpus.text.characters, 3),
        "nats": round(model.score(corpus.held_out).nats_per_char, 5),
        "seconds": result["seconds"],
        "ran": described(output),
    }


def measured(cells: list[Cell], here: Machine, minutes: float) -> Iterator[dict[str, Any]]:
    """A point of each training, until the time is over."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number, cell in enumerate(cells, 1):
            passed = (time.monotonic() - begin) / 60
            if passed > minutes:
                left = len(cells) - number + 1
                verb = "is" if left == 1 else "are"
                print(f"{counted(left, 'training')} {verb} left out: {minutes:g} minutes are over")
                return
            point = trained(cell, here, Path(folder))
            print(
                f"{number} of {len(cells)}, {passed:.0f} min: {cell.corpus.name} {cell.layers}x{cell.hidden} "
                f"{point['characters']:,} characters: {point['nats']:.4f} nats in {point['seconds']:.0f} s "
                f"(expected {cell.seconds:.0f})", flush=True,
            )  # fmt: skip
            yield point


def run_grid(given: argparse.Namespace) -> dict[str, Any]:
    """Train all of the grid that there is time for; what `--save` writes."""
    device = pick_device(given.device)
    precision, speed = measured_precision(device, threads=given.threads)
    here = Machine(device.type, "bfloat16" if precision == "bfloat16" else "float32", speed, given.threads)
    with tempfile.TemporaryDirectory() as folder:
        corpora = [corpus_of(name, Path(folder), given.scored) for name in given.texts]
        cells = grid(corpora, given.sizes, given.characters, given.seeds, here)
        kept = [cell for cell in cells if cell.seconds <= given.seconds]
        long, together = len(cells) - len(kept), sum(cell.seconds for cell in kept) / 60
        print(f"{precision} at {speed.operations / 1e9:.0f} GFLOP/s; {counted(long, 'training')} would take too long")
        print(f"{counted(len(kept), 'training')}, about {together:.0f} minutes and more", flush=True)
        found: dict[str, Any] = {"measured_on": machine(), **here._asdict(), "points": []}
        found["texts"] = {corpus.name: asdict(corpus.text) for corpus in corpora}
        for point in measured(kept, here, given.minutes):
            found["points"].append(point)
            if given.save:
                given.save.write_text(json.dumps(found))
    return found


def read_points(paths: list[Path]) -> dict[str, Any]:
    """The points of one or more files: what `--save` wrote, or the output of a run, whose last line counts."""
    found = [json.loads(path.read_text().splitlines()[-1]) for path in paths]
    names = ("measured_on", *Machine._fields)
    texts = {name: text for one in found for name, text in one["texts"].items()}
    points = [point for one in found for point in one["points"]]
    return {**{name: found[0][name] for name in names}, "texts": texts, "points": points}


def asked(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", nargs="+", default=[str(ROOT / "corpora" / "tales.txt"), "library"])
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="LAYERSxHIDDEN")
    parser.add_argument("--characters", type=int, nargs="+", default=CHARACTERS, help="to train on")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--seconds", type=float, default=150, help="that a training may be expected to take")
    parser.add_argument("--minutes", type=float, default=240, help="after which no training begins")
    parser.add_argument("--scored", type=int, default=100_000, help="held-out characters")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=processors())
    parser.add_argument("--resamples", type=int, default=200, help="bootstrap samples")
    parser.add_argument("--save", type=Path, help="write all points to this JSON file, after each training")
    parser.add_argument("--points", type=Path, nargs="+", help="fit those of such files, and train nothing")
    parser.add_argument("--plot", type=Path)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Measure, fit and print."""
    given = asked(arguments)
    print(machine())
    data = read_points(given.points) if given.points else run_grid(given)
    here = Machine(*(data[name] for name in Machine._fields))
    here = here._replace(speed=Speed(*here.speed))
    found: list[Scaling] = []
    for name, text in data["texts"].items():
        points = [point for point in data["points"] if point["text"] == name]
        try:
            found.append(Scaling(name, Text(**text), points, given.resamples))
        except ValueError as error:
            print(f"{name}: {error}")
    fits = {one.name: explained(one, here) for one in found}
    worst = max((row["worse_by"][0] for fit in fits.values() for row in fit["sizing"]), default=float("nan"))
    print(f"\nthe tool's sizes are worse than the best by {worst:.1%} at most (goal: {GOAL:.0%})")
    if given.plot and found:
        draw(given.plot, found)
    report("scaling", fits=fits, **data)


if __name__ == "__main__":
    main()

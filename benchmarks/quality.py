"""How good a model a number of minutes buys: `charlstm train --minutes M` with no other option, then `charlstm eval`.

python benchmarks/quality.py --minutes 1 2.3 5 --corpus FILE --seeds 3 [--curve FILE.json] [--plot FILE.png]

The last 10 % of a text are held out, the usual split of tiny shakespeare, and scored here as one stream; with
`--lines` the tool's own figure on the held-out lines is given. With `--unread` the run never sees the last 10 %: it
trains, and validates, on the first 90 % alone. Times are of whole processes. Where counts are mixed in, the figures of
the network and of the counts alone are given too (a network that was trained with the counts in view is not meant to be
alone).

"windows" is the same part under nanoGPT's protocol: 4,000 random windows of 256 characters, each from a cold state.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from common import described, machine, report

from charlstm import load
from charlstm.inference.scoring import LN2, surprisal

CHARLSTM = [sys.executable, "-m", "charlstm"]


def in_cold_windows(model: Path, text: str, windows: int = 4000, length: int = 256) -> float:
    """Nats per character over random windows: each is read from the start symbol, and all but its first is scored."""
    loaded = load(model)
    ids = loaded.vocabulary.encode(text).astype(np.int64)
    starts = np.random.default_rng(0).integers(0, len(ids) - length, windows)
    nats = 0.0
    for some in np.array_split(starts, -(-windows // 250)):
        window = ids[some + np.arange(length + 1)[:, None]]  # (257, B)
        cold = np.full((1, len(some)), loaded.vocabulary.start)
        state = loaded.network.read(cold, loaded.network.zero_state(len(some)))
        scores, _ = loaded.network.logits(window[:-1], state)
        nats += float(surprisal(scores, window[1:]).sum())
    return nats / (windows * length)


def scored(model: Path, text: str) -> dict[str, float]:
    """Nats per character of a text: of the model, and of its parts if it has any."""
    parts = ["--parts"] if load(model).file.mixture else []
    command = [*CHARLSTM, "eval", str(model), "--json", *parts]
    figures = json.loads(subprocess.run(command, input=text.encode(), check=True, capture_output=True).stdout)
    return {name: value for name, value in figures.items() if name.endswith("nats_per_char")}


def run_once(folder: Path, corpus: Path, minutes: float, seed: int, extra: list[str], unread: bool) -> dict[str, Any]:
    """Train and score once: nats per character, seconds, the curve."""
    model = folder / "model.safetensors"
    held = ""
    if corpus.is_file() and "--lines" not in extra:
        text = corpus.read_text(encoding="utf-8")
        held = text[len(text) - int(len(text) * 0.1) :]
        if unread:
            corpus = folder / corpus.name
            corpus.write_text(text[: len(text) - len(held)], encoding="utf-8")
    begin = time.monotonic()
    subprocess.run(
        [*CHARLSTM, "train", str(corpus), "-o", str(model), "--force", "--quiet", "--minutes", str(minutes),
         "--seed", str(seed), *extra],
        check=True,
    )  # fmt: skip
    seconds = time.monotonic() - begin
    info = json.loads(subprocess.run([*CHARLSTM, "info", str(model), "--json"], check=True, capture_output=True).stdout)
    validation = info["result"]["val_bits_per_char"] * LN2
    figures = scored(model, held) if held else {"nats_per_char": validation}
    return {
        "nats": figures.pop("nats_per_char"),
        "parts": {name.removesuffix("_nats_per_char"): round(value, 4) for name, value in figures.items()},
        "validation": round(validation, 4),
        "windows": round(in_cold_windows(model, held), 4) if len(held) > 10_000 else None,
        "seconds": round(seconds, 1),
        "ran": described(model),
        "characters": info["result"]["characters"],
        "curve": info["result"]["curve"],
    }


def in_short(run: dict[str, Any]) -> str:
    """One run's figures."""
    beside = f"windows {run['windows']}, validation {run['validation']}, {run['parts']}"
    return f"{run['nats']:.4f} ({beside}) in {run['seconds']:.0f} s"


NANOGPT = (("nanoGPT, 4 x 128, two CPU cores", 138, 1.874), ("nanoGPT, 6 x 384, an A100", 180, 1.4697))
"""Seconds and nats per character on tiny shakespeare: the first measured on two cores, the second from its README."""


def draw(path: Path, results: dict[str, list[dict[str, Any]]]) -> None:
    """A picture of loss against training time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    for label, key, style in (
        ("charlstm, one stream", "nats", "o-"),
        ("charlstm, cold windows of 256", "windows", "s--"),
    ):
        points = [
            (60 * float(minutes), statistics.median(run[key] for run in runs))
            for minutes, runs in results.items()
            if runs[0][key] is not None
        ]
        if points:
            axes.plot(*zip(*points, strict=True), style, label=label)
    for name, seconds, nats in NANOGPT:
        axes.plot(seconds, nats, "x", markersize=9, label=f"{name} (windows)")
    axes.set(xscale="log", xlabel="minutes of training", ylabel="validation loss, nats per character")
    axes.set_title("tiny shakespeare, --minutes alone, two cores")
    ticks = [60 * float(minutes) for minutes in results]
    axes.set_xticks(ticks, list(results), minor=False)
    axes.set_xticks([], minor=True)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def asked() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="*", default=[3.0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--curve", type=Path, help="write all curves (loss against seconds) to this JSON file")
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--unread", action="store_true", help="train on the first 90 %% alone")
    parser.add_argument("--batch", help="in place of the tool's choice; and so:")
    parser.add_argument("--context")
    parser.add_argument("--earlier", type=Path, nargs="*", default=[], help="curves of earlier runs, to be drawn too")
    parser.add_argument("--plot", type=Path, help="draw the medians against time, beside nanoGPT's two points")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    arguments = asked()
    extra = ["--lines"] if arguments.lines else [] if arguments.unread else ["--val-split", "end"]
    for name in ("batch", "context"):
        if getattr(arguments, name):
            extra += [f"--{name}", getattr(arguments, name)]
    print(machine())
    results: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for minutes in arguments.minutes:
            seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
            runs = [run_once(Path(folder), arguments.corpus, minutes, seed, extra, arguments.unread) for seed in seeds]
            results[str(minutes)] = runs
            nats = statistics.median(run["nats"] for run in runs)
            shown = ", ".join(in_short(run) for run in runs)
            print(
                f"{minutes:g} minutes: {nats:.4f} nats ({nats / LN2:.4f} bits) per character; "
                f"{runs[0]['ran']}; runs: {shown}", flush=True,
            )  # fmt: skip
    if arguments.curve:
        arguments.curve.write_text(json.dumps(results))
    if arguments.plot:
        together: dict[str, list[dict[str, Any]]] = {}
        for found in (*(json.loads(path.read_text()) for path in arguments.earlier), results):
            for minutes, runs in found.items():
                together.setdefault(minutes, []).extend(runs)
        draw(arguments.plot, dict(sorted(together.items(), key=lambda entry: float(entry[0]))))
    medians = {minutes: round(statistics.median(run["nats"] for run in runs), 4) for minutes, runs in results.items()}
    rows = {
        minutes: [
            {key: run[key] for key in ("nats", "parts", "validation", "windows", "seconds", "ran")} for run in runs
        ]
        for minutes, runs in results.items()
    }
    report("quality", corpus=arguments.corpus.name, seeds=arguments.seeds, nats_per_character=medians, runs=rows)


if __name__ == "__main__":
    main()

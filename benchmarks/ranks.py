"""How training scales with processes, and from which link on several machines or GPUs pay.

python benchmarks/ranks.py [--ranks 2] [--hidden 256 512] [--batch 16 64] [--rounds 3]

Measured: the time of a whole training step of one process in one thread, of several processes in one thread each that
share the same batch, and of one process in as many threads; and what of it is the sum of the gradients, alone. They
take turns, and the fastest round counts.

On paper: what part of several GPUs' or processors' time is left for arithmetic where each reads so many characters a
step, by the rate at which it computes and by the link between them. A ring adds up n numbers by sending 2 (N - 1) / N
of them from each of N processes (Patarasuk and Yuan 2009), and a step waits for it: nothing is sent while it computes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from common import ALPHABET, ROOT, in_words, machine, median_time, report

from charlstm.config import ModelSettings, TrainingRequest
from charlstm.training.distributed import ProcessGroup
from charlstm.training.following import follow, hand_over
from charlstm.training.planning import operations
from charlstm.training.ranks import ALONE, Ranks
from charlstm.training.run import Run, prepare

LAYERS, CONTEXT, STEPS = 2, 64, 15
BYTES = 4
"""Of a gradient."""

# ----------------------------------------------------------------------------------------------- measured


def prepared(text: Path, hidden: int, batch: int, threads: int, ranks: Ranks) -> Run:
    """A run that is far from its end and validates nothing."""
    request = TrainingRequest(
        steps=10**6, layers=LAYERS, hidden=hidden, batch=batch, context=CONTEXT, dropout=0.0, dropconnect=0.0,
        precision="float32", val_fraction=0.0, ngrams=0, threads=threads,
    )  # fmt: skip
    return prepare([text], output=text.with_suffix(".safetensors"), request=request, ranks=ranks)


def measure(text: Path, hidden: int, batch: int, threads: int, ranks: Ranks) -> dict[str, Any]:
    """Median seconds of a step, and of the sum of the gradients alone, in the process that leads."""
    run = prepared(text, hidden, batch, threads, ranks)
    hand_over(run.task(), run.trainer.learner, ranks)
    times = []
    with run.trainer.learner.at_work():
        for _ in itertools.islice(run.trainer.run(every=0.0), STEPS + 4):
            times.append(time.perf_counter())
    step = statistics.median(after - before for before, after in itertools.pairwise(times[3:]))
    ranks.dismiss()
    gradients = torch.zeros(run.trainer.model_settings.parameters())
    adding = median_time(lambda: exchange(ranks, gradients), STEPS)
    return {"step": step, "adding": adding, "ran": in_words(run.trainer.model_settings, run.trainer.settings)}


def exchange(ranks: Ranks, gradients: torch.Tensor) -> None:
    """What a step sends."""
    if isinstance(ranks, ProcessGroup):
        ranks.all_reduce(gradients)


def take_part(arguments: argparse.Namespace) -> None:
    """One of the processes."""
    text, hidden, batch = Path(arguments.text), int(arguments.hidden[0]), int(arguments.batch[0])
    threads = int(arguments.threads)
    if "RANK" not in os.environ:
        print(json.dumps(measure(text, hidden, batch, threads, ALONE)))
        return
    with ProcessGroup() as ranks:
        if ranks.leads:
            print(json.dumps(measure(text, hidden, batch, threads, ranks)))
            return
        follow(ranks)
        gradients = torch.zeros(ModelSettings(len(ALPHABET) + 1, LAYERS, hidden, 64).parameters())
        median_time(lambda: exchange(ranks, gradients), STEPS)


def started(text: Path, hidden: int, batch: int, ranks: int, threads: int) -> dict[str, Any]:
    """The figures of so many processes in so many threads each."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)] if ranks > 1 else []
    size = ["--hidden", str(hidden), "--batch", str(batch), "--threads", str(threads), "--text", str(text)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, *launcher, str(Path(__file__)), *size]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def scaling(text: Path, hidden: int, batch: int, ranks: int, rounds: int) -> dict[str, Any]:
    """One process, several, and one in as many threads, by turns; of each the fastest round."""
    ways = [(1, 1), (ranks, 1), (1, ranks)]
    turns = [[started(text, hidden, batch, *way) for way in ways] for _ in range(rounds)]
    one, several, threaded = (
        min(found, key=lambda figures: float(figures["step"])) for found in zip(*turns, strict=True)
    )
    model = ModelSettings(len(ALPHABET) + 1, LAYERS, hidden, 64)
    gradients = 6 * model.multiplications() * batch * CONTEXT
    row = {
        "ran": one["ran"],
        "ranks": ranks,
        "one_ms": round(1000 * one["step"], 1),
        "several_ms": round(1000 * several["step"], 1),
        "threads_ms": round(1000 * threaded["step"], 1),
        "speedup": round(one["step"] / several["step"], 2),
        "speedup_by_threads": round(one["step"] / threaded["step"], 2),
        "adding_ms": round(1000 * several["adding"], 2),
        "megabytes_sent": round(sent(model, ranks) / 1e6, 2),
        "divided": round(gradients / operations(model, batch * CONTEXT), 3),
        "gflops": round(operations(model, batch * CONTEXT) / one["step"] / 1e9, 1),
    }
    print(
        f"{hidden} hidden units, batch size {batch}: {row['one_ms']} ms alone, {row['several_ms']} ms with {ranks} "
        f"processes ({row['speedup']} times as fast), {row['threads_ms']} ms with {ranks} threads; "
        f"{row['megabytes_sent']} MB sent a step, {row['adding_ms']} ms alone"
    )
    return row


# ----------------------------------------------------------------------------------------------- on paper

MODELS = ((2, 256), (2, 512), (3, 1024), (4, 1536))
"""Layers and hidden size, over 256 symbols."""
LINKS = {"1 Gbit/s": 0.125e9, "10 Gbit/s": 1.25e9, "100 Gbit/s": 12.5e9, "400 Gbit/s": 50e9, "NVLink": 450e9}
"""Bytes a second from each process, at best."""
COMPUTERS = {"a CPU core": (60e9, 1024), "a GPU": (100e12, 16384)}
"""Assumed: floating-point operations a second of a training step, and characters of it that each process reads."""
SIZES = (8, 64)


def sent(model: ModelSettings, ranks: int) -> float:
    """Bytes that each process sends in a step."""
    return 2 * (ranks - 1) / ranks * BYTES * model.parameters()


def efficiency(model: ModelSettings, ranks: int, characters: int, rate: float, link: float) -> float:
    """What part of a step is not waiting; times `ranks`, the speed-up over one process with as many characters."""
    computing = operations(model, characters) / rate
    return computing / (computing + sent(model, ranks) / link)


def on_paper() -> list[dict[str, Any]]:
    """Efficiency by model, link and number of processes; printed as tables."""
    rows: list[dict[str, Any]] = []
    for (computer, (rate, characters)), ranks in itertools.product(COMPUTERS.items(), SIZES):
        print(f"\n{ranks} x {computer} at {rate / 1e9:,.0f} GFLOP/s, {characters:,} characters each a step:")
        print("| model | MB a step | " + " | ".join(LINKS) + " |")
        print("|---|---|" + "---|" * len(LINKS))
        for layers, hidden in MODELS:
            model = ModelSettings(256, layers, hidden, 64)
            found = {name: efficiency(model, ranks, characters, rate, link) for name, link in LINKS.items()}
            cells = " | ".join(f"{100 * part:.0f} %, x {part * ranks:.1f}" for part in found.values())
            print(f"| {layers} x {hidden} | {sent(model, ranks) / 1e6:,.1f} | {cells} |")
            parts = {name: round(part, 3) for name, part in found.items()}
            rows.append({"computer": computer, "ranks": ranks, "model": f"{layers} x {hidden}", **parts})
        largest = ModelSettings(256, *MODELS[-1], 64)
        needed = sent(largest, ranks) * rate / operations(largest, characters) * 4
        print(f"80 % need {needed / 1e9:.2g} GB/s ({MODELS[-1][0]} x {MODELS[-1][1]})")
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--hidden", type=int, nargs="*", default=[256, 512])
    parser.add_argument("--batch", type=int, nargs="*", default=[16, 64])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--text", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.text:
        take_part(arguments)
        return
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text(ALPHABET * math.ceil(400_000 / len(ALPHABET)))
        rows = [
            scaling(text, hidden, batch, arguments.ranks, arguments.rounds)
            for hidden, batch in itertools.product(arguments.hidden, arguments.batch)
        ]
    report("ranks", steps=rows, on_paper=on_paper())


if __name__ == "__main__":
    main()

"""The whole training step's floating-point rate as a fraction of the machine's large-matrix rate.

python benchmarks/throughput.py [--precision float32]

A step is all of it: batch, embedding, layers, loss, gradients, clipping, optimizer, averaging. Its operations are
those of the matrix products: 6 a parameter and character, and the optimizer's. Layers and dropout are given, nothing
that matters is left to the planner; what ran is printed from the run's own settings.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from common import ALPHABET, in_words, machine, median_time, report

from charlstm.config import TrainingRequest
from charlstm.training.planning import operations
from charlstm.training.run import Run, prepare

LAYERS = 2
CONTEXT = 64
STEPS = 21
"""Steps that are timed, after a few that are not."""


def prepared(text: Path, hidden: int, batch: int, precision: Any) -> Run:
    """A run that is far from its end and validates nothing."""
    request = TrainingRequest(
        steps=10**6, layers=LAYERS, hidden=hidden, batch=batch, context=CONTEXT, dropout=0.0, dropconnect=0.0,
        precision=precision, val_fraction=0.0,
    )  # fmt: skip
    return prepare([text], output=text.with_suffix(".safetensors"), request=request)


def step_seconds(run: Run) -> float:
    """Median seconds of one step."""
    times = []
    with run.trainer.learner.at_work():
        for _ in itertools.islice(run.trainer.run(every=0.0), STEPS + 4):
            times.append(time.perf_counter())
    return statistics.median(after - before for before, after in itertools.pairwise(times[3:]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--hidden", type=int, nargs="*", default=[128, 256, 512])
    parser.add_argument("--batch", type=int, nargs="*", default=[8, 16, 32, 64])
    arguments = parser.parse_args()
    matrix = torch.rand(2048, 2048)
    peak = 2 * 2048**3 / median_time(lambda: matrix @ matrix, 7)
    print(f"{machine()}; matrix product {peak / 1e9:.0f} GFLOP/s (float32)")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text(ALPHABET * 5000)
        for hidden, batch in itertools.product(arguments.hidden, arguments.batch):
            run = prepared(text, hidden, batch, arguments.precision)
            ran = in_words(run.trainer.model_settings, run.trainer.settings)
            seconds = step_seconds(run)
            fraction = operations(run.trainer.model_settings, batch * CONTEXT) / seconds / peak
            rows.append({"ran": ran, "ms": round(1000 * seconds, 2), "fraction": round(fraction, 3)})
            print(f"{1000 * seconds:6.1f} ms, {batch * CONTEXT / seconds:8,.0f} characters/s, {fraction:4.0%}: {ran}")
    report("throughput", matrix_gflops=round(peak / 1e9), steps=rows)


if __name__ == "__main__":
    main()

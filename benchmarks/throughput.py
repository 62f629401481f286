"""The whole training step's floating-point rate as a share of the machine's large-matrix rate.

python benchmarks/throughput.py [--precision float32]

A step is all of it: batch, embedding, dropout, layers, loss, gradients, clipping, optimiser, averaging. Its operations
are those of the matrix products: 6 a weight and character, and the optimiser's.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch
from common import ALPHABET, machine, median_time, report

from charlstm.cli.process import keep_freed_memory
from charlstm.config import TrainingRequest
from charlstm.training.planning import operations
from charlstm.training.run import prepare

CONTEXT = 64


def step_seconds(text: Path, hidden: int, batch: int, precision: Any) -> tuple[float, float]:
    """Median seconds of one step, and the operations in it."""
    request = TrainingRequest(steps=10**6, hidden=hidden, batch=batch, context=CONTEXT, precision=precision)
    trainer = prepare([text], output=text.with_suffix(".safetensors"), request=request).trainer
    trainer.model.train()

    def step() -> None:
        trainer._learn(trainer.batches[trainer.step], 0.5)
        trainer.step += 1

    for _ in range(3):
        step()
    return median_time(step, 21), operations(trainer.model_settings, batch * CONTEXT)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    precision = parser.parse_args().precision
    keep_freed_memory()  # as the command line does
    matrix = torch.rand(2048, 2048)
    peak = 2 * 2048**3 / median_time(lambda: matrix @ matrix, 7)
    print(f"{machine()}; matrix product {peak / 1e9:.0f} GFLOP/s (float32); step in {precision}")
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text(ALPHABET * 5000)
        for hidden in (128, 256, 512):
            for batch in (8, 16, 32, 64):
                seconds, count = step_seconds(text, hidden, batch, precision)
                share = count / seconds / peak
                rows[f"{hidden}/{batch}"] = {"ms": round(1000 * seconds, 2), "share": round(share, 3)}
                speed = batch * CONTEXT / seconds
                print(f"2 x {hidden}, batch {batch:2}: {1000 * seconds:6.1f} ms, {speed:8,.0f} chars/s, {share:.0%}")
    report("throughput", precision=precision, matrix_gflops=round(peak / 1e9), steps=rows)


if __name__ == "__main__":
    main()

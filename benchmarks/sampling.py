"""Characters a second: one stream, many streams, scoring; beside torch's layers and beside the floor.

python benchmarks/sampling.py [--plot FILE.png]

The floor of one stream is the time of its matrix-vector products alone, measured on matrices of those sizes.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")  # as the command line does

import argparse
from typing import Any

import numpy as np
import torch
from common import ALPHABET, in_words, machine, matrix_rate, median_time, random_model, report

from charlstm.api import Model
from charlstm.config import SampleSettings
from charlstm.threads import processors

SIZES = (128, 256, 512)
TEXT = 300_000


def one_stream(model: Model) -> float:
    """Characters a second, drawing included."""
    count = 3000
    settings = SampleSettings(length=count, seed=1)
    return count / median_time(lambda: sum(1 for _ in model.stream("", settings)), 7)


def many_streams(model: Model, count: int = 256) -> float:
    """Characters a second of that many samples together."""
    settings = SampleSettings(length=100, seed=1, count=count)
    return 100 * count / median_time(lambda: list(model.samples([""], settings)), 5)


def scoring(model: Model) -> float:
    """Characters a second of a long text."""
    rng = np.random.default_rng(0)
    text = "".join(ALPHABET[i] for i in rng.integers(0, len(ALPHABET), TEXT))
    return TEXT / median_time(lambda: model.score(text), 3)


def floor(hidden: int, vocabulary: int) -> float:
    """Seconds of the matrix-vector products of one step of two layers, and nothing else."""
    rng = np.random.default_rng(0)
    total = 0.0
    for rows, columns in ((hidden, 4 * hidden), (2 * hidden, 4 * hidden), (hidden, vocabulary)):
        matrix, vector = rng.random((rows, columns), dtype=np.float32), rng.random(rows, dtype=np.float32)
        out = np.empty(columns, np.float32)
        total += median_time(lambda m=matrix, v=vector, o=out: np.dot(v, m, out=o), 9, 200)  # type: ignore[misc]
    return total


@torch.no_grad()
def torch_steps(hidden: int, layer: str) -> float:
    """Seconds of one step of two layers of nn.LSTM or nn.LSTMCell, without embedding, head and drawing."""
    vector = torch.zeros(1, hidden)
    if layer == "LSTMCell":
        cells = [torch.nn.LSTMCell(hidden, hidden) for _ in range(2)]

        def step() -> Any:
            output = vector
            for cell in cells:
                output, _ = cell(output, (vector, vector))
            return output
    else:
        lstm = torch.nn.LSTM(hidden, hidden, 2)
        state = (torch.zeros(2, 1, hidden), torch.zeros(2, 1, hidden))

        def step() -> Any:
            return lstm(vector[None], state)

    return median_time(step, 7, 50)


def plot(path: str, rows: dict[str, dict[str, float]]) -> None:
    """Characters a second against size."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5))
    for key, label in (
        ("floor", "limit: the matrix-vector products alone"),
        ("one stream", "charlstm, one stream, drawing included"),
        ("LSTMCell", "torch nn.LSTMCell steps"),
        ("nn.LSTM", "torch nn.LSTM steps"),
    ):
        axes.plot(SIZES, [rows[str(size)][key] for size in SIZES], marker="o", label=label)
    axes.set(xscale="log", yscale="log", xlabel="units a layer (two layers)", ylabel="characters a second")
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    axes.set_xticks([], minor=True)
    axes.legend()
    axes.grid(alpha=0.3, which="both")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", help="write a plot to this file")
    arguments = parser.parse_args()
    threads = processors()
    # A large product on all processors: numpy's are kept to one thread here, so torch's is asked.
    matrix = torch.rand(2048, 2048)
    all_cores = 2 * 2048**3 / median_time(lambda: matrix @ matrix, 5)
    one_core = matrix_rate()
    rows: dict[str, dict[str, float]] = {}
    print(machine())
    print(f"matrix product: {one_core / 1e9:.0f} GFLOP/s on one core, {all_cores / 1e9:.0f} on {threads}")
    for hidden in SIZES:
        file = random_model(hidden)
        model = Model(file, threads=threads)
        rate = scoring(model)
        row = {
            "floor": 1 / floor(hidden, file.settings.vocab_size),
            "one stream": one_stream(model),
            "nn.LSTM": 1 / torch_steps(hidden, "LSTM"),
            "LSTMCell": 1 / torch_steps(hidden, "LSTMCell"),
            "256 streams": many_streams(model),
            "scoring": rate,
            "scoring, of the matrix rate": rate * 2 * file.settings.multiplications() / all_cores,
        }
        rows[str(hidden)] = row
        one = row["one stream"]
        against = f"{one / row['nn.LSTM']:.0f} x nn.LSTM, {one / row['LSTMCell']:.1f} x LSTMCell"
        print(
            f"{in_words(file.settings)}\n    one stream {one:,.0f}/s ({one / row['floor']:.0%} of the floor, {against})"
        )
        print(f"    256 streams {row['256 streams']:,.0f}/s ({row['256 streams'] / one:.1f} x one)")
        print(f"    scoring {rate:,.0f}/s ({row['scoring, of the matrix rate']:.0%} of the matrix rate)")
    if arguments.plot:
        plot(arguments.plot, rows)
    rounded = {size: {k: round(v, 3 if v < 10 else 0) for k, v in row.items()} for size, row in rows.items()}
    gflops = {"one core": round(one_core / 1e9), "all cores": round(all_cores / 1e9)}
    report("sampling", characters_per_second=rounded, matrix_gflops=gflops)


if __name__ == "__main__":
    main()

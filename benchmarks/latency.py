"""Whole-process times of the command line, beside what Python and numpy alone take.

python benchmarks/latency.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import machine, median_time, random_model, report

CHARLSTM = [sys.executable, "-m", "charlstm"]


def whole(*command: str, input: bytes = b"") -> float:
    """Median seconds of a whole process."""
    return median_time(lambda: subprocess.run(command, input=input, capture_output=True, check=False), 9)


def first_character(path: str) -> float:
    """Seconds until the first character comes out of `sample`."""

    def once() -> float:
        before = time.perf_counter()
        with subprocess.Popen([*CHARLSTM, "sample", path, "-n", "200"], stdin=-3, stdout=-1) as process:
            assert process.stdout
            process.stdout.read(1)
            passed = time.perf_counter() - before
            process.stdout.read()
        return passed

    return sorted(once() for _ in range(9))[4]


def main() -> None:
    """Measure and print."""
    figures: dict[str, float] = {
        "python": whole(sys.executable, "-c", "pass"),
        "import numpy": whole(sys.executable, "-c", "import numpy"),
        "import torch": median_time(lambda: subprocess.run([sys.executable, "-c", "import torch"], check=True), 3),
        "--help": whole(*CHARLSTM, "--help"),
        "--version": whole(*CHARLSTM, "--version"),
        "wrong usage": whole(*CHARLSTM, "sample"),
    }
    with tempfile.TemporaryDirectory() as folder:
        for hidden in (128, 256, 512):
            path = str(Path(folder) / "m.safetensors")
            random_model(hidden).save(path)
            figures[f"sample -n 200, 2 x {hidden}"] = whole(*CHARLSTM, "sample", path, "-n", "200")
            figures[f"first character, 2 x {hidden}"] = first_character(path)
            figures[f"eval of one line, 2 x {hidden}"] = whole(*CHARLSTM, "eval", path, input=b"A LINE OF TEXT\n")
    print(machine())
    for name, seconds in figures.items():
        print(f"{name:32} {seconds:7.3f} s   {seconds / figures['import numpy']:5.2f} x import numpy")
    report("latency", seconds={name: round(value, 4) for name, value in figures.items()})


if __name__ == "__main__":
    main()

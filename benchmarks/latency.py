"""Whole-process times of the command line, beside what Python and numpy alone take; and lines through `eval --lines`.

python benchmarks/latency.py
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE

from common import ALPHABET, in_words, machine, median_time, random_model, report

CHARLSTM = [sys.executable, "-m", "charlstm"]


def whole(*command: str, input: bytes = b"") -> float:
    """Median seconds of a whole process."""
    return median_time(lambda: subprocess.run(command, input=input, capture_output=True, check=False), 9)


def first_character(path: str) -> float:
    """Seconds until the first character comes out of `sample`."""

    def once() -> float:
        before = time.perf_counter()
        with subprocess.Popen([*CHARLSTM, "sample", path, "-n", "200"], stdin=DEVNULL, stdout=PIPE) as process:
            assert process.stdout
            process.stdout.read(1)
            passed = time.perf_counter() - before
            process.stdout.read()
        return passed

    return statistics.median(once() for _ in range(9))


def line_of_a_stream(path: str) -> float:
    """Seconds from writing a line into `eval --lines`, whose input stays open, to reading its score."""
    with subprocess.Popen([*CHARLSTM, "eval", path, "--lines"], stdin=PIPE, stdout=PIPE) as process:
        assert process.stdin
        assert process.stdout

        def once() -> None:
            process.stdin.write(b"a line of a log that never ends\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            process.stdout.readline()  # type: ignore[union-attr]

        return median_time(once, 51)


def many_lines(path: str, count: int = 100_000) -> tuple[float, int]:
    """Seconds of `eval --lines` over that many lines of 1 to 40 characters, and its peak memory in KiB."""
    rng = random.Random(0)
    lines = "\n".join("".join(rng.choices(ALPHABET[1:], k=rng.randint(1, 40))) for _ in range(count)) + "\n"
    before = time.perf_counter()
    with subprocess.Popen([*CHARLSTM, "eval", path, "--lines"], stdin=PIPE, stdout=DEVNULL) as process:
        assert process.stdin
        process.stdin.write(lines.encode())
        process.stdin.close()
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return time.perf_counter() - before, used.ru_maxrss


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    figures: dict[str, float] = {
        "python": whole(sys.executable, "-c", "pass"),
        "import numpy": whole(sys.executable, "-c", "import numpy"),
        "import torch": median_time(lambda: subprocess.run([sys.executable, "-c", "import torch"], check=True), 3),
        "--help": whole(*CHARLSTM, "--help"),
        "--version": whole(*CHARLSTM, "--version"),
        "wrong usage": whole(*CHARLSTM, "sample"),
    }
    ran: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        begin = [*CHARLSTM, "train", "--steps", "2", "--force", "-o", str(Path(folder) / "trained.safetensors")]
        figures["train --steps 2"] = whole(*begin, input=b"A LINE OF TEXT\n" * 500)
        for hidden in (128, 256, 512):
            path = str(Path(folder) / "m.safetensors")
            model = random_model(hidden)
            model.save(path)
            ran.append(in_words(model.settings))
            figures[f"sample -n 200, 2 x {hidden}"] = whole(*CHARLSTM, "sample", path, "-n", "200")
            figures[f"first character, 2 x {hidden}"] = first_character(path)
            figures[f"eval of one line, 2 x {hidden}"] = whole(*CHARLSTM, "eval", path, input=b"A LINE OF TEXT\n")
            figures[f"a line of a stream, 2 x {hidden}"] = line_of_a_stream(path)
            figures[f"100,000 lines, 2 x {hidden}"], kibibytes = many_lines(path)
    print("\n".join([machine(), *ran]))
    for name, seconds in figures.items():
        print(f"{name:32} {seconds:7.3f} s   {seconds / figures['import numpy']:5.2f} x import numpy")
    print(f"peak memory of the last 100,000 lines: {kibibytes / 1024:.0f} MiB")
    report("latency", ran=ran, peak_kib=kibibytes, seconds={name: round(value, 4) for name, value in figures.items()})


if __name__ == "__main__":
    main()

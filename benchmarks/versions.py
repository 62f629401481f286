"""Whole-process times of two versions of charlstm, by turns in one run: what a change costs, or gains.

python benchmarks/versions.py CHECKOUT [--repeats 7]

CHECKOUT is a folder with another version, as `git worktree add ../other COMMIT` makes one. Both read one model, of 2 x
256 with random parameters.
"""

from __future__ import annotations

import argparse
import compileall
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from common import ALPHABET, ROOT, in_words, machine, random_model, report


def commands(model: str, line: str, text: str, output: str) -> dict[str, list[str]]:
    """What is timed."""
    training = ["train", text, "-o", output, "--force", "--steps", "15", "--hidden", "256", "--layers", "2", "--quiet"]
    return {
        "--help": ["--help"],
        "sample -n 200": ["sample", model, "-n", "200"],
        "sample -n 20000": ["sample", model, "-n", "20000"],
        "eval of a line": ["eval", model, line],
        "eval of 200,000 characters": ["eval", model, text],
        "train --steps 15": training,
    }


def seconds(checkout: Path, command: list[str]) -> float:
    """Of one process of a version."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    before = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "charlstm", *command],
        env=environment, cwd=tempfile.gettempdir(), stdin=subprocess.DEVNULL, capture_output=True, check=True,
    )  # fmt: skip
    return time.perf_counter() - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, help="folder of the other version")
    parser.add_argument("--repeats", type=int, default=7, help="of each; of a training a third")
    arguments = parser.parse_args()
    versions = {"other": arguments.checkout.resolve(), "this": ROOT}
    for path in versions.values():  # else one of them may be compiled at each start
        compileall.compile_dir(path / "charlstm", quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        model, line, text = (Path(folder) / name for name in ("model.safetensors", "line.txt", "text.txt"))
        file = random_model(256)
        file.save(model)
        line.write_text(ALPHABET[:40] + "\n")
        text.write_text((ALPHABET.replace("\n", " ") + "\n") * (200_000 // (len(ALPHABET) + 1)))
        figures: dict[str, dict[str, float]] = {}
        print(f"{machine()}\n{in_words(file.settings)}\n{'':28}{'other':>10}{'this':>10}")
        for name, command in commands(str(model), str(line), str(text), str(Path(folder) / "new")).items():
            repeats = max(3, arguments.repeats // 3) if command[0] == "train" else arguments.repeats
            runs = [{version: seconds(path, command) for version, path in versions.items()} for _ in range(repeats)]
            figures[name] = {version: round(median(run[version] for run in runs), 3) for version in versions}
            print(f"{name:28}" + "".join(f"{figures[name][version]:>9.3f}s" for version in versions), flush=True)
    report("versions", seconds=figures)


if __name__ == "__main__":
    main()

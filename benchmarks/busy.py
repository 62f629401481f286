"""Training beside other busy programs: how much a run of some minutes reads, by the number of its threads.

python benchmarks/busy.py [--minutes 0.5] [--beside 0 1 2] [--threads auto 1 2] [--text FILE]

"auto" is the tool as it is, which chooses on the way. The other programs do nothing but count; they ask for no memory.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from common import ROOT, described, machine, report

from charlstm import load

BUSY = "while True: pass"


@contextlib.contextmanager
def busy_programs(count: int) -> Iterator[None]:
    """So many of them, until the block ends."""
    programs = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def trained(text: Path, model: Path, minutes: float, threads: str) -> tuple[int, float]:
    """Characters that a run has read, and its validation in bits per character."""
    chosen = [] if threads == "auto" else ["--threads", threads]
    subprocess.run(
        [sys.executable, "-m", "charlstm", "train", str(text), "-o", str(model), "--force", "--quiet",
         "--minutes", str(minutes), *chosen],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    result = load(model).file.result
    return int(result["characters"]), float(result["val_bits_per_char"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--beside", type=int, nargs="*", default=[0, 1, 2], help="busy programs")
    parser.add_argument("--threads", nargs="*", default=["auto", "1", "2"])
    parser.add_argument("--text", type=Path, default=ROOT / "corpora" / "tales.txt")
    arguments = parser.parse_args()
    rows = []
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.safetensors"
        for count in arguments.beside:
            for threads in arguments.threads:
                with busy_programs(count):
                    characters, bits = trained(arguments.text, model, arguments.minutes, threads)
                row = {"beside": count, "threads": threads, "characters": characters, "bits": round(bits, 4)}
                rows.append({**row, "ran": described(model)})
                print(
                    f"beside {count}, threads {threads:4}: {characters:,} characters, {bits:.4f} bits per character; "
                    f"{described(model)}", flush=True,
                )  # fmt: skip
    report("busy", minutes=arguments.minutes, text=arguments.text.name, runs=rows)


if __name__ == "__main__":
    main()

"""How good a model a number of minutes buys: `charlstm train --minutes M` with no other option, then `charlstm eval`.

python benchmarks/quality.py --minutes 1 2.3 5 --corpus FILE --seeds 3 [--curve FILE.json]

The tool keeps the last 10 % of a text back to validate on; that part, which is never learnt from, is scored here as
one stream (the usual split of tiny shakespeare). With `--lines` it is every tenth line. Times are of whole processes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import machine, report

CHARLSTM = [sys.executable, "-m", "charlstm"]


def run_once(folder: Path, corpus: Path, minutes: float, seed: int, extra: list[str]) -> dict[str, Any]:
    """Train and score once: nats per character, seconds, the curve."""
    model = folder / "model.safetensors"
    begin = time.monotonic()
    subprocess.run(
        [*CHARLSTM, "train", str(corpus), "-o", str(model), "--force", "--quiet", "--minutes", str(minutes),
         "--seed", str(seed), *extra],
        check=True,
    )  # fmt: skip
    seconds = time.monotonic() - begin
    info = json.loads(subprocess.run([*CHARLSTM, "info", str(model), "--json"], check=True, capture_output=True).stdout)
    nats = info["result"]["val_bits_per_char"] * 0.6931471805599453
    if not extra:
        text = corpus.read_text(encoding="utf-8")
        held = text[len(text) - int(len(text) * 0.1) :]
        scored = subprocess.run(
            [*CHARLSTM, "eval", str(model), "--json"], input=held.encode(), check=True, capture_output=True
        )
        nats = json.loads(scored.stdout)["nats_per_char"]
    return {
        "nats": nats,
        "seconds": round(seconds, 1),
        "model": info["settings"],
        "training": {k: info["training"][k] for k in ("batch", "context", "learning_rate", "dropout", "precision")},
        "characters": info["result"]["characters"],
        "curve": info["result"]["curve"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[3.0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--curve", type=Path, help="write all curves (loss against seconds) to this JSON file")
    parser.add_argument("--lines", action="store_true")
    arguments = parser.parse_args()
    extra = ["--lines"] if arguments.lines else []
    print(machine())
    results: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for minutes in arguments.minutes:
            runs = [run_once(Path(folder), arguments.corpus, minutes, s, extra) for s in range(arguments.seeds)]
            results[str(minutes)] = runs
            nats = statistics.median(run["nats"] for run in runs)
            shown = ", ".join(f"{run['nats']:.4f} in {run['seconds']:.0f} s" for run in runs)
            size = runs[0]["model"]
            print(
                f"{minutes:g} minutes: {nats:.4f} nats ({nats / 0.6931471805599453:.4f} bits) per character; "
                f"{size['layers']} x {size['hidden']}; runs: {shown}", flush=True,
            )  # fmt: skip
    if arguments.curve:
        arguments.curve.write_text(json.dumps(results))
    medians = {minutes: round(statistics.median(run["nats"] for run in runs), 4) for minutes, runs in results.items()}
    report("quality", corpus=arguments.corpus.name, seeds=arguments.seeds, nats_per_character=medians)


if __name__ == "__main__":
    main()

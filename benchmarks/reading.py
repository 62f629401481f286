"""Texts larger than memory: how fast they are made ready, how soon a run begins to learn, and what memory it takes.

python benchmarks/reading.py --megabytes 200 --kind ascii mixed lines

A text is made of the lines of corpora/ in random order. Preparing is the user's and the system's processor time of a
process that reads it into a corpus, for each megabyte of the file. Training is `charlstm train --minutes`; its memory
is the resident set's peak, and that of the anonymous part of it, which the system cannot drop; beside them stands
the same command on a megabyte of the same text: what torch, the network and its counts take.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import ROOT, described, machine, report

WORDS = ("Grüße", "naïve", "été", "мир", "слово", "Ελλάδα", "東京", "“so”", "—")
PREPARE = (
    "import sys; from charlstm.data.corpus import Reading, read_corpus; read_corpus(Reading(sys.argv[1:2], lines={}))"
)


def some_lines(kind: str, rng: random.Random) -> list[str]:
    """Lines of one kind, some 100,000 of them."""
    if kind == "lines":
        names = (ROOT / "corpora" / "names.txt").read_text(encoding="utf-8").split()
        return [f"{rng.choice(names)} {rng.randrange(10**6)}" for _ in range(100_000)]
    lines = (ROOT / "corpora" / "tales.txt").read_text(encoding="utf-8").splitlines()
    if kind == "ascii":
        return lines
    return [
        f"{rng.choice(WORDS)} {line} {rng.choice(WORDS)} {rng.choice(WORDS)}" for line in rng.choices(lines, k=50_000)
    ]


def write_text(path: Path, kind: str, size: int) -> None:
    """Write a text of at least so many bytes."""
    rng = random.Random(0)
    lines, number = some_lines(kind, rng), 0
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            number += 1
            rng.shuffle(lines)
            tail = f" {number}\n" if kind == "lines" else "\n"  # so that hardly a line stands there twice
            file.write(tail.join(lines) + tail)


def memory(pid: int) -> dict[str, int]:
    """Resident memory of a process by now, in MB: all of it at most, and the anonymous part."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    found = re.findall(r"^(VmHWM|RssAnon):\s+(\d+) kB", status, flags=re.M)
    return {name: int(size) // 1024 for name, size in found}


def watched(command: list[str], text: Path | None, log: Path | None = None, limit: float = math.inf) -> dict[str, Any]:
    """Run a command to its end, or for so many seconds, with a text on its standard input or none.

    Returns:
        its processor time in seconds; the peaks of its memory; when the first line was in its log; and whether it was
        ended.
    """
    before, peaks, began = time.perf_counter(), {"VmHWM": 0, "RssAnon": 0}, None
    ended = False
    given = text.open("rb") if text else subprocess.DEVNULL
    with subprocess.Popen(command, stdin=given, stdout=subprocess.DEVNULL) as process:
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            for name, size in memory(process.pid).items():
                peaks[name] = max(peaks[name], size)
            if log and began is None and log.exists() and log.stat().st_size:
                began = time.perf_counter() - before
            if not ended and time.perf_counter() - before > limit:
                ended = True
                process.kill()
            time.sleep(0.02)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode and not ended:
        raise SystemExit(f"{command} failed")
    return {
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "user_seconds": usage.ru_utime,
        "wall_seconds": time.perf_counter() - before,
        # What `wait4` says is not less than what this process itself had when it started the other.
        "peak_mb": peaks["VmHWM"] or usage.ru_maxrss // 1024,
        "peak_anonymous_mb": peaks["RssAnon"],
        "first_report_after": began,
        "ended": ended,
    }


def trained(path: Path, folder: Path, arguments: list[str], *, piped: bool) -> dict[str, Any]:
    """Train on a text; what was measured, and what really ran."""
    output, log = folder / "m.safetensors", folder / f"{path.name}.log"
    named = [] if piped else [str(path)]
    command = [sys.executable, "-m", "charlstm", "train", *named, "-o", str(output), "--force", "-q"]
    found = watched([*command, "--log", str(log), *arguments], path if piped else None, log)
    return {**found, "ran": described(output)}


def measured(kind: str, size: int, folder: Path, minutes: float, *, piped: bool) -> dict[str, Any]:
    """All figures of a text of so many bytes."""
    large, small = folder / f"{kind}.txt", folder / f"{kind}-small.txt"
    write_text(large, kind, size)
    write_text(small, kind, 1 << 20)
    count = large.stat().st_size / 1e6
    how = ["--lines"] if kind == "lines" else []
    prepared = watched([sys.executable, "-c", PREPARE.format(bool(how)), str(large)], None)
    start = watched([sys.executable, "-c", PREPARE.format(bool(how)), str(small)], None)
    arguments = [*how, "--minutes", str(minutes)]
    found: dict[str, Any] = {"kind": kind, "megabytes": round(count), "prepared": prepared}
    found["megabytes_a_cpu_second"] = round(count / (prepared["cpu_seconds"] - start["cpu_seconds"]), 1)
    found["trained"] = trained(large, folder, arguments, piped=piped)
    found["trained_small"] = trained(small, folder, arguments, piped=piped)
    for name in ("peak_mb", "peak_anonymous_mb"):
        found[f"more_{name}"] = found["trained"][name] - found["trained_small"][name]
    large.unlink()
    return found


def main() -> None:
    """Parse, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--kind", nargs="+", choices=["ascii", "mixed", "lines"], default=["ascii"])
    parser.add_argument("--minutes", type=float, default=1.0, help="of training")
    parser.add_argument("--piped", action="store_true", help="train on standard input")
    parser.add_argument("--folder", help="where the texts go (default: a temporary one)")
    given = parser.parse_args()
    print(machine())
    results = []
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for kind in given.kind:
            found = measured(kind, given.megabytes * 10**6, Path(folder), given.minutes, piped=given.piped)
            results.append(found)
            print(f"{kind}, {found['megabytes']:,} MB: {found['megabytes_a_cpu_second']} MB a second of processor time")
            print(f"  preparing: {found['prepared']['peak_mb']} MB at most, {found['prepared']['wall_seconds']:.1f} s")
            for name in ("trained", "trained_small"):
                one = found[name]
                print(
                    f"  {name}: {one['peak_mb']} MB at most, {one['peak_anonymous_mb']} MB of them anonymous; ", end=""
                )
                print(f"first report after {one['first_report_after'] or 0:.1f} s; {one['ran']}")
    report("reading", results=results, piped=given.piped)


if __name__ == "__main__":
    main()

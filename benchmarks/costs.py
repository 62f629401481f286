"""How cost grows with the text and with the alphabet: time and memory of `train`, `eval`, `inspect`, `sample`, `info`.

python benchmarks/costs.py [--sizes 10K 1M 100M] [--alphabets 60 5000 60000] [--plot FILE.png]

Whole processes. A text has so many bytes, of words that are drawn from a lexicon by Zipf's law, as the symbols of the
words were; at its beginning each symbol stands once, as far as a fifth of the text has room for that. Each text is
written to a temporary folder, and removed before the next.

`train` takes --steps of a network of 2 x 64: its time grows with the text by what comes before the first step ("ready
after"), and the characters a second are those of its steps alone. `eval` and `inspect` read another text of the same
make, of at most --scored characters, as neither has an option to end sooner; `sample` writes texts of several lengths.
A process that takes longer than --seconds is ended, and its row says so.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import described, machine, report
from numpy.typing import NDArray
from reading import watched

from charlstm.data.vocabulary import from_codepoints

CHARLSTM = [sys.executable, "-m", "charlstm"]
WORDS, LONG = 20_000, 4
"""Of the lexicon; letters of a word beyond the first, on average."""
LINE = 10
"""Words of a line."""
AT_ONCE = 100_000
"""Words that are drawn at a time."""
STEEPER, LARGER = 1.5, 1.25
"""From these ratios on a cost is said not to be flat: of time a further character, of memory."""
LEAST_SECONDS, LEAST_MB = 1.0, 50
"""Differences below these say nothing."""
UNITS = {"K": 10**3, "M": 10**6, "G": 10**9}

# -------------------------------------------------------------------------------------------- texts


def symbols(count: int) -> NDArray[np.uint32]:
    """So many code points of letters, digits, signs: printable, no spaces, no accents to be combined, ASCII first."""
    points = (point for point in range(0x21, sys.maxunicode) if _is_plain(chr(point)))
    return np.fromiter(itertools.islice(points, count), dtype=np.uint32, count=count)


def _is_plain(character: str) -> bool:
    return character.isprintable() and not character.isspace() and not unicodedata.category(character).startswith("M")


class Words:
    """Words over some symbols, all of them in one array (S,), where each begins and how long it is (W,)."""

    def __init__(self, points: NDArray[np.uint32]) -> None:
        rng = np.random.default_rng(0)
        self.lengths = 2 + rng.poisson(LONG, WORDS)  # with the space behind it
        self.ends = np.cumsum(self.lengths)
        self.symbols = points[by_rank(rng, len(points), int(self.ends[-1]))]
        self.symbols[self.ends - 1] = ord(" ")

    def drawn(self, rng: np.random.Generator) -> NDArray[np.uint32]:
        """Some lines of words, the n-th at a rate of 1/n."""
        words = by_rank(rng, WORDS, AT_ONCE)
        lengths = self.lengths[words]
        ends = np.cumsum(lengths)
        found: NDArray[np.uint32] = self.symbols[np.repeat(self.ends[words] - ends, lengths) + np.arange(ends[-1])]
        found[ends[LINE - 1 :: LINE] - 1] = ord("\n")
        return found


def by_rank(rng: np.random.Generator, count: int, size: int) -> NDArray[np.intp]:
    """So many numbers below `count`, drawn by Zipf's law: n - 1 at a rate of 1/n."""
    rates = np.cumsum(1 / np.arange(1, count + 1))
    ranks: NDArray[np.intp] = np.searchsorted(rates, rng.random(size) * rates[-1])
    return np.minimum(ranks, count - 1)


def pieces(points: NDArray[np.uint32], seed: int, each_once: int) -> Iterator[str]:
    """A text without an end: first so many of the symbols once, then words."""
    rng, words = np.random.default_rng(seed), Words(points)
    yield from_codepoints(rng.permutation(points)[:each_once])
    while True:
        yield from_codepoints(words.drawn(rng))


def write_text(path: Path, count: int, size: int, *, seed: int = 0, most: float = math.inf) -> int:
    """Write a text of about so many bytes and at most so many characters, over so many symbols.

    Returns:
        how many characters it has.
    """
    points, written = symbols(count), 0
    width = len("".join(map(chr, points[-1:])).encode())
    once = 0 if seed else min(count, size // (5 * width))
    with path.open("wb") as file:
        for piece in pieces(points, seed, once):
            piece = piece[: int(min(len(piece), most - written))]
            data = piece.encode()
            if file.tell() + len(data) >= size:
                data = data[: size - file.tell()].decode(errors="ignore").encode()
            file.write(data)
            written += len(data.decode())
            if file.tell() > size - 4 or written >= most:
                return written
    raise AssertionError("the text has no end")


# ---------------------------------------------------------------------------------------- processes


class Measuring:
    """Runs the commands and keeps a row of each."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self.folder, self.given = folder, given
        self.rows: list[dict[str, Any]] = []
        self.model = folder / "model.safetensors"

    def all_of(self, count: int, size: int) -> None:
        """All commands for a text of so many symbols and bytes."""
        text, part = self.folder / "text.txt", self.folder / "part.txt"
        length = write_text(text, count, size)
        scored = write_text(part, count, size, seed=1, most=self.given.scored)
        if self.train(text, count, size, length):
            self.add("eval", ["eval", str(self.model), str(part)], count, size, scored)
            self.add("inspect", ["inspect", str(self.model), str(part)], count, size, scored)
            for written in self.given.lengths:
                self.add("sample", ["sample", str(self.model), "-n", str(written)], count, size, written)
            self.add("info", ["info", str(self.model)], count, size, 1)
        for path in (text, part, self.model):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.folder / "cache", ignore_errors=True)

    def train(self, text: Path, count: int, size: int, length: int) -> bool:
        """A few steps; whether there is a model afterwards."""
        log = self.folder / "log.jsonl"
        log.unlink(missing_ok=True)
        options = ["--layers", "2", "--hidden", "64", "--steps", str(self.given.steps), "--min-count", "1"]
        ngrams = [] if self.given.ngrams is None else ["--ngrams", str(self.given.ngrams)]
        places = ["-o", str(self.model), "--force", "--log", str(log), "--cache", str(self.folder / "cache")]
        command = ["train", str(text), "-q", *places, *options, *ngrams]
        row = self.add("train", command, count, size, length, log)
        if row["ended"]:
            return False
        reports = [json.loads(line) for line in log.read_text().splitlines()]
        row["characters_a_second"] = round(statistics.median(one["speed"] for one in reports if one["speed"]))
        row["ran"] = described(self.model)
        row["model_mb"] = round(self.model.stat().st_size / 1e6, 1)
        info = subprocess.run([*CHARLSTM, "info", str(self.model), "--json"], check=True, capture_output=True).stdout
        row["vocabulary"] = json.loads(info)["settings"]["vocabulary"]
        print(f"    {row['ran']}, {row['vocabulary']:,} symbols, {row['model_mb']:g} MB", flush=True)
        return True

    def add(
        self, name: str, command: list[str], count: int, size: int, length: int, log: Path | None = None
    ) -> dict[str, Any]:
        """Run a command; its row."""
        used = watched([*CHARLSTM, *command], None, log, self.given.seconds)
        row: dict[str, Any] = {"command": name, "alphabet": count, "bytes": size, "characters": length}
        row |= {name: used[name] for name in ("peak_mb", "peak_anonymous_mb", "ended")}
        row |= {"seconds": round(used["wall_seconds"], 3), "cpu_seconds": round(used["cpu_seconds"], 3)}
        if log and used["first_report_after"]:
            row["ready_after"] = round(used["first_report_after"], 2)
        self.rows.append(row)
        print(f"  {in_a_line(row)}", flush=True)
        return row


# ------------------------------------------------------------------------------------------- reports


def short(size: float) -> str:
    """As 10K, 1M, 2G."""
    for unit, factor in reversed(UNITS.items()):
        if size >= factor:
            return f"{size / factor:g}{unit}"
    return f"{size:g}"


def in_a_line(row: dict[str, Any]) -> str:
    """A row while it is measured."""
    over = ", ended there" if row["ended"] else ""
    of = f"{row['command']}, {row['alphabet']:,} symbols, {short(row['bytes'])}, {row['characters']:,} characters"
    return f"{of}: {row['seconds']:.2f} s{over}, {row['peak_mb']} MB"


HEAD = "command", "symbols", "text", "characters", "seconds", "of CPU", "µs a character", "MB", "anonymous", ""


def table(rows: list[dict[str, Any]]) -> None:
    """Print all rows."""
    print(f"\n| {' | '.join(HEAD)} |\n{'|---' * len(HEAD)}|")
    for row in rows:
        notes = "ended" if row["ended"] else ""
        if "characters_a_second" in row:
            notes = f"ready after {row.get('ready_after', 0):.1f} s, {row['characters_a_second']:,} characters a second"
        each = f"{1e6 * row['seconds'] / row['characters']:,.2f}" if row["command"] != "info" else ""
        cells = [row["command"], f"{row['alphabet']:,}", short(row["bytes"]), f"{row['characters']:,}"]
        cells += [f"{row[name]:.2f}" for name in ("seconds", "cpu_seconds")]
        cells += [each, *(f"{row[name]:,}" for name in ("peak_mb", "peak_anonymous_mb")), notes]
        print("| " + " | ".join(cells) + " |")


def series(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The finished rows of one command and alphabet, shortest first; of samples, those of the largest text's model."""
    found: dict[str, list[dict[str, Any]]] = {}
    largest = max((row["bytes"] for row in rows if not row["ended"]), default=0)
    for row in sorted(rows, key=lambda row: (row["bytes"], row["characters"])):
        if not row["ended"] and (row["command"] != "sample" or row["bytes"] == largest):
            found.setdefault(f"{row['command']}, {row['alphabet']:,} symbols", []).append(row)
    return found


def slopes(rows: list[dict[str, Any]]) -> list[float]:
    """Seconds of each further character, from one row to the next that has at least twice as many characters."""
    found = []
    for one, other in itertools.pairwise(rows):
        more = other["characters"] - one["characters"]
        if more >= one["characters"] and other["seconds"] - one["seconds"] > LEAST_SECONDS:
            found.append((other["seconds"] - one["seconds"]) / more)
    return found


def not_flat(rows: list[dict[str, Any]]) -> list[str]:
    """What grows faster than the text, in time, and what grows with it, in memory."""
    found = []
    for name, some in series(rows).items():
        steps = slopes(some)
        if len(steps) > 1 and steps[-1] > STEEPER * min(steps[:-1]):
            found.append(
                f"{name}: a further character takes {1e6 * steps[-1]:.3g} µs, and {1e6 * min(steps):.3g} before"
            )
        first, last = some[0], some[-1]
        more = last["peak_anonymous_mb"] - first["peak_anonymous_mb"]
        if more > LEAST_MB and last["peak_anonymous_mb"] > LARGER * first["peak_anonymous_mb"]:
            sizes = f"{short(first['bytes'])} and {short(last['bytes'])}"
            memory = f"{first['peak_anonymous_mb']} and {last['peak_anonymous_mb']} MB"
            found.append(f"{name}: {memory} of anonymous memory at {sizes}")
        later = last["seconds"] - first["seconds"]
        if some[0]["command"] == "info" and later > LEAST_SECONDS / 10 and last["seconds"] > STEEPER * first["seconds"]:
            found.append(
                f"{name}: {first['seconds']:.2f} s at {short(first['bytes'])}, {last['seconds']:.2f} at the end"
            )
    return found


def draw(path: Path, rows: list[dict[str, Any]]) -> None:
    """Time and memory against the size of the text, a colour for each command and a line for each alphabet."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(12, 4.6))
    commands = list(dict.fromkeys(row["command"] for row in rows))
    alphabets = sorted({row["alphabet"] for row in rows})
    for (number, command), (style, alphabet) in itertools.product(
        enumerate(commands), zip(itertools.cycle(("-", "--", ":")), alphabets, strict=False)
    ):
        some = [row for row in rows if (row["command"], row["alphabet"], row["ended"]) == (command, alphabet, False)]
        sizes = sorted({row["bytes"] for row in some})
        last = {row["bytes"]: row for row in some}  # of samples, the longest
        look: dict[str, Any] = {"color": f"C{number}", "linestyle": style, "marker": "o", "markersize": 3}
        each = [1e6 * last[size]["seconds"] / last[size]["characters"] for size in sizes]
        if command != "info":
            panels[0].plot(sizes, each, label=f"{command}, {alphabet:,}", **look)
        panels[1].plot(sizes, [last[size]["peak_mb"] for size in sizes], label=f"{command}, {alphabet:,}", **look)
    panels[0].set_ylabel("µs a character, whole process")
    panels[1].set_ylabel("peak memory, MB")
    for axes in panels:
        axes.set(xscale="log", yscale="log", xlabel="bytes of the text")
        axes.grid(alpha=0.3, which="both")
    panels[1].legend(fontsize="x-small", ncols=2)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def size_of(text: str) -> int:
    """A number with K, M or G behind it, or without."""
    factor = UNITS.get(text[-1:].upper(), 1)
    return int(float(text[:-1] if factor > 1 else text) * factor)


def asked(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=size_of, nargs="+", default=["10K", "1M", "100M"], help="bytes, such as 2G")
    parser.add_argument("--alphabets", type=int, nargs="+", default=[60, 5000, 60_000], help="symbols")
    parser.add_argument("--steps", type=int, default=30, help="of a training")
    parser.add_argument("--ngrams", type=int, help="as of `charlstm train`")
    parser.add_argument("--scored", type=int, default=1_000_000, help="characters that eval and inspect read at most")
    parser.add_argument("--lengths", type=int, nargs="+", default=[200, 2000, 10_000], help="of samples, in characters")
    parser.add_argument("--seconds", type=float, default=300, help="that a process may take")
    parser.add_argument("--folder", help="where the texts go (default: a temporary one)")
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args(arguments)
    given.sizes = [size_of(str(size)) for size in given.sizes]
    return given


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    given = asked(arguments)
    print(machine())
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        measuring = Measuring(Path(folder), given)
        for size, count in itertools.product(sorted(given.sizes), given.alphabets):
            print(f"{short(size)} of {count:,} symbols", flush=True)
            measuring.all_of(count, size)
    rows = measuring.rows
    table(rows)
    flat = not_flat(rows)
    print("\nnot flat:" if flat else "\nall is flat", *flat, sep="\n")
    if given.plot:
        draw(given.plot, rows)
    report("costs", rows=rows, not_flat=flat)


if __name__ == "__main__":
    main()

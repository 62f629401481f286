"""Compressors and KenLM beside a model: what the last tenth of a text costs once the rest is known.

python benchmarks/compressors.py FILE [MODEL]

A compressor learns while it reads, so its figure is what the whole text takes beyond its first nine tenths, in nats per
character; to be compared with `eval --dynamic-counts` and `--dynamic`, which go on learning, too. xz and bzip2 come
with Python; PPMd is that of `7z` (Debian's p7zip-full), of the order at which the whole text takes least, and zpaq is
`zpaq -m5`, where these are installed. zpaq makes its tables by the size of a text, so spaces are put before both texts
that give them tables of one size.

KenLM (Heafield 2011) does not go on learning: it is to be compared with plain `eval`. Its words are the characters, the
text is one sentence, and of all orders the best by this very figure counts. Its commands `lmplz` and `query` are looked
for in PATH; PyPI has their source (`pip download kenlm`), to be built with cmake, Boost and -DKENLM_MAX_ORDER=12. Of a
character that it has never seen it says nothing but <unk>, which is in its favour.

The MODEL was trained with `--val-split end`, so that it knows the first nine tenths.
"""

from __future__ import annotations

import argparse
import bz2
import json
import lzma
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from common import described, machine, report

ORDERS = (4, 5, 6, 7, 8, 10, 12, 16, 24)
"""Of PPMd."""
KENLM_ORDERS = range(3, 13)
"""Its build must know the largest: KENLM_MAX_ORDER."""
Size = Callable[[bytes], int]
"""Bytes that a text takes compressed."""


def archived(archive: str, *command: str) -> Size:
    """The size of what a command writes: its words, with {archive} and {text} for the names of files."""

    def size(text: bytes) -> int:
        with tempfile.TemporaryDirectory() as folder:
            names = {"archive": str(Path(folder) / archive), "text": str(Path(folder) / "text")}
            Path(names["text"]).write_bytes(text)
            subprocess.run([word.format(**names) for word in command], check=True, capture_output=True, cwd=folder)
            return Path(names["archive"]).stat().st_size

    return size


def compressors() -> dict[str, list[Size]]:
    """Those that there are here, each with the settings to choose from."""
    found: dict[str, list[Size]] = {
        "xz -9e": [lambda text: len(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))],
        "bzip2 -9": [lambda text: len(bz2.compress(text))],
    }
    if shutil.which("7z"):
        found["PPMd"] = [
            archived("a.7z", "7z", "a", f"-m0=PPMd:o={order}:mem=1g", "{archive}", "{text}") for order in ORDERS
        ]
    if shutil.which("zpaq"):
        found["zpaq -m5"] = [archived("a.zpaq", "zpaq", "a", "{archive}", "{text}", "-m5")]
    return found


def beyond(sizes: list[Size], known: bytes, whole: bytes, characters: int) -> float:
    """Nats per character of what a text takes beyond what is known of it, by what compresses the whole best."""
    best = min(sizes, key=lambda size: size(whole))
    return 8 * math.log(2) * (best(whole) - best(known)) / characters


def padding(known: bytes, whole: bytes) -> bytes:
    """Spaces that put both texts between the same two powers of two of bytes."""
    return b" " * max(0, (1 << (len(whole) - 1).bit_length() - 1) - len(known))


def of_kenlm(known: str, held_out: str, order: int) -> float:
    """Nats per character of one order, on the way over files."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.arpa"
        estimate = ["lmplz", "-o", str(order), "--discount_fallback", "-S", "2G", "-T", folder, "--arpa", str(model)]
        subprocess.run(estimate, input=in_words(known), check=True, capture_output=True)
        query = ["query", "-v", "word", str(model)]
        done = subprocess.run(query, input=in_words(held_out), check=True, capture_output=True)
    scores = done.stdout.decode().splitlines()[0].split("\t")[: len(held_out)]  # "word=id order log10"; less what ends
    return -math.log(10) * sum(float(score.split()[2]) for score in scores) / len(held_out)


def in_words(text: str) -> bytes:
    """Each character as a word of its own that holds no space."""
    return (" ".join(format(ord(character), "x") for character in text) + "\n").encode()


def of_model(model: Path, text: str) -> dict[str, float]:
    """Nats per character by a model: as it is, and where it goes on learning."""
    command = [sys.executable, "-m", "charlstm", "eval", str(model), "--json", "--dynamic", "--dynamic-counts"]
    figures = json.loads(subprocess.run(command, input=text.encode(), check=True, capture_output=True).stdout)
    names = {"": "charlstm", "dynamic_counts_": "--dynamic-counts", "dynamic_": "--dynamic"}
    return {shown: figures[f"{name}nats_per_char"] for name, shown in names.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, metavar="FILE")
    parser.add_argument("model", type=Path, nargs="?", metavar="MODEL")
    given = parser.parse_args()
    text = given.text.read_text(encoding="utf-8")
    held_out = text[len(text) - int(len(text) * 0.1) :]
    whole, known = text.encode(), text[: len(text) - len(held_out)].encode()
    print(machine())
    before = {"zpaq -m5": padding(known, whole)}
    nats = {
        name: beyond(sizes, before.get(name, b"") + known, before.get(name, b"") + whole, len(held_out))
        for name, sizes in compressors().items()
    }
    if shutil.which("lmplz") and shutil.which("query"):
        by_order = {order: of_kenlm(text[: len(text) - len(held_out)], held_out, order) for order in KENLM_ORDERS}
        best = min(by_order, key=by_order.__getitem__)
        nats[f"KenLM, order {best}"] = by_order[best]
    ran = described(given.model) if given.model else "compressors alone"
    if given.model:
        nats |= of_model(given.model, held_out)
    for name, value in nats.items():
        print(f"{name:18} {value:.4f}")
    print(ran)
    report("compressors", corpus=given.text.name, ran=ran, nats={name: round(value, 4) for name, value in nats.items()})


if __name__ == "__main__":
    main()

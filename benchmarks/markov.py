"""Whether the figures can be trusted: a text from a source whose entropy rate is known exactly.

python benchmarks/markov.py [--minutes 1]

The source is a Markov chain of order 2 over ten letters: the next letter depends on the last two. Its entropy rate is
H = sum over pairs of pi(pair) * H(next | pair), with pi the chain's stationary distribution (Shannon 1948, section 7).
No model can do better than H bits per character in the long run; a good one comes within 2 %.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from common import described, machine, report
from numpy.typing import NDArray

LETTERS = "abcdefghij"
CHARACTERS = 1_000_000
HELD_OUT = 200_000


def source(seed: int = 0) -> NDArray[np.float64]:
    """Probabilities of the next letter after each pair, shape (10, 10, 10); uneven, and none is zero."""
    probabilities = np.random.default_rng(seed).gamma(0.3, size=(len(LETTERS),) * 3) + 1e-3
    scaled: NDArray[np.float64] = probabilities / probabilities.sum(axis=-1, keepdims=True)
    return scaled


def entropy_rate(probabilities: NDArray[np.float64]) -> float:
    """Bits per character, exactly (up to the rounding of the stationary distribution)."""
    count = len(LETTERS)
    pairs = np.full((count, count), 1 / count**2)
    for _ in range(10_000):
        pairs = np.einsum("ab,abc->bc", pairs, probabilities)
    return float(-(pairs[..., None] * probabilities * np.log2(probabilities)).sum())


def drawn(probabilities: NDArray[np.float64], characters: int, seed: int) -> str:
    """A text from the source."""
    limits = np.cumsum(probabilities, axis=-1).tolist()
    before, last = 0, 0
    letters = []
    for draw in np.random.default_rng(seed).random(characters).tolist():
        row = limits[before][last]
        following = next((index for index, limit in enumerate(row) if draw < limit), len(row) - 1)
        letters.append(LETTERS[following])
        before, last = last, following
    return "".join(letters)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    minutes = parser.parse_args().minutes
    print(machine())
    probabilities = source()
    exact = entropy_rate(probabilities)
    charlstm = [sys.executable, "-m", "charlstm"]
    with tempfile.TemporaryDirectory() as folder:
        text, model = Path(folder) / "text.txt", Path(folder) / "model.safetensors"
        text.write_text(drawn(probabilities, CHARACTERS, seed=1))
        subprocess.run([*charlstm, "train", text, "-o", model, "--minutes", str(minutes), "--quiet"], check=True)
        ran = described(model)
        held_out = drawn(probabilities, HELD_OUT, seed=2)
        scored = subprocess.run(
            [*charlstm, "eval", model, "--json"], input=held_out.encode(), capture_output=True, check=True
        )
    bits = json.loads(scored.stdout)["bits_per_char"]
    print(ran)
    print(f"exact {exact:.4f} bits per character, measured {bits:.4f}: {bits / exact - 1:+.2%}")
    figures = {"exact": round(exact, 5), "measured": round(bits, 5), "excess": round(bits / exact - 1, 5)}
    report("markov", minutes=minutes, ran=ran, **figures)


if __name__ == "__main__":
    main()

"""Can a model tell praise from blame where the order of the words decides? Beside one that counts words.

python benchmarks/sentiment.py [--minutes 1] [--seeds 1] [--count 20000] [--held-out 2000]

Writes film reviews (corpora/reviews.py), trains one model on those that praise and one on those that pan, and says of
held-out ones which of the two finds them likelier, as `charlstm eval --lines --against` does; so, too, with two that
were fine-tuned from one model of all reviews. Three in ten reviews are plain; the others have twins with the same words
in another order and the other label. Beside it logistic regression on the words, and on runs of up to so many words;
and, of the model of all reviews, the unit that tells the labels apart best.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np
from common import ROOT, described, machine, report
from numpy.typing import NDArray

import charlstm
from charlstm.inference.separation import separate
from charlstm.models.numpy_lstm import NumpyNetwork

if TYPE_CHECKING:
    from reviews import Review

sys.path.insert(0, str(ROOT / "corpora"))

LABELS = ("praise", "pan")
Guess = Callable[[Sequence[str]], NDArray[np.bool_]]
"""Says of texts which of them praise."""
RATE, PASSES = 0.5, 300
"""Of the regression's gradient descent."""


# ---------------------------------------------------------------------------------------- words


def counter_of_words(train: Sequence[Review], longest: int) -> Guess:
    """Logistic regression on which runs of up to `longest` words a review has, where 1 is a bag of words."""
    runs = [list(_runs(review.text, longest)) for review in train]
    numbers = {run: number for number, run in enumerate(dict.fromkeys(run for some in runs for run in some))}
    praise = np.array([review.label == "praise" for review in train], dtype=np.float64)
    weights = _regression(*_flat(runs, numbers), praise, len(numbers))

    def guess(texts: Sequence[str]) -> NDArray[np.bool_]:
        rows, columns = _flat([list(_runs(text, longest)) for text in texts], numbers)
        return np.asarray(np.bincount(rows, weights[columns], len(texts)) > 0)

    return guess


def _runs(text: str, longest: int) -> Iterator[str]:
    words = importlib.import_module("reviews").words_of(text)
    for length in range(1, longest + 1):
        yield from (" ".join(words[first : first + length]) for first in range(len(words) - length + 1))


def _flat(runs: Sequence[Sequence[str]], numbers: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Text and number of every run that is known."""
    pairs = [(row, numbers[run]) for row, some in enumerate(runs) for run in some if run in numbers]
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _regression(
    rows: NDArray[np.int64], columns: NDArray[np.int64], truth: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """(size,) weights, by gradient descent with a rate for each weight (AdaGrad, Duchi et al. 2011)."""
    weights, squares = np.zeros(size), np.full(size, 1e-9)
    for _ in range(PASSES):
        wrong = 1 / (1 + np.exp(-np.bincount(rows, weights[columns], len(truth)))) - truth  # (texts,)
        gradient = np.bincount(columns, wrong[rows], size) / len(truth)
        squares += gradient**2
        weights -= RATE * gradient / np.sqrt(squares)
    return weights


# ---------------------------------------------------------------------------------------- models


def trained(train: Sequence[Review], label: str, output: Path, **settings: Any) -> charlstm.Model:
    """A model of the reviews of a label, or of all where it is empty."""
    text = "".join(review.text + "\n" for review in train if label in ("", review.label))
    return charlstm.train(text=text, output=output, lines=True, force=True, **settings)


def likelier(praise: charlstm.Model, pan: charlstm.Model) -> Guess:
    """Which texts the first model needs fewer bits for: what `eval --lines --against` writes in its first column."""

    def guess(texts: Sequence[str]) -> NDArray[np.bool_]:
        first, second = (
            [score.bits_per_byte for score in model.score_lines(text + "\n" for text in texts)]
            for model in (praise, pan)
        )
        return np.array(first) <= np.array(second)

    return guess


def best_unit(model: charlstm.Model, held_out: Sequence[Review]) -> dict[str, float]:
    """Balanced accuracy of the unit that tells the labels of held-out reviews best, as `inspect --labels` finds it."""
    network = NumpyNetwork(model.file.settings, model.file.tensors)
    parts = {"all": held_out, **{part: [one for one in held_out if _part(one) == part] for part in ("plain", "turned")}}
    return {
        name: separate(network, model.vocabulary, [one.text for one in some], [one.label for one in some])[0].accuracy
        for name, some in parts.items()
    }


def _part(review: Review) -> str:
    return "plain" if review.kind == "plain" else "turned"


# ---------------------------------------------------------------------------------------- figures


def accuracies(guess: Guess, held_out: Sequence[Review]) -> dict[str, float]:
    """The fraction that is told right: of all, of the plain and the turned ones, and of each kind of turn."""
    praised = guess([review.text for review in held_out])
    right: dict[str, list[bool]] = defaultdict(list)
    for review, praises in zip(held_out, praised, strict=True):
        for name in dict.fromkeys(("all", _part(review), review.kind)):
            right[name].append(bool(praises) == (review.label == "praise"))
    return {name: mean(some) for name, some in right.items()}


def with_models(
    train: Sequence[Review], held_out: Sequence[Review], folder: Path, **settings: Any
) -> tuple[dict[str, dict[str, float]], dict[str, float], str]:
    """Figures of the classifiers that are pairs of models, those of the best unit of a model of all, and that model."""
    both = folder / "both.safetensors"
    one = trained(train, "", both, **settings)
    ways: dict[str, dict[str, Any]] = {
        "two models": {},
        "two networks (--ngrams 0)": {"ngrams": 0},
        "fine-tuned from one of all": {"init_from": both},
    }
    pairs = {
        name: [trained(train, label, folder / f"{label}.safetensors", **settings, **way) for label in LABELS]
        for name, way in ways.items()
    }
    pairs["the counts alone"] = [model.parts()["ngrams"] for model in pairs["two models"]]
    rows = {name: accuracies(likelier(praise, pan), held_out) for name, (praise, pan) in pairs.items()}
    return rows, best_unit(one, held_out), described(both)


def averaged(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure over some runs."""
    return {name: mean(run[name] for run in runs) for name in runs[0]}


def _row(name: str, figures: Mapping[str, float], columns: Sequence[str]) -> str:
    return f"{name:26}" + "".join(f"{figures[column]:12.1%}" for column in columns)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1, help="of training, for each of the seven models of a seed")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each model")
    parser.add_argument("--count", type=int, default=20_000, help="reviews to train on, of both labels together")
    parser.add_argument("--held-out", type=int, default=2_000, help="reviews to tell apart")
    arguments = parser.parse_args()
    corpus = importlib.import_module("reviews")
    train = corpus.reviews(1, arguments.count)
    held_out = corpus.reviews(1, arguments.held_out, held_out=True)
    rows = {f"runs of up to {length} words": counter_of_words(train, length) for length in (1, 2, 4)}
    figures = {name: accuracies(guess, held_out) for name, guess in rows.items()}
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            with_models(train, held_out, Path(folder), seed=seed, minutes=arguments.minutes)
            for seed in range(arguments.seeds)
        ]
    by_seed = [run[0] for run in runs]
    figures |= {name: averaged([run[name] for run in by_seed]) for name in by_seed[0]}
    unit, ran = averaged([run[1] for run in runs]), runs[0][2]
    columns = ["all", "plain", "turned", *corpus.words.TURNS]
    print(f"{machine()}\none model of all: {ran}\n{'':26}" + "".join(f"{column:>12}" for column in columns))
    for name, row in figures.items():
        print(_row(name, row, columns))
    print(_row("the best unit of one model", unit, ("all", "plain", "turned")))
    report("sentiment", minutes=arguments.minutes, ran=ran, accuracy=figures, seeds=by_seed, best_unit=unit)


if __name__ == "__main__":
    main()

"""Which single unit tells the labels of texts apart best, and how well (Radford, Jozefowicz and Sutskever 2017).

A unit's value for a text is what it holds after the last character, or its mean over the text. The unit and the
threshold are chosen on one half of the texts and tested on the other: the figure is of texts that chose nothing.

Shapes: N texts, L layers, H hidden units, F values of a text (each unit's last and each unit's mean).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import Vocabulary
from ..errors import TextError, counted
from ..models.numpy_lstm import NumpyNetwork
from .inspection import observe

WAYS = ("last", "mean")


@dataclass(frozen=True)
class Separation:
    """How one unit tells texts of a label from all others."""

    label: str
    layer: int
    unit: int
    way: str
    """"last" or "mean": which value of the unit."""
    threshold: float
    above: bool
    """Whether the label's texts lie above the threshold."""
    chosen_on: float
    """Balanced accuracy on the texts that the unit was chosen by: the mean of the two classes' hit rates."""
    accuracy: float
    """Balanced accuracy on the other texts; guessing gives 0.5."""
    texts: int
    """Texts in that other half."""


def separate(
    network: NumpyNetwork, vocabulary: Vocabulary, texts: Sequence[str], labels: Sequence[str]
) -> list[Separation]:
    """For each label the unit that tells it best from the others; one entry where there are two labels.

    Raises:
        TextError: there are fewer than two labels, a label has one text only, or a text is empty.
    """
    counts = Counter(labels)
    if len(counts) < 2:
        found = f"{counted(len(counts), 'label')} in {counted(len(texts), 'text')}"
        raise TextError(f"{found}: there must be two labels or more to tell apart")
    for label, count in counts.items():
        if count < 2:
            raise TextError(
                f"the label {label!r:.40} has one text only: one is needed to choose by, and one to test on"
            )
    values = np.stack([_values(network, vocabulary, text) for text in texts])  # (N, F)
    halves = _halves(labels)
    separated = list(counts)[:1] if len(counts) == 2 else list(counts)
    return [
        _separation(network, values, np.array([label == one for label in labels]), halves, one) for one in separated
    ]


def _values(network: NumpyNetwork, vocabulary: Vocabulary, text: str) -> NDArray[np.float64]:
    """(F,): what each unit holds after a text, then the means over it."""
    total, last, count = 0.0, np.zeros(0), 0
    for stretch in observe(network, vocabulary, [text]):
        units = stretch.trace.units[:, 0].reshape(len(stretch.text), -1)  # (T, L H)
        total = total + units.sum(axis=0, dtype=np.float64)
        last, count = units[-1].astype(np.float64), count + len(units)
    if not count:
        raise TextError("a text with a label is empty")
    return np.concatenate([last, total / count])


def _halves(labels: Sequence[str]) -> NDArray[np.bool_]:
    """(N,): which texts to choose by: of each label every other one, beginning with the first."""
    seen: Counter[str] = Counter()
    chosen = []
    for label in labels:
        chosen.append(seen[label] % 2 == 0)
        seen[label] += 1
    return np.array(chosen)


def _separation(
    network: NumpyNetwork, values: NDArray[np.float64], mine: NDArray[np.bool_], choosing: NDArray[np.bool_], label: str
) -> Separation:
    """The value out of F that tells `mine` (N,) from the other texts best."""
    quality, thresholds, above = _best_cuts(values[choosing], mine[choosing])  # (F,) each
    best = int(np.argmax(quality))
    guess = (values[~choosing, best] > thresholds[best]) == above[best]
    truth = mine[~choosing]
    accuracy = (guess[truth].mean() + (~guess[~truth]).mean()) / 2
    way, unit = divmod(best, network.settings.layers * network.settings.hidden)
    return Separation(
        label, *divmod(unit, network.settings.hidden), WAYS[way], float(thresholds[best]), bool(above[best]),
        float(min(1.0, quality[best])), float(accuracy), len(truth),
    )  # fmt: skip


def _best_cuts(
    values: NDArray[np.float64], mine: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """For each column of (N, F): the best balanced accuracy of any threshold, that threshold, and which side is `mine`.

    Of columns that do equally well, the one with the widest gap at its threshold counts as better, by next to nothing.
    """
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)  # (N, F)
    hits = np.cumsum(mine[order], axis=0)[:-1] / mine.sum()  # of `mine`, at or below the cut: (N - 1, F)
    others = np.cumsum(~mine[order], axis=0)[:-1] / (~mine).sum()
    gaps = ordered[1:] - ordered[:-1]
    balanced = np.where(gaps > 0, 0.5 + np.abs(hits - others) / 2 + 1e-9 * gaps, 0.5)
    cut = balanced.argmax(axis=0)[None]  # (1, F)
    picked = [np.take_along_axis(table, cut, axis=0)[0] for table in (balanced, ordered, gaps, hits - others)]
    return picked[0], picked[1] + picked[2] / 2, picked[3] < 0

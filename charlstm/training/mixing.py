"""Joins a trained network with counts of its training text: counts, and fits the weights of the mixture.

The weights a and b of softmax(a * logits + b * ln p) minimise the surprisal of held-out text, which is convex in them
(multinomial logistic regression on two features). Where counts do not help they are left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config import MixtureSettings, TrainingSettings
from ..data.corpus import Corpus
from ..data.held_out import Sample, sample_of_lines
from ..data.lines import split_lines
from ..data.mapping import stretches
from ..data.vocabulary import Ids
from ..inference.scoring import PADDING, padded, read_together, surprisal
from ..models.interface import LanguageModel, steps_at_once
from ..models.mixture import Mixture
from ..models.ngrams import NgramModel
from ..models.tensor_file import Tensors
from .counting import MOST_COUNTED, CountedText, count_text, largest_order
from .leave_one_out import LeaveOneOut
from .ngram_order import best_order

BYTES_PER_CHARACTER = 4
LEAST_BYTES, MOST_BYTES = 1 << 20, 32_000_000
"""Size of the counts of a very short and of a very long text."""
STRETCHES = 16
"""Stretches of a text that is too long to be counted whole."""
WORTHWHILE = 0.003
"""Fraction of the surprisal that counts must save: with them a character takes longer."""
NUMBERS_FITTED = 1 << 24
"""Numbers of each feature that the weights are fitted on, at most."""
FITTED_STRETCHES = 16
"""Stretches of a text that has more."""
NUMBERS_AT_ONCE = 1 << 17
"""Of these that are worked on together."""
TYPICAL, PRIOR = (0.7, 0.4), 2.0
"""Weights of a usual mixture, and nats that others pay for each unit, squared, between them: a normal prior of standard
deviation 0.5, so that a few characters decide little. The network alone has the typical weight 1."""
LARGEST_WEIGHT = 2.0
"""Of each: a text without surprises would have ever more, and whatever else is read would cost as much more."""
ENOUGH_LESS = 1e-6
"""Nats by which an iteration must lower the surprisal to be worth another."""

Features = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]
"""Of N characters: the network's logits (N, V), the counts' ln p (N, V), and what came (N,)."""


@dataclass(frozen=True)
class TrainingCounts:
    """An n-gram model of a training text, before it is joined with a network."""

    model: NgramModel
    text: CountedText
    leave_one_out: LeaveOneOut | None
    """What it predicts at each position of that text, itself left out; None where nothing is trained with it."""
    longest: int
    """Characters of the longest context that was counted, before rare ones were left out."""

    @property
    def tensors(self) -> Tensors:
        """See `ngrams.tensor_types`."""
        return self.text.tensors

    def chosen(self, settings: TrainingSettings) -> TrainingSettings:
        """Settings by which whoever lacks the held-out text counts n-grams as long as it chose here."""
        return dataclasses.replace(settings, ngrams=self.longest)

    def settings(self, network_weight: float, ngram_weight: float) -> MixtureSettings:
        """What the model file says of a mixture with these weights."""
        sizes = tuple(len(level.symbols) for level in self.model.levels)
        return MixtureSettings(sizes, network_weight, ngram_weight)


def count_for(settings: TrainingSettings, corpus: Corpus) -> TrainingCounts | None:
    """Count the training part as a run does: the same, wherever it is done."""
    together = settings.ngram_weight > 0
    return count(corpus, settings.ngrams, lines=settings.lines, most=settings.counted, together=together)


def count(
    corpus: Corpus, longest: int, *, lines: bool, most: int = MOST_COUNTED, together: bool = False
) -> TrainingCounts | None:
    """Count the training part; None where nothing is to be counted.

    Args:
        corpus: the text.
        longest: characters of the longest context, if they are worth it; 0: nothing is counted.
        lines: whether each line is a record of its own.
        most: characters that are counted at most.
        together: whether a network is trained together with the counts.
    """
    if not longest:
        return None
    parts = stretches(len(corpus.training), most, STRETCHES)
    ids = np.concatenate([corpus.training[part.start : part.stop] for part in parts])
    order = min(longest + 1, largest_order(len(corpus.vocabulary)))
    order = best_order(ids, corpus.validation, order, lambda some, order: _ngrams(some, order, corpus, lines=lines)[0])
    model, text = _ngrams(ids, order, corpus, lines=lines, located=together)
    return TrainingCounts(
        model, text, LeaveOneOut(model, text, corpus.training, parts) if together else None, order - 1
    )


def _ngrams(
    ids: Ids, order: int, corpus: Corpus, *, lines: bool, located: bool = False
) -> tuple[NgramModel, CountedText]:
    """An n-gram model of a text with the corpus's vocabulary, and what it was made from."""
    text = count_text(
        ids,
        len(corpus.vocabulary),
        order,
        record_end=corpus.line_end if lines else None,
        most_bytes=min(MOST_BYTES, max(LEAST_BYTES, BYTES_PER_CHARACTER * len(ids))),
        located=located,
    )
    return NgramModel(len(corpus.vocabulary), text.tensors, newline=corpus.line_end), text


def fit_mixture(
    network: LanguageModel, counts: TrainingCounts, corpus: Corpus, sample: Sample, *, lines: bool
) -> Mixture | None:
    """Join a network and counts with the weights that predict held-out text best; None where counts do not help.

    Args:
        network: the trained network.
        counts: of the training part.
        corpus: the text.
        sample: of its held-out part.
        lines: whether each line is a record of its own.
    """
    most = max(1, NUMBERS_FITTED // len(corpus.vocabulary))
    if not len(sample):
        return None
    some = sample_of_lines(sample.ids, corpus.line_end, most) if lines else sample.at_most(most, FITTED_STRETCHES)
    features = _features(network, counts.model, corpus, some, lines)
    a, b = fit_weights(features)
    alone = surprisal_of(features, *fit_weights(features, alone=True))
    if not surprisal_of(features, a, b) < (1 - WORTHWHILE) * alone:
        return None
    return Mixture(network, counts.model, a, b)


# ------------------------------------------------------------------------------------------- features


def _features(network: LanguageModel, ngrams: NgramModel, corpus: Corpus, sample: Sample, lines: bool) -> Features:
    parts = []
    for inputs, targets in _sequences(corpus, sample, lines):
        state, contexts = network.zero_state(inputs.shape[1]), ngrams.start(inputs.shape[1])
        steps = steps_at_once(network, inputs.shape[1])
        for begin in range(0, len(inputs), steps):
            read, wanted = inputs[begin : begin + steps], targets[begin : begin + steps]  # (T, B)
            logits, state = network.logits(read, state)  # (T, B, V)
            walked = ngrams.walk(read, contexts)  # (C, T, B)
            contexts = walked[:, -1]
            scored = wanted != PADDING
            logs = ngrams.log_probabilities(walked[:, scored])  # (N, V)
            parts.append((logits[scored].astype(np.float32), logs, wanted[scored]))
    logits, logs, wanted = (np.concatenate(part) for part in zip(*parts, strict=True))
    return logits, logs, wanted


def _sequences(corpus: Corpus, sample: Sample, lines: bool) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """What is read and what comes next, (T, B) each, see `padded`: records of similar length together."""
    if not lines:
        inputs, targets = padded([sample.ids], corpus.vocabulary.start)
        yield inputs, np.where(sample.scored[:, None], targets, PADDING)
        return
    records = split_lines(sample.ids, corpus.line_end)
    for group in read_together([len(record) for record in records]):
        yield padded([records[number] for number in group], corpus.vocabulary.start)


# ------------------------------------------------------------------------------------------- fitting


def surprisal_of(features: Features, a: float, b: float) -> float:
    """Mean surprisal in nats under the weights a and b."""
    nats = sum(float(surprisal(a * one + b * other, wanted).sum()) for one, other, wanted in _pieces(features))
    return nats / len(features[2])


def _pieces(features: Features) -> Iterator[Features]:
    """Pieces that stay in a processor's cache while they are worked on."""
    logits, logs, targets = features
    rows = max(1, NUMBERS_AT_ONCE // logits.shape[1])
    for some in (slice(begin, begin + rows) for begin in range(0, len(targets), rows)):
        yield logits[some], logs[some], targets[some]


def fit_weights(features: Features, *, alone: bool = False, iterations: int = 12) -> tuple[float, float]:
    """The weights a and b of least surprisal, under the prior, by Newton's method with halved steps.

    Args:
        features: of held-out text.
        alone: whether b is 0: then 1 / a is the temperature of the network alone.
        iterations: at most.
    """
    typical = np.array([1.0, 0.0] if alone else TYPICAL)
    weights, free = typical.copy(), slice(0, 1 if alone else 2)
    prior = PRIOR / len(features[2])

    def cost(weights: NDArray[np.float64]) -> float:
        return surprisal_of(features, *weights.tolist()) + prior * float(np.square(weights - typical).sum())

    least = cost(weights)
    for _ in range(iterations):
        gradient, hessian = _derivatives(features, weights)
        gradient, hessian = gradient + 2 * prior * (weights - typical), hessian + 2 * prior * np.eye(2)
        step = np.zeros(2)
        step[free] = np.linalg.solve(hessian[free, free], gradient[free])
        for size in (1.0, 0.5, 0.25, 0.1, 0.01):
            tried = np.clip(weights - size * step, 0.0, LARGEST_WEIGHT)
            found = cost(tried)
            if found < least - ENOUGH_LESS:
                weights, least = tried, found
                break
        else:
            break
    return float(weights[0]), float(weights[1])


def _derivatives(features: Features, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gradient (2,) and Hessian (2, 2) of the mean surprisal: mean and covariance of the features under the mixture."""
    gradient, hessian = np.zeros(2), np.zeros((2, 2))
    a, b = weights.tolist()
    for one, other, wanted in _pieces(features):
        p = a * one + b * other
        p -= p.max(axis=1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(axis=1, keepdims=True)
        weighted = [p * one, p * other]
        means = [part.sum(axis=1) for part in weighted]
        for i, feature in enumerate((one, other)):
            gradient[i] += (means[i] - feature[np.arange(len(wanted)), wanted]).sum()
            for j, second in enumerate((one, other)):
                hessian[i, j] += np.vdot(weighted[i], second) - np.vdot(means[i], means[j])
    return gradient / len(features[2]), hessian / len(features[2])

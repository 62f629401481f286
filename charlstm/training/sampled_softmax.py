"""The loss over a large vocabulary, estimated from some of its symbols: a sampled softmax.

Over thousands of symbols the softmax takes most of a training step. Its sum can be estimated from a sample S of them in
which each symbol v is with a probability pi(v) of its own (Horvitz and Thompson 1952); with t what came:

    Z = sum over v of e^logit(v)  ~  e^logit(t) + sum over v in S, v != t, of e^logit(v) / pi(v)

The estimate is right on average (importance sampling: Bengio and Senecal 2008; Jean et al. 2015). pi is in proportion
to how often a symbol occurs, and 1 of the frequent ones. Scoring and sampling text always take the whole softmax.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..config import TrainingSettings
from ..data.batching import IGNORED
from ..models.candidates import Candidates

HALVINGS = 60
"""Of the interval in which the factor of all frequencies is searched."""


class SampledSoftmax:
    """Which symbols each step takes.

    Args:
        frequencies: (V,) the fraction of the text that each symbol is, about.
        size: about so many are drawn in a step.
        seed: all that is random comes from it and the step's number.
    """

    def __init__(self, frequencies: NDArray[np.float64], size: int, seed: int) -> None:
        self.inclusion = _inclusion(frequencies, size)
        """(V,) pi."""
        self._seed = seed

    @staticmethod
    def of(settings: TrainingSettings, frequencies: NDArray[np.float64]) -> SampledSoftmax | None:
        """That of a run, or None where it takes the whole softmax: the same in all processes of it."""
        if not 0 < settings.candidates < len(frequencies):
            return None
        return SampledSoftmax(frequencies, settings.candidates, settings.seed)

    def draw(self, step: int, targets: NDArray[np.integer[Any]]) -> Sample:
        """The symbols of a step, and some of its targets (T, B): what is drawn is the same whoever computes which."""
        drawn = np.random.default_rng((self._seed, step, 3)).random(len(self.inclusion)) < self.inclusion
        chosen = drawn.copy()
        chosen[targets[targets != IGNORED]] = True
        candidates = Candidates.of(chosen)
        with np.errstate(divide="ignore"):
            corrections = -np.log(np.where(drawn, self.inclusion, np.inf)[candidates.symbols])
        return Sample(candidates, torch.from_numpy(corrections.astype(np.float32)))


class Sample:
    """The symbols of one step.

    Args:
        candidates: C of them, all targets among them.
        corrections: (C,) -ln pi of those that were drawn, -inf of those that are there as targets only.
    """

    def __init__(self, candidates: Candidates, corrections: Tensor) -> None:
        self.candidates, self._corrections = candidates, corrections

    def symbols(self, device: torch.device) -> Tensor:
        """(C,) their ids."""
        return torch.from_numpy(self.candidates.symbols).to(device)

    def nats(self, logits: Tensor, targets: NDArray[np.integer[Any]]) -> Tensor:
        """The sum of the surprisals in nats, about.

        Args:
            logits: (N, C) of the candidates.
            targets: (N,) ids; IGNORED where none is scored.
        """
        columns = np.where(targets == IGNORED, IGNORED, self.candidates.columns.take(targets, mode="clip"))
        wanted = torch.from_numpy(columns).to(logits.device)
        at = wanted.clamp(min=0)[:, None]
        estimates = logits.add(self._corrections.to(logits.device)).scatter_(1, at, logits.gather(1, at))
        return functional.cross_entropy(estimates, wanted, ignore_index=IGNORED, reduction="sum")


def _inclusion(frequencies: NDArray[np.floating[Any]], size: int) -> NDArray[np.float64]:
    """Probabilities (V,) in proportion to frequencies (V,), 1 at most, that sum to a size, or to V."""
    least, most = 0.0, size / float(frequencies.min())
    for _ in range(HALVINGS):
        factor = (least + most) / 2
        few = np.minimum(1, factor * frequencies).sum() < size
        least, most = (factor, most) if few else (least, factor)
    inclusion: NDArray[np.float64] = np.minimum(1, most * frequencies)
    return inclusion

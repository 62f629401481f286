"""Loss as a power law of parameters and characters, fitted to points: L(N, D) = E + A / N^alpha + B / D^beta.

The law and its fit are those of Hoffmann et al. 2022, approach 3 (section 3.3): the Huber loss of the logarithm, from
many starts. What repeated text is worth follows Muennighoff et al. 2023. Knows nothing about training.

Shapes: K laws, S fits side by side, P points, M places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HUBER = 1e-3
"""Beyond this difference of logarithms a point's pull no longer grows."""
EXPONENTS = (0.01, 3.0)
"""Bounds of alpha and beta."""
LEAST_E = 1e-4
"""Nats: bound of E, whose logarithm is fitted."""
ITERATIONS = 150
FRESH_EPOCHS = 4.0
"""Epochs up to which a repeated text is worth as much as a fresh one."""
LEAST_POINTS = 6
"""Five numbers are fitted."""


@dataclass(frozen=True)
class Points:
    """What was measured, each (P,): parameters, characters trained on, nats per character."""

    sizes: Floats
    characters: Floats
    nats: Floats

    def __len__(self) -> int:
        return len(self.nats)

    def spans(self, chosen: NDArray[np.intp]) -> bool:
        """Whether a choice of points has three sizes and three lengths, without which exponents are free."""
        return all(len(np.unique(values[chosen])) >= 3 for values in (self.sizes, self.characters))


@dataclass(frozen=True)
class Laws:
    """Laws side by side: the first is the best fit, the others are fits to resampled points."""

    numbers: Floats
    """log E, log A', log B', alpha, beta (K, 5), where A' and B' are what the terms are at the middle."""
    middle: tuple[float, float]
    """Logarithms of the parameters and of the characters at the middle of the points."""

    def nats(self, sizes: Floats | float, characters: Floats | float) -> Floats:
        """Predicted loss of each law (K, M) at so many parameters and characters (M,)."""
        n, d = np.broadcast_arrays(np.log(np.atleast_1d(sizes)), np.log(np.atleast_1d(characters)))
        return np.exp(_log_loss(self.numbers, n - self.middle[0], d - self.middle[1])[0])

    def named(self) -> dict[str, Floats]:
        """E, A, B, alpha and beta as in the equation, each (K,)."""
        e, a, b, alpha, beta = self.numbers.T
        n, d = self.middle
        return {"E": np.exp(e), "A": np.exp(a + alpha * n), "B": np.exp(b + beta * d), "alpha": alpha, "beta": beta}


def fitted(points: Points, resamples: int = 200, seed: int = 0) -> Laws:
    """The law of all points, and those of so many bootstrap samples of them.

    Raises:
        ValueError: the points are too few, or of fewer than three sizes or lengths.
    """
    every = np.arange(len(points))
    if len(points) < LEAST_POINTS or not points.spans(every):
        raise ValueError(f"{len(points)} points make no law: {LEAST_POINTS} are needed, of three sizes and lengths")
    middle = float(np.log(points.sizes).mean()), float(np.log(points.characters).mean())
    starts = _starts(points)
    found, losses = _fit(starts, np.ones((len(starts), len(points))), points, middle)
    best = found[np.argsort(losses)[:4]]
    weights = _resampled(points, resamples, np.random.default_rng(seed))  # (R, P)
    again, losses = _fit(np.tile(best, (len(weights), 1)), np.repeat(weights, len(best), axis=0), points, middle)
    chosen = losses.reshape(len(weights), len(best)).argmin(axis=1)
    resampled = again.reshape(len(weights), len(best), 5)[np.arange(len(weights)), chosen]
    return Laws(np.concatenate([best[:1], resampled]), middle)


def _resampled(points: Points, resamples: int, rng: np.random.Generator) -> Floats:
    """How often each point is in each bootstrap sample; samples of which no law can be made are drawn again."""
    rows: list[Floats] = []
    while len(rows) < resamples:
        chosen = rng.integers(0, len(points), len(points))
        if points.spans(chosen):
            rows.append(np.bincount(chosen, minlength=len(points)).astype(np.float64))
    return np.array(rows).reshape(resamples, len(points))


def _starts(points: Points) -> Floats:
    """A grid of starts (S, 5)."""
    least, typical = float(points.nats.min()), float(np.median(points.nats))
    rows = []
    for part in (0.2, 0.6, 0.9):
        rest = np.log((typical - part * least) / 2)
        for alpha in (0.1, 0.3, 0.6, 1.0):
            rows += [(np.log(part * least), rest, rest, alpha, beta) for beta in (0.1, 0.3, 0.6, 1.0)]
    return np.array(rows)


def _log_loss(numbers: Floats, n: Floats, d: Floats) -> tuple[Floats, Floats]:
    """The logarithm of the loss (S, P), and its derivative by the numbers (S, P, 5)."""
    e, a, b, alpha, beta = (column[:, None] for column in numbers.T)
    terms = np.stack(np.broadcast_arrays(e, a - alpha * n, b - beta * d), axis=-1)  # (S, P, 3)
    top = terms.max(axis=-1, keepdims=True)
    shares = np.exp(terms - top)
    total = shares.sum(axis=-1, keepdims=True)
    shares /= total
    slopes = np.concatenate([shares, -shares[..., 1:] * np.stack(np.broadcast_arrays(n, d), axis=-1)], axis=-1)
    return (top + np.log(total))[..., 0], slopes


def _huber(off: Floats, weights: Floats) -> Floats:
    """Sums of the Huber loss (S,)."""
    size = np.abs(off)
    return (weights * np.where(size < HUBER, size**2 / 2, HUBER * (size - HUBER / 2))).sum(axis=1)  # type: ignore[no-any-return]


def _fit(starts: Floats, weights: Floats, points: Points, middle: tuple[float, float]) -> tuple[Floats, Floats]:
    """Levenberg-Marquardt from each start (S, 5), with the weights of iteratively reweighted least squares.

    Returns:
        the numbers that it comes to (S, 5), and their losses (S,).
    """
    n, d, target = np.log(points.sizes) - middle[0], np.log(points.characters) - middle[1], np.log(points.nats)
    numbers, damping = starts.copy(), np.full(len(starts), 1e-2)
    value, slopes = _log_loss(numbers, n, d)
    losses = _huber(target - value, weights)
    for _ in range(ITERATIONS):
        off = target - value
        pull = weights * np.minimum(1.0, HUBER / np.maximum(np.abs(off), 1e-12))
        normal = np.einsum("spi,sp,spj->sij", slopes, pull, slopes)
        right = np.einsum("spi,sp,sp->si", slopes, pull, off)
        scale = np.einsum("sii->si", normal).max(axis=1) + 1e-30
        step = np.linalg.solve(normal + (damping * scale)[:, None, None] * np.eye(5), right[..., None])[..., 0]
        trial = _bounded(numbers + step, points)
        new_value, new_slopes = _log_loss(trial, n, d)
        new_losses = _huber(target - new_value, weights)
        better = new_losses < losses
        numbers, value = np.where(better[:, None], trial, numbers), np.where(better[:, None], new_value, value)
        slopes, losses = np.where(better[:, None, None], new_slopes, slopes), np.where(better, new_losses, losses)
        damping = np.clip(np.where(better, damping / 4, damping * 3), 1e-12, 1e6)
    return numbers, losses


def _bounded(numbers: Floats, points: Points) -> Floats:
    """Within the bounds of E and of the exponents; no term is more than the largest loss by far."""
    low, high = np.log(LEAST_E), np.log(points.nats.max())
    lowest = np.array([low, low, low, EXPONENTS[0], EXPONENTS[0]])
    highest = np.array([np.log(points.nats.min()), high, high, EXPONENTS[1], EXPONENTS[1]])
    return np.clip(numbers, lowest, highest)


def effective(characters: Floats | float, text: Floats | float, half_life: float) -> Floats:
    """Characters of fresh text that so many are worth where a text is read again and again.

    D' = U + U R (1 - exp(-(D - U) / (U R))) (Muennighoff et al. 2023), but that the first four epochs count
    in full, as they do in the fit.

    Args:
        characters: trained on, each as often as it is read.
        text: characters of the text.
        half_life: R, epochs after which repeating has given most of what it can.
    """
    fresh = FRESH_EPOCHS * text
    more = np.maximum(0.0, np.asarray(characters, dtype=np.float64) - fresh) / (half_life * text)
    return np.minimum(characters, fresh) + half_life * text * -np.expm1(-more)


def fitted_half_life(laws: Laws, points: Points, texts: Floats, choices: Sequence[float]) -> float:
    """Which R fits best the points of many epochs under the first law, on texts of those lengths (P,)."""
    offs = [
        np.log(points.nats / laws.nats(points.sizes, effective(points.characters, texts, choice))[0])
        for choice in choices
    ]
    return choices[int(np.argmin([_huber(off[None], np.ones((1, len(points))))[0] for off in offs]))]

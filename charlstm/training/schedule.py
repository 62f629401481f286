"""The schedule of a run: the learning rate, the moving average of the parameters, when validations are due.

Pure arithmetic on positions in a budget. A position is counted in seconds where the budget is in minutes, and in steps
where it is in steps or epochs, so that such a run is the same on a fast machine and on a slow one. What is a fraction
of the budget is bounded in absolute terms too: a run may be given a week and be stopped after a minute.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from ..config import TrainingSettings

EMA_HORIZON = 5000
"""Steps of the exponential moving average at most."""
ALMOST_OVER = 0.8
"""Fraction of the budget from which on a run may as well end: the learning rate has fallen."""
LAST_DECAY = 0.25
"""How long the learning rate falls where a long run ends before its budget, as a fraction of the run until then."""
MOST_CLOSING = 0.3
"""Fraction of a budget that is kept for what comes after the last step, at most: one slow validation ends no run."""
VALIDATIONS = 15
"""How many times a run is validated on the way; a very long one, more often."""


class Bounds(NamedTuple):
    """What is a fraction of the budget is no more than this, in the budget's own unit."""

    warmup: float
    first_validation: float
    between_validations: float
    patience: float


SECONDS = Bounds(warmup=24, first_validation=15, between_validations=90, patience=600)
STEPS = Bounds(warmup=500, first_validation=500, between_validations=2000, patience=10_000)
"""Runs of up to 20 minutes, or 25,000 steps, are what their fractions make of them."""


@dataclass
class Schedule:
    """Where positions of a run lie in its budget, and what follows from that."""

    settings: TrainingSettings
    total: float
    """The budget: seconds, or steps."""
    closing: float = 0.0
    """How much of it must be left for what comes after the last step."""
    decay_start: float = 0.0
    """The fraction of the budget from which on the learning rate falls; after the warm-up, if not later."""
    decay_level: float = 1.0
    """The learning rate there, as a fraction of the peak."""

    @staticmethod
    def of(settings: TrainingSettings, steps_per_epoch: float) -> Schedule:
        """The schedule of a run from its beginning to the end of its budget."""
        budget = settings.budget
        if budget.unit == "minutes":
            return Schedule(settings, 60 * budget.amount)
        return Schedule(
            settings, budget.amount if budget.unit == "steps" else max(1.0, budget.amount * steps_per_epoch)
        )

    @property
    def timed(self) -> bool:
        """Whether positions are seconds and not steps."""
        return self.settings.budget.unit == "minutes"

    @property
    def bounds(self) -> Bounds:
        """In the unit of positions."""
        return SECONDS if self.timed else STEPS

    @property
    def warmup(self) -> float:
        """The fraction of the budget over which the learning rate rises."""
        return min(self.settings.warmup, self.bounds.warmup / self.total)

    def fraction(self, position: float) -> float:
        """How much of the budget is used, 0 to 1."""
        return min(1.0, position / max(1e-9, self.total - self.closing))

    def reserve(self, closing: float) -> None:
        """Keep so much of the budget for what comes after the last step, within bounds."""
        self.closing = min(closing, MOST_CLOSING * self.total)

    def learning_rate(self, position: float) -> float:
        """A short linear warm-up, then a line down to zero (Bergsma et al. 2025; the warm-up: Goyal et al. 2017)."""
        fraction, warmup = self.fraction(position), self.warmup
        rise = 0.005 + fraction / warmup if warmup else 1.0
        start = max(warmup, self.decay_start)
        fall = self.decay_level * (1 - fraction) / max(1e-9, 1 - start)
        return self.settings.learning_rate * min(rise, fall)

    def level(self, position: float) -> float:
        """The learning rate there as a fraction of the peak."""
        return self.learning_rate(position) / max(1e-30, self.settings.learning_rate)

    def decay_from(self, position: float, level: float) -> None:
        """Let the learning rate fall to zero from here on, over what is left of the budget.

        Args:
            position: here.
            level: the learning rate by now as a fraction of the peak. Where a longer budget would have left it
                higher, it rises to that.
        """
        self.decay_start = self.fraction(position)
        self.decay_level = min(1.0, max(level, 1 - self.decay_start))

    def end_soon(self, position: float) -> None:
        """Let the learning rate fall to zero from here on, over a quarter of what was trained until now."""
        level = self.level(position)
        self.total = min(self.total, self._soon(position))
        self.decay_from(position, level)

    def can_end_sooner(self, position: float) -> bool:
        """Whether the budget is a long one, of which `end_soon` would leave less."""
        return self.is_long and self._soon(position) < self.total

    def _soon(self, position: float) -> float:
        end = (1 + LAST_DECAY) * position + self.closing
        return end if self.timed else math.ceil(end)

    @property
    def is_long(self) -> bool:
        """Whether the budget is one that bounds are needed for."""
        return self.total / VALIDATIONS > self.bounds.between_validations

    def next_validation(self, position: float) -> float:
        """When to validate next, after a validation at that position or at the beginning."""
        regular = self.total / VALIDATIONS
        if not self.is_long:
            return (math.floor(position / regular + 1e-9) + 1) * regular
        growing = max(self.bounds.first_validation, position / 2)
        return position + min(growing, self.bounds.between_validations)

    def interval(self) -> float:
        """The fraction of the budget between two validations, in the long run."""
        return min(self.total / VALIDATIONS, self.bounds.between_validations) / self.total

    def patience(self, best: float) -> float:
        """How long training goes on without a better validation, where the best one was at that position."""
        return min(0.3 * self.total, max(self.bounds.patience, best))


def ema_weight(step: int, settings: TrainingSettings) -> float:
    """The weight of the parameters after a step in their exponential moving average (Polyak averaging).

    The horizon is a fraction of the steps so far, so that the average soon forgets the beginning; and it is bounded.
    """
    return 1 / (1 + min(settings.ema * step, EMA_HORIZON))

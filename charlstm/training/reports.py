"""What a run tells: how it stands, how it ended, and its curve. Plain data; knows nothing about networks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..config import MixtureSettings
from ..inference.scoring import LN2
from ..models.tensor_file import Tensors

CURVE = 500
"""Entries of the curve that are kept: a long run's curve is thinned to fewer."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands."""

    step: int
    """Optimizer steps so far."""
    fraction: float
    """Of the budget, 0 to 1."""
    characters: int
    """Trained on so far."""
    seconds: float
    """Spent so far, those before it was resumed included."""
    left: float
    """Seconds to go, as far as one can tell."""
    speed: float
    """Characters a second since the last report."""
    train_bits: float
    """Bits per character since the last report."""
    val_bits: float | None
    """Bits per character on held-out text, by the averaged parameters; None: not measured this time."""
    best_bits: float | None
    """Bits per character of the checkpoint that is kept so far, on the same text."""
    learning_rate: float
    """At that step."""
    note: str = ""
    """Something that a person should be told once."""
    sample: str = ""
    """What the network writes by now, where that was asked for."""


@dataclass(frozen=True)
class Result:
    """What a run gives: the parameters to keep, and the figures that go into the model file."""

    tensors: Tensors
    """The network's."""
    finished: bool
    """Whether the budget was used or training was stopped early; else the run can go on."""
    steps: int
    """Optimizer steps."""
    characters: int
    """Trained on, each as often as it was read."""
    seconds: float
    """Spent, those before it was resumed included."""
    val_bits_per_char: float | None
    """Bits per character on held-out text; None: there is none."""
    val_characters: int | None
    """Characters that this figure is of; None where it is one of a validation on the way."""
    curve: list[dict[str, float]]
    """Validations on the way, see `with_entry`."""
    mixture: MixtureSettings | None = None
    """How counts of the training text are joined with the network, where they help."""
    counts: Tensors = field(default_factory=dict)
    """Their tensors."""
    held_out: str = ""
    """What the figure is of, in words."""
    pretrained_kept: bool = False
    """Whether it is the pretrained model, whole: with its own counts that predicts held-out text better."""
    diverged: bool = False
    """Whether the loss went to infinity, so that the run cannot go on."""

    def description(self) -> dict[str, Any]:
        """As the model file holds it: all but the tensors."""
        values: dict[str, Any] = {
            "finished": self.finished,
            "steps": self.steps,
            "characters": self.characters,
            "val_bits_per_char": self.val_bits_per_char,
        }
        if self.val_characters is not None:
            values["val_characters"] = self.val_characters
        if self.held_out:
            values["held_out"] = self.held_out
        for name in ("pretrained_kept", "diverged"):
            if getattr(self, name):
                values[name] = True
        return {**values, "seconds": round(self.seconds, 2), "curve": self.curve}


class Meter:
    """Loss and speed since the last reading."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = (math.nan, 0.0)
        self._reset()

    def _reset(self) -> None:
        self._since, self._nats, self._characters = self._clock(), 0.0, 0

    def add(self, loss: float, characters: int) -> None:
        """Take in one step: mean loss in nats, number of characters."""
        self._nats += loss * characters
        self._characters += characters

    def seconds(self) -> float:
        """Since the last reading."""
        return self._clock() - self._since

    def read(self) -> tuple[float, float]:
        """Bits per character and characters a second since the last reading; with nothing new, that one again."""
        if self._characters:
            bits = self._nats / LN2 / self._characters
            self._last = bits, self._characters / max(1e-9, self.seconds())
        self._reset()
        return self._last


def with_entry(curve: list[dict[str, float]], report: Progress) -> list[dict[str, float]]:
    """The curve with a validation more; where it is too long, every second entry of it."""
    if report.val_bits is None or not math.isfinite(report.val_bits):
        return curve
    entry: dict[str, float] = {"step": report.step, "seconds": round(report.seconds, 2)}
    entry["val"] = round(report.val_bits, 4)
    if math.isfinite(report.train_bits):  # not before the first step after a resumption
        entry["train"] = round(report.train_bits, 4)
    longer = [*curve, entry]
    return longer if len(longer) <= CURVE else longer[1 - len(longer) % 2 :: 2]  # the last one stays

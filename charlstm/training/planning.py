"""Chooses what the user left open, from the text, the machine's speed and the budget. Pure arithmetic.

The rules come from the measurements in benchmarks/LOG.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..config import Budget, ModelSettings, TrainingRequest, TrainingSettings
from ..data.corpus import Corpus
from ..data.vocabulary import UNKNOWN

SHAPES = ((2, 64), (2, 96), (2, 128), (2, 192), (3, 192), (3, 256), (3, 384), (3, 512), (3, 768), (3, 1024))
"""Layers and units, from the cheapest to the most able: a third layer pays from 192 units on."""
CHARACTERS_A_WEIGHT = 4.0
"""How often a run must at least show a character for every weight of the network."""
TEXT_A_WEIGHT = 0.2
"""Characters of text that justify a weight: a short text does not fill a large network."""
STEPS_A_PASS = 150
"""About how many steps a pass over a text should take at least."""
CLOSING_SECONDS = 3.0
"""Last validation, about."""
ITERATIONS = 3
"""Newton-Schulz iterations of a training step (see optimizer.py)."""
EFFICIENCY = 0.85
"""What is left of the measured speed where masks are drawn, gradients clipped, weights averaged and validated."""

NGRAMS = 8
"""Characters of the longest context that is counted; the vocabulary may allow fewer."""
FINE_TUNING_RATE = 0.25
"""Share of the usual learning rate for a network that is pretrained already."""


@dataclass(frozen=True)
class Text:
    """What matters about a text."""

    characters: int
    vocab_size: int
    mean_line: float

    @staticmethod
    def of(corpus: Corpus) -> Text:
        """That of a corpus's training part."""
        ids = corpus.training
        ends = int((ids == corpus.line_end).sum()) if corpus.line_end != UNKNOWN else 0
        return Text(len(ids), len(corpus.vocabulary), len(ids) / max(1, ends))


@dataclass(frozen=True)
class Plan:
    """A training run with everything decided, and why."""

    model: ModelSettings
    training: TrainingSettings
    expected: float
    """Characters that the budget is expected to reach."""
    reasons: tuple[str, ...]


def plan(
    request: TrainingRequest,
    text: Text,
    speed: float,
    precision: Literal["float32", "bfloat16"],
    *,
    pretrained: bool = False,
    used: float = 0.0,
) -> Plan:
    """Decide everything about a run.

    Args:
        request: what the user asked for; what is not None is kept.
        text: the part that is learnt from.
        speed: this machine's floating-point operations a second in a small training step.
        precision: the faster number format here.
        pretrained: whether the run starts from another model's weights, which too high a rate would undo.
        used: seconds of a budget in minutes that are gone by now.
    """
    budget = _left(request.budget(), used)
    model = _shape(request, budget, text, speed)
    context = request.context or _context(text)
    batch = request.batch or _batch(
        _reach(budget, text, model, 16 * context, speed) / context, text.characters / context
    )
    expected = _reach(budget, text, model, batch * context, speed)
    passes = expected / text.characters
    pressure = _overfitting(passes, model.multiplications() / text.characters)
    training = TrainingSettings(
        budget=request.budget(),
        batch=batch,
        context=context,
        learning_rate=_given(request.learning_rate, _rate(model.hidden) * (FINE_TUNING_RATE if pretrained else 1.0)),
        weight_decay=_given(request.weight_decay, 0.1),
        dropout=_given(request.dropout, round(min(0.3, 0.02 * pressure), 2)),
        dropconnect=_given(request.dropconnect, 0.0),
        ema=0.05,
        clip=1.0,
        warmup=0.02,
        betas=(0.9, 0.99),
        precision=precision,
        lines=request.lines,
        seed=request.seed,
        ngrams=NGRAMS if request.ngrams is None else request.ngrams,
    )
    return Plan(model, training, expected, _reasons(text, model, training, passes, speed))


def _rate(hidden: int) -> float:
    """The highest learning rate that a network of that width takes."""
    return 0.016 * min(1.0, math.sqrt(256 / hidden))


def _given(value: float | None, chosen: float) -> float:
    return chosen if value is None else value


def _model(request: TrainingRequest, text: Text, layers: int, hidden: int) -> ModelSettings:
    embedding = request.embedding or min(hidden, 64 if text.vocab_size <= 512 else 128)
    return ModelSettings(text.vocab_size, layers, hidden, embedding, request.cell or "lstm")


def _left(budget: Budget, used: float) -> Budget:
    """What is left of a budget for learning."""
    if budget.unit != "minutes":
        return budget
    return Budget("minutes", max(1.0, 60 * budget.amount - used - CLOSING_SECONDS) / 60)


def _shape(request: TrainingRequest, budget: Budget, text: Text, speed: float) -> ModelSettings:
    """The largest network that the budget can teach and that the text can fill."""
    for layers, hidden in reversed(SHAPES):
        model = _model(request, text, request.layers or layers, request.hidden or hidden)
        reach = _reach(budget, text, model, (request.batch or 16) * (request.context or 64), speed)
        weights = model.multiplications()
        if reach >= CHARACTERS_A_WEIGHT * weights and text.characters >= TEXT_A_WEIGHT * weights:
            break
    return model


def _reach(budget: Budget, text: Text, model: ModelSettings, step: int, speed: float) -> float:
    """Characters that a run gets to see."""
    if budget.unit == "steps":
        return budget.amount * step
    if budget.unit == "epochs":
        return budget.amount * text.characters
    return EFFICIENCY * 60 * budget.amount * speed * step / operations(model, step)


def operations(model: ModelSettings, step: int) -> float:
    """Floating-point operations of a training step of so many characters.

    2 a weight and character forward, 4 backward, and the optimiser's Newton-Schulz products: two of the whole
    matrix, one small one in the first iteration and four in each other.
    """
    orthogonalising = 0
    for shape in model.inner_shapes():
        long, short = max(shape), min(shape)
        orthogonalising += 4 * long * short**2 + (4 * ITERATIONS - 3) * 2 * short**3
    return 6.0 * model.multiplications() * step + orthogonalising


def _context(text: Text) -> int:
    """About a line, within bounds: what is said early in it should be seen to matter at its end."""
    return max(64, min(160, round(text.mean_line)))


def _batch(columns: float, columns_of_text: float) -> int:
    """Few streams where few steps must do, more where there is time; fewer where the text is short.

    Args:
        columns: stretches of one context that the run gets to see.
        columns_of_text: those that there are.
    """
    in_time = 8 if columns < 16 * 500 else 16 if columns < 16 * 60_000 else 32
    fitting = 1 << max(2, round(math.log2(max(1.0, columns_of_text / STEPS_A_PASS))))
    return min(in_time, fitting)


def _overfitting(passes: float, weights_a_character: float) -> float:
    """How hard a run presses to learn its text by heart: with passes over it, and with room to keep it."""
    return max(0.0, passes - 4) * math.sqrt(weights_a_character)


def _reasons(
    text: Text, model: ModelSettings, training: TrainingSettings, passes: float, speed: float
) -> tuple[str, ...]:
    """What was chosen, and why, in two lines."""
    budget = training.budget
    rate = f" at {speed / 1e9:.0f} GFLOP/s" if budget.unit == "minutes" else ""
    often = f"{passes:.2g}" if passes < 10 else f"{passes:,.0f}"
    return (
        f"{text.characters:,} characters, {text.vocab_size - 1} different; in {budget.amount:g} {budget.unit}{rate} "
        f"they are read about {often} times; chosen:",
        f"{model.layers} x {model.hidden} {model.cell}, {model.parameters():,} weights; batch {training.batch}, "
        f"context {training.context}, rate {training.learning_rate:.2g}, dropout {training.dropout:g}, "
        f"dropconnect {training.dropconnect:g}, {training.precision}; n-grams after up to {training.ngrams} characters",
    )

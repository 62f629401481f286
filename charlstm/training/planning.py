"""Chooses what the user left open, from the text, the machine's speed and the budget. Pure arithmetic.

The rules come from the measurements in benchmarks/LOG.md.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..config import NGRAMS, WEIGHT_DECAY, Budget, ModelSettings, TrainingRequest, TrainingSettings
from ..data.corpus import Corpus
from ..errors import counted
from .counting import MOST_COUNTED, largest_order

SHAPES = ((2, 64), (2, 96), (2, 128), (2, 192), (3, 192), (3, 256), (3, 384), (3, 512), (3, 768), (3, 1024))
"""Layers and hidden size, from the cheapest to the most able: a third layer pays from 192 units on."""
CHARACTERS_PER_PARAMETER = 4.0
"""How many characters a run must at least train on for every parameter of the network."""
LEAST_PER_PARAMETER = 1.0
"""With fewer for every parameter a smaller network, begun anew, is better than to let the learning rate fall."""
TEXT_PER_PARAMETER = 0.2
"""Characters of text that justify a parameter: a short text does not fill a large network."""
STEPS_PER_EPOCH = 150
"""About how many steps an epoch should take at least."""
CLOSING_SECONDS = 3.0
"""Last validation, about."""
ITERATIONS = 3
"""Newton-Schulz iterations of a training step (see optimizer.py)."""
EFFICIENCY = 0.85
"""What is left of the measured speed where masks are drawn, gradients clipped and parameters averaged."""
TRAINING = 0.9
"""Fraction of the time that is trained; the rest counts n-grams and validates."""
COUNTS_SECONDS = 2e-6
"""What the counts in view take for each character of a step; expected of all runs that count, in view or not, so that a
shorter text never gets a larger network."""
NGRAM_WEIGHT = 0.4
"""Of the counts' log-probabilities beside the network's logits in training, see benchmarks/LOG.md."""
EPOCHS_WITH_COUNTS = 15
"""Epochs up to which a network is trained together with the counts: of a text that it reads more often, it memorises
what the counts leave."""
COUNTED_PER_SECOND = 2_000_000
"""Characters that are counted, on a fast machine; a slow one counts half as many."""
COUNTING = 0.03
"""Fraction of a budget in minutes that counting may take."""
CANDIDATES = 512
"""Symbols by which a step's softmax over a large vocabulary is estimated, about, ..."""
LEAST_VOCABULARY = 1024
"""... from so many symbols on, see benchmarks/LOG.md."""
FIXED_THREADS = 2
"""Of a run whose budget is in steps or epochs: a small network gains little from more."""
STREAMS_A_SHARD, LEAST_STREAMS = 8, 2
"""Streams that are computed together, of many; and of few, of which there are two such parts all the same."""
FINE_TUNING = 0.25
"""Fraction of the usual learning rate for a pretrained network."""
MANY_EPOCHS = 500
"""Beyond so many no text gains anything."""
USEFUL_EPOCHS = 100
"""About as many as a text gains from."""
LONG_MINUTES = 30.0
"""A budget that is no longer does no harm, however short the text is: early stopping ends it."""


@dataclass(frozen=True)
class Text:
    """What matters about a text: of its training part, the characters, the symbols and the mean line."""

    characters: int
    vocab_size: int
    mean_line: float
    unit: str = "characters"
    """What its symbols are, in words."""

    @staticmethod
    def of(corpus: Corpus) -> Text:
        """That of a corpus's training part."""
        unit = "bytes" if corpus.vocabulary.as_bytes else "characters"
        return Text(len(corpus.training), len(corpus.vocabulary), corpus.mean_line, unit)


class Speed(NamedTuple):
    """How fast a machine trains: a step takes its operations at this rate, and the latency of its time steps."""

    operations: float
    """Floating-point operations a second."""
    latency: float = 0.0
    """Seconds that a layer takes for each character of a stream beside its operations, however few these are."""

    def seconds(self, model: ModelSettings, batch: int, context: int) -> float:
        """Of a training step."""
        return operations(model, batch * context) / self.operations + model.layers * context * self.latency


@dataclass(frozen=True)
class Plan:
    """A training run with everything decided, and why."""

    model: ModelSettings
    training: TrainingSettings
    expected: float
    """Characters that the run is expected to train on, each as often as it is read."""
    reasons: tuple[str, ...]
    """What was decided, in lines for a person."""
    warnings: tuple[str, ...] = ()


def plan(
    request: TrainingRequest,
    text: Text,
    speed: Speed,
    precision: Literal["float32", "bfloat16"],
    *,
    pretrained: bool = False,
    used: float = 0.0,
    ranks: int = 1,
    threads: int = FIXED_THREADS,
) -> Plan:
    """Decide everything about a run.

    Args:
        request: what the user asked for; what is not None is kept.
        text: what is trained on.
        speed: this machine's.
        precision: the faster dtype here.
        pretrained: whether the run begins with a pretrained model, which too high a learning rate would undo.
        used: seconds of a budget in minutes that are gone by now.
        ranks: processes that share each batch, each as fast as this one; a stream for each at least.
        threads: of each process.
    """
    speed = speed._replace(operations=speed.operations * ranks)
    budget, context = _left(request.budget(), used), request.context or _context(text)
    model, batch, expected = _Sizing(request, budget, text, context, speed, ranks).chosen()
    epochs = expected / text.characters
    overfitting = _overfitting(epochs, model.multiplications() / text.characters)
    learning_rate = _learning_rate(model.hidden) * (FINE_TUNING if pretrained else 1.0)
    dropout = round(min(0.3, 0.02 * overfitting), 2)
    training = _settings(request, text, batch, context, learning_rate, dropout, precision)
    if training.ngrams and epochs < EPOCHS_WITH_COUNTS:
        training = dataclasses.replace(training, ngram_weight=NGRAM_WEIGHT)
    training = dataclasses.replace(training, shards=shards(batch, threads) if ranks == 1 else 1)
    reasons = (
        _reason_of_text(text, training, epochs, speed, pretrained=pretrained),
        _reason_of_model(model, training, text.unit),
    )
    return Plan(model, training, expected, reasons, _warnings(training.budget, epochs))


def shards(streams: int, threads: int) -> int:
    """Into how many parts a step's streams are divided: for each thread one, of a few streams at least."""
    return max(1, min(threads, max(2, streams // STREAMS_A_SHARD), streams // LEAST_STREAMS))


def _settings(
    request: TrainingRequest,
    text: Text,
    batch: int,
    context: int,
    learning_rate: float,
    dropout: float,
    precision: Literal["float32", "bfloat16"],
) -> TrainingSettings:
    """What was asked for, and else these values and those that are the same for all runs."""
    return TrainingSettings(
        budget=request.budget(),
        batch=batch,
        context=context,
        learning_rate=_given(request.learning_rate, learning_rate),
        weight_decay=_given(request.weight_decay, WEIGHT_DECAY),
        dropout=_given(request.dropout, dropout),
        dropout_adapts=request.dropout is None,
        dropconnect=_given(request.dropconnect, 0.0),
        ema=0.05,
        clip=1.0,
        warmup=0.02,
        betas=(0.9, 0.99),
        precision=precision,
        lines=request.lines,
        seed=request.seed,
        ngrams=min(NGRAMS if request.ngrams is None else request.ngrams, largest_order(text.vocab_size) - 1),
        counted=_counted(request.budget()),
        candidates=candidates(text.vocab_size),
    )


def _counted(budget: Budget) -> int:
    """Characters of the training part that are counted at most: as many as memory and the budget allow."""
    affordable = COUNTING * 60 * budget.amount * COUNTED_PER_SECOND
    return int(min(MOST_COUNTED, affordable)) if budget.unit == "minutes" else MOST_COUNTED


def candidates(vocab_size: int) -> int:
    """Symbols by which the softmax over a vocabulary is estimated; 0: it is computed whole."""
    return CANDIDATES if vocab_size >= LEAST_VOCABULARY else 0


def _learning_rate(hidden: int) -> float:
    """The highest learning rate that a network of that hidden size takes."""
    return 0.016 * min(1.0, math.sqrt(256 / hidden))


def _given(value: float | None, chosen: float) -> float:
    return chosen if value is None else value


def _model(request: TrainingRequest, text: Text, layers: int, hidden: int) -> ModelSettings:
    embedding = request.embedding or min(hidden, 64 if text.vocab_size <= 512 else 128)
    return ModelSettings(text.vocab_size, layers, hidden, embedding, request.cell or "lstm")


def _left(budget: Budget, used: float) -> Budget:
    """What is left of a budget for training steps."""
    if budget.unit != "minutes":
        return budget
    return Budget("minutes", TRAINING * max(1.0, 60 * budget.amount - used - CLOSING_SECONDS) / 60)


@dataclass(frozen=True)
class _Sizing:
    """What the size of a network rests on."""

    request: TrainingRequest
    budget: Budget
    """For training steps."""
    text: Text
    context: int
    speed: Speed
    """Of all processes together."""
    ranks: int

    def chosen(self) -> tuple[ModelSettings, int, float]:
        """The largest network that the budget can train and the text can fill; its batch size and characters."""
        for layers, hidden in reversed(SHAPES):
            model = _model(self.request, self.text, self.request.layers or layers, self.request.hidden or hidden)
            batch, characters = self.read_by(model)
            parameters = model.multiplications()
            fills = self.text.characters >= TEXT_PER_PARAMETER * parameters
            if fills and characters >= CHARACTERS_PER_PARAMETER * parameters:
                break  # else the smallest, though even that is too large
        return model, batch, characters

    def read_by(self, model: ModelSettings) -> tuple[int, float]:
        """The batch size for a network, and the characters that it is trained on."""
        if self.request.batch:
            return self.request.batch, self._characters(model, self.request.batch)
        characters = self._characters(model, 16)
        batch = max(self.ranks, _batch(characters / self.context, self.text.characters / self.context))
        return batch, self._characters(model, batch)

    def _characters(self, model: ModelSettings, batch: int) -> float:
        """Characters that a run trains on."""
        if self.budget.unit == "epochs":
            return self.budget.amount * self.text.characters
        step = batch * self.context
        if self.budget.unit == "steps":
            return self.budget.amount * step
        counts = 0.0 if self.request.ngrams == 0 else COUNTS_SECONDS * step / self.ranks
        return 60 * self.budget.amount * step / (self.speed.seconds(model, batch, self.context) / EFFICIENCY + counts)


def is_too_large(model: ModelSettings, characters: float) -> bool:
    """Whether a network can hardly have learned from so few characters, be the learning rate as it may."""
    return characters < LEAST_PER_PARAMETER * model.multiplications()


def operations(model: ModelSettings, step: int) -> float:
    """Floating-point operations of a training step of so many characters.

    2 a parameter and character forward, 4 backward (of a large vocabulary's softmax, of the candidates alone), and the
    optimizer's Newton-Schulz products: two of the whole matrix, one small one in the first iteration and four in each
    other.
    """
    orthogonalising = 0
    for shape in model.inner_shapes():
        long, short = max(shape), min(shape)
        orthogonalising += 4 * long * short**2 + (4 * ITERATIONS - 3) * 2 * short**3
    return 6.0 * _multiplications_in_training(model) * step + orthogonalising


def scoring_share(model: ModelSettings) -> float:
    """What scoring a character takes, as a fraction of what training on it does: forward only, the whole softmax."""
    return model.multiplications() / (3 * _multiplications_in_training(model))


def _multiplications_in_training(model: ModelSettings) -> int:
    """Multiply-add pairs for one character in the forward pass of a training step."""
    left_out = model.vocab_size - (candidates(model.vocab_size) or model.vocab_size)
    return model.multiplications() - left_out * (model.hidden + 1)


def _context(text: Text) -> int:
    """About a line, within bounds: what is said early in it should be seen to matter at its end."""
    return max(64, min(160, round(text.mean_line)))


def _batch(sequences: float, sequences_of_text: float) -> int:
    """Small where few steps must do, larger where there is time; smaller where the text is short.

    Args:
        sequences: of one context length, that the run trains on.
        sequences_of_text: those that there are.
    """
    in_time = 8 if sequences < 16 * 500 else 16 if sequences < 16 * 60_000 else 32
    fitting = 1 << max(2, round(math.log2(max(1.0, sequences_of_text / STEPS_PER_EPOCH))))
    return min(in_time, fitting)


def _overfitting(epochs: float, parameters_per_character: float) -> float:
    """How strongly a run tends to memorise its text: it grows with the epochs, and with the room for it."""
    return max(0.0, epochs - 4) * math.sqrt(parameters_per_character)


def _reason_of_text(text: Text, training: TrainingSettings, epochs: float, speed: Speed, *, pretrained: bool) -> str:
    budget = training.budget
    about = f"{epochs:.2g}" if epochs < 10 else f"{epochs:,.0f}"
    seen = "" if budget.unit == "epochs" else f"about {about} {'epoch' if about == '1' else 'epochs'} in "
    rate = f" at {speed.operations / 1e9:.0f} GFLOP/s" if budget.unit == "minutes" else ""
    unit = budget.unit.removesuffix("s") if budget.amount == 1 else budget.unit
    what = "in the vocabulary" if pretrained else "distinct"
    distinct = f", {text.vocab_size - 1:,} {what}" if text.unit == "characters" else ""
    read = f"{text.characters:,} training {text.unit}{distinct}"
    return f"{read}; {seen}{budget.amount:,.6g} {unit}{rate}"


def _reason_of_model(model: ModelSettings, training: TrainingSettings, unit: str) -> str:
    cell = model.cell.upper()
    dropconnect = f", DropConnect {training.dropconnect:g}" if training.dropconnect else ""
    ngrams = (
        f", n-gram counts for contexts of up to {counted(training.ngrams, unit.removesuffix('s'))}"
        if training.ngrams
        else ""
    )
    return (
        f"{model.layers}-layer {cell}, {counted(model.hidden, 'hidden unit')}, {model.parameters():,} parameters; "
        f"batch size {training.batch}, context {training.context}, peak learning rate {training.learning_rate:.2g}, "
        f"dropout {training.dropout:g}{dropconnect}, {training.precision}{ngrams}"
    )


def _warnings(budget: Budget, epochs: float) -> tuple[str, ...]:
    """Where the budget is far more than the text can use."""
    if epochs < MANY_EPOCHS or (budget.unit == "minutes" and budget.amount < LONG_MINUTES):
        return ()
    useful = max(1, round(budget.amount * USEFUL_EPOCHS / epochs))
    return (
        f"warning: {budget.amount:,.6g} {budget.unit} are about {epochs:,.0f} epochs, far more than this text can use; "
        f"the learning rate stays near its peak for most of it, and --{budget.unit} {useful} does as well or better",
    )

"""What defines a model, a training run and a sample: plain dataclasses, checked when they are made.

Knows nothing about files, networks or the command line. The help texts and defaults of the command line are
read from the fields below, so that nothing is typed twice.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from .errors import UsageError
from .fields import check_choice, check_fields, plain, setting, shortened

CellName = Literal["lstm", "gru", "rnn"]
CELLS: tuple[CellName, ...] = ("lstm", "gru", "rnn")
SplitName = Literal["spread", "end"]
NormalizeName = Literal["nfc"]
NORMALIZATIONS: tuple[NormalizeName, ...] = ("nfc",)
SPLITS: tuple[SplitName, ...] = ("spread", "end")
PRECISIONS = ("auto", "float32", "bfloat16")
GATES: dict[str, int] = {"lstm": 4, "gru": 3, "rnn": 1}
"""Rows of a layer's weight matrices, in units of the hidden size (torch's convention)."""

SMALLEST_TEXT = 100
"""Characters below which training is refused: fewer leave nothing to learn from and nothing to validate on."""
SHORT_TEXT = 10_000
"""Training characters below which even a character that occurs once is in the vocabulary."""
NGRAMS, WEIGHT_DECAY = 11, 0.1
"""Of a run for which they are not given: characters of the longest context, if the vocabulary allows it; a rate."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class ModelSettings:
    """The shape of a network; with the tensors, all that is needed to compute it."""

    vocab_size: int = setting(2, "symbols that can be predicted: the unknown symbol and the characters", least=2)
    layers: int = setting(2, "stacked recurrent layers", least=1, most=64)
    hidden: int = setting(256, "hidden size of each layer", least=1, most=65536)
    embedding: int = setting(64, "embedding dimension", least=1, most=65536)
    cell: CellName = setting("lstm", "type of recurrent cell")

    def __post_init__(self) -> None:
        check_fields(self)
        check_choice("cell", self.cell, CELLS)

    @property
    def gates(self) -> int:
        """Rows of a layer's weight matrices, in units of the hidden size."""
        return GATES[self.cell]

    @property
    def numbers_per_step(self) -> int:
        """Size of the widest intermediate result for one character of one sequence."""
        return max(self.vocab_size, self.gates * self.hidden)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all tensors of such a network, as torch names them.

        The embedding has one row more than there are symbols: the last is the start symbol, which is read and
        never predicted.
        """
        rows = self.gates * self.hidden
        shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (self.vocab_size + 1, self.embedding)}
        for layer in range(self.layers):
            width = self.hidden if layer else self.embedding
            shapes[f"layers.{layer}.weight_ih_l0"] = (rows, width)
            shapes[f"layers.{layer}.weight_hh_l0"] = (rows, self.hidden)
            shapes[f"layers.{layer}.bias_ih_l0"] = (rows,)
            shapes[f"layers.{layer}.bias_hh_l0"] = (rows,)
        shapes["head.weight"] = (self.vocab_size, self.hidden)
        shapes["head.bias"] = (self.vocab_size,)
        return shapes

    def parameters(self) -> int:
        """Number of trained parameters."""
        return sum(math.prod(shape) for shape in self.shapes().values())

    def multiplications(self) -> int:
        """Multiply-add pairs for one character in one forward pass (the embedding is a look-up)."""
        return self.parameters() - (self.vocab_size + 1) * self.embedding

    def inner_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the matrices inside the layers."""
        return [shape for name, shape in self.shapes().items() if name.startswith("layers.") and len(shape) == 2]


@dataclass(frozen=True)
class MixtureSettings:
    """How an n-gram model is joined with a network, see `models.mixture`."""

    sizes: tuple[int, ...]
    """Different n-grams of 1, 2, ... characters."""
    network_weight: float
    """a in softmax(a * logits + b * ln p)."""
    ngram_weight: float
    """b in it, where p are the n-gram model's probabilities."""

    def __post_init__(self) -> None:
        if not self.sizes or not all(type(size) is int and 0 < size < 2**31 for size in self.sizes):
            raise UsageError("the numbers of n-grams are not whole numbers above 0")
        for weight in (self.network_weight, self.ngram_weight):
            if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight <= 100:
                raise UsageError(f"the weight of a mixture is {weight!s:.20}; it must be between 0 and 100")


@dataclass(frozen=True)
class Budget:
    """How long to train: exactly one of the three units."""

    unit: Literal["minutes", "epochs", "steps"] = "minutes"
    """Minutes of the clock, passes over the training part, or optimizer steps."""
    amount: float = 10.0
    """So many of them."""

    def __post_init__(self) -> None:
        amount = plain(self.amount)
        object.__setattr__(self, "amount", amount)
        if not isinstance(amount, (int, float)) or isinstance(amount, bool):
            raise UsageError(f"{self.unit} is {self.amount!r:.20}; it must be a number")
        if not 1e-9 <= amount < 1e15:
            bounds = "more than 0, at least 1e-9, and less than 1e15"
            raise UsageError(f"{self.unit} is {shortened(self.amount)}; it must be {bounds}")

    @staticmethod
    def chosen(minutes: float | None, epochs: float | None, steps: int | None) -> Budget:
        """The one budget that was given, or ten minutes.

        Raises:
            UsageError: two of them were given.
        """
        pairs = [("minutes", minutes), ("epochs", epochs), ("steps", steps)]
        given = [(unit, amount) for unit, amount in pairs if amount is not None]
        if len(given) > 1:
            names = " and ".join(f"--{unit}" for unit, _ in given)
            raise UsageError(f"{names} contradict each other: give one budget")
        return Budget(*given[0]) if given else Budget()  # type: ignore[arg-type]


@dataclass(frozen=True)
class TrainingRequest:
    """What a user may ask of a training run. None: to be chosen from the text, the machine and the budget."""

    minutes: float | None = setting(
        None, f"budget in minutes, all but the wait for standard input included (default: {Budget.amount:g})"
    )
    epochs: float | None = setting(None, "budget in epochs: passes over the training part of the text")
    steps: int | None = setting(None, "budget in optimizer steps")
    layers: int | None = setting(
        None, "stacked recurrent layers (default: 2 or 3, by text, speed and budget)", least=1, most=64
    )
    hidden: int | None = setting(
        None, "hidden size of each layer (default: 64 to 1024, by text, speed and budget)", least=1, most=65536
    )
    embedding: int | None = setting(
        None,
        "embedding dimension (default: 64, or 128 for large vocabularies, and at most the hidden size)",
        least=1,
        most=65536,
    )
    cell: CellName | None = setting(None, "type of recurrent cell (default: lstm)")
    batch: int | None = setting(
        None,
        "batch size: streams through the text that are read in parallel; with --lines, as many lines as hold as many "
        "characters (default: by text and budget)",
        least=1,
        most=65536,
    )
    context: int | None = setting(
        None,
        "context length: characters of truncated backpropagation through time; the state is carried on beyond it "
        "(default: the mean line, 64 to 160)",
        least=1,
        most=65536,
    )
    learning_rate: float | None = setting(
        None,
        "peak learning rate, after a short warm-up; it then decays linearly to 0 (default: by hidden size)",
        least=1e-9,
        most=10**6,
    )
    weight_decay: float | None = setting(
        None, f"weight decay of all matrices (default: {WEIGHT_DECAY:g})", least=0, most=100
    )
    dropout: float | None = setting(
        None, "dropout between layers and before the output (default: by epochs and size)", least=0, most=0.95
    )
    dropconnect: float | None = setting(None, "dropout of the recurrent weights (default: 0)", least=0, most=0.95)
    val_fraction: float = setting(0.1, "fraction of the text to hold out for validation", least=0, most=0.9)
    val_split: SplitName = setting(
        "spread",
        "which part to hold out: spread takes blocks from all over the text (with --lines, distinct lines at random), "
        "end takes its last characters or lines",
    )
    normalize: NormalizeName | None = setting(
        None,
        "read texts in this Unicode normalization form, which the model keeps for prompts and texts: a letter and its "
        "combining accent as one character (default: as they are)",
    )
    min_count: int | None = setting(
        None,
        "characters that occur fewer times are read as unknown and never written (default: 2, or 1 where fewer than "
        f"{SHORT_TEXT:,} characters are trained on)",
        least=1,
        most=10**15,
    )
    ngrams: int | None = setting(
        None,
        "n-gram counts of the text are mixed with the network, for contexts of up to so many characters (0 to "
        f"{NGRAMS}); 0: the network alone (default: {NGRAMS}, or as many as a large vocabulary allows)",
        least=0,
        most=NGRAMS,
    )
    lines: bool = setting(False, "every line is a record of its own (names, titles, commands)")
    as_bytes: bool = setting(
        False, "a model of bytes: reads any file as it is, 256 symbols, in place of the characters of a text"
    )
    seed: int = setting(
        0,
        "same seed, same model, bit for bit, on one device with one number of threads, where the budget is in steps or "
        "epochs",
        least=0,
        most=2**63 - 1,
    )
    device: str = setting("auto", "where to compute")
    threads: int | None = setting(
        None,
        "processor threads (default: 2, or those that are the fastest where the budget is in minutes)",
        least=1,
        most=4096,
    )
    precision: Literal["auto", "float32", "bfloat16"] = setting("auto", "dtype of the matrix products")

    def __post_init__(self) -> None:
        check_fields(self)
        self.budget()
        if self.cell is not None:
            check_choice("cell", self.cell, CELLS)
        check_choice("precision", self.precision, PRECISIONS)
        check_choice("val-split", self.val_split, SPLITS)
        if self.normalize is not None:
            check_choice("normalize", self.normalize, NORMALIZATIONS)

    def budget(self) -> Budget:
        """The one budget that was asked for."""
        return Budget.chosen(self.minutes, self.epochs, self.steps)


@dataclass(frozen=True)
class TrainingSettings:
    """A training run, with everything decided. Saved with the model; enough to repeat the run."""

    budget: Budget
    batch: int
    """Streams that are read in parallel; of lines, so many contexts' worth of characters."""
    context: int
    """Characters of truncated backpropagation through time."""
    learning_rate: float
    """Its peak."""
    weight_decay: float
    """Of all matrices, as a rate: multiplied by the learning rate."""
    dropout: float
    """Fraction of the numbers between layers and before the output that is dropped; at most, where it adapts."""
    dropconnect: float
    """Fraction of the recurrent weights that is dropped."""
    ema: float
    """Horizon of the exponential moving average of the parameters, as a fraction of the steps so far; 0: none."""
    clip: float
    """Largest Euclidean norm of a gradient."""
    warmup: float
    """Fraction of the run over which the learning rate rises to its peak."""
    betas: tuple[float, float]
    """AdamW's: the decay rates of the gradient's first and second moment."""
    precision: Literal["float32", "bfloat16"]
    """Dtype of the matrix products."""
    lines: bool
    """Whether every line is a record of its own."""
    seed: int
    """All that is random comes from it."""
    fresh_every: int = 10
    """Every so many steps one stream more starts from the zero state where a text would begin, to train that too."""
    unknown: float = 1e-4
    """Fraction of characters that are read as the unknown symbol, so that it is trained on any text."""
    shards: int = 1
    """Each step's streams are computed in so many parts, side by side where there are threads."""
    ngrams: int = 0
    """Characters of the longest context in the counts that are mixed with the network; 0: none."""
    counted: int = 1 << 24
    """Characters of the training part that are counted at most; a run that goes on counts the same."""
    ngram_weight: float = 0.0
    """Weight of the counts that are added to the network's logits while it is trained; 0: they join it afterwards."""
    dropout_adapts: bool = False
    """Whether less is dropped while the network does not memorise its text; where nobody chose the dropout."""
    candidates: int = 0
    """Symbols, about, by which each step estimates the softmax; 0: the whole softmax."""

    @staticmethod
    def from_json(values: dict[str, Any]) -> TrainingSettings:
        """Rebuild from what `dataclasses.asdict` gave, after a trip through JSON."""
        values = dict(values)
        values["budget"] = Budget(**values["budget"])
        values["betas"] = tuple(values["betas"])
        return TrainingSettings(**values)


@dataclass(frozen=True)
class SampleSettings:
    """How characters are drawn from a model's predictions."""

    length: int = setting(500, "characters to write", least=0, most=10**15)
    temperature: float = setting(0.8, "below 1 plays safe, above 1 takes risks; 0 is greedy", least=0, most=10**6)
    top_k: int | None = setting(None, "draw from the K likeliest characters only", least=1, most=10**15)
    top_p: float | None = setting(None, "draw from the likeliest characters that reach P together", least=0, most=1)
    min_p: float | None = setting(
        None, "draw from characters at least P times as likely as the likeliest", least=0, most=1
    )
    count: int = setting(1, "how many samples to write", least=1, most=1_000_000)
    seed: int | None = setting(
        None, "same seed, same text (default: a new one; --json shows it)", least=0, most=2**63 - 1
    )
    stop: tuple[str | bytes, ...] = setting((), "end a sample where it has written TEXT (repeatable)")

    def __post_init__(self) -> None:
        check_fields(self)
        stop: Any = self.stop
        if not isinstance(stop, Iterable):
            raise UsageError(f"stop is {stop!r:.20}; it must be texts")
        # A text is a sequence of texts, too: of its characters.
        stop = (stop,) if isinstance(stop, (str, bytes)) else tuple(stop)
        object.__setattr__(self, "stop", stop)
        wrong = [text for text in stop if not isinstance(text, (str, bytes))]
        if wrong:
            raise UsageError(f"stop holds {wrong[0]!r:.20}; it must be texts")
        if not all(stop):
            raise UsageError("stop is empty; give the text that ends a sample")


def from_given(settings: type[_T], values: dict[str, Any]) -> _T:
    """Settings of that class from a larger dictionary; what is absent keeps its default."""
    names = {field.name for field in dataclasses.fields(settings)}  # type: ignore[arg-type]
    return settings(**{name: value for name, value in values.items() if name in names})

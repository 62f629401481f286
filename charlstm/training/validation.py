"""Validation of a run: on what, which checkpoint is kept, when to stop early, what counts as diverged, calibration.

Knows a network only as something that scores text. All checkpoints of a run are scored on the same characters, so
that the difference of two is judged by its own, paired standard error, which is far smaller than that of either
figure: what one finds hard the other does, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.corpus import Corpus
from ..data.held_out import Sample, sample_of_lines, sample_of_text
from ..data.lines import split_lines
from ..data.vocabulary import UNKNOWN
from ..inference.parallel import EXACT, ROUGH
from ..inference.scoring import LN2, Nats, Scorer
from ..models.interface import LanguageModel
from ..models.tensor_file import Tensors, with_prefix
from ..models.torch_lstm import TorchLanguageModel, TorchNetwork

ROUGH_VALIDATION = 0.015
"""Fraction of the work of a run that validations on the way may take."""
ENOUGH_SCORED = 10_000
"""Characters that decisions should rest on: so many are scored unless that takes a larger part of a short run."""
LEAST_SCORED = 2000
"""Characters of a validation at least, where there are so many."""
FINAL_VALIDATION = 0.03
"""Fraction of the work of a run that the last validation may take."""
FINAL_SCORED, FINAL_NUMBERS = 100_000, 1 << 29
"""Characters that it reads whatever it takes; of a large alphabet as many as have so many logits."""
BLOCKS = 512
"""A text is compared in at most so many blocks: neighbouring characters are not independent."""
SIGNIFICANT = 2.0
"""Standard errors beyond which a difference is no chance."""
YET_TO_GAIN = 0.05
"""Fraction of a validation figure by which it may still improve while the learning rate falls to zero."""
TEMPERATURE_STEP = 1.05
"""Ratio of neighbouring temperatures that are tried when the result is calibrated."""
CALIBRATION_RANGE = math.log(1.2)
"""How far from 1 the temperature may go, in the logarithm: a step more is not tried beyond it."""
CALIBRATION = 6
"""Validations on the way that calibrating takes, about."""


def spread_sample(corpus: Corpus, *, lines: bool, most: int) -> Sample:
    """The held-out part or, where it is longer than so many characters, about so many from all over it."""
    if lines:
        return sample_of_lines(corpus.validation, corpus.line_end, most)
    line_end = -1 if corpus.line_end == UNKNOWN else corpus.line_end  # else what is unknown would end lines
    return sample_of_text(corpus.validation, corpus.contexts, line_end, most)


def surprisals(model: LanguageModel, corpus: Corpus, sample: Sample, *, lines: bool, rough: bool) -> Nats:
    """Score what counts of a text: with torch, which is loaded already and up to four times as fast as numpy."""
    scorer, ids = Scorer(model, corpus.vocabulary, ROUGH if rough else EXACT), sample.ids
    parts = scorer.records(split_lines(ids, corpus.line_end)) if lines else list(scorer.surprisals([ids]))
    return np.concatenate([np.zeros(0), *parts])[sample.scored]


def block_sums(nats: Nats) -> Nats:
    """Sums of neighbouring surprisals: about BLOCKS of them, or one a character where the text is short."""
    length = max(1, len(nats) // BLOCKS)
    return np.add.reduceat(nats, np.arange(0, len(nats), length))


def paired_difference(one: Nats, other: Nats) -> tuple[float, float]:
    """How much more the first checkpoint pays for a text than the second, and the standard error of that, in nats.

    Args:
        one, other: surprisals of the same blocks of text (K,).
    """
    difference = one - other
    if len(difference) < 2:
        return float(difference.sum()), math.inf
    return float(difference.sum()), float(difference.std(ddof=1) * math.sqrt(len(difference)))


_FACTS = (
    "sample_size", "kept_bits",  "kept_step", "lowest_bits", "lowest_position", "worse_in_a_row", "worst_bits",
    "first_loss",
)  # fmt: skip
"""What a checkpoint keeps of a validator beside its tensors, by attribute."""


class Validator:
    """Scores checkpoints, keeps the best, and says when training on is hopeless.

    The latest checkpoint is kept unless it is worse than the best figure so far by more than chance: of two that
    cannot be told apart the later one has learned for longer.

    Args:
        corpus: whose held-out part validates.
        lines: whether each line is a record of its own.
        expected: characters that the run is expected to train on.
        interval: fraction of the run between two validations.
        as_model: makes a model of a network: alone, or with counts.
        scoring_share: what scoring a character takes, as a fraction of what training on it does.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        lines: bool,
        expected: float,
        interval: float,
        as_model: Callable[[TorchNetwork], LanguageModel] = TorchLanguageModel,
        scoring_share: float = 1 / 3,
    ) -> None:
        self.corpus, self.lines, self.as_model, self.scoring_share = corpus, lines, as_model, scoring_share
        self.sample_size = self._sample_size(expected * interval)
        self.sample = spread_sample(corpus, lines=lines, most=self.sample_size)
        self.kept: Tensors | None = None
        self.kept_bits: float | None = None
        self.kept_step: int | None = None
        self.lowest: Nats | None = None
        """Of the checkpoint with the lowest figure, in blocks."""
        self.lowest_bits = math.inf
        self.lowest_position = 0.0
        self.worse_in_a_row = 0
        # A network without any knowledge, for which all characters are alike, is far from costing this much.
        self.worst_bits = 2 * math.log2(len(corpus.vocabulary)) + 2
        self.first_loss: float | None = None

    def _sample_size(self, characters: float) -> int:
        """Characters of a validation on the way, where so many are trained on between two of them."""
        affordable = int(ROUGH_VALIDATION / self.scoring_share * characters)
        return max(LEAST_SCORED, min(ENOUGH_SCORED, 3 * affordable), affordable)

    def final_size(self, characters: int) -> int:
        """Characters of the last validation, of a run that trained on so many: all, unless that took too long."""
        most, vocab_size = int(FINAL_VALIDATION / self.scoring_share * characters), len(self.corpus.vocabulary)
        return min(len(self.corpus.validation), max(min(FINAL_SCORED, FINAL_NUMBERS // vocab_size), most))

    def bits(self, network: TorchNetwork) -> float:
        """Bits per character on the characters that all checkpoints are scored on."""
        return self.bits_of(self.as_model(network))

    def bits_of(self, model: LanguageModel) -> float:
        """The same of a model."""
        return float(self._scored(model, self.sample).sum()) / max(1, len(self.sample)) / LN2

    def final_bits(self, model: LanguageModel, characters: int) -> tuple[float, int] | None:
        """Bits per character of the result, and of how many characters; None where nothing is held out."""
        sample = spread_sample(self.corpus, lines=self.lines, most=self.final_size(characters))
        if not len(sample):
            return None
        nats = surprisals(model, self.corpus, sample, lines=self.lines, rough=False)
        return float(nats.sum()) / len(nats) / LN2, len(nats)

    def _scored(self, model: LanguageModel, sample: Sample) -> Nats:
        return surprisals(model, self.corpus, sample, lines=self.lines, rough=True)

    # ---------------------------------------------------------------------------------- checkpoints

    def validate(self, network: TorchNetwork, step: int, position: float) -> float | None:
        """Bits per character on held-out text; the checkpoint is kept if it is good.

        None: nothing is held out. Infinite: the parameters are broken; what was good before is still kept.
        """
        if not len(self.sample):
            return self._validate_on_training_text(network, step)
        nats = self._scored(self.as_model(network), self.sample)
        if not math.isfinite(nats.sum()):
            return math.inf
        bits = float(nats.sum()) / len(nats) / LN2
        self.consider(block_sums(nats), bits, network.tensors, step, position)
        return bits

    def _validate_on_training_text(self, network: TorchNetwork, step: int) -> float | None:
        """Any parameters will do that know something of the text's beginning."""
        sample = Sample.of(self.corpus.training[:LEAST_SCORED])
        bits = float(self._scored(self.as_model(network), sample).mean()) / LN2 - self._unknown_bits(sample)
        if not step and math.isfinite(bits):  # a pretrained model may know nothing of this text yet
            self.worst_bits = max(self.worst_bits, bits + 2)
        if not bits <= self.worst_bits:
            return math.inf
        self.kept, self.kept_step = network.tensors(), step
        return None

    def consider(self, blocks: Nats, bits: float, tensors: Callable[[], Tensors], step: int, position: float) -> None:
        """Keep a checkpoint unless it is worse than the best figure so far by more than chance.

        Args:
            blocks: its surprisals, see `block_sums`.
            bits: its bits per character.
            tensors: gives a copy of its parameters.
            step, position: when it was.
        """
        excess, error = (0.0, 0.0) if self.lowest is None else paired_difference(blocks, self.lowest)
        if self.lowest is None or excess < 0:
            self.lowest, self.lowest_bits, self.lowest_position = blocks, bits, position
        chance = 0.0 if self.kept_step == 0 else error  # a pretrained model is given up for a better one only
        if excess <= chance:
            self.kept, self.kept_bits, self.kept_step = tensors(), bits, step
        worse = excess > SIGNIFICANT * error and bits > (1 + YET_TO_GAIN) * self.lowest_bits
        self.worse_in_a_row = self.worse_in_a_row + 1 if worse else 0

    def is_hopeless(self, position: float, patience: float) -> bool:
        """Whether validation has been worse for so long, and by so much, that annealing would not make up for it."""
        return self.worse_in_a_row >= 3 and position - self.lowest_position > patience

    def has_learned(self) -> bool:
        """Whether there is a checkpoint that is worth keeping: validated, and better than knowing nothing."""
        if self.kept_bits is None:
            return self.kept is not None
        return self.kept_bits - self._unknown_bits(self.sample) <= self.worst_bits

    def _unknown_bits(self, sample: Sample) -> float:
        """Bits per character that unknown ones cost for being one of many, whatever the network knows."""
        return float(np.mean(sample.text == UNKNOWN)) * self.corpus.vocabulary.unknown_nats / LN2

    def begin_anew(self, position: float) -> None:
        """Under another budget patience counts from here."""
        self.lowest_position, self.worse_in_a_row = position, 0

    # ----------------------------------------------------------------------------------- divergence

    def is_sane(self, loss: float) -> bool:
        """Whether a training loss in nats is finite and not far worse than at first, or than knowing nothing."""
        if not math.isfinite(loss):
            return False
        self.first_loss = loss if self.first_loss is None else self.first_loss
        return loss < 2 * max(self.first_loss, math.log(len(self.corpus.vocabulary)) + 1)

    # ------------------------------------------------------------------------------ saving, going on

    def checkpoint(self) -> tuple[Tensors, dict[str, Any]]:
        """All that it remembers: tensors, and the rest as JSON."""
        tensors = {f"kept.{name}": tensor for name, tensor in (self.kept or {}).items()}
        if self.lowest is not None:
            tensors["lowest"] = self.lowest
        facts = {name: getattr(self, name) for name in _FACTS}
        facts["lowest_bits"] = None if self.lowest is None else self.lowest_bits
        return tensors, facts

    def restore(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        """Go on from what `checkpoint` gave."""
        for name in _FACTS:
            setattr(self, name, facts[name])
        self.lowest = tensors.get("lowest")
        self.lowest_bits = math.inf if self.lowest is None else facts["lowest_bits"]
        self.kept = with_prefix(tensors, "kept.") or None
        self.sample = spread_sample(self.corpus, lines=self.lines, most=self.sample_size)


@dataclass(frozen=True)
class Calibrated:
    """Parameters whose logits are divided by the temperature that fits best."""

    tensors: Tensors
    temperature: float


def calibrate(tensors: Tensors, bits: Callable[[Tensors], float]) -> Calibrated:
    """Divide all logits by the temperature that fits held-out text best (temperature calibration, Guo et al. 2017).

    A network that has read its text many times is overconfident. The division is done by the head's parameters.

    Args:
        tensors: the network's.
        bits: gives the bits per character of a network on held-out text.
    """
    best, least = 1.0, bits(tensors)
    for factor in (TEMPERATURE_STEP, 1 / TEMPERATURE_STEP):
        while (
            abs(math.log(best)) < CALIBRATION_RANGE
            and (found := bits(with_temperature(tensors, best * factor))) < least
        ):
            best, least = best * factor, found
        if best != 1.0:
            break
    return Calibrated(with_temperature(tensors, best), best)


def with_temperature(tensors: Tensors, temperature: float) -> Tensors:
    """The network whose logits are these tensors' divided by a temperature."""
    return {name: tensor / temperature if name.startswith("head.") else tensor for name, tensor in tensors.items()}

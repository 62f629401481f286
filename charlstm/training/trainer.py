"""Truncated backpropagation through time under a budget; yields progress, never prints, never writes.

Knows batches, a network and a clock; knows nothing about files or terminals. The caller iterates over
`Trainer.run()`, and saves when it likes what `Trainer.result()` and `Trainer.checkpoint()` give.

All that is random in step k comes from the seed and k, and all that is decided in it from k or from the state that a
checkpoint holds, so a run that is cut into pieces ends with the same bytes as one that is not.
"""

from __future__ import annotations

import dataclasses
import math
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..config import ModelSettings, TrainingSettings
from ..data.batching import IGNORED, Batch, batches, lines_all_over, split_lines
from ..data.corpus import Corpus
from ..data.vocabulary import UNKNOWN, Ids
from ..errors import DivergedError
from ..inference.scoring import LN2, Score, Scorer
from ..models.torch_lstm import TorchLanguageModel, TorchNetwork, TorchState
from .optimizer import Optimizer

Tensors = dict[str, NDArray[Any]]

ROUGH_VALIDATION = 0.015
"""Share of the work of a run that validations on the way may take."""
LEAST_SCORED = 2000
"""Characters of a validation at least, where there are so many."""
FINAL_VALIDATION = 0.03
"""Share of the work of a run that the last validation may take."""
PATIENCE = 0.3
"""Share of the run without a better validation after which training stops."""
TEMPERATURE_STEP = 1.05
"""Ratio of neighbouring temperatures that are tried when the result is calibrated."""
CALIBRATION_RANGE = math.log(1.2)
"""How far from 1 the temperature may go, in the logarithm: a step more is not tried beyond it."""
CALIBRATION = 6
"""Rough validations that calibrating takes, about."""
CURVE = 500
"""Entries of the curve that are kept: a long run's curve is thinned to fewer."""
RATE_CUTS = 3
"""How many times a diverged run goes back with half the rate before it gives up."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands."""

    step: int
    fraction: float
    """Of the budget, 0 to 1."""
    characters: int
    """Learnt from so far."""
    seconds: float
    """Spent so far, earlier sittings included."""
    left: float
    """Seconds to go, as far as one can tell."""
    speed: float
    """Characters a second since the last report."""
    train_bits: float
    """Bits per character since the last report."""
    val_bits: float | None
    """Bits per character on the validation text, by the averaged weights; None: not measured this time."""
    best_bits: float | None
    learning_rate: float
    note: str = ""
    """Something that a person should be told once."""
    sample: str = ""
    """What the network writes by now, where that was asked for."""


def rate(fraction: float, settings: TrainingSettings) -> float:
    """The learning rate at a fraction of the budget: a short linear rise, then a line down to zero.

    (Bergsma et al. 2025; the rise as in Goyal et al. 2017.)
    """
    rise = (fraction + 1e-4) / settings.warmup if settings.warmup else 1.0
    return settings.learning_rate * min(rise, (1 - min(1.0, fraction)) / (1 - settings.warmup))


_FACTS = (
    "step", "characters", "validated", "best_bits", "best_step", "best_fraction", "worse_in_a_row", "curve",
    "rate_factor", "rate_cuts", "closing", "first_loss", "worst_bits",
)  # fmt: skip
"""What a checkpoint keeps of a trainer beside its tensors, by attribute."""


class Trainer:
    """One training run.

    Args:
        corpus: what to learn from and validate on.
        model_settings, settings: everything decided, see `planning.plan`.
        device: where to compute.
        started: `time.monotonic()` when the user began to wait; a budget in minutes counts from there.
        expected: characters that the budget is expected to reach; decides how much is validated.
        weights: tensors of another model to start from instead of random ones; its alphabet is the beginning
            of this one's.
    """

    def __init__(
        self,
        corpus: Corpus,
        model_settings: ModelSettings,
        settings: TrainingSettings,
        *,
        device: torch.device,
        started: float,
        expected: float,
        weights: Tensors | None = None,
    ) -> None:
        self.corpus, self.model_settings, self.settings, self.device = corpus, model_settings, settings, device
        self.expected = expected
        torch.manual_seed(settings.seed)
        self.model = TorchNetwork(
            model_settings, settings.dropout, settings.dropconnect, getattr(torch, settings.precision)
        )
        if weights:
            self.model.start_from(weights)
        self.model.to(device)
        self.averaged = TorchNetwork(model_settings).to(device)
        self.averaged.load_state_dict(self.model.state_dict())
        self.optimizer = Optimizer(
            self.model.named_parameters(),
            weight_decay=settings.weight_decay,
            betas=settings.betas,
            precision=getattr(torch, settings.precision),
        )
        self.batches = batches(
            corpus,
            batch=settings.batch,
            context=settings.context,
            lines=settings.lines,
            fresh_every=settings.fresh_every,
            unknown=settings.unknown,
            seed=settings.seed,
        )
        self.step = 0
        self.characters = 0
        self.state: TorchState | None = None
        self.best_bits: float | None = None
        # A network without any knowledge, for which all characters are alike, is far from costing this much.
        self.worst_bits = 2 * math.log2(model_settings.vocab_size) + 2
        self.best_step: int | None = None
        self.best_fraction = 0.0
        self.worse_in_a_row = 0
        self.best: Tensors | None = None
        self.curve: list[dict[str, float]] = []
        self.rate_factor = 1.0
        self.rate_cuts = 0
        self.validated = 0
        self.first_loss: float | None = None
        self._started = started
        self._earlier = 0.0
        self.closing = 0.0
        self._first = self.averaged.tensors()
        self._pretrained = weights is not None

    # ------------------------------------------------------------------------------------ the clock

    @property
    def seconds(self) -> float:
        """Spent on this run so far, earlier sittings included."""
        return self._earlier + time.monotonic() - self._started

    @property
    def fraction(self) -> float:
        """How much of the budget is used, 0 to 1."""
        budget = self.settings.budget
        if budget.unit == "steps":
            used = self.step / budget.amount
        elif budget.unit == "epochs":
            used = self.step / max(1.0, budget.amount * self.batches.steps_per_epoch)
        else:
            used = self.seconds / max(1e-9, 60 * budget.amount - self.closing)
        return min(1.0, used)

    # ------------------------------------------------------------------------------------- the run

    def run(self, stop: Callable[[], bool] = lambda: False, every: float = 1.0) -> Iterator[Progress]:
        """Train until the budget is used, validation says so, or `stop()` is true; yield progress.

        A report comes every `every` seconds and at every validation. The last one has fraction 1 unless
        `stop()` ended the run.

        Raises:
            DivergedError: the loss became infinite more than RATE_CUTS times.
        """
        meter = _Meter()
        self.model.train()
        if (
            self._pretrained
            and not self.step
            and (at_start := self._validate()) is not None
            and math.isfinite(at_start)
        ):
            yield self._report(meter, at_start)
        while (fraction := self.fraction) < 1.0 or self.step == 0:
            loss, characters = self._learn(self.batches[self.step], fraction)
            if not self._is_sane(loss):
                yield self._report(meter, None, self._go_back())
                continue
            self.step += 1
            self.characters += characters
            meter.add(loss, characters)
            due = int(self.fraction * self.settings.validations)
            if due > self.validated and self.fraction < 1.0:
                self.validated = due
                meter.read()  # so that the time of the validation does not count as the speed of learning
                bits = self._validate()
                if bits == math.inf:
                    yield self._report(meter, None, self._go_back())
                    continue
                yield self._report(meter, bits)
                if self._is_hopeless():
                    note = f"no better validation for a while: stopped early, {self._kept()} are kept"
                    yield dataclasses.replace(self._report(meter, None, note), fraction=1.0, left=0.0)
                    return
            elif meter.seconds() > every:
                yield self._report(meter, None)
            if stop() and self.fraction < 1.0:  # after its last step a run may as well end
                return
        bits = self._validate()
        if bits == math.inf:
            self._return_to_best()
            bits = None
        if not self.has_learnt():
            raise DivergedError(
                f"nothing was learnt with a learning rate of {self.settings.learning_rate:g}; give a smaller one"
            )
        note = ""
        if self.settings.budget.unit == "minutes" and self.step < 20:
            note = f"the budget was over after {self.step} steps; give more --minutes"
        elif self.best_step == 0:
            note = f"no validation was better than at the start: {self._kept()} are kept"
        # Whatever the clock says: validating may have shown that less time must be left for what comes after.
        yield dataclasses.replace(self._report(meter, bits, note), fraction=1.0, left=0.0)

    def has_learnt(self) -> bool:
        """Whether there are weights that are worth keeping: validated, and better than knowing nothing."""
        if self.best_bits is None:
            return self.best is not None
        scored = self._validating(self._rough_characters())
        return self.best_bits - self._unknown_bits(scored) <= self.worst_bits

    def _unknown_bits(self, ids: Ids) -> float:
        """Bits per character that unknown ones cost for being one of many, whatever the network knows."""
        return float(np.mean(ids == UNKNOWN)) * self.corpus.vocabulary.unknown_nats / LN2

    def _kept(self) -> str:
        """What the run ends with, in words."""
        return "the weights that it started from" if self.best_step == 0 else "the best weights"

    def _is_hopeless(self) -> bool:
        """Whether validation has got no better for long; a run that is almost over may as well end."""
        fraction = self.fraction
        return self.worse_in_a_row >= 3 and fraction - self.best_fraction > PATIENCE and fraction < 0.8

    def _learn(self, batch: Batch, fraction: float) -> tuple[float, int]:
        """One step of truncated backpropagation through time (Williams and Peng 1990)."""
        self.model.reseed(self.settings.seed, self.step)
        inputs = torch.from_numpy(batch.inputs).to(self.device)  # (T, B)
        targets = torch.from_numpy(batch.targets).to(self.device)  # (T, B)
        logits, state = self.model(inputs, self._starting_state(batch))  # (T, B, V)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        self.optimizer.step(self.rate_factor * rate(fraction, self.settings))
        self._average()
        self.state = [tuple(part.detach()[:, : batch.carried] for part in layer) for layer in state]
        return float(loss.detach()), batch.characters

    def _starting_state(self, batch: Batch) -> TorchState:
        """The state that the last step left, with zeros for the streams that start afresh behind those."""
        streams = len(batch.fresh)
        if self.state is None or batch.fresh.all():
            return self.model.zero_state(streams)
        more = streams - self.state[0][0].shape[1]
        return [tuple(functional.pad(part, (0, 0, 0, more)) for part in layer) for layer in self.state]

    @torch.no_grad()
    def _average(self) -> None:
        """An exponential average of the weights, over a horizon that grows with the run (Polyak averaging)."""
        share = 1 / (1 + self.settings.averaging * self.step)
        ours = [p.detach() for p in self.averaged.parameters()]
        torch._foreach_lerp_(ours, [p.detach() for p in self.model.parameters()], share)

    def _report(self, meter: _Meter, val_bits: float | None, note: str = "") -> Progress:
        fraction, seconds = self.fraction, self.seconds
        left = seconds * (1 - fraction) / fraction if fraction else math.inf
        train_bits, speed = meter.read()
        progress = Progress(
            self.step,
            fraction,
            self.characters,
            seconds,
            left,
            speed,
            train_bits,
            val_bits,
            self.best_bits,
            self.rate_factor * rate(fraction, self.settings),
            note,
        )
        if val_bits is not None and math.isfinite(val_bits):
            entry: dict[str, float] = {"step": self.step, "seconds": round(seconds, 2), "val": round(val_bits, 4)}
            if math.isfinite(train_bits):  # not in a sitting in which nothing was learnt yet
                entry["train"] = round(train_bits, 4)
            self.curve.append(entry)
            if len(self.curve) > CURVE:
                self.curve = self.curve[::2] if len(self.curve) % 2 else self.curve[1::2]
        return progress

    # ------------------------------------------------------------------------------------ validation

    def score_validation(self, most: int | None = None) -> Score | None:
        """Score the averaged weights on the validation text, or on about so many characters of it.

        None: as many as a last validation may take.
        """
        ids = self._validating(self._final_characters() if most is None else most)
        return self._score(ids, rough=most is not None) if len(ids) else None

    def _validating(self, most: int) -> Ids:
        """The validation text's first so many characters; of lines, some from all over it: lists are often sorted."""
        ids = self.corpus.validation
        return lines_all_over(ids, self.corpus.line_end, most) if self.settings.lines else ids[:most]

    def _score(self, ids: Ids, *, rough: bool) -> Score:
        """Score the averaged weights on a text: by torch, which is there already, at up to four times numpy's speed."""
        scorer = Scorer(TorchLanguageModel(self.averaged), self.corpus.vocabulary, rough=rough)
        if not self.settings.lines:
            return scorer.score_ids(ids)
        lines = split_lines(ids, self.corpus.line_end)
        nats = sum(float(part.sum()) for part in scorer.records(lines))
        return Score(len(ids), nats, int((ids == UNKNOWN).sum()), 0)

    def _rough_characters(self) -> int:
        """For a validation on the way; scoring a character costs about a third of learning from it."""
        share = ROUGH_VALIDATION / self.settings.validations
        return min(len(self.corpus.validation), max(LEAST_SCORED, int(3 * share * self.expected)))

    def _final_characters(self) -> int:
        """For the last validation: all, unless that would take too large a share of the run."""
        return min(len(self.corpus.validation), max(100_000, int(3 * FINAL_VALIDATION * self.characters)))

    def _validate(self) -> float | None:
        """Bits per character on the validation text; the best weights so far are kept.

        None: there is no such text. Infinite: the weights are broken; what was good before is left as it was.
        """
        before = time.monotonic()
        score = self.score_validation(self._rough_characters())
        # The last validations, rough and final, calibration and the save must fit into a budget in minutes too.
        # Scoring many characters is at least one and a half times as fast as learning from them.
        if self.settings.budget.unit == "minutes":
            speed = max(self.characters / self.seconds, self.expected / (60 * self.settings.budget.amount))
            taken = time.monotonic() - before
            self.closing = (1 + CALIBRATION) * taken + self._final_characters() / (1.5 * speed) + 0.5
        if score is None:  # then any weights will do that know something of the text's beginning
            ids = self.corpus.training[:LEAST_SCORED]
            bits = self._score(ids, rough=True).bits_per_char - self._unknown_bits(ids)
            if not self.step and math.isfinite(bits):  # what it starts from may know nothing of this text yet
                self.worst_bits = max(self.worst_bits, bits + 2)
            if not bits <= self.worst_bits:
                return math.inf
            self.best, self.best_step, self.best_fraction = self.averaged.tensors(), self.step, self.fraction
            return None
        if not math.isfinite(score.nats):
            return math.inf
        if self.best_bits is None or score.bits_per_char < self.best_bits:
            self.best_bits, self.best_step, self.best_fraction = score.bits_per_char, self.step, self.fraction
            self.best, self.worse_in_a_row = self.averaged.tensors(), 0
        else:
            self.worse_in_a_row += 1
        return score.bits_per_char

    # ------------------------------------------------------------------------------------ divergence

    def _is_sane(self, loss: float) -> bool:
        """Whether the loss is finite and not far worse than at first, or than knowing nothing."""
        if not math.isfinite(loss):
            return False
        self.first_loss = loss if self.first_loss is None else self.first_loss
        return loss < 2 * max(self.first_loss, math.log(self.model_settings.vocab_size) + 1)

    def _go_back(self) -> str:
        """Return to the best weights so far with half the rate; say so."""
        self.rate_cuts += 1
        if self.rate_cuts > RATE_CUTS:
            raise DivergedError(
                f"the loss went to infinity {self.rate_cuts} times, at last with a learning rate of "
                f"{self.rate_factor * self.settings.learning_rate:g}; give a smaller --learning-rate"
            )
        self.rate_factor /= 2
        self._return_to_best()
        self.state = None
        self.step += 1  # the next batch: this one may be what did it
        return f"the loss went to infinity: back to the best weights so far, learning rate x {self.rate_factor:g}"

    def _return_to_best(self) -> None:
        """Take over the weights that validated best, or those of the beginning, and forget all gradients."""
        weights = self.best or self._first
        self.model.load(weights)
        self.averaged.load(weights)
        self.optimizer.forget()

    def _weights_and_moments(self) -> Tensors:
        """Copies of the weights, their average and the optimiser's moments."""
        tensors: Tensors = {}
        pairs = zip(self.model.named_parameters(), self.averaged.parameters(), strict=True)
        for (name, parameter), averaged in pairs:
            tensors[f"model.{name}"] = _copied(parameter)
            tensors[f"averaged.{name}"] = _copied(averaged)
        for name, t in self.optimizer.moments().items():
            tensors[f"optimizer.{name}"] = _copied(t)
        return tensors

    def _restore_weights(self, tensors: Tensors) -> None:
        with torch.no_grad():
            pairs = zip(self.model.named_parameters(), self.averaged.parameters(), strict=True)
            for (name, parameter), averaged in pairs:
                parameter.copy_(torch.from_numpy(tensors[f"model.{name}"]))
                averaged.copy_(torch.from_numpy(tensors[f"averaged.{name}"]))
        moments = _with_prefix(tensors, "optimizer.")
        self.optimizer.restore({name: torch.from_numpy(t) for name, t in moments.items()})

    # -------------------------------------------------------------------------- results, checkpoints

    def result(self) -> Tensors:
        """The best weights so far, by validation; without one, the averaged weights."""
        return self.best if self.best is not None else self.averaged.tensors()

    def calibrate(self) -> None:
        """Divide all scores by the temperature that fits the validation text best (Guo et al. 2017).

        A network that has read its text many times is too sure of itself. The division is done by the head's
        weights, and on the part of the validation text that is scored on the way.
        """
        if not len(self.corpus.validation):
            return
        weights, most = self.result(), self._rough_characters()

        def nats(temperature: float) -> float:
            self.averaged.load(_tempered(weights, temperature))
            score = self.score_validation(most)
            return score.nats if score else math.inf

        best, least = 1.0, nats(1.0)
        for factor in (TEMPERATURE_STEP, 1 / TEMPERATURE_STEP):
            while abs(math.log(best)) < CALIBRATION_RANGE and (found := nats(best * factor)) < least:
                best, least = best * factor, found
            if best != 1.0:
                break
        self.best = _tempered(weights, best)

    def use_result(self) -> None:
        """Put the best weights into `averaged`, where `score_validation` finds them."""
        self.averaged.load(self.result())
        self.averaged.to(self.device)

    def begin_new_budget(self) -> None:
        """After `restore` under another budget: validations, patience and what is expected count from here."""
        self.expected = 60 * self.settings.budget.amount * self.characters / self.seconds
        self.validated = int(self.fraction * self.settings.validations)
        self.best_fraction, self.worse_in_a_row = self.fraction, 0

    def checkpoint(self) -> tuple[Tensors, dict[str, Any]]:
        """All that is needed to go on: tensors, and the rest as JSON."""
        tensors = self._weights_and_moments()
        for name, tensor in (self.best or self._first).items():
            tensors[f"{'best' if self.best else 'first'}.{name}"] = tensor
        for layer, parts in enumerate(self.state or []):
            for number, part in enumerate(parts):
                tensors[f"state.{layer}.{number}"] = _copied(part)
        facts = {name: getattr(self, name) for name in (*_FACTS, "seconds", "expected")}
        return tensors, facts

    def restore(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        """Go on from what `checkpoint` gave."""
        self._restore_weights(tensors)
        for name in _FACTS:
            setattr(self, name, facts[name])
        self._earlier, self.expected = facts["seconds"], facts["expected"]
        self.best, self._first = _with_prefix(tensors, "best.") or None, _with_prefix(tensors, "first.")
        count = 2 if self.model_settings.cell == "lstm" else 1
        if "state.0.0" in tensors:
            self.state = [
                tuple(torch.from_numpy(tensors[f"state.{layer}.{part}"]).to(self.device) for part in range(count))
                for layer in range(self.model_settings.layers)
            ]


class _Meter:
    """Loss and speed since the last reading."""

    def __init__(self) -> None:
        self._last = (math.nan, 0.0)
        self._reset()

    def _reset(self) -> None:
        self._since, self._nats, self._characters = time.monotonic(), 0.0, 0

    def add(self, loss: float, characters: int) -> None:
        """Take in one step: mean loss in nats, number of characters."""
        self._nats += loss * characters
        self._characters += characters

    def seconds(self) -> float:
        """Since the last reading."""
        return time.monotonic() - self._since

    def read(self) -> tuple[float, float]:
        """Bits per character and characters a second since the last reading; with nothing new, that one again."""
        if self._characters:
            self._last = self._nats / LN2 / self._characters, self._characters / max(1e-9, self.seconds())
        self._reset()
        return self._last


def _tempered(tensors: Tensors, temperature: float) -> Tensors:
    """The network whose scores are these tensors' divided by a temperature."""
    return {name: tensor / temperature if name.startswith("head.") else tensor for name, tensor in tensors.items()}


def _copied(tensor: Tensor) -> NDArray[Any]:
    copy: NDArray[Any] = tensor.detach().cpu().numpy().copy()
    return copy


def _with_prefix(tensors: Tensors, prefix: str) -> Tensors:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def versions() -> dict[str, str]:
    """Software that took part, for the model's description."""
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}

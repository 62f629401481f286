"""Training under a budget: step after step, validating on the way; yields progress, never prints, never writes.

Knows batches, a learner and a clock; knows nothing about files or terminals. The caller iterates over `Trainer.run()`,
keeps what `Trainer.checkpoint()` gives to go on from, and at the end what `Trainer.finish()` gives.

All that is random in step k comes from the seed and k, and all that is decided in it from k or from the state that a
checkpoint holds. So a run that is cut into pieces ends with the same bytes as one that is not, on one device with
one number of shards (another number adds in another order), where the budget is in steps or epochs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from ..config import ModelSettings, TrainingSettings
from ..data.batching import batches
from ..data.corpus import Corpus
from ..data.mapping import frequencies
from ..errors import DivergedError, counted
from ..inference.scoring import LN2
from ..models.file import ModelFile
from ..models.interface import LanguageModel
from ..models.mixture import Mixture
from ..models.tensor_file import Tensors, with_prefix
from ..models.torch_lstm import TorchLanguageModel, TorchNetwork
from .finishing import Finisher
from .learner import Learner
from .mixing import count_for
from .planning import scoring_share
from .ranks import ALONE, Ranks
from .regularisation import Dropout
from .reports import Meter, Progress, Result, with_entry
from .sampled_softmax import SampledSoftmax
from .schedule import ALMOST_OVER, Schedule
from .thread_tuning import ThreadTuner
from .validation import CALIBRATION, Validator

RATE_CUTS = 3
"""How many times a diverged run goes back with half the learning rate before it gives up."""
EXACTLY = 1.5
"""What a character takes in the last validation, in terms of the others."""
MIXING = 4
"""Validations on the way that mixing with counts takes, about."""

_FACTS = ("step", "characters", "curve", "rate_factor", "rate_cuts", "validation_due")
"""What a checkpoint keeps of a trainer beside its tensors, by attribute."""


class Trainer:
    """One training run.

    Args:
        corpus: what to train and to validate on.
        model_settings, settings: everything decided, see `planning.plan`.
        device: where to compute.
        started: when the user began to wait, by the clock; a budget in minutes counts from there.
        expected: characters that the budget is expected to reach; decides how much is validated.
        pretrained: another model to begin with instead of random parameters, and to end with where nothing is better;
            its vocabulary is the beginning of this one's.
        clock: seconds, from any origin.
        ranks: the processes that train together; this one leads.
        threads: of this process.
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
        pretrained: ModelFile | None = None,
        clock: Callable[[], float] = time.monotonic,
        ranks: Ranks = ALONE,
        threads: int = 1,
    ) -> None:
        self.corpus, self.model_settings, self.settings, self.device = corpus, model_settings, settings, device
        self.clock, self._started, self._earlier = clock, started, 0.0
        self.batches = batches(corpus, settings, ranks.shard)
        self.schedule = Schedule.of(settings, self.batches.steps_per_epoch)
        self.counts = count_for(settings, corpus)
        joint = self.counts.leave_one_out if self.counts else None
        shares = frequencies(corpus.training, len(corpus.vocabulary))
        softmax = SampledSoftmax.of(settings, shares)
        known = pretrained.tensors if pretrained else None
        self.learner = Learner(model_settings, settings, device, known, joint, ranks, threads, softmax)
        if pretrained is None:
            self.learner.begin_with(shares)
        self.expected, self.pretrained = expected, pretrained
        self.validator = Validator(
            corpus, lines=settings.lines, expected=expected, interval=self.schedule.interval(),
            as_model=self.language_model, scoring_share=scoring_share(model_settings),
        )  # fmt: skip
        self.meter = Meter(clock)
        self.dropout = Dropout(settings.dropout, adapts=settings.dropout_adapts)
        self.step, self.characters, self.validation_due = 0, 0, 0.0
        self.rate_factor, self.rate_cuts = 1.0, 0
        self.curve: list[dict[str, float]] = []
        self._first = self.learner.averaged.tensors()
        self._validated: tuple[int, float | None] = (-1, None)
        self._reported = 0.0

    # ------------------------------------------------------------------------------------- the run

    def run(
        self, stop: Callable[[], bool] = lambda: False, every: float = 1.0, tune: bool = False
    ) -> Iterator[Progress]:
        """Train until the budget is used, validation says so, or `stop()` is true; yield progress.

        A report comes every `every` seconds and at every validation. The last one has fraction 1 unless `stop()` ended
        the run. With `tune` the threads inside of products may change on the way, if the budget is in minutes.

        Raises:
            DivergedError: the loss became infinite more than RATE_CUTS times, or nothing was learned.
        """
        self.validation_due = self.validation_due or self.schedule.next_validation(self.position)
        free = tune and self.learner.threads > 1 and self.schedule.timed and self.device.type == "cpu"
        tuner = ThreadTuner(self.learner.threads) if free else None
        if self.pretrained and not self.step and (at_start := self._validate()) not in (None, math.inf):
            yield self._report(at_start)
        while self.step == 0 or self.fraction < 1.0:
            batch = self.batches[self.step]
            with tuner.step(batch.characters) if tuner else contextlib.nullcontext():
                loss = self.learner.train_step(batch, self.step, self.learning_rate)
            if not self.validator.is_sane(loss):
                yield self._report(note=self._go_back())
                continue
            self.step += 1
            self.characters += batch.characters
            self.meter.add(loss, batch.characters)
            self.dropout.add(loss, batch.characters)
            if self.position >= self.validation_due and self.fraction < 1.0:
                report = self._validation_report()
                if self.fraction < 1.0 or report.note:  # else the last report tells of this validation
                    yield report
                if self._is_hopeless():
                    note = f"no better validation for a while: stopped early, {self._kept()} are kept"
                    yield self._last(self._report(note=note))
                    return
                if self._is_stuck():
                    yield self._report(note=self._end_soon())
            elif self.meter.seconds() > every:
                yield self._report()
            if stop() and self.fraction < 1.0:  # after its last step a run may as well end
                return
        yield self._last(self._final_report())

    # ---------------------------------------------------------------------------------- the budget

    @property
    def seconds(self) -> float:
        """Spent on this run so far, those before it was resumed included."""
        return self._earlier + self.clock() - self._started

    @property
    def position(self) -> float:
        """Where in the budget the run stands, see `schedule`."""
        return self.seconds if self.schedule.timed else self.step

    @property
    def fraction(self) -> float:
        """How much of the budget is used, 0 to 1."""
        return self.schedule.fraction(self.position)

    @property
    def level(self) -> float:
        """The learning rate of the schedule by now, as a fraction of the peak."""
        return self.schedule.level(self.position)

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return self.rate_factor * self.schedule.learning_rate(self.position)

    # ----------------------------------------------------------------------------------- validation

    def language_model(self, network: TorchNetwork) -> LanguageModel:
        """A network as it is trained: alone, or together with the counts."""
        return self.with_counts(TorchLanguageModel(network))

    def with_counts(self, network: LanguageModel) -> LanguageModel:
        """The network beside the counts that it is trained with, if there are any."""
        if self.learner.counts is None:
            return network
        return Mixture(network, self.learner.counts.ngrams, 1.0, self.settings.ngram_weight)

    def _validate(self) -> float | None:
        """Validate the averaged parameters; see `Validator.validate`."""
        if self._validated[0] != self.step:  # at the end, these parameters may just have been
            before = self.clock()
            self._validated = self.step, self.validator.validate(self.learner.averaged, self.step, self.position)
            if self.schedule.timed:
                self._reserve_time_to_close(self.clock() - before)
        return self._validated[1]

    def _reserve_time_to_close(self, taken: float) -> None:
        """The last validations, calibration and the save must fit into a budget in minutes too.

        Args:
            taken: seconds that the last validation took.
        """
        speed = max(self.characters / max(1e-9, self.seconds), self.expected / self.schedule.total)
        # Scoring many characters takes twice that share at most, and little more than a validation takes for each.
        each = min(2 * self.validator.scoring_share / speed, EXACTLY * taken / max(1, len(self.validator.sample)))
        final = self.validator.final_size(self.characters) * each * (2 if self.pretrained else 1)
        mixing = taken * MIXING + 0.3 * final if self.counts else 0.0
        self.schedule.reserve((1 + CALIBRATION) * taken + final + mixing + 0.5)

    def _validation_report(self) -> Progress:
        """Validate on the way; broken parameters are replaced by the best ones so far."""
        self.validation_due = self.schedule.next_validation(self.position)
        self.meter.read()  # so that the time of the validation does not count as the speed of training
        bits = self._validate()
        if bits == math.inf:
            return self._report(note=self._go_back())
        if bits is not None:
            self.learner.model.dropout = self.dropout.updated(bits * LN2)
        return self._report(bits)

    def _is_hopeless(self) -> bool:
        patience = self.schedule.patience(self.validator.lowest_position)
        return self.fraction < ALMOST_OVER and self.validator.is_hopeless(self.position, patience)

    def _is_stuck(self) -> bool:
        """Whether a long run has got no better for twice as long as patience: it has yet to gain by annealing only."""
        best, now = self.validator.lowest_position, self.position
        return now - best > 2 * self.schedule.patience(best) and self.schedule.can_end_sooner(now)

    def _end_soon(self) -> str:
        """Let the learning rate fall to zero from here on; say so."""
        self.schedule.end_soon(self.position)
        self.validation_due = self.schedule.next_validation(self.position)
        total = round(self.schedule.total / 60) if self.schedule.timed else round(self.schedule.total)
        end = counted(total, "minute" if self.schedule.timed else "step")
        return f"no better validation for a while: the learning rate falls to zero now, and the run ends after {end}"

    def _kept(self) -> str:
        """What the run ends with, in words."""
        return "the pretrained parameters" if self.validator.kept_step == 0 else "the best parameters"

    def _final_report(self) -> Progress:
        bits = self._validate()
        if bits == math.inf:
            self._return_to_best()
            bits = None
        if not self.validator.has_learned():
            raise DivergedError(
                f"nothing was learned with a learning rate of {self.settings.learning_rate:g}; give a smaller one"
            )
        note = ""
        if self.schedule.timed and self.step < 20:
            note = f"the budget was over after {counted(self.step, 'step')}; give more --minutes"
        elif self.validator.kept_step == 0:
            note = f"no validation was better than at the start: {self._kept()} are kept"
        return self._report(bits, note)

    # ------------------------------------------------------------------------------------ reports

    def _report(self, val_bits: float | None = None, note: str = "") -> Progress:
        seconds = self.seconds
        fraction = self._reported = max(self._reported, self.fraction)  # what the end takes is estimated anew each time
        train_bits, speed = self.meter.read()
        report = Progress(
            step=self.step,
            fraction=fraction,
            characters=self.characters,
            seconds=seconds,
            left=seconds * (1 - fraction) / fraction if fraction else math.inf,
            speed=speed,
            train_bits=train_bits,
            val_bits=val_bits,
            best_bits=self.validator.kept_bits,
            learning_rate=self.learning_rate,
            note=note,
        )
        self.curve = with_entry(self.curve, report)
        return report

    @staticmethod
    def _last(report: Progress) -> Progress:
        """Whatever the clock says: validating may have shown that less time must be left for what comes after."""
        return dataclasses.replace(report, fraction=1.0, left=0.0)

    # ------------------------------------------------------------------------------------ divergence

    def _go_back(self) -> str:
        """Return to the best parameters so far with half the learning rate; say so."""
        self.rate_cuts += 1
        if self.rate_cuts > RATE_CUTS:
            raise DivergedError(
                f"the loss went to infinity {self.rate_cuts} times, at last with a learning rate of "
                f"{self.rate_factor * self.settings.learning_rate:g}; give a smaller --learning-rate"
            )
        self.rate_factor /= 2
        self._return_to_best()
        self.step += 1  # the next batch: this one may be what did it
        return f"the loss went to infinity: back to the best parameters so far, learning rate x {self.rate_factor:g}"

    def _return_to_best(self) -> None:
        """Take over the parameters that are kept, or those of the beginning."""
        self.learner.start_again_from(self.validator.kept or self._first)

    # -------------------------------------------------------------------------- results, checkpoints

    def snapshot(self, *, diverged: bool = False) -> Result:
        """What the run would give if it ended here, with the figure of its validations on the way."""
        kept = self.validator.kept
        counts = self.counts if self.learner.counts is not None else None
        return Result(
            tensors=self.learner.averaged.tensors() if kept is None else kept,
            finished=False,
            steps=self.step,
            characters=self.characters,
            seconds=self.seconds,
            val_bits_per_char=self.validator.kept_bits,
            val_characters=None,
            curve=self.curve,
            mixture=counts.settings(1.0, self.settings.ngram_weight) if counts else None,
            counts=counts.tensors if counts else {},
            held_out=self.corpus.held_out,
            diverged=diverged,
        )

    def interrupted(self) -> Result:
        """As `snapshot`, mixed with the counts and measured so; the run can go on."""
        network = TorchNetwork(self.model_settings).to(self.device)
        return Finisher(network, self.validator, self.counts).interrupted(self.snapshot())

    def finish(self) -> Result:
        """Calibrate the checkpoint that is kept, mix it with the counts, measure it, and hand it over.

        Nothing is trained after this.
        """
        finisher = Finisher(self.learner.averaged, self.validator, self.counts, self.pretrained)
        result = finisher.finished(self.snapshot())
        return dataclasses.replace(result, seconds=self.seconds)

    def checkpoint(self) -> tuple[Tensors, dict[str, Any]]:
        """All that is needed to go on: tensors, and the rest as JSON."""
        tensors = self.learner.checkpoint()
        kept, validation = self.validator.checkpoint()
        tensors |= {f"validation.{name}": tensor for name, tensor in kept.items()}
        if self.validator.kept is None:
            tensors |= {f"first.{name}": tensor for name, tensor in self._first.items()}
        facts = {name: getattr(self, name) for name in (*_FACTS, "seconds", "expected")}
        schedule = self.schedule
        facts["schedule"] = [schedule.total, schedule.closing, schedule.decay_start, schedule.decay_level]
        facts["level"], facts["dropout"] = self.level, self.dropout.checkpoint()
        return tensors, {**facts, "validation": validation}

    def restore(self, tensors: Tensors, facts: dict[str, Any], *, new_budget: bool = False) -> None:
        """Go on from what `checkpoint` gave.

        Args:
            tensors, facts: that.
            new_budget: whether this trainer's budget is another one than the checkpoint's. Then the learning rate falls
                to zero over what is left of it, and patience begins anew.
        """
        self.learner.restore(tensors)
        for name in _FACTS:
            setattr(self, name, facts[name])
        self._earlier, self.expected = facts["seconds"], facts["expected"]
        self.learner.model.dropout = self.dropout.restored(facts["dropout"])
        self._first = with_prefix(tensors, "first.")
        self.validator.restore(with_prefix(tensors, "validation."), facts["validation"])
        if new_budget:
            self._begin_new_budget(facts["level"])
        else:
            schedule = self.schedule
            schedule.total, schedule.closing, schedule.decay_start, schedule.decay_level = facts["schedule"]

    def _begin_new_budget(self, level: float) -> None:
        """Let the learning rate fall from where it is, a fraction of the peak, to zero at the end of the new budget."""
        position = self.position
        self.expected = self.schedule.total * self.characters / self.seconds
        self.schedule.decay_from(position, level)
        self.validation_due = self.schedule.next_validation(position)
        self.validator.begin_anew(position)

"""Training runs: from texts and a request to a model on the disk, by way of saves, stops and resumptions.

Joins data, models, inference and the other modules of this folder. torch is imported only where it is needed.
"""

from __future__ import annotations

import dataclasses
import math
import os
import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ..config import Budget, SampleSettings, TrainingRequest
from ..data.cache import folder_to_keep
from ..data.corpus import Corpus, Reading, read_corpus
from ..data.files import version_of
from ..data.raw import readable
from ..data.streams import STANDARD_INPUT
from ..errors import DivergedError, OutputError, ProcessGroupError, UsageError
from ..inference.sampling import read_prompts, stream_one
from ..models.file import ModelFile
from ..models.numpy_lstm import NumpyNetwork
from .checkpoint import Checkpoint, SaveClock, broken_state_named
from .following import Task, hand_over
from .outputs import check_writable, locked, resume_path, save_or_rescue
from .planning import Plan, Speed, Text, is_too_large, plan
from .pretrained import beginning_with, facts_about, notes_on_pretrained
from .ranks import ALONE, Ranks
from .schedule import ALMOST_OVER
from .sources import (
    Paths,
    absolute,
    as_paths,
    encoding_of,
    localized,
    portable,
    read_again,
    readings_to_try,
    reads_a_pipe,
    refuse_contradictions,
    refuse_to_overwrite,
)

if TYPE_CHECKING:
    from .reports import Progress, Result
    from .trainer import Trainer


@dataclasses.dataclass
class Run:
    """A training run that is about to begin or to go on; iterate over `run()`."""

    trainer: Trainer
    plan: Plan
    request: TrainingRequest
    corpus: Corpus
    output: Path
    reading: Reading
    """How to read the corpus again."""
    threads: int
    """Of torch, while the run trains."""
    started_from: dict[str, Any] | None = None
    """The name of the model that it began with, and what that was trained on."""
    force: bool = True
    """Whether an existing model may be replaced when the run begins to write."""
    went_on_from: tuple[int, ...] | None = None
    """Which file of a stopped run's state it goes on from, see `version_of`."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, from any origin: when to save."""
    ranks: Ranks = ALONE
    """The processes that train together; this one leads."""
    finished: bool = False
    result: dict[str, Any] = dataclasses.field(default_factory=dict)

    def run(self, stop: Callable[[], bool] = lambda: False, sample_every: float = math.inf) -> Iterator[Progress]:
        """Train, saving the model and the run's state as it goes and when it ends.

        A save on the way that fails is reported and tried again later: the disk may have room again.

        Args:
            stop: asked after each step whether to end.
            sample_every: minutes after which a report shows what the network writes by then, again and again.

        Raises:
            DivergedError: the best model so far is saved, if there is one that has learned something.
            OutputError: the last save failed, and the last good file is intact; or another process writes there.
            ProcessGroupError: another process failed or ended; what was saved last is intact.
        """
        with locked(self.output):
            check_writable(self.output, force=self.force)  # another run may have ended meanwhile
            if self.went_on_from not in (None, version_of(resume_path(self.output))):
                raise OutputError(f"{self.output}: another process has gone on with this run meanwhile")
            hand_over(self.task(), self.trainer.learner, self.ranks)
            if self.went_on_from is None:
                resume_path(self.output).unlink(missing_ok=True)  # another run's: it does not belong to this model
            with self.trainer.learner.at_work():
                yield from self._with_samples(self._run(stop), sample_every)

    def task(self) -> Task:
        """What other processes must know of the run to take part in it."""
        counts, device = self.trainer.counts, self.trainer.device.type
        training = counts.chosen(self.plan.training) if counts else self.plan.training
        return Task(self.reading, self.corpus.sources, self.plan.model, training, device, self.threads)

    def _with_samples(self, reports: Iterable[Progress], every: float) -> Iterator[Progress]:
        due = self.trainer.seconds + 60 * every
        for progress in reports:
            if self.trainer.seconds >= due:
                due = self.trainer.seconds + 60 * every
                progress = dataclasses.replace(progress, sample=self.sample())
            yield progress

    def sample(self, length: int = 200) -> str:
        """What the averaged parameters write by now."""
        model = self.trainer.with_counts(NumpyNetwork(self.plan.model, self.trainer.learner.averaged.tensors()))
        start = read_prompts(model, self.corpus.vocabulary, [""])
        stop = ("\n",) if self.plan.training.lines else ()
        settings = SampleSettings(length=length, seed=self.trainer.step, stop=stop)
        written = "".join(stream_one(model, self.corpus.vocabulary, start, settings))
        return readable(written) if self.corpus.vocabulary.as_bytes else written

    def _run(self, stop: Callable[[], bool]) -> Iterator[Progress]:
        progress: Progress | None = None
        try:
            for progress in self._saved_on_the_way(self.trainer.run(stop, tune=self.request.threads is None)):
                yield progress
        except DivergedError as error:
            self._keep_what_is_left(error)
        except ProcessGroupError as error:
            self._point_to_the_last_save(error)
        self.finished = progress is not None and progress.fraction >= 1.0
        if self.finished:
            self.ranks.dismiss()
            result = self.trainer.finish()
            save_or_rescue(self, lambda: self._save_model(result))
            resume_path(self.output).unlink(missing_ok=True)
        else:
            result = self.trainer.interrupted()
            save_or_rescue(self, lambda: self.save(result))

    def _saved_on_the_way(self, reports: Iterable[Progress]) -> Iterator[Progress]:
        """The reports, with the run saved between them when it is due."""
        clock = SaveClock(self.trainer.fraction, self.clock)
        for progress in reports:
            yield progress
            if progress.fraction < 1.0 and clock.due(progress.fraction):
                try:
                    clock.time(self.save, progress.fraction)
                except (OutputError, OSError) as error:
                    yield dataclasses.replace(progress, val_bits=None, note=f"not saved: {error}")

    def _keep_what_is_left(self, error: DivergedError) -> NoReturn:
        """Save the best model so far, if it has learned something; the run's state would only end here again."""
        resume_path(self.output).unlink(missing_ok=True)
        if not self.trainer.validator.has_learned():
            raise DivergedError(f"{error}; nothing was learned that is worth keeping") from error
        result = self.trainer.snapshot(diverged=True)
        save_or_rescue(self, lambda: self._save_model(result))
        raise DivergedError(f"{error}; the best model so far is in {self.output}") from error

    def _point_to_the_last_save(self, error: ProcessGroupError) -> NoReturn:
        if not resume_path(self.output).exists():
            raise ProcessGroupError(f"{error}; nothing was saved yet") from error
        way = f"charlstm train --resume -o {shlex.quote(os.fspath(self.output))}"
        raise ProcessGroupError(f"{error}; go on from the last save, with any number of processes: {way}") from error

    def files(self) -> list[str | os.PathLike[str]]:
        """What the run reads and writes: files and folders."""
        reading = localized(self.reading)
        texts = (*reading.paths, *reading.validation)
        return [
            *("/dev/stdin" if path == STANDARD_INPUT else path for path in texts),
            self.output,
            resume_path(self.output),
        ]

    def ways_on(self) -> list[str]:
        """What to do with a run that was stopped: command lines, each with what it does."""
        command = f"charlstm train --resume -o {shlex.quote(os.fspath(self.output))}"
        used, fraction = max(self.trainer.seconds / 60, 1e-9), max(self.trainer.fraction, 1e-9)
        minutes = math.ceil(1.25 * used + 1)
        ways = [f"stopped and saved; go on with: {command}"]
        if fraction >= ALMOST_OVER or minutes >= used / fraction:  # which is the whole budget
            return ways
        by_then = self.trainer.characters * minutes / used
        if not self.started_from and is_too_large(self.plan.model, by_then):  # a pretrained one knows something
            sooner = "the network is too large to learn in minutes; for a better model sooner start anew: --force"
        else:
            sooner = "the learning rate has yet to fall to zero, which improves a model most; to end so after "
            sooner += f"{minutes} minutes in all: {command}"
        return [*ways, f"{sooner} --minutes {minutes}"]

    def save(self, result: Result | None = None) -> None:
        """Save the best model so far, or that result, and all that is needed to go on."""
        self._save_model(result or self.trainer.snapshot())
        tensors, facts = self.trainer.checkpoint()
        Checkpoint(
            tensors=tensors,
            trainer=facts,
            request=self.request,
            model=self.plan.model,
            training=self.plan.training,
            corpus=self.corpus.checksum(),
            trained_on=self.corpus.sources,
            reading=self.reading,
            started_from=self.started_from,
            output=os.fspath(self.output),
            folder=os.path.dirname(os.path.abspath(self.output)),
            device=self.trainer.device.type,
            threads=self.threads,
        ).save()

    def _save_model(self, result: Result) -> None:
        """Write the model file."""
        from .hardware import software_versions

        ModelFile(
            settings=self.plan.model,
            vocabulary=self.corpus.vocabulary,
            tensors=result.tensors,
            mixture=result.mixture,
            counts=result.counts,
            normalize=self.reading.normalize,
            lines=self.plan.training.lines,
            trained_on=self.corpus.sources,
            training={
                **dataclasses.asdict(self.plan.training),
                "started_from": self.started_from,
                "device": self.trainer.device.type,
                "threads": self.threads,
                "software": software_versions(),
            },
            result=result.description(),
        ).save(self.output)
        self.result = result.description()


_OF_THE_CORPUS = ("val_fraction", "val_split", "seed", "lines", "min_count", "normalize")
"""Settings of a request that decide how its corpus is read."""


def prepare(
    paths: Paths = (),
    *,
    output: str | os.PathLike[str],
    texts: Iterable[str] = (),
    request: TrainingRequest | None = None,
    validation: Paths = (),
    force: bool = False,
    encoding: str = "utf-8",
    errors: str = "strict",
    cache: str | os.PathLike[str] | None = None,
    started: float | None = None,
    init_from: str | os.PathLike[str] | None = None,
    clock: Callable[[], float] = time.monotonic,
    ranks: Ranks = ALONE,
) -> Run:
    """Read the texts, decide what was left open, and make ready to train.

    Args:
        paths, texts, validation, encoding, errors, cache, request: see `Reading` and `TrainingRequest`.
        output, force: where the model goes, and whether it may replace what is there.
        started, clock: see Trainer; the time that standard input takes to arrive is not counted.
        init_from: a pretrained model; its shape is kept, and its vocabulary grows by what is new.
        ranks: the processes that train together, of which this one leads and the others `follow`.

    Raises:
        TextError, OutputError, UsageError, ModelFileError: see there.
    """
    started = clock() if started is None else started
    origin, request = beginning_with(init_from, request or TrainingRequest())
    named, validating, decoding = as_paths(paths), as_paths(validation), encoding_of(request, encoding, errors)
    refuse_contradictions(named, validating, request)
    check_writable(output, force=force)
    refuse_to_overwrite([Path(output), resume_path(output)], [*named, *validating], decoding)
    reading = Reading(
        absolute(named), list(texts), absolute(validating), encoding=decoding, errors=errors,
        known=list(origin.vocabulary.characters) if origin else None, cache=folder_to_keep(cache),
        **{name: getattr(request, name) for name in _OF_THE_CORPUS},
    )  # fmt: skip
    kept, waiting = portable(reading), clock()  # while its pipes are there
    corpus = read_corpus(reading)
    started += clock() - waiting if kept.piped else 0.0
    run = _planned(request, corpus, Path(output), kept, started, clock, origin, ranks)
    run.force, run.started_from = force, facts_about(init_from, origin)
    return run


def _planned(
    request: TrainingRequest,
    corpus: Corpus,
    output: Path,
    reading: Reading,
    started: float,
    clock: Callable[[], float],
    origin: ModelFile | None,
    ranks: Ranks,
) -> Run:
    """A run with everything decided, for this machine where the budget is in minutes."""
    from .hardware import measured_precision, pick_device, sharing_threads, threads_for, torch_threads
    from .trainer import Trainer

    device = ranks.own_device(pick_device(request.device))
    precision: Any = "float32" if request.precision == "auto" else request.precision
    speed = Speed(1e11)  # steps and epochs must give the same run on a fast machine and on a slow one
    with torch_threads(threads_for(request)) as threads:
        if request.budget().unit == "minutes":
            precision, speed = measured_precision(device, request.precision, threads, request.cell or "lstm")
        used = clock() - started
        chosen = plan(
            request, Text.of(corpus), speed, precision, pretrained=origin is not None, used=used, ranks=ranks.size,
            threads=sharing_threads(request, device, threads),
        )  # fmt: skip
        trainer = Trainer(
            corpus, chosen.model, chosen.training,
            device=device, started=started, expected=chosen.expected, clock=clock,
            pretrained=origin, ranks=ranks, threads=threads,
        )  # fmt: skip
    corpus.notes.extend([*(notes_on_pretrained(origin, request) if origin else []), *chosen.warnings])
    return Run(trainer, chosen, request, corpus, output, reading, threads, clock=clock, ranks=ranks)


def resume(
    output: str | os.PathLike[str],
    *,
    paths: Paths = (),
    validation: Paths = (),
    cache: str | os.PathLike[str] | None = None,
    minutes: float | None = None,
    started: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    ranks: Ranks = ALONE,
) -> Run:
    """Make ready to go on with a run that stopped, exactly where it stopped.

    With the same device and number of threads it ends with the same bytes as if it had not stopped.

    Args:
        output: the model that the run writes.
        paths: the texts of the run, where they are neither where they were nor beside the model; their contents must
            be the same.
        validation: likewise, of those that only validate.
        cache: a folder for the ids of a large text, in place of the one that the run had.
        minutes: a new budget for the whole run, over what is left of which the learning rate falls to zero.
        started, clock, ranks: see `prepare`; the number of ranks may be another one than it was.

    Raises:
        ModelFileError: there is nothing to go on with, or it is broken.
        TextError: a text is gone or has changed since.
        UsageError: the new budget is used up already, or is none; or a device is not there.
    """
    started = clock() if started is None else started
    budget = None if minutes is None else Budget("minutes", minutes)
    before, saved, cache = version_of(resume_path(output)), Checkpoint.load(output), folder_to_keep(cache)
    with broken_state_named(resume_path(output)):
        read, used = localized(saved.reading, cache), saved.trainer["seconds"] / 60
    if budget and budget.amount <= used:
        raise UsageError(f"--minutes is for the whole run, and {used:.2g} are used already; give more than that")
    readings = readings_to_try(read, paths, validation, saved.folder, Path(output))
    waiting = clock()
    corpus, reading = read_again(readings, saved.trained_on, saved.corpus, output)
    started += clock() - waiting if reads_a_pipe(reading) else 0.0
    run = _resumed(saved, corpus, budget, started, clock, ranks)
    run.output, run.reading, run.went_on_from = Path(output), portable(reading), before
    return run


def _resumed(
    saved: Checkpoint,
    corpus: Corpus,
    budget: Budget | None,
    started: float,
    clock: Callable[[], float],
    ranks: Ranks,
) -> Run:
    from .hardware import device_again, threads_again
    from .trainer import Trainer

    device, other_device = device_again(saved.request.device, saved.device)
    threads, fewer_threads = threads_again(saved.request, saved.threads)
    corpus.notes.extend([*other_device, *fewer_threads])
    training = dataclasses.replace(saved.training, budget=budget or saved.training.budget)
    with broken_state_named(resume_path(saved.output)):
        expected = float(saved.trainer["expected"])
        trainer = Trainer(
            corpus, saved.model, training, device=ranks.own_device(device),
            started=started, expected=expected, clock=clock, ranks=ranks, threads=threads,
        )  # fmt: skip
        trainer.restore(saved.tensors, saved.trainer, new_budget=budget is not None)
    reason = f"going on at step {trainer.step} ({trainer.fraction:.0%} of the budget is used)"
    return Run(
        trainer, Plan(saved.model, training, expected, (reason,)), saved.request, corpus, Path(saved.output),
        saved.reading, threads, saved.started_from, clock=clock, ranks=ranks,
    )  # fmt: skip

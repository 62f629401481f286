"""Training runs: from texts and a request to a model on the disk, by way of saves, stops and resumptions.

Joins the rooms below. torch is imported only where it is needed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ..config import Budget, ModelSettings, SampleSettings, TrainingRequest
from ..data.corpus import Corpus, Reading, read_corpus
from ..data.reading import STANDARD_INPUT, find_files
from ..data.vocabulary import UNKNOWN
from ..errors import DivergedError, OutputError, TextError, UsageError
from ..inference.sampling import read_prompts, stream_one
from ..models import file as modelfile
from ..models.file import ModelFile
from ..models.numpy_lstm import NumpyNetwork
from .checkpoint import Checkpoint, broken_state_named, check_writable, locked, mark, resume_path
from .planning import Plan, Text, plan

if TYPE_CHECKING:
    import torch

    from .reports import Progress, Result
    from .trainer import Trainer

Paths = Sequence[str | os.PathLike[str]]


class SaveClock:
    """Says when to save: every minute, and every 2 % of the budget where saving takes a hundredth of the time."""

    def __init__(self, fraction: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._fraction, self._saved, self._cost = fraction, clock(), 0.0

    def due(self, fraction: float) -> bool:
        """Whether to save at that fraction of the budget."""
        seconds = self._clock() - self._saved
        return seconds >= 60 or (fraction - self._fraction >= 0.02 and seconds >= max(1.0, 100 * self._cost))

    def time(self, save: Callable[[], None], fraction: float) -> None:
        """Save, and remember when that was and how long it took."""
        before = self._clock()
        try:
            save()
        finally:
            self._fraction, self._saved = fraction, self._clock()
            self._cost = self._saved - before


@dataclass
class Run:
    """A training run that is about to begin or to go on; iterate over `run()`."""

    trainer: Trainer
    plan: Plan
    request: TrainingRequest
    corpus: Corpus
    output: Path
    reading: Reading
    """How the corpus was read: what a resumed run needs to read it again."""
    started_from: dict[str, Any] | None = None
    """The name of the model that it began with, and what that was trained on."""
    force: bool = True
    """Whether an existing model may be replaced when the run begins to write."""
    went_on_from: tuple[int, ...] | None = None
    """Which file of a stopped run's state it goes on from, see `mark`."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, from any origin: when to save."""
    finished: bool = False
    result: dict[str, Any] = field(default_factory=dict)

    def run(self, stop: Callable[[], bool] = lambda: False, sample_every: float = math.inf) -> Iterator[Progress]:
        """Train, saving the model and the run's state as it goes and when it ends.

        A save on the way that fails is reported and tried again later: the disk may have room again.

        Args:
            stop: asked after each step whether to end.
            sample_every: minutes after which a report shows what the network writes by then, again and again.

        Raises:
            DivergedError: the best model so far is saved, if there is one that has learnt something.
            OutputError: the last save failed, and the last good file is intact; or another process writes there.
        """
        with locked(self.output):
            check_writable(self.output, force=self.force)  # another run may have ended meanwhile
            if self.went_on_from not in (None, mark(resume_path(self.output))):
                raise OutputError(f"{self.output}: another process has gone on with this run meanwhile")
            if self.went_on_from is None:
                resume_path(self.output).unlink(missing_ok=True)  # another run's: it does not belong to this model
            yield from self._with_samples(self._run(stop), sample_every)

    def _with_samples(self, reports: Iterable[Progress], every: float) -> Iterator[Progress]:
        due = self.trainer.seconds + 60 * every
        for progress in reports:
            if self.trainer.seconds >= due:
                due = self.trainer.seconds + 60 * every
                progress = dataclasses.replace(progress, sample=self.sample())
            yield progress

    def sample(self, length: int = 200) -> str:
        """What the averaged parameters write by now."""
        engine = NumpyNetwork(self.plan.model, self.trainer.learner.averaged.tensors())
        start = read_prompts(engine, self.corpus.vocabulary, [""])
        stop = ("\n",) if self.plan.training.lines else ()
        settings = SampleSettings(length=length, seed=self.trainer.step, stop=stop)
        return "".join(stream_one(engine, self.corpus.vocabulary, start, settings))

    def _run(self, stop: Callable[[], bool]) -> Iterator[Progress]:
        progress: Progress | None = None
        try:
            for progress in self._saved_on_the_way(self.trainer.run(stop)):
                yield progress
        except DivergedError as error:
            self._keep_what_is_left(error)
        self.finished = progress is not None and progress.fraction >= 1.0
        if self.finished:
            self._save_model(self.trainer.finish())
            resume_path(self.output).unlink(missing_ok=True)
        else:
            self.save(self.trainer.interrupted())

    def _saved_on_the_way(self, reports: Iterable[Progress]) -> Iterator[Progress]:
        """The reports, with the run saved between them when it is due."""
        clock = SaveClock(self.trainer.fraction, self.clock)
        for progress in reports:
            yield progress
            if progress.fraction < 1.0 and clock.due(progress.fraction):
                try:
                    clock.time(self.save, progress.fraction)
                except OutputError as error:
                    yield dataclasses.replace(progress, val_bits=None, note=f"not saved: {error}")

    def _keep_what_is_left(self, error: DivergedError) -> NoReturn:
        """Save the best model so far, if it has learnt something; the run's state would only end here again."""
        resume_path(self.output).unlink(missing_ok=True)
        if not self.trainer.validator.has_learnt():
            raise DivergedError(f"{error}; nothing was learnt that is worth keeping") from error
        self._save_model(self.trainer.snapshot(diverged=True))
        raise DivergedError(f"{error}; the best model so far is in {self.output}") from error

    def files(self) -> list[str | os.PathLike[str]]:
        """What the run reads and writes: files and folders."""
        texts = (*self.reading.paths, *self.reading.validation)
        return [
            *("/dev/stdin" if path == STANDARD_INPUT else path for path in texts),
            self.output,
            resume_path(self.output),
        ]

    def save(self, result: Result | None = None) -> None:
        """Save the best model so far, or that result, and all that is needed to go on."""
        self._save_model(result or self.trainer.snapshot())
        tensors, facts = self.trainer.checkpoint()
        Checkpoint(
            tensors,
            facts,
            self.request,
            self.plan.model,
            self.plan.training,
            list(self.corpus.vocabulary.characters),
            self.corpus.sources,
            self.reading,
            self.started_from,
        ).save(self.output)

    def _save_model(self, result: Result) -> None:
        """Write the model file."""
        from .hardware import software_versions

        ModelFile(
            settings=self.plan.model,
            vocabulary=self.corpus.vocabulary,
            tensors=result.tensors,
            mixture=result.mixture,
            counts=result.counts,
            lines=self.plan.training.lines,
            trained_on=self.corpus.sources,
            training={
                **dataclasses.asdict(self.plan.training),
                "started_from": self.started_from,
                "software": software_versions(),
            },
            result=result.description(),
        ).save(self.output)
        self.result = result.description()


def prepare(
    paths: Paths = (),
    *,
    output: str | os.PathLike[str],
    texts: Iterable[str] = (),
    request: TrainingRequest | None = None,
    validation: Paths | str | os.PathLike[str] = (),
    force: bool = False,
    encoding: str = "utf-8",
    errors: str = "strict",
    started: float | None = None,
    init_from: str | os.PathLike[str] | None = None,
) -> Run:
    """Read the texts, decide what was left open, and make ready to train.

    Args:
        paths, texts, validation, encoding, errors: see `Reading`.
        output: where the model goes.
        request: what is decided already.
        force: replace an existing output.
        started: see Trainer; the time that standard input takes to arrive is not counted.
        init_from: a model to start from; its shape is kept, and its alphabet grows by what is new.

    Raises:
        TextError, OutputError, UsageError, ModelFileError: see there.
    """
    started = time.monotonic() if started is None else started
    request = request or TrainingRequest()
    paths, validation = _as_paths(paths), _as_paths(validation)
    if STANDARD_INPUT in paths and STANDARD_INPUT in validation:
        raise UsageError("standard input can be read once only: give - once")
    origin = None if init_from is None else modelfile.load(init_from)
    if origin:
        request = _in_the_shape_of(origin.settings, request)
    check_writable(output, force=force)
    if validation and request.val_fraction != TrainingRequest.val_fraction:
        raise UsageError("--val and --val-fraction contradict each other: give one of them")
    _refuse_to_overwrite_texts(output, [*paths, *validation], encoding)
    reading = Reading(
        paths=_absolute(paths),
        texts=list(texts),
        validation=_absolute(validation),
        val_fraction=request.val_fraction,
        val_split=request.val_split,
        seed=request.seed,
        lines=request.lines,
        min_count=request.min_count,
        known=list(origin.vocabulary.characters) if origin else None,
        encoding=encoding,
        errors=errors,
    )
    corpus, waited = _read(reading)
    started += waited
    if origin:
        corpus.notes.extend(_another_kind(origin, request))
    device = _torch_device(request)
    chosen = _planned(request, corpus, device, started, pretrained=origin is not None)
    from .trainer import Trainer

    trainer = Trainer(
        corpus,
        chosen.model,
        chosen.training,
        device=device,
        started=started,
        expected=chosen.expected,
        pretrained=origin.tensors if origin else None,
    )
    started_from = {"name": os.path.basename(init_from or ""), "trained_on": origin.trained_on} if origin else None
    return Run(trainer, chosen, request, corpus, Path(output), reading, started_from, force)


def _torch_device(request: TrainingRequest) -> torch.device:
    """The device that was asked for, with torch's threads as asked for."""
    from .hardware import pick_device, set_threads

    set_threads(request.threads)
    return pick_device(request.device)


def _planned(
    request: TrainingRequest, corpus: Corpus, device: torch.device, started: float, *, pretrained: bool
) -> Plan:
    """Everything decided about a run, for this machine where the budget is in minutes."""
    from .hardware import measured_precision

    precision: Any = "float32" if request.precision == "auto" else request.precision
    speed = 1e11  # steps and epochs must give the same run on a fast machine and on a slow one
    if request.budget().unit == "minutes":
        precision, speed = measured_precision(device, request.precision)
    used = time.monotonic() - started
    return plan(request, _facts(corpus), speed, precision, pretrained=pretrained, used=used)


def _another_kind(origin: ModelFile, request: TrainingRequest) -> list[str]:
    """A warning where a run goes on with a model of lines as with running text, or the other way round."""
    if origin.lines == request.lines:
        return []
    kinds = ("running text", "lines")
    return [
        f"warning: the model to start from has learnt {kinds[origin.lines]}, and this run learns "
        f"{kinds[request.lines]}: {'give' if origin.lines else 'leave out'} --lines to go on in the same way"
    ]


def _read(reading: Reading) -> tuple[Corpus, float]:
    """Read a corpus as it was described; give it, and the seconds that standard input took."""
    before = time.monotonic()
    corpus = read_corpus(reading)
    return corpus, time.monotonic() - before if reading.piped else 0.0


def _in_the_shape_of(model: ModelSettings, request: TrainingRequest) -> TrainingRequest:
    """A request for a network of that shape.

    Raises:
        UsageError: another shape was asked for.
    """
    shape = {name: getattr(model, name) for name in ("layers", "hidden", "embedding", "cell")}
    for name, value in shape.items():
        if getattr(request, name) not in (None, value):
            raise UsageError(
                f"--{name} {getattr(request, name)} contradicts --init-from: that model has {value}; leave it out"
            )
    return dataclasses.replace(request, **shape)


def _refuse_to_overwrite_texts(output: str | os.PathLike[str], paths: Paths, encoding: str) -> None:
    """Not even --force may replace a text that is being learnt from."""
    ours = [path for path in (Path(output), resume_path(output)) if path.exists()]
    for text in find_files(paths, encoding)[0] if ours else []:
        for path in ours:
            with contextlib.suppress(OSError):
                if os.path.samestat(path.stat(), os.fstat(0) if text == STANDARD_INPUT else os.stat(text)):
                    raise OutputError(f"{path}: this is one of the texts; give another --output")


def _as_paths(paths: Paths | str | os.PathLike[str]) -> list[str]:
    """Paths as texts; one that stands alone is a list of one, and not of its characters.

    Raises:
        UsageError: there is something else among them.
    """
    try:
        return [os.fspath(paths)] if isinstance(paths, (str, os.PathLike)) else [os.fspath(path) for path in paths]
    except TypeError as error:
        raise UsageError(f"expected paths of files or folders, and found {paths!r:.60}") from error


def _absolute(paths: Paths) -> list[str]:
    """Paths that hold from any folder; "-" stays."""
    return [STANDARD_INPUT if path == STANDARD_INPUT else os.path.abspath(path) for path in paths]


def resume(output: str | os.PathLike[str], *, minutes: float | None = None, started: float | None = None) -> Run:
    """Make ready to go on with a run that stopped, exactly where it stopped.

    Args:
        output: the model that the run writes.
        minutes: a new budget for the whole run, the part already used included; the rate anneals anew.
        started: see Trainer.

    Raises:
        ModelFileError: there is nothing to go on with, or it is broken.
        TextError: a text is gone or has changed since.
        UsageError: the new budget is used up already, or is none; or a device is not there.
    """
    started = time.monotonic() if started is None else started
    budget = None if minutes is None else Budget("minutes", minutes)
    path = resume_path(output)
    before = mark(path)
    saved = Checkpoint.load(output)
    with broken_state_named(path, ours=True):
        facts, reading, training = saved.trainer, saved.reading, saved.training
        if reading.piped and sys.stdin and sys.stdin.isatty():
            raise UsageError("the run read its text from standard input: pipe the same text in again")
        if budget:
            if 60 * budget.amount <= facts["seconds"]:
                used = facts["seconds"] / 60
                raise UsageError(
                    f"--minutes is for the whole run, and {used:.2g} are used already; give more than that"
                )
            training = dataclasses.replace(training, budget=budget)
        try:
            corpus, waited = _read(reading)
            _refuse_changed_text(corpus.sources, saved.trained_on)
        except TextError as error:
            if not reading.piped:
                raise
            raise TextError(f"{error}; this run read standard input: pipe the same text in again") from error
        plan = Plan(saved.model, training, facts["expected"], ())
        run = _resumed(saved, corpus, plan, started + waited, Path(output), new_budget=budget is not None)
        run.started_from = saved.started_from
        run.went_on_from = before
        return run


def _resumed(saved: Checkpoint, corpus: Corpus, plan: Plan, started: float, output: Path, *, new_budget: bool) -> Run:
    device = _torch_device(saved.request)
    from .trainer import Trainer

    trainer = Trainer(corpus, plan.model, plan.training, device=device, started=started, expected=plan.expected)
    trainer.restore(saved.tensors, saved.trainer, new_budget=new_budget)
    reason = f"going on at step {trainer.step} ({trainer.fraction:.0%} of the budget is used)"
    plan = dataclasses.replace(plan, reasons=(reason,))
    return Run(trainer, plan, saved.request, corpus, output, saved.reading)


def _refuse_changed_text(now: list[dict[str, Any]], then: list[dict[str, Any]]) -> None:
    for old in then:
        if not any(new["name"] == old["name"] and new["sha256"] == old["sha256"] for new in now):
            raise TextError(f"{old['name']}: changed since the run began, so it cannot be resumed; start anew")
    fresh = [new["name"] for new in now if all(new["sha256"] != old["sha256"] for old in then)]
    if len(now) != len(then):
        name = fresh[0] if fresh else now[-1]["name"]
        raise TextError(f"{name}: new since the run began, so it cannot be resumed; start anew")


def _facts(corpus: Corpus) -> Text:
    ids = corpus.training
    ends = int((ids == corpus.line_end).sum()) if corpus.line_end != UNKNOWN else 0
    lines = max(1, ends)
    return Text(len(ids), len(corpus.vocabulary), len(ids) / lines)

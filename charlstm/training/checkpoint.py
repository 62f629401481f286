"""What a run keeps on the disk beside its model: the state that it goes on from, and when it is saved.

Knows the file format as a writer of tensors and a description; knows nothing about texts, networks or how they are
trained.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..config import ModelSettings, TrainingRequest, TrainingSettings
from ..data.corpus import Reading
from ..errors import ModelFileError, OutputError
from ..models import file as modelfile
from ..models import tensor_file
from .outputs import resume_path

RESUME_FORMAT = 10
"""Of the state file; it changes with what an optimizer or a trainer remembers."""


@dataclass
class Checkpoint:
    """All that is needed to go on with a run; the model itself lies beside it."""

    tensors: tensor_file.Tensors
    trainer: dict[str, Any]
    """What a trainer remembers beside its tensors."""
    request: TrainingRequest
    model: ModelSettings
    training: TrainingSettings
    corpus: str
    """The checksum of the ids that the text became."""
    trained_on: list[dict[str, Any]]
    reading: Reading
    """How the corpus was read."""
    started_from: dict[str, Any] | None
    """The name of the model that the run began with, and what that was trained on."""
    output: str
    """The model that the run writes."""
    folder: str
    """Where that was: the texts may have been moved together with it."""
    device: str
    """The type of device that the run trained on."""
    threads: int
    """torch's number of threads there."""

    def save(self) -> None:
        """Write it.

        Raises:
            OutputError: it cannot be written; what lay there before is untouched.
        """
        description = {
            "format": RESUME_FORMAT,
            "resume": self.trainer,
            "request": asdict(self.request),
            "model": asdict(self.model),
            "training": asdict(self.training),
            "corpus": self.corpus,
            "trained_on": self.trained_on,
            "reading": self.reading.to_json(),
            "started_from": self.started_from,
            "folder": self.folder,
            "device": self.device,
            "threads": self.threads,
        }
        tensor_file.write(resume_path(self.output), self.tensors, description)

    @staticmethod
    def load(output: str | os.PathLike[str]) -> Checkpoint:
        """Read the state of the run that writes that model.

        Raises:
            ModelFileError: there is none, or it is broken or another version's.
            OutputError: the model there is not the run's.
        """
        path = _state_of(output)
        with remedy_named(output):
            tensors, saved = tensor_file.read(path)
        _check_format(path, saved)
        _refuse_another_model(output, saved)
        with broken_state_named(path):
            return Checkpoint(
                tensors=tensors,
                trainer=saved["resume"],
                request=TrainingRequest(**saved["request"]),
                model=ModelSettings(**saved["model"]),
                training=TrainingSettings.from_json(saved["training"]),
                corpus=saved["corpus"],
                trained_on=saved["trained_on"],
                reading=Reading.from_json(saved["reading"]),
                started_from=saved["started_from"],
                output=os.fspath(output),
                folder=saved["folder"],
                device=saved["device"],
                threads=saved["threads"],
            )


def saved_reading(output: str | os.PathLike[str]) -> Reading:
    """How the run that writes that model read its texts.

    Raises:
        ModelFileError: as for `Checkpoint.load`.
    """
    path = _state_of(output)
    with remedy_named(output):
        saved = tensor_file.read_description(path)
    _check_format(path, saved)
    with broken_state_named(path):
        return Reading.from_json(saved["reading"])


def _refuse_another_model(output: str | os.PathLike[str], saved: dict[str, Any]) -> None:
    """Refuse to go on with a run whose model another one has replaced: that would be written over."""
    try:
        found = tensor_file.read_description(output)
    except ModelFileError:
        is_lost = not os.path.exists(output) or tensor_file.may_be_one(output)  # the run writes it again
        found = saved if is_lost else {}
    if [_facts(found, name) for name in _SHARED] != [_facts(saved, name) for name in _SHARED]:
        raise OutputError(f"{output}: not the model of the unfinished run beside it; move one of the two elsewhere")


_SHARED = (("trained_on",), ("training", "seed"), ("training", "lines"), ("training", "context"))
"""Where a model and the state of its run say the same."""


def _facts(description: Any, keys: Sequence[str]) -> Any:
    """What stands in a description under these keys, one within the other; None where it does not."""
    for key in keys:
        description = description.get(key) if isinstance(description, dict) else None
    return description


def _state_of(output: str | os.PathLike[str]) -> Path:
    path = resume_path(output)
    if not os.path.exists(path):  # False, too, where no file can have that name
        raise ModelFileError(_why_not(output))
    return path


@contextlib.contextmanager
def remedy_named(output: str | os.PathLike[str]) -> Iterator[None]:
    """Of a state that is broken, say what to do instead: a file that cannot be read at all has another remedy."""
    try:
        yield
    except ModelFileError as error:
        if isinstance(error.__cause__, OSError | MemoryError):
            raise
        further = ", or train on from the model with --init-from" if os.path.exists(output) else ""
        raise ModelFileError(f"{error}; start anew{further}") from error


def _check_format(path: Path, saved: dict[str, Any]) -> None:
    if saved.get("format") != RESUME_FORMAT:
        raise ModelFileError(f"{path}: not a run's state that this version of charlstm can go on with; start anew")


def _why_not(output: str | os.PathLike[str]) -> str:
    """Why there is nothing to go on with, and what to do instead."""
    if not os.path.exists(output):
        state = resume_path(output)
        return f"{state}: not there, so there is no unfinished run to go on with; name it with --output"
    result = modelfile.load(output).result
    further = f"to train it further: --init-from {shlex.quote(os.fspath(output))} -o NEW"
    if result.get("diverged"):
        remedy = "start anew, or from this model with --init-from, with a smaller --learning-rate"
        return f"{output}: its run diverged, so it cannot go on; {remedy}"
    if result.get("finished") is False:
        return f"{output}: its run stopped early, and {resume_path(output).name} is not beside it; {further}"
    return f"{output}: its run is finished; {further}"


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


@contextlib.contextmanager
def broken_state_named(path: Path) -> Iterator[None]:
    """Whatever a broken state makes go wrong is an error that names its file."""
    try:
        yield
    except ModelFileError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:  # UsageError is a ValueError
        raise ModelFileError(f"{path}: not a run's state that this charlstm can go on with ({error})") from error

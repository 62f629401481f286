"""What a run keeps on the disk beside its model: the lock, and the state that it goes on from.

Says whether a model may be written at a path before hours of work go into it. Knows the file format as a writer of
tensors and a description; knows nothing about texts, networks or how they are trained.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from ..config import ModelSettings, TrainingRequest, TrainingSettings
from ..data import locks
from ..data.corpus import Reading
from ..data.streams import STANDARD_INPUT
from ..errors import ModelFileError, OutputError, UsageError
from ..models import file as modelfile
from ..models import tensor_file

RESUME_FORMAT = 10
"""Of the state file; it changes with what an optimizer or a trainer remembers."""


def resume_path(output: str | os.PathLike[str]) -> Path:
    """Where the state of a run is kept that writes that model: NAME.resume.safetensors beside it.

    Raises:
        OutputError: the model has no name.
    """
    path = Path(output)
    if not path.name:
        raise OutputError("a model needs a file: give --output a name")
    if path.is_symlink():  # what it points to is written: two names of one model have one run
        path = Path(os.path.realpath(path))
    if path.suffix == ".safetensors":
        return path.with_suffix(".resume.safetensors")
    return path.with_name(f"{path.name}.resume")


def default_output(text: str) -> str:
    """The model of a text, in the current folder: named as the text or folder is, without endings.

    That of standard input and of other pipes is "model.safetensors".
    """
    if text == STANDARD_INPUT or (os.path.exists(text) and not os.path.isfile(text) and not os.path.isdir(text)):
        return "model.safetensors"
    passing = os.path.abspath(text).startswith(("/dev/", "/proc/"))  # such as /dev/stdin: names of another file
    name = os.path.basename((os.path.realpath if passing else os.path.abspath)(text))
    if os.path.isdir(text):
        return f"{name}.safetensors"
    for ending in (".gz", ".bz2", ".xz"):
        name = name.removesuffix(ending)
    return f"{Path(name).stem}.safetensors"


_TAKEN = "another training writes it now; wait for it or give another --output"


def _lock_of(output: str | os.PathLike[str]) -> tuple[Path, Path]:
    """The file that is written, as `write` finds it, so that two names of one file are one; and its lock.

    Raises:
        OutputError: no file can have that name.
    """
    target = Path(os.path.realpath(output))
    if not target.name:
        raise OutputError(f"{output}: this names a folder; name a file with --output")
    return target, target.with_name(f".{target.name}.lock")


def refuse_if_locked(output: str | os.PathLike[str]) -> None:
    """Find out before a text is read whether a model is being written; nothing is left behind.

    Raises:
        OutputError: another living process writes it.
    """
    target, path = _lock_of(output)
    with contextlib.suppress(OSError), open(path, "rb") as lock:
        try:
            locks.take(lock.fileno(), shared=True)
        except BlockingIOError as error:
            raise OutputError(f"{target}: {_TAKEN}") from error


@contextlib.contextmanager
def locked(output: str | os.PathLike[str]) -> Iterator[None]:
    """Hold the only right to write a model, until the block or the process ends; where there are none, the last wins.

    Raises:
        OutputError: another living process holds it.
    """
    if not locks.AVAILABLE:
        yield
        return
    target, path = _lock_of(output)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OutputError(f"{target}: cannot write beside it: {error.strerror}") from error
    with contextlib.closing(os.fdopen(handle)):
        try:
            if locks.take(handle) and not os.path.samestat(os.fstat(handle), os.stat(path)):
                raise OSError("the last holder has just taken the file away")
        except OSError as error:
            raise OutputError(f"{target}: {_TAKEN}") from error
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike[str], *, force: bool) -> None:
    """Find out before hours of work whether a model can be written there.

    Raises:
        OutputError: the file exists and `force` is not set, or is no model, or its folder is missing or read-only.
        UsageError: `force` is neither true nor false.
    """
    if not isinstance(force, bool):
        raise UsageError(f"force is {force!r:.20}; it must be true or false")
    if os.fspath(path).endswith(os.sep):
        raise OutputError(f"{path}: this names a folder; name a file with --output")
    try:
        _check_path(Path(path), force)
    except OSError as error:
        raise OutputError(f"{path}: cannot write there: {error.strerror}; give another --output") from error


def _check_path(target: Path, force: bool) -> None:
    if os.fspath(target) in ("", ".", "-"):
        raise OutputError("a model needs a file: give --output a name")
    if target.is_dir():
        raise OutputError(f"{target}: this is a folder; name a file with --output")
    if target.name.endswith((".resume", ".resume.safetensors")):
        raise OutputError(f"{target}: names that end like this are for unfinished runs; give another --output")
    if target.exists() and not target.is_file():
        raise OutputError(f"{target}: this is no regular file; name another --output")
    if resume_path(target).exists() and not force:
        raise OutputError(
            f"{target}: {resume_path(target).name} is there, of an unfinished run; "
            "give --resume to go on, or --force to start anew"
        )
    if target.exists() and not force:
        raise OutputError(f"{target}: exists already; give --force to replace it, or another --output")
    if target.exists() and not tensor_file.may_be_one(target):
        raise OutputError(f"{target}: exists and is no model, and --force replaces models only; give another --output")
    folder = Path(os.path.realpath(target)).parent if target.is_symlink() else target.parent
    if not folder.is_dir():
        raise OutputError(f"{target}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{target}: the folder {folder} is read-only")
    for path in (target, resume_path(target)):
        if _belongs_to_another(path, folder):
            raise OutputError(f"{path}: another user's, and nobody else may replace it there; give another --output")
    with contextlib.suppress(FileNotFoundError):  # fails where the longest name of all is too long
        os.stat(resume_path(target).with_name(f".{resume_path(target).name}.part"))


def _belongs_to_another(path: Path, folder: Path) -> bool:
    """Whether a file is there that the folder's sticky bit, as /tmp has it, keeps from being replaced (rename(2))."""
    if os.name != "posix" or not os.path.exists(path):
        return False
    place = os.stat(folder)
    return bool(place.st_mode & stat.S_ISVTX) and os.geteuid() not in (0, place.st_uid, os.stat(path).st_uid)


# ---------------------------------------------------------------------------------------- the state file


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
        """
        path = _state_of(output)
        with remedy_named(output):
            tensors, saved = tensor_file.read(path)
        _check_format(path, saved)
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


class Saved(Protocol):
    """What is saved beside, or as, its output."""

    output: Path


def save_or_rescue(run: Saved, save: Callable[[], None]) -> None:
    """Save a run's result; where its folder is full or gone, in a new one for temporary files: hours went into it.

    Args:
        run: its output is another one afterwards, if it is saved there.
        save: saves it at its output.

    Raises:
        OutputError: it could not be saved where it was asked for; the message says where it is, if it is anywhere.
    """
    try:
        save()
    except (OutputError, OSError) as error:  # the latter where the current folder is gone
        asked, folder = run.output, Path()
        try:
            folder = Path(tempfile.mkdtemp(prefix="charlstm-"))
            run.output = folder / asked.name
            save()
        except (OutputError, OSError):
            if run.output != asked:
                shutil.rmtree(folder, ignore_errors=True)
            run.output = asked
            raise error from None
        why = f"{asked}: {error.strerror}" if isinstance(error, OSError) else error
        raise OutputError(f"{why}; saved as {run.output} instead") from error

"""Where a run writes: whether a model may be written at a path, the lock on it, and another place where it cannot be.

Says so before hours of work go into it. Knows the file format as one that files are known by; knows nothing about what
a run keeps.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from ..data import locks
from ..data.streams import STANDARD_INPUT
from ..errors import ModelFileError, OutputError, UsageError
from ..models import tensor_file


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
    _check_state_path(resume_path(target))
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


def _check_state_path(path: Path) -> None:
    """Refuse to write over what a user has under the name of the run's state."""
    if not os.path.lexists(path):
        return
    ours = path.is_file() and tensor_file.may_be_one(path)
    with contextlib.suppress(ModelFileError):  # a state that is broken may be replaced
        ours = ours and "resume" in tensor_file.read_description(path)
    if not ours:
        raise OutputError(f"{path}: no state of a run, and a run would write there; move it, or give another --output")


def _belongs_to_another(path: Path, folder: Path) -> bool:
    """Whether a file is there that the folder's sticky bit, as /tmp has it, keeps from being replaced (rename(2))."""
    if os.name != "posix" or not os.path.exists(path):
        return False
    place = os.stat(folder)
    return bool(place.st_mode & stat.S_ISVTX) and os.geteuid() not in (0, place.st_uid, os.stat(path).st_uid)


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

"""Which texts a run reads: as they are named, and found again when the run goes on, perhaps elsewhere.

What counts is the SHA-256 of a text, not its name. Knows paths and how a corpus is read; knows nothing about training.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ..config import TrainingRequest
from ..data.corpus import Corpus, Reading, read_corpus
from ..data.files import find_files
from ..data.given import AnyPath, given_path
from ..data.streams import STANDARD_INPUT
from ..errors import ModelFileError, OutputError, TextError, UsageError

Paths = AnyPath | Sequence[AnyPath]
Sources = list[dict[str, Any]]
"""A name, sizes and SHA-256 of each text, as a corpus gives them."""

_PASSING = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Names of what a process has open: another process has something else there."""


def as_paths(paths: Paths) -> list[str]:
    """Paths as strings; one that stands alone is a list of one, and not of its characters.

    Raises:
        UsageError: there is something else among them.
    """
    if isinstance(paths, str | bytes | os.PathLike) or not isinstance(paths, Iterable):
        paths = [paths]
    return [given_path("a text's path", path) for path in paths]


def absolute(paths: Iterable[str]) -> list[str]:
    """Paths that hold from any folder; "-" stays, and so does an empty one, which is none."""
    return [path if path in (STANDARD_INPUT, "") else os.path.abspath(path) for path in paths]


def is_pipe(path: str) -> bool:
    """Whether what is read there can be read once only: standard input, a named pipe, a shell's <(command)."""
    if path == STANDARD_INPUT or path.startswith(_PASSING):
        return True
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def reads_a_pipe(reading: Reading) -> bool:
    """Whether one of the texts can be read once only."""
    return any(is_pipe(path) for path in (*reading.paths, *reading.validation))


def refuse_contradictions(paths: Sequence[str], validation: Sequence[str], request: TrainingRequest) -> None:
    """Compare the texts to train on and those that only validate.

    Raises:
        UsageError: they contradict each other, or the request.
    """
    if STANDARD_INPUT in paths and STANDARD_INPUT in validation:
        raise UsageError("standard input cannot be both the text and --val: name a file for one of them")
    for name in ("val_fraction", "val_split"):
        if validation and getattr(request, name) != getattr(TrainingRequest, name):
            raise UsageError(f"--val and --{name.replace('_', '-')} contradict each other: give one of them")


def encoding_of(request: TrainingRequest, encoding: str, errors: str) -> str | None:
    """The encoding of a run's texts; None for bytes.

    Raises:
        UsageError: bytes were asked for, and something that is about characters.
    """
    if not request.as_bytes:
        if encoding is None:  # which stands for bytes from here on
            raise UsageError("encoding is None; it must be the name of an encoding, or give as_bytes=True")
        return encoding
    asked_for = {
        "--encoding": encoding != "utf-8",
        "--encoding-errors": errors != "strict",
        "--normalize": request.normalize is not None,
        "--min-count": request.min_count is not None,
    }
    for option, given in asked_for.items():
        if given:
            raise UsageError(f"--bytes reads texts as they are, all 256 bytes are known: leave out {option}")
    return None


def refuse_to_overwrite(ours: Iterable[Path], texts: Sequence[str], encoding: str | None) -> None:
    """Not even --force may replace a text that is being read.

    Args:
        ours: the files that the run will write.
        texts: files and folders that it reads.
        encoding: of the texts; None: they are bytes.

    Raises:
        OutputError: one of them is the other.
    """
    existing = [path for path in ours if path.exists()]
    for text in find_files(texts, encoding)[0] if existing else []:
        for path in existing:
            with contextlib.suppress(OSError):
                if os.path.samestat(path.stat(), os.fstat(0) if text == STANDARD_INPUT else os.stat(text)):
                    raise OutputError(f"{path}: this is one of the texts; give another --output")


# ------------------------------------------------------------------------------------ to be found again


def portable(reading: Reading) -> Reading:
    """How to read the corpus again, as a run's state holds it: pipes are standard input, paths are UTF-8 text.

    A name that is not UTF-8 keeps its bytes as lone surrogates, whatever the locale.
    """

    def kept(path: str) -> str:
        return os.fsencode(STANDARD_INPUT if is_pipe(path) else path).decode("utf-8", "surrogateescape")

    return _with_paths(reading, kept)


def localized(reading: Reading, cache: str | None = None) -> Reading:
    """The reverse of `portable`, under the locale of this process; with another folder for ids, where there is one."""
    found = _with_paths(reading, lambda path: os.fsdecode(path.encode("utf-8", "surrogateescape")))
    return found if cache is None else dataclasses.replace(found, cache=cache)


def _with_paths(reading: Reading, change: Callable[[str], str]) -> Reading:
    return dataclasses.replace(
        reading,
        paths=list(map(change, reading.paths)),
        validation=list(map(change, reading.validation)),
        cache=None if reading.cache is None else change(reading.cache),
    )


def named_anew(reading: Reading, paths: Sequence[str], validation: Sequence[str]) -> Reading:
    """A reading of the run's texts where they are now; what is not named is where it was.

    Raises:
        UsageError: a text to validate on is named, and the run had none.
    """
    if validation and not reading.validation:
        raise UsageError("the run was begun without --val, and goes on without: leave it out")
    return dataclasses.replace(
        reading, paths=list(paths) or reading.paths, validation=list(validation) or reading.validation
    )


def candidate_readings(reading: Reading, folder: str, model: Path) -> list[Reading]:
    """Where the texts of a run may be by now: where they were, or where they were in relation to the model.

    Args:
        reading: how the run read them.
        folder: where its model was.
        model: the model's file, which may have been moved together with the texts.
    """
    beside = Path(os.path.abspath(model)).parent

    def locations(path: str) -> list[str]:
        """Where it was; where it would be if it was moved with the model; beside the model."""
        if path == STANDARD_INPUT:
            return [path]
        return [path, os.path.normpath(beside / os.path.relpath(path, folder)), str(beside / os.path.basename(path))]

    def found(paths: Iterable[str], *, moved: bool) -> list[str]:
        return [_first_there(locations(path), moved=moved) for path in paths]

    tried = [
        dataclasses.replace(
            reading, paths=found(reading.paths, moved=moved), validation=found(reading.validation, moved=moved)
        )
        for moved in (False, True)
    ]
    return tried[:1] if tried[0] == tried[1] else tried


def _first_there(paths: list[str], *, moved: bool) -> str:
    """The first path that is there; with `moved`, from the last to the first. If none is, the first."""
    order = paths[::-1] if moved else paths
    return next((path for path in order if path == STANDARD_INPUT or os.path.exists(path)), paths[0])


def readings_to_try(reading: Reading, paths: Paths, validation: Paths, folder: str, output: Path) -> Sequence[Reading]:
    """How to read the texts of a run again: as they are named anew or, where none is, wherever they may be.

    Args:
        reading: how the run read them.
        paths, validation: the texts, and those that only validate, named anew.
        folder: where the model was.
        output: the model.
    """
    named, validating = absolute(as_paths(paths)), absolute(as_paths(validation))
    if named or validating:
        return [named_anew(reading, named, validating)]
    return candidate_readings(reading, folder, output)


def read_again(
    readings: Sequence[Reading], then: Sources, checksum: str, output: str | os.PathLike[str]
) -> tuple[Corpus, Reading]:
    """Read the texts of a run again.

    Args:
        readings: what to try, in order.
        then: the texts as the run read them.
        checksum: of the ids that they became.
        output: the model that the run writes, for the advice to name them if none of that is them.

    Raises:
        TextError: a text is gone, or another than it was.
        UsageError: it would have to come from a pipe, and there is none.
        ModelFileError: the same texts become other ids, as by another version of Python.
    """
    first: TextError | None = None
    remedy = f"name the run's texts: charlstm train --resume TEXT... -o {shlex.quote(os.fspath(output))}"
    for reading in readings:
        _refuse_missing_pipes(reading, remedy)
        try:
            corpus = read_corpus(reading)
            check_unchanged(corpus.sources, then)
        except TextError as error:
            first = first or error
            continue
        if corpus.checksum() != checksum:
            raise ModelFileError(
                f"{output}: this version of charlstm or Python reads the run's texts in another way; start anew"
            )
        corpus.sources = then  # by the names that they had
        return corpus, reading
    piped = "; this run read standard input: pipe the same text in again, or" if readings[0].piped else ";"
    raise TextError(f"{first}{piped} {remedy}") from first


def _refuse_missing_pipes(reading: Reading, remedy: str) -> None:
    pipes = [*reading.paths, *reading.validation].count(STANDARD_INPUT)
    if pipes > 1:
        raise UsageError(f"the run read its texts from {pipes} pipes; {remedy}")
    if pipes and sys.stdin and not sys.stdin.closed and sys.stdin.isatty():
        raise UsageError(f"the run read its text from standard input: pipe the same text in again, or {remedy}")


def check_unchanged(now: Sources, then: Sources) -> None:
    """Compare texts by their contents and order; names may differ.

    Raises:
        TextError: naming the first text that is another.
    """

    def contents(sources: Sources) -> list[tuple[str, str]]:
        return [(source["sha256"], source.get("role", "")) for source in sources]

    before, after = contents(then), contents(now)
    if after == before:
        return
    gone = [source["name"] for source, content in zip(then, before, strict=True) if content not in after]
    new = [source["name"] for source, content in zip(now, after, strict=True) if content not in before]
    if gone and new and new[0] not in [source["name"] for source in then]:
        raise TextError(f"{new[0]}: another text than {gone[0]}, which the run read")
    if gone:
        raise TextError(f"{gone[0]}: changed since the run began, or not there any more")
    if new:
        raise TextError(f"{new[0]}: new since the run began")
    order = ", ".join(source["name"] for source in then[:10])
    raise TextError(f"the texts are not in the order in which the run read them ({order})")

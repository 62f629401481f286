"""Which files are read: those that were named, and the texts below folders.

Opens files of folders to see whether they are texts; reads none of them.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..errors import TextError, UsageError, counted
from .decoding import codec_of, marked_codec, wide_encoding
from .formats import MODEL, format_of
from .streams import STANDARD_INPUT, errors_named, open_stream, reason

HEAD = 8192
"""Bytes of a file that are looked at."""

_REMEDY = "to read it, give --encoding"
"""What is said of a file that could be read, before the encoding."""
_NO_SUCH_FILE = (errno.ENOENT, errno.ENAMETOOLONG, errno.ENOTDIR)
"""What the system answers where a text was given for a name; anything else it says of a file that is there."""


def find_files(
    paths: Iterable[str | os.PathLike[str]], encoding: str | None = "utf-8", *, repeated: bool = False
) -> tuple[list[str], list[str]]:
    """Files named directly or found below folders (sorted, each once), and notes on what was left out.

    In a folder, hidden files and folders and links to folders are passed over, and so are, with a note, files that
    look binary (a NUL character in the first 8 KiB) and are not compressed texts; without an encoding, only models are.
    The same file reached twice through links counts once.

    Args:
        paths: files, folders, "-".
        encoding: of the texts.
        repeated: whether what is named twice is there twice, as for `cat`; below one folder a file still counts once.

    Raises:
        TextError: there is no such file, or a folder holds no text or cannot be read.
        UsageError: "-" is given twice.
    """
    files: list[str] = []
    notes: list[str] = []
    seen: set[tuple[int, int]] = set()
    for path in [os.fspath(path) for path in paths]:
        if path == STANDARD_INPUT:
            if path in files:
                raise UsageError("standard input can be read once only: give - once")
            files.append(path)
            continue
        if repeated:
            seen.clear()
        mode = status_of(path).st_mode
        found = _texts_below(path, encoding, notes) if stat.S_ISDIR(mode) else [path]
        for name in found:
            status = _status_below(name, notes) if stat.S_ISDIR(mode) else status_of(name)
            if status is None:
                continue
            if (status.st_dev, status.st_ino) in seen:
                notes.append(f"{name}: left out, the same file was read already")
                continue
            seen.add((status.st_dev, status.st_ino))
            files.append(name)
    return files, _shortened(notes)


def status_of(path: str, *, text_fits: bool = True) -> os.stat_result:
    """What the system says of a file or folder that is to be read.

    Args:
        path: it.
        text_fits: whether a text itself could stand in its place.

    Raises:
        TextError: it is not there; where a text itself was given for a name, the message says how to give one.
    """
    try:
        return os.stat(path)
    except (OSError, ValueError) as error:
        if not path:
            raise TextError("cannot read a text with an empty name: give the name of a file or folder") from error
        why = reason(error, path) if isinstance(error, OSError) else "no valid name"
        no_such_file = not isinstance(error, OSError) or error.errno in _NO_SUCH_FILE
        if not (text_fits and no_such_file and _may_be_a_text(path)):
            raise TextError(f"{path}: cannot read it: {why}") from error
        name = path if len(path) <= 60 else f"{path[:60]} ..."
        raise TextError(
            f"{name}: cannot read it: {why}; to give a text itself, pipe it in (printf %s TEXT | charlstm ...), "
            "or in the library give text=..."
        ) from error


def version_of(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """What tells one version of a file from another; empty where there is none, or something else than a file."""
    if path == STANDARD_INPUT:
        return ()
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # the latter where no file can have that name
        return ()
    return (status.st_ino, status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else ()


def _status_below(path: str, notes: list[str]) -> os.stat_result | None:
    """What the system says of a file of a folder; None, with a note, where it has gone away since it was found."""
    try:
        return os.stat(path)
    except OSError as error:
        notes.append(f"{path}: left out, it cannot be read ({reason(error, path)})")
        return None


def _may_be_a_text(name: str) -> bool:
    """Whether what was given for a name is rather a text: several words, one without an ending, or a long one."""
    return len(name) > 255 or any(map(str.isspace, name)) or bool(name and not set(name) & {os.sep, "."})


def _shortened(notes: list[str], most: int = 10) -> list[str]:
    """Notes on the first few files, and how many there are of the others."""
    if len(notes) <= most:
        return notes
    return [
        *notes[:most],
        f"{counted(len(notes) - most, 'more file')} {'was' if len(notes) == most + 1 else 'were'} left out",
    ]


def _texts_below(folder: str, encoding: str | None, notes: list[str]) -> list[str]:
    """The texts below a folder; notes are added on what is left out.

    Raises:
        TextError: there is none, or a folder cannot be read.
    """
    texts, left_out = [], {}
    for path in _files_below(folder):
        why = _reason_to_skip(path, encoding)
        if why:
            left_out[path] = why
        else:
            texts.append(path)
    if not texts:
        raise TextError(_without_text(folder, left_out, _unseen(folder)))
    notes += [f"{path}: left out, {why}" for path, why in left_out.items()]
    return texts


def _files_below(folder: str) -> Iterator[str]:
    """What is not hidden below a folder, sorted."""

    def fail(error: OSError) -> None:
        raise TextError(f"{error.filename}: cannot read this folder: {error.strerror or error}") from error

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            yield os.path.join(parent, name)


def _unseen(folder: str) -> list[str]:
    """What is never read that a folder holds, in words."""
    with os.scandir(folder) as entries:
        found = {
            "what is hidden" if entry.name.startswith(".") else "links to folders"
            for entry in entries
            if entry.name.startswith(".") or (entry.is_symlink() and entry.is_dir())
        }
    return sorted(found, reverse=True)


def _without_text(folder: str, left_out: Mapping[str, str], unseen: Sequence[str], most: int = 3) -> str:
    """What is said of a folder without a text: also what was left out of it and why, first what could be read."""
    names = sorted(left_out, key=lambda path: _REMEDY not in left_out[path])
    found = [f"{os.path.relpath(path, folder)} ({left_out[path]})" for path in names[:most]]
    if len(names) > most:
        found.append(f"and {counted(len(names) - most, 'more file')}")
    found += unseen
    told = f"; left out: {', '.join(found)}" if found else ""
    remedy = "" if _REMEDY in told else "; name a folder or file that does"
    return f"{folder}: this folder holds no text{told}{remedy}"


def _reason_to_skip(path: str, encoding: str | None) -> str | None:
    """Why a file of a folder is not read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return "it is not a regular file"
        with errors_named(path), open_stream(path, as_it_is=encoding is None) as stream:
            head = stream.read(HEAD)
    except OSError as error:
        return f"it cannot be read ({reason(error, path)})"
    except TextError as error:
        return str(error).removeprefix(f"{path}: ")
    found = format_of(head)
    if found and (encoding is not None or found is MODEL):  # which a run may have written there itself
        return f"it is {found.name}"
    if encoding is None or not _looks_binary(head, encoding):
        return None
    likely = wide_encoding(head)
    if likely and not _looks_binary(head, likely):
        return f"it looks like {likely.upper()} without a mark; {_REMEDY} {likely}"
    return "it looks binary"


def _looks_binary(head: bytes, encoding: str) -> bool:
    """Whether the beginning of a file holds a NUL character; in UTF-16 and its like, NUL bytes are no sign of one."""
    codec = marked_codec(codec_of(encoding), head)
    if b"\0" not in codec.encode(" ")[0]:
        return b"\0" in head
    try:
        return "\0" in codec.incrementaldecoder().decode(head)
    except UnicodeError:
        return True

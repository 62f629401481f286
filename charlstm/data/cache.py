"""A large text's ids kept in a folder for other runs, and found there by what its files are.

A file is known by its size, its time and a checksum of samples of it, so that it need not be read whole again. Knows
files, arrays and facts in JSON; knows nothing about vocabularies or splits.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import UsageError
from . import locks
from .mapping import MOST_IN_MEMORY, check_folder, check_room, failures_named, map_arrays, pieces, write_all
from .streams import STANDARD_INPUT, errors_named
from .vocabulary import Ids

MAGIC = b"charlstm ids 2\n"
"""What a kept file begins with; the number changes with its format, and with what decides which ids a text has."""
LENGTH = 8
"""Bytes of the length of the facts, little-endian; the facts follow, then the arrays, then their checksum."""
ALIGNED = 64
"""The arrays begin at a multiple of so many bytes."""
PART = ".part"
"""What the name of a file ends with that is not whole yet."""
SAMPLES, SAMPLE = 64, 1 << 16
"""Samples of a file whose checksum is taken, and bytes of each."""

_UNFINISHED = re.compile(rf"\.[0-9a-f]{{32}}-.*{re.escape(PART)}")
"""Names of what `_begun` begins."""

Facts = dict[str, Any]


def key_of(settings: Facts, files: Sequence[str]) -> str | None:
    """What a text's ids are kept under: a digest of all that decides them; None where they are not kept.

    Args:
        settings: how the files are read, as JSON can hold it.
        files: where they are. Nothing is kept of pipes, nor of texts that memory holds.

    Raises:
        TextError: one of them cannot be read.
    """
    if STANDARD_INPUT in files or not all(map(os.path.isfile, files)):
        return None
    if sum(map(os.path.getsize, files)) <= MOST_IN_MEMORY:
        return None
    known: list[Any] = [MAGIC.decode(), sys.byteorder, unicodedata.unidata_version, settings]
    for path in files:
        with errors_named(path):
            status = os.stat(path)
            known.append([status.st_size, status.st_mtime_ns, _sampled_checksum(path, status.st_size)])
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:32]


def _sampled_checksum(path: str, size: int) -> str:
    """SHA-256 of samples from the first so many bytes of a file; of all of them where they are few."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        if size <= SAMPLES * SAMPLE:
            digest.update(file.read(size))
        else:
            for offset in np.linspace(0, size - SAMPLE, SAMPLES, dtype=np.int64).tolist():
                file.seek(offset)
                digest.update(file.read(SAMPLE))
    return digest.hexdigest()


def folder_to_keep(folder: str | os.PathLike[str] | None) -> str | None:
    """The absolute path of a folder that ids may be kept in; it is made when they are.

    Raises:
        OutputError: nothing can be written there.
        UsageError: it has no name.
    """
    if folder is None:
        return None
    if not os.fspath(folder):
        raise UsageError("--cache has an empty name; give it the name of a folder")
    check_folder(os.fspath(folder))
    return os.path.abspath(folder)


def load(folder: str, key: str) -> tuple[Facts, list[Ids]] | None:
    """What is kept under a key: its facts, and its arrays, mapped. None: nothing, or nothing that is whole."""
    path = _path(folder, key)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError), open(path, "rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return None
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(LENGTH), "little")
        facts = json.loads(file.read(min(length, size)))
        dtype, lengths, begin = np.dtype(facts["dtype"]), facts["lengths"], _begin(length)
        end = begin + sum(lengths) * dtype.itemsize
        file.seek(end)
        if facts["key"] == key and file.read().decode() == _sampled_checksum(path, end):
            return facts, map_arrays(file.fileno(), dtype, lengths, begin)
    return None


def save(folder: str, key: str, facts: Facts, arrays: Sequence[Ids]) -> None:
    """Keep arrays under a key: written under another name, and renamed when all is on the disk.

    Raises:
        OutputError: they cannot be written; nothing is left of them.
    """
    check_room(folder, sum(array.nbytes for array in arrays))
    described = {**facts, "key": key, "dtype": arrays[0].dtype.str, "lengths": [len(array) for array in arrays]}
    head = json.dumps(described).encode()
    with failures_named(folder):
        _remove_remains(folder)
        handle, path = _begun(folder, key)
        try:
            write_all(handle, MAGIC + len(head).to_bytes(LENGTH, "little") + head, 0)
            offset = _begin(len(head))
            for array in arrays:
                for _, piece in pieces(array):
                    offset = write_all(handle, piece, offset)
            write_all(handle, _sampled_checksum(path, offset).encode(), offset)
            os.fsync(handle)
            os.rename(path, _path(folder, key))
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            raise
        finally:
            os.close(handle)


def _begun(folder: str, key: str) -> tuple[int, str]:
    """A new file that this process holds, open, and its path."""
    while True:
        handle, path = tempfile.mkstemp(prefix=f".{key}-", suffix=PART, dir=folder)
        with contextlib.suppress(BlockingIOError, FileNotFoundError):  # who removes remains may have been faster
            locks.take(handle)
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle, path
        os.close(handle)


def _path(folder: str, key: str) -> str:
    return os.path.join(folder, f"{key}.ids")


def _begin(length: int) -> int:
    """Where the arrays begin after facts of so many bytes."""
    return -(-(len(MAGIC) + LENGTH + length) // ALIGNED) * ALIGNED


def _remove_remains(folder: str) -> None:
    """Remove what processes that were killed have left unfinished; a living one holds a lock on what it writes.

    Other programs' files, and models that are being written, may lie in the folder, too.
    """
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if _UNFINISHED.fullmatch(name):
            with contextlib.suppress(OSError), open(path, "rb") as file:
                if locks.take(file.fileno()):
                    os.unlink(path)

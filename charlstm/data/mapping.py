"""Ids of a text that may be larger than memory: an array while they are few, else a file that is mapped.

The file has no name, so nothing is left of it, however the process ends; what is mapped looks like an array, and the
system reads from the disk what is used. Knows ids and folders; knows nothing about characters or what ids stand for.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import OutputError
from .vocabulary import Ids

MOST_IN_MEMORY = 1 << 26
"""Bytes of ids that are kept in memory; those of a longer text go to a file."""
PIECE = 1 << 16
"""Ids that are looked at together: few enough to stay in a processor's cache."""
COUNTED, COUNTED_STRETCHES = 1 << 22, 64
"""Characters of a text whose symbols are counted, and from how many stretches."""
UNSEEN = 0.5
"""What is added to each of their numbers."""
FORGOTTEN_AFTER = 1 << 24
"""Bytes of a mapped text that are read before the process lets go of them."""


def default_folder() -> str:
    """Where texts are mapped: the user's cache folder, by the XDG base directory specification."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return os.path.join(base if os.path.isabs(base) else os.path.expanduser("~/.cache"), "charlstm")


@contextlib.contextmanager
def failures_named(folder: str) -> Iterator[None]:
    """Turn what goes wrong in a folder of mapped texts into an error that names it.

    Raises:
        OutputError: the folder cannot be written, or its disk is full.
    """
    try:
        yield
    except OSError as error:
        another = "a folder on a disk with more room" if error.errno == errno.ENOSPC else "another folder"
        raise OutputError(
            f"{folder}: cannot write the text's ids there: {error.strerror or error}; name {another} with --cache"
        ) from error


def check_folder(folder: str) -> None:
    """Find out whether a folder can be written to or, where it is not there, the one that it would be made in.

    Nothing is left behind.

    Raises:
        OutputError: it cannot.
    """
    there = os.path.abspath(folder)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    with failures_named(folder), tempfile.TemporaryFile(dir=there, buffering=0) as file:
        file.write(b"\0")  # a full disk lets a file be made, and takes nothing into it


def check_room(folder: str, wanted: int) -> None:
    """Find out whether so many bytes can be written to a folder, which is made if it is not there.

    Raises:
        OutputError: its disk has less room, or it cannot be made.
    """
    with failures_named(folder):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        free = shutil.disk_usage(folder).free
    if free < wanted:
        raise OutputError(
            f"{folder}: the text takes {wanted / 1e6:,.0f} MB or more there, and {free / 1e6:,.0f} MB are free; "
            "name a folder on a disk with more room with --cache"
        )


def write_all(handle: int, data: Any, offset: int) -> int:
    """Write a buffer at an offset of a file, in bytes; gives the offset after it.

    Raises:
        OSError: such as that the disk is full.
    """
    rest = memoryview(data).cast("B")
    while rest:
        count = os.pwrite(handle, rest, offset)
        rest, offset = rest[count:], offset + count
    return offset


def map_arrays(handle: int, dtype: np.dtype[Any], lengths: Sequence[int], begin: int = 0) -> list[Ids]:
    """The arrays that a file holds one after the other, from an offset on, mapped.

    They are there for as long as anything refers to them, also when the file has been closed.
    """
    bounds = [0, *itertools.accumulate(lengths)]
    if not bounds[-1]:
        return [np.zeros(0, dtype) for _ in lengths]
    mapping = mmap.mmap(handle, begin + bounds[-1] * dtype.itemsize, access=mmap.ACCESS_READ)
    whole = np.frombuffer(mapping, dtype, offset=begin)
    return [whole[first:last] for first, last in itertools.pairwise(bounds)]


class IdFile:
    """A file of ids that has no name, so that it is gone when nothing uses it any more, or the process ends.

    Args:
        folder: where it lies; made if it is not there.

    Raises:
        OutputError: it cannot be made there.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        with failures_named(folder):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._handle, path = tempfile.mkstemp(dir=folder)
            os.unlink(path)

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            os.close(self._handle)

    def write(self, data: Any, offset: int) -> None:
        """Write a buffer at an offset in bytes.

        Raises:
            OutputError: such as that the disk is full.
        """
        with failures_named(self.folder):
            write_all(self._handle, data, offset)

    def mapped(self, dtype: np.dtype[Any], lengths: Sequence[int]) -> list[Ids]:
        """The arrays that it holds, one after the other."""
        return map_arrays(self._handle, dtype, lengths)


def _mapping(ids: Any) -> mmap.mmap | None:
    """The mapping that an array is a part of."""
    while ids is not None and not isinstance(ids, mmap.mmap):
        ids = ids.obj if isinstance(ids, memoryview) else getattr(ids, "base", None)
    return ids


def is_mapped(ids: Ids) -> bool:
    """Whether a text lies in a file."""
    return _mapping(ids) is not None


def forget(ids: Ids) -> None:
    """Let go of the memory that reading a mapped text has taken; what is read again comes from the system's cache."""
    mapping = _mapping(ids)
    if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)


def pieces(ids: Ids, size: int = PIECE) -> Iterator[tuple[int, Ids]]:
    """A text in pieces of so many ids, each with where it begins; a mapped one never takes much memory."""
    read = 0
    for begin in range(0, len(ids), size):
        piece = ids[begin : begin + size]
        yield begin, piece
        read += piece.nbytes
        if read >= FORGOTTEN_AFTER:
            forget(ids)
            read = 0
    forget(ids)


def stretches(length: int, most: int, count: int) -> list[range]:
    """All positions of a text or, where it is longer than so many characters, about so many of them, from all over it.

    Args:
        length: of the text.
        most: characters.
        count: of the stretches, of equal length and evenly spaced, that a longer text gives.
    """
    if length <= most:
        return [range(length)]
    size = max(1, most // count)
    begins = np.linspace(0, length - size, count).astype(int).tolist()
    return [range(begin, begin + size) for begin in begins]


def sampled(ids: Ids, most: int, count: int) -> Ids:
    """A text or, where it is longer than so many characters, stretches from all over it, see `stretches`."""
    if len(ids) <= most:
        return ids
    return np.concatenate([ids[part.start : part.stop] for part in stretches(len(ids), most, count)])


def frequencies(ids: Ids, symbols: int) -> NDArray[np.float64]:
    """The fraction of a text, or of a sample of a long one, that each of so many symbols is; none is quite 0."""
    some = sampled(ids, COUNTED, COUNTED_STRETCHES)
    numbers = np.bincount(some, minlength=symbols) + UNSEEN
    shares: NDArray[np.float64] = numbers / numbers.sum()
    return shares


def count_of(ids: Ids, symbol: int) -> int:
    """How often a symbol occurs."""
    return sum(int(np.count_nonzero(piece == symbol)) for _, piece in pieces(ids))


class IdStore:
    """A text that grows: in memory at first, and in a file in a folder when it has become long.

    Its ids become wider where a piece comes with a wider type.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._pieces: list[Ids] = []
        self._file: IdFile | None = None
        self._dtype = np.dtype(np.uint8)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, ids: Ids) -> None:
        """Add ids at the end.

        Raises:
            OutputError: they cannot be written.
        """
        if ids.dtype.itemsize > self._dtype.itemsize:
            self._widen(ids.dtype)
        self._length += len(ids)
        if self._file is None:
            self._pieces.append(ids)
            if self._length * self._dtype.itemsize > MOST_IN_MEMORY:
                self._move(self._pieces)
                self._pieces = []
        else:
            offset = (self._length - len(ids)) * self._dtype.itemsize
            self._file.write(ids.astype(self._dtype, copy=False), offset)

    def _widen(self, dtype: np.dtype[Any]) -> None:
        before, self._dtype = self._dtype, dtype
        if self._file is not None:
            (ids,) = self._file.mapped(before, [self._length])
            self._move(piece for _, piece in pieces(ids))

    def _move(self, ids: Iterable[Ids]) -> None:
        """Write what it holds to another file."""
        self._file, self._length = IdFile(self._folder), 0
        for piece in ids:
            self.append(piece)

    def truncate(self, length: int) -> None:
        """Keep the first so many ids only."""
        if self._file is not None:
            self._length = length
        while self._length > length:
            last = self._pieces.pop()
            self._length -= len(last)
            if self._length < length:
                self.append(last[: length - self._length])

    def ids(self) -> Ids:
        """All of them as one array (characters,)."""
        if self._file is not None:
            return self._file.mapped(self._dtype, [self._length])[0]
        self._pieces = [np.concatenate([np.zeros(0, dtype=np.uint8), *self._pieces])]
        return self._pieces[0]


class ArrayWriter:
    """Arrays of known lengths, each written from its beginning to its end: in memory, or in one file.

    Args:
        dtype: of their ids.
        lengths: of the arrays.
        file: where they go; None: into memory.
    """

    def __init__(self, dtype: np.dtype[Any], lengths: Sequence[int], file: IdFile | None) -> None:
        self._dtype, self._lengths, self._file = dtype, lengths, file
        self._filled = [0] * len(lengths)
        self._arrays = [np.empty(0 if file else length, dtype) for length in lengths]

    def append(self, part: int, ids: Ids) -> None:
        """Add ids to one of the arrays.

        Raises:
            OutputError: they cannot be written.
        """
        first = self._filled[part]
        self._filled[part] += len(ids)
        if self._file is None:
            self._arrays[part][first : self._filled[part]] = ids
            return
        offset = (sum(self._lengths[:part]) + first) * self._dtype.itemsize
        self._file.write(ids.astype(self._dtype, copy=False), offset)

    def arrays(self) -> list[Ids]:
        """The arrays, all of them filled."""
        return self._file.mapped(self._dtype, self._lengths) if self._file else self._arrays

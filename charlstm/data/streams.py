"""Files and standard input as streams of bytes, unpacked where their first bytes say that they are packed.

Knows nothing about what the bytes mean.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import select
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

from ..errors import TextError

PIECE = 1 << 20
"""Bytes read at a time: large enough for numpy to be busy, small enough that memory stays flat."""

STANDARD_INPUT = "-"

around_opening: Callable[[str], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
"""What surrounds a file's opening and its first bytes, which a named pipe lets one wait for: a program may tell of it.

The command line puts its own here; the library waits in silence.
"""

_MAGIC: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b\x08", gzip.open),
    *((b"BZh%d1AY&SY" % level, bz2.open) for level in range(1, 10)),
    *((b"BZh%d\x17rE8P\x90" % level, bz2.open) for level in range(1, 10)),  # the empty text
    (b"\xfd7zXZ\x00", lzma.open),
)


@contextlib.contextmanager
def open_stream(path: str, *, as_it_is: bool = False) -> Iterator[IO[bytes]]:
    """Open a file or standard input for reading, unpacked if its first bytes say that it is packed.

    Args:
        path: a file's path, or "-" for standard input.
        as_it_is: whether what is packed stays so.

    Raises:
        OSError: it cannot be read.
    """
    if path == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.closed:
            raise OSError(0, "it is closed")
        raw: Any = io.BufferedReader(_Waiting(sys.stdin.fileno(), closefd=False), PIECE)
    else:
        with around_opening(path):
            raw = open(path, "rb", buffering=PIECE)
            raw.peek(1)
    with raw:
        if as_it_is:
            yield raw
            return
        head = first_bytes(raw, _may_be_packed)
        whole = io.BufferedReader(_PutBack(head, raw), PIECE)
        unpack = _unpacking(head)
        if unpack is None:
            yield whole
            return
        with unpack(whole) as unpacked:
            yield unpacked


def is_packed(head: bytes) -> bool:
    """Whether a file's first bytes say that it is packed."""
    return _unpacking(head) is not None


def _unpacking(head: bytes) -> Any:
    """What opens a packed file that begins so; None where it is not packed."""
    found = (unpack for magic, unpack in _MAGIC if head.startswith(magic) or (len(head) > 3 and magic.startswith(head)))
    return next(found, None)


@contextlib.contextmanager
def errors_named(name: str) -> Iterator[None]:
    """Turn what goes wrong while a stream is read into an error that names it.

    Raises:
        TextError: it cannot be read, or its compression is broken.
    """
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise TextError(f"{name}: the compressed text is cut short or damaged ({error})") from error
    except OSError as error:
        raise TextError(f"{name}: cannot read it: {reason(error, name)}") from error


def reason(error: OSError, path: str) -> str:
    """Why a file cannot be read, for a person: of a link that leads nowhere the system says that it is not there."""
    if isinstance(error, FileNotFoundError) and os.path.islink(path):
        return f"it is a link to {os.readlink(path)}, which leads nowhere"
    return error.strerror or str(error)


def first_bytes(stream: IO[bytes], too_few: Callable[[bytes], bool]) -> bytes:
    """What is there, and more only as long as that is too few: a pipe may give a byte at a time."""
    head = b""
    while not head or too_few(head):
        more = stream.read1(PIECE)  # type: ignore[attr-defined]
        if not more:
            break
        head += more
    return head


def _may_be_packed(head: bytes) -> bool:
    return any(len(head) < len(magic) and magic.startswith(head) for magic, _ in _MAGIC)


class _Waiting(io.FileIO):
    """A file that is waited for where it does not block, as other programs leave pipes: a pause is no end."""

    def readinto(self, buffer: Any) -> int:
        while (count := super().readinto(buffer)) is None:
            select.select([self], [], [])
        return count


class _PutBack(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._head[: len(buffer)] or self._rest.read1(len(buffer))  # type: ignore[attr-defined]
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)

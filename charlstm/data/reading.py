"""Bytes to text: files, folders, standard input and compressed files, decoded piece by piece.

Knows nothing about alphabets or networks. No text is ever held whole, so it may be larger than memory.
"""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import hashlib
import io
import lzma
import os
import re
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from ..errors import TextError, UsageError

PIECE = 1 << 20
"""Bytes read at a time: large enough for numpy to be busy, small enough that memory stays flat."""

STANDARD_INPUT = "-"

SURROGATE = re.compile("[\ud800-\udfff]")

_MAGIC: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b\x08", gzip.open),
    *((b"BZh%d1AY&SY" % level, bz2.open) for level in range(1, 10)),
    *((b"BZh%d\x17rE8P\x90" % level, bz2.open) for level in range(1, 10)),  # the empty text
    (b"\xfd7zXZ\x00", lzma.open),
)


class TextSource:
    """One file or stream, decoded piece by piece; iterate over it once.

    A byte order mark is dropped; CRLF and lone CR become LF. What was met on the way stands in `notes`.

    Args:
        path: a file's path, or "-" for standard input.
        encoding: any encoding that Python knows.
        errors: "strict" or "replace": what to do with bytes that do not decode.

    Raises (while iterating):
        TextError: the file cannot be read, its compression is broken, or its bytes do not decode.
        UsageError: there is no such encoding, or no such way to treat errors.
    """

    def __init__(self, path: str | os.PathLike[str], encoding: str = "utf-8", errors: str = "strict") -> None:
        self.path = os.fspath(path)
        self.name = "standard input" if self.path == STANDARD_INPUT else self.path
        self.notes: list[str] = []
        self.characters = 0
        self.bytes = 0
        if errors not in ("strict", "replace"):
            raise UsageError(f"errors must be strict or replace, and is {errors!r:.60}")
        self._errors = errors
        self._hash = hashlib.sha256()
        self._codec = _codec(encoding)

    def facts(self, name: str) -> dict[str, Any]:
        """What is worth keeping about a text that was read: a name, sizes, SHA-256 of its (unpacked) bytes."""
        return {
            "name": name,
            "characters": self.characters,
            "bytes": self.bytes,
            "sha256": self._hash.hexdigest(),
        }

    def __iter__(self) -> Iterator[str]:
        try:
            with _open(self.path) as stream:
                yield from self._decoded(stream)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise TextError(f"{self.name}: the compressed text is cut short or damaged ({error})") from error
        except OSError as error:
            raise TextError(f"{self.name}: cannot read it: {error.strerror or error}") from error

    def _decoded(self, stream: IO[bytes]) -> Iterator[str]:
        decoder = self._codec.incrementaldecoder(self._errors)
        newlines = io.IncrementalNewlineDecoder(None, translate=True)
        first = True
        while True:
            piece = stream.read1(PIECE)  # type: ignore[attr-defined]
            text = newlines.decode(self._decode(decoder, piece), final=not piece)
            self._hash.update(piece)
            self.bytes += len(piece)
            if first and text:
                text = text.removeprefix("\ufeff")
                first = False
            self.characters += len(text)
            if text:
                yield text
            if not piece:
                break
        self._note_newlines(newlines.newlines)

    def _decode(self, decoder: codecs.IncrementalDecoder, piece: bytes) -> str:
        waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            offset = self.bytes - waiting + error.start
            raise TextError(
                f"{self.name}: byte {offset} is not {self._codec.name} ({error.reason}); "
                "name the right --encoding, or give --encoding-errors replace"
            ) from error
        except UnicodeError as error:  # such as UTF-16 without its mark
            raise TextError(
                f"{self.name}: it is not {self._codec.name} ({error}); name the right --encoding"
            ) from error
        if self._codec.name != "utf-8" and SURROGATE.search(text):
            raise TextError(f"{self.name}: it holds a lone surrogate, which is no character")
        return text

    def _note_newlines(self, seen: object) -> None:
        kinds = seen if isinstance(seen, tuple) else (seen,)
        if "\r\n" in kinds:
            self.notes.append(f"{self.name}: line ends CRLF became LF")
        if "\r" in kinds:
            self.notes.append(f"{self.name}: line ends CR became LF")


def _codec(encoding: str) -> codecs.CodecInfo:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding)  # refuses codecs such as base64, which are none of text
        codec = codecs.lookup(encoding)
        codec.incrementaldecoder().decode(b"")
    except (LookupError, ValueError) as error:
        raise UsageError(f"no such text encoding: {encoding!r}; try utf-8, latin-1 or cp1252") from error
    return codec


def lines_of(pieces: Iterable[str]) -> Iterator[list[str]]:
    """The lines that become whole with each piece, each with its newline; last, one that lacks it."""
    waiting: list[str] = []
    for piece in pieces:
        *whole, rest = piece.split("\n")
        if whole:
            whole[0] = "".join(waiting) + whole[0]
            waiting = []
            yield [line + "\n" for line in whole]
        if rest:
            waiting.append(rest)
    if waiting:
        yield ["".join(waiting)]


def ended(pieces: Iterable[str]) -> Iterator[str]:
    """The same text; a last line that lacks its newline gets one."""
    last = "\n"
    for piece in pieces:
        yield piece
        last = piece or last
    if not last.endswith("\n"):
        yield "\n"


def read_pieces(
    paths: Sequence[str | os.PathLike[str]],
    encoding: str = "utf-8",
    errors: str = "strict",
    note: Callable[[str], None] = lambda _: None,
    *,
    end_lines: bool = False,
) -> Iterator[str]:
    """The texts of files, folders and "-", one after the other as `cat` joins them, in pieces.

    Args:
        note: called with each thing that a user should be told.
        end_lines: whether a text that does not end its last line is given a newline there, if another text follows.
    """
    files, notes = find_files(paths, encoding)
    for text in notes:
        note(text)
    last = "\n"
    for path in files:
        source = TextSource(path, encoding, errors)
        for number, piece in enumerate(source):
            if end_lines and not number and last != "\n":
                yield "\n"
            last = piece[-1]
            yield piece
        for text in source.notes:
            note(text)


@contextlib.contextmanager
def _open(path: str) -> Iterator[IO[bytes]]:
    """Open a file or standard input for reading, unpacked if its first bytes say that it is packed."""
    if path == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.closed:
            raise OSError(0, "it is closed")
        raw: Any = io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False), PIECE)
    else:
        raw = open(path, "rb", buffering=PIECE)
    with raw:
        head = _first_bytes(raw)
        whole = io.BufferedReader(_PutBack(head, raw), PIECE)
        for magic, unpack in _MAGIC:
            if head.startswith(magic) or (len(head) > 3 and magic.startswith(head)):
                with unpack(whole) as unpacked:
                    yield unpacked
                return
        yield whole


def _first_bytes(raw: IO[bytes]) -> bytes:
    """What is there, and more only while it may still turn out to be packed: a pipe may give a byte at a time."""
    head = b""
    while not head or any(len(head) < len(magic) and magic.startswith(head) for magic, _ in _MAGIC):
        more = raw.read1(PIECE)  # type: ignore[attr-defined]
        if not more:
            break
        head += more
    return head


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


def find_files(paths: Iterable[str | os.PathLike[str]], encoding: str = "utf-8") -> tuple[list[str], list[str]]:
    """Files named directly or found below folders (sorted, each once), and notes on what was left out.

    In a folder, hidden files and folders and links to folders are passed over, and so are, with a note, files that
    look binary (a NUL character in the first 8 KiB) and are not compressed texts. The same file reached twice
    through links counts once.

    Raises:
        TextError: there is no such file, or a folder holds no text or cannot be read.
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
        mode = status_of(path).st_mode
        found = _texts_below(path, encoding, notes) if stat.S_ISDIR(mode) else [path]
        if not found:
            raise TextError(f"{path}: this folder holds no text; name a folder or file that does")
        for name in found:
            status = os.stat(name)
            if (status.st_dev, status.st_ino) in seen:
                notes.append(f"{name}: left out, the same file was read already")
                continue
            seen.add((status.st_dev, status.st_ino))
            files.append(name)
    return files, _shortened(notes)


def status_of(path: str) -> os.stat_result:
    """What the system says of a file or folder that is to be read.

    Raises:
        TextError: it is not there; where a text itself was given for a name, the message says how to give one.
    """
    try:
        return os.stat(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no valid name"
        if not _may_be_a_text(path):
            raise TextError(f"{path}: cannot read it: {reason}") from error
        name = path if len(path) <= 60 else f"{path[:60]} ..."
        raise TextError(
            f"{name}: cannot read it: {reason}; to give a text itself, pipe it in (printf %s TEXT | charlstm ...), "
            "or in the library give text=..."
        ) from error


def _may_be_a_text(name: str) -> bool:
    """Whether what was given for a name is rather a text: several words, one without an ending, or a long one."""
    return len(name) > 255 or any(map(str.isspace, name)) or bool(name and not set(name) & {os.sep, "."})


def _shortened(notes: list[str], most: int = 10) -> list[str]:
    """Notes on the first few files, and how many there are of the others."""
    if len(notes) <= most:
        return notes
    return [*notes[:most], f"{len(notes) - most} more files were left out"]


def _texts_below(folder: str, encoding: str, notes: list[str]) -> list[str]:
    texts = []

    def fail(error: OSError) -> None:
        raise TextError(f"{error.filename}: cannot read this folder: {error.strerror or error}") from error

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = os.path.join(parent, name)
            reason = _reason_to_skip(path, encoding)
            if reason:
                notes.append(f"{path}: left out, {reason}")
            else:
                texts.append(path)
    return texts


def _reason_to_skip(path: str, encoding: str) -> str | None:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return "it is not a regular file"
        with _open(path) as stream:
            return "it looks binary" if _looks_binary(stream.read(8192), encoding) else None
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        return f"it cannot be read ({error})"


def _looks_binary(head: bytes, encoding: str) -> bool:
    """Whether the beginning of a file holds a NUL character; in UTF-16 and its like, NUL bytes are no sign of one."""
    codec = _codec(encoding)
    if b"\0" not in codec.encode(" ")[0]:
        return b"\0" in head
    try:
        return "\0" in codec.incrementaldecoder().decode(head)
    except UnicodeError:
        return True

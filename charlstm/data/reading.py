"""Bytes to text: files, folders, standard input and compressed files, decoded piece by piece.

Knows nothing about vocabularies or networks. No text is ever held whole, so it may be larger than memory.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from ..errors import TextError, counted
from .characters import normalized
from .decoding import Decoder, codec_of, marked_codec, may_be_marked
from .files import find_files
from .formats import format_of, markup_of
from .raw import from_bytes
from .streams import PIECE, STANDARD_INPUT, errors_named, first_bytes, is_packed, open_stream

MOST_ALIKE = 10
"""Notes of one kind that are told, each with the name of its text."""


class Notes:
    """What is noted on texts: of each kind on the first few by name, and last on how many more.

    Args:
        tell: called with each note.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._counts: dict[str, int] = {}

    def add(self, name: str, what: str, kind: str = "") -> None:
        """Note something on a text.

        Args:
            name: what a person calls it.
            what: the note, without its name.
            kind: what is common to notes that are alike, if these differ.
        """
        count = self._counts[kind or what] = self._counts.get(kind or what, 0) + 1
        if count <= MOST_ALIKE:
            self._tell(f"{name}: {what}")

    def close(self) -> None:
        """Say how many more there were."""
        for kind, count in self._counts.items():
            if count > MOST_ALIKE:
                self._tell(f"{counted(count - MOST_ALIKE, 'more text')}: {kind}")


class TextSource:
    """One file or stream, decoded piece by piece; iterate over it once.

    A byte order mark is dropped, and that of UTF-16 or UTF-32 is followed where the encoding is UTF-8; CRLF and lone CR
    become LF. Where there is no encoding, any file is read as it is. What was met on the way stands in `notes`, without
    the text's name.

    Args:
        path: a file's path, or "-" for standard input.
        encoding: any encoding that Python knows; None: its bytes are read, as in `raw`.
        errors: "strict" or "replace": what to do with bytes that do not decode, and with NULs.
        normalize: a Unicode normalization form, such as "nfc".

    Raises:
        UsageError: there is no such encoding, or no such way to treat errors.
        TextError (while iterating): the file cannot be read, its compression is broken, its bytes do not decode,
            or it is no text.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        encoding: str | None = "utf-8",
        errors: str = "strict",
        normalize: str | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.name = "standard input" if self.path == STANDARD_INPUT else self.path
        self.notes: list[str] = []
        self.characters = 0
        self.bytes = 0
        self._codec = codec_of("utf-8" if encoding is None else encoding)
        self._errors, self._normalize = errors, normalize
        self._as_bytes = encoding is None
        self._hash = hashlib.sha256()
        Decoder(self.name, self._codec, errors)  # so that a wrong way to treat errors is refused at once

    def facts(self, name: str) -> dict[str, Any]:
        """What is worth keeping about a text that was read: a name, sizes, SHA-256 of its (unpacked) bytes."""
        return {
            "name": name,
            "characters": self.characters,
            "bytes": self.bytes,
            "sha256": self._hash.hexdigest(),
        }

    def __iter__(self) -> Iterator[str]:
        with errors_named(self.name), open_stream(self.path, as_it_is=self._as_bytes) as stream:
            texts = self._bytes(stream) if self._as_bytes else normalized(self._decoded(stream), self._normalize)
            for text in texts:
                self.characters += len(text)
                yield text

    def _bytes(self, stream: IO[bytes]) -> Iterator[str]:
        for piece in self._rest(stream):
            if not self.bytes and is_packed(piece):
                self.notes.append("read as it is, compressed; to read what is in it, unpack it first")
            self._count(piece)
            yield from_bytes(piece)

    def _count(self, piece: bytes) -> None:
        self._hash.update(piece)
        self.bytes += len(piece)

    def _decoded(self, stream: IO[bytes]) -> Iterator[str]:
        head = first_bytes(stream, may_be_marked)
        decoder = self._decoder(head)
        newlines = io.IncrementalNewlineDecoder(None, translate=True)
        at_start = True
        for piece in itertools.chain([head] if head else [], self._rest(stream), [b""]):
            text = decoder.decode(piece, final=not piece)
            seen = newlines.newlines
            text = newlines.decode(text, final=not piece)
            self._count(piece)
            if at_start and text:
                text = text.removeprefix("\ufeff")
                at_start = False
            if text:
                yield text
        cut = text == "\n" and seen == "\r\n"  # a CR that waited for the end is what is left of one more CRLF
        self._note_newlines(seen if cut else newlines.newlines)

    @staticmethod
    def _rest(stream: IO[bytes]) -> Iterator[bytes]:
        while piece := stream.read1(PIECE):  # type: ignore[attr-defined]
            yield piece

    def _decoder(self, head: bytes) -> Decoder:
        """The decoder that a text's first bytes call for."""
        found = format_of(head)
        if found:
            raise TextError(f"{self.name}: this is {found.name}, not text; {found.remedy}")
        if is_packed(head):
            raise TextError(f"{self.name}: this is packed twice; unpack it once (zcat FILE | charlstm ...)")
        if markup := markup_of(head):
            self.notes.append(f"{markup} is learned, too; to leave it out, save the file as plain text")
        codec = marked_codec(self._codec, head)
        if codec is not self._codec:
            self.notes.append(f"read as {codec.name.upper()}, as its byte order mark says")
        return Decoder(self.name, codec, self._errors)

    def _note_newlines(self, seen: object) -> None:
        found = seen if isinstance(seen, tuple) else (seen,)
        if "\r\n" in found:
            self.notes.append("line ends CRLF became LF")
        if "\r" in found:
            self.notes.append("line ends CR became LF")


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


def not_empty(pieces: Iterable[str], purpose: str) -> Iterator[str]:
    """The same text.

    Args:
        pieces: it.
        purpose: what there would be nothing to do with, such as "score".

    Raises (while iterating):
        TextError: it has no characters.
    """
    empty = True
    for piece in pieces:
        empty = empty and not piece
        yield piece
    if empty:
        raise TextError(f"the text is empty: there is nothing to {purpose}")


def read_pieces(
    paths: Sequence[str | os.PathLike[str]],
    encoding: str | None = "utf-8",
    errors: str = "strict",
    note: Callable[[str], None] = lambda _: None,
    *,
    end_lines: bool = False,
    normalize: str | None = None,
) -> Iterator[str]:
    """The texts of files, folders and "-", one after the other as `cat` joins them, in pieces; as often as named.

    Args:
        paths, encoding, errors: see `TextSource`.
        note: called with each thing that a user should be told.
        end_lines: whether a text that does not end its last line is given a newline there, if another text follows.
        normalize: a Unicode normalization form, such as "nfc".

    Raises (while iterating):
        UsageError, TextError: see `find_files` and `TextSource`.
    """
    files, notes = find_files(paths, encoding, repeated=True)
    for text in notes:
        note(text)
    told, last = Notes(note), "\n"
    for path in files:
        source = TextSource(path, encoding, errors, normalize)
        for number, piece in enumerate(source):
            if end_lines and not number and last != "\n":
                yield "\n"
            last = piece[-1]
            yield piece
        for text in source.notes:
            told.add(source.name, text)
    told.close()

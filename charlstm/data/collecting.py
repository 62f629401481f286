"""Texts to one array of provisional ids: each text is read once, each character is numbered when it first occurs.

Knows how texts are joined and what was read from where; knows nothing about vocabularies or what is held out.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TextError, counted
from .characters import named, normal_form
from .decoding import SURROGATE
from .files import find_files, version_of
from .lines import bounds_by_piece
from .mapping import MOST_IN_MEMORY, PIECE, IdStore, check_room, default_folder, pieces
from .raw import to_bytes
from .reading import Notes, TextSource
from .streams import STANDARD_INPUT
from .vocabulary import Ids, codepoints, from_codepoints


@dataclass
class Collected:
    """Texts, one after the other."""

    ids: Ids
    """(characters,) provisional ids."""
    points: NDArray[np.uint32]
    """(symbols,) the code point of each provisional id."""
    starts: list[int]
    """Where each text begins."""
    sources: list[dict[str, Any]]
    """A name, sizes and SHA-256 of each text."""
    notes: list[str]

    def symbol(self, character: str) -> int:
        """The provisional id of a character; -1 where it does not occur."""
        found = np.flatnonzero(self.points == ord(character))
        return int(found[0]) if len(found) else -1


class Collector:
    """Gathers texts.

    Args:
        folder: where the ids of a long text go.
        whole_lines: whether a text that does not end its last line is given a newline before the next one.
    """

    def __init__(self, folder: str, *, whole_lines: bool = True) -> None:
        self._whole_lines = whole_lines
        self._table = np.full(0x110000, 0xFF, dtype=np.uint8)  # the largest number of its type: not numbered yet
        self._points: list[int] = []
        self._ids = IdStore(folder)
        self._last = "\n"
        self._begin = (0, "\n")  # characters and the last one when the present text began
        self._start = 0  # of the present text, behind a newline that the one before lacked
        self._names: dict[str, str] = {}  # by the SHA-256 of their bytes
        self._starts: list[int] = []
        self._sources: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.texts_noted = Notes(self.notes.append)

    def add(self, piece: str) -> None:
        """Add a piece of the present text."""
        if len(self._ids) == self._begin[0] and self._whole_lines:
            self.end_line()
            self._begin_here()
        self._append(piece)

    def add_source(self, source: TextSource, name: str) -> None:
        """Add a text whole, which is kept under a name."""
        for piece in source:
            self.add(piece)
        for note in source.notes:
            self.texts_noted.add(source.name, note)
        self.end_text(source.facts(name), source.name)

    def _begin_here(self) -> None:
        """Let the present text begin behind the newline that the last one lacked, as the empty ones between do."""
        before, self._start = self._start, len(self._ids)
        empty = itertools.takewhile(lambda number: self._starts[number] == before, reversed(range(len(self._starts))))
        for number in empty if self._start > before else ():
            self._starts[number] = self._start

    def end_line(self) -> None:
        """Add a newline where the last line lacks one."""
        if self._last != "\n":
            self._append("\n")

    def _append(self, text: str) -> None:
        points = np.frombuffer(text.encode("ascii"), dtype=np.uint8) if text.isascii() else codepoints(text)
        for begin in range(0, len(points), PIECE):
            some = points[begin : begin + PIECE]
            ids = self._table.take(some, mode="clip")
            if ids.max() == np.iinfo(ids.dtype).max:
                self._number(some)
                ids = self._table.take(some, mode="clip")
            self._ids.append(ids)
        self._last = text[-1]

    def _number(self, points: NDArray[Any]) -> None:
        """Give the characters that are new the next numbers, in the order in which they occur."""
        unknown = np.iinfo(self._table.dtype).max
        new, firsts = np.unique(points[self._table[points] == unknown], return_index=True)
        new = new[np.argsort(firsts)]  # however the text was cut into pieces, the numbers are the same
        numbers = np.arange(len(self._points), len(self._points) + len(new))
        self._points.extend(new.tolist())
        if len(self._points) > unknown:  # one number is none
            narrow, wider = self._table, np.dtype(np.min_scalar_type(len(self._points)))
            self._table = np.full(len(narrow), np.iinfo(wider).max, dtype=wider)
            self._table[narrow < unknown] = narrow[narrow < unknown]
        self._table[new] = numbers

    def end_text(self, facts: dict[str, Any], name: str) -> None:
        """End the present text; one that has the bytes of an earlier one is taken out again, with a note.

        Args:
            facts: what is kept about it, see `TextSource.facts`.
            name: what a person calls it.
        """
        length, last = self._begin
        twin = self._names.get(facts["sha256"])
        if twin is not None and facts["bytes"]:
            self.texts_noted.add(
                name, f"left out, it has the same content as {twin}", "left out, each has the same content as another"
            )
            self._ids.truncate(length)
            self._last = last
            return
        self._names[facts["sha256"]] = name
        self._starts.append(self._start)
        self._sources.append(facts)
        self._begin = (len(self._ids), self._last)
        self._start = len(self._ids)

    def collected(self) -> Collected:
        """Everything as one."""
        self.texts_noted.close()
        points = np.array(self._points, dtype=np.uint32)
        return Collected(self._ids.ids(), points, self._starts, self._sources, self.notes)


def collect(
    paths: Sequence[str | os.PathLike[str]],
    texts: Iterable[str] = (),
    *,
    lines: bool = False,
    encoding: str | None = "utf-8",
    errors: str = "strict",
    normalize: str | None = None,
    folder: str | None = None,
) -> Collected:
    """Read files, folders and "-", then texts given directly.

    Args:
        paths, texts: what is read; where there is no encoding, the texts are bytes, as in `raw`, and joined as they are
            unless they are lines.
        lines: every line is a record: blank lines are left out, and the last line ends like all others.
        encoding, errors, normalize: see TextSource.
        folder: where the ids of a long text go; None: see `default_folder`.

    Raises:
        TextError, UsageError: see `find_files` and `TextSource`; the first also where a text changes while it is read.
        OutputError: a long text's ids cannot be written.
    """
    files, notes = find_files(paths, encoding)
    folder = folder or default_folder()
    size = sum(os.path.getsize(path) for path in files if path != STANDARD_INPUT and os.path.isfile(path))
    if size > MOST_IN_MEMORY:
        check_room(folder, size)
    collector = Collector(folder, whole_lines=lines or encoding is not None)
    collector.notes.extend(notes)
    for path in files:
        with unchanged(path):
            collector.add_source(TextSource(path, encoding, errors, normalize), name_to_keep(path, paths))
    for text in texts:
        _add_given(collector, text, normalize, as_bytes=encoding is None)
    if lines:
        collector.end_line()
    collected = collector.collected()
    if encoding is not None:
        _note_what_is_unseen(collected)
    return without_blank_lines(collected, IdStore(folder), as_bytes=encoding is None) if lines else collected


@contextlib.contextmanager
def unchanged(path: str) -> Iterator[None]:
    """Refuse a file that another process writes to while it is read; pipes change by being read.

    Raises:
        TextError: it has another size, time or place on the disk in the end.
    """
    before = version_of(path)
    yield
    if version_of(path) != before:
        raise TextError(f"{path}: it was changed while it was read; give a copy that nothing writes to")


def _add_given(collector: Collector, text: str, normalize: str | None, *, as_bytes: bool) -> None:
    if SURROGATE.search(text):
        raise TextError("text: it holds a lone surrogate, which is no character")
    raw = to_bytes(text) if as_bytes else text.encode()
    text = normal_form(text, normalize)
    if text:
        collector.add(text)
    digest = hashlib.sha256(raw).hexdigest()
    facts = {"name": "text", "characters": len(text), "bytes": len(raw), "sha256": digest}
    collector.end_text(facts, "a text given directly")


FROM_STANDARD_INPUT, FROM_A_PIPE = "standard input", "a pipe"
"""What texts are called that have no name to keep."""


def name_to_keep(path: str, named: Iterable[str | os.PathLike[str]]) -> str:
    """A file's name for a model that others may read: relative to the named folder that it lies in, or its last part.

    It is text, whatever bytes the name is made of on the disk.
    """
    if path == STANDARD_INPUT:
        return FROM_STANDARD_INPUT
    if not os.path.isfile(path):  # the name of a shell's <(command) is a number
        return FROM_A_PIPE
    name = os.path.basename(path)
    for folder in [os.fspath(one) for one in named]:
        if os.path.isdir(folder) and path.startswith(os.path.join(folder, "")):
            name = os.path.join(os.path.basename(os.path.abspath(folder)), os.path.relpath(path, folder))
            break
    return os.fsencode(name).decode("utf-8", "replace")


def _note_what_is_unseen(text: Collected) -> None:
    _note_combining_marks(text)
    _note_byte_order_marks(text)


def _note_combining_marks(text: Collected) -> None:
    """Say where letters are written with combining marks that have a form of one character."""
    characters = from_codepoints(text.points)
    marks = np.array([bool(unicodedata.combining(character)) for character in characters], dtype=bool)
    if not marks.any():
        return
    pairs = _pairs_with(marks, text.ids)
    letters = (characters[pair // len(characters)] + characters[pair % len(characters)] for pair in pairs.tolist())
    composed = next((letter for letter in letters if len(normal_form(letter, "nfc")) == 1), None)
    if composed:
        text.notes.append(
            f"some letters are written with combining marks, such as {composed[0]} and {named(composed[1])}; "
            "--normalize nfc reads each as one character"
        )


def _note_byte_order_marks(text: Collected) -> None:
    """Say where a mark stands in the midst of a text: nobody sees it, and it is learned like a letter."""
    if text.symbol("\ufeff") >= 0:
        text.notes.append(
            "byte order marks (U+FEFF, unseen) stand within the text, as where files were joined, and are learned like "
            "letters; name the files one by one, or take the marks out"
        )


def _pairs_with(marks: NDArray[np.bool_], ids: Ids) -> NDArray[np.int64]:
    """Which symbols with a mark follow upon which, each pair once, as the first times the number of symbols + other."""
    found = np.zeros(0, dtype=np.int64)
    for begin, piece in pieces(ids):
        ends = np.flatnonzero(marks[piece])
        ends = begin + ends[begin + ends > 0]
        found = np.union1d(found, ids[ends - 1].astype(np.int64) * len(marks) + ids[ends])
    return found


def without_blank_lines(text: Collected, store: IdStore, *, as_bytes: bool = False) -> Collected:
    """Leave out lines that hold nothing but spaces, with a note if there are any; it forgets where texts begin.

    Args:
        text: it.
        store: where what is left of it goes, empty.
        as_bytes: whether its characters stand for bytes.
    """
    newline = text.symbol("\n")
    if newline < 0:
        return text
    characters = from_codepoints(text.points)
    visible = np.array([not (to_bytes(one) if as_bytes else one).isspace() for one in characters])
    count = 0
    for bounds in bounds_by_piece(text.ids, newline):
        piece = text.ids[bounds[0] : bounds[-1]]
        blank = ~np.logical_or.reduceat(visible[piece], bounds[:-1] - bounds[0])  # (lines,)
        if blank.any() and not count:
            for _, before in pieces(text.ids[: bounds[0]]):
                store.append(before)
        count += int(blank.sum())
        if count:
            store.append(piece[np.repeat(~blank, np.diff(bounds))])
    if count:
        text.ids = store.ids()
        text.notes.append(f"{counted(count, 'blank line')} {'was' if count == 1 else 'were'} left out")
    text.starts = []
    return text

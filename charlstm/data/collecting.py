"""Texts to one array of provisional ids: each text is read once, each character is numbered when it first occurs.

Knows how texts are joined and what was read from where; knows nothing about vocabularies or what is held out.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TextError
from .characters import named, normal_form
from .decoding import SURROGATE
from .files import find_files
from .lines import line_bounds
from .reading import TextSource
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
    """Gathers texts; one that does not end its last line is given a newline before the next one."""

    def __init__(self) -> None:
        self._table = np.full(0x110000, -1, dtype=np.int32)
        self._points: list[int] = []
        self._pieces: list[Ids] = []
        self._length = 0
        self._last = "\n"
        self._begin = (0, 0, "\n")  # pieces, characters and the last one when the present text began
        self._names: dict[str, str] = {}  # by the SHA-256 of their bytes
        self._starts: list[int] = []
        self._sources: list[dict[str, Any]] = []
        self.notes: list[str] = []

    def add(self, piece: str) -> None:
        """Add a piece of the present text."""
        if self._length == self._begin[1]:
            self.end_line()
        self._append(piece)

    def end_line(self) -> None:
        """Add a newline where the last line lacks one."""
        if self._last != "\n":
            self._append("\n")

    def _append(self, text: str) -> None:
        points = codepoints(text)
        new = np.unique(points[self._table[points] < 0])
        self._table[new] = np.arange(len(self._points), len(self._points) + len(new))
        self._points.extend(new.tolist())
        dtype = np.uint8 if len(self._points) <= 256 else np.uint16 if len(self._points) <= 65536 else np.uint32
        self._pieces.append(self._table[points].astype(dtype))
        self._length += len(points)
        self._last = text[-1]

    def end_text(self, facts: dict[str, Any], name: str) -> None:
        """End the present text; one that has the bytes of an earlier one is taken out again, with a note.

        Args:
            facts: what is kept about it, see `TextSource.facts`.
            name: what a person calls it.
        """
        pieces, length, last = self._begin
        twin = self._names.get(facts["sha256"])
        if twin is not None and facts["bytes"]:
            self.notes.append(f"{name}: left out, it has the same content as {twin}")
            del self._pieces[pieces:]
            self._length, self._last = length, last
            return
        self._names[facts["sha256"]] = name
        self._starts.append(length)
        self._sources.append(facts)
        self._begin = (len(self._pieces), self._length, self._last)

    def collected(self) -> Collected:
        """Everything as one; the pieces are given up, so that a long text is not held twice."""
        self._pieces = [np.concatenate([np.zeros(0, dtype=np.uint8), *self._pieces])]
        points = np.array(self._points, dtype=np.uint32)
        return Collected(self._pieces[0], points, self._starts, self._sources, self.notes)


def collect(
    paths: Sequence[str | os.PathLike[str]],
    texts: Iterable[str] = (),
    *,
    lines: bool = False,
    encoding: str = "utf-8",
    errors: str = "strict",
    normalize: str | None = None,
) -> Collected:
    """Read files, folders and "-", then texts given directly.

    Args:
        lines: every line is a record: blank lines are left out, and the last line ends like all others.
        encoding, errors, normalize: see TextSource.
    """
    files, notes = find_files(paths, encoding)
    collector = Collector()
    collector.notes.extend(notes)
    for path in files:
        source = TextSource(path, encoding, errors, normalize)
        for piece in source:
            collector.add(piece)
        collector.notes.extend(source.notes)
        collector.end_text(source.facts(name_to_keep(path, paths)), source.name)
    for text in texts:
        _add_given(collector, text, normalize)
    if lines:
        collector.end_line()
    collected = collector.collected()
    _note_combining_marks(collected)
    return without_blank_lines(collected) if lines else collected


def _add_given(collector: Collector, text: str, normalize: str | None) -> None:
    if SURROGATE.search(text):
        raise TextError("text: it holds a lone surrogate, which is no character")
    raw = text.encode()
    text = normal_form(text, normalize)
    if text:
        collector.add(text)
    digest = hashlib.sha256(raw).hexdigest()
    facts = {"name": "text", "characters": len(text), "bytes": len(raw), "sha256": digest}
    collector.end_text(facts, "a text given directly")


def name_to_keep(path: str, named: Iterable[str | os.PathLike[str]]) -> str:
    """A file's name for a model that others may read: relative to the named folder that it lies in, or its last part.

    It is text, whatever bytes the name is made of on the disk.
    """
    if path == STANDARD_INPUT:
        return "standard input"
    if not os.path.isfile(path):  # the name of a shell's <(command) is a number
        return "a pipe"
    name = os.path.basename(path)
    for folder in [os.fspath(one) for one in named]:
        if os.path.isdir(folder) and path.startswith(os.path.join(folder, "")):
            name = os.path.join(os.path.basename(os.path.abspath(folder)), os.path.relpath(path, folder))
            break
    return os.fsencode(name).decode("utf-8", "replace")


def _note_combining_marks(text: Collected) -> None:
    """Say where letters are written with combining marks that have a form of one character."""
    characters = from_codepoints(text.points)
    marks = np.array([bool(unicodedata.combining(character)) for character in characters], dtype=bool)
    if not marks.any():
        return
    ends = np.flatnonzero(marks[text.ids[1:]]) + 1
    pairs = np.unique(text.ids[ends - 1].astype(np.int64) * len(characters) + text.ids[ends])
    letters = (characters[pair // len(characters)] + characters[pair % len(characters)] for pair in pairs.tolist())
    composed = next((letter for letter in letters if len(normal_form(letter, "nfc")) == 1), None)
    if composed:
        text.notes.append(
            f"some letters are written with combining marks, such as {composed[0]} and {named(composed[1])}; "
            "--normalize nfc reads each as one character"
        )


def without_blank_lines(text: Collected) -> Collected:
    """Leave out lines that hold nothing but spaces, with a note if there are any; it forgets where texts begin."""
    newline = text.symbol("\n")
    if newline < 0:
        return text
    visible = np.array([not character.isspace() for character in from_codepoints(text.points)])
    bounds = line_bounds(text.ids, newline)
    blank = ~np.logical_or.reduceat(visible[text.ids], bounds[:-1])  # (lines,)
    count = int(blank.sum())
    if count:
        text.ids = text.ids[np.repeat(~blank, np.diff(bounds))]
        text.notes.append("1 blank line was left out" if count == 1 else f"{count:,} blank lines were left out")
    text.starts = []
    return text

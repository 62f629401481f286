"""Properties of a text that a reader could keep track of: inside quotes, position in the line, indentation, and so on.

Numbers for each character, from the text up to that character and it included. Knows nothing about networks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PROPERTIES = (
    "inside quotes",
    "inside brackets",
    "depth of brackets",
    "position in the line",
    "position in the word",
    "after a full stop",
    "upper case",
    "digit",
    "indentation",
    "since an empty line",
)
"""Names of the columns that `PropertyReader` gives."""

QUOTES = frozenset('"“”„«»')
"""Each of them opens a quotation or closes the one that is open; languages differ in which does what."""
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
FULL_STOPS = frozenset(".!?…。")
WORD_MARKS = frozenset("'’_")
"""Part of a word beside letters and digits."""
TAB = 4
"""What a tab counts for in an indentation."""


_LETTERS = dict.fromkeys(range(0x80, 0x100), "\u4e00")
"""Bytes beyond ASCII are parts of characters, mostly letters: as one without case."""


class PropertyReader:
    """Reads one text, in pieces.

    A quotation ends with its paragraph at the latest, so that one missing mark does not turn round all that follows.

    Args:
        as_bytes: whether its characters stand for bytes, as in `data.raw`.
    """

    def __init__(self, *, as_bytes: bool = False) -> None:
        self._as_bytes = as_bytes
        self._quoted = self._full_stop = False
        self._depth = self._in_line = self._in_word = self._indentation = self._since_empty = 0
        self._only_space = True

    def read(self, text: str) -> NDArray[np.float64]:
        """The next piece of the text, of T characters -> (T, P), a column for each of PROPERTIES."""
        rows = np.empty((len(text), len(PROPERTIES)))
        text = text.translate(_LETTERS) if self._as_bytes else text
        for row, character in zip(rows, text, strict=True):
            self._advance(character)
            row[:] = (
                self._quoted, self._depth > 0, self._depth, self._in_line, self._in_word, self._full_stop,
                character.isupper(), character.isdigit(), self._indentation, self._since_empty,
            )  # fmt: skip
        return rows

    def _advance(self, character: str) -> None:
        self._since_empty += 1
        if character == "\n":
            self._end_line()
            return
        self._in_line += 1
        inside = character.isalnum() or (character in WORD_MARKS and self._in_word > 0)
        self._in_word = self._in_word + 1 if inside else 0
        if not character.isspace():
            self._only_space = False
            self._mark(character)
        elif self._only_space:
            self._indentation += TAB if character == "\t" else 1

    def _mark(self, character: str) -> None:
        """A character that is no space."""
        if character in QUOTES:
            self._quoted = not self._quoted
        elif character in OPENING:
            self._depth += 1
        elif character in CLOSING:
            self._depth = max(0, self._depth - 1)
        else:
            self._full_stop = character in FULL_STOPS

    def _end_line(self) -> None:
        if self._only_space:
            self._since_empty, self._quoted = 0, False
        self._in_line = self._in_word = self._indentation = 0
        self._only_space = True

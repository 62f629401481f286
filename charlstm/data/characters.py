"""Characters as people see them: names of those that cannot be seen, and normalization forms.

Knows Unicode; knows nothing about files or models.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Container, Iterable, Iterator, Sequence

KNOWN_IN_NFC = "known in normalization form C, as letters with their accents in one; give --normalize nfc"
"""What is said of a text that is not in it, after "would be"."""

ROOM = 180
"""Characters that a list of characters takes in a message, about: with what is said of it, it stays below 300."""
_UNSEEN = ("M", "C", "Z")
"""Unicode categories, by their first letter, of characters that are not seen alone: marks, controls, spaces."""
_CONTROLS = {"\t": "TAB", "\n": "LINE FEED", "\r": "CARRIAGE RETURN", "\x0c": "FORM FEED", "\x1b": "ESCAPE"}
"""Names of controls, which have none in Unicode's table."""


_JAMO = frozenset(map(chr, range(0x1160, 0x1200)))
"""Vowels and ends of Hangul syllables."""


def named(character: str) -> str:
    """A character for a person to read: itself, or its code point and name where it cannot be seen."""
    if unicodedata.category(character)[0] not in _UNSEEN:
        return character
    name = unicodedata.name(character, _CONTROLS.get(character, ""))
    return f"U+{ord(character):04X} {name}".rstrip()


def listed(characters: Sequence[str], room: int = ROOM) -> str:
    """Characters for a person to read: as many as fit into so many characters, and how many more there are."""
    names = [named(character) for character in characters[:room]]
    separator = " " if all(len(name) == 1 for name in names) else ", "
    lengths = itertools.accumulate(len(name) + len(separator) for name in names)
    shown = max(1, sum(length <= room for length in lengths))
    more = len(characters) - shown
    return separator.join(names[:shown]) + (f" and {more:,} more" if more > 0 else "")


def normalized(pieces: Iterable[str], form: str | None) -> Iterator[str]:
    """A text that comes in pieces in a Unicode normalization form ("nfc"), or as it is where that is None."""
    if form is None:
        yield from pieces
        return
    rest = ""
    for piece in pieces:
        rest += piece
        cut = _safe_cut(rest)
        if cut:
            yield normal_form(rest[:cut], form)
            rest = rest[cut:]
    if rest:
        yield normal_form(rest, form)


def normal_form(text: str, form: str | None) -> str:
    """A text in a Unicode normalization form ("nfc"), or as it is where that is None."""
    return text if form is None else unicodedata.normalize(form.upper(), text)  # type: ignore[arg-type]


def _safe_cut(text: str) -> int:
    """Where a text can be cut so that both parts can be normalized alone: before its last character of most kinds.

    Marks and the vowels and ends of Hangul syllables are joined to what comes before them, and nothing to a newline.
    """
    if text.endswith("\n"):
        return len(text)
    return next((number for number in range(len(text) - 1, -1, -1) if not _joins(text[number])), 0)


def _joins(character: str) -> bool:
    """Whether a character may become one with what comes before it, or change places with it (Unicode 15, 3.11)."""
    return character in _JAMO or unicodedata.category(character)[0] == "M"


def helped_by_nfc(text: str, known: Container[str]) -> bool:
    """Whether characters of a text are unknown, and fewer of them, and no others, in its normalization form C."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return False
    unknown, composed = (
        [character for character in some if character not in known]
        for some in (text, unicodedata.normalize("NFC", text))
    )
    return len(composed) < len(unknown) and set(composed) <= set(unknown)

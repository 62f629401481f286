"""Bytes as characters, one each, and back: how a model of bytes reads any file.

Inside, a byte is the character of its number, U+0000 to U+00FF, so that all that is done with characters is done with
bytes. Knows how bytes are shown to a person and written as text; knows nothing about files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

BYTES = tuple(map(chr, range(256)))
"""The characters that stand for the bytes, in the order of their numbers."""

_CHARACTER = (
    "[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    "|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
"""The bytes of a character in UTF-8 (Unicode 15, table 3-7)."""
_NEXT = re.compile(f"({_CHARACTER})|.", re.DOTALL)
_BEGUN = re.compile("(?:[\xc2-\xf4]|[\xe0-\xf4][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})\\Z")
"""What may be a character whose last bytes are still to come."""


def from_bytes(data: bytes) -> str:
    """Bytes as characters, one each."""
    return data.decode("latin-1")


def to_bytes(text: str) -> bytes:
    """The inverse of `from_bytes`."""
    return text.encode("latin-1")


def escaped(text: str) -> str:
    r"""Bytes as text from which they can be had again: what is UTF-8 as it is, but \\ for a backslash; else \xNN."""
    return _NEXT.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return f"\\x{ord(found[0]):02x}"
    return "\\\\" if found[0] == "\\" else to_bytes(found[0]).decode()


def readable(text: str) -> str:
    """Bytes as text for a person: as UTF-8, U+FFFD for what is none."""
    return to_bytes(text).decode("utf-8", "replace")


def by_characters(
    pieces: Iterable[tuple[str, Sequence[float]]], joined: Callable[[Sequence[float]], float]
) -> Iterator[tuple[str, list[float]]]:
    """Bytes with a value each, as the characters that they are in UTF-8; U+FFFD for a byte that is part of none.

    Args:
        pieces: stretches of the bytes, as characters, with their values.
        joined: the value of a character, from those of its bytes.
    """
    text, values = "", list[float]()
    for piece, of_piece in pieces:
        text, values = text + piece, [*values, *of_piece]
        begun = _BEGUN.search(text)
        cut = begun.start() if begun else len(text)
        yield _characters(text[:cut], values, joined)
        text, values = text[cut:], values[cut:]
    if text:
        yield _characters(text, values, joined)


def _characters(
    text: str, values: Sequence[float], joined: Callable[[Sequence[float]], float]
) -> tuple[str, list[float]]:
    found = list(_NEXT.finditer(text))
    shown = "".join("\ufffd" if one[1] is None else to_bytes(one[0]).decode() for one in found)
    return shown, [joined(values[one.start() : one.end()]) for one in found]

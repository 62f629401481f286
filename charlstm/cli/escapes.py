"""Backslash escapes in what a user typed: read them where asked, and notice them where not."""

from __future__ import annotations

import re

from ..data.raw import from_bytes
from ..errors import UsageError

_NAMED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v", "\\": "\\"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.?)", flags=re.DOTALL)


def unescape(text: str, *, as_bytes: bool = False) -> str:
    r"""Read the escapes of a text: \n \t \r \a \b \e \f \v \\ \' \" \xHH \uHHHH \UHHHHHHHH, as the shell's $'...' does.

    Args:
        text: what was typed.
        as_bytes: whether its characters stand for bytes: then \xHH is a byte, \uHHHH those of a character in UTF-8.

    Raises:
        UsageError: a backslash begins none of them, or one of no character.
    """
    return _ESCAPE.sub(_bytes if as_bytes else _character, text)


def _bytes(escape: re.Match[str]) -> str:
    character = _character(escape)
    return character if escape[1].startswith("x") else from_bytes(character.encode())


def _character(escape: re.Match[str]) -> str:
    name = escape[1]
    if name in _NAMED:
        return _NAMED[name]
    if name in ("'", '"'):
        return name
    code = int(name[1:], 16) if len(name) > 1 else -1
    if 0 <= code < 0xD800 or 0xDFFF < code < 0x110000:
        return chr(code)
    raise UsageError(f"--escapes: {escape[0]} is no escape; for a backslash itself write \\\\")


def typed_escape(text: str) -> str | None:
    r"""The first \n or \t that stands in a text as a backslash and a letter."""
    found = re.search(r"\\[nt]", text)
    return found[0] if found else None

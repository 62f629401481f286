"""Backslash escapes in what a user typed: read them where asked, and notice them where not."""

from __future__ import annotations

import re

from ..data.raw import from_bytes
from ..errors import UsageError

_NAMED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_THEMSELVES = ("\\", "'", '"')
_ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.?)", flags=re.DOTALL)
_READ = r"\n \t \r \a \b \e \f \v \\ \' \" \NNN \xHH \uHHHH \UHHHHHHHH"
"""What is read, for a person: N is an octal digit, H a hexadecimal one."""
_FOR_ITSELF = r"for a backslash itself write \\"


def unescape(text: str, *, as_bytes: bool = False) -> str:
    r"""Read the escapes of a text as the shell's $'...' does: \n \t \r \a \b \e \f \v \\ \' \" \NNN \xHH \uHHHH \U...

    \NNN has one to three octal digits, \xHH two hexadecimal ones, \uHHHH four, \UHHHHHHHH eight.

    Args:
        text: what was typed.
        as_bytes: whether its characters stand for bytes: then \NNN and \xHH are a byte, \uHHHH those of a character
            in UTF-8.

    Raises:
        UsageError: a backslash begins none of them, or one of no character.
    """
    return _ESCAPE.sub(_bytes if as_bytes else _character, text)


def _bytes(escape: re.Match[str]) -> str:
    character = _character(escape)
    return from_bytes(character.encode()) if escape[1][0] in "uU" else character


def _character(escape: re.Match[str]) -> str:
    name = escape[1]
    if name in _NAMED:
        return _NAMED[name]
    if name in _THEMSELVES:
        return name
    octal = re.fullmatch("[0-7]+", name)
    if not octal and len(name) < 2:
        raise UsageError(f"--escapes: {escape[0]} is no escape ({_READ} are); {_FOR_ITSELF}")
    code = int(name, 8) if octal else int(name[1:], 16)
    if code > (0xFF if octal else 0x10FFFF) or 0xD800 <= code <= 0xDFFF:
        raise UsageError(f"--escapes: {escape[0]} is no character; {_FOR_ITSELF}")
    return chr(code)


def typed_escape(text: str) -> str | None:
    r"""The first \n or \t that stands in a text as a backslash and a letter."""
    found = re.search(r"\\[nt]", text)
    return found[0] if found else None

"""Backslash escapes are read as the shell's $'...' reads them, and noticed where nobody asked for them."""

from __future__ import annotations

import pytest

from charlstm.cli.escapes import typed_escape, unescape
from charlstm.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (r"a\nb\tc", "a\nb\tc"),
        (r"\\n", r"\n"),
        (r"\x41\u00e9\U0001f600", "Aé😀"),
        (r"\'\"\e", "'\"\x1b"),
        ("", ""),
        (r"\101\0\12\1018\377\u00411", "A\0\nA8\xffA1"),
    ],
)
def test_escapes_are_read(typed: str, meant: str) -> None:
    assert unescape(typed) == meant


@pytest.mark.parametrize("typed", [r"\q", "a\\", r"\x4", r"\u12", r"\8", "\\\u0663", "\\\n"])
def test_what_is_no_escape_is_refused_and_what_is_one_is_said(typed: str) -> None:
    with pytest.raises(
        UsageError, match=r"--escapes: \\\S?\n? is no escape \(.* \\NNN \\xHH .*\); for a backslash"
    ) as raised:
        unescape(typed)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("typed", [r"\ud800", r"\udfff", r"\Uffffffff", r"\U00110000", r"\400", r"\777"])
def test_an_escape_of_no_character_is_refused_as_such(typed: str) -> None:
    for as_bytes in (False, True):
        with pytest.raises(UsageError) as raised:
            unescape(f"a{typed}0", as_bytes=as_bytes)
        assert str(raised.value) == rf"--escapes: {typed} is no character; for a backslash itself write \\"


def test_a_typed_newline_or_tab_is_noticed() -> None:
    assert typed_escape(r"a\tb\n") == r"\t"
    assert typed_escape("a\nb\tc") is None
    assert typed_escape(r"C:\users") is None


def test_escapes_of_bytes_are_bytes() -> None:
    assert unescape(r"\xff\u00e9\n\x41\377", as_bytes=True).encode("latin-1") == b"\xff\xc3\xa9\nA\xff"
    assert unescape(r"\\", as_bytes=True) == "\\"

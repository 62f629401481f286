"""Backslash escapes are read as the shell's $'...' reads them, and noticed where nobody asked for them."""

from __future__ import annotations

import pytest

from charlstm.cli.escapes import typed_escape, unescape
from charlstm.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(r"a\nb\tc", "a\nb\tc"), (r"\\n", r"\n"), (r"\x41\u00e9\U0001f600", "Aé😀"), (r"\'\"\e", "'\"\x1b"), ("", "")],
)
def test_escapes_are_read(typed: str, meant: str) -> None:
    assert unescape(typed) == meant


@pytest.mark.parametrize("typed", [r"\q", "a\\", r"\x4", r"\u12", r"\ud800", r"\Uffffffff", "\\\n"])
def test_what_is_no_escape_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="--escapes"):
        unescape(typed)


def test_a_typed_newline_or_tab_is_noticed() -> None:
    assert typed_escape(r"a\tb\n") == r"\t"
    assert typed_escape("a\nb\tc") is None
    assert typed_escape(r"C:\users") is None


def test_escapes_of_bytes_are_bytes() -> None:
    assert unescape(r"\xff\u00e9\n\x41", as_bytes=True).encode("latin-1") == b"\xff\xc3\xa9\nA"

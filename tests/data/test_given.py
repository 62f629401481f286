"""What the library's callers give for texts."""

from __future__ import annotations

from typing import Any

import pytest

from charlstm.data.given import as_given, given_pieces, given_text, given_texts
from charlstm.errors import UsageError


@pytest.mark.parametrize("text", [b"\xff\x00", bytearray(b"\xff\x00"), memoryview(b"\xff\x00")])
def test_anything_that_holds_bytes_is_bytes(text: Any) -> None:
    assert given_text("text", text, as_bytes=True) == "\xff\x00"
    assert as_given("\xff\x00", as_bytes=True) == bytes(text)


def test_a_str_stays_what_it_is() -> None:
    assert given_text("text", "你", as_bytes=False) == as_given("你", as_bytes=False) == "你"


@pytest.mark.parametrize("text", [None, 3, ["abc"]])
@pytest.mark.parametrize("as_bytes", [True, False])
def test_what_is_no_text_is_refused(text: Any, as_bytes: bool) -> None:
    with pytest.raises(UsageError, match="prompt is"):
        given_text("prompt", text, as_bytes=as_bytes)


@pytest.mark.parametrize(("text", "as_bytes"), [("abc", False), (b"abc", True), (b"abc", False)])
def test_one_text_is_no_list_of_its_letters(text: Any, as_bytes: bool) -> None:
    with pytest.raises(UsageError, match="lines is a text; give a list"):
        given_texts("lines", text, as_bytes=as_bytes)


@pytest.mark.parametrize("texts", [None, 5, True])
def test_what_is_no_list_of_texts_is_refused_at_once(texts: Any) -> None:
    with pytest.raises(UsageError, match=f"^lines is {texts}; give a list of texts$"):
        given_texts("lines", texts, as_bytes=False)
    with pytest.raises(UsageError, match=f"^the text is {texts}; give a list of texts$"):
        given_pieces(texts, as_bytes=False)


def test_bytes_alone_are_one_piece() -> None:
    assert list(given_pieces(b"abc", as_bytes=True)) == ["abc"]

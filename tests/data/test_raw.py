"""Bytes as characters: nothing is lost, and what is shown says which bytes they are."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.data.raw import BYTES, by_characters, escaped, from_bytes, readable, to_bytes
from charlstm.data.vocabulary import UNKNOWN, Vocabulary

quick = settings(deadline=None, derandomize=True, max_examples=200)
MIXED = st.lists(st.one_of(st.binary(max_size=4), st.text(max_size=3).map(str.encode), st.just(b"\\x41"))).map(b"".join)
"""Bytes, and characters in UTF-8 among them."""


@given(st.binary())
@quick
def test_any_bytes_come_back_and_none_is_unknown(data: bytes) -> None:
    vocabulary = Vocabulary.of_bytes()
    ids = vocabulary.encode(from_bytes(data))
    assert len(ids) == len(data) == vocabulary.size(from_bytes(data))
    assert UNKNOWN not in ids
    assert to_bytes(vocabulary.decode(ids)) == data


def test_there_are_256_bytes() -> None:
    assert to_bytes("".join(BYTES)) == bytes(range(256))
    assert Vocabulary.of_bytes().characters == BYTES


def unescaped(text: str) -> bytes:
    parts = re.findall(r"\\\\|\\x[0-9a-f]{2}|[^\\]", text)
    assert "".join(parts) == text
    return b"".join(
        bytes([int(part[2:], 16)]) if part[:2] == r"\x" else part[:1].encode() if part == r"\\" else part.encode()
        for part in parts
    )


@given(MIXED)
@quick
def test_what_is_escaped_is_text_that_says_which_bytes_it_was(data: bytes) -> None:
    shown = escaped(from_bytes(data))
    assert unescaped(shown) == data
    shown.encode()


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("é 你 😀\n".encode(), "é 你 😀\n"),
        (b"a\xffb", r"a\xffb"),
        ("你".encode()[:2], r"\xe4\xbd"),
        (rb"C:\x", r"C:\\x"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),  # a surrogate is no character
        (b"\xc0\x80", r"\xc0\x80"),  # nor is one that is longer than it need be
    ],
)
def test_utf8_is_shown_as_it_is_and_the_rest_as_escapes(data: bytes, shown: str) -> None:
    assert escaped(from_bytes(data)) == shown


def test_a_person_sees_utf8() -> None:
    assert readable(from_bytes("你".encode() + b"\xff")) == "你\ufffd"


@given(MIXED, st.lists(st.integers(0, 20)))
@quick
def test_values_of_bytes_become_those_of_characters_whatever_the_pieces(data: bytes, cuts: list[int]) -> None:
    text, values = from_bytes(data), [float(number) for number in range(len(data))]
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [(text[a:b], values[a:b]) for a, b in itertools.pairwise(edges)]
    found = list(by_characters(pieces, sum))
    shown = "".join(part for part, _ in found)
    sums = [value for _, part in found for value in part]
    assert len(shown) == len(sums)
    assert sum(sums) == sum(values)
    assert shown.replace("\ufffd", "") == data.decode("utf-8", "ignore").replace("\ufffd", "")


def test_a_character_has_the_value_of_its_bytes_together() -> None:
    pieces = [("\xe4\xbd", [1.0, 2.0]), ("\xa0\xffa", [4.0, 8.0, 16.0])]
    assert [(text, values) for text, values in by_characters(pieces, sum) if text] == [("你\ufffda", [7.0, 8.0, 16.0])]

"""Characters <-> ids: nothing is lost, nothing is confused, and nothing that is no character gets in."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from charlstm.data.vocabulary import SCALAR_VALUES, UNKNOWN, Vocabulary, codepoints, from_codepoints
from charlstm.errors import ModelFileError

quick = settings(deadline=None, derandomize=True, max_examples=150)
scalars = st.characters(exclude_categories=["Cs"])
any_text = st.text(scalars, max_size=60)

HARD = [
    "e\u0301 \u0928\u093f",  # combining marks
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\ufe0f",  # a family, joined
    "\u05e9\u05dc\u05d5\u05dd \u202b\u0645\u0631\u062d\u0628\u0627\u202c",  # right to left
    "a\0b\x01\x7f\x85\u2028",  # controls
    "\U0010ffff\U00010000\ufffd\ufffe\uffff\ufeff",  # the ends of the planes
    "",
]


def characters(count: int) -> list[str]:
    """That many different characters."""
    return [chr(number) for number in range(0x10000, 0x10000 + count)]


# ------------------------------------------------------------------------------------- there and back


@quick
@given(any_text)
def test_a_text_of_known_characters_comes_back_unchanged(text: str) -> None:
    vocabulary = Vocabulary(sorted(set(text)))
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert ids.shape == (len(text),)
    assert UNKNOWN not in ids
    assert vocabulary.start not in ids


@pytest.mark.parametrize("text", HARD)
def test_hard_texts_come_back_unchanged(text: str) -> None:
    vocabulary = Vocabulary(list(dict.fromkeys(text)))
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert from_codepoints(codepoints(text)) == text


def test_composed_and_decomposed_letters_stay_different() -> None:
    composed, decomposed = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    vocabulary = Vocabulary(["e", "\u0301", "é"])
    assert vocabulary.encode(composed).tolist() == [3]
    assert vocabulary.encode(decomposed).tolist() == [1, 2]


@pytest.mark.parametrize("text", ["", "abc", "\ud800", "a\udfffb", "\U0010ffff"])
def test_codepoints_hold_any_string(text: str) -> None:
    assert codepoints(text).tolist() == [ord(character) for character in text]
    assert from_codepoints(codepoints(text)) == text


@quick
@given(st.lists(scalars, unique=True, max_size=40))
def test_ids_count_from_one_in_the_order_given(alphabet: list[str]) -> None:
    vocabulary = Vocabulary(alphabet)
    assert vocabulary.encode("".join(alphabet)).tolist() == list(range(1, len(alphabet) + 1))
    assert len(vocabulary) == vocabulary.start == len(alphabet) + 1


# ------------------------------------------------------------------------------------ unknown characters


@quick
@given(st.frozensets(scalars, max_size=10), st.text(st.characters(), max_size=40))
@example(frozenset("a"), "\ud800a\udfff")
@example(frozenset(), "abc")
@example(frozenset("\U0010ffff"), "\U0010fffe")
def test_unknown_characters_and_only_they_become_the_unknown_symbol(known: frozenset[str], text: str) -> None:
    vocabulary = Vocabulary(sorted(known))
    ids = vocabulary.encode(text)
    assert [bool(symbol == UNKNOWN) for symbol in ids] == [character not in known for character in text]
    assert [character in vocabulary for character in text] == [character in known for character in text]
    expected = "".join(character if character in known else "\ufffd" for character in text)
    assert vocabulary.decode(ids) == expected


def test_unknown_characters_are_told_once_each_in_order_of_appearance() -> None:
    assert Vocabulary("ab").unknown_characters("zazébzy") == ["z", "é", "y"]
    assert Vocabulary("ab").unknown_characters("abba") == []


@pytest.mark.parametrize("count", [0, 1, 300])
def test_unknown_symbol_is_shared_among_all_scalar_values_outside(count: int) -> None:
    outside = sum(1 for _ in range(0x110000)) - sum(1 for _ in range(0xD800, 0xE000)) - count
    assert Vocabulary(characters(count)).unknown_nats == pytest.approx(math.log(outside), rel=1e-12)
    assert SCALAR_VALUES - count == outside


def test_code_points_of_any_shape_keep_their_shape() -> None:
    points = np.array([[ord("a"), ord("b")], [ord("?"), ord("a")]], dtype=np.uint32)
    assert Vocabulary("ab").encode_points(points).tolist() == [[1, 2], [0, 1]]


# -------------------------------------------------------------------------------------- what is refused

NOT_CHARACTERS: dict[str, Any] = {
    "two letters": ["a", "bc"],
    "an empty string": ["a", ""],
    "a letter with its combining mark": ["e\u0301"],
    "an emoji of several code points": ["\U0001f468\u200d\U0001f469"],
    "a high surrogate": ["\ud800"],
    "a low surrogate": ["\udfff"],
    "a number": ["a", 7],
    "bytes": [b"a"],
    "nothing": [None],
    "a list": [["a"]],
    "an object": [{}],
    "true": [True],
}


@pytest.mark.parametrize("entries", NOT_CHARACTERS.values(), ids=NOT_CHARACTERS.keys())
def test_what_is_not_one_character_is_refused(entries: list[Any]) -> None:
    with pytest.raises(ModelFileError, match=f"entry {len(entries) - 1} "):
        Vocabulary(entries)


def test_a_character_that_stands_twice_is_refused() -> None:
    with pytest.raises(ModelFileError, match="twice"):
        Vocabulary(["a", "b", "a"])


def test_refusal_shows_no_control_characters_and_stays_short() -> None:
    with pytest.raises(ModelFileError) as caught:
        Vocabulary(["\x1b[2J" * 100_000])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


# ------------------------------------------------------------------------------------------- the type


@pytest.mark.parametrize(
    ("count", "dtype"),
    [(0, np.uint8), (254, np.uint8), (255, np.uint16), (65534, np.uint16), (65535, np.uint32)],
)
def test_ids_have_the_smallest_type_that_also_holds_the_start_symbol(count: int, dtype: Any) -> None:
    alphabet = characters(count)
    vocabulary = Vocabulary(alphabet)
    ids = vocabulary.encode("".join(alphabet))
    assert vocabulary.dtype == ids.dtype == dtype
    assert np.array([vocabulary.start]).astype(vocabulary.dtype)[0] == vocabulary.start
    assert ids.tolist() == list(range(1, count + 1))


# ------------------------------------------------------------------------------------------- growing


@quick
@given(st.lists(scalars, unique=True, max_size=20), st.text(scalars, max_size=30))
def test_a_grown_vocabulary_keeps_its_ids_and_knows_the_new_text(old: list[str], text: str) -> None:
    before = Vocabulary(old)
    after = before.grown(text)
    assert after.characters[: len(old)] == before.characters
    assert set(after.characters) == set(old) | set(text)
    assert after.encode("".join(old)).tolist() == before.encode("".join(old)).tolist()
    assert after.decode(after.encode(text)) == text
    assert before.characters == tuple(old)

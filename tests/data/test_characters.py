"""Characters as people see them: what cannot be seen is named, and composed forms are the same however a text comes."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.data.characters import helped_by_nfc, listed, named, normalized

quick = settings(deadline=None, derandomize=True, max_examples=300)


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("a", "a"),
        ("\u00e9", "\u00e9"),
        ("\u4e00", "\u4e00"),
        ("\u0301", "U+0301 COMBINING ACUTE ACCENT"),
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\u200d", "U+200D ZERO WIDTH JOINER"),
        ("\u00a0", "U+00A0 NO-BREAK SPACE"),
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("\n", "U+000A LINE FEED"),
        ("\x07", "U+0007"),
        ("\ue000", "U+E000"),
    ],
)
def test_what_cannot_be_seen_is_named(character: str, name: str) -> None:
    assert named(character) == name


def test_characters_for_a_person_are_visible_and_few() -> None:
    assert listed(["a", "\u00e9"]) == "a \u00e9"
    assert listed(["a", "\u0301"]) == "a, U+0301 COMBINING ACUTE ACCENT"
    assert listed([chr(0x4E00 + number) for number in range(90)]).count(" ") == 89
    assert listed(["x"] * 1101) == " ".join("x" * 90) + " and 1,011 more"
    assert listed(["\u0300", "\u0301", "a"], room=1) == "U+0300 COMBINING GRAVE ACCENT and 2 more"
    marks = listed([chr(0x300 + number) for number in range(32)])
    assert marks.startswith("U+0300 COMBINING GRAVE ACCENT, U+0301 COMBINING ACUTE ACCENT, ")
    assert marks.endswith(f" and {32 - marks.count('U+')} more")
    assert 150 < len(marks) < 200


@quick
@given(st.lists(st.text(st.sampled_from("ae\n \u0301\u0323\u00e9\u1100\u1161\uac00\u11a8"), max_size=6), max_size=8))
def test_normalized_pieces_are_the_normalized_text(pieces: list[str]) -> None:
    assert "".join(normalized(pieces, "nfc")) == unicodedata.normalize("NFC", "".join(pieces))
    assert list(normalized(pieces, None)) == pieces


def test_what_is_joined_to_the_character_before_is_a_mark_or_a_part_of_a_hangul_syllable() -> None:
    every = [chr(number) for number in range(sys.maxunicode + 1)]
    pairs = (unicodedata.normalize("NFD", one) for one in every)
    joined = {pair[-1] for one, pair in zip(every, pairs, strict=True) if len(pair) > 1 and is_composed(one)}
    moved = {one for one in every if unicodedata.combining(one)}
    assert len(joined | moved) > 900
    assert all(unicodedata.category(one)[0] == "M" or "\u1160" <= one <= "\u11ff" for one in joined | moved)


def is_composed(character: str) -> bool:
    return unicodedata.normalize("NFC", character) == character


def test_a_text_without_line_ends_is_given_on_as_it_comes() -> None:
    pieces = ["\u8a9e\u304b\u3099" * 100] * 50
    given = list(normalized(iter(pieces), "nfc"))
    assert len(given) >= 50
    assert max(map(len, given)) < 400


def test_a_whole_line_is_given_on_at_once() -> None:
    source = iter(normalized(iter(["e\u0301\n", "next"]), "nfc"))
    assert next(source) == "\u00e9\n"


def test_a_text_that_would_be_known_in_its_composed_form_is_told() -> None:
    assert helped_by_nfc("cafe\u0301", set("caf\u00e9"))
    assert not helped_by_nfc("cafe\u0301", set("cafe\u0301"))
    assert not helped_by_nfc("cafe\u0301", set("caf"))
    assert not helped_by_nfc("caf\u00e9", set("caf"))
    assert not helped_by_nfc("caf\u00e9 cafe\u0301", set("cafe "))  # it would be unknown twice

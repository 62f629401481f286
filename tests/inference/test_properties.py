"""Properties of a text, character by character."""

from __future__ import annotations

import numpy as np
import pytest

from charlstm.inference.properties import PROPERTIES, PropertyReader


def column(name: str, text: str) -> list[float]:
    return [float(value) for value in PropertyReader().read(text)[:, PROPERTIES.index(name)]]


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("inside quotes", 'a "b" c', [0, 0, 1, 1, 0, 0, 0]),
        ("inside quotes", "“a”b«c»", [1, 1, 0, 0, 1, 1, 0]),
        ("inside quotes", '"a\nb\n\nc', [1, 1, 1, 1, 1, 0, 0]),  # ends with its paragraph
        ("inside brackets", "a(b)c", [0, 1, 1, 0, 0]),
        ("depth of brackets", "([x]))(", [1, 2, 2, 1, 0, 0, 1]),
        ("position in the line", "ab\nc", [1, 2, 0, 1]),
        ("position in the word", "it's a", [1, 2, 3, 4, 0, 1]),
        ("position in the word", "'a", [0, 1]),
        ("after a full stop", 'a." B', [0, 1, 1, 1, 0]),
        ("upper case", "aBß", [0, 1, 0]),
        ("digit", "a1", [0, 1]),
        ("indentation", "  a b\n\tc", [1, 2, 2, 2, 2, 0, 4, 4]),
        ("since an empty line", "a\nb\n\nc", [1, 2, 3, 4, 0, 1]),
        ("since an empty line", "a\n  \nc", [1, 2, 3, 4, 0, 1]),
    ],
)
def test_a_property_is_of_the_text_up_to_each_character(name: str, text: str, values: list[float]) -> None:
    assert column(name, text) == values


def test_a_text_in_pieces_has_the_properties_of_the_whole() -> None:
    text = 'He said: "Now (or\n\n  never) 42."\nEnd.'
    reader = PropertyReader()
    pieces = [reader.read(text[begin : begin + 3]) for begin in range(0, len(text), 3)]
    np.testing.assert_array_equal(np.concatenate(pieces), PropertyReader().read(text))


def test_bytes_beyond_ascii_are_letters_without_case_and_no_quotes() -> None:
    text = "a «É» É".encode().decode("latin-1")
    rows = PropertyReader(as_bytes=True).read(text)
    found = {name: rows[:, number].tolist() for number, name in enumerate(PROPERTIES)}
    assert not any(found["inside quotes"] + found["upper case"])
    assert found["position in the word"] == [1, 0, 1, 2, 3, 4, 5, 6, 0, 1, 2]

"""Which texts are tables: those of rows with as many fields each."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import TEXT

from charlstm.data.tables import DELIMITERS, row_length


def found(text: str) -> float:
    ids = np.array([ord(character) for character in text])
    return row_length(ids, ord("\n"), map(ord, DELIMITERS))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ", "])
def test_rows_of_as_many_fields_are_a_table_however_long_the_fields(delimiter: str) -> None:
    rows = [delimiter.join([str(number), "x" * (number % 7), "open"]) + "\n" for number in range(200)]
    assert found("".join(rows)) == pytest.approx(sum(map(len, rows)) / 200)
    assert found("".join(rows[:150])[:-1]) > 0  # the last line without its end
    assert found("a note, before the table\n" + "".join(rows)) > 0


@pytest.mark.parametrize(
    "text",
    ["", "a,b,c\n" * 20, TEXT * 50, "one field\n" * 500, "ab,cd\n" * 500, "a,b,c\na,b\n" * 500, "a,b,c," * 5000],
    ids=["empty", "few rows", "prose", "no delimiter", "two fields", "ragged", "one line"],
)
def test_other_texts_are_none(text: str) -> None:
    assert found(text) == 0.0


def test_prose_with_commas_is_none() -> None:
    rng = np.random.default_rng(0)
    lines = (", ".join(["some words"] * rng.integers(1, 6)) + ".\n" for _ in range(2000))
    assert found("".join(lines)) == 0.0

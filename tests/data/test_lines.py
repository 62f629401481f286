"""Lines of ids: nothing is lost where a text is cut, and a part of them comes from all over it."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.data.lines import bounds_by_piece, lines_all_over, split_lines
from charlstm.data.vocabulary import Ids

quick = settings(deadline=None, derandomize=True, max_examples=150)
LINE_END = 1


def records_of(lengths: list[int]) -> Ids:
    """Lines of these lengths, newline included, in which every other id is different; the last is whole."""
    parts: list[int] = []
    for length in lengths:
        begin = len(parts) + 10
        parts += [*range(begin, begin + length - 1), LINE_END]
    return np.array(parts, dtype=np.uint16)


@quick
@given(st.lists(st.integers(2, 60), max_size=15), st.integers(1, 1000))
def test_lines_are_taken_from_all_over_a_text(lengths: list[int], most: int) -> None:
    ids = records_of([*lengths, 2])
    lines = [tuple(line.tolist()) for line in split_lines(ids, LINE_END)]
    kept = [tuple(line.tolist()) for line in split_lines(lines_all_over(ids, LINE_END, most), LINE_END)]
    places = [lines.index(line) for line in kept]
    assert kept == lines if len(ids) <= most else set(np.diff(places)) <= {-(-len(ids) // most)}
    assert not places or places[0] == 0


def test_a_text_that_is_looked_at_piece_by_piece_gives_the_lines_that_it_gives_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = records_of([2 + number % 7 for number in range(300)])
    whole = lines_all_over(ids, LINE_END, 200)
    for size in (10, 33, 100):
        monkeypatch.setattr("charlstm.data.lines.bounds_by_piece", functools.partial(bounds_by_piece, size=size))
        assert lines_all_over(ids, LINE_END, 200).tolist() == whole.tolist()


def test_about_as_many_characters_of_lines_are_taken_as_were_asked_for() -> None:
    assert len(lines_all_over(records_of([8] * 1000), LINE_END, 2000)) == 2000


@quick
@given(st.lists(st.integers(0, 3), max_size=30))
def test_split_lines_cuts_after_every_line_end(symbols: list[int]) -> None:
    lines = split_lines(np.array(symbols, dtype=np.uint8), 3)
    assert [symbol for line in lines for symbol in line.tolist()] == symbols
    assert all(3 not in line[:-1].tolist() and len(line) for line in lines)
    assert all(line[-1] == 3 for line in lines[:-1])

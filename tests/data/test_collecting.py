"""Several texts as one: where each of them begins."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlstm.data.collecting import Collector, collect


@pytest.mark.parametrize("last", ["", "\n"])
def test_a_text_begins_behind_the_newline_that_the_one_before_it_lacked(last: str) -> None:
    texts = [f"one{last}", "", "two\nlines", "three\n", f"one{last}", "four"]
    found = collect([], texts)
    whole = "".join(chr(point) for point in found.points[found.ids])
    assert whole == "one\ntwo\nlines\nthree\nfour"
    parts = [whole[begin:end] for begin, end in pairwise([*found.starts, len(whole)])]
    assert [part for part in parts if part] == ["one\n", "two\nlines\n", "three\n", "four"]


def test_of_many_copies_of_a_text_a_few_are_named_and_the_others_counted() -> None:
    found = collect([], ["one text\n"] * 30)
    assert len(found.notes) == 11
    assert found.notes[-1] == "19 more texts: left out, each has the same content as another"


@given(st.lists(st.text("edcb\né中😀", min_size=1), min_size=1, max_size=8))
def test_the_numbers_do_not_depend_on_how_a_text_comes_in_pieces(scratch: Path, pieces: list[str]) -> None:
    """A pipe gives other pieces than a file, and which lines are held out depends on the numbers."""
    cut, whole = Collector(str(scratch)), Collector(str(scratch))
    for piece in pieces:
        cut.add(piece)
    whole.add("".join(pieces))
    found, expected = cut.collected(), whole.collected()
    assert found.points.tolist() == [ord(character) for character in dict.fromkeys("".join(pieces))]
    assert found.points.tolist() == expected.points.tolist()
    np.testing.assert_array_equal(found.ids, expected.ids)

"""Several texts as one: where each of them begins."""

from __future__ import annotations

from itertools import pairwise

import pytest

from charlstm.data.collecting import collect


@pytest.mark.parametrize("last", ["", "\n"])
def test_a_text_begins_behind_the_newline_that_the_one_before_it_lacked(last: str) -> None:
    texts = [f"one{last}", "", "two\nlines", "three\n", f"one{last}", "four"]
    found = collect([], texts)
    whole = "".join(chr(point) for point in found.points[found.ids])
    assert whole == "one\ntwo\nlines\nthree\nfour"
    parts = [whole[begin:end] for begin, end in pairwise([*found.starts, len(whole)])]
    assert [part for part in parts if part] == ["one\n", "two\nlines\n", "three\n", "four"]

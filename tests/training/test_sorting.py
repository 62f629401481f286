"""Sorting a text's positions: what sorting slices of it would give, at every alphabet and length."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlstm.training import sorting
from charlstm.training.sorting import longest_sorted, packed, sorted_text

VOCAB_SIZE = 6


def following(text: list[int], at: int, most: int, record_end: int | None) -> list[int]:
    """The characters from a position on, up to the end of its record or of the text."""
    end = at + 1
    while end < len(text) and end - at < most and not (end - 1 > at and text[end - 1] == record_end):
        end += 1
    return text[at:end]


def in_common(first: list[int], second: list[int]) -> int:
    return next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=200),
    st.sampled_from([6, 127, 250, 5000, 70_000]),
    st.sampled_from([None, 1]),
    st.data(),
)
def test_positions_are_in_the_order_of_what_follows(
    text: list[int], vocab_size: int, record_end: int | None, data: st.DataObject
) -> None:
    order = data.draw(st.integers(1, min(16, longest_sorted(vocab_size))))
    found = sorted_text(np.array(text), vocab_size, order, record_end)
    slices = [following(text, at, order, record_end) for at in found.positions.tolist()]
    assert slices == sorted(slices)
    assert sorted(found.positions.tolist()) == list(range(len(text)))
    assert found.lengths.tolist() == [len(some) for some in slices]
    assert found.shared.tolist() == [0, *(in_common(*pair) for pair in pairwise(slices))]
    assert found.ranks[found.positions].tolist() == list(range(len(text)))


def test_an_empty_text_is_sorted() -> None:
    assert not len(sorted_text(np.zeros(0, np.uint8), VOCAB_SIZE, 5).positions)


def test_a_text_is_packed_in_pieces_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    text = np.random.default_rng(0).integers(0, VOCAB_SIZE, 100)
    for record_end in (None, 1):
        whole = packed(text, VOCAB_SIZE, 5, record_end)
        with monkeypatch.context() as patch:
            patch.setattr(sorting, "PIECE", 7)
            assert (packed(text, VOCAB_SIZE, 5, record_end) == whole).all()

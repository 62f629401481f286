"""Occurrences: which n-gram begins where, in 11 bytes a character."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlstm.models.ngrams import ABSENT, NgramModel
from charlstm.training import occurrences
from charlstm.training.counting import count_text

VOCAB_SIZE = 6
NEWLINE = 1
texts = st.lists(st.integers(1, VOCAB_SIZE - 1), min_size=2, max_size=80)


@given(texts, st.integers(2, 5), st.sampled_from([None, NEWLINE]), st.integers(60, 2000), st.booleans())
def test_contexts_are_those_that_walking_finds(
    text: list[int], order: int, record_end: int | None, room: int, short: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(occurrences, "MOST_UNPACKED", 1000 if short else 0)
        counted = count_text(np.array(text), VOCAB_SIZE, order, record_end=record_end, most_bytes=room, located=True)
        assert counted.occurrences
        model = NgramModel(VOCAB_SIZE, counted.tensors, newline=NEWLINE)
        walked = model.walk(np.array(text)[:, None], model.start(1))[:, :-1, 0]
        found = counted.occurrences.ending(np.arange(-1, len(text) - 1))[:-1]
    np.testing.assert_array_equal(found[:, 1:], walked)
    assert (found[:, 0] == ABSENT).all()


@given(texts, st.integers(1, 4), st.booleans())
def test_of_ngrams_that_end_at_a_position_all_are_found(text: list[int], order: int, short: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(occurrences, "MOST_UNPACKED", 1000 if short else 0)
        found = count_text(np.array(text), VOCAB_SIZE, order, located=True).occurrences
        assert found
        ending = found.ending(np.arange(len(text)))
    grams = [sorted({tuple(text[end - n : end]) for end in range(n, len(text) + 1)}) for n in range(1, order + 1)]
    for at in range(len(text)):
        for n in range(1, min(order, len(text)) + 1):
            gram = tuple(text[at + 1 - n : at + 1])
            assert ending[n - 1, at] == (grams[n - 1].index(gram) if at + 1 >= n else ABSENT)


def test_a_long_text_takes_11_bytes_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occurrences, "MOST_UNPACKED", 0)
    text = np.random.default_rng(0).integers(1, VOCAB_SIZE, 20_000)
    found = count_text(text, VOCAB_SIZE, 9, located=True).occurrences
    assert found
    found.ending(np.arange(10))
    kept = sum(array.nbytes for array in vars(found).values() if isinstance(array, np.ndarray))
    assert kept < 11 * len(text)


@given(texts, st.integers(2, 5), st.sampled_from([None, NEWLINE]), st.integers(60, 2000))
def test_what_occurs_nowhere_else_is_known_though_it_was_not_kept(
    text: list[int], order: int, record_end: int | None, room: int
) -> None:
    counted = count_text(np.array(text), VOCAB_SIZE, order, record_end=record_end, most_bytes=room, located=True)
    assert counted.occurrences
    alone = counted.occurrences.alone(np.arange(len(text)))
    for level, at in np.ndindex(alone.shape):
        n = level + 2
        begins = [begin for begin in range(len(text) - n + 1) if is_whole(text[begin : begin + n], record_end)]
        here = at + 1 - n
        copies = sum(text[begin : begin + n] == text[here : at + 1] for begin in begins if here in begins)
        assert alone[level, at] == (copies < 2 or n > order)


def is_whole(gram: list[int], record_end: int | None) -> bool:
    """Whether an n-gram lies in one record, but for the end of the one before."""
    return record_end not in gram[1:-1]

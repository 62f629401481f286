"""The n-gram model: a proper distribution, one character at a time or many, and no trust in what a file says."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import ngrams_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from charlstm.errors import ModelFileError
from charlstm.models.ngrams import ABSENT, CODES_PER_OCTAVE, NgramModel, check_tries, decoded, encoded, tensor_types

texts = st.lists(st.integers(0, 5), min_size=2, max_size=60)
VOCAB_SIZE, NEWLINE = 6, 1


def model_of(text: list[int], order: int) -> NgramModel:
    return NgramModel(VOCAB_SIZE, ngrams_of(text, VOCAB_SIZE, order), NEWLINE)


def contexts_of(model: NgramModel, read: list[int]) -> NDArray[Any]:
    """(C, T) after each character, the start symbol first."""
    ids = np.array([VOCAB_SIZE, *read])[:, None]
    return model.walk(ids, model.start(1))[:, :, 0]


@given(texts, texts, st.integers(1, 5))
def test_the_probabilities_after_every_context_sum_to_one(text: list[int], read: list[int], order: int) -> None:
    model = model_of(text, order)
    rows = model.probabilities(contexts_of(model, read))
    assert (rows > 0).all()
    assert rows.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


@given(texts, texts, st.integers(1, 5))
def test_one_character_at_a_time_gives_what_many_give(text: list[int], read: list[int], order: int) -> None:
    model = model_of(text, order)
    contexts = contexts_of(model, read)
    expected = model.log_probabilities(contexts)
    alone = model.start(1)
    for t, symbol in enumerate([VOCAB_SIZE, *read]):
        alone = model.advance_one(symbol, alone)
        assert alone[:, 0].tolist() == contexts[:, t].tolist()
        assert model.log_row(alone) == pytest.approx(expected[t], abs=1e-5)


@given(texts, texts, st.integers(1, 5))
def test_the_probability_of_one_character_is_that_in_the_row_of_all(
    text: list[int], read: list[int], order: int
) -> None:
    model = model_of(text, order)
    contexts = contexts_of(model, read)
    targets = np.array([*read, 0])
    rows = model.probabilities(contexts)
    assert model.probabilities_of(targets, contexts) == pytest.approx(rows[np.arange(len(targets)), targets], rel=1e-4)


@given(texts, texts, texts)
def test_reading_in_two_pieces_is_reading_at_once(text: list[int], first: list[int], second: list[int]) -> None:
    model = model_of(text, 4)
    whole = np.array([first + second, first + second]).T  # (T, B)
    middle = model.walk(whole[: len(first)], model.start(2))[:, -1]
    assert (model.walk(whole[len(first) :], middle)[:, -1] == model.walk(whole, model.start(2))[:, -1]).all()


def test_a_vocabulary_too_large_for_the_matrix_of_pairs_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of([1, 2, 3, 1, 2, 4, 5, 1, 2, 3], 4)
    contexts = contexts_of(model, [1, 2, 3, 1, 5, 2])
    expected = model.probabilities(contexts)
    monkeypatch.setattr("charlstm.models.ngrams.DENSE_VOCABULARY", 0)
    monkeypatch.setattr("charlstm.models.ngrams.MOST_EXPANDED", 3)
    assert model.probabilities(contexts) == pytest.approx(expected)


def test_full_caches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charlstm.models.ngrams.CACHED_NUMBERS", 7)
    test_one_character_at_a_time_gives_what_many_give()


def test_no_more_rows_are_kept_than_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charlstm.models.ngrams.CACHED_NUMBERS", 10 * VOCAB_SIZE)
    model = model_of(np.random.default_rng(0).integers(0, VOCAB_SIZE, 300).tolist(), 5)
    rows = [weakref.ref(model.log_row(np.array([[ABSENT], [ABSENT], [ABSENT], [node]]))) for node in range(100)]
    assert 0 < sum(row() is not None for row in rows) <= 11


def test_a_text_begins_as_after_a_newline() -> None:
    model = model_of([NEWLINE, 2, 3, NEWLINE, 2, 4, NEWLINE, 2, 3], 3)
    after_start = model.walk(np.array([[VOCAB_SIZE]]), model.start(1))[:, 0]
    after_more = model.walk(np.array([[3], [VOCAB_SIZE]]), model.start(1))[:, -1]
    assert (after_start == after_more).all()
    assert model.probabilities(after_start)[0].argmax() == 2


def test_no_logarithm_is_of_nothing_however_little_is_left() -> None:
    """As after many contexts that leave next to nothing, each a single continuation."""
    tensors: dict[str, NDArray[Any]] = {}
    for level in range(20):
        for name, value in (("followers", 1), ("backoff", 255), ("symbols", 2), ("probabilities", 0)):
            tensors[f"ngrams.{level}.{name}"] = np.array([value], np.uint8)
    check_tries(tensors, VOCAB_SIZE, 20)
    model = NgramModel(VOCAB_SIZE, tensors, NEWLINE)
    contexts = contexts_of(model, [2] * 20)[:, -1:]
    assert (contexts != ABSENT).all()
    logs = model.log_probabilities(contexts)[0]
    assert np.isfinite(logs).all()
    assert logs[2] == pytest.approx(0, abs=1e-5)
    assert model.log_row(contexts) == pytest.approx(logs)


def test_what_the_text_never_held_leaves_no_context() -> None:
    model = model_of([1, 2, 3, 1, 2, 3], 3)
    contexts = contexts_of(model, [5, 4])
    assert (contexts[:, -1] == ABSENT).all()


@settings(max_examples=50)
@given(st.floats(2**-21, 1.0))
def test_a_code_is_off_by_three_percent_at_most(p: float) -> None:
    code = encoded(np.array([p]))
    assert decoded(code)[0] == pytest.approx(p, rel=2 ** (0.5 / CODES_PER_OCTAVE) - 1 + 1e-6)


def test_names_shapes_and_types_are_told_beforehand() -> None:
    tensors = ngrams_of([1, 2, 3, 1, 2, 4, 5, 1, 2, 3], VOCAB_SIZE, 3)
    sizes = [len(tensors[f"ngrams.{level}.symbols"]) for level in range(3)]
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()} == tensor_types(VOCAB_SIZE, sizes)


BROKEN: dict[str, tuple[str, Callable[[NDArray[Any]], NDArray[Any]], str]] = {
    "a symbol outside the vocabulary": ("ngrams.1.symbols", lambda t: np.full_like(t, VOCAB_SIZE), "outside"),
    "more followers than n-grams": ("ngrams.1.followers", lambda t: t + 1, "add up"),
    "contexts that are not there": ("ngrams.2.followers", lambda t: t[:-1], "add up"),
    "no n-grams": ("ngrams.1.symbols", lambda t: t[:0], "add up"),
    "a symbol twice after one context": ("ngrams.0.symbols", lambda t: np.full_like(t, 1), "order"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_tensors_that_contradict_each_other_are_refused(case: str) -> None:
    name, change, message = BROKEN[case]
    tensors = ngrams_of([1, 2, 3, 1, 2, 4, 5, 1, 2, 3], VOCAB_SIZE, 3)
    tensors[name] = change(tensors[name])
    with pytest.raises(ModelFileError, match=message):
        check_tries(tensors, VOCAB_SIZE, 3)


def test_a_context_that_nothing_follows_leaves_all_to_the_shorter_one_whatever_a_file_says() -> None:
    tensors = ngrams_of([1, 2, 3, 1, 2, 4], VOCAB_SIZE, 3)
    ends = tensors["ngrams.2.followers"] == 0
    assert ends.any()
    tensors["ngrams.2.backoff"][ends] = 100
    check_tries(tensors, VOCAB_SIZE, 3)
    model = NgramModel(VOCAB_SIZE, tensors, NEWLINE)
    assert model.probabilities(contexts_of(model, [1, 2, 4])).sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_what_was_counted_passes_the_check() -> None:
    check_tries(ngrams_of([1, 2, 3, 1, 2, 4, 5, 1, 2, 3], VOCAB_SIZE, 3), VOCAB_SIZE, 3)

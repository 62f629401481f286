"""Dense rows: what an n-gram model says, with the rows of frequent contexts kept."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import ngrams_of
from hypothesis import given
from hypothesis import strategies as st

from charlstm.models import dense_rows
from charlstm.models.candidates import Candidates
from charlstm.models.dense_rows import DenseRows
from charlstm.models.ngrams import ABSENT, NgramModel


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=80),
    st.integers(1, 5),
    st.integers(1, 3),
    st.sampled_from([1, 30, 1000]),
)
def test_rows_are_those_of_the_model(text: list[int], order: int, few: int, numbers: int) -> None:
    model = NgramModel(6, ngrams_of(text, 6, order), newline=1)
    contexts = model.walk(np.array([1, *text])[:, None], model.start(1))[:, :, 0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense_rows, "FEW", few)
        rows = DenseRows(model, numbers).probabilities(contexts)
    np.testing.assert_allclose(rows, model.probabilities(contexts), rtol=1e-5)


def test_no_more_numbers_are_kept_than_allowed() -> None:
    text = np.random.default_rng(0).integers(0, 50, 20_000).tolist()
    model = NgramModel(50, ngrams_of(text, 50, 4), newline=1)
    contexts = np.full((model.longest, 1), ABSENT)
    for numbers in (50, 1000, 100_000):
        rows = DenseRows(model, numbers)
        assert rows.size <= max(1, numbers // 50) + 1
        np.testing.assert_allclose(rows.probabilities(contexts), model.probabilities(contexts), rtol=1e-6)


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=80),
    st.integers(1, 5),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_of_some_symbols_they_are_the_columns_of_all(text: list[int], order: int, chosen: list[bool]) -> None:
    model = NgramModel(6, ngrams_of(text, 6, order), newline=1)
    contexts = model.walk(np.array([1, *text])[:, None], model.start(1))[:, :, 0]
    candidates = Candidates.of(np.array(chosen))
    rows = DenseRows(model, 30)
    np.testing.assert_allclose(
        rows.probabilities(contexts, candidates), rows.probabilities(contexts)[:, candidates.symbols], rtol=1e-5
    )

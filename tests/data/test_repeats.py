"""What stands twice is found, whatever its position, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.data import repeats
from charlstm.data.lines import line_bounds, split_lines
from charlstm.data.repeats import PASSAGE, STRIDE, line_hashes, repeated_lines, repeated_passages
from charlstm.data.vocabulary import UNKNOWN, Ids

quick = settings(deadline=None, derandomize=True, max_examples=150)
NEWLINE = 2


def random_text(size: int, seed: int = 0) -> Ids:
    return np.random.default_rng(seed).integers(1, 60, size).astype(np.uint8)


@quick
@given(st.lists(st.integers(0, 2), max_size=60), st.integers(1, 20))
def test_equal_lines_and_no_others_have_equal_hashes(symbols: list[int], piece: int) -> None:
    ids = np.array(symbols, dtype=np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "PIECE", piece)
        hashes = line_hashes(ids, line_bounds(ids, NEWLINE)).tolist()
    lines = [line.tobytes() for line in split_lines(ids, NEWLINE)]
    pairs = set(zip(lines, hashes, strict=True))
    assert len(pairs) == len(set(lines)) == len(set(hashes))


def test_a_text_of_other_characters_repeats_nothing() -> None:
    assert repeated_passages(random_text(5000), random_text(50_000, 1)) == 0
    assert repeated_passages(random_text(PASSAGE - 1), random_text(PASSAGE - 1)) == 0


@pytest.mark.parametrize("offset", [0, 1, STRIDE - 1, STRIDE, 333])
@pytest.mark.parametrize("length", [PASSAGE + STRIDE, 500, 4000])
def test_a_passage_is_found_wherever_it_stands(offset: int, length: int) -> None:
    searched = random_text(20_000)
    checked = np.concatenate([random_text(2000, 1), searched[offset : offset + length], random_text(2000, 2)])
    found = repeated_passages(checked, searched) * len(checked)
    assert length - 2 * STRIDE < found <= length


def test_of_long_texts_a_sample_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = random_text(200_000)
    checked = np.concatenate([searched[:100_000], random_text(100_000, 1)])
    monkeypatch.setattr(repeats, "MOST_CHECKED", 64 * 1000)
    assert repeated_passages(checked, searched) == pytest.approx(0.5, abs=0.1)
    monkeypatch.setattr(repeats, "MOST_PASSAGES", 2000)
    assert repeated_passages(checked, searched) == pytest.approx(0.5, abs=0.1)


def test_the_fraction_of_lines_that_stand_in_another_text() -> None:
    searched = np.array([5, NEWLINE, 6, NEWLINE, 7, NEWLINE])
    assert repeated_lines(np.array([7, NEWLINE, 8, NEWLINE, 5, NEWLINE, 5, 6, NEWLINE]), searched, NEWLINE) == 0.5


def test_unknown_characters_are_not_taken_for_the_same() -> None:
    """They all have one id, whatever they are."""
    unknown = np.full(500, UNKNOWN, dtype=np.uint8)
    known = random_text(500, 2)
    assert repeated_passages(unknown, unknown) == 0
    assert repeated_passages(np.concatenate([unknown, known]), np.concatenate([known, unknown])) == pytest.approx(
        0.5, abs=0.1
    )
    lines = np.tile(np.array([UNKNOWN, 1, NEWLINE], dtype=np.uint8), 40)
    assert repeated_lines(lines, lines, NEWLINE) == 0

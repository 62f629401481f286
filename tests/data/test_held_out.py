"""What a validation reads: every block, or stretches of them, behind what stands before it in its text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import TEXT, corpus_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from charlstm.data.held_out import CONTEXT, STRETCH, Contexts, Sample, no_contexts, sample_of_text
from charlstm.data.vocabulary import Ids

quick = settings(deadline=None, derandomize=True, max_examples=100)
NEWLINE = 0


def text_of(size: int, line: int) -> Ids:
    """A text whose ids say where they stand, but for a line end at every so many."""
    ids = np.arange(1, size + 1)
    ids[line - 1 :: line] = NEWLINE
    return ids


def blocks_of(size: int, edges: list[int]) -> NDArray[np.int64]:
    """Blocks of a text, between every second two of these places."""
    places = sorted({edge % size for edge in edges})
    return np.array(places[: len(places) // 2 * 2], dtype=np.int64).reshape(-1, 2)


def held_out(ids: Ids, blocks: NDArray[np.int64]) -> Ids:
    return np.concatenate([ids[:0], *(ids[begin:end] for begin, end in blocks)])


def runs(sample: Sample) -> list[tuple[Ids, bool]]:
    """A sample cut where what counts and what does not meet."""
    edges = np.flatnonzero(np.diff(sample.scored)) + 1
    pieces = np.split(sample.ids, edges)
    counts = np.split(sample.scored, edges)
    return [(piece, bool(scored[0])) for piece, scored in zip(pieces, counts, strict=True) if len(piece)]


@quick
@given(st.integers(1, 5000), st.integers(1, 900), st.lists(st.integers(0, 10_000), max_size=12))
def test_what_stands_before_a_block_is_read_and_does_not_count(size: int, line: int, edges: list[int]) -> None:
    ids = text_of(size, line)
    blocks = blocks_of(size, edges)
    part = held_out(ids, blocks)
    sample = sample_of_text(part, Contexts.of(ids, blocks), NEWLINE, max(1, len(part)))
    assert sample.text.tolist() == part.tolist()
    assert len(sample) == len(part)
    expected = []
    for begin, end in blocks:
        window = ids[max(0, begin - CONTEXT) : begin].tolist()
        first = window.index(NEWLINE) + 1 if NEWLINE in window[:-1] else 0
        expected += [*window[first:], *ids[begin:end].tolist()]
    assert sample.ids.tolist() == expected


@quick
@given(st.integers(2000, 60_000), st.integers(40, 3000), st.lists(st.integers(0, 60_000), max_size=12), st.data())
def test_of_a_long_part_each_stretch_is_read_behind_what_stands_before_it(
    size: int, line: int, edges: list[int], data: st.DataObject
) -> None:
    ids = text_of(size, line)
    blocks = blocks_of(size, edges)
    part = held_out(ids, blocks)
    sample = sample_of_text(part, Contexts.of(ids, blocks), NEWLINE, data.draw(st.integers(1, size)))
    before: Ids = ids[:0]
    for piece, counts in runs(sample):
        if counts and len(before):  # numbers go on from the one to the other; line ends are where they should be
            both = np.concatenate([before, piece[: line + 1]])
            places = both[both != NEWLINE] - np.flatnonzero(both != NEWLINE)
            assert (places == places[:1]).all()
            assert len(before) <= CONTEXT
        before = piece[:0] if counts else piece


def test_a_part_without_contexts_is_read_as_it_is() -> None:
    part = text_of(1000, 50)
    sample = sample_of_text(part, no_contexts(), NEWLINE, 1000)
    assert sample.ids.tolist() == part.tolist()
    assert sample.scored.all()
    few = sample_of_text(text_of(100_000, 50), no_contexts(), NEWLINE, 10_000)
    assert not few.scored[STRETCH:].all()  # of a stretch from its midst, too, something stands before


def test_stretches_of_a_sample_keep_what_counts() -> None:
    sample = Sample(np.arange(1000), np.arange(1000) % 3 > 0)
    some = sample.at_most(300, 4)
    assert len(some.ids) == 300
    assert (some.scored == (some.ids % 3 > 0)).all()
    assert sample.at_most(1000, 4).ids.tolist() == sample.ids.tolist()


@pytest.mark.parametrize(
    ("options", "known"),
    [({}, True), ({"val_split": "end"}, False), ({"lines": True}, False), ({"validation": 1}, False)],
)
def test_blocks_of_running_text_have_a_context_and_nothing_else_has(options: dict[str, Any], known: bool) -> None:
    if "validation" in options:
        options = {"validation": [__file__]}
    corpus = corpus_of(texts=[TEXT * 20], **options)
    assert (len(corpus.contexts.ids) > 0) is known
    sample = sample_of_text(corpus.validation, corpus.contexts, corpus.line_end, len(corpus.validation))
    assert sample.text.tolist() == corpus.validation.tolist()
    if known:
        assert corpus.vocabulary.decode(sample.ids[~sample.scored][:100]) in TEXT * 20

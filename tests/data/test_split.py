"""The held-out part: it is cut out of the text, comes from all over it, and has the size that was asked for."""

from __future__ import annotations

import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.data import split as splits
from charlstm.data.lines import split_lines
from charlstm.data.split import CERTAIN, COMMON, Boundaries, Split, last_lines, random_lines, spread_blocks, the_end
from charlstm.data.vocabulary import Ids

quick = settings(deadline=None, derandomize=True, max_examples=150)
NEWLINE, SPACE = 0, 1


def numbered(size: int, line: int = 0, paragraph: int = 0) -> Ids:
    """A text in which every other id says where it stands, with a line end and an empty line at every so many."""
    ids = np.arange(10, 10 + size, dtype=np.uint32)
    if line:
        ids[line - 1 :: line] = NEWLINE
    if paragraph:
        ids[paragraph - 1 :: paragraph] = NEWLINE
        ids[paragraph - 2 :: paragraph] = NEWLINE
    return ids


def applied(split: Split, ids: Ids) -> tuple[Ids, Ids]:
    """The training part and the held-out part."""
    training, held_out = (np.concatenate(part) for part in zip(*split.cut(ids), strict=True))
    return training, held_out


def assert_parts_of(split: Split, ids: Ids) -> None:
    """The blocks are disjoint, in order and not empty; with what is between them they are the text."""
    edges = split.blocks.ravel()
    assert (np.diff(edges) > 0).all()
    assert not len(edges) or (edges[0] >= 0 and edges[-1] <= len(ids))
    training, held_out = applied(split, ids)
    assert len(training)
    mask = np.zeros(len(ids), dtype=bool)
    for begin, end in split.blocks:
        mask[begin:end] = True
    np.testing.assert_array_equal(ids[~mask], training)
    np.testing.assert_array_equal(ids[mask], held_out)


# ------------------------------------------------------------------------------------------------ blocks


@quick
@given(
    st.integers(100, 60_000), st.floats(0, 0.9), st.integers(0, 2**63 - 1), st.integers(0, 3000), st.integers(0, 5000),
    st.lists(st.integers(1, 60_000), max_size=30),
)  # fmt: skip
def test_blocks_and_what_is_between_them_are_the_text(
    size: int, fraction: float, seed: int, line: int, paragraph: int, starts: list[int]
) -> None:
    ids = numbered(size, line, paragraph)
    text = Boundaries(ids, sorted({start for start in starts if start < size}), NEWLINE, SPACE)
    split = spread_blocks(text, fraction, seed)
    assert_parts_of(split, ids)
    np.testing.assert_array_equal(spread_blocks(text, fraction, seed).blocks, split.blocks)
    held_out = int(np.diff(split.blocks).sum())
    assert held_out / size == pytest.approx(fraction, abs=0.02 if fraction < 0.5 else 0.1)
    assert bool(split.description) == bool(held_out)


@pytest.mark.parametrize("size", [500, 20_000, 1_000_000])
@pytest.mark.parametrize("fraction", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("line", [0, 40, 1500])
def test_blocks_have_the_size_that_was_asked_for(size: int, fraction: float, line: int) -> None:
    ids = numbered(size, line)
    for seed in range(5):
        split = spread_blocks(Boundaries(ids, (), NEWLINE, SPACE), fraction, seed)
        assert int(np.diff(split.blocks).sum()) / size == pytest.approx(fraction, abs=0.006)


def test_a_longer_text_has_more_and_longer_blocks() -> None:
    blocks = [spread_blocks(Boundaries(numbered(size)), 0.1, 0).blocks for size in (500, 20_000, 1_000_000)]
    assert [2, 5, 20] <= [len(found) for found in blocks] <= [4, 12, 50]
    assert all(10 <= length <= 40 for length in np.diff(blocks[0]))
    assert all(1000 <= length <= 5000 for length in np.diff(blocks[2]))


def test_blocks_are_cut_at_empty_lines_else_at_line_ends_else_between_words() -> None:
    paragraphs = numbered(200_000, 50, 400)
    for begin, end in spread_blocks(Boundaries(paragraphs, (), NEWLINE, SPACE), 0.1, 0).blocks[:-1]:
        assert begin % 400 == 0
        assert end % 400 == 0
    lines = numbered(200_000, 50)
    for begin, end in spread_blocks(Boundaries(lines, (), NEWLINE, SPACE), 0.1, 0).blocks:
        assert begin % 50 == 0
        assert end % 50 == 0
    words = np.where(numbered(200_000, 5) == NEWLINE, SPACE, numbered(200_000))
    for begin, end in spread_blocks(Boundaries(words, (), NEWLINE, SPACE), 0.1, 0).blocks:
        assert begin % 5 == 0
        assert end % 5 == 0


def test_what_shares_its_names_is_held_out_whole_where_several_empty_lines_part_it() -> None:
    """Else half of a class or a chapter is trained on, and what its other half says is known."""
    for size in (700, 1000, 1500, 2500):
        classes = numbered(300_000, 50, 100)
        classes[size - 3 :: size] = classes[size - 2 :: size] = classes[size - 1 :: size] = NEWLINE
        for seed in range(5):
            blocks = spread_blocks(Boundaries(classes, (), NEWLINE, SPACE), 0.1, seed).blocks
            whole = (blocks % size == 0).all(axis=1)  # but for the last one, and where a stratum ends too soon
            assert whole.mean() > 0.75
            assert int(np.diff(blocks).sum()) / len(classes) == pytest.approx(0.1, abs=0.006)


def test_no_rhythm_of_the_text_is_in_step_with_the_blocks() -> None:
    """However long a card is, each of its fields has about its tenth of the held-out part."""
    for line in (7, 20, 100, 250):
        ids = numbered(10 * line * 200, line)
        field = np.arange(len(ids)) // line % 10
        counts = np.zeros(10)
        for seed in range(20):
            _, held_out = applied(spread_blocks(Boundaries(ids, (), NEWLINE, SPACE), 0.1, seed), field)
            counts += np.bincount(held_out, minlength=10)
        assert counts.min() > 0.7 * counts.mean(), line


def test_every_part_of_a_text_is_held_out_as_often_as_others() -> None:
    counts = np.zeros(10)
    for seed in range(100):
        _, held_out = applied(spread_blocks(Boundaries(numbered(50_000)), 0.1, seed), np.arange(50_000) // 5000)
        counts += np.bincount(held_out, minlength=10)
    assert counts.min() > 0.8 * counts.mean()


def test_a_file_of_a_tenth_of_the_text_gives_its_tenth() -> None:
    ids = numbered(100_000, 50)
    for seed in range(20):
        blocks = spread_blocks(Boundaries(ids, (0, 30_000, 40_000), NEWLINE, SPACE), 0.1, seed).blocks
        inside = np.clip(blocks, 30_000, 40_000)
        assert 700 <= int(np.diff(inside).sum()) <= 1300


def test_small_files_are_taken_together() -> None:
    """Else a scrap of each is held out, and what is trained on has a jump in every file."""
    ids = numbered(50_000, 50)
    few, many = (
        spread_blocks(Boundaries(ids, starts, NEWLINE, SPACE), 0.1, 0).blocks for starts in ((), range(0, 50_000, 100))
    )
    assert len(few) <= len(many) <= 4 * len(few)


def test_nothing_is_held_out_where_that_is_asked_for() -> None:
    for split in (spread_blocks(Boundaries(numbered(5000)), 0.0, 0), the_end(numbered(5000), 0.0)):
        assert (len(split.blocks), split.description) == (0, "")


# ------------------------------------------------------------------------------------------------ lines

some_lines = st.lists(st.lists(st.integers(2, 4), max_size=4), min_size=2, max_size=60)


@quick
@given(some_lines, st.floats(0.01, 0.9), st.integers(0, 2**63 - 1))
def test_equal_lines_are_on_one_side(lines: list[list[int]], fraction: float, seed: int) -> None:
    ids = np.array([symbol for line in lines for symbol in (*line, NEWLINE)], dtype=np.uint8)
    split = random_lines(ids, fraction, NEWLINE, seed)
    assert_parts_of(split, ids)
    np.testing.assert_array_equal(random_lines(ids, fraction, NEWLINE, seed).blocks, split.blocks)
    training, held_out = ({line.tobytes() for line in split_lines(part, NEWLINE)} for part in applied(split, ids))
    copies = collections.Counter(bytes(line) for line in lines)
    least = min(COMMON, CERTAIN / fraction)
    assert all(copies[line[:-1]] >= least for line in training & held_out)
    if max(copies.values()) < least:
        assert bool(held_out) == (len(copies) > 1)
        assert len(held_out) <= max(1, round(fraction * len(lines)))


def test_distinct_lines_are_drawn_at_random_by_the_seed() -> None:
    ids = numbered(40_000, 20)
    found = [random_lines(ids, 0.1, NEWLINE, seed) for seed in (1, 2)]
    assert not np.array_equal(found[0].blocks, found[1].blocks)
    for split in found:
        assert int(np.diff(split.blocks).sum()) == 200 * 20
        assert split.description == "200 distinct lines drawn at random"
        distances = np.diff(split.blocks[:, 0] // 20)
        assert len(set(distances.tolist())) > 10, "in step with something"


def test_of_lines_that_any_text_of_the_source_has_again_some_copies_are_held_out() -> None:
    """Questions that come again and again, and an answer to each: both parts have both."""
    lines = [line for number in range(500) for line in ([number % 6 + 2], [number + 10, number % 7 + 2])]
    ids = np.array([symbol for line in lines for symbol in (*line, NEWLINE)])
    for seed in range(10):
        split = random_lines(ids, 0.1, NEWLINE, seed)
        training, held_out = ([line.tolist() for line in split_lines(part, NEWLINE)] for part in applied(split, ids))
        assert 25 <= sum(len(line) == 2 for line in held_out) <= 80
        answers = [tuple(line) for line in held_out if len(line) == 3]
        assert len(answers) == 50
        assert not set(answers) & {tuple(line) for line in training}
        assert "the 6 most common" in split.note


def test_where_all_lines_have_many_copies_no_line_is_new() -> None:
    """Of a list of yes and no one of the two was held out whole, and the model had never seen it."""
    for kinds in (2, 40):
        drawn = np.random.default_rng(kinds).integers(0, kinds, 200 * kinds)
        ids = np.stack([drawn + 2, np.full(len(drawn), NEWLINE)], axis=1).ravel()
        for seed in range(10):
            split = random_lines(ids, 0.1, NEWLINE, seed)
            training, held_out = applied(split, ids)
            assert set(training.tolist()) == set(ids.tolist()) >= set(held_out.tolist())
            assert 0.05 < len(held_out) / len(ids) < 0.15
            assert split.note.endswith(f"({kinds} distinct of {200 * kinds:,}); some copies of each are held out")


def test_the_last_lines_are_whole() -> None:
    ids = numbered(1005, 10)
    assert last_lines(ids, 0.1, NEWLINE).blocks.tolist() == [[910, 1005]]
    assert last_lines(ids, 0.9999, NEWLINE).blocks.tolist() == [[10, 1005]]
    assert last_lines(ids, 0.0001, NEWLINE).description == "the last line"


def test_of_a_long_list_equal_lines_are_on_one_side_and_common_ones_on_both(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    lines = [f"{number % 4000:04d}\n" for number in range(8000)] + ["what is your name\n"] * 1000
    ids = np.frombuffer("".join(lines[n] for n in rng.permutation(len(lines))).encode(), dtype=np.uint8)
    monkeypatch.setattr(splits, "MOST_COMPARED", len(ids) // 2)
    for seed in (0, 1):
        split = random_lines(ids, 0.1, 10, seed)
        training, held_out = (part.tobytes().decode().splitlines() for part in applied(split, ids))
        assert set(training) & set(held_out) == {"what is your name"}
        assert len(held_out) == pytest.approx(900, abs=120)
        assert held_out.count("what is your name") == pytest.approx(100, abs=40)
        assert split.description == f"{len(held_out):,} lines drawn at random, equal ones together"
        assert "lines occur more than once" in split.note
        assert (split.blocks[1:, 0] > split.blocks[:-1, 1]).all()
    assert not np.array_equal(split.blocks, random_lines(ids, 0.1, 10, 0).blocks)


def test_blocks_of_a_table_are_short_so_that_a_place_keeps_most_of_its_rows() -> None:
    """A sorted table: no place is held out as a whole."""
    rows = np.concatenate([np.append(np.full(29, 100 + place // 20), NEWLINE) for place in range(4000)])
    kept, held_out = applied(spread_blocks(Boundaries(rows, (), NEWLINE, SPACE, row=30.0), 0.1, 0), rows)
    assert set(held_out) <= set(kept)
    assert len(held_out) == pytest.approx(0.1 * len(rows), rel=0.02)
    kept, held_out = applied(spread_blocks(Boundaries(rows, (), NEWLINE, SPACE), 0.1, 0), rows)
    assert set(held_out) - set(kept)

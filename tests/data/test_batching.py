"""Batches: every character is learned from, streams go on where they stood, and a step is its number's alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import corpus_of, peak_memory
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.config import Budget, TrainingSettings
from charlstm.data import batching
from charlstm.data.batching import IGNORED, Batch, Batches, BatchSettings, LineBatches, Shard, TextBatches, batches
from charlstm.data.lines import split_lines
from charlstm.data.vocabulary import UNKNOWN, Ids

quick = settings(deadline=None, derandomize=True, max_examples=150)
TEXT = "the cat sat on the mat and the dog did not\n" * 30


# ------------------------------------------------------------------------------------------------ streams

LINE_END, START = 1, 5000
NEVER = 10**9
"""So rare that only the first step has a stream that starts afresh."""


def streams(ids: Ids, batch: int, context: int, **changes: Any) -> TextBatches:
    changes.setdefault("fresh_every", NEVER)
    return TextBatches(ids, BatchSettings(batch, context, START, LINE_END, **changes))


def distinct(size: int) -> Ids:
    """A text in which every id says where it stands; no line ends."""
    return np.arange(10, 10 + size, dtype=np.uint16)


def with_lines(size: int, every: int) -> Ids:
    """The same with a line end at every so many characters."""
    ids = distinct(size)
    ids[every - 1 :: every] = LINE_END
    return ids


def same(one: Batch, other: Batch) -> bool:
    return (
        np.array_equal(one.inputs, other.inputs)
        and np.array_equal(one.targets, other.targets)
        and np.array_equal(one.fresh, other.fresh)
        and (one.carried, one.characters) == (other.carried, other.characters)
    )


def assert_random_access(made: Callable[[], Batches], steps: list[int]) -> None:
    """Steps in any order, from any instance, are the steps in sequence."""
    wanted = [made()[step] for step in range(max(steps) + 1)]
    shuffled = made()
    for step in [*steps, *reversed(steps)]:
        assert same(shuffled[step], wanted[step]), step
        assert same(made()[step], wanted[step]), step


shapes = st.tuples(st.integers(1, 400), st.integers(1, 9), st.integers(1, 40))


@pytest.mark.parametrize("ids", [with_lines(1000, 17), distinct(30)], ids=["lines", "short"])
def test_a_step_is_computed_from_its_number_alone(ids: Ids) -> None:
    assert_random_access(lambda: streams(ids, 4, 16, fresh_every=3, unknown=0.05), [7, 3, 40, 0, 29, 1])


def test_another_seed_is_another_order_of_events() -> None:
    one, other = (streams(with_lines(1000, 17), 8, 16, fresh_every=2, seed=seed) for seed in (1, 2))
    assert any(not same(one[step], other[step]) for step in range(1, 10))


@quick
@given(shapes, st.integers(0, 10**6), st.sampled_from([1, 2, NEVER]))
def test_targets_are_the_inputs_one_character_on(shape: tuple[int, int, int], step: int, fresh_every: int) -> None:
    size, batch, context = shape
    made = streams(with_lines(size, 7), batch, context, fresh_every=fresh_every)[step]
    width = batch + (step % fresh_every == 0)
    assert made.inputs.shape == made.targets.shape == (context, width)
    assert made.fresh.shape == (width,)
    assert made.carried == batch
    assert made.characters == context * width
    np.testing.assert_array_equal(made.inputs[1:], made.targets[:-1])
    np.testing.assert_array_equal(made.inputs[0] == START, made.fresh)
    assert START not in made.targets


@quick
@given(shapes, st.sampled_from([1, 2, NEVER]))
def test_streams_go_on_where_they_stood_and_wrap_around(shape: tuple[int, int, int], fresh_every: int) -> None:
    size, batch, context = shape
    made = streams(distinct(size), batch, context, fresh_every=fresh_every)
    assert made[0].fresh.all()
    for step in range(5):
        now, then = made[step], made[step + 1]
        assert then.carried == batch
        assert not then.fresh[:batch].any()
        np.testing.assert_array_equal(then.inputs[0, :batch], now.targets[-1, :batch])
        everything = np.concatenate([now.targets[:, :batch], then.targets[:1, :batch]]).astype(int) - 10
        assert ((np.diff(everything, axis=0) - 1) % size == 0).all()


def test_streams_stand_spread_over_the_text() -> None:
    assert streams(distinct(1000), 4, 8)[0].targets[0, :4].tolist() == [10, 260, 510, 760]


@quick
@given(shapes)
def test_every_character_is_trained_on_in_an_epoch(shape: tuple[int, int, int]) -> None:
    size, batch, context = shape
    made = streams(distinct(size), batch, context)
    steps = -(-size // batch // context) + 1
    assert steps <= made.steps_per_epoch + 2
    seen = np.concatenate([made[step].targets[:, :batch].ravel() for step in range(steps)])
    assert set(seen.tolist()) == set(distinct(size).tolist())


@quick
@given(shapes, st.integers(1, 12), st.sampled_from([1, NEVER]))
def test_shards_side_by_side_are_the_batch(shape: tuple[int, int, int], count: int, fresh_every: int) -> None:
    size, batch, context = shape
    whole = streams(with_lines(size, 7), batch, context, fresh_every=fresh_every)[1]
    shards = whole.shards(count)
    assert len(shards) == min(count, len(whole.fresh))
    for name in ("inputs", "targets", "fresh", "positions"):
        together = np.concatenate([getattr(shard, name) for shard in shards], axis=-1)
        np.testing.assert_array_equal(together, getattr(whole, name))
    assert sum(shard.carried for shard in shards) == whole.carried
    streams_of = [len(shard.fresh) for shard in shards]
    assert max(streams_of) - min(streams_of) <= 1
    for number, shard in enumerate(shards):
        assert (shard.before, shard.after) == (sum(streams_of[:number]), sum(streams_of[number + 1 :]))
        assert shard.characters == whole.characters


EPOCHS = [[0, 313], [313, 625], [625, 938]]
"""Steps of three epochs of 20,000 characters, 4 streams of 16."""


@pytest.mark.parametrize(("begin", "end"), EPOCHS)
def test_later_epochs_read_all_but_a_little(begin: int, end: int) -> None:
    made = streams(distinct(20_000), 4, 16)
    seen = np.concatenate([made[step].targets.ravel() for step in range(begin, end)])
    assert len(np.unique(seen)) > 20_000 - 4 * 16
    assert len(seen) - 4 * 16 < 20_000


def test_later_epochs_put_other_places_side_by_side() -> None:
    made = streams(distinct(20_000), 4, 16)
    apart = [np.diff(made[step].positions[0]) % 20_000 for step in (300, 320, 640, 950)]
    assert len({tuple(distances.tolist()) for distances in apart}) == 4
    other = streams(distinct(20_000), 4, 16, seed=1)
    assert not np.array_equal(made[320].positions, other[320].positions)


def test_within_a_later_epoch_streams_go_on_but_where_their_part_ends() -> None:
    made = streams(distinct(20_000), 4, 16)
    gaps = [
        int(np.count_nonzero(made[step + 1].positions[0] != (made[step].positions[-1] + 1) % 20_000))
        for step in range(314, 624)
    ]
    assert sum(gaps) <= 4


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_text_shorter_than_a_batch_goes_round_and_round(size: int) -> None:
    made = streams(distinct(size), 16, 64)
    for step in (0, 1, 1000):
        assert set(np.unique(made[step].targets).tolist()) == set(distinct(size).tolist())
    assert made.steps_per_epoch == 1


def starts_of(made: TextBatches, steps: int) -> list[int]:
    """The first characters that the streams predict that join for one step."""
    return [int(symbol) for step in range(steps) for symbol in made[step].targets[0, made[step].carried :]]


@pytest.mark.parametrize("size", [2000, 2010], ids=["ends with its last line", "ends in the middle of a line"])
def test_streams_that_join_begin_at_the_start_of_a_line_the_first_and_last_included(size: int) -> None:
    ids = with_lines(size, 40)
    found = starts_of(streams(ids, 8, 16, fresh_every=1), 1000)
    assert len(found) == 1000
    assert set(found) == {int(line[0]) for line in split_lines(ids, LINE_END)}


def test_streams_that_join_begin_after_empty_lines_where_there_are_enough() -> None:
    ids = with_lines(4000, 20)
    ids[98::100] = LINE_END  # position 99 of each hundred ends a line too
    found = starts_of(streams(ids, 8, 16, fresh_every=1), 1000)
    assert set(found) == {int(ids[place]) for place in range(0, 4000, 100)}


def test_a_single_empty_line_in_a_long_text_does_not_hide_the_other_lines() -> None:
    ids = np.full(30_000, 7, dtype=np.uint16)
    ids[49::50] = LINE_END
    ids[10_048] = LINE_END
    assert len(streams(ids, 2, 8).document_starts) > 500


def test_a_stream_joins_as_often_as_asked_and_for_one_step() -> None:
    made = streams(with_lines(5000, 20), 5, 4, fresh_every=10)
    widths = [len(made[step].fresh) for step in range(100)]
    assert widths == [6 if step % 10 == 0 else 5 for step in range(100)]
    assert all(made[step].fresh[5:].all() for step in range(100))


def test_a_text_without_line_ends_has_its_own_start_to_begin_at() -> None:
    assert set(starts_of(streams(distinct(1000), 4, 8, fresh_every=1), 50)) == {10}


def training_settings(**changes: Any) -> TrainingSettings:
    values: dict[str, Any] = {
        "budget": Budget("steps", 1), "batch": 4, "context": 8, "learning_rate": 0.1, "weight_decay": 0.0,
        "dropout": 0.0, "dropconnect": 0.0, "ema": 0.0, "clip": 1.0, "warmup": 0.0, "betas": (0.9, 0.99),
        "precision": "float32", "lines": False, "seed": 0, "unknown": 0.0, **changes,
    }  # fmt: skip
    return TrainingSettings(**values)


def test_unknown_characters_do_not_count_as_line_ends_in_a_text_without_any() -> None:
    text = ("abcdefghij" * 10 + "Z") * 20
    found = corpus_of(texts=[text], min_count=50, val_fraction=0)
    assert found.line_end == UNKNOWN
    made = batches(found, training_settings())
    assert isinstance(made, TextBatches)
    assert made.document_starts.tolist() == [0]


def test_a_fraction_of_characters_is_shown_as_unknown_in_inputs_and_targets_alike() -> None:
    made = streams(distinct(4000), 16, 50, unknown=0.02)
    steps = [made[step] for step in range(50)]
    assert 0.015 < np.mean([(step.targets == UNKNOWN).mean() for step in steps]) < 0.025
    for step in steps:
        np.testing.assert_array_equal(step.inputs[1:], step.targets[:-1])
    assert not any((streams(distinct(4000), 16, 50)[step].targets == UNKNOWN).any() for step in range(20))


# ------------------------------------------------------------------------------------------------ records


def records_of(lengths: list[int]) -> Ids:
    """Lines of these lengths, newline included, in which every other id is different; the last is whole."""
    parts: list[Ids] = []
    next_id = 10
    for length in lengths:
        parts += [np.arange(next_id, next_id + length - 1), np.array([LINE_END])]
        next_id += length - 1
    return np.concatenate(parts).astype(np.uint16)


def records(lengths: list[int], batch: int = 4, context: int = 8, **changes: Any) -> LineBatches:
    return LineBatches(records_of(lengths), BatchSettings(batch, context, START, LINE_END, **changes))


line_lengths = st.lists(st.integers(1, 60), min_size=1, max_size=15)
fewer = settings(quick, max_examples=60)


def read_back(made: LineBatches, first: int, steps: int) -> list[tuple[int, ...]]:
    """What the records of some steps say, put together from their targets with the carried state's help."""
    found: list[tuple[int, ...]] = []
    open_: list[list[int]] = []
    for step in range(first, first + steps):
        now = made[step]
        assert now.characters == int((now.targets != IGNORED).sum()) > 0
        assert now.carried == len(now.fresh)
        if now.fresh.all():
            found += [tuple(record) for record in open_]
            open_ = [[] for _ in range(now.targets.shape[1])]
            assert (now.inputs[0] == START).all()
        else:
            assert not now.fresh.any(), "a step of records is all new or all going on"
        assert len(open_) == now.targets.shape[1]
        for column, record in enumerate(open_):
            scored = now.targets[:, column] != IGNORED
            assert not (np.diff(scored.astype(int)) > 0).any(), "a record goes on after its end"
            for row in np.flatnonzero(scored):
                assert now.inputs[row, column] == (record[-1] if record else START)
                record.append(int(now.targets[row, column]))
    return found + [tuple(record) for record in open_]


@fewer
@given(line_lengths, st.integers(1, 6), st.integers(1, 20))
def test_every_record_is_read_whole_once_an_epoch(lengths: list[int], batch: int, context: int) -> None:
    made = records(lengths, batch, context)
    steps = int(made.steps_per_epoch)
    wanted = sorted(tuple(line.tolist()) for line in split_lines(records_of(lengths), LINE_END))
    for epoch in range(3):
        assert sorted(read_back(made, epoch * steps, steps)) == wanted


@fewer
@given(line_lengths, st.integers(1, 6), st.integers(1, 20))
def test_a_step_of_records_stays_within_its_memory(lengths: list[int], batch: int, context: int) -> None:
    made = records(lengths, batch, context)
    for step in range(int(made.steps_per_epoch)):
        now = made[step]
        assert now.inputs.shape == now.targets.shape
        assert now.inputs.shape[0] <= context
        assert now.inputs.size <= batch * context
        assert now.inputs.min() >= 0
        assert now.inputs.max() <= START


def test_a_record_longer_than_the_context_is_read_in_several_steps() -> None:
    made = records([20], batch=4, context=8)
    assert [made[step].fresh.tolist() for step in range(4)] == [[True], [False], [False], [True]]
    assert [made[step].characters for step in range(3)] == [8, 8, 4]
    np.testing.assert_array_equal(made[1].inputs[0], made[0].targets[-1])


def test_a_step_of_records_is_computed_from_its_number_alone() -> None:
    lengths = [3, 9, 30, 1, 5, 5, 17, 2, 8, 40]
    steps = int(records(lengths).steps_per_epoch)
    assert_random_access(lambda: records(lengths, unknown=0.05), [0, steps, steps - 1, 3 * steps + 1, 1, 2 * steps])


def test_records_come_in_another_order_in_every_epoch() -> None:
    made = records(list(range(2, 40)))
    steps = int(made.steps_per_epoch)
    orders = [[made[epoch * steps + step].targets[0].tolist() for step in range(steps)] for epoch in range(3)]
    assert orders[0] != orders[1] != orders[2]


def test_a_last_record_without_its_newline_is_read_too() -> None:
    ids = np.array([10, 11, LINE_END, 12, 13], dtype=np.uint8)
    made = LineBatches(ids, BatchSettings(2, 8, START, LINE_END))
    assert sorted(read_back(made, 0, int(made.steps_per_epoch))) == [(10, 11, LINE_END), (12, 13)]


def test_padding_is_never_shown_as_unknown() -> None:
    plain, mixed = records([2, 30, 7, 3] * 5, unknown=0.0), records([2, 30, 7, 3] * 5, unknown=0.5)
    for step in range(int(plain.steps_per_epoch)):
        np.testing.assert_array_equal(plain[step].targets == IGNORED, mixed[step].targets == IGNORED)
        assert mixed[step].characters == plain[step].characters
        np.testing.assert_array_equal(mixed[step].inputs[0] == START, plain[step].inputs[0] == START)


def test_records_of_one_length_fill_their_batches() -> None:
    assert records([5] * 1000, batch=4, context=20).steps_per_epoch == 63  # sixteen each


def test_a_record_costs_a_few_numbers_and_no_object() -> None:
    ids = np.tile(np.array([10, LINE_END], dtype=np.uint8), 200_000)
    made = peak_memory(lambda: LineBatches(ids, BatchSettings(16, 64, START, LINE_END)))
    assert made < 60 * 200_000


def test_batches_are_streams_of_a_text_and_records_of_lines() -> None:
    found = corpus_of(texts=[TEXT], val_fraction=0)
    running, lines = (batches(found, training_settings(lines=lines)) for lines in (False, True))
    assert isinstance(running, TextBatches)
    assert isinstance(lines, LineBatches)
    assert running[0].inputs[0].tolist() == [found.vocabulary.start] * 5
    assert len(lines.lengths) == TEXT.count("\n")


# ------------------------------------------------------------------------------------------------ shards


@quick
@given(
    st.sampled_from([TextBatches, LineBatches]),
    st.integers(1, 4),
    st.tuples(st.integers(4, 9), st.integers(1, 20)),
    st.integers(0, 200),
)
def test_the_shares_of_a_batch_are_together_the_batch(
    made: type[TextBatches] | type[LineBatches], size: int, shape: tuple[int, int], step: int
) -> None:
    how = BatchSettings(*shape, START, LINE_END, fresh_every=2, unknown=0.1)
    ids = with_lines(300, 7)
    whole = made(ids, how)[step]
    shards = [made(ids, dataclasses.replace(how, shard=Shard(rank, size)))[step] for rank in range(size)]
    for name in ("inputs", "targets", "fresh", "positions"):
        parts = [getattr(shard, name) for shard in shards]
        np.testing.assert_array_equal(np.concatenate(parts, axis=-1), getattr(whole, name))
    assert sum(shard.carried for shard in shards) == whole.carried
    for shard in shards:
        assert shard.characters == whole.characters
        assert shard.before + len(shard.fresh) + shard.after == len(whole.fresh)
    assert [shard.before for shard in shards] == [sum(len(s.fresh) for s in shards[:rank]) for rank in range(size)]


def test_shares_differ_by_one_stream_at_most() -> None:
    sizes = [part.stop - part.start for part in (Shard(rank, 5).of(13) for rank in range(5))]
    assert sum(sizes) == 13
    assert max(sizes) - min(sizes) == 1


@pytest.mark.parametrize("lengths", [(3, 5, 9), (1, 200), (300,)])
def test_the_lines_of_a_long_text_are_each_read_once_an_epoch_a_portion_at_a_time(
    lengths: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MOST_ORDERED", 1000)
    monkeypatch.setattr(batching, "CHUNK", 64)
    monkeypatch.setattr(batching, "CHUNKS", 7)
    rng = np.random.default_rng(0)
    records = [rng.integers(2, 200, rng.choice(lengths)).tolist() for _ in range(5000 // max(lengths) + 60)]
    ids = np.array([symbol for record in records for symbol in [*record, 1]], dtype=np.uint8)
    found = LineBatches(ids, BatchSettings(4, 16, 250, 1))
    assert found.portions > 3
    begins: list[int] = []
    total, step = 0, 0
    while total < len(ids):
        batch = found[step]
        begins += batch.positions[0, batch.fresh].tolist()
        total, step = total + batch.characters, step + 1
    assert total == len(ids)
    assert sorted(begins) == [0, *(np.flatnonzero(ids == 1)[:-1] + 1).tolist()]
    assert begins != sorted(begins)
    if len(lengths) > 1:
        assert found.steps_per_epoch == pytest.approx(step, rel=0.5)
    for number in (step - 1, 0, step // 2):
        again = LineBatches(ids, BatchSettings(4, 16, 250, 1))[number]
        np.testing.assert_array_equal(again.positions, found[number].positions)


def test_documents_of_a_long_text_begin_where_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.full(10_000, 5, dtype=np.uint8)
    ids[49::50] = ids[48::50] = 1
    monkeypatch.setattr(batching, "MOST_SEARCHED", 6400)
    starts = TextBatches(ids, BatchSettings(4, 16, 250, 1)).document_starts
    assert 64 <= len(starts) < 200
    assert set(starts.tolist()) <= set(range(0, 10_000, 50))
    assert starts[-1] > 9800

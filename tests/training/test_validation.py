"""Validation: on text from all over the held-out part, the same each time; what is kept; when to stop; calibration."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from helpers import TEXT, corpus_of, started_run
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.data.corpus import Corpus
from charlstm.data.held_out import Sample, no_contexts
from charlstm.data.vocabulary import UNKNOWN, Ids
from charlstm.inference.scoring import Nats, Scorer
from charlstm.models.tensor_file import Tensors
from charlstm.training.validation import (
    ENOUGH_SCORED,
    LEAST_SCORED,
    Validator,
    block_sums,
    calibrate,
    paired_difference,
    spread_sample,
    with_temperature,
)

quick = settings(deadline=None, derandomize=True, max_examples=60)
BITS = math.log(2)
NOISE = np.random.default_rng(0)


def validator(expected: float = 1e6, interval: float = 1 / 15) -> Validator:
    return Validator(corpus_of(texts=[TEXT]), lines=False, expected=expected, interval=interval)


def surprisals_around(bits: float, characters: int = 10_000, shift: Nats | float = 0.0) -> Nats:
    """Surprisals of one text with that mean: as uneven as real ones, and alike for all checkpoints but for `shift`."""
    uneven = np.random.default_rng(1).exponential(1.0, characters) + shift
    nats: Nats = uneven + bits * BITS - uneven.mean()
    return nats


def played(figures: Iterable[float], jitter: float = 0.0, first: int = 1) -> tuple[Validator, list[bool]]:
    """A validator after these figures, one at each tenth of a run; and whether it said each time that it is hopeless.

    Args:
        figures: bits per character, in order.
        jitter: how much checkpoints differ from each other in single characters, in nats.
        first: the step of the first; that of step 0 is a pretrained model.
    """
    one, said = validator(), []
    for number, bits in enumerate(figures, first):
        nats = surprisals_around(bits, shift=jitter * NOISE.standard_normal(10_000))
        one.consider(block_sums(nats), bits, lambda number=number: {"x": np.array([number])}, number, number / 10)  # type: ignore[misc]
        said.append(one.is_hopeless(number / 10, 0.3))
    return one, said


# ------------------------------------------------------------------------------------------- on what


def holding_out(ids: Ids) -> Corpus:
    """A corpus that holds out other ids, without anything before them."""
    return dataclasses.replace(corpus_of(texts=[TEXT]), validation=ids, contexts=no_contexts())


@pytest.mark.parametrize(("symbols", "scored"), [(60, 100_000), (5_000, 100_000), (50_000, 10_700)])
def test_the_last_validation_reads_less_of_a_large_alphabet(symbols: int, scored: int) -> None:
    text = "".join(chr(0x10000 + n % (symbols - 2)) for n in range(200_000))
    corpus = corpus_of(texts=[text])
    one = Validator(corpus, lines=False, expected=1e6, interval=1 / 15)
    one.corpus = dataclasses.replace(corpus, validation=np.resize(corpus.validation, 10**6))
    assert one.final_size(1000) == pytest.approx(scored, rel=0.02)
    assert one.final_size(10**8) == 10**6  # a long run has the time


@quick
@given(st.integers(1, 60_000), st.integers(1, 40_000), st.booleans())
def test_a_sample_is_about_as_long_as_asked_for_and_from_all_over(length: int, most: int, lines: bool) -> None:
    corpus = holding_out((np.arange(length) % 7 == 0).astype(np.uint8))
    corpus.validation *= corpus.line_end
    sample = spread_sample(corpus, lines=lines, most=most)
    assert len(sample) <= length
    assert len(sample) >= min(length, most) / 2 or lines
    if length <= most:
        assert sample.text.tolist() == corpus.validation.tolist()


@pytest.mark.parametrize("most", [40, 2000, 4000, 10_000])
def test_a_sample_of_any_size_is_of_all_quarters_of_a_text(most: int) -> None:
    corpus = holding_out(np.arange(1000, 101_000, dtype=np.uint32))  # no line ends
    sample = spread_sample(corpus, lines=False, most=most).text - 1000
    assert len(sample) == pytest.approx(most, rel=0.05)
    assert np.histogram(sample, bins=4, range=(0, 100_000))[0].min() > most / 5


def test_running_text_is_sampled_from_its_beginning_to_its_end() -> None:
    sample = spread_sample(holding_out(np.arange(100_000, dtype=np.uint32)), lines=False, most=10_000).text
    assert sample[0] == 0
    assert sample[-1] == 99_999
    assert np.histogram(sample, bins=4, range=(0, 100_000))[0].min() > 2000


def test_stretches_of_running_text_are_of_whole_lines() -> None:
    """Else a network that keeps count of something is confused by each jump from the midst of a line into another."""
    corpus = corpus_of(texts=["some words\n" * 20_000])
    sample = spread_sample(corpus, lines=False, most=10_000)
    assert 9000 < len(sample) < 11_000
    assert corpus.vocabulary.decode(sample.text) == "some words\n" * (len(sample) // 11)


def test_what_stands_before_a_block_decides_and_does_not_count(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=3)
    one, model = run.trainer.validator, run.trainer.validator.as_model(run.trainer.learner.averaged)
    ids = run.corpus.validation
    for scored in (np.arange(len(ids)) % 5 > 1, np.arange(len(ids)) > 100):
        one.sample = Sample(ids, scored)
        (nats,) = Scorer(model, run.corpus.vocabulary).surprisals([ids])
        assert one.bits_of(model) == pytest.approx(nats[scored].mean() / BITS, rel=1e-3)


def test_blocks_that_are_held_out_are_read_in_their_places() -> None:
    """Each block here goes on with the number of the line before it, which no other line tells."""
    text = "".join(f"{number:06d}, of thousands of lines\n" for number in range(4000))
    corpus = corpus_of(texts=[text])
    sample = spread_sample(corpus, lines=False, most=10**6)
    lines = corpus.vocabulary.decode(sample.ids).splitlines()
    numbers = np.array([int(line[:6]) for line in lines])
    jumps = np.flatnonzero(np.diff(numbers) != 1) + 1
    firsts = np.cumsum([0, *map(len, corpus.vocabulary.decode(sample.ids).splitlines(keepends=True))])[jumps]
    assert len(jumps)
    assert not sample.scored[firsts].any()


def test_what_is_unknown_ends_no_line_of_a_text_that_has_none() -> None:
    corpus = corpus_of(texts=["words and more " * 2000 + "".join(map(chr, range(0x4E00, 0x4E40))) + " words" * 2000])
    corpus.validation[::50] = UNKNOWN
    corpus.contexts.ids[::50] = UNKNOWN
    sample = spread_sample(corpus, lines=False, most=10**6)
    assert len(sample.ids) - len(sample) == len(corpus.contexts.ids) > 0


def test_a_sorted_list_is_sampled_from_its_beginning_to_its_end() -> None:
    words = "".join(f"{letter}{number:06d}\n" for letter in "abcdefghij" for number in range(2000))
    corpus = corpus_of(texts=[words], lines=True)
    sample = spread_sample(corpus, lines=True, most=2000)
    assert 1500 < len(sample) < 2500
    assert set("abcdefghij\n") <= set(corpus.vocabulary.decode(sample.text))


@pytest.mark.parametrize(
    ("expected", "size"), [(1e4, LEAST_SCORED), (1e6, ENOUGH_SCORED - 1000), (3e6, ENOUGH_SCORED), (1e9, 3_000_000)]
)
def test_decisions_rest_on_enough_text_that_costs_a_small_part_of_the_run(expected: float, size: float) -> None:
    assert validator(expected).sample_size >= 0.99 * size - 1
    assert validator(expected).sample_size <= max(LEAST_SCORED, 0.14 * expected / 15 * 1.01)


# --------------------------------------------------------------------------------------- comparisons


def test_the_same_surprisals_do_not_differ() -> None:
    blocks = block_sums(surprisals_around(2.0))
    assert paired_difference(blocks, blocks) == (0.0, 0.0)


def test_a_paired_difference_is_far_surer_than_either_figure() -> None:
    one = surprisals_around(2.0)
    other = one + 0.01 + 0.05 * NOISE.standard_normal(len(one))
    difference, error = paired_difference(block_sums(other), block_sums(one))
    assert difference == pytest.approx(100, abs=15)
    assert error < 0.1 * one.std() * math.sqrt(len(one))


@quick
@given(st.integers(1, 3000))
def test_blocks_hold_every_character_once(length: int) -> None:
    nats = np.arange(length, dtype=np.float64)
    blocks = block_sums(nats)
    assert blocks.sum() == pytest.approx(nats.sum())
    assert len(blocks) <= 1024


# ------------------------------------------------------------------------------------ what is kept, when to stop


def test_one_lucky_figure_neither_stops_a_run_nor_is_kept() -> None:
    """As seen: lucky at 40 % of the run, then no better until the learning rate has fallen, and much better then."""
    figures = [3.0, 2.6, 2.45, 2.312, 2.37, 2.36, 2.355, 2.35, 2.25, 2.17]
    one, said = played(figures, jitter=1.0)
    assert not any(said)
    assert one.kept_step == 10


def test_of_two_checkpoints_that_cannot_be_told_apart_the_later_one_is_kept() -> None:
    assert played([2.5, 2.001, 2.002], jitter=1.0)[0].kept_step == 3


@pytest.mark.parametrize(("bits", "kept"), [(2.001, 0), (1.999, 1)])
def test_a_pretrained_model_is_given_up_for_a_better_one_only(bits: float, kept: int) -> None:
    assert played([2.0, bits], jitter=1.0, first=0)[0].kept_step == kept


def test_a_checkpoint_that_is_worse_by_more_than_chance_is_not_kept() -> None:
    assert played([2.5, 2.0, 2.05], jitter=0.2)[0].kept_step == 2


def test_small_losses_do_not_add_up_to_a_large_one() -> None:
    one, _ = played([2.0 + 0.004 * number for number in range(30)], jitter=0.5)
    assert one.kept_bits is not None
    assert one.kept_bits < 2.05


def test_overfitting_stops_a_run_and_the_best_checkpoint_is_kept() -> None:
    one, said = played([3.0, 2.5, 2.4, 2.6, 2.8, 3.0, 3.2, 3.4], jitter=0.3)
    assert said == [False] * 6 + [True] * 2
    assert one.kept_step == 3


def test_what_a_falling_learning_rate_may_regain_stops_no_run() -> None:
    assert not any(played([3.0, 2.5, 2.4, *[2.45] * 7], jitter=0.01)[1])


def test_a_validator_goes_on_from_a_checkpoint_as_if_nothing_had_happened() -> None:
    one, _ = played([3.0, 2.5, 2.4, 2.6], jitter=0.3)
    other = validator()
    other.restore(*one.checkpoint())
    again, _ = one.checkpoint(), one
    assert other.checkpoint()[1] == again[1]
    assert {name: tensor.tobytes() for name, tensor in other.checkpoint()[0].items()} == {
        name: tensor.tobytes() for name, tensor in again[0].items()
    }
    fresh = validator()
    empty = validator()
    empty.restore(*fresh.checkpoint())
    assert empty.kept is None
    assert empty.lowest_bits == math.inf


# -------------------------------------------------------------------------------------- divergence


@pytest.mark.parametrize("nonsense", [math.nan, math.inf])
def test_a_first_loss_that_is_not_finite_is_no_measure_for_others(nonsense: float) -> None:
    one = validator()
    assert not one.is_sane(nonsense)
    assert one.is_sane(3.0)
    assert not one.is_sane(1000.0)
    assert not one.is_sane(math.inf)


def test_without_held_out_text_a_pretrained_model_may_know_nothing_of_it_and_one_that_was_begun_anew_may_not(
    tmp_path: Path,
) -> None:
    trainer = started_run(tmp_path, steps=3, val_fraction=0.0).trainer
    network, one = trainer.learner.averaged, trainer.validator
    tensors = network.tensors()
    tensors["head.bias"][0] += 100  # all but sure of what never comes
    network.load(tensors)
    assert one.validate(network, 1, 0.5) == math.inf
    assert not one.has_learned()
    for step in (0, 1):
        assert one.validate(network, step, step / 2) is None
        assert one.kept_step == step


# -------------------------------------------------------------------------------------- calibration


@pytest.mark.parametrize("lines", [False, True])
def test_an_overconfident_network_is_calibrated(tmp_path: Path, lines: bool) -> None:
    trainer = started_run(tmp_path, steps=60, hidden=32, lines=lines).trainer
    for _ in trainer.run():
        pass
    network, validator_ = trainer.learner.averaged, trainer.validator

    def bits(tensors: Tensors) -> float:
        network.load(tensors)
        return validator_.bits(network)

    honest = network.tensors()
    for _ in range(5):  # each may change it by a fifth
        honest = calibrate(honest, bits).tensors
    for exaggerated in (0.88, 1.0, 1.12):
        found = calibrate(with_temperature(honest, 1 / exaggerated), bits).tensors
        ratio = found["head.weight"] / honest["head.weight"]
        assert np.ptp(ratio) < 1e-4
        assert np.mean(ratio) == pytest.approx(np.mean(found["head.bias"] / honest["head.bias"]), rel=1e-3)
        assert 0.95 < np.mean(ratio) < 1.05  # back to what it was


def test_calibration_goes_no_farther_than_its_range() -> None:
    colder = calibrate({"head.weight": np.ones(1)}, lambda tensors: float(tensors["head.weight"][0]))
    assert 1.2 <= colder.temperature < 1.27
    as_it_is = calibrate({"head.weight": np.ones(1)}, lambda tensors: abs(float(tensors["head.weight"][0]) - 1))
    assert as_it_is.temperature == 1.0

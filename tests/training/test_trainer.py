"""A training run: it learns, it keeps to its budget, it can be cut into pieces, it survives infinity."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import TEXT, Clock, large_alphabet, started_run

from charlstm.config import TrainingRequest
from charlstm.data.batching import Batch
from charlstm.data.held_out import Sample
from charlstm.data.mapping import frequencies
from charlstm.errors import DivergedError
from charlstm.inference.scoring import LN2, Scorer
from charlstm.models.file import load
from charlstm.models.numpy_lstm import NumpyNetwork
from charlstm.models.tensor_file import Tensors
from charlstm.models.torch_lstm import TorchNetwork
from charlstm.training import finishing, hardware, planning, schedule, trainer
from charlstm.training.learner import Learner
from charlstm.training.outputs import resume_path
from charlstm.training.planning import Speed
from charlstm.training.reports import Progress
from charlstm.training.run import Run, prepare, resume
from charlstm.training.schedule import Bounds
from charlstm.training.thread_tuning import ThreadTuner
from charlstm.training.validation import Calibrated, spread_sample, surprisals


def finished(run: Run) -> list[Progress]:
    return list(run.run())


def after_each_step(monkeypatch: pytest.MonkeyPatch, then: Callable[[Learner, int, float], float]) -> None:
    """Let something happen after each step of training, which is told the step and its loss and gives a loss."""
    train_step = Learner.train_step

    def changed(learner: Learner, batch: Batch, step: int, learning_rate: float) -> float:
        return then(learner, step, train_step(learner, batch, step, learning_rate))

    monkeypatch.setattr(Learner, "train_step", changed)


def fill(network: torch.nn.Module, value: float) -> None:
    for parameter in network.parameters():
        parameter.data.fill_(value)


def assert_same_bytes(first: Tensors, second: Tensors) -> None:
    assert first.keys() == second.keys()
    for name in first:
        assert first[name].tobytes() == second[name].tobytes(), name


# ---------------------------------------------------------------------------------------- learning


def test_training_learns_the_text(tmp_path: Path) -> None:
    reports = finished(started_run(tmp_path, steps=200, hidden=32))
    assert reports[-1].val_bits is not None
    assert reports[-1].val_bits < 1.6  # 4.3 before training
    assert reports[-1].fraction == 1.0


@pytest.mark.parametrize("ngrams", [0, 3])
def test_before_the_first_step_a_run_knows_how_frequent_each_symbol_is(tmp_path: Path, ngrams: int) -> None:
    run = started_run(tmp_path, steps=1, ngrams=ngrams)
    model, corpus = run.trainer.language_model(run.trainer.learner.averaged), run.trainer.corpus
    scored = surprisals(model, corpus, Sample.of(corpus.validation), lines=False, rough=True)
    entropy = -np.log(frequencies(corpus.training, len(corpus.vocabulary))[corpus.validation]).mean()
    assert scored.mean() < 1.05 * entropy < 0.95 * np.log(len(corpus.vocabulary))


@pytest.mark.parametrize("ngrams", [0, 3])
def test_an_estimated_softmax_learns_a_large_alphabet_as_the_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ngrams: int
) -> None:
    settings: dict[str, Any] = {"text": large_alphabet(), "min_count": 1, "steps": 60, "hidden": 32, "ngrams": ngrams}
    bits = []
    for candidates in (planning.CANDIDATES, 0):
        monkeypatch.setattr(planning, "CANDIDATES", candidates)
        run = started_run(tmp_path, f"model {candidates}", **settings)
        assert (run.trainer.learner.sampled_softmax is None) == (not candidates)
        bits.append(finished(run)[-1].val_bits or math.inf)
    assert bits[0] == pytest.approx(bits[1], rel=0.03)
    assert bits[0] < 9.5  # of 10.6 without any knowledge


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_other_cells_learn_too(tmp_path: Path, cell: str) -> None:
    reports = finished(started_run(tmp_path, steps=150, cell=cell, hidden=32))
    assert reports[-1].val_bits is not None
    assert reports[-1].val_bits < 2.5


def test_the_model_file_says_how_well_it_does(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=100, ngrams=0)
    finished(run)
    file = load(run.output)
    scorer = Scorer(NumpyNetwork(file.settings, file.tensors), file.vocabulary)
    read = spread_sample(run.corpus, lines=False, most=10**6)
    nats = np.concatenate(list(scorer.surprisals([read.ids])))[read.scored]
    assert len(nats) == len(run.corpus.validation)
    assert file.result["val_bits_per_char"] == pytest.approx(nats.mean() / LN2, abs=1e-4)
    assert file.result["finished"] is True
    assert [entry["step"] for entry in file.result["curve"]] == sorted({e["step"] for e in file.result["curve"]})


def test_a_run_is_calibrated_when_it_is_over_and_not_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Tensors] = []

    def noted(tensors: Tensors, bits: Callable[[Tensors], float]) -> Calibrated:
        called.append(tensors)
        return Calibrated(tensors, 1.0)

    monkeypatch.setattr(finishing, "calibrate", noted)
    run = started_run(tmp_path, steps=20, ngrams=0)
    for _ in run.run(lambda: run.trainer.step >= 8):
        pass
    assert not called
    finished(resume(run.output))
    assert len(called) == 1


def test_the_best_checkpoint_is_kept_and_training_stops_when_validation_says_so(tmp_path: Path) -> None:
    # A text of noise: all that can be learned is its alphabet; the rest is memorised, and validation gets worse.
    rng = np.random.default_rng(0)
    noise = "".join("abcdefgh"[i] for i in rng.integers(0, 8, 1500))
    (tmp_path / "text.txt").write_text(noise)
    run = started_run(tmp_path, steps=2000, hidden=64, weight_decay=0.0, dropout=0.0)
    reports = finished(run)
    logits = [report.val_bits for report in reports if report.val_bits is not None]
    assert reports[-1].step < 1900
    assert "stopped early" in reports[-1].note
    assert run.result["val_bits_per_char"] < 1.02 * min(logits)
    assert logits[-1] > 1.05 * min(logits)


def test_a_long_run_that_gets_no_better_anneals_and_ends_long_before_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "STEPS", Bounds(warmup=3, first_validation=5, between_validations=2, patience=10))

    def stuck(run: Run) -> Run:
        validator, consider = run.trainer.validator, run.trainer.validator.consider
        validator.consider = lambda *given: consider(*given) if run.trainer.step < 20 else None  # type: ignore[method-assign]
        return run

    whole = stuck(started_run(tmp_path, "whole", steps=10**6))
    reports = finished(whole)
    notes = [report.note for report in reports if "falls to zero now" in report.note]
    assert len(notes) == 1
    assert reports[-1].step < 150
    assert f"after {reports[-1].step} steps" in notes[0]
    assert reports[-1].learning_rate == pytest.approx(0, abs=1e-9)
    cut = stuck(started_run(tmp_path, "cut", steps=10**6))
    while not cut.finished:
        asked = itertools.count(1)
        for _ in cut.run(functools.partial(_reached, asked, 25)):
            pass
        cut = cut if cut.finished else stuck(resume(cut.output))
    assert_same_bytes(load(whole.output).tensors, load(cut.output).tensors)


@pytest.mark.parametrize("text", ["a" * 300, "ab\n" * 70, "x" * 99 + "y", "\n" * 150], ids=lambda t: repr(t[:3]))
def test_tiny_and_dull_texts_train(tmp_path: Path, text: str) -> None:
    reports = finished(started_run(tmp_path, text=text, steps=20))
    assert math.isfinite(reports[-1].train_bits)


def test_nothing_held_out_is_allowed(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=20, val_fraction=0.0)
    assert all(report.val_bits is None for report in finished(run))
    assert load(run.output).result["val_bits_per_char"] is None


def test_unknown_characters_are_learned_to_be_rare_but_possible(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=150, hidden=32)
    finished(run)
    file = load(run.output)
    scorer = Scorer(NumpyNetwork(file.settings, file.tensors), file.vocabulary)
    costs = np.concatenate(list(scorer.surprisals([file.vocabulary.encode("the cat is a é")])))
    assert 15 < costs[-1] < 45  # 13.9 nats for which of the unknown characters it is, the rest for being unknown


# ------------------------------------------------------------------------------------------ budgets


def test_steps_and_epochs_are_kept_exactly(tmp_path: Path) -> None:
    assert finished(started_run(tmp_path, steps=37))[-1].step == 37
    run = started_run(tmp_path, epochs=1.5)
    assert finished(run)[-1].step == math.ceil(1.5 * len(run.corpus.training) / (4 * 16))


@pytest.fixture
def fixed_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan as if every machine were equally fast."""
    monkeypatch.setattr(hardware, "measured_precision", lambda *_: ("float32", Speed(1e9)))


@pytest.mark.usefixtures("fixed_speed")
def test_minutes_are_kept_with_validation_and_saving_included(tmp_path: Path) -> None:
    clock = Clock(tick=0.005)
    run = started_run(tmp_path, minutes=0.1, clock=clock)
    reports = finished(run)
    assert reports[-1].fraction == 1.0
    assert reports[-1].step > 20
    assert 3 < clock.now - 1000 < 6.5


@pytest.mark.usefixtures("fixed_speed")
def test_a_slow_start_and_a_slow_validation_do_not_end_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(tick=0.005)
    run = started_run(tmp_path, minutes=1, clock=clock)
    validate = run.trainer.validator.validate

    def slowly(network: TorchNetwork, step: int, position: float) -> float | None:
        clock.now += 5
        return validate(network, step, position)

    monkeypatch.setattr(run.trainer.validator, "validate", slowly)
    clock.now += 20  # the machine was busy
    reports = finished(run)
    validated = [report for report in reports if report.val_bits is not None]
    assert validated[0].step > 20  # not at once, though a fifteenth of the budget is long over
    assert reports[-1].seconds > 0.6 * 60  # four validations, by estimate, would take the rest of the minute


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("ngrams", [0, None])
def test_a_step_in_shards_is_the_step_as_a_whole_whoever_computes_them(
    lines: bool, ngrams: int | None, tmp_path: Path
) -> None:
    found: dict[tuple[int, int], Tensors] = {}
    for shards, threads in ((1, 1), (2, 1), (2, 2)):
        run = started_run(tmp_path, steps=5, lines=lines, ngrams=ngrams, dropout=0.2, dropconnect=0.1, threads=threads)
        settings = dataclasses.replace(run.plan.training, shards=shards)
        learner = Learner(
            run.plan.model, settings, torch.device("cpu"), counts=run.trainer.learner.counts, threads=threads
        )
        with learner.at_work():
            for step in range(5):
                learner.train_step(run.trainer.batches[step], step, 0.01)
        found[shards, threads] = learner.checkpoint()
    assert_same_bytes(found[2, 1], found[2, 2])
    for name, tensor in found[1, 1].items():
        np.testing.assert_allclose(found[2, 2][name], tensor, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("threads", [1, 2])
def test_runs_that_are_to_be_repeated_are_the_same_on_one_processor_and_on_two(threads: int, tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=30, hidden=24, dropout=0.1, threads=threads)
    finished(run)
    once = started_run(tmp_path, "once", steps=30, hidden=24, dropout=0.1, threads=3 - threads)
    finished(once)
    assert_same_bytes(load(run.output).tensors, load(once.output).tensors)
    assert load(run.output).result["val_bits_per_char"] == load(once.output).result["val_bits_per_char"]


@pytest.mark.parametrize(
    ("budget", "threads", "tuned"),
    [({"steps": 9}, None, []), ({"minutes": 1.0}, 4, []), ({"minutes": 1.0}, None, [2, 2])],
)
def test_threads_are_chosen_on_the_way_where_nobody_chose_them_and_no_run_need_be_repeated(
    budget: dict[str, Any], threads: int | None, tuned: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most: list[int] = []

    def tuner(count: int) -> ThreadTuner:
        most.append(count)
        return ThreadTuner(count)

    monkeypatch.setattr(trainer, "ThreadTuner", tuner)
    monkeypatch.setattr(hardware, "threads_for", lambda request: request.threads or 4)
    run = started_run(tmp_path, **budget, threads=threads)
    list(run.run(lambda: True))
    list(resume(run.output).run(lambda: True))
    assert most == tuned


@pytest.mark.usefixtures("fixed_speed")
def test_a_run_is_finished_even_if_its_last_validation_shows_that_there_was_more_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started_run(tmp_path, minutes=0.04, clock=Clock(tick=0.02))
    validate = run.trainer.validator.validate

    def quicker_at_the_end(network: TorchNetwork, step: int, position: float) -> float | None:
        monkeypatch.setattr(run.trainer.schedule, "total", 120.0 if run.trainer.fraction >= 1.0 else 2.4)
        return validate(network, step, position)

    monkeypatch.setattr(run.trainer.validator, "validate", quicker_at_the_end)
    assert finished(run)[-1].fraction == 1.0
    assert run.finished
    assert load(run.output).result["finished"] is True


@pytest.mark.usefixtures("fixed_speed")
@pytest.mark.parametrize("seed", range(4))
def test_progress_never_goes_back_and_the_end_is_told_once_however_long_validations_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    clock, taken, steps = Clock(tick=0.005), random.Random(seed), list[int]()
    run = started_run(tmp_path, minutes=0.1, clock=clock)
    validate = run.trainer.validator.validate

    def now_and_then_slow(network: TorchNetwork, step: int, position: float) -> float | None:
        clock.now += taken.choice([0.01, 0.3, 0.8])
        steps.append(step)
        return validate(network, step, position)

    monkeypatch.setattr(run.trainer.validator, "validate", now_and_then_slow)
    reports = finished(run)
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    assert fractions.count(1.0) == 1
    assert len(steps) == len(set(steps))  # no parameters are validated twice
    assert reports[-1].val_bits is not None


# ------------------------------------------------------------------------------- cut into pieces


def test_same_seed_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    runs = [started_run(tmp_path, name, steps=12, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    for run in runs:
        finished(run)
    first, again, other = (load(run.output).tensors for run in runs)
    assert_same_bytes(first, again)
    assert first["head.weight"].tobytes() != other["head.weight"].tobytes()


def _reached(asked: Iterator[int], last: int) -> bool:
    """Say so when asked for the last time."""
    return next(asked) >= last


LARGE = large_alphabet()
"""Over which the softmax is estimated."""
CASES: list[dict[str, Any]] = [
    {"steps": 60, "dropout": 0.2, "dropconnect": 0.1},
    {"epochs": 0.7},
    {"steps": 50, "lines": True, "dropout": 0.1},
    {"steps": 40, "cell": "gru"},
    {"steps": 40, "text": LARGE, "min_count": 1},
    {"steps": 60, "text": TEXT[:600]},  # read so often that dropout is chosen, which adapts
]


@pytest.mark.parametrize("settings", CASES, ids=[str(number) for number in range(len(CASES))])
def test_a_run_cut_into_pieces_ends_with_the_same_bytes(tmp_path: Path, settings: dict[str, Any]) -> None:
    whole = started_run(tmp_path, "whole", **settings)
    finished(whole)
    rng = np.random.default_rng(7)
    cut = started_run(tmp_path, "cut", **settings)
    sessions = 1
    while True:
        asked = itertools.count(1)
        last = int(rng.integers(1, 20))
        for _ in cut.run(functools.partial(_reached, asked, last)):
            pass
        if cut.finished:
            break
        assert resume_path(cut.output).exists()
        cut = resume(cut.output)
        sessions += 1
    assert sessions > 2
    assert_same_bytes(load(whole.output).tensors, load(cut.output).tensors)
    assert not resume_path(cut.output).exists()  # a finished run leaves the model alone


@pytest.mark.parametrize("dropout", [None, 0.2])
def test_dropout_is_what_validations_say_unless_a_person_said_it(tmp_path: Path, dropout: float | None) -> None:
    run = started_run(tmp_path, steps=60, text=TEXT[:600], dropout=dropout)
    learner, planned, found = run.trainer.learner, run.plan.training.dropout, set()
    for _ in run.run():
        found.add(learner.model.dropout)
    assert planned > 0
    assert planned / 4 <= min(found) <= max(found) <= planned
    assert (len(found) > 2) == (dropout is None)
    assert run.plan.training.dropout_adapts == (dropout is None)


def test_a_run_stopped_at_its_last_step_ends_as_if_it_were_not(tmp_path: Path) -> None:
    whole = started_run(tmp_path, "whole", steps=20)
    finished(whole)
    cut = started_run(tmp_path, "cut", steps=20)
    for _ in cut.run(lambda: cut.trainer.step == 20):
        pass
    assert cut.finished  # it may as well end
    assert cut.trainer.step == 20
    assert_same_bytes(load(whole.output).tensors, load(cut.output).tensors)


@pytest.mark.usefixtures("fixed_speed")
def test_minutes_more_are_allowed_and_anneal_anew(tmp_path: Path) -> None:
    clock = Clock(tick=0.02)
    run = started_run(tmp_path, minutes=5, clock=clock)
    for _ in run.run(lambda: True):
        pass
    more = resume(run.output, minutes=9, clock=clock)
    assert more.trainer.settings.budget.amount == 9
    assert more.trainer.fraction < 0.2
    hours = started_run(tmp_path, "hours", minutes=600, clock=clock)
    for _ in hours.run(lambda: hours.trainer.step > 50):
        pass
    seconds = resume(hours.output, minutes=0.5, clock=clock).trainer
    assert seconds.expected < 0.01 * hours.trainer.expected
    assert seconds.level > 0.9 * hours.trainer.level  # it falls from where it was
    assert seconds.schedule.learning_rate(30.0) == pytest.approx(0, abs=1e-9)


@pytest.mark.usefixtures("fixed_speed")
def test_a_run_under_another_budget_counts_as_much_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its figures are of two different models, of which one cannot be compared with the other."""
    clock = Clock(tick=0.01)
    monkeypatch.setattr(planning, "COUNTED_PER_SECOND", 1000)  # so that not all of the text is
    run = started_run(tmp_path, minutes=2, clock=clock)
    for _ in run.run(lambda: True):
        pass
    more = resume(run.output, minutes=5, clock=clock)
    assert run.trainer.counts and more.trainer.counts
    assert run.trainer.settings.counted < len(run.corpus.training)
    assert_same_bytes(more.trainer.counts.tensors, run.trainer.counts.tensors)


@pytest.mark.usefixtures("fixed_speed")
def test_a_longer_budget_is_validated_from_its_beginning(tmp_path: Path) -> None:
    clock = Clock(tick=0.01)
    run = started_run(tmp_path, minutes=0.2, clock=clock)
    for _ in run.run(lambda: run.trainer.fraction > 0.8):
        pass
    more = resume(run.output, minutes=0.6, clock=clock)
    fractions = [report.fraction for report in more.run() if report.val_bits is not None]
    assert fractions[0] < 0.6  # it used to wait until the old fraction of the budget was passed


# ---------------------------------------------------------------------------------------- trouble


def test_an_absurd_rate_goes_back_thrice_and_then_says_what_to_change(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=300, learning_rate=1e5)
    notes = []
    with pytest.raises(DivergedError, match=r"--learning-rate.*nothing was learned"):
        for report in run.run():
            notes += [report.note] * bool(report.note)
    assert len(notes) == 3
    assert all("half" in note or "rate" in note for note in notes)


def test_a_diverged_run_replaces_a_model_by_its_best_one_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = started_run(tmp_path, steps=60)
    finished(good)
    before = good.output.read_bytes()
    hopeless = started_run(tmp_path, steps=300, learning_rate=1e5)
    with pytest.raises(DivergedError):
        finished(hopeless)
    assert good.output.read_bytes() == before
    assert not resume_path(good.output).exists()  # going on would end here again

    late = started_run(tmp_path, steps=300)
    train_step = late.trainer.learner.train_step

    def poisoned(batch: Batch, step: int, learning_rate: float) -> float:
        loss = train_step(batch, step, learning_rate)
        return math.inf if step > 150 else loss

    monkeypatch.setattr(late.trainer.learner, "train_step", poisoned)
    with pytest.raises(DivergedError, match="the best model so far is in"):
        finished(late)
    assert good.output.read_bytes() != before
    assert load(late.output).result["val_bits_per_char"] < 2


def test_a_run_that_only_spoils_the_model_it_started_from_gives_that_one_back(tmp_path: Path) -> None:
    first = started_run(tmp_path, steps=150, ngrams=0)
    finished(first)
    spoiling = prepare(
        [tmp_path / "text.txt"], output=tmp_path / "second.safetensors", init_from=first.output,
        request=TrainingRequest(steps=6, learning_rate=0.2, batch=4, context=16, threads=1, ngrams=0),
    )  # fmt: skip
    reports = finished(spoiling)
    assert (reports[0].step, reports[0].fraction) == (0, 0.0)
    assert reports[0].val_bits == pytest.approx(first.result["val_bits_per_char"], abs=0.05)
    assert "the pretrained parameters are kept" in reports[-1].note
    assert_same_bytes(load(first.output).tensors, load(spoiling.output).tensors)


def test_many_unknown_characters_are_no_sign_that_nothing_was_learned(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=100, min_count=TEXT.count("s") + 1)  # leaves a few letters only
    finished(run)
    assert run.result["val_bits_per_char"] > 2 * math.log2(run.plan.model.vocab_size) + 2


def test_without_validation_a_diverged_run_keeps_nothing_that_knows_nothing(tmp_path: Path) -> None:
    good = started_run(tmp_path, steps=60)
    finished(good)
    before = good.output.read_bytes()
    for lines in (False, True):
        with pytest.raises(DivergedError):
            finished(started_run(tmp_path, steps=100, learning_rate=1e5, val_fraction=0.0, lines=lines))
        assert good.output.read_bytes() == before
    finished(started_run(tmp_path, steps=30, val_fraction=0.0))
    assert good.output.read_bytes() != before


def test_without_validation_what_is_hard_to_read_is_no_divergence(tmp_path: Path) -> None:
    strange = "".join(chr(0x4E00 + number) for number in range(1900)) + "\n" + TEXT * 3
    run = started_run(tmp_path, "strange", strange, steps=30, val_fraction=0.0, min_count=2)
    finished(run)
    sure = tmp_path / "sure"
    sure.mkdir()
    first = started_run(sure, steps=200)
    finished(first)
    (tmp_path / "other.txt").write_text(TEXT.translate({ord(c): ord(c) + 0x3F0 for c in "abcdefghiklmnoprstuw"}))
    pretrained = prepare(
        [tmp_path / "other.txt"], output=tmp_path / "pretrained.safetensors", init_from=first.output,
        request=TrainingRequest(steps=6, val_fraction=0.0, batch=4, context=16, threads=1),
    )  # fmt: skip
    pretrained.trainer.validator.worst_bits = 1.0  # as if it began far beyond it
    finished(pretrained)
    assert (run.trainer.rate_cuts, pretrained.trainer.rate_cuts) == (0, 0)


def test_a_loss_that_is_not_finite_goes_back_and_the_run_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started_run(tmp_path, steps=120)

    def poisoned(learner: Learner, step: int, loss: float) -> float:
        if step != 60 or run.trainer.rate_cuts:
            return loss
        fill(learner.model, math.nan)
        return math.nan

    after_each_step(monkeypatch, poisoned)
    reports = finished(run)
    assert run.trainer.rate_cuts == 1
    assert reports[-1].val_bits is not None
    assert reports[-1].val_bits < 3.5
    load(run.output)  # finite throughout


def test_a_run_that_diverges_and_is_cut_into_pieces_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_the_first_validation_and_after = (2, 45)
    after_each_step(
        monkeypatch, lambda _, step, loss: math.nan if step in before_the_first_validation_and_after else loss
    )
    whole = started_run(tmp_path, "whole", steps=60)
    finished(whole)
    assert whole.trainer.rate_cuts == 2
    cut = started_run(tmp_path, "cut", steps=60)
    while not cut.finished:
        asked = itertools.count(1)
        for _ in cut.run(functools.partial(_reached, asked, 1 if cut.trainer.step < 5 else 7)):
            pass
        cut = cut if cut.finished else resume(cut.output)
    assert_same_bytes(load(whole.output).tensors, load(cut.output).tensors)


def test_broken_parameters_never_become_the_model_where_nothing_validates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(learner: Learner, step: int, loss: float) -> float:
        if step == 39:
            fill(learner.averaged, math.nan)
        return loss

    after_each_step(monkeypatch, poisoned)
    run = started_run(tmp_path, steps=40, val_fraction=0.0)
    finished(run)
    load(run.output)  # finite throughout


@pytest.mark.parametrize("when", [60, 119])
def test_parameters_that_break_in_a_step_never_replace_good_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: int
) -> None:
    """The loss is that of before the step, so only the validation sees it; the second time there is no next step."""
    run = started_run(tmp_path, steps=120)

    def poisoned(learner: Learner, step: int, loss: float) -> float:
        if step == when and not run.trainer.rate_cuts:
            fill(learner.model, math.nan)
            fill(learner.averaged, math.nan)
            run.trainer.validation_due = 0  # a validation follows at once
        return loss

    after_each_step(monkeypatch, poisoned)
    finished(run)
    assert run.result["val_bits_per_char"] < 4
    load(run.output)  # finite throughout

"""Training runs: what they refuse beforehand, what they leave on the disk, and that they go on where they stopped."""

from __future__ import annotations

import functools
import math
import os
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import helpers
import numpy as np
import pytest
import torch
from helpers import ALPHABET, ROOT, TEXT, Clock, charlstm, corpus_of, random_model, started_run

import charlstm as library
from charlstm.config import TrainingRequest
from charlstm.data import cache, collecting, mapping
from charlstm.data.batching import Batch
from charlstm.data.corpus import Corpus, Reading
from charlstm.data.mapping import is_mapped
from charlstm.errors import DivergedError, ModelFileError, OutputError, TextError, UsageError
from charlstm.models import file as modelfile
from charlstm.models import tensor_file
from charlstm.training import hardware
from charlstm.training import run as runs
from charlstm.training.outputs import resume_path
from charlstm.training.planning import Speed, Text
from charlstm.training.run import prepare, resume

SMALL = {**helpers.SMALL, "layers": 1}


def test_validating_on_what_is_trained_on_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    request = TrainingRequest(steps=2, batch=4, context=16, hidden=8)
    text = tmp_path / "text.txt"
    run = prepare([text], output=tmp_path / "m.safetensors", validation=[text], request=request)
    assert any("is trained on, too" in note for note in run.corpus.notes)


# ---------------------------------------------------------------------- starting from another model


def test_a_run_can_fine_tune_a_pretrained_model_whose_vocabulary_grows(tmp_path: Path) -> None:
    first = library.train(output=tmp_path / "first.safetensors", text=TEXT, steps=80, ngrams=0, **SMALL)
    more = TEXT.replace("is", "était")
    second = library.train(
        output=tmp_path / "second.safetensors", text=more, init_from=tmp_path / "first.safetensors",
        steps=1, learning_rate=1e-6, batch=4, context=16, threads=1, ngrams=0,
    )  # fmt: skip
    assert second.vocabulary.characters == (*first.vocabulary.characters, "é")
    # A fresh model would cost 4 bits. What little is lost is the share of the new character.
    assert second.score(TEXT).bits_per_char < first.score(TEXT).bits_per_char + 0.2


def test_a_run_that_started_from_a_model_resumes_without_it(tmp_path: Path) -> None:
    library.train(output=tmp_path / "first.safetensors", text=TEXT.replace("cat", "çat"), steps=5, **SMALL)
    (tmp_path / "text.txt").write_text(TEXT)
    request = TrainingRequest(steps=20, batch=4, context=16, threads=1)
    run = prepare(
        [tmp_path / "text.txt"], output=tmp_path / "m.safetensors", request=request,
        init_from=tmp_path / "first.safetensors",
    )  # fmt: skip
    for _ in run.run(lambda: run.trainer.step >= 8):
        pass
    (tmp_path / "first.safetensors").unlink()
    again = resume(tmp_path / "m.safetensors")
    assert [report.fraction for report in again.run()][-1] == 1.0
    assert "ç" in library.load(tmp_path / "m.safetensors").vocabulary


@pytest.mark.parametrize("asked", [{"hidden": 32}, {"layers": 2}, {"cell": "gru"}, {"embedding": 9}])
def test_a_shape_that_contradicts_the_model_to_start_from_is_an_error(tmp_path: Path, asked: dict[str, Any]) -> None:
    library.train(output=tmp_path / "first.safetensors", text=TEXT, steps=2, **SMALL)
    with pytest.raises(UsageError, match=f"--{next(iter(asked))} .* contradicts --init-from"):
        library.train(
            output=tmp_path / "m.safetensors", text=TEXT, init_from=tmp_path / "first.safetensors", steps=2, **asked
        )


# ------------------------------------------------------------------------------ refused beforehand


def stopped_run(folder: Path, **settings: object) -> Path:
    """The model of a run that was stopped after some steps."""
    (folder / "text.txt").write_text(TEXT)
    request = TrainingRequest(**{"steps": 50, **SMALL, **settings})
    run = prepare([folder / "text.txt"], output=folder / "m.safetensors", request=request)
    for _ in run.run(lambda: run.trainer.step >= 10):
        pass
    return run.output


def test_a_changed_text_is_named_and_not_resumed(tmp_path: Path) -> None:
    output = stopped_run(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT.replace("cat", "cow"))
    with pytest.raises(TextError, match=r"text\.txt: changed"):
        resume(output)
    (tmp_path / "text.txt").unlink()
    with pytest.raises(TextError, match=r"text\.txt"):
        resume(output)


def test_a_run_on_a_large_text_goes_on_with_what_is_kept_of_it_and_ends_as_one_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = TrainingRequest(**{"steps": 12, "seed": 3, **SMALL})
    (tmp_path / "text.txt").write_text(TEXT)
    whole = prepare([tmp_path / "text.txt"], output=tmp_path / "whole", request=request)
    for _ in whole.run():
        pass
    monkeypatch.setattr(mapping, "MOST_IN_MEMORY", 1000)
    monkeypatch.setattr(cache, "MOST_IN_MEMORY", 1000)
    run = prepare([tmp_path / "text.txt"], output=tmp_path / "m", request=request, cache=tmp_path / "kept")
    for _ in run.run(lambda: run.trainer.step >= 5):
        pass
    monkeypatch.setattr(collecting, "TextSource", None)  # whoever reads a text fails
    run = resume(tmp_path / "m")
    assert is_mapped(run.corpus.training)
    for _ in run.run():
        pass
    one, other = (modelfile.load(tmp_path / name) for name in ("whole", "m"))
    assert one.trained_on == other.trained_on
    for name, tensor in one.tensors.items():
        np.testing.assert_array_equal(tensor, other.tensors[name])
    os.utime(tmp_path / "text.txt", ns=(0, 0))
    with pytest.raises(TypeError):
        prepare([tmp_path / "text.txt"], output=tmp_path / "n", request=request, cache=tmp_path / "kept")


def test_a_run_goes_on_with_another_folder_for_its_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that it had may be on another machine, or full."""
    for module in (cache, mapping):
        monkeypatch.setattr(module, "MOST_IN_MEMORY", 1000)
    (tmp_path / "text.txt").write_text(TEXT)
    request = TrainingRequest(steps=20, **SMALL)
    run = prepare([tmp_path / "text.txt"], output=tmp_path / "m", request=request, cache=tmp_path / "gone")
    list(run.run(lambda: run.trainer.step >= 4))
    shutil.rmtree(tmp_path / "gone")
    (tmp_path / "gone").write_text("no folder any more")
    with pytest.raises(OutputError, match="--cache"):
        resume(run.output)
    again = resume(run.output, cache=tmp_path / "other")
    assert is_mapped(again.corpus.training)
    assert len(os.listdir(tmp_path / "other")) == 1
    list(again.run())
    assert again.finished


def test_an_unfinished_run_is_not_overwritten_by_accident(tmp_path: Path) -> None:
    output = stopped_run(tmp_path)
    with pytest.raises(OutputError, match="--resume"):
        prepare([tmp_path / "text.txt"], output=output)


def test_a_new_budget_must_be_more_than_what_is_used(tmp_path: Path) -> None:
    output = stopped_run(tmp_path)
    kept = resume_path(output).read_bytes()
    with pytest.raises(UsageError, match="used already"):
        resume(output, minutes=1e-9)
    assert resume_path(output).read_bytes() == kept


def test_a_run_through_a_link_is_the_run_of_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "link.safetensors").symlink_to(stopped_run(tmp_path))
    assert resume(tmp_path / "link.safetensors").trainer.step == 10


def test_a_run_whose_model_another_has_replaced_does_not_write_over_that(tmp_path: Path) -> None:
    run, other = started_run(tmp_path, "run", steps=9), started_run(tmp_path, "other", steps=3, seed=1)
    list(run.run(lambda: run.trainer.step >= 4))
    list(other.run())
    mine, others = run.output.read_bytes(), other.output.read_bytes()
    for found, said in ((others, "not the model of the unfinished run beside it"), (b"dear notes", "not the model")):
        run.output.write_bytes(found)
        with pytest.raises(OutputError, match=said):
            resume(run.output)
        assert run.output.read_bytes() == found
    for kept in (mine, mine[:50]):  # what is broken is written again
        run.output.write_bytes(kept)
        assert resume(run.output).trainer.step == 4
    run.output.unlink()
    assert resume(run.output).trainer.step == 4


def test_a_broken_resume_file_is_an_error(tmp_path: Path) -> None:
    output = stopped_run(tmp_path)
    path = resume_path(output)
    whole = path.read_bytes()
    for size in (len(whole) - 50, 100, 3, 0):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelFileError, match="start anew, or train on from the model with --init-from"):
            resume(output)
    tensors, description = tensor_file.read(output)
    tensor_file.write(path, tensors, description)  # a model where a run's state should be
    with pytest.raises(ModelFileError, match="state"):
        resume(output)


def test_of_two_that_go_on_with_one_run_the_second_is_refused(tmp_path: Path) -> None:
    output = stopped_run(tmp_path)
    first, second = resume(output), resume(output)
    list(first.run())
    with pytest.raises(OutputError, match="another process"):
        next(second.run())
    assert library.load(output).file.result["finished"]


def test_a_text_that_came_into_a_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("b", "c"):
        (folder / name).write_text(TEXT + name)
    request = TrainingRequest(steps=50, **SMALL)
    run = prepare([folder], output=tmp_path / "m.safetensors", request=request)
    list(run.run(lambda: True))
    (folder / "a").write_text("something new")
    with pytest.raises(TextError, match="texts/a: new since"):
        resume(run.output)


def test_waiting_for_standard_input_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    def slow(reading: Reading) -> Corpus:
        clock.now += 100
        return corpus_of(texts=[TEXT])

    monkeypatch.setattr(runs, "read_corpus", slow)
    request = TrainingRequest(steps=2, **SMALL)
    piped = prepare(["-"], output=tmp_path / "m.safetensors", request=request, clock=clock)
    assert piped.trainer.seconds == 0
    (tmp_path / "text.txt").write_text(TEXT)
    named = prepare([tmp_path / "text.txt"], output=tmp_path / "m.safetensors", request=request, clock=clock)
    assert named.trainer.seconds == 100


def test_what_is_used_of_the_budget_before_the_plan_is_not_planned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "measured_precision", lambda *_: ("float32", Speed(1e11)))
    request = TrainingRequest(minutes=1, **SMALL)
    expected = [
        prepare(output=tmp_path / "m.safetensors", texts=[TEXT], started=started, request=request, clock=Clock())
        for started in (1000.0, 950.0)  # by a clock that stands at 1000
    ]
    assert expected[1].plan.expected < 0.4 * expected[0].plan.expected


def test_strange_validation_texts_and_other_kinds_of_text_are_said(tmp_path: Path) -> None:
    (tmp_path / "held.txt").write_text("кот 猫 cat " * 20)
    first = library.train(output=tmp_path / "lines.safetensors", text=TEXT, steps=2, lines=True, **SMALL)
    assert first.file.lines
    request = TrainingRequest(steps=2)
    run = prepare(
        output=tmp_path / "m.safetensors", texts=[TEXT], request=request, validation=[tmp_path / "held.txt"],
        init_from=tmp_path / "lines.safetensors",
    )  # fmt: skip
    assert any("% of the held-out characters are not in the training part" in note for note in run.corpus.notes)
    assert any("give --lines to train in the same way" in note for note in run.corpus.notes)
    text = "".join(f"{number:05d}\n" for number in range(1000))
    assert prepare(output=tmp_path / "m.safetensors", texts=[text], request=request).corpus.notes == []


@pytest.mark.parametrize("better", [True, False])
def test_a_pretrained_model_whose_counts_know_more_is_kept_whole(tmp_path: Path, better: bool) -> None:
    """Fine-tuned on a little more of the same, the network loses what much of it had counted."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefgh"), 9)) for _ in range(400)]
    much, little = (" ".join(rng.choice(words, count)) for count in (3000, 300))
    if not better:
        much, little = little, much
    first = library.train(output=tmp_path / "first", text=much, steps=12, val_split="end", **SMALL)
    second = library.train(
        output=tmp_path / "second", text=little, init_from=tmp_path / "first", steps=4, batch=4, context=16, threads=1,
        val_split="end",
    )  # fmt: skip
    assert second.file.result.get("pretrained_kept", False) == better
    unread = " ".join(rng.choice(words, 300))
    assert (second.score(unread) == first.score(unread)) == better
    assert second.score(unread).nats <= first.score(unread).nats


@pytest.mark.parametrize(("before", "now", "said"), [(None, None, True), (0, None, False), (None, 0, False)])
def test_that_the_counts_of_a_pretrained_model_are_not_kept_is_said(
    tmp_path: Path, before: int | None, now: int | None, said: bool
) -> None:
    first = tmp_path / "first.safetensors"
    library.train(output=first, text=TEXT, steps=12, ngrams=before, **SMALL)
    request = TrainingRequest(steps=2, ngrams=now)
    run = prepare(output=tmp_path / "m.safetensors", texts=[TEXT], request=request, init_from=first)
    assert any("counts of its own text are not kept" in note for note in run.corpus.notes) == said


def test_a_model_to_start_from_has_an_alphabet_that_will_do(tmp_path: Path) -> None:
    library.train(output=tmp_path / "first.safetensors", text=TEXT, steps=2, **SMALL)
    second = library.train(
        output=tmp_path / "second.safetensors", text=TEXT[:150], init_from=tmp_path / "first.safetensors",
        steps=2, min_count=1000,
    )  # fmt: skip
    assert second.sample("the ", length=5, seed=1)


def test_standard_input_is_read_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be both the text and --val"):
        prepare(["-"], output=tmp_path / "m.safetensors", validation=["-"])
    with pytest.raises(UsageError, match="once"):
        corpus_of(["-", "-"])


def test_a_name_too_long_for_the_run_s_state_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too long"):
        prepare(output=tmp_path / ("n" * 234 + ".safetensors"), texts=[TEXT])
    request = TrainingRequest(steps=1, **SMALL)
    prepare(output=tmp_path / ("n" * 210 + ".safetensors"), texts=[TEXT], request=request)


def test_the_state_of_a_run_is_not_taken_for_a_model(tmp_path: Path) -> None:
    output = stopped_run(tmp_path)
    with pytest.raises(ModelFileError, match="state of an unfinished run"):
        library.load(resume_path(output))


def test_without_line_ends_a_text_is_one_line_and_unknown_characters_end_none() -> None:
    corpus = corpus_of(texts=["".join("ab" * 20 + chr(0x400 + number) for number in range(10))], min_count=2)
    assert Text.of(corpus).mean_line == len(corpus.training)


def test_a_second_training_to_the_same_output_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    request = TrainingRequest(steps=50, **SMALL)
    first, second = (
        prepare([tmp_path / "text.txt"], output=tmp_path / "m.safetensors", request=request) for _ in range(2)
    )
    reports = first.run()
    next(reports)
    with pytest.raises(OutputError, match="another training"):
        next(second.run())
    list(reports)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.safetensors", "text.txt"]


def test_two_names_of_one_file_are_one_output(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "m.safetensors").write_bytes(b"")
    (tmp_path / "link.safetensors").symlink_to("m.safetensors")
    request = TrainingRequest(steps=50, **SMALL)
    first, second = (
        prepare([tmp_path / "text.txt"], output=tmp_path / name, request=request, force=True)
        for name in ("m.safetensors", "link.safetensors")
    )
    reports = first.run()
    next(reports)
    with pytest.raises(OutputError, match="another training"):
        next(second.run())


def test_a_new_run_takes_the_state_of_an_old_one_away(tmp_path: Path) -> None:
    output = stopped_run(tmp_path)
    assert resume_path(output).exists()
    request = TrainingRequest(steps=50, **SMALL)
    reports = prepare([tmp_path / "text.txt"], output=output, request=request, force=True).run()
    next(reports)  # nothing of its own is saved yet
    assert not resume_path(output).exists()


def test_a_path_that_cannot_be_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        prepare(output=tmp_path / ("x" * 300), texts=[TEXT])


def test_a_description_too_large_to_be_read_again_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too large"):
        tensor_file.write(
            tmp_path / "m.safetensors", {}, {"text": "é" * (tensor_file.LARGEST_HEADER // 7)}
        )  # each is \\u00e9
    assert not list(tmp_path.iterdir())
    description = {"text": "é" * (tensor_file.LARGEST_HEADER // 7 - 100)}
    tensor_file.write(tmp_path / "m.safetensors", {}, description)
    assert tensor_file.read(tmp_path / "m.safetensors")[1] == description


# ---------------------------------------------------------------------------------- kill and go on

PAUSED = """
import sys
from charlstm.training.checkpoint import SaveClock
from charlstm.training.learner import Learner

train_step = Learner.train_step

def pausing(learner, batch, step, learning_rate):
    if step == 60:
        print("paused", flush=True)
        sys.stdin.readline()
    return train_step(learner, batch, step, learning_rate)

Learner.train_step = pausing
SaveClock.due = lambda clock, fraction: fraction > 0.2

from charlstm.cli.main import main
main()
"""
"""The command line, which waits before step 60 for a line on standard input, and has saved by then."""
STEPS = ("--steps", 150, "--hidden", 32, "--batch", 8, "--dropout", 0.1, "--threads", 1)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text, and the model that those steps make of it."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "text.txt").write_text(TEXT)
    done = charlstm("train", "text.txt", "-o", "whole.safetensors", "-q", *STEPS, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_stopped_by_a_signal_and_resumed_ends_with_the_same_bytes(uninterrupted: Path, number: signal.Signals) -> None:
    name = f"{number.name}.safetensors"
    process = subprocess.Popen(
        [sys.executable, "-c", PAUSED, "train", "text.txt", "-o", name, *map(str, STEPS)],
        cwd=uninterrupted,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout
    assert process.stdout.readline() == b"paused\n"
    process.send_signal(number)
    _, errors = process.communicate(b"" if number == signal.SIGKILL else b"\n", timeout=60)
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert b"--resume" in errors
        assert b"Traceback" not in errors
    assert modelfile.load(uninterrupted / name)  # whole, whatever happened
    done = charlstm("train", "--resume", "-o", name, "-q", cwd=uninterrupted)
    assert done.returncode == 0, done.stderr
    first, second = (tensor_file.read(uninterrupted / n) for n in ("whole.safetensors", name))
    assert first[0].keys() == second[0].keys()
    assert all(first[0][key].tobytes() == second[0][key].tobytes() for key in first[0])
    assert first[1]["trained_on"] == second[1]["trained_on"]


# -------------------------------------------------------------------------------- after it has ended


def test_a_diverged_run_says_so_when_it_is_asked_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = started_run(tmp_path, steps=60)
    train_step = run.trainer.learner.train_step
    monkeypatch.setattr(
        run.trainer.learner,
        "train_step",
        lambda batch, step, rate: math.nan if step > 30 else train_step(batch, step, rate),
    )
    with pytest.raises(DivergedError, match="best model so far"):
        list(run.run())
    with pytest.raises(ModelFileError, match=r"diverged.*smaller --learning-rate"):
        resume(run.output)


def test_a_finished_run_says_how_to_train_its_model_further(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=3)
    list(run.run())
    spaced = run.output.rename(tmp_path / "a model")
    with pytest.raises(ModelFileError, match=rf"is finished.*--init-from '{spaced}' -o NEW$"):
        resume(spaced)


def test_a_stopped_run_whose_state_is_gone_is_not_called_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resume_path(stopped_run(tmp_path)).unlink()
    monkeypatch.chdir(tmp_path)  # a message with long paths is shortened
    with pytest.raises(ModelFileError, match=r"m\.resume\.safetensors is not beside it.*--init-from"):
        resume("m.safetensors")


# ---------------------------------------------------------------------------------- stopped by hand


def test_a_run_stopped_early_in_a_long_budget_says_how_to_let_the_learning_rate_fall(tmp_path: Path) -> None:
    clock = Clock()
    request = TrainingRequest(minutes=1440, precision="float32", **SMALL)
    run = prepare(output=tmp_path / "m.safetensors", texts=[TEXT], request=request, clock=clock)
    clock.now += 600
    run.trainer.characters = run.plan.model.multiplications()
    first, second = run.ways_on()
    assert first == f"stopped and saved; go on with: charlstm train --resume -o {tmp_path / 'm.safetensors'}"
    assert second.endswith("m.safetensors --minutes 14")


def test_a_run_stopped_early_with_a_network_too_large_for_minutes_is_better_begun_anew(tmp_path: Path) -> None:
    clock = Clock()
    request = TrainingRequest(minutes=1440, precision="float32", **SMALL)
    run = prepare(output=tmp_path / "m.safetensors", texts=[TEXT], request=request, clock=clock)
    clock.now += 600
    run.trainer.characters = run.plan.model.multiplications() // 2
    assert run.ways_on()[1].endswith("start anew: --force --minutes 14")


def test_a_pretrained_network_that_is_stopped_early_is_not_to_be_begun_anew(tmp_path: Path) -> None:
    pretrained = started_run(tmp_path, "pretrained", steps=2)
    list(pretrained.run())
    clock = Clock()
    request = TrainingRequest(minutes=1440, precision="float32")
    output = tmp_path / "m.safetensors"
    run = prepare(output=output, texts=[TEXT], request=request, init_from=pretrained.output, clock=clock)
    clock.now += 600
    assert run.ways_on()[1].endswith("m.safetensors --minutes 14")


def test_a_run_stopped_near_its_end_has_nothing_to_gain_from_another_budget(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=20)
    list(run.run(lambda: run.trainer.step >= 17))
    assert len(run.ways_on()) == 1


def test_where_the_rest_of_a_run_is_shorter_no_other_budget_is_proposed(tmp_path: Path) -> None:
    clock = Clock()
    run = started_run(tmp_path, steps=20, clock=clock)
    list(run.run(lambda: run.trainer.step >= 10))
    assert len(run.ways_on()) == 1  # a second or so is left, and the least proposal is two minutes
    clock.now += 600
    assert "--minutes 14" in run.ways_on()[1]  # the whole would take twice as long


def test_an_endless_budget_is_validated_within_seconds_and_warned_of(tmp_path: Path) -> None:
    clock = Clock()
    request = TrainingRequest(minutes=1e6, precision="float32", **SMALL)
    run = prepare(output=tmp_path / "m.safetensors", texts=[TEXT], request=request, clock=clock)
    assert any("far more than this text can use" in note for note in run.corpus.notes)
    train_step = run.trainer.learner.train_step

    def slow(batch: Batch, step: int, learning_rate: float) -> float:
        clock.now += 1
        return train_step(batch, step, learning_rate)

    run.trainer.learner.train_step = slow  # type: ignore[method-assign]
    reports = list(run.run(lambda: run.trainer.step >= 400))
    seconds = [report.seconds for report in reports if report.val_bits is not None]
    assert seconds[0] < 20
    assert max(np.diff([*seconds, 400.0])) < 120
    assert max(report.learning_rate for report in reports) == pytest.approx(run.plan.training.learning_rate, rel=0.01)
    assert reports[-1].val_bits is not None or reports[-1].train_bits < 2
    file = library.load(run.output).file
    assert file.result["val_bits_per_char"] < 2.5


# ------------------------------------------------------------------------------ the caller's process


def test_a_run_leaves_the_callers_process_as_it_was(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    environment, filters = dict(os.environ), list(warnings.filters)
    run = started_run(tmp_path, minutes=5, threads=2 * (before + 1))
    assert torch.get_num_threads() == before
    while_training: list[int] = []

    def stop() -> bool:
        while_training.append(torch.get_num_threads())
        return run.trainer.step >= 3

    list(run.run(stop))
    assert while_training == [before + 1] * 3  # in each of two workers
    assert torch.get_num_threads() == before
    list(resume(run.output).run(lambda: True))
    assert torch.get_num_threads() == before
    assert torch.rand(3).tolist() == expected.tolist()
    assert dict(os.environ) == environment
    assert warnings.filters == filters


def test_a_run_with_scalars_of_numpy_saves(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"hidden": np.int64(16), "learning_rate": np.float32(0.01), "steps": np.int32(4)}
    run = started_run(tmp_path, **settings)
    list(run.run(lambda: run.trainer.step >= 2))
    list(resume(run.output).run())
    assert library.load(run.output).file.settings.hidden == 16


# --------------------------------------------------------------------------------- another machine


def test_a_run_goes_on_with_the_threads_that_it_had(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=9, threads=3)
    list(run.run(lambda: True))
    again = resume(run.output)
    assert again.threads == 3
    assert not any("threads" in note for note in again.corpus.notes)
    list(again.run())
    assert library.load(run.output).file.training["threads"] == 3
    assert library.load(run.output).file.training["device"] == "cpu"


def test_with_fewer_processors_a_run_goes_on_and_says_that_it_will_not_be_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started_run(tmp_path, steps=9, threads=None)
    run.threads = 8
    list(run.run(lambda: True))
    monkeypatch.setattr(hardware, "processors", lambda: 1)
    again = resume(run.output)
    assert again.threads == 4  # more would only wait for each other
    assert "8 threads" in again.corpus.notes[-1]
    assert "not be bit for bit the same" in again.corpus.notes[-1]
    list(again.run())
    assert again.finished


def test_a_full_disk_is_a_clear_error_and_the_last_good_model_is_intact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = stopped_run(tmp_path)
    before = output.read_bytes()
    run = resume(output)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        list(run.run())
    assert output.read_bytes() == before
    assert not list(tmp_path.glob(".*part"))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files as Linux shows them")
def test_no_file_stays_open(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "broken.safetensors").write_bytes(b"nonsense")

    def once(number: int) -> None:
        model = library.train(
            tmp_path / "text.txt", output=tmp_path / f"{number}.safetensors", validation=tmp_path / "text.txt",
            steps=2, **SMALL,
        )  # fmt: skip
        model.sample("the ", length=5)
        model.score(TEXT)
        with pytest.raises(ModelFileError):
            library.load(tmp_path / "broken.safetensors")

    once(0)  # what is opened once and for all, by torch for one, is open now
    before = len(os.listdir("/proc/self/fd"))
    for number in range(1, 6):
        once(number)
    assert len(os.listdir("/proc/self/fd")) <= before


# ------------------------------------------------------------------------------------------ bytes


def test_models_of_bytes_and_of_characters_do_not_begin_with_each_other(tmp_path: Path) -> None:
    for as_bytes in (False, True):
        first = tmp_path / f"first-{as_bytes}.safetensors"
        random_model(None if as_bytes else ALPHABET).save(first)
        with pytest.raises(UsageError, match=r"--init-from: that is a model of .* --bytes"):
            prepare([], output=tmp_path / "m", init_from=first, request=TrainingRequest(as_bytes=not as_bytes))


def stops_at(run: runs.Run, step: int) -> bool:
    return run.trainer.step >= step


def test_a_stopped_run_on_bytes_goes_on_to_the_same_model(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(bytes(range(256)) * 8)
    request = TrainingRequest(as_bytes=True, steps=6, **SMALL)
    models = []
    for name, stop in (("whole", 6), ("stopped", 3)):
        output = tmp_path / f"{name}.safetensors"
        run = prepare([tmp_path / "text"], output=output, request=request)
        reached = functools.partial(stops_at, run, stop)
        assert list(run.run(reached))
        if not run.finished:
            again = resume(output)
            assert again.corpus.vocabulary.as_bytes
            assert [report.fraction for report in again.run()][-1] == 1.0
        models.append(modelfile.load(output))
    for name, tensor in models[0].tensors.items():
        np.testing.assert_array_equal(tensor, models[1].tensors[name])


def test_a_sample_on_the_way_of_a_run_on_bytes_is_text(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes("你好\n".encode() * 100)
    request = TrainingRequest(as_bytes=True, steps=2, **SMALL)
    run = prepare([tmp_path / "text"], output=tmp_path / "m.safetensors", request=request)
    run.sample(50).encode()
    assert "\ufffd" in run.sample(200)  # nothing was learned yet


@pytest.mark.parametrize("cell", [None, "gru"])
def test_the_machine_is_measured_with_the_cell_that_is_trained(
    cell: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def measured(_device: object, _asked: object, _threads: object, cell: object) -> tuple[str, Speed]:
        asked.append(cell)
        return "float32", Speed(1e11)

    monkeypatch.setattr(hardware, "measured_precision", measured)
    started_run(tmp_path, steps=None, minutes=1, cell=cell)
    assert asked == [cell or "lstm"]

"""Several processes are one run: the same batches, the same parameters, one end, and one message of what went wrong.

Threads play the processes here; `test_distributed` has real ones.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import TEXT, Clock, large_alphabet, started_run, within, write_file
from torch import Tensor

from charlstm.errors import CharlstmError, ProcessGroupError, UsageError
from charlstm.models.file import load
from charlstm.models.tensor_file import Tensors
from charlstm.training import hardware
from charlstm.training.distributed import Group
from charlstm.training.following import follow, refuse_differences
from charlstm.training.learner import Learner
from charlstm.training.outputs import resume_path
from charlstm.training.planning import Speed
from charlstm.training.ranks import Work
from charlstm.training.run import Run, resume


class Meeting:
    """Where threads that play processes exchange tensors."""

    def __init__(self, size: int) -> None:
        self.barrier = threading.Barrier(size, timeout=60)
        self.tensors: list[Tensor] = [torch.empty(0)] * size

    def exchanged(self, rank: int, tensor: Tensor) -> list[Tensor]:
        """What each brings, by rank."""
        try:
            self.barrier.wait()
            self.tensors[rank] = tensor.clone()
            self.barrier.wait()
            found = list(self.tensors)
            assert {one.shape for one in found} == {tensor.shape}  # all are in the same exchange
            return found
        except threading.BrokenBarrierError as error:
            raise ProcessGroupError("another process has ended") from error


class ThreadRank(Group):
    """One of several processes, played by a thread."""

    def __init__(self, rank: int, size: int, meeting: Meeting) -> None:
        super().__init__(rank, size)
        self.meeting = meeting

    def all_reduce(self, tensor: Tensor) -> None:
        tensor.copy_(torch.stack(self.meeting.exchanged(self.rank, tensor)).sum(0))

    def broadcast_tensor(self, tensor: Tensor) -> None:
        tensor.copy_(self.meeting.exchanged(self.rank, tensor)[0])


class Team:
    """A leading process, and others that follow it."""

    def __init__(self, size: int) -> None:
        self.meeting = Meeting(size)
        self.leader, *self.others = (ThreadRank(rank, size, self.meeting) for rank in range(size))
        self.stopping = [False] * size
        self.errors: list[CharlstmError] = []
        self.threads = [threading.Thread(target=self._follow, args=(one,), daemon=True) for one in self.others]
        for thread in self.threads:
            thread.start()

    def _follow(self, ranks: ThreadRank) -> None:
        try:
            follow(ranks, lambda: self.stopping[ranks.rank])
        except CharlstmError as error:
            self.errors.append(error)
        except BaseException:
            self.meeting.barrier.abort()
            raise

    def end(self) -> None:
        """All have ended, or it is a failure."""
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _number_of_threads() -> Iterator[None]:
    """Each of the processes sets it, and puts it back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def trained(size: int, run_with: Callable[[Any], Run], steps: float = math.inf) -> Run:
    """A run of so many processes that ended, or was stopped after so many steps more."""
    team = Team(size) if size > 1 else None
    run = run_with(ranks=team.leader) if team else run_with()  # type: ignore[call-arg]
    asked = itertools.count(1)
    within(60, lambda: list(run.run(lambda: next(asked) >= steps)))
    if team:
        team.leader.dismiss()
        team.end()
        assert not team.errors
    return run


def new_run(folder: Path, name: str, **settings: Any) -> Callable[..., Run]:
    def made(**more: Any) -> Run:
        return started_run(folder, name, **{"steps": 16, "hidden": 16, "batch": 7, **settings, **more})

    return made


def assert_close(one: Tensors, other: Tensors) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=2e-5, err_msg=name)


LONG_NAMES = "".join(f"{'na' * (60 + 8 * i)}{'bdkmlr'[i]}\n" for i in range(6))
"""Each is read alone: it is as long as all lines of a step."""
NAMES = "".join(f"{a}{b}{'n' * (len(b) + i % 5)}\n" for i, a in enumerate("bdkmlr") for b in ("a", "ei", "ou")) * 4


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {"ngrams": 0, "cell": "gru"},
        {"dropout": 0.3, "dropconnect": 0.2},
        {"text": TEXT[:400]},
        {"lines": True, "dropout": 0.2, "text": f"{NAMES}{'na' * 40}\n{NAMES}", "batch": 3},
        {"lines": True, "text": f"{NAMES}{LONG_NAMES}{NAMES}", "batch": 3, "val_fraction": 0.0},
        # A small rate: AdamW makes a step of what is but rounding in the gradient of a rare character's embedding.
        {"text": large_alphabet(), "min_count": 1, "learning_rate": 0.002},
    ],
    ids=[
        "network",
        "dropout",
        "dropout that adapts",
        "lines",
        "steps of fewer lines than processes",
        "a sampled softmax",
    ],
)
def test_several_processes_end_with_the_parameters_of_one(tmp_path: Path, size: int, settings: dict[str, Any]) -> None:
    one = trained(1, new_run(tmp_path, "one", **settings))
    several = trained(size, new_run(tmp_path, "several", **settings))
    assert several.trainer.learner.model.dropout == one.trainer.learner.model.dropout
    assert several.trainer.step == one.trainer.step == 16
    assert several.trainer.characters == one.trainer.characters
    assert_close(load(several.output).tensors, load(one.output).tensors)
    assert not resume_path(several.output).exists()


def test_all_processes_count_n_grams_as_long_as_the_leading_one_chose(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    bases, others = ("".join(rng.choice(list("ACGT"), size)) for size in (20_000, 4000))
    held_out = write_file(tmp_path / "others.txt", others)
    one, two = (
        trained(size, new_run(tmp_path, f"of {size}", text=bases, validation=[held_out], ngrams=11)) for size in (1, 2)
    )
    assert one.trainer.counts
    assert one.trainer.counts.longest < 5  # what bases follow says nothing
    assert_close(load(two.output).tensors, load(one.output).tensors)


def test_a_run_goes_on_with_another_number_of_processes(tmp_path: Path) -> None:
    whole = trained(1, new_run(tmp_path, "whole"))
    cut = trained(2, new_run(tmp_path, "cut"), steps=5)
    assert not cut.finished
    for size, steps in ((3, 4.0), (1, 3.0), (2, math.inf)):
        cut = trained(size, lambda **more: resume(tmp_path / "cut.safetensors", **more), steps)
    assert cut.finished
    assert cut.trainer.step == 16
    assert_close(load(cut.output).tensors, load(whole.output).tensors)


def test_all_processes_go_back_when_one_run_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train_step = Learner.train_step

    def poisoned(learner: Learner, batch: Any, step: int, learning_rate: float) -> float:
        loss = train_step(learner, batch, step, learning_rate)
        return math.nan if step == 8 and learner.ranks.leads else loss

    monkeypatch.setattr(Learner, "train_step", poisoned)
    one = trained(1, new_run(tmp_path, "one"))
    several = trained(2, new_run(tmp_path, "several"))
    assert several.trainer.rate_cuts == one.trainer.rate_cuts == 1
    assert_close(load(several.output).tensors, load(one.output).tensors)


def test_a_signal_to_any_process_stops_the_run_and_saves_it(tmp_path: Path) -> None:
    team = Team(2)
    run = new_run(tmp_path, "model", steps=10**6)(ranks=team.leader)
    team.stopping[1] = True
    within(60, lambda: list(run.run(lambda: team.leader.asked_to_stop)))
    team.leader.dismiss()
    team.end()
    assert run.trainer.step == 1
    assert resume_path(run.output).exists()


def test_a_budget_in_minutes_is_the_leading_process_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "measured_precision", lambda *_: ("float32", Speed(1e9)))
    clock = Clock(tick=0.01)
    run = trained(2, new_run(tmp_path, "model", steps=None, minutes=0.1, clock=clock))
    assert run.finished
    assert 3 < clock.now - 1000 < 6.5


# ------------------------------------------------------------------------------------ what goes wrong


def refused(tmp_path: Path, size: int, meanwhile: Callable[[], object] = lambda: None, **settings: Any) -> Exception:
    """Why a run does not begin; what lay there before is still there."""
    before = trained(1, new_run(tmp_path, "model", steps=3), steps=1).output
    kept = before.read_bytes(), resume_path(before).read_bytes()
    team = Team(size)
    run = new_run(tmp_path, "model", **settings)(ranks=team.leader)
    meanwhile()
    with pytest.raises(CharlstmError) as raised:
        within(60, lambda: list(run.run()))
    team.leader.dismiss() if isinstance(raised.value, UsageError) else None
    team.end()
    assert [str(error) for error in team.errors] in ([], [str(raised.value)])
    assert (before.read_bytes(), resume_path(before).read_bytes()) == kept
    return raised.value


def test_a_process_that_reads_another_text_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, 2, lambda: (tmp_path / "text.txt").write_text(TEXT + "more"))
    assert str(error).startswith("rank 1: another text than that of rank 0 (text.txt")
    (tmp_path / "text.txt").write_text(TEXT)
    error = refused(tmp_path, 2, (tmp_path / "text.txt").unlink)
    assert str(error).startswith("rank 1: ")
    assert "No such file" in str(error)


def test_more_processes_than_streams_are_refused(tmp_path: Path) -> None:
    assert "a batch of 1 stream is too small for 2 processes" in str(refused(tmp_path, 2, batch=1))


def test_a_process_that_ends_ends_the_run_with_the_last_save_intact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_step = Learner.train_step
    team = Team(2)
    run = new_run(tmp_path, "model", steps=10**6)(ranks=team.leader)

    def dying(learner: Learner, batch: Any, step: int, learning_rate: float) -> float:
        if step == 6 and not learner.ranks.leads:
            team.meeting.barrier.abort()
            raise ProcessGroupError("gone")
        if step == 4 and learner.ranks.leads:
            run.save()
        return train_step(learner, batch, step, learning_rate)

    monkeypatch.setattr(Learner, "train_step", dying)
    with pytest.raises(ProcessGroupError, match=r"go on from the last save.*charlstm train --resume -o .*model"):
        within(60, lambda: list(run.run()))
    assert resume(run.output).trainer.step == 4


def test_processes_that_were_started_otherwise_are_refused_by_all() -> None:
    meeting = Meeting(2)
    messages: list[str] = []

    def compare(rank: int, options: dict[str, Any]) -> None:
        try:
            refuse_differences(ThreadRank(rank, 2, meeting), options)
        except UsageError as error:
            messages.append(str(error))

    def both(*options: dict[str, Any]) -> list[str]:
        messages.clear()
        threads = [threading.Thread(target=compare, args=pair) for pair in enumerate(options)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return messages

    assert both({"--steps": 5, "texts": ["a", "b"]}, {"--steps": 5, "texts": ["a", "b"]}) == []
    assert both({"--steps": 5}, {"--steps": 6}) == 2 * [
        "rank 1 was started with --steps 6, and rank 0 with --steps 5: start all processes alike"
    ]
    assert "without --minutes, and rank 0 with --minutes 5.0" in both({"--minutes": 5.0}, {"--minutes": None})[0]
    assert "--texts a, and rank 0 with --texts a b" in both({"--texts": ["a", "b"]}, {"--texts": ["a"]})[0]


def test_nothing_is_followed_where_no_run_begins() -> None:
    team = Team(3)
    team.leader.announce(Work.END)
    team.end()
    assert not team.errors

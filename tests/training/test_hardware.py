"""The machine for torch: what is not there is said, and what is measured is what will run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from charlstm.config import ModelSettings, TrainingRequest
from charlstm.errors import UsageError
from charlstm.models.torch_lstm import TorchNetwork
from charlstm.training import hardware
from charlstm.training.hardware import measured_precision, pick_device
from charlstm.training.planning import Speed, operations


@pytest.mark.parametrize("error", [RuntimeError, AssertionError, NotImplementedError])
def test_a_device_that_is_not_there_is_a_clear_error(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise error("there is none")

    monkeypatch.setattr(torch, "zeros", absent)
    with pytest.raises(UsageError, match=r"'cuda'.*--device cpu"):
        pick_device("cuda")


@pytest.mark.parametrize(("available", "picked"), [(False, "cpu"), (True, "cuda")])
def test_auto_is_cuda_where_there_is_one(available: bool, picked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch, "zeros", lambda *_, **__: None)
    assert pick_device("auto").type == picked


def timed(monkeypatch: pytest.MonkeyPatch, step: Callable[..., float]) -> None:
    """Let steps take as many seconds as a function of their number format and of hidden units and steps says."""

    def taken(
        _: object, kind: torch.dtype, __: object, steps: int = 64, *___: object, hidden: int = 192, **____: object
    ) -> float:
        return step(kind, hidden=hidden, steps=steps)

    monkeypatch.setattr(hardware, "time_step", taken)


def test_a_format_that_was_asked_for_is_the_one_that_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {torch.float32: 0.25, torch.bfloat16: 0.2}
    timed(monkeypatch, lambda kind, **_: times[kind])
    cpu = torch.device("cpu")
    plain, narrow = measured_precision(cpu, "float32"), measured_precision(cpu, "bfloat16")
    assert (plain[0], narrow[0]) == ("float32", "bfloat16")
    assert narrow[1].operations == pytest.approx(1.25 * plain[1].operations)
    assert measured_precision(cpu) == narrow
    times[torch.bfloat16] = 0.22  # not faster by a fifth
    assert measured_precision(cpu) == plain

    def no_kernel(kind: object, **_: object) -> float:
        raise RuntimeError("no such kernel")

    timed(monkeypatch, no_kernel)
    with pytest.raises(UsageError, match="--precision bfloat16 does not work"):
        measured_precision(cpu, "bfloat16")


def test_a_step_takes_its_operations_and_the_latency_of_its_time_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Speed(5e10, 3e-5)

    def step(_: object, hidden: int, steps: int) -> float:
        return true.seconds(ModelSettings(64, 2, hidden, 64), 16, steps)

    timed(monkeypatch, step)
    _, found = measured_precision(torch.device("cpu"), "float32")
    assert found.operations == pytest.approx(true.operations)
    assert found.latency == pytest.approx(true.latency)


@pytest.mark.parametrize("small", [1e-9, 0.01, 1.0])
def test_a_busy_machine_is_not_measured_as_one_that_cannot_be(small: float, monkeypatch: pytest.MonkeyPatch) -> None:
    timed(monkeypatch, lambda _, hidden, **__: 0.04 if hidden == hardware.LARGE else small)
    _, found = measured_precision(torch.device("cpu"), "float32")
    measured = operations(ModelSettings(64, 2, hardware.LARGE, 64), 1024) / 0.04
    assert measured <= found.operations <= 2 * measured
    assert 0 <= found.latency <= 0.02 / 128


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_cell_that_is_trained_is_the_one_that_is_measured(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()

    class Noted(TorchNetwork):
        def forward(self, *given: Any) -> Any:
            seen.add(self.settings.cell)
            return super().forward(*given)

    monkeypatch.setattr(hardware, "TorchNetwork", Noted)
    assert measured_precision(torch.device("cpu"), cell=cell)[1].operations > 0  # type: ignore[arg-type]
    assert seen == {cell}


def test_a_format_that_is_far_slower_is_not_measured_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[tuple[torch.dtype, int]] = []

    def step(kind: torch.dtype, steps: int, **_: object) -> float:
        measured.append((kind, steps))
        return 5.0 if kind == torch.bfloat16 else 0.1

    timed(monkeypatch, step)
    assert measured_precision(torch.device("cpu"))[0] == "float32"
    assert max(steps for kind, steps in measured if kind == torch.bfloat16) < 5


def test_the_number_of_threads_is_fixed_where_runs_are_to_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert hardware.threads_for(TrainingRequest(steps=5)) == hardware.threads_for(TrainingRequest(epochs=1)) == 2
    assert hardware.threads_for(TrainingRequest(minutes=1)) is None
    assert hardware.threads_for(TrainingRequest(steps=5, threads=7)) == 7
    monkeypatch.setattr(hardware, "processors", lambda: 1)
    assert hardware.threads_again(TrainingRequest(steps=5), 2) == (2, [])


def test_who_sets_the_number_of_threads_elsewhere_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, expected in (("1", 1), ("12", 12), ("0", 2), ("", 2), ("4,2", 2), ("many", 2)):
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert hardware.threads_for(TrainingRequest(steps=5)) == expected


def test_a_run_goes_on_with_fewer_threads_where_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "processors", lambda: 2)
    threads, notes = hardware.threads_again(TrainingRequest(minutes=1), 16)
    assert threads == 2
    assert "not be bit for bit" in notes[0]


@pytest.mark.parametrize("device", [None, 1.5, b"cpu"])
def test_a_device_is_given_by_its_name(device: Any) -> None:
    with pytest.raises(UsageError, match="it must be a name, such as 'cpu'"):
        pick_device(device)

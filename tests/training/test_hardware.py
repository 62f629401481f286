"""The machine for torch: what is not there is said, and what is measured is what will run."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from charlstm.config import TrainingRequest
from charlstm.errors import UsageError
from charlstm.models.torch_lstm import TorchNetwork
from charlstm.training import hardware
from charlstm.training.hardware import measured_precision, pick_device


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


def test_a_format_that_was_asked_for_is_the_one_that_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = {torch.float32: 4.0, torch.bfloat16: 5.0}
    monkeypatch.setattr(hardware, "measure_speed", lambda _, kind, *__, **___: speeds[kind])
    cpu = torch.device("cpu")
    assert measured_precision(cpu, "float32") == ("float32", 4.0)
    assert measured_precision(cpu, "bfloat16") == ("bfloat16", 5.0)
    assert measured_precision(cpu) == ("bfloat16", 5.0)
    speeds[torch.bfloat16] = 4.5  # not faster by a fifth
    assert measured_precision(cpu) == ("float32", 4.0)

    def no_kernel(_: object, kind: object, *__: object, **___: object) -> float:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(hardware, "measure_speed", no_kernel)
    with pytest.raises(UsageError, match="--precision bfloat16 does not work"):
        measured_precision(cpu, "bfloat16")


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_cell_that_is_trained_is_the_one_that_is_measured(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()

    class Noted(TorchNetwork):
        def forward(self, *given: Any) -> Any:
            seen.add(self.settings.cell)
            return super().forward(*given)

    monkeypatch.setattr(hardware, "TorchNetwork", Noted)
    assert measured_precision(torch.device("cpu"), cell=cell)[1] > 0  # type: ignore[arg-type]
    assert seen == {cell}


def test_a_format_that_is_far_slower_is_not_measured_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[tuple[torch.dtype, int]] = []

    def speed(_: object, kind: torch.dtype, __: object, steps: int = 64, *___: object, **____: object) -> float:
        measured.append((kind, steps))
        return 1.0 if kind == torch.bfloat16 else 50.0

    monkeypatch.setattr(hardware, "measure_speed", speed)
    assert measured_precision(torch.device("cpu")) == ("float32", 50.0)
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

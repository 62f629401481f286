"""Too little memory is recognised wherever it shows, and nothing else is taken for it."""

from __future__ import annotations

import errno
import sys

import pytest
import torch

from charlstm.cli.failures import is_memory_failure, report

MEMORY = [
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    RuntimeError("std::bad_alloc"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    RuntimeError("can't start new thread"),
    ImportError("libopenblas.so.0: failed to map segment from shared object"),
]
OTHERS = [
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("Expected contiguous memory format"),
    ImportError("libgomp.so.1: cannot open shared object file: No such file or directory"),
    OSError(errno.ENOSPC, "No space left on device"),
    ValueError("memory"),
]


@pytest.mark.parametrize("error", MEMORY, ids=repr)
def test_too_little_memory_is_recognised_also_as_a_cause(error: Exception) -> None:
    assert is_memory_failure(error)
    outer = ImportError("numpy could not be imported")
    outer.__cause__ = error
    assert is_memory_failure(outer)


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_an_error_that_only_speaks_of_memory_is_not_too_little_of_it(error: Exception) -> None:
    assert not is_memory_failure(error)


@pytest.mark.parametrize(
    ("command", "remedy", "foreign"), [("train", "--hidden", "--count"), ("sample", "--count", "--batch"),
                                       ("eval", "text", "--batch"), ("info", "memory", "--")],
)  # fmt: skip
def test_the_advice_is_what_the_command_can_heed(
    command: str, remedy: str, foreign: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["charlstm", command, "x"])
    assert report(MemoryError()) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert remedy in said
    assert foreign not in said


def test_a_fault_of_our_own_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        report(ZeroDivisionError())


def test_an_error_of_the_system_is_said_of_its_file_and_of_nothing_by_guess(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(OSError(errno.EIO, "Input/output error", "some.txt")) == 1
    assert capsys.readouterr().err == "charlstm: error: some.txt: Input/output error\n"
    assert report(OSError(errno.EIO, "Input/output error")) == 1
    assert capsys.readouterr().err == "charlstm: error: Input/output error\n"


@pytest.mark.parametrize("limited", [True, False])
def test_a_library_that_cannot_say_why_ran_out_of_memory_where_that_is_limited(
    limited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charlstm.cli.failures.memory_is_limited", lambda: limited)
    assert is_memory_failure(RuntimeError("could not create a primitive")) == limited

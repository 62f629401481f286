"""What changes the process is done by the command line, as far as the system lets it, and by no library call."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import ROOT, TEXT

from charlstm.cli.group import cli
from charlstm.cli.process import (
    StopSignals,
    outliving_the_reader,
    prepare_for_numpy,
    set_allocator,
    shared_threads,
    start_torch_threads,
)

MMAP_THRESHOLD = -3


class Allocator:
    """A C library's mallopt that refuses thresholds for large blocks above a limit, as older ones do."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.accepted: dict[int, int] = {}

    def mallopt(self, name: int, value: int) -> int:
        if name == MMAP_THRESHOLD and value > self.limit:
            return 0
        self.accepted[name] = value
        return 1


@pytest.mark.parametrize(("limit", "threshold"), [(1 << 40, 1 << 30), (32 << 20, 32 << 20)])
def test_the_largest_threshold_that_the_c_library_takes_is_set(limit: int, threshold: int) -> None:
    library = Allocator(limit)
    assert set_allocator(library.mallopt)
    assert library.accepted[MMAP_THRESHOLD] == threshold
    assert len(library.accepted) == 3


def test_a_c_library_that_takes_no_threshold_is_left_as_it_was() -> None:
    library = Allocator(limit=0)
    assert not set_allocator(library.mallopt)
    assert not library.accepted  # any other setting alone would make it give back ever smaller blocks


def test_what_the_user_set_for_numpys_threads_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"OPENBLAS_NUM_THREADS": "3"}
    monkeypatch.setattr(os, "environ", environment)
    prepare_for_numpy()
    assert environment == {"OPENBLAS_NUM_THREADS": "3", "VECLIB_MAXIMUM_THREADS": "1"}


def test_a_signal_is_noted_once_and_the_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopSignals() as stopping:
        signal.raise_signal(signal.SIGINT)
        assert stopping.received == signal.SIGINT
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL  # a second one ends at once
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("announced", [True, False])
def test_one_of_several_processes_announces_the_stop(capfd: pytest.CaptureFixture[str], announced: bool) -> None:
    with StopSignals(announced=announced) as stopping:
        signal.raise_signal(signal.SIGTERM)
        assert stopping.received == signal.SIGTERM
    said = capfd.readouterr().err
    assert said.startswith("charlstm: stopping after this step") is announced  # no empty line before it


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no such signal")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT"])
def test_what_nohup_or_a_script_in_the_background_ignores_stays_ignored(name: str) -> None:
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with StopSignals() as stopping:
            signal.raise_signal(number)
            assert stopping.received is None
    finally:
        signal.signal(number, before)


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="there is no such signal")
def test_a_closed_pipe_ends_nothing_while_the_work_is_not_for_its_reader() -> None:
    before = signal.getsignal(signal.SIGPIPE)
    with outliving_the_reader():
        assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGPIPE) is before


def test_training_by_the_library_leaves_the_callers_process_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    script = f"""
import os, signal, sys, warnings
import torch
from charlstm import train
signals = range(1, 32)
def state():
    return dict(os.environ), list(warnings.filters), [signal.getsignal(number) for number in signals]
before = state()
train({str(tmp_path / "text.txt")!r}, output={str(tmp_path / "m.safetensors")!r}, steps=2, hidden=8)
assert before == state()
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_cudnns_remark_about_weights_that_are_computed_is_not_shown() -> None:
    remark = (
        "RNN module weights are not part of single contiguous chunk of memory. This means they need to be compacted"
    )
    script = (
        "import warnings\nfrom charlstm.cli.process import prepare_for_torch\nprepare_for_torch()\n"
        f"warnings.warn({remark!r})\nwarnings.warn('another')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "another" in done.stderr
    assert "UserWarning: RNN" not in done.stderr


@pytest.mark.parametrize("limited", [True, False])
def test_threads_that_have_no_room_are_refused_before_they_start(
    limited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr("charlstm.cli.process.memory_is_limited", lambda: limited)
    monkeypatch.setattr("charlstm.cli.process.mmap.mmap", refuse)
    with pytest.raises(MemoryError) if limited else contextlib.nullcontext():
        start_torch_threads(None)


def test_numpy_that_has_no_room_is_refused_before_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr("charlstm.cli.process._glibc_mallopt", lambda: None)
    monkeypatch.setattr("charlstm.cli.process.memory_is_limited", lambda: True)
    monkeypatch.setattr("charlstm.cli.process.mmap.mmap", refuse)
    with pytest.raises(MemoryError) as raised:
        prepare_for_numpy()
    assert isinstance(raised.value.__cause__, ImportError)


def test_where_memory_is_limited_one_thread_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charlstm.cli.process.memory_is_limited", lambda: True)
    assert shared_threads() == 1


@pytest.mark.parametrize("command", ["eval M text.txt --dynamic", "sample M a -n 1 --device cuda"])
def test_torchs_threads_have_room_before_a_model_is_used(
    command: str, model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def is_limited() -> bool:
        asked.append(True)
        return False

    monkeypatch.setattr("charlstm.cli.process.memory_is_limited", is_limited)
    (tmp_path / "text.txt").write_text("abc")
    monkeypatch.chdir(tmp_path)
    arguments = [str(model_path) if word == "M" else word for word in command.split()]
    CliRunner().invoke(cli, arguments)
    assert asked


def test_to_read_a_model_file_numpy_needs_one_thread(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", environment := dict(os.environ))
    environment.pop("OPENBLAS_NUM_THREADS", None)
    assert CliRunner().invoke(cli, ["info", str(model_path)]).exit_code == 0
    assert environment["OPENBLAS_NUM_THREADS"] == "1"

"""Standard input that is open but silent: it is said what is waited for, and nothing is lost of what comes."""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from helpers import ROOT, started_run

from charlstm.cli import stdin
from charlstm.data import streams

pytestmark = pytest.mark.skipif(os.name == "nt", reason="only sockets can be asked there")


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[IO[bytes]]:
    """The writing end of a pipe whose other end is standard input."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader, os.fdopen(writing, "wb", buffering=0) as writer:
        monkeypatch.setattr(sys, "stdin", reader)
        yield writer


def test_silence_is_broken_by_one_line_that_names_what_is_awaited(
    pipe: IO[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    stdin.wait("a prompt", patience=0.0)
    assert capsys.readouterr().err == "charlstm: waiting for a prompt on standard input\n"
    pipe.write(b"here it is")
    stdin.wait("a prompt", patience=60.0)
    assert capsys.readouterr().err == ""
    assert os.read(sys.stdin.fileno(), 100) == b"here it is"  # nothing was taken from it


def test_a_silent_pipe_by_name_is_named_and_a_file_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    try:
        stdin.wait("a text", [str(tmp_path), "/dev/fd/999", f"/dev/fd/{reading}"], patience=0.0)
        assert capsys.readouterr().err == f"charlstm: waiting for a text from /dev/fd/{reading}\n"
        os.write(writing, b"here it is")
        stdin.wait("a text", [f"/dev/fd/{reading}"], patience=60.0)
        assert capsys.readouterr().err == ""
    finally:
        os.close(reading)
        os.close(writing)


def test_an_input_that_has_ended_is_not_waited_for(pipe: IO[bytes], capsys: pytest.CaptureFixture[str]) -> None:
    pipe.close()
    stdin.wait("a prompt", patience=60.0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("absent", [None, io.StringIO()])
def test_no_input_is_waited_for_where_there_is_none(
    absent: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if absent is not None:
        absent.close()
    monkeypatch.setattr(sys, "stdin", absent)
    assert stdin.is_absent()
    assert stdin.wait("a prompt", patience=60.0) < 30.0


@pytest.mark.parametrize(
    ("command", "awaited"),
    [
        (["train"], "a text"),
        (["eval", "M"], "a text"),
        (["sample", "M", "--lines"], "line"),
        (["inspect", "M"], "a text"),
        (["train", "--resume"], "the text of the run"),
    ],
)
def test_every_command_that_reads_says_what_it_waits_for(
    command: list[str], awaited: str, model_path: Path, tmp_path: Path
) -> None:
    arguments = [str(model_path) if argument == "M" else argument for argument in command]
    if "--resume" in command:
        run = started_run(tmp_path, steps=5)
        run.reading = dataclasses.replace(run.reading, paths=["-"])
        run.save()
    with subprocess.Popen(
        [sys.executable, "-m", "charlstm", *arguments], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr
        assert process.stdin
        said = process.stderr.readline().decode()
        assert "waiting for" in said
        assert awaited in said
        process.stdin.close()  # it reads on all the same, to the end
        assert process.wait(60) == (0 if command[0] == "sample" else 1)


@pytest.mark.parametrize(
    ("command", "awaited"),
    [
        (["train", "pipe"], "a text"),
        (["eval", "M", "pipe"], "a text"),
        (["inspect", "M", "pipe"], "a text"),
        (["inspect", "M", "--labels", "pipe"], "labelled texts"),
        (["train", "--resume", "-o", "model.safetensors", "pipe"], "the text of the run"),
    ],
)
def test_every_command_says_from_which_named_pipe_it_waits(
    command: list[str], awaited: str, model_path: Path, tmp_path: Path
) -> None:
    arguments = [str(model_path) if argument == "M" else argument for argument in command]
    os.mkfifo(tmp_path / "pipe")
    if "--resume" in command:
        started_run(tmp_path, steps=5).save()
    with subprocess.Popen(
        [sys.executable, "-m", "charlstm", *arguments], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr
        said = process.stderr.readline().decode()
        os.close(os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK))  # fails where nobody waits to read
        assert process.wait(60) == 1
    assert said in {f"charlstm: waiting for {awaited} from {path}\n" for path in ("pipe", tmp_path / "pipe")}


def test_to_wait_changes_nothing_for_others(tmp_path: Path) -> None:
    before = streams.around_opening
    stdin.wait("a text", [str(tmp_path)], patience=0.0)
    assert streams.around_opening is before


@pytest.mark.parametrize("late", [0.0, 0.3])
def test_a_named_pipe_without_a_writer_is_named_and_then_read_whole(
    late: float, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "around_opening", streams.around_opening)  # which is replaced here
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    stdin.tell_of_named_pipes("a text", patience=0.1 if late else 60.0)
    stdin.wait("a text", [path], patience=60.0)
    writer = threading.Timer(late, Path(path).write_bytes, [b"here it is"])
    writer.start()
    with streams.open_stream(path) as stream:
        assert stream.read() == b"here it is"
    writer.join()
    assert capsys.readouterr().err == (f"charlstm: waiting for a text from {path}\n" if late else "")

"""What a command says: data untouched in a pipe, harmless on a terminal, errors named after their stream."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from charlstm.cli.console import clock, say, show, strict_json, visible, write, write_bytes, write_path, write_raw
from charlstm.errors import OutputError


class Stream:
    """What `console` uses of a text stream; it is a terminal or cannot be written to, as asked."""

    def __init__(self, *, terminal: bool = False, error: int | None = None) -> None:
        self.buffer = io.BytesIO() if error is None else Broken(error)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


class Broken(io.BytesIO):
    """Bytes that cannot be written."""

    def __init__(self, error: int) -> None:
        super().__init__()
        self.error = error

    def write(self, _: Any) -> int:
        raise OSError(self.error, os.strerror(self.error))


def test_control_characters_are_shown_one_for_one_but_newline_and_tab() -> None:
    text = "a\x1b[31m\x7f\x9b\n\tb"
    assert visible(text) == "a\u241b[31m\u2421\ufffd\n\tb"
    assert len(visible(text)) == len(text)


def test_a_message_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    say("error: two\nlines\x1b")
    assert capsys.readouterr().err == "charlstm: error: two\u240alines\u241b\n"


def test_standard_error_that_is_gone_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    show("nobody reads this")


@pytest.mark.parametrize("buffered", [True, False])
def test_a_pipe_that_is_full_for_now_is_waited_for(buffered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not block takes what it has room for; unbuffered, as in containers, nobody else looks at that."""
    data = bytes(range(256)) * 4000
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    stream = os.fdopen(writing, "wb", buffering=-1 if buffered else 0)
    with os.fdopen(reading, "rb") as reader, ThreadPoolExecutor() as pool, io.TextIOWrapper(stream) as text:
        monkeypatch.setattr(sys, "stdout", text)
        written = pool.submit(write_bytes, data)
        assert reader.read(len(data)) == data
        written.result()


@pytest.mark.parametrize(("terminal", "expected"), [(True, "a\u241b"), (False, "a\x1b")])
def test_data_is_as_it_is_in_a_pipe_and_harmless_on_a_terminal(
    terminal: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream(terminal=terminal)
    monkeypatch.setattr(sys, "stdout", stream)
    write("a\x1b")
    assert stream.buffer.getvalue() == expected.encode()


def test_bytes_of_names_and_lone_surrogates_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    write_raw("caf\udce9")
    write_raw("\ud800")
    assert stream.buffer.getvalue() == b"caf\xe9\xed\xa0\x80"


def test_an_error_of_standard_output_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Stream(error=errno.ENOSPC))
    with pytest.raises(OutputError, match="standard output: cannot write: No space"):
        write("a")
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="standard output is closed"):
        write("a")


def test_a_reader_that_left_is_no_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Stream(error=errno.EPIPE))
    with pytest.raises(BrokenPipeError):
        write("a")


def test_a_path_is_never_taken_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    write_path(Path("-dash.safetensors"))
    write_path(Path("a.safetensors"))
    assert stream.buffer.getvalue() == b"./-dash.safetensors\na.safetensors\n"


def test_durations_are_written_as_people_write_them() -> None:
    assert [clock(seconds) for seconds in (5, 59.6, 3600)] == ["0:05", "1:00", "1:00:00"]


def test_json_is_strict_however_deep_a_number_is_none() -> None:
    record = {"a": [1.5, math.nan, (math.inf,)], "b": {"c": -math.inf, "d": "NaN"}}
    assert json.loads(strict_json(record)) == {"a": [1.5, None, [None]], "b": {"c": None, "d": "NaN"}}
    assert "NaN," not in strict_json(record)

"""How a run is shown: live where a terminal can redraw, else in plain lines, and in a log that is JSON."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import math
import sys
from typing import Any

import pytest

from charlstm.cli.progress import PLAIN_REPORT_SECONDS, figures_line, follow, is_for_plain_lines, plain_line
from charlstm.training.reports import Progress

REPORT = Progress(100, 0.5, 10_000, 30.0, 65.0, 61_234.0, 1.5, None, 1.25, 0.01)
VALIDATED = dataclasses.replace(REPORT, val_bits=1.25)
START = Progress(0, 0.0, 0, 3.0, math.inf, 0.0, math.nan, 2.0, 2.0, 0.0)


def at(seconds: float, **changes: Any) -> Progress:
    return dataclasses.replace(REPORT, seconds=seconds, **changes)


@pytest.mark.parametrize(
    "environment",
    [{}, {"TERM": ""}, {"TERM": "dumb"}, {"TERM": "xterm", "CI": "true"}, {"TERM": "xterm", "ACCESSIBLE": "1"}],
)
def test_dumb_terminals_ci_logs_and_screen_readers_get_plain_lines(environment: dict[str, str]) -> None:
    assert is_for_plain_lines(environment, "posix")


@pytest.mark.parametrize("environment", [{"TERM": "xterm"}, {"TERM": "screen", "CI": "false", "ACCESSIBLE": ""}])
def test_other_terminals_get_a_live_display(environment: dict[str, str]) -> None:
    assert not is_for_plain_lines(environment, "posix")
    assert not is_for_plain_lines({}, "nt")  # sets no TERM


def test_a_line_comes_with_each_validation_and_after_some_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    follow([at(1.0), at(2.0, val_bits=1.25), at(3.0), at(2.0 + PLAIN_REPORT_SECONDS), at(3.0 + PLAIN_REPORT_SECONDS)])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "val 1.2500" in lines[0]
    assert "val" not in lines[1]


def test_what_is_not_known_yet_is_not_in_a_line() -> None:
    assert plain_line(REPORT) == " 50%  step 100  train 1.5000 bits/char  61,234 chars/s  1:05 left"
    start = Progress(0, 0.0, 0, 3.0, math.inf, 0.0, math.nan, 2.0, 2.0, 0.0)
    assert plain_line(start) == "  0%  step 0  val 2.0000 bits/char"


def test_quiet_keeps_notes_and_samples_and_drops_figures(capsys: pytest.CaptureFixture[str]) -> None:
    follow([at(1.0, val_bits=1.0, note="a note", sample="a sam\x1bple")], quiet=True)
    said = capsys.readouterr().err
    assert "charlstm: a note" in said
    assert "a sam\u241bple" in said
    assert "bits/char" not in said


def test_the_log_holds_every_report_and_no_number_that_json_lacks() -> None:
    log = io.StringIO()
    follow([at(1.0, left=math.inf, train_bits=math.nan), at(2.0)], log, quiet=True)
    first, second = (json.loads(line, parse_constant=pytest.fail) for line in log.getvalue().splitlines())
    assert first["left"] is None
    assert first["train_bits"] is None
    assert second["train_bits"] == 1.5


class FullDisk(io.StringIO):
    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_that_cannot_be_written_is_given_up_with_one_word(capsys: pytest.CaptureFixture[str]) -> None:
    follow([at(1.0), at(2.0, note="it goes on")], FullDisk(), quiet=True)
    said = capsys.readouterr().err
    assert said.count("the log cannot be written") == 1
    assert "it goes on" in said


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("plain", "redrawn"), [(False, True), (True, False)])
def test_plain_lines_can_be_asked_for(plain: bool, redrawn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("ACCESSIBLE", raising=False)
    follow([at(20.0, val_bits=1.25)], plain=plain)
    assert "1.25" in stream.getvalue()
    assert ("\x1b" in stream.getvalue()) == redrawn


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (120, "train 1.500  val 1.250 bits/char  61,234 chars/s  1:05 left"),
        (50, "train 1.500  val 1.250  1:05 left"),
        (25, "val 1.250  1:05 left"),
        (12, "val 1.250"),
    ],
)
def test_a_narrow_terminal_gets_the_figures_that_matter_most(width: int, line: str) -> None:
    assert figures_line(VALIDATED, 1.25, width) == line


def test_what_is_not_known_yet_is_not_shown() -> None:
    assert figures_line(START, 2.0, 120) == "val 2.000 bits/char"
    assert figures_line(VALIDATED, None, 120).startswith("train 1.500  val - bits/char")


def test_lines_of_a_run_on_bytes_speak_of_bytes() -> None:
    assert "val 1.2500 bits/byte  61,234 bytes/s" in plain_line(VALIDATED, "byte")
    assert "val 1.250 bits/byte  61,234 bytes/s" in figures_line(REPORT, 1.25, 80, "byte")

"""Under a launcher one process speaks; without one, nothing is different."""

from __future__ import annotations

import pytest

from charlstm.cli.failures import report
from charlstm.cli.launcher import rank, speaks_of
from charlstm.errors import ProcessGroupError, UsageError


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, None),
        ({"RANK": "0", "WORLD_SIZE": "1"}, None),
        ({"WORLD_SIZE": "8"}, None),
        ({"RANK": "x", "WORLD_SIZE": "8"}, None),
        ({"RANK": "0", "WORLD_SIZE": "2"}, 0),
        ({"RANK": "7", "WORLD_SIZE": "8"}, 7),
    ],
)
def test_a_process_is_one_of_several_where_a_launcher_says_so(environment: dict[str, str], found: int | None) -> None:
    assert rank(environment) == found


@pytest.mark.parametrize(("number", "of_mistakes", "of_losses"), [(0, True, True), (1, False, True), (2, False, False)])
def test_a_mistake_is_told_once(
    monkeypatch: pytest.MonkeyPatch, number: int, of_mistakes: bool, of_losses: bool
) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", str(number))
    assert speaks_of(UsageError("no")) is of_mistakes
    assert speaks_of(ProcessGroupError("lost")) is of_losses


@pytest.mark.parametrize(("local", "told"), [("0", True), ("1", False)])
def test_a_mistake_is_told_on_each_machine(monkeypatch: pytest.MonkeyPatch, local: str, told: bool) -> None:
    """What was typed wrong on the second machine nobody else knows of."""
    for name, value in (("WORLD_SIZE", "4"), ("RANK", "2"), ("LOCAL_RANK", local)):
        monkeypatch.setenv(name, value)
    assert speaks_of(UsageError("no")) is told


@pytest.mark.parametrize(("command", "told"), [("train", False), ("eval", True)])
def test_only_the_processes_of_a_training_leave_it_to_another_to_tell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, told: bool
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setattr("sys.argv", ["charlstm", command])
    assert report(UsageError("no such thing")) == 2
    assert ("no such thing" in capsys.readouterr().err) is told


def test_a_process_alone_tells_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert speaks_of(UsageError("no"))

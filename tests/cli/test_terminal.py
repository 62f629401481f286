"""What is drawn on a terminal: no figure that is not known, the most important ones where it is narrow."""

from __future__ import annotations

import dataclasses
import re

import pytest

from charlstm.cli.progress import figures_line
from charlstm.cli.terminal import TrainingDisplay, heatmap, sparkline
from charlstm.training.reports import Progress

REPORT = Progress(100, 0.5, 10_000, 30.0, 65.0, 61_234.0, 1.5, 1.25, 1.25, 0.01)


def test_a_curve_falls_from_the_highest_block_to_the_lowest() -> None:
    assert sparkline([3.0, 2.0, 1.0]) == "█▅▁"
    assert sparkline([]) == ""
    assert len(sparkline([1.0] * 500)) == 60
    assert sparkline([1.0, 1e308, -1e308]) == ""  # no training gives this


@pytest.mark.parametrize("fine", [True, False])
def test_a_heat_map_is_redder_where_a_character_surprised_more(fine: bool) -> None:
    drawn = "".join(heatmap([("abc", [0.0, 4.0, 8.0])], fine))
    assert re.sub(r"\x1b\[[0-9;]*m", "", drawn) == "abc"
    colours = re.findall(r"48;[25];([0-9;]+)m", drawn)
    assert colours == (["255;255;255", "255;128;128", "255;0;0"] if fine else ["231", "210", "196"])


@pytest.mark.parametrize("columns", [20, 40, 200])
def test_a_display_of_any_width_shows_the_validation_figure(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with TrainingDisplay(figures_line) as display:
        display.show(dataclasses.replace(REPORT, note="a note of [bold]some[/bold] words", sample="a sample"))
    drawn = capsys.readouterr().err
    assert "1.250" in drawn
    assert all(len(line) <= columns for line in drawn.splitlines())
    assert "[bold]" in drawn.replace("\n", "")  # texts are no markup

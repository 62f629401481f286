"""What is drawn on a terminal: no figure that is not known, the most important ones where it is narrow."""

from __future__ import annotations

import math
import re

import pytest

from charlstm.cli.terminal import _figures, clock, heatmap, sparkline
from charlstm.training.reports import Progress

REPORT = Progress(100, 0.5, 10_000, 30.0, 65.0, 61_234.0, 1.5, 1.25, 1.25, 0.01)
START = Progress(0, 0.0, 0, 3.0, math.inf, 0.0, math.nan, 2.0, 2.0, 0.0)


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
    assert _figures(REPORT, 1.25, width) == line


def test_what_is_not_known_yet_is_not_shown() -> None:
    assert _figures(START, 2.0, 120) == "val 2.000 bits/char"
    assert _figures(REPORT, None, 120).startswith("train 1.500  val - bits/char")


def test_time_is_written_as_people_write_it() -> None:
    assert [clock(seconds) for seconds in (5, 59.6, 3600)] == ["0:05", "1:00", "1:00:00"]


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

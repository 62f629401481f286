"""What a run tells: reports, results, and a curve that does not grow without end."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from charlstm.training.reports import CURVE, Meter, Progress, Result, with_entry


def report(step: int, val_bits: float | None = 1.0, train_bits: float = 2.0) -> Progress:
    return Progress(step, 0.5, 10 * step, 1.5 * step, 3.0, 100.0, train_bits, val_bits, val_bits, 0.01)


def test_the_curve_of_a_long_run_is_thinned_and_ends_with_the_latest_validation() -> None:
    curve: list[dict[str, float]] = []
    for step in range(3 * CURVE):
        curve = with_entry(curve, report(step))
        assert curve[-1]["step"] == step
    assert len(curve) <= CURVE
    assert len(curve) >= CURVE // 2
    assert np.diff([entry["step"] for entry in curve]).min() > 0


@pytest.mark.parametrize("bits", [None, math.inf, math.nan])
def test_a_report_without_a_figure_adds_nothing_to_the_curve(bits: float | None) -> None:
    assert with_entry([], report(1, bits)) == []


def test_a_training_figure_that_is_not_known_yet_is_left_out_of_the_curve() -> None:
    assert with_entry([], report(1, 1.0, math.nan)) == [{"step": 1, "seconds": 1.5, "val": 1.0}]


def test_a_result_describes_itself_in_json_without_its_tensors() -> None:
    result = Result({"x": np.zeros(2)}, True, 5, 100, 1.23456, 2.5, 900, [], held_out="all of it")
    description = json.loads(json.dumps(result.description()))
    assert description == {
        "finished": True, "steps": 5, "characters": 100, "val_bits_per_char": 2.5, "val_characters": 900,
        "held_out": "all of it", "seconds": 1.23, "curve": [],
    }  # fmt: skip
    assert dataclasses.replace(result, diverged=True).description()["diverged"] is True


def test_the_meter_reads_what_came_since_the_last_reading() -> None:
    now = 0.0
    meter = Meter(lambda: now)
    meter.add(math.log(2), 30)
    meter.add(3 * math.log(2), 10)
    now = 4.0
    assert meter.seconds() == 4.0
    assert meter.read() == pytest.approx((1.5, 10.0))
    now = 9.0
    assert meter.read() == pytest.approx((1.5, 10.0))  # nothing new: that one again

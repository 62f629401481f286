"""The schedule: warm-up, decay and validations are fractions of any budget, and bounded in absolute terms."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.config import Budget, TrainingRequest, TrainingSettings
from charlstm.training.planning import Speed, Text, plan
from charlstm.training.schedule import EMA_HORIZON, SECONDS, STEPS, VALIDATIONS, Schedule, ema_weight

quick = settings(deadline=None, derandomize=True, max_examples=100)
budgets = st.one_of(
    st.builds(Budget, st.just("minutes"), st.floats(0.01, 1e9)),
    st.builds(Budget, st.just("steps"), st.integers(1, 10**9)),
    st.builds(Budget, st.just("epochs"), st.floats(0.01, 1e6)),
)


def training(**budget: Any) -> TrainingSettings:
    return plan(TrainingRequest(**budget), Text(10**6, 80, 40.0), Speed(1e11), "float32").training


def schedule(**budget: Any) -> Schedule:
    return Schedule.of(training(**budget), 500.0)


def of(budget: Budget) -> Schedule:
    return schedule(**{budget.unit: budget.amount})


@quick
@given(budgets)
def test_the_learning_rate_rises_to_its_peak_then_falls_to_zero(budget: Budget) -> None:
    plan_ = of(budget)
    positions = np.concatenate([np.linspace(0, plan_.warmup * plan_.total, 51), np.linspace(0, plan_.total, 101)])
    rates = [plan_.learning_rate(position) for position in sorted(positions)]
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(plan_.settings.learning_rate, rel=0.02)
    assert rates[0] > 0
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == pytest.approx(0.0, abs=1e-9)


@quick
@given(budgets)
def test_the_learning_rate_warms_up_in_a_line_from_next_to_nothing(budget: Budget) -> None:
    plan_ = of(budget)
    peak, whole = plan_.settings.learning_rate, plan_.warmup * plan_.total
    rates = [plan_.learning_rate(part * whole) for part in (0.0, 0.25, 0.5, 0.75)]
    assert rates == pytest.approx([0.0, 0.25 * peak, 0.5 * peak, 0.75 * peak], abs=0.01 * peak)


@quick
@given(budgets, st.floats(0, 1e12))
def test_however_slow_a_validation_is_most_of_the_budget_is_left_for_training(budget: Budget, closing: float) -> None:
    plan_ = of(budget)
    plan_.reserve(closing)
    assert plan_.fraction(plan_.total / 2) < 1
    assert plan_.fraction(plan_.total) == 1


@pytest.mark.parametrize("minutes", [0.1, 1, 5, 20])
def test_up_to_twenty_minutes_everything_is_a_fraction_of_the_budget(minutes: float) -> None:
    plan_ = schedule(minutes=minutes)
    assert plan_.warmup == 0.02
    assert plan_.next_validation(0) == pytest.approx(60 * minutes / VALIDATIONS)
    assert plan_.interval() == pytest.approx(1 / VALIDATIONS)
    assert plan_.patience(0.0) == pytest.approx(0.3 * 60 * minutes)


@pytest.mark.parametrize(("budget", "bounds"), [({"minutes": 1e6}, SECONDS), ({"steps": 10**8}, STEPS)])
def test_in_an_endless_budget_everything_is_bounded(budget: dict[str, Any], bounds: Any) -> None:
    plan_ = schedule(**budget)
    assert plan_.warmup * plan_.total == pytest.approx(bounds.warmup)
    assert plan_.learning_rate(bounds.warmup) == pytest.approx(plan_.settings.learning_rate, rel=0.01)
    assert plan_.next_validation(0) == bounds.first_validation
    assert plan_.next_validation(10**6) == 10**6 + bounds.between_validations
    assert plan_.patience(5 * bounds.patience) == 5 * bounds.patience


@quick
@given(budgets, st.floats(0, 1))
def test_the_next_validation_lies_ahead_and_not_too_far(budget: Budget, part: float) -> None:
    plan_ = of(budget)
    position = part * plan_.total
    ahead = plan_.next_validation(position) - position
    assert 0 < ahead <= plan_.bounds.between_validations * (1 + 1e-6)


@pytest.mark.parametrize("budget", [{"steps": 1500}, {"minutes": 0.7}])  # 3 * (42 / 15) / (42 / 15) is rounded
def test_a_run_is_validated_so_many_times_and_no_time_twice(budget: dict[str, Any]) -> None:
    plan_ = schedule(**budget)
    due = list(itertools.accumulate(range(VALIDATIONS - 1), lambda at, _: plan_.next_validation(at), initial=0.0))
    assert due == pytest.approx([plan_.total / VALIDATIONS * number for number in range(VALIDATIONS)])


@quick
@given(budgets, st.floats(0.05, 0.95), st.floats(0, 1))
def test_a_new_budget_lets_the_learning_rate_fall_from_where_it_was(budget: Budget, part: float, level: float) -> None:
    plan_ = of(budget)
    position = part * plan_.total
    plan_.decay_from(position, level)
    peak = plan_.settings.learning_rate
    if part > 2 * plan_.warmup:
        assert plan_.learning_rate(position) == pytest.approx(peak * max(level, 1 - part), rel=1e-6)
    rates = [plan_.learning_rate(at) for at in np.linspace(position, plan_.total, 50)]
    assert rates[-1] == pytest.approx(0.0, abs=1e-9)
    assert max(rates) <= peak * (1 + 1e-9)
    if part > plan_.warmup:
        assert rates == sorted(rates, reverse=True)


@quick
@given(st.integers(0, 10**9))
def test_the_average_forgets_the_beginning_and_its_horizon_is_bounded(step: int) -> None:
    weight = ema_weight(step, training(minutes=1))
    assert 1 / (1 + EMA_HORIZON) <= weight <= 1
    assert weight >= 1 / (1 + 0.05 * step)


def test_after_a_thousand_steps_nothing_is_left_of_the_random_beginning() -> None:
    settings_ = training(minutes=1e6)
    left = math.prod(1 - ema_weight(step, settings_) for step in range(1, 1000))
    assert left < 1e-12


@quick
@given(budgets, st.floats(0.01, 0.99))
def test_ending_soon_lets_the_learning_rate_fall_at_once_and_never_lasts_longer(budget: Budget, part: float) -> None:
    plan_ = of(budget)
    position, before = part * plan_.total, plan_.total
    level = plan_.learning_rate(position)
    plan_.end_soon(position)
    assert plan_.total <= min(before, 1.25 * position * (1 + 1e-9) + (not plan_.timed))
    rates = [plan_.learning_rate(at) for at in np.linspace(position, plan_.total, 20)]
    assert rates == sorted(rates, reverse=True) or part < 2 * plan_.warmup
    assert rates[-1] == pytest.approx(0.0, abs=1e-9)
    assert rates[0] >= level * (1 - 1e-6) or part < 2 * plan_.warmup

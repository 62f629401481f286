"""When a run's state is saved: often enough, and never for long."""

from __future__ import annotations

import pytest
from helpers import Clock

from charlstm.training.checkpoint import SaveClock


def test_a_minute_after_the_last_save_another_one_is_due_however_little_of_the_budget_is_used() -> None:
    clock = Clock()
    saving = SaveClock(0.0, clock)
    clock.now += 59
    assert not saving.due(0.01)
    clock.now += 1
    assert saving.due(0.01)
    saving.time(lambda: None, 0.01)
    assert not saving.due(0.01)


@pytest.mark.parametrize(("cost", "seconds"), [(0.0, 1.0), (0.25, 25.0)])
def test_two_percent_further_a_save_is_due_once_saving_takes_a_hundredth_of_the_time(
    cost: float, seconds: float
) -> None:
    clock = Clock()
    saving = SaveClock(0.0, clock)

    def save() -> None:
        clock.now += cost

    saving.time(save, 0.1)
    clock.now += seconds - 0.125
    assert not saving.due(0.2)
    clock.now += 0.125
    assert saving.due(0.125)
    assert not saving.due(0.11)

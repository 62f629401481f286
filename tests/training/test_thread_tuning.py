"""The number of threads follows what is fastest, whatever else the machine does, and trying costs little."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch

from charlstm.training import hardware
from charlstm.training.thread_tuning import LONGEST_WAIT, ThreadTuner, thread_counts

Cost = Callable[[int], float]
"""Seconds that a step takes with a number of threads."""


class Machine:
    """A clock that only steps move on."""

    def __init__(self, most: int, cost: Cost) -> None:
        self.now, self.cost, self.threads = 0.0, cost, most
        self.tuner = ThreadTuner(most, self.set_threads, lambda: self.now)

    def set_threads(self, count: int) -> None:
        self.threads = count

    def run(self, seconds: float) -> list[int]:
        """Do steps for so long; with how many threads each was done."""
        end, counts = self.now + seconds, []
        while self.now < end:
            with self.tuner.step(1000):
                counts.append(self.threads)
                self.now += self.cost(self.threads)
            assert self.threads == self.tuner.threads  # validations in between are not part of a try
        return counts


def alone(count: int) -> float:
    return 0.01 / count + 0.002


def beside_others(count: int) -> float:
    return 0.012 if count == 1 else 0.4


@pytest.mark.parametrize("most", [2, 3, 8, 64])
def test_a_quiet_machine_lends_all_the_threads_that_pay(most: int) -> None:
    machine = Machine(most, alone)
    machine.run(2)
    best = min(thread_counts(most), key=alone)
    assert alone(machine.tuner.threads) <= 1.1 * alone(best)
    counts = machine.run(60)
    assert sum(count == machine.tuner.threads for count in counts) > 0.97 * len(counts)


def test_beside_a_busy_program_one_thread_computes_and_trying_another_costs_little() -> None:
    machine = Machine(2, beside_others)
    machine.run(10)
    assert machine.tuner.threads == 1
    counts = machine.run(200)
    assert counts.count(2) * beside_others(2) < 0.05 * 200


def test_the_number_follows_what_else_the_machine_does_within_seconds() -> None:
    machine = Machine(2, alone)
    machine.run(100)
    assert machine.tuner.threads == 2
    machine.cost = beside_others
    machine.run(5)
    assert machine.tuner.threads == 1
    machine.cost = alone
    machine.run(LONGEST_WAIT + 2)
    assert machine.tuner.threads == 2


def test_more_threads_are_not_taken_for_a_gain_that_may_be_chance() -> None:
    noise = itertools.cycle([1.0, 0.97, 1.03, 0.99, 1.01])
    machine = Machine(4, lambda count: 0.01 * next(noise) * (0.98 if count > 1 else 1.0))
    machine.run(30)
    assert machine.tuner.threads == 1


@pytest.mark.parametrize(("most", "counts"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])])
def test_numbers_of_threads_are_tried_by_doubling(most: int, counts: list[int]) -> None:
    assert thread_counts(most) == counts


@pytest.mark.parametrize(("times", "chosen"), [({1: 0.5, 2: 0.3, 4: 0.2}, 4), ({1: 0.3, 2: 0.7, 4: 0.1}, 1)])
def test_before_a_run_speed_is_measured_with_the_threads_that_are_fastest_now(
    times: dict[int, float], chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "time_step", lambda *_: times[torch.get_num_threads()])
    before = torch.get_num_threads()
    assert hardware.measured_threads(torch.device("cpu"), 4) == chosen
    assert hardware.measured_threads(torch.device("meta"), 4) == 4
    assert torch.get_num_threads() == before

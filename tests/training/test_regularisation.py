"""How much is dropped: what was planned where the network memorises, less where it does not."""

from __future__ import annotations

import json

import pytest

from charlstm.training.regularisation import Dropout


def after(dropout: Dropout, *validations: float) -> list[float]:
    """What is dropped after validations, in nats, where the training loss is 1 before each."""
    found = []
    for held_out in validations:
        dropout.add(0.5, 10)
        dropout.add(1.5, 10)
        found.append(dropout.updated(held_out))
    return found


def test_less_is_dropped_while_held_out_text_is_easier_than_what_is_trained_on() -> None:
    assert after(Dropout(0.2, adapts=True), 0.9, 0.9, 0.9) == pytest.approx([0.1, 0.05, 0.05])


def test_all_is_dropped_again_once_the_network_memorises() -> None:
    assert after(Dropout(0.2, adapts=True), 0.9, 0.9, 1.1, 1.1, 1.1, 1.1) == pytest.approx(
        [0.1, 0.05, 0.1, 0.15, 0.2, 0.2]
    )


def test_what_was_chosen_by_a_person_stays_and_nothing_stays_nothing() -> None:
    assert after(Dropout(0.2, adapts=False), 0.9, 1.1) == [0.2, 0.2]
    assert after(Dropout(0.0, adapts=True), 0.9, 1.1) == [0.0, 0.0]


def test_each_validation_is_compared_with_the_steps_since_the_last_one() -> None:
    dropout = Dropout(0.2, adapts=True)
    dropout.add(100.0, 10)
    dropout.updated(1.0)
    assert after(dropout, 1.1) == pytest.approx([0.15])
    assert dropout.updated(0.0) == pytest.approx(0.15)  # without a step there is nothing to compare


def test_a_run_goes_on_with_what_it_remembers() -> None:
    one, other = Dropout(0.2, adapts=True), Dropout(0.2, adapts=True)
    after(one, 0.9)
    one.add(2.0, 10)
    assert other.restored(json.loads(json.dumps(one.checkpoint()))) == one.now
    assert after(other, 1.2) == after(one, 1.2)

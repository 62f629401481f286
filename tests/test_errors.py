"""Messages: what they count is in the singular where there is one."""

from __future__ import annotations

import pytest
from helpers import random_model

from charlstm.config import TrainingRequest
from charlstm.errors import OutputError, TextError, counted
from charlstm.inference.separation import separate
from charlstm.models.numpy_lstm import NumpyNetwork
from charlstm.training.hardware import threads_again
from charlstm.training.planning import Speed, Text, plan


@pytest.mark.parametrize(("count", "words"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (1000, "1,000 steps")])
def test_one_is_singular(count: int, words: str) -> None:
    assert counted(count, "step") == words


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5000])
def test_a_long_name_is_shortened_in_its_middle_so_that_the_line_is_short(name: str) -> None:
    told = f"charlstm: error: {OutputError(f'{name}: cannot write there: File name too long; give another --output')}"
    assert len(told) < 300
    assert told.startswith("charlstm: error: xxx")
    assert "xxx ... xxx" in told
    assert told.endswith("xxx: cannot write there: File name too long; give another --output")


def test_a_network_of_one_unit_has_no_units() -> None:
    chosen = plan(TrainingRequest(steps=10, hidden=1, ngrams=1), Text(1000, 61, 40.0), Speed(1e11), "float32")
    assert ", 1 hidden unit, " in chosen.reasons[1]
    assert chosen.reasons[1].endswith("of up to 1 character")


def test_one_label_in_one_text() -> None:
    file = random_model()
    with pytest.raises(TextError, match="1 label in 1 text:"):
        separate(NumpyNetwork(file.settings, file.tensors), file.vocabulary, ["a"], ["b"])


def test_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charlstm.training.hardware.processors", lambda: 1)
    (note,) = threads_again(TrainingRequest(minutes=1), 2)[1]
    assert "used 2 threads, and this machine has 1 processor:" in note

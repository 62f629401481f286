"""What may be asked for: ranges, contradictions, and shapes that are torch's."""

from __future__ import annotations

import dataclasses
import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from charlstm.config import (
    CELLS,
    Budget,
    ModelSettings,
    SampleSettings,
    TrainingRequest,
    TrainingSettings,
    from_given,
)
from charlstm.errors import UsageError
from charlstm.models.torch_lstm import TorchNetwork

KINDS: tuple[type[Any], ...] = (ModelSettings, TrainingRequest, SampleSettings)


def bounded() -> list[tuple[type[Any], str, float | None, float | None]]:
    """Every field with a range: its class, name, least and most."""
    return [
        (kind, field.name, field.metadata.get("least"), field.metadata.get("most"))
        for kind in KINDS
        for field in dataclasses.fields(kind)
        if field.metadata.get("least") is not None or field.metadata.get("most") is not None
    ]


every_range = pytest.mark.parametrize(
    ("kind", "name", "least", "most"), bounded(), ids=lambda value: getattr(value, "__name__", str(value))
)


# --------------------------------------------------------------------------------------------- ranges


@every_range
def test_both_ends_of_a_range_are_allowed(kind: type[Any], name: str, least: float | None, most: float | None) -> None:
    for end in (least, most):
        if end is not None:
            assert getattr(kind(**{name: end}), name) == end


@every_range
def test_what_lies_outside_a_range_is_refused_by_name(
    kind: type[Any], name: str, least: float | None, most: float | None
) -> None:
    outside: list[float] = [math.nan]
    outside += [] if least is None else [least - 1, -math.inf]
    outside += [] if most is None else [most * 2 + 1, math.inf]
    for value in outside:
        with pytest.raises(UsageError, match=name.replace("_", "-")):
            kind(**{name: value})


def test_a_long_number_is_not_taken_for_a_shorter_one() -> None:
    for name, number in (("hidden", 10**20), ("steps", 10**21)):
        with pytest.raises(UsageError, match=rf"{name} is 1{'0' * 19}\.\.\.; it must be"):
            TrainingRequest(**{name: number})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"seed is 1\.5;"):
        SampleSettings(seed=1.5)  # type: ignore[arg-type]


def test_a_stop_that_is_no_text_is_not_called_empty() -> None:
    with pytest.raises(UsageError, match="stop holds 5; it must be texts"):
        SampleSettings(stop=("a", 5))  # type: ignore[arg-type]


def test_a_learning_rate_that_trains_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="learning-rate is 0"):
        TrainingRequest(learning_rate=0)


@pytest.mark.parametrize("number", [10**400, -(10**400)], ids=["large", "small"])
@pytest.mark.parametrize(
    ("kind", "name"), [(ModelSettings, "hidden"), (SampleSettings, "length"), (TrainingRequest, "steps")]
)
def test_a_whole_number_beyond_all_floats_is_refused_like_any_other(kind: type[Any], name: str, number: int) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        kind(**{name: number})
    assert len(str(caught.value)) < 1000


REFUSED: list[tuple[type[Any], dict[str, Any], str]] = [
    (ModelSettings, {"vocab_size": 1}, "vocab-size"),
    (ModelSettings, {"layers": 0}, "layers"),
    (ModelSettings, {"cell": "transformer"}, "lstm, gru, rnn"),
    (TrainingRequest, {"cell": "LSTM"}, "lstm, gru, rnn"),
    (TrainingRequest, {"dropout": 1.0}, "dropout"),
    (TrainingRequest, {"val_fraction": 1.0}, "val-fraction"),
    (TrainingRequest, {"val_fraction": -0.1}, "val-fraction"),
    (TrainingRequest, {"batch": 0}, "batch"),
    (TrainingRequest, {"minutes": 0}, "minutes"),
    (TrainingRequest, {"minutes": -1.0}, "minutes"),
    (TrainingRequest, {"minutes": math.nan}, "minutes"),
    (TrainingRequest, {"epochs": math.inf}, "epochs"),
    (TrainingRequest, {"steps": 0}, "steps"),
    (SampleSettings, {"temperature": -0.01}, "temperature"),
    (SampleSettings, {"temperature": math.nan}, "temperature"),
    (SampleSettings, {"temperature": math.inf}, "temperature"),
    (SampleSettings, {"length": -1}, "length"),
    (SampleSettings, {"top_k": 0}, "top-k"),
    (SampleSettings, {"top_p": 1.01}, "top-p"),
    (SampleSettings, {"min_p": -0.5}, "min-p"),
    (SampleSettings, {"count": 0}, "count"),
    (SampleSettings, {"stop": ("end", "")}, "stop"),
    (SampleSettings, {"stop": (1,)}, "stop"),
    (SampleSettings, {"length": 5.5}, "length .* whole number"),
    (SampleSettings, {"length": "5"}, "length .* whole number"),
    (SampleSettings, {"count": True}, "count .* whole number"),
    (SampleSettings, {"temperature": "hot"}, "temperature .* number"),
    (TrainingRequest, {"steps": 2.5}, "steps .* whole number"),
    (TrainingRequest, {"lines": "yes"}, "lines .* true or false"),
    (TrainingRequest, {"device": 0}, "device .* text"),
    (TrainingRequest, {"precision": "float16"}, "auto, float32, bfloat16"),
    (ModelSettings, {"hidden": None}, "hidden .* whole number"),
]


@pytest.mark.parametrize(("kind", "values", "names"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_bad_value_is_a_usage_error_that_names_it(kind: type[Any], values: dict[str, Any], names: str) -> None:
    with pytest.raises(UsageError, match=names):
        kind(**values)


@pytest.mark.parametrize("kind", KINDS)
def test_a_default_that_is_given_is_allowed_and_changes_nothing(kind: type[Any]) -> None:
    for field in dataclasses.fields(kind):
        assert kind(**{field.name: field.default}) == kind(), field.name


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_help_text(kind: type[Any]) -> None:
    assert all(field.metadata["help"] for field in dataclasses.fields(kind))


SCALARS: list[tuple[type[Any], str, Any, Any]] = [
    (ModelSettings, "hidden", np.int64(64), 64),
    (TrainingRequest, "hidden", np.int32(64), 64),
    (TrainingRequest, "batch", np.array(8), 8),
    (TrainingRequest, "seed", np.uint64(2**40), 2**40),
    (TrainingRequest, "learning_rate", np.float32(0.5), 0.5),
    (TrainingRequest, "learning_rate", np.float64(0.5), 0.5),
    (TrainingRequest, "learning_rate", np.longdouble(0.5), 0.5),
    (TrainingRequest, "learning_rate", Fraction(1, 2), 0.5),
    (TrainingRequest, "minutes", np.float16(0.5), 0.5),
    (TrainingRequest, "steps", np.int8(5), 5),
    (TrainingRequest, "lines", np.bool_(True), True),
    (TrainingRequest, "device", np.str_("cpu"), "cpu"),
    (SampleSettings, "temperature", np.float32(0.5), 0.5),
    (SampleSettings, "length", np.int64(3), 3),
]


@pytest.mark.parametrize(("kind", "name", "value", "plain"), SCALARS, ids=lambda value: repr(value)[:40])
def test_scalars_of_other_packages_become_plain_numbers(kind: type[Any], name: str, value: Any, plain: Any) -> None:
    made = getattr(kind(**{name: value}), name)
    assert made == plain
    assert type(made) is type(plain)
    json.dumps(dataclasses.asdict(kind(**{name: value})))


@pytest.mark.parametrize(
    ("name", "value"), [("hidden", np.float64(64)), ("hidden", np.array([64])), ("learning_rate", np.complex64(1))]
)
def test_scalars_of_another_type_are_refused(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=name.replace("_", "-")):
        TrainingRequest(**{name: value})


def test_a_budget_is_plain_too() -> None:
    scalar: Any = np.float32(1.5)
    assert type(Budget("minutes", scalar).amount) is float
    with pytest.raises(UsageError, match="minutes"):
        Budget("minutes", "five")  # type: ignore[arg-type]


def test_settings_cannot_be_changed_afterwards() -> None:
    for kind in (*KINDS, Budget):
        name = dataclasses.fields(kind)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(kind(), name, 5)


# --------------------------------------------------------------------------------------------- budgets


@pytest.mark.parametrize(
    "given_",
    [
        {"minutes": 1.0, "epochs": 1.0},
        {"minutes": 1.0, "steps": 1},
        {"epochs": 1.0, "steps": 1},
        {"minutes": 1.0, "epochs": 1.0, "steps": 1},
    ],
)
def test_two_budgets_contradict_each_other_and_both_are_named(given_: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        TrainingRequest(**given_)
    assert all(f"--{unit}" in str(caught.value) for unit in given_)


@pytest.mark.parametrize(
    ("given_", "budget"),
    [
        ({}, Budget("minutes", 10.0)),
        ({"minutes": 0.5}, Budget("minutes", 0.5)),
        ({"epochs": 3.5}, Budget("epochs", 3.5)),
        ({"steps": 7}, Budget("steps", 7)),
    ],
)
def test_the_one_budget_that_was_given_is_the_budget(given_: dict[str, Any], budget: Budget) -> None:
    assert TrainingRequest(**given_).budget() == budget


@pytest.mark.parametrize("amount", [0, -1, 1e-310, math.nan, math.inf, -math.inf])
def test_a_budget_is_a_positive_finite_amount(amount: float) -> None:
    with pytest.raises(UsageError, match="epochs"):
        Budget("epochs", amount)


# ---------------------------------------------------------------------------------------------- shapes


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("hidden", "embedding"), [(6, 5), (5, 6), (4, 4)])
def test_shapes_are_those_of_the_torch_network(cell: Any, layers: int, hidden: int, embedding: int) -> None:
    settings = ModelSettings(11, layers, hidden, embedding, cell)
    state = TorchNetwork(settings).state_dict()
    assert settings.shapes() == {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert settings.parameters() == sum(tensor.numel() for tensor in state.values())
    assert settings.multiplications() == settings.parameters() - state["embedding.weight"].numel()


# -------------------------------------------------------------------------------------- to JSON and back


@hypothesis_settings(deadline=None, derandomize=True, max_examples=50)
@given(
    unit=st.sampled_from(["minutes", "epochs", "steps"]),
    amount=st.floats(1e-3, 1e9),
    rate=st.floats(0, 1e6),
    precision=st.sampled_from(["float32", "bfloat16"]),
    lines=st.booleans(),
    seed=st.integers(0, 2**63 - 1),
)
def test_training_settings_survive_json_exactly(
    unit: Any, amount: float, rate: float, precision: Any, lines: bool, seed: int
) -> None:
    before = TrainingSettings(
        budget=Budget(unit, amount),
        batch=3,
        context=5,
        learning_rate=rate,
        weight_decay=0.1,
        dropout=0.2,
        dropconnect=0.3,
        ema=0.05,
        clip=1.0,
        warmup=0.02,
        betas=(0.9, 0.99),
        precision=precision,
        lines=lines,
        seed=seed,
    )
    after = TrainingSettings.from_json(json.loads(json.dumps(dataclasses.asdict(before))))
    assert after == before
    assert hash(after) == hash(before)


def test_from_json_leaves_its_argument_alone() -> None:
    values = dataclasses.asdict(
        TrainingSettings(Budget(), 1, 1, 0.1, 0, 0, 0, 0, 1, 0, (0.9, 0.9), "float32", False, 0)
    )
    copy = json.loads(json.dumps(values))
    TrainingSettings.from_json(copy)
    assert copy == json.loads(json.dumps(values))


def test_from_given_takes_what_the_settings_have_and_leaves_the_rest() -> None:
    assert from_given(SampleSettings, {"length": 3, "model": "x", "seed": None}) == SampleSettings(length=3)
    with pytest.raises(UsageError):
        from_given(SampleSettings, {"length": -3})

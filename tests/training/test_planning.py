"""What is chosen for the user: it keeps what was asked for, stays in range, and is in proportion."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from charlstm.config import CELLS, TrainingRequest
from charlstm.training.planning import CANDIDATES, FIXED_THREADS, SHAPES, Plan, Speed, Text, plan, scoring_share, shards

quick = settings(deadline=None, derandomize=True, max_examples=200)
FAST, LARGE = Speed(1e12), 10**8


def spread(least: float, most: float) -> st.SearchStrategy[float]:
    """Numbers of any magnitude between the two."""
    return st.floats(math.log(least), math.log(most)).map(lambda x: min(most, max(least, math.exp(x))))


texts = st.builds(
    Text,
    characters=spread(100, 10**9).map(round),
    vocab_size=spread(2, 60000).map(round),
    mean_line=spread(1, 10**9),
)
speeds = st.builds(Speed, spread(1e9, 1e14), st.floats(0, 1e-3))
minutes = spread(0.05, 10000)
budgets: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"minutes": minutes}),
    st.fixed_dictionaries({"epochs": spread(0.01, 10000)}),
    st.fixed_dictionaries({"steps": st.integers(1, 10**7)}),
    st.just({}),
)
precisions = st.sampled_from(["float32", "bfloat16"])


def text_of(characters: int, vocabulary: int = 80) -> Text:
    return Text(characters, vocabulary, 40.0)


def weights_chosen(request: TrainingRequest, text: Text, speed: Speed = FAST) -> int:
    return plan(request, text, speed, "float32").model.multiplications()


def in_range(chosen: Plan, request: TrainingRequest) -> None:
    """Everything decided would be allowed if a user asked for it."""
    model, training = dataclasses.asdict(chosen.model), dataclasses.asdict(chosen.training)
    names = {field.name for field in dataclasses.fields(TrainingRequest)}
    decided = {name: value for name, value in {**training, **model}.items() if name in names}
    TrainingRequest(**decided)  # checks every range
    assert all(isinstance(decided[name], int) for name in ("layers", "hidden", "embedding", "batch", "context"))
    assert decided["learning_rate"] > 0
    assert chosen.training.clip > 0
    assert 0 <= chosen.training.warmup < 1
    assert 0 <= chosen.training.ema < 1
    assert all(0 <= beta < 1 for beta in chosen.training.betas)
    assert chosen.expected > 0
    assert math.isfinite(chosen.expected)


@quick
@given(texts, budgets, speeds, precisions, st.sampled_from(CELLS), st.booleans())
def test_nothing_chosen_is_out_of_range(
    text: Text, budget: dict[str, Any], speed: Speed, precision: Any, cell: Any, lines: bool
) -> None:
    request = TrainingRequest(**budget, cell=cell, lines=lines)
    chosen = plan(request, text, speed, precision)
    in_range(chosen, request)
    assert chosen.model.vocab_size == text.vocab_size
    assert chosen.training.budget == request.budget()
    assert chosen.training.precision == precision


@quick
@given(
    texts,
    budgets,
    speeds,
    st.fixed_dictionaries(
        {"cell": st.sampled_from(CELLS), "lines": st.booleans(), "seed": st.integers(0, 2**63 - 1)},
        optional={
            "layers": st.integers(1, 64),
            "hidden": st.integers(1, 65536),
            "embedding": st.integers(1, 65536),
            "batch": st.integers(1, 65536),
            "context": st.integers(1, 65536),
            "learning_rate": st.floats(1e-9, 1e6),
            "weight_decay": st.floats(0, 100),
            "dropout": st.floats(0, 0.95),
            "dropconnect": st.floats(0, 0.95),
        },
    ),
)
def test_everything_given_is_kept(text: Text, budget: dict[str, Any], speed: Speed, asked: dict[str, Any]) -> None:
    request = TrainingRequest(**budget, **asked)
    chosen = plan(request, text, speed, "float32")
    decided = {**dataclasses.asdict(chosen.training), **dataclasses.asdict(chosen.model)}
    assert {name: decided[name] for name in asked} == asked
    assert chosen.training.budget == request.budget()
    in_range(chosen, request)


@pytest.mark.parametrize("name", ["weight_decay", "dropout", "dropconnect"])
def test_a_zero_that_was_given_is_not_taken_for_absent(name: str) -> None:
    asked: dict[str, Any] = {name: 0.0}
    request = TrainingRequest(epochs=100, **asked)
    assert getattr(plan(request, text_of(10_000), FAST, "float32").training, name) == 0


def hidden_size(budget: dict[str, Any], text: Text, speed: Speed) -> int:
    return plan(TrainingRequest(**budget), text, speed, "float32").model.hidden


@quick
@given(texts, minutes, minutes, speeds)
def test_a_longer_budget_never_chooses_a_narrower_network(text: Text, one: float, other: float, speed: Speed) -> None:
    short, long = (hidden_size({"minutes": time}, text, speed) for time in sorted((one, other)))
    assert short <= long


@quick
@given(texts, minutes, speeds, speeds)
def test_a_faster_machine_never_chooses_a_narrower_network(text: Text, time: float, one: Speed, other: Speed) -> None:
    rates, latencies = zip(*((speed.operations, speed.latency) for speed in (one, other)), strict=True)
    speeds = Speed(min(rates), max(latencies)), Speed(max(rates), min(latencies))
    slow, fast = (hidden_size({"minutes": time}, text, speed) for speed in speeds)
    assert slow <= fast


@quick
@given(texts, st.integers(100, 10**9), budgets, speeds)
def test_a_shorter_text_never_gets_a_wider_network(
    text: Text, characters: int, budget: dict[str, Any], speed: Speed
) -> None:
    assume(characters != text.characters)
    sizes = sorted((characters, text.characters))
    short, long = (hidden_size(budget, dataclasses.replace(text, characters=size), speed) for size in sizes)
    assert short <= long


@pytest.mark.parametrize("budget", [{"minutes": 10000.0}, {"epochs": 10000.0}, {"steps": 10**7}])
def test_a_short_text_never_gets_a_wide_network_however_long_the_budget(budget: dict[str, Any]) -> None:
    request = TrainingRequest(**budget)
    narrowest = plan(request, text_of(100), Speed(1e14), "float32").model.hidden
    assert plan(request, text_of(1000), Speed(1e14), "float32").model.hidden == narrowest
    assert narrowest <= 128
    assert plan(request, text_of(LARGE), Speed(1e14), "float32").model.hidden >= 4 * narrowest


@pytest.mark.parametrize("characters", [10**5, 10**6, 10**7])
def test_weights_stay_in_proportion_to_the_text(characters: int) -> None:
    assert weights_chosen(TrainingRequest(minutes=10000), text_of(characters), Speed(1e14)) <= 20 * characters


def test_what_a_step_takes_beside_its_operations_is_expected() -> None:
    def expected(latency: float, **asked: Any) -> float:
        request = TrainingRequest(minutes=5, layers=2, hidden=64, **asked)
        return plan(request, text_of(10**6), Speed(1e15, latency), "float32").expected

    few, many = (expected(1e-3, batch=batch, ngrams=0) for batch in (4, 16))
    assert many == pytest.approx(4 * few, rel=0.01)
    assert expected(0.0, batch=4, ngrams=7) < expected(0.0, batch=4, ngrams=0)  # counts in view take their time


def test_what_is_expected_is_that_of_the_batch_size_that_is_chosen() -> None:
    request = TrainingRequest(minutes=1, layers=2, hidden=64)
    chosen = plan(request, text_of(20_000), Speed(1e11, 1e-4), "float32")
    assert chosen.training.batch == 4
    asked = dataclasses.replace(request, batch=4)
    assert chosen.expected == plan(asked, text_of(20_000), Speed(1e11, 1e-4), "float32").expected


def test_more_time_is_expected_to_reach_more_characters() -> None:
    short, long = (
        plan(TrainingRequest(minutes=time, hidden=128), text_of(LARGE), FAST, "float32").expected for time in (1, 10)
    )
    assert long > 5 * short


@pytest.mark.parametrize(("budget", "expected"), [({"epochs": 2.5}, 250_000), ({"steps": 7}, 7 * 8 * 32)])
def test_expected_characters_follow_from_epochs_and_steps(budget: dict[str, Any], expected: int) -> None:
    request = TrainingRequest(**budget, batch=8, context=32)
    assert plan(request, text_of(100_000), FAST, "float32").expected == expected


def test_a_text_seen_more_often_never_gets_less_dropout() -> None:
    dropouts = [
        plan(TrainingRequest(epochs=count, hidden=64), text_of(10_000), FAST, "float32").training.dropout
        for count in (0.5, 1, 2, 5, 10, 30, 100, 1000)
    ]
    assert dropouts == sorted(dropouts)


@quick
@given(texts)
def test_a_step_learns_from_as_much_of_records_as_of_running_text(text: Text) -> None:
    lines, running = (plan(TrainingRequest(lines=lines), text, FAST, "float32").training for lines in (True, False))
    assert (lines.batch, lines.context) == (running.batch, running.context)
    assert lines.context >= 64  # however short the lines are


@quick
@given(texts, budgets, speeds)
def test_a_pass_over_a_text_takes_many_steps(text: Text, budget: dict[str, Any], speed: Speed) -> None:
    training = plan(TrainingRequest(**budget), text, speed, "float32").training
    assert training.batch == 4 or text.characters / (training.batch * training.context) > 100


@pytest.mark.parametrize(("characters", "batch"), [(10_000, 4), (90_000, 8), (250_000, 16), (10**8, 16)])
def test_a_longer_text_is_read_in_more_places_at_once(characters: int, batch: int) -> None:
    assert plan(TrainingRequest(minutes=3), text_of(characters), FAST, "float32").training.batch == batch


def test_the_reasons_name_the_choice() -> None:
    request = TrainingRequest(
        minutes=2, layers=3, hidden=192, batch=16, context=160, dropout=0.03, learning_rate=0.016, ngrams=0
    )
    chosen = plan(request, Text(1_170_189, 61, 40.0), Speed(3.77e11), "bfloat16")
    text, model = chosen.reasons
    assert text.startswith("1,170,189 training characters, 60 distinct; about ")
    assert text.endswith(" epochs in 2 minutes at 377 GFLOP/s")
    assert model == (
        f"3-layer LSTM, 192 hidden units, {chosen.model.parameters():,} parameters; batch size 16, context 160, "
        "peak learning rate 0.016, dropout 0.03, bfloat16"
    )
    counted = plan(dataclasses.replace(request, ngrams=5), Text(1000, 61, 40.0), FAST, "bfloat16").reasons[1]
    assert counted.endswith("bfloat16, n-gram counts for contexts of up to 5 characters")


@pytest.mark.parametrize(("symbols", "asked", "longest"), [(61, None, 11), (5000, None, 7), (5000, 2, 2), (5000, 8, 7)])
def test_contexts_are_no_longer_than_the_vocabulary_allows(symbols: int, asked: int | None, longest: int) -> None:
    request = TrainingRequest(minutes=2, ngrams=asked)
    chosen = plan(request, Text(1_000_000, symbols, 40.0), FAST, "bfloat16")
    assert chosen.training.ngrams == longest
    assert chosen.reasons[1].endswith(f"of up to {longest} characters")


def test_what_a_pretrained_model_knows_is_not_undone_by_the_usual_learning_rate() -> None:
    def rate(pretrained: bool, asked: float | None = None) -> float:
        request = TrainingRequest(steps=9, learning_rate=asked)
        return plan(request, text_of(10**6), FAST, "float32", pretrained=pretrained).training.learning_rate

    assert rate(True) <= rate(False) / 2
    assert rate(True, asked=0.01) == 0.01


@pytest.mark.parametrize(("epochs", "asked", "together"), [(3.0, None, True), (100.0, None, False), (3.0, 0, False)])
def test_a_network_is_trained_with_counts_unless_it_would_memorise_what_they_leave(
    epochs: float, asked: int | None, together: bool
) -> None:
    request = TrainingRequest(epochs=epochs, ngrams=asked)
    assert (plan(request, text_of(10**6), FAST, "float32").training.ngram_weight > 0) == together


def test_what_a_pretrained_model_knows_is_not_said_to_be_in_the_text() -> None:
    reason = plan(TrainingRequest(steps=9), Text(1000, 61, 40.0), FAST, "float32", pretrained=True).reasons[0]
    assert reason.startswith("1,000 training characters, 60 in the vocabulary; ")


@pytest.mark.parametrize(
    ("budget", "end"),
    [({"epochs": 3}, "distinct; 3 epochs"), ({"epochs": 1}, "; 1 epoch"), ({"steps": 5000}, "epochs in 5,000 steps")],
)
def test_the_reasons_name_any_budget(budget: dict[str, Any], end: str) -> None:
    reason = plan(TrainingRequest(**budget), text_of(10**6), FAST, "float32").reasons[0]
    assert reason.endswith(end)
    assert "GFLOP" not in reason


def test_dropconnect_is_named_where_there_is_some() -> None:
    request = TrainingRequest(steps=5, dropconnect=0.25)
    assert "DropConnect 0.25" in plan(request, text_of(10**6), FAST, "float32").reasons[1]


@pytest.mark.parametrize(
    ("budget", "characters", "warned"),
    [
        ({"minutes": 1e6}, 120_000, True),
        ({"minutes": 1440}, 120_000, True),
        ({"minutes": 1440}, 10**9, False),
        ({"minutes": 10}, 1000, False),
        ({"minutes": 1}, 10**6, False),
        ({"steps": 10**8}, 10**6, True),
        ({"steps": 2500}, 10**6, False),
        ({"epochs": 5000}, 10**6, True),
        ({"epochs": 20}, 10**6, False),
    ],
)
def test_a_budget_far_beyond_the_text_is_warned_of(budget: dict[str, Any], characters: int, warned: bool) -> None:
    warnings = plan(TrainingRequest(**budget), text_of(characters), FAST, "float32").warnings
    assert bool(warnings) == warned
    assert all("far more than this text can use" in warning for warning in warnings)
    unit = next(iter(budget))
    assert all(f"--{unit} " in warning for warning in warnings)


def test_the_same_question_has_the_same_answer() -> None:
    first, second = (plan(TrainingRequest(), text_of(10**6), FAST, "bfloat16") for _ in range(2))
    assert first == second


def test_processes_add_their_speeds_and_have_a_stream_each() -> None:
    request = TrainingRequest(minutes=5)
    alone, four = (plan(request, text_of(10**8), speed, "float32") for speed in (FAST, Speed(4 * FAST.operations)))
    shared = plan(request, text_of(10**8), FAST, "float32", ranks=4)
    assert shared.model == four.model
    assert shared.training == dataclasses.replace(four.training, shards=1)  # the processes are the shards
    assert four.model.parameters() > alone.model.parameters()
    assert plan(TrainingRequest(steps=5), text_of(10**8), FAST, "float32", ranks=64).training.batch == 64


@pytest.mark.parametrize(
    ("streams", "threads", "parts"), [(16, 2, 2), (4, 2, 2), (2, 2, 1), (16, 1, 1), (16, 8, 2), (64, 16, 8), (64, 4, 4)]
)
def test_a_step_is_shared_by_threads_with_a_few_streams_each(streams: int, threads: int, parts: int) -> None:
    assert shards(streams, threads) == parts


def range_of(values: list[Any], between: str) -> str:
    """The least and the largest of some numbers, in words."""
    return f"{min(values)}{between}{max(values)}"


def test_the_help_texts_name_what_is_planned() -> None:
    helps = {field.name: field.metadata["help"] for field in dataclasses.fields(TrainingRequest)}
    assert f"default: {range_of([layers for layers, _ in SHAPES], ' or ')}, by text" in helps["layers"]
    assert f"default: {range_of([hidden for _, hidden in SHAPES], ' to ')}, by text" in helps["hidden"]
    contexts = [planned(Text(10**6, 100, mean_line)).training.context for mean_line in (1.0, 10.0**6)]
    assert f"default: the mean line, {range_of(contexts, ' to ')}" in helps["context"]
    embeddings = [planned(Text(10**6, vocab_size, 40.0)).model.embedding for vocab_size in (100, 60_000)]
    assert f"default: {range_of(embeddings, ', or ')} for large vocabularies" in helps["embedding"]
    assert f"default: {FIXED_THREADS}, or those" in helps["threads"]


def planned(text: Text) -> Plan:
    """A run on a fast machine, of a network that is wider than any embedding."""
    return plan(TrainingRequest(minutes=10.0, hidden=256), text, FAST, "float32")


def test_the_softmax_over_a_large_vocabulary_is_estimated_so_that_more_is_read() -> None:
    request = TrainingRequest(minutes=2, layers=2, hidden=128)
    small, large, huge = (plan(request, text_of(10**7, size), FAST, "float32") for size in (1000, 5000, 50_000))
    assert (small.training.candidates, large.training.candidates) == (0, CANDIDATES)
    assert large.expected > 0.9 * small.expected
    assert huge.expected == large.expected
    assert scoring_share(small.model) == pytest.approx(1 / 3)
    assert scoring_share(huge.model) > 1  # the whole softmax takes more than a step of training

"""From logits to characters: the right distribution, the same text for the same seed, ends where they belong."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import ALPHABET, TEXT, random_model
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from charlstm.api import Model, load
from charlstm.config import CELLS, SampleSettings
from charlstm.data.vocabulary import UNKNOWN, Vocabulary
from charlstm.errors import UsageError
from charlstm.inference.parallel import PROMPT, PROMPT_END
from charlstm.inference.sampling import (
    AT_ONCE,
    Start,
    choose_seed,
    draw,
    generate,
    probabilities,
    read_prompts,
    stream_one,
    whole_texts,
)
from charlstm.models.interface import Floats, State, no_history
from charlstm.models.numpy_lstm import NumpyNetwork

every_cell = pytest.mark.parametrize("cell", CELLS)


def model_of(**options: Any) -> Model:
    """A random model that minds what it read: its inputs and its logits are large, its memory is not chaotic."""
    file = random_model(**options)
    file.tensors["embedding.weight"] *= 4
    file.tensors["head.weight"] *= 4
    return Model(file)


class Constant:
    """A network that always says the same logits."""

    def __init__(self, logits: list[float]) -> None:
        self.vocab_size = self.numbers_per_step = len(logits)
        self.row = np.array(logits, dtype=np.float32)

    def zero_state(self, batch_size: int) -> State:
        return State(np.zeros((1, batch_size, 1)), np.zeros((1, batch_size, 1)), no_history(batch_size))

    def logits(self, ids: np.ndarray[Any, Any], state: State) -> tuple[Floats, State]:
        return np.broadcast_to(self.row, (*ids.shape, len(self.row))).copy(), state

    def step(self, ids: np.ndarray[Any, Any], state: State) -> tuple[Floats, State]:
        logits, state = self.logits(ids[None], state)
        return logits[0], state

    def read(self, ids: np.ndarray[Any, Any], state: State) -> State:
        return state

    def start(self, batch_size: int) -> Start:
        return Start(
            self.logits(np.zeros((1, batch_size), dtype=int), self.zero_state(batch_size))[0][0], self.zero_state(1)
        )


class Recital(Constant):
    """A network that recites: whatever it read, the character at the index that it has come to."""

    def __init__(self, text: str) -> None:
        super().__init__([0.0] * (len(ALPHABET) + 1))
        self.recited = Vocabulary(ALPHABET).encode(text).astype(int)

    def logits(self, ids: np.ndarray[Any, Any], state: State) -> tuple[Floats, State]:
        positions = state.hidden[0, :, 0].astype(int) + np.arange(len(ids))[:, None]  # (T, B)
        logits = np.eye(self.vocab_size)[self.recited[positions % len(self.recited)]]
        return logits, state._replace(hidden=state.hidden + len(ids))

    def read(self, ids: np.ndarray[Any, Any], state: State) -> State:
        return state._replace(hidden=state.hidden + len(ids))


class Watched(NumpyNetwork):
    """A network that notes how many numbers one call makes it hold."""

    held = 0

    def read(self, ids: np.ndarray[Any, Any], state: State) -> State:
        self.held = max(self.held, ids.size * self.settings.gates * self.settings.hidden)
        return self.zero_state(ids.shape[1])


# --------------------------------------------------------------------------------- the distribution

FILTERS: list[dict[str, Any]] = [
    {"temperature": 0.5},
    {"temperature": 1.0},
    {"temperature": 2.0},
    {"temperature": 1.0, "top_k": 3},
    {"temperature": 1.0, "top_k": 1},
    {"temperature": 1.0, "top_p": 0.7},
    {"temperature": 1.0, "min_p": 0.2},
    {"temperature": 2.0, "top_k": 5, "top_p": 0.8},
    {"temperature": 0.5, "top_p": 0.95, "min_p": 0.05},
    {"temperature": 2.0, "top_k": 6, "top_p": 0.9, "min_p": 0.3},
]


def each_of(filters: list[dict[str, Any]]) -> pytest.MarkDecorator:
    names = [",".join(f"{name}={value:g}" for name, value in options.items()) for options in filters]
    return pytest.mark.parametrize("options", filters, ids=names)


def brute_force(
    logits: list[float],
    *,
    temperature: float,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> list[float]:
    """The distribution by its definition: temperature, the k likeliest, the fewest that reach p, then min-p."""
    likeliest = max(logits[1:])
    left = {symbol: math.exp((s - likeliest) / temperature) for symbol, s in enumerate(logits) if symbol != UNKNOWN}
    if top_k is not None:
        left = dict(sorted(left.items(), key=lambda pair: (-pair[1], pair[0]))[:top_k])
    if top_p is not None:
        total, reached, kept = sum(left.values()), 0.0, {}
        for symbol, weight in sorted(left.items(), key=lambda pair: (-pair[1], pair[0])):
            kept[symbol] = weight
            reached += weight / total
            if reached >= top_p:
                break
        left = kept
    if min_p is not None:
        bar = min_p * max(left.values())
        left = {symbol: weight for symbol, weight in left.items() if weight >= bar}
    total = sum(left.values())
    return [left.get(symbol, 0.0) / total for symbol in range(len(logits))]


@each_of(FILTERS)
def test_the_distribution_is_that_of_the_definition(options: dict[str, Any]) -> None:
    logits = np.random.default_rng(1).normal(0, 2, (200, 12)).astype(np.float32)
    p = probabilities(logits, SampleSettings(**options))
    expected = np.array([brute_force(row.tolist(), **options) for row in logits])
    np.testing.assert_allclose(p, expected, rtol=0, atol=1e-12)
    assert (np.count_nonzero(expected, axis=1) == np.count_nonzero(p, axis=1)).all()


def highest_chi_squared(freedom: int) -> float:
    """The value that chance exceeds once in 1000 (Wilson and Hilferty 1931)."""
    part = 2 / (9 * freedom)
    return freedom * (1 - part + 3.09 * math.sqrt(part)) ** 3


def assert_frequencies(written: str, expected: list[float]) -> None:
    """The counts of the characters are those of draws from the distribution."""
    counts = Counter(written)
    number = len(written)
    possible = {ALPHABET[symbol - 1]: number * p for symbol, p in enumerate(expected) if p > 0}
    assert set(counts) <= set(possible)
    assert min(possible.values()) > 5, "too rare for the test"
    value = sum((counts[character] - wanted) ** 2 / wanted for character, wanted in possible.items())
    assert value <= highest_chi_squared(max(1, len(possible) - 1))


CONSTANT = Constant([9.0, 1.0, 0.2, -0.5, 2.0, 1.4, 0.0, 0.7, -0.3, 1.7, 0.5])
"""The unknown symbol would be by far the likeliest."""


@each_of(FILTERS)
def test_many_samples_have_the_frequencies_of_the_distribution(options: dict[str, Any]) -> None:
    count = 100
    start = Start(CONSTANT.start(count).logits, CONSTANT.zero_state(count))
    settings = SampleSettings(length=120, seed=11, **options)
    written = whole_texts(generate(CONSTANT, Vocabulary(ALPHABET), start, settings), Vocabulary(ALPHABET), count)
    assert {len(text) for text in written} == {120}
    assert_frequencies("".join(written), brute_force(CONSTANT.row.tolist(), **options))


@each_of([*FILTERS[:3], FILTERS[-1]])
def test_one_sample_has_the_frequencies_of_the_distribution(options: dict[str, Any]) -> None:
    settings = SampleSettings(length=12000, seed=12, **options)
    written = "".join(stream_one(CONSTANT, Vocabulary(ALPHABET), CONSTANT.start(1), settings))
    assert len(written) == 12000
    assert_frequencies(written, brute_force(CONSTANT.row.tolist(), **options))


def test_equal_scores_are_kept_in_the_order_of_ids() -> None:
    logits = np.zeros((1, 9), dtype=np.float32)
    many = probabilities(np.zeros((1, 1000), dtype=np.float32), SampleSettings(temperature=1, top_k=500))
    assert many[0].nonzero()[0].tolist() == list(range(1, 501))
    assert probabilities(logits, SampleSettings(temperature=1, top_k=3))[0].nonzero()[0].tolist() == [1, 2, 3]
    assert probabilities(logits, SampleSettings(temperature=1, top_p=0.3))[0].nonzero()[0].tolist() == [1, 2, 3]
    assert probabilities(logits, SampleSettings(temperature=1, top_p=0.5))[0].nonzero()[0].tolist() == [1, 2, 3, 4]
    assert probabilities(logits, SampleSettings(temperature=1, min_p=1))[0].nonzero()[0].tolist() == list(range(1, 9))
    assert probabilities(logits, SampleSettings(temperature=0))[0].nonzero()[0].tolist() == [1]


@pytest.mark.parametrize("options", [{"top_k": 1}, {"top_p": 0.0}, {"top_p": 1e-9}, {"min_p": 1.0}])
@pytest.mark.parametrize("temperature", [0.01, 1.0, 100.0])
def test_the_strictest_filters_keep_the_likeliest(options: dict[str, Any], temperature: float) -> None:
    logits = np.random.default_rng(2).normal(0, 1, (50, 12)).astype(np.float32)
    logits[:, UNKNOWN] = 50
    p = probabilities(logits, SampleSettings(temperature=temperature, **options))
    np.testing.assert_array_equal(p, np.eye(12)[1 + logits[:, 1:].argmax(axis=1)])


@pytest.mark.parametrize("options", [{"top_k": 12}, {"top_k": 10**9}, {"top_p": 1.0}, {"min_p": 0.0}])
def test_filters_that_keep_everything_change_nothing(options: dict[str, Any]) -> None:
    logits = np.random.default_rng(2).normal(0, 2, (50, 12)).astype(np.float32)
    plain = probabilities(logits, SampleSettings(temperature=1.0))
    np.testing.assert_allclose(probabilities(logits, SampleSettings(temperature=1.0, **options)), plain, atol=1e-12)


def test_the_scores_are_not_changed() -> None:
    logits = np.random.default_rng(2).normal(0, 2, (3, 12))
    before = logits.copy()
    for temperature in (0.0, 1.0):
        probabilities(logits, SampleSettings(temperature=temperature, top_k=3, top_p=0.5, min_p=0.1))
    start = Start(logits[:1, :11], Constant([0.0] * 11).zero_state(1))
    "".join(stream_one(CONSTANT, Vocabulary(ALPHABET), start, SampleSettings(length=3, seed=1)))
    "".join(stream_one(CONSTANT, Vocabulary(ALPHABET), start, SampleSettings(length=3, seed=1, top_k=2)))
    np.testing.assert_array_equal(logits, before)


EXTREME_TEMPERATURES = [0.0, 1e-6, 1e-3, 1.0, 1e6]


@bounded(deadline=None, derandomize=True, max_examples=150)
@given(
    logits=st.lists(
        st.sampled_from([-1e4, 1e4, -math.inf, 0.0, 1.0, -1.0, 1e30, -1e30, 1e-30]), min_size=2, max_size=6
    ),
    some=st.floats(-50, 50, width=32),
    temperature=st.sampled_from(EXTREME_TEMPERATURES),
    top_k=st.none() | st.integers(1, 9),
    top_p=st.none() | st.floats(0, 1),
    min_p=st.none() | st.floats(0, 1),
)
def test_extremes_give_a_distribution(
    logits: list[float], some: float, temperature: float, top_k: int | None, top_p: float | None, min_p: float | None
) -> None:
    row = np.array([[1e4, *logits, some]], dtype=np.float32)
    settings = SampleSettings(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    p = probabilities(row, settings)
    assert np.isfinite(p).all()
    assert (p >= 0).all()
    assert p.sum() == pytest.approx(1.0, abs=1e-9)
    assert p[0, UNKNOWN] == 0.0
    assert (p[np.isneginf(row)] == 0).all()
    for uniform in (0.0, 0.5, 1 - 2**-53):
        assert p[0, draw(p, np.array([uniform]))[0]] > 0


@pytest.mark.parametrize("temperature", [t for t in EXTREME_TEMPERATURES if t])
@pytest.mark.parametrize("extreme", [1e4, -1e4, -math.inf, 1e30, -1e30])
def test_extremes_are_written_as_one_text_and_as_many(temperature: float, extreme: float) -> None:
    network = Constant([1e4, extreme, 0.5, -extreme if extreme == 1e4 else 0.0])
    settings = SampleSettings(length=30, temperature=temperature, seed=3)
    one = "".join(stream_one(network, Vocabulary("abc"), network.start(1), settings))
    assert [one] == whole_texts(generate(network, Vocabulary("abc"), network.start(1), settings), Vocabulary("abc"), 1)
    assert len(one) == 30
    if temperature <= 1e-3:
        assert set(one) == {"a" if extreme > 0 else "b"}
    if extreme == -math.inf:
        assert "a" not in one


def test_a_temperature_that_all_but_vanishes_is_greedy_and_silent() -> None:
    network, settings = Constant([9.0, 1.0, 3.0, -5.0]), SampleSettings(length=5, temperature=1e-320, seed=3)
    np.testing.assert_array_equal(probabilities(network.row[None], settings), [[0.0, 0.0, 1.0, 0.0]])
    assert "".join(stream_one(network, Vocabulary("abc"), network.start(1), settings)) == "bbbbb"


def test_drawing_inverts_the_cumulative_distribution() -> None:
    p = np.array([[0.0, 0.25, 0.0, 0.5, 0.25, 0.0]])
    cases = {0.0: 1, 0.2499: 1, 0.25: 3, 0.7499: 3, 0.75: 4, 1 - 2**-53: 4}
    for uniform, symbol in cases.items():
        assert draw(p, np.array([uniform])).tolist() == [symbol], uniform
    both = draw(np.concatenate([p, p[:, ::-1]]), np.array([0.0, 0.0]))
    assert both.tolist() == [1, 1]


class Largest:
    """Gives the largest random number that a generator of numpy gives: they are multiples of 2^-53 below 1."""

    def random(self) -> float:
        return 1 - 2**-53


@pytest.mark.parametrize("symbols", [1, 2, 3, 4, 7, 64, 1000])
def test_the_largest_random_number_draws_the_last_character(symbols: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the sum of all is a power of two, below which numbers lie the closest."""
    monkeypatch.setattr("charlstm.inference.sampling._generator", lambda *_: Largest())
    alphabet = Vocabulary([chr(0x4E00 + number) for number in range(symbols)])
    for spread in (0.0, 1.0, 2.0, 5.0):
        row = spread * np.random.default_rng(symbols).normal(0, 1, symbols + 1)
        network = Constant([*row[:-1], row.max()])
        written = "".join(stream_one(network, alphabet, network.start(1), SampleSettings(length=2, temperature=1.0)))
        assert written == 2 * alphabet.characters[-1]


# ----------------------------------------------------------------------------------- greedy, unknown


@every_cell
def test_temperature_zero_takes_the_highest_known_score_each_time(cell: str) -> None:
    file = random_model(cell=cell)
    file.tensors["embedding.weight"] *= 4
    file.tensors["head.bias"][UNKNOWN] += 2
    model = Model(file)
    network, vocabulary = model.network, model.vocabulary
    written = model.sample("ab", length=40, temperature=0)
    ids = [vocabulary.start, *vocabulary.encode("ab" + written).tolist()]
    logits, _ = network.logits(np.array(ids)[:, None], network.zero_state(1))
    best = 1 + logits[2:-1, 0, 1:].argmax(axis=1)
    assert vocabulary.decode(best) == written
    assert (logits[2:-1, 0].argmax(axis=1) == UNKNOWN).any()  # the case that matters occurs


def test_temperature_zero_is_deterministic() -> None:
    model = model_of()
    greedy = {model.sample("a", length=60, temperature=0, seed=seed) for seed in (None, None, 1, 2)}
    assert len(greedy) == 1
    filtered = model.sample("a", length=60, temperature=0, top_k=2, top_p=0.1, min_p=0.9)
    assert {filtered} == greedy


@pytest.mark.parametrize("options", [{}, {"temperature": 0.0}, {"temperature": 5.0}, {"top_k": 99}, {"top_p": 1.0}])
def test_the_unknown_symbol_is_never_written(options: dict[str, Any]) -> None:
    file = random_model()
    file.tensors["head.bias"][UNKNOWN] = 1e4
    model = Model(file)
    settings = SampleSettings(**{"length": 100, "count": 3, "seed": 1, "temperature": 1.0, **options})
    for text in [
        *model.samples(["", "a?"], settings),
        "".join(model.stream("?", dataclasses.replace(settings, count=1))),
    ]:
        assert len(text) == 100
        assert set(text) <= set(ALPHABET)


# --------------------------------------------------------------------------------------- seeds


def test_the_same_seed_writes_the_same_text_and_another_seed_another() -> None:
    model = model_of()
    first, second, other = (model.sample("a", length=80, seed=seed, temperature=1.0) for seed in (7, 7, 8))
    assert first == second != other


def test_without_a_seed_texts_differ_and_the_chosen_seed_is_in_range() -> None:
    model = model_of()
    assert model.sample(length=80, temperature=1.0) != model.sample(length=80, temperature=1.0)
    first, second = model.samples(["", ""], SampleSettings(length=80, temperature=1.0))
    assert first != second
    seeds = {choose_seed(SampleSettings()) for _ in range(100)}
    assert len(seeds) == 100
    assert all(SampleSettings(seed=seed).seed == seed for seed in seeds)
    assert [choose_seed(SampleSettings(seed=seed)) for seed in (0, 1, 2**63 - 1)] == [0, 1, 2**63 - 1]


@every_cell
@pytest.mark.parametrize("options", [{}, {"top_k": 4}, {"temperature": 0.3}, {"stop": ("a", "bc")}], ids=str)
def test_a_sample_of_a_seed_is_the_same_text_whatever_the_count(cell: str, options: dict[str, Any]) -> None:
    model = model_of(cell=cell)
    settings = SampleSettings(**{"length": 50, "seed": 5, "temperature": 1.0, **options})
    alone = []
    for number in range(7):
        start = read_prompts(model.network, model.vocabulary, ["abc"])
        alone += whole_texts(
            generate(model.network, model.vocabulary, start, settings, first=number), model.vocabulary, 1
        )
    assert len(set(alone)) > 3
    for count in (1, 3, 7):
        with_count = SampleSettings(**{**vars(settings), "count": count})
        assert list(model.samples(["abc"], with_count)) == alone[:count]
    assert "".join(model.stream("abc", settings)) == alone[0]


def test_a_sample_is_the_same_text_whatever_its_companions() -> None:
    model = model_of()
    settings = SampleSettings(length=40, seed=5, temperature=1.0)
    expected = list(model.samples(["abc"] * 5, settings))
    for index in range(5):
        prompts = ["", "h?", "a" * 30, "\n\n", "abd"]
        prompts[index] = "abc"
        assert list(model.samples(prompts, settings))[index] == expected[index]


def test_a_sample_beyond_the_first_batch_has_random_numbers_of_its_own() -> None:
    model = model_of(hidden=4, layers=1)
    settings = SampleSettings(length=12, seed=5, temperature=1.0, count=AT_ONCE + 3)
    many = list(model.samples(["b"], settings))
    assert len(many) == AT_ONCE + 3
    assert len(set(many)) > AT_ONCE
    for number in (0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 2):
        start = read_prompts(model.network, model.vocabulary, ["b"])
        assert whole_texts(
            generate(model.network, model.vocabulary, start, settings, first=number), model.vocabulary, 1
        ) == [many[number]]


def test_each_prompt_is_written_on_count_times_in_order() -> None:
    model = model_of()
    settings = SampleSettings(length=30, seed=2, temperature=1.0, count=2)
    written = list(model.samples(["a", "bb"], settings))
    one_each = SampleSettings(length=30, seed=2, temperature=1.0)
    assert written == list(model.samples(["a", "a", "bb", "bb"], one_each))


# ------------------------------------------------------------------------------ length and stop texts


@pytest.mark.parametrize("options", [{}, {"top_k": 3}, {"temperature": 0.0}, {"stop": ("a",)}], ids=str)
def test_length_zero_writes_nothing(options: dict[str, Any]) -> None:
    model = model_of()
    settings = SampleSettings(length=0, seed=1, **options)
    assert list(model.stream("abc", settings)) == []
    assert list(model.samples(["abc", ""], settings)) == ["", ""]


@pytest.mark.parametrize("length", [1, 2, 17])
def test_a_sample_has_its_length(length: int) -> None:
    model = model_of()
    assert len(model.sample(length=length, seed=1)) == length
    assert len(model.sample(length=length, seed=1, top_k=3)) == length
    assert [len(text) for text in model.samples(["a", ""], SampleSettings(length=length))] == [length] * 2


@pytest.mark.parametrize("options", [{"temperature": 0.05}, {"temperature": 0.0}], ids=["plainly", "generally"])
@pytest.mark.parametrize(
    ("recited", "stop", "written"),
    [
        ("abcdefgh", ("d",), "abcd"),
        ("abcdefgh", ("a",), "a"),
        ("abababcab", ("ababc",), "abababc"),
        ("aaaab", ("aaa",), "aaa"),
        ("abcdefgh", ("cde", "bc"), "abc"),
        ("abcdefgh", ("bc", "cde"), "abc"),
        ("abcdefgh", ("bcd", "cd", "d"), "abcd"),
        ("ab\ncd", ("\n",), "ab\n"),
        ("ab\n\ncd", ("\n\n",), "ab\n\n"),
        ("ab cd efgh", ("zz", "cd e"), "ab cd e"),
        ("abcdefgh", ("not there",), "abcdefgh"),
        ("abcdefgh", ("abcdefgh",), "abcdefgh"),
        ("abcdefgh", ("gha",), "abcdefgh"),
        ("aabaab", ("aabaa",), "aabaa"),
    ],
)
def test_a_stop_text_ends_the_sample_exactly_where_it_is_written(
    recited: str, stop: tuple[str, ...], written: str, options: dict[str, Any]
) -> None:
    network, vocabulary = Recital(recited), Vocabulary(ALPHABET)
    settings = SampleSettings(length=len(recited), stop=stop, seed=0, **options)
    start = network.step(np.array([vocabulary.start]), network.zero_state(1))
    assert "".join(stream_one(network, vocabulary, Start(*start), settings)) == written
    assert whole_texts(generate(network, vocabulary, Start(*start), settings), vocabulary, 1) == [written]


@pytest.mark.parametrize("stop", [("a",), ("ab", "e"), ("b", "bc", "gh"), ("\n", "a "), ("da", "fg", "hh")], ids=str)
def test_a_stop_text_cuts_each_sample_and_changes_nothing_else(stop: tuple[str, ...]) -> None:
    model = model_of()
    free = list(model.samples(["", "ab"], SampleSettings(length=60, seed=3, temperature=1.0, count=6)))
    stopped = list(model.samples(["", "ab"], SampleSettings(length=60, seed=3, temperature=1.0, count=6, stop=stop)))
    ends = [min((text.find(s) + len(s) for s in stop if s in text), default=60) for text in free]
    assert stopped == [text[:end] for text, end in zip(free, ends, strict=True)]
    assert len(set(ends)) > 2


def test_a_stop_text_must_be_written_not_prompted() -> None:
    model = model_of()
    free = model.sample("ab", length=20, seed=1)
    assert model.sample("ab", length=20, seed=1, stop=("ab" + free[0],)) == free


def test_an_empty_stop_text_is_refused() -> None:
    with pytest.raises(UsageError, match="stop is empty"):
        SampleSettings(stop=("a", ""))


def test_a_model_of_lines_ends_its_samples_with_the_line() -> None:
    free, lines = model_of(), model_of(lines=True)
    settings = SampleSettings(length=200, seed=3, temperature=1.0, count=5)
    whole = list(free.samples([""], settings))
    assert all("\n" in text for text in whole)
    assert list(lines.samples([""], settings)) == [text[: text.index("\n") + 1] for text in whole]
    assert "".join(lines.stream("", dataclasses.replace(settings, count=1))) == whole[0][: whole[0].index("\n") + 1]


# ------------------------------------------------------------------------------------------- prompts


@every_cell
def test_prompts_read_together_equal_prompts_read_alone(cell: str) -> None:
    model = model_of(cell=cell)
    network, vocabulary = model.network, model.vocabulary
    long = ("abc defgh\n?" * 300)[:2600]
    prompts = ["abc", "", "hhh", "?x", long, "abc", "a", long[:1024], long[:1025], long[:1023], long[1:2049]]
    together = read_prompts(network, vocabulary, prompts)
    for index, prompt in enumerate(prompts):
        state = network.zero_state(1)
        for symbol in [vocabulary.start, *vocabulary.encode(prompt).tolist()]:
            logits, state = network.step(np.array([symbol]), state)
        alone = read_prompts(network, vocabulary, [prompt])
        for read, column in ((together, index), (alone, 0)):
            np.testing.assert_allclose(read.logits[column], logits[0], rtol=0, atol=1e-4)
            np.testing.assert_allclose(read.state.hidden[:, column], state.hidden[:, 0], rtol=0, atol=1e-5)
            np.testing.assert_allclose(read.state.cell[:, column], state.cell[:, 0], rtol=0, atol=1e-5)


def test_a_long_prompt_is_continued_as_one_that_is_read_in_one_stream(trained: Path) -> None:
    """Characters of it that lie far back matter, too: the state agrees to rounding."""
    model = load(trained)
    lines = np.array(TEXT.splitlines(keepends=True))
    prompt = "".join(np.random.default_rng(0).permutation(np.tile(lines, 8)).tolist())[:-7]
    assert PROMPT.parts(len(prompt) - PROMPT_END) > 8
    start = read_prompts(model.network, model.vocabulary, [prompt], threads=2)
    state = model.network.zero_state(1)
    for symbol in [model.vocabulary.start, *model.vocabulary.encode(prompt).tolist()]:
        logits, state = model.network.step(np.array([symbol]), state)
    np.testing.assert_allclose(start.logits, logits, rtol=0, atol=1e-4)
    settings = SampleSettings(length=200, seed=5)
    alone = "".join(stream_one(model.network, model.vocabulary, Start(logits, state), settings))
    assert model.sample(prompt, length=200, seed=5) == alone
    assert next(model.samples([prompt, prompt], length=200, seed=5)) == alone


def test_a_prompt_of_many_samples_is_read_once() -> None:
    class Counting(NumpyNetwork):
        calls = 0

        def read(self, ids: np.ndarray[Any, Any], state: State) -> State:
            self.calls += 1
            return super().read(ids, state)

    model = model_of()
    model.network = network = Counting(model.file.settings, model.file.tensors)
    texts = list(model.samples(["abc"], count=2 * AT_ONCE + 5, length=9, seed=1))
    assert network.calls == 1
    assert texts[0] == model.sample("abc", length=9, seed=1)


def test_the_prompt_decides_what_is_written() -> None:
    model = model_of()
    prompts = ["", "a", "b", "ab", "ba", "ab "]
    written = {model.sample(prompt, length=60, temperature=1.0, seed=1) for prompt in prompts}
    assert len(written) >= len(prompts) - 1  # two may agree by chance


def test_many_long_prompts_to_a_wide_network_do_not_fill_memory() -> None:
    file = random_model(layers=1, hidden=1024)
    network = Watched(file.settings, file.tensors)
    prompts = ["".join(letters) * 300 for letters in itertools.product("abcd", repeat=4)]
    assert len(prompts) == AT_ONCE
    read_prompts(network, file.vocabulary, prompts)
    assert network.held * 4 <= 1e9  # bytes

"""Leaving one out: what the counts would predict at a place of their own text, had it not been counted."""

from __future__ import annotations

import math
import tracemalloc
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from charlstm.models.candidates import Candidates
from charlstm.models.ngrams import NgramModel
from charlstm.training import leave_one_out, occurrences
from charlstm.training.counting import CountedText, count_text
from charlstm.training.leave_one_out import LeaveOneOut
from charlstm.training.ngram_order import surprisal_of_counts

VOCAB_SIZE = 6
texts = st.lists(st.integers(1, VOCAB_SIZE - 1), min_size=12, max_size=60)


def log_rows(counted: CountedText, text: list[int]) -> NDArray[np.float32]:
    """(T, V) at each place of the text."""
    ngrams = NgramModel(VOCAB_SIZE, counted.tensors, newline=1)
    model = LeaveOneOut(ngrams, counted, np.array(text))
    return model.log_probabilities(np.arange(len(text))[:, None])[:, 0]


def without(text: list[int], place: int, order: int) -> list[Counter[tuple[int, ...]]]:
    """How often each n-gram of 1, 2, ... characters occurs, but for those that end at a place."""
    return [
        Counter(tuple(text[end - n : end]) for end in range(n, len(text) + 1) if end != place + 1)
        for n in range(1, order + 1)
    ]


def expected(text: list[int], place: int, counted: CountedText, symbol: int) -> float:
    """By the definition, with the discounts of the whole text; the two lowest levels as they are."""
    order = len(counted.statistics)
    raw = without(text, place, order)
    model = NgramModel(VOCAB_SIZE, counted.tensors, newline=1)
    contexts = model.walk(np.array(text[:place])[:, None], model.start(1))[:, -1]
    row = np.zeros((1, VOCAB_SIZE), np.float32)
    model.add_up_to(1, contexts, row, np.ones(1, np.float32))
    p = float(row[0, symbol])
    for n in range(3, order + 1):
        counts: dict[tuple[int, ...], int] = dict(raw[n - 1])
        if n < order:
            before: dict[tuple[int, ...], set[int]] = defaultdict(set)
            for gram in raw[n]:
                before[gram[1:]].add(gram[0])
            first = tuple(text[:n])  # which nothing precedes: it keeps its count
            counts = {gram: len(before[gram]) or int(gram == first) * c for gram, c in counts.items()}
            counts = {gram: c for gram, c in counts.items() if c}
        h = tuple(text[place - n + 1 : place])
        after = {gram[-1]: c for gram, c in counts.items() if gram[:-1] == h}
        if len(h) < n - 1 or not after:
            continue
        taken, total = counted.statistics[n - 1].discounts, sum(after.values())
        left = max(1e-4, sum(float(taken[min(c, 3)]) for c in after.values()) / total)
        c = after.get(symbol, 0)
        p = (c - float(taken[min(c, 3)])) / total + left * p
    return p


@given(texts, st.data())
def test_the_place_itself_is_taken_out_of_the_counts(text: list[int], data: st.DataObject) -> None:
    order = 4
    counted = count_text(np.array(text), VOCAB_SIZE, order, located=True)
    place = data.draw(st.integers(order + 1, len(text) - 1))
    assume(all(tuple(text[:n]) != tuple(text[place - n + 1 : place + 1]) for n in range(1, order)))
    row = np.exp(log_rows(counted, text)[place])
    wanted = expected(text, place, counted, text[place])
    assert row[text[place]] == pytest.approx(wanted, rel=0.1, abs=0.01)
    assert row.sum() == pytest.approx(1, abs=1e-3)


def test_the_other_characters_keep_their_proportions() -> None:
    text = np.random.default_rng(3).integers(1, VOCAB_SIZE, 300).tolist()
    counted = count_text(np.array(text), VOCAB_SIZE, 4, located=True)
    model = NgramModel(VOCAB_SIZE, counted.tensors, newline=1)
    known = model.log_probabilities(model.walk(np.array(text)[:, None], model.start(1))[:, :, 0])
    left_out = log_rows(counted, text)
    for place in range(10, 300):
        others = [symbol for symbol in range(VOCAB_SIZE) if symbol != text[place]]
        difference = (left_out[place] - known[place - 1])[others]
        assert np.ptp(difference) < 1e-3


def test_what_was_not_counted_is_predicted_as_it_is() -> None:
    text = np.random.default_rng(4).integers(1, VOCAB_SIZE, 300)
    counted = count_text(text[100:200], VOCAB_SIZE, 4, located=True)
    model = NgramModel(VOCAB_SIZE, counted.tensors, newline=1)
    rows = LeaveOneOut(model, counted, text, [range(100, 200)]).log_probabilities(np.arange(110, 290)[:, None])[:, 0]
    known = model.log_probabilities(model.walk(text[:, None], model.start(1))[:, 109:289, 0])
    alone = log_rows(counted, text[100:200].tolist())
    np.testing.assert_allclose(rows[90:], known[90:], atol=1e-5)
    np.testing.assert_allclose(rows[:90], alone[10:], atol=1e-5)


def test_several_stretches_of_a_text_are_each_left_out_where_they_stand() -> None:
    """As a text is counted that is too long to be counted whole."""
    text = np.random.default_rng(6).integers(1, VOCAB_SIZE, 600)
    parts = [range(100, 200), range(250, 400), range(500, 580)]
    counted = count_text(np.concatenate([text[part] for part in parts]), VOCAB_SIZE, 4, located=True)
    model = LeaveOneOut(NgramModel(VOCAB_SIZE, counted.tensors, newline=1), counted, text, parts)
    joined = log_rows(counted, np.concatenate([text[part] for part in parts]).tolist())
    begin = 0
    for part in parts:
        rows = model.log_probabilities(np.arange(part.start + 10, part.stop)[:, None])[:, 0]
        np.testing.assert_allclose(rows, joined[begin + 10 : begin + len(part)], atol=1e-5)
        begin += len(part)


def test_a_window_is_predicted_as_the_whole_text_is() -> None:
    """Its first character, too, which follows upon what is not in the window."""
    text = np.random.default_rng(7).integers(1, VOCAB_SIZE, 300)
    counted = count_text(text, VOCAB_SIZE, 4, located=True)
    model = LeaveOneOut(NgramModel(VOCAB_SIZE, counted.tensors, newline=1), counted, text)
    whole = log_rows(counted, text.tolist())
    rows = model.log_probabilities(np.array([[50, 120], [51, 121], [52, 122]]))
    np.testing.assert_allclose(rows[:, 0], whole[50:53], atol=1e-5)
    np.testing.assert_allclose(rows[:, 1], whole[120:123], atol=1e-5)


@pytest.mark.parametrize("most_bytes", [math.inf, 30_000, 8_000, 4_000, 2_000])
def test_with_rare_ngrams_left_out_too_it_says_what_new_text_would_cost(most_bytes: float) -> None:
    """Each character of this source depends on the two before it: longer n-grams are chance, and are many."""
    rng = np.random.default_rng(2)
    chances = rng.dirichlet(np.full(VOCAB_SIZE - 1, 0.3), (VOCAB_SIZE, VOCAB_SIZE))
    text = [1, 1]
    for draw in rng.random(48_000):
        text.append(1 + int(np.searchsorted(np.cumsum(chances[text[-2], text[-1]])[:-1], draw)))
    counted = count_text(np.array(text[:24_000]), VOCAB_SIZE, 8, most_bytes=most_bytes, located=True)
    model = NgramModel(VOCAB_SIZE, counted.tensors, newline=1)
    rows = log_rows(counted, text[:24_000])
    left_out = -np.mean([rows[place, text[place]] for place in range(20, 24_000)])
    assert left_out == pytest.approx(surprisal_of_counts(model, np.array(text[24_000:])), rel=0.03)


def test_of_some_symbols_it_says_what_it_says_of_all() -> None:
    text = np.random.default_rng(8).integers(1, VOCAB_SIZE, 300)
    counted = count_text(text, VOCAB_SIZE, 4, located=True)
    model = LeaveOneOut(NgramModel(VOCAB_SIZE, counted.tensors, newline=1), counted, text)
    candidates = Candidates.of(np.array([True, False, True, False, True, True]))
    positions = np.arange(10, 290).reshape(2, 140).T
    some, every = model.log_probabilities(positions, candidates), model.log_probabilities(positions)
    among = np.isin(text[positions], candidates.symbols)
    assert 0 < among.sum() < among.size
    np.testing.assert_allclose(some[among], every[among][:, candidates.symbols], atol=1e-5)


def test_a_long_text_is_corrected_where_it_is_read_as_a_short_one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = np.random.default_rng(5).integers(1, VOCAB_SIZE, 400).tolist()
    counted = count_text(np.array(text), VOCAB_SIZE, 5, most_bytes=800, located=True)
    at_once = log_rows(counted, text)
    for module in (leave_one_out, occurrences):
        monkeypatch.setattr(module, "MOST_UNPACKED", 0)
    longer = count_text(np.array(text), VOCAB_SIZE, 5, most_bytes=800, located=True)
    np.testing.assert_allclose(log_rows(longer, text), at_once, atol=1e-5)


def test_what_stands_once_in_the_text_is_not_known_there() -> None:
    rng = np.random.default_rng(1)
    text = rng.integers(1, VOCAB_SIZE, 400).tolist()
    counted = count_text(np.array(text), VOCAB_SIZE, 6, located=True)
    model = NgramModel(VOCAB_SIZE, counted.tensors, newline=1)
    contexts = model.walk(np.array(text)[:, None], model.start(1))[:, :, 0]
    known = model.log_probabilities(contexts)
    left_out = log_rows(counted, text)
    assert np.mean([known[t - 1, text[t]] for t in range(6, 400)]) > np.log(0.5)
    assert np.mean([left_out[t, text[t]] for t in range(6, 400)]) < np.log(0.25)


def test_on_average_it_says_what_new_text_would_cost() -> None:
    """A text without structure: the counts cannot know the next character, and must not seem to."""
    rng = np.random.default_rng(0)
    text = rng.integers(1, VOCAB_SIZE, 3000).tolist()
    rows = log_rows(count_text(np.array(text), VOCAB_SIZE, 6, located=True), text)
    cost = -np.mean([rows[t, text[t]] for t in range(1, len(text))])
    assert cost > np.log(VOCAB_SIZE - 1)


def test_a_large_vocabulary_takes_no_memory_for_all_pairs_of_its_characters() -> None:
    vocab_size = 3000
    text = np.random.default_rng(0).integers(1, vocab_size, 6000)
    counted = count_text(text, vocab_size, 5, located=True)
    model = LeaveOneOut(NgramModel(vocab_size, counted.tensors, newline=1), counted, text)
    tracemalloc.start()
    logs = model.log_probabilities(np.arange(64)[:, None])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2 * vocab_size**2  # bytes
    np.testing.assert_allclose(np.exp(logs).sum(axis=2), 1, rtol=1e-4)

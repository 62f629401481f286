"""Counting: what a pencil would count, smoothed as the paper says, and no larger than allowed."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlstm.models.ngrams import NgramModel
from charlstm.training.counting import all_ngrams, count_text, discounts, largest_order
from charlstm.training.sorting import sorted_text

VOCAB_SIZE = 6
texts = st.lists(st.integers(0, VOCAB_SIZE - 1), min_size=1, max_size=80)


def occurrences(text: list[int], n: int, record_end: int | None = None) -> Counter[tuple[int, ...]]:
    """Each n-gram of a text, by slicing."""
    found = Counter(tuple(text[at : at + n]) for at in range(len(text) - n + 1))
    return Counter({gram: c for gram, c in found.items() if record_end not in gram[1:-1]})


@given(texts, st.integers(1, 5), st.sampled_from([None, 1]))
def test_every_ngram_is_counted(text: list[int], order: int, record_end: int | None) -> None:
    levels = all_ngrams(sorted_text(np.array(text), VOCAB_SIZE, order, record_end), order)
    grams: list[tuple[int, ...]] = [()]
    for n, level in enumerate(levels, start=1):
        symbols = level.symbols.tolist()
        grams = [(*grams[owner], symbol) for owner, symbol in zip(level.owners.tolist(), symbols, strict=True)]
        assert dict(zip(grams, level.counts.tolist(), strict=True)) == occurrences(text, n, record_end)
        assert grams == sorted(grams)


def brute_force(text: list[int], order: int, context: list[int], symbol: int) -> float:
    """Interpolated modified Kneser-Ney in float64, by the definition."""

    def adjusted(n: int) -> dict[tuple[int, ...], int]:
        counts = occurrences(text, n)
        if n == order:
            return dict(counts)
        before: dict[tuple[int, ...], set[int]] = defaultdict(set)
        for gram in occurrences(text, n + 1):
            before[gram[1:]].add(gram[0])
        return {gram: len(before[gram]) or c for gram, c in counts.items()}

    p = 1 / VOCAB_SIZE
    for n in range(1, order + 1):
        counts = adjusted(n)
        h = tuple(context[len(context) - n + 1 :]) if n > 1 else ()
        if len(h) < n - 1:
            break
        after = {gram[-1]: c for gram, c in counts.items() if gram[:-1] == h}
        if not after:
            continue
        taken = discounts(np.array(list(counts.values())))
        total = sum(after.values())
        left = sum(float(taken[min(c, 3)]) for c in after.values()) / total
        c = after.get(symbol, 0)
        p = (c - float(taken[min(c, 3)])) / total + left * p
    return p


@given(texts.filter(lambda text: len(text) > 3), st.integers(1, 4), st.data())
def test_probabilities_are_those_of_the_definition(text: list[int], order: int, data: st.DataObject) -> None:
    model = NgramModel(VOCAB_SIZE, count_text(np.array(text), VOCAB_SIZE, order).tensors, newline=1)
    context = data.draw(st.lists(st.sampled_from(text), min_size=order, max_size=order))
    contexts = model.walk(np.array(context)[:, None], model.start(1))[:, -1]
    row = model.probabilities(contexts)[0]
    for symbol in range(VOCAB_SIZE):
        assert row[symbol] == pytest.approx(brute_force(text, order, context, symbol), rel=0.15)


def test_a_long_text_is_predicted_as_well_as_by_the_definition() -> None:
    """Rounding to eight bits costs next to nothing on average."""
    rng = np.random.default_rng(0)
    text = rng.choice(VOCAB_SIZE, 600, p=[0.05, 0.35, 0.3, 0.15, 0.1, 0.05]).tolist()
    model = NgramModel(VOCAB_SIZE, count_text(np.array(text), VOCAB_SIZE, 3).tensors, newline=1)
    contexts = model.walk(np.array(text[:60])[:, None], model.start(1))[:, :, 0]
    rows = model.log_probabilities(contexts)
    ours = np.mean([rows[t, text[t + 1]] for t in range(5, 59)])
    exact = np.mean([np.log(brute_force(text, 3, text[: t + 1], text[t + 1])) for t in range(5, 59)])
    assert ours == pytest.approx(exact, abs=0.004)


def test_discounts_follow_the_paper() -> None:
    counts = np.repeat([1, 2, 3, 4, 9], [40, 20, 10, 5, 7])
    y = 40 / (40 + 2 * 20)
    expected = [0, 1 - 2 * y * 20 / 40, 2 - 3 * y * 10 / 20, 3 - 4 * y * 5 / 10]
    assert discounts(counts) == pytest.approx(expected)


@given(texts, st.integers(2, 5), st.integers(20, 400))
def test_what_is_left_out_makes_room_and_leaves_a_proper_distribution(text: list[int], order: int, room: int) -> None:
    tensors = count_text(np.array(text), VOCAB_SIZE, order, most_bytes=room).tensors
    alone = count_text(np.array(text), VOCAB_SIZE, 1).tensors
    assert sum(t.nbytes for t in tensors.values()) <= max(room, sum(t.nbytes for t in alone.values()) + 2 * order * 8)
    model = NgramModel(VOCAB_SIZE, tensors, newline=1)
    contexts = model.walk(np.array(text)[:, None], model.start(1))[:, :, 0]
    assert model.probabilities(contexts).sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_the_order_is_bounded_by_the_alphabet() -> None:
    assert largest_order(65) == 12
    assert largest_order(256) == 12
    assert largest_order(5000) == 8
    assert largest_order(60_000) == 8

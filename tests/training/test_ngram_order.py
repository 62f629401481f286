"""How long the n-grams are that are counted: as long as they help to predict."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from charlstm.data.vocabulary import Ids
from charlstm.models.ngrams import NgramModel
from charlstm.training.counting import count_text
from charlstm.training.ngram_order import SHORT, best_order, surprisal_of_counts

VOCAB_SIZE = 6


def count(ids: Ids, order: int) -> NgramModel:
    return NgramModel(VOCAB_SIZE, count_text(ids, VOCAB_SIZE, order, most_bytes=4 * len(ids)).tensors, newline=0)


def drawn(characters: int, depth: int, seed: int) -> NDArray[np.uint8]:
    """A text whose characters depend on so many before them."""
    table = np.random.default_rng(7).dirichlet(np.full(4, 0.3), size=4**depth).cumsum(axis=1)
    numbers = np.random.default_rng(seed).random(characters)
    text, state = np.zeros(characters, np.uint8), 0
    for at, number in enumerate(numbers):
        text[at] = min(3, int((number > table[state]).sum()))
        state = (4 * state + int(text[at])) % 4**depth
    return text


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_where_few_characters_decide_the_ngrams_are_those_and_one_more(depth: int) -> None:
    text, held_out = drawn(60_000, depth, seed=1), drawn(8_000, depth, seed=2)
    chosen = best_order(text, held_out, 12, count)
    assert chosen == depth + 1
    assert surprisal_of_counts(count(text, chosen), held_out) < surprisal_of_counts(count(text, 12), held_out)


def test_where_long_stretches_come_again_the_longest_ngrams_are_kept() -> None:
    stretches = drawn(20_000, 4, seed=1).reshape(-1, 40)
    text = stretches[np.random.default_rng(0).integers(0, len(stretches), 2_000)].ravel()
    assert best_order(text[:60_000], text[60_000:], 12, count) == 12


def test_of_lines_of_random_digits_they_are_short() -> None:
    numbers = np.random.default_rng(0).integers(1, 6, (6_000, 18))
    text = np.pad(numbers, ((0, 0), (0, 1))).ravel().astype(np.uint8)
    chosen = best_order(text[:100_000], text[100_000:], 12, count)
    assert chosen <= SHORT
    costs = {order: surprisal_of_counts(count(text[:100_000], order), text[100_000:]) for order in (chosen, 12)}
    assert costs[chosen] < 0.99 * costs[12]


def test_a_large_vocabulary_takes_no_memory_for_all_that_may_follow_each_character() -> None:
    vocab_size = 60_000
    text = drawn(3_000, 4, seed=1)
    tensors = count_text(text, vocab_size, 8).tensors
    model = NgramModel(vocab_size, tensors, newline=0)
    tracemalloc.start()
    surprisal_of_counts(model, text)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < len(text) * vocab_size / 10  # bytes, where a row for each character would take 40 times as many


def test_without_held_out_text_and_of_short_ones_nothing_is_tried() -> None:
    text = drawn(2_000, 1, seed=1)
    assert best_order(text, text[:0], 12, count) == 12
    assert best_order(text, text, SHORT, count) == SHORT

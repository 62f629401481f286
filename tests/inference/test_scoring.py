"""Scores: a probability distribution over all texts, the same figure however the text comes, in flat memory."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import ALPHABET, TEXT, peak_memory, random_model
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from charlstm.api import Model, load
from charlstm.config import CELLS, ModelSettings
from charlstm.inference.parallel import EXACT, ONE_STREAM, Division
from charlstm.inference.scoring import (
    NOTHING,
    PADDING,
    Score,
    Scorer,
    padded,
    read_together,
    side_by_side_scores,
    surprisal,
)
from charlstm.models.file import ModelFile
from charlstm.models.interface import Floats, State, no_history
from charlstm.models.numpy_lstm import NumpyNetwork
from charlstm.models.torch_lstm import TorchLanguageModel, TorchNetwork

every_cell = pytest.mark.parametrize("cell", CELLS)

FOREIGN = "é"
"""Outside ALPHABET; two bytes of UTF-8."""


SHORT = Division(fewest=2, shortest=100, longest=150, burn_in=60, segment=30)
"""Texts of some hundred characters are split already."""


def scorer_of(dtype: Any = np.float32, division: Division = EXACT, **options: Any) -> Scorer:
    file = sharp_model(**options)
    return Scorer(NumpyNetwork(file.settings, file.tensors, dtype), file.vocabulary, division)


def sharp_model(**options: Any) -> ModelFile:
    """A random model whose predictions are far from even."""
    file = random_model(**options)
    file.tensors["embedding.weight"] *= 4
    file.tensors["head.weight"] *= 4
    return file


def some_text(length: int, alphabet: str = ALPHABET + "é", seed: int = 0) -> str:
    return "".join(np.random.default_rng(seed).choice(list(alphabet), length).tolist())


def all_surprisals(scorer: Scorer, text: str) -> Floats:
    return np.concatenate([np.zeros(0), *scorer.surprisals([scorer.vocabulary.encode(text)])])


def brute_force(scorer: Scorer, text: str) -> list[float]:
    """Surprisals in nats by the definition: one character at a time, in float64 and plain Python."""
    known = {character: symbol for symbol, character in enumerate(scorer.vocabulary.characters, 1)}
    outside = 0x110000 - 0x800 - len(known)  # Unicode scalar values that the model does not know
    model = scorer.model
    state, symbol, nats = model.zero_state(1), len(known) + 1, []
    for character in text:
        logits, state = model.step(np.array([symbol]), state)
        row = [float(logit) for logit in logits[0]]
        symbol = known.get(character, 0)
        highest = max(row)
        total = highest + math.log(math.fsum(math.exp(logit - highest) for logit in row))
        nats.append(total - row[symbol] + (math.log(outside) if symbol == 0 else 0.0))
    return nats


# --------------------------------------------------------------------------- a distribution over texts


@every_cell
@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("kind", ["texts", "lines"])
def test_the_probabilities_of_all_texts_of_a_length_sum_to_one(cell: str, length: int, kind: str) -> None:
    scorer = scorer_of(np.float64, alphabet="ab\n", cell=cell)
    every_unknown = 0x110000 - 0x800 - 3  # as many texts differ only in which unknown character stands there
    texts = ["".join(letters) for letters in itertools.product("ab\n" + FOREIGN, repeat=length)]
    scores = scorer.score_lines(texts) if kind == "lines" else [scorer.score([text]) for text in texts]
    total = math.fsum(
        math.exp(-score.nats) * every_unknown ** text.count(FOREIGN) for text, score in zip(texts, scores, strict=True)
    )
    assert total == pytest.approx(1.0, abs=1e-9)


def test_the_first_character_is_scored_too() -> None:
    scorer = scorer_of()
    start = np.array([scorer.vocabulary.start])
    logits = scorer.model.step(start, scorer.model.zero_state(1))[0][0].astype(np.float64)
    p = np.exp(logits) / np.exp(logits).sum()
    for symbol, character in enumerate(ALPHABET, 1):
        assert scorer.score([character]).nats == pytest.approx(-math.log(p[symbol]), abs=1e-5)
        assert scorer.score([character]).characters == 1


@every_cell
@pytest.mark.parametrize("text", ["a", "é", "abc\nhé gé\n", "ééé", some_text(150)], ids=len)
def test_surprisals_are_those_of_the_definition(cell: str, text: str) -> None:
    exact = scorer_of(np.float64, cell=cell)
    expected = brute_force(exact, text)
    np.testing.assert_allclose(all_surprisals(exact, text), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(all_surprisals(scorer_of(cell=cell), text), expected, rtol=0, atol=1e-4)
    assert scorer_of(cell=cell).score([text]).nats == pytest.approx(math.fsum(expected), rel=1e-5)


@every_cell
def test_the_torch_network_scores_as_the_numpy_network_does(cell: str) -> None:
    file = sharp_model(cell=cell)
    model = TorchNetwork(file.settings, dropout=0.5)
    model.load(file.tensors)
    text = some_text(300)
    score = Scorer(TorchLanguageModel(model), file.vocabulary).score([text])
    assert score.nats == pytest.approx(scorer_of(cell=cell).score([text]).nats, rel=1e-5)


# ---------------------------------------------------------------------------------------- surprisal


def test_surprisal_is_the_negative_logarithm_of_the_softmax() -> None:
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(0, 4, (6, 3, 9)), rng.integers(0, 9, (6, 3))
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-5)):
        nats = surprisal(logits.astype(dtype), targets)
        assert nats.shape == (6, 3)
        assert nats.dtype == np.float64
        for index in np.ndindex(6, 3):
            row = logits[index].tolist()
            expected = math.log(math.fsum(math.exp(logit) for logit in row)) - row[targets[index]]
            assert nats[index] == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("size", [70_000, 1_000_000])
def test_surprisal_is_exact_over_huge_vocabularies(size: int) -> None:
    even = surprisal(np.full((1, size), 3.0, dtype=np.float32), np.array([size - 1]))
    assert even[0] == pytest.approx(math.log(size), abs=1e-6)
    row = np.random.default_rng(0).normal(0, 3, size).astype(np.float32)
    expected = math.log(math.fsum(math.exp(logit) for logit in row.tolist())) - float(row[7])
    assert surprisal(row[None], np.array([7]))[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("huge", [1e3, 1e4, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_do_not_overflow(huge: float, dtype: Any) -> None:
    logits = np.array([[huge, -huge, huge, 0.0]] * 4, dtype=dtype)
    nats = surprisal(logits, np.arange(4, dtype=np.uint8))
    two = math.log(2)
    np.testing.assert_allclose(nats, [two, 2 * huge + two, two, huge + two], rtol=1e-6)


def test_an_impossible_character_costs_infinity_and_the_others_nothing_extra() -> None:
    logits = np.array([[-math.inf, 0.0, 0.0]] * 2)
    np.testing.assert_allclose(surprisal(logits, np.array([0, 1])), [math.inf, math.log(2)])


def test_surprisal_does_not_change_the_logits() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 5))
    before = logits.copy()
    surprisal(logits, np.zeros(4, dtype=int))
    np.testing.assert_array_equal(logits, before)


def test_a_model_with_huge_logits_has_figures_that_strict_json_can_hold() -> None:
    file = random_model()
    file.tensors["head.bias"][3] = 1e6
    file.tensors["head.bias"][4] = -1e6
    score = Model(file).score("abcdefgh")
    assert score.perplexity == math.inf  # far from what it was capped at once, without a word
    assert score.figures()["perplexity"] is None
    json.dumps(score.figures(), allow_nan=False)
    assert math.isfinite(score.bits_per_char)


def test_a_vocabulary_as_large_as_a_writing_system_is_scored() -> None:
    alphabet = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000)))
    scorer = scorer_of(alphabet=alphabet, hidden=4, layers=1)
    text = some_text(300, alphabet=alphabet[::400] + "é")
    expected = brute_force(scorer, text)
    np.testing.assert_allclose(all_surprisals(scorer, text), expected, rtol=0, atol=1e-3)
    nats = [score.nats for score in scorer.score_lines([text[:20], text[:90]])]
    assert nats == pytest.approx([sum(expected[:20]), sum(expected[:90])], rel=1e-5)


# ------------------------------------------------------------------------------------------- figures


def test_the_figures_of_a_text_follow_from_its_nats() -> None:
    score = Score(characters=10, nats=7.0, unknown=1, bytes=20)
    assert score.nats_per_char == pytest.approx(0.7)
    assert score.bits_per_char == pytest.approx(0.7 / math.log(2))
    assert score.perplexity == pytest.approx(2**score.bits_per_char)
    assert score.bits_per_byte == pytest.approx(7.0 / math.log(2) / 20)
    assert score.figures() == {
        "characters": 10,
        "bits_per_char": score.bits_per_char,
        "nats_per_char": score.nats_per_char,
        "perplexity": score.perplexity,
        "bits_per_byte": score.bits_per_byte,
        "unknown": 1,
    }


@pytest.mark.parametrize(
    ("text", "size"), [("abc", 3), ("aéc", 4), ("äöü", 6), ("日本語", 9), ("🙂", 4), ("e\u0301", 3), ("", 0)]
)
def test_bits_per_byte_counts_the_bytes_of_utf8(text: str, size: int) -> None:
    score = scorer_of().score([text])
    assert (score.characters, score.bytes) == (len(text), size)
    assert score.bits_per_byte * size == pytest.approx(score.bits_per_char * len(text))
    assert scorer_of().score_lines([text])[0].bytes == size


@pytest.mark.parametrize(("text", "unknown"), [("abc", 0), ("é", 1), ("aéb🙂é", 3), ("\ufffd", 1)])
def test_unknown_characters_are_counted_and_cost_an_even_part_of_its_probability(text: str, unknown: int) -> None:
    scorer = scorer_of()
    score = scorer.score([text])
    assert score.unknown == unknown
    assert scorer.score_lines([text])[0].unknown == unknown
    ids = scorer.vocabulary.encode(text)
    shared = math.log(0x110000 - 0x800 - len(ALPHABET))
    inputs = np.concatenate([[scorer.vocabulary.start], ids[:-1]]).astype(int)[:, None]
    logits, _ = scorer.model.logits(inputs, scorer.model.zero_state(1))
    plain = float(surprisal(logits[:, 0], ids).sum())
    assert score.nats == pytest.approx(plain + unknown * shared, rel=1e-6)


def test_which_unknown_character_it_is_does_not_matter() -> None:
    scorer = scorer_of()
    assert scorer.score(["aéb"]).nats == scorer.score(["a🙂b"]).nats == scorer.score(["a\0b"]).nats


def test_the_empty_text_scores_nothing() -> None:
    scorer = scorer_of()
    for empty in (scorer.score([]), scorer.score([""]), scorer.score(["", "", ""]), scorer.score_lines([""])[0]):
        assert empty == NOTHING
        assert empty.figures() == {
            "characters": 0,
            "bits_per_char": 0.0,
            "nats_per_char": 0.0,
            "perplexity": 1.0,
            "bits_per_byte": 0.0,
            "unknown": 0,
        }
    assert list(scorer.surprisals([])) == []


def test_scores_add_up() -> None:
    first, second = Score(3, 1.5, 1, 4), Score(2, 0.25, 0, 2)
    assert first + second == Score(5, 1.75, 1, 6)
    assert first + NOTHING == first == NOTHING + first
    assert sum([first, second, first], NOTHING) == Score(8, 3.25, 2, 10)


def test_the_score_of_a_text_is_the_sum_of_its_surprisals() -> None:
    scorer, text = scorer_of(), some_text(500)
    nats = sum(float(part.sum()) for part in scorer.surprisals([scorer.vocabulary.encode(text)]))
    assert scorer.score([text]).nats == nats


# ------------------------------------------------------------------------------- streams and pieces


@every_cell
@pytest.mark.parametrize("length", [199, 200, 201, 299, 300, 301, 399, 400, 401, 599, 600, 601, 800, 1234])
def test_every_character_costs_the_same_side_by_side_as_in_one_stream(cell: str, length: int) -> None:
    text = some_text(length, seed=length)
    one = all_surprisals(scorer_of(division=ONE_STREAM, cell=cell, hidden=6), text)
    for most in (2, 3, 4):
        several = all_surprisals(scorer_of(division=dataclasses.replace(SHORT, most=most), cell=cell, hidden=6), text)
        np.testing.assert_allclose(several, one, rtol=0, atol=2e-3)


@pytest.mark.parametrize(("cell", "threads"), [("lstm", 2), ("lstm", 100), ("gru", 3)])
def test_threads_change_no_figure(cell: str, threads: int) -> None:
    one = scorer_of(cell=cell, division=dataclasses.replace(SHORT, most=5), hidden=6)
    several = Scorer(one.model, one.vocabulary, one.division, threads)
    for length in (0, 50, 200, 301, 500, 1234):
        text = some_text(length, seed=length)
        np.testing.assert_allclose(all_surprisals(several, text), all_surprisals(one, text), rtol=0, atol=1e-4)
        assert several.score([text]).nats == pytest.approx(one.score([text]).nats, rel=1e-6)
    lines = [some_text(length, seed=length) for length in [*[3, 0, 7, 20, 1] * 60, 250, 1000, 2]]
    nats = [score.nats for score in several.score_lines(lines)]
    assert nats == pytest.approx([score.nats for score in one.score_lines(lines)], rel=1e-5, abs=1e-4)


def test_models_read_ids_of_one_wide_type_in_every_block() -> None:
    """Sums of the small type that a vocabulary's ids fit into would overflow inside a model."""

    class Watched(NumpyNetwork):
        types: frozenset[Any] = frozenset()

        def logits(self, ids: Any, state: State) -> tuple[Floats, State]:
            self.types |= {ids.dtype}
            return super().logits(ids, state)

        def read(self, ids: Any, state: State) -> State:
            self.types |= {ids.dtype}
            return super().read(ids, state)

    file = random_model(hidden=4, layers=1)
    for division in (dataclasses.replace(SHORT, most=4), dataclasses.replace(SHORT, most=1)):
        network = Watched(file.settings, file.tensors)
        list(Scorer(network, file.vocabulary, division).surprisals([file.vocabulary.encode(some_text(3000))]))
        assert network.types == {np.dtype(np.int64)}


def test_several_parts_are_used_where_the_text_is_long() -> None:
    class Watched(NumpyNetwork):
        widest = 0

        def logits(self, ids: Any, state: State) -> tuple[Floats, State]:
            self.widest = max(self.widest, ids.shape[1])
            return super().logits(ids, state)

    file = random_model(hidden=4, layers=1)
    for length, most, expected in ((32_767, 64, 1), (32_768, 64, 8), (40_960, 64, 10), (40_960, 9, 9), (40_960, 1, 1)):
        network = Watched(file.settings, file.tensors)
        Scorer(network, file.vocabulary, Division(most=most)).score(["a" * length])
        assert network.widest == expected


@pytest.mark.parametrize("most", [2, 5, 64])
def test_parts_side_by_side_agree_with_the_single_stream_on_a_trained_model(trained: Path, most: int) -> None:
    model = load(trained)
    lines = np.array(TEXT.splitlines(keepends=True))
    text = "".join(np.random.default_rng(0).permutation(lines).tolist()).replace("dog", "dogged", 40)
    one = Scorer(model.network, model.vocabulary, ONE_STREAM).score([text])
    several = Scorer(model.network, model.vocabulary, Division(most=most, shortest=600)).score([text])
    assert several.bits_per_char == pytest.approx(one.bits_per_char, abs=0.001)
    assert one.bits_per_char < 2  # it predicts, so that the state matters
    assert (several.characters, several.unknown, several.bytes) == (one.characters, one.unknown, one.bytes)


@bounded(deadline=None, derandomize=True, max_examples=40)
@given(
    text=st.text(alphabet=ALPHABET + "é", max_size=700),
    cuts=st.lists(st.integers(0, 700), max_size=12),
    most=st.sampled_from([1, 2, 64]),
)
def test_the_score_does_not_depend_on_how_the_text_is_cut(text: str, cuts: list[int], most: int) -> None:
    scorer = scorer_of(division=dataclasses.replace(SHORT, most=most), hidden=4, layers=1)
    edges = [0, *sorted(cuts), len(text)]
    pieces = [text[begin:end] for begin, end in itertools.pairwise(edges)]
    pieces = pieces if "".join(pieces) == text else list(text)
    whole, cut = scorer.score([text]), scorer.score(iter(pieces))
    assert cut.nats == pytest.approx(whole.nats, rel=1e-12)
    assert (cut.characters, cut.unknown, cut.bytes) == (whole.characters, whole.unknown, whole.bytes)
    encoded = [scorer.vocabulary.encode(piece) for piece in pieces]
    parts = [*scorer.surprisals(encoded)]
    np.testing.assert_allclose(np.concatenate([np.zeros(0), *parts]), all_surprisals(scorer, text), atol=1e-9)


# -------------------------------------------------------------------------------------------- lines


@every_cell
@pytest.mark.parametrize("ending", ["", "\n"])
def test_lines_score_as_each_line_alone_and_in_order(cell: str, ending: str) -> None:
    scorer = scorer_of(cell=cell)
    lengths = [5, 0, 1, 40, 1, 3, 0, 300, 5, 2]
    lines = [some_text(length, seed=number) + ending for number, length in enumerate(lengths)]
    scores = scorer.score_lines(lines)
    alone = [scorer.score([line]) for line in lines]
    assert [score.nats for score in scores] == pytest.approx([score.nats for score in alone], rel=1e-5)
    assert [(s.characters, s.unknown, s.bytes) for s in scores] == [(s.characters, s.unknown, s.bytes) for s in alone]


def test_a_long_record_is_not_read_beside_many_short_ones() -> None:
    """The short ones would be padded to its length."""
    lengths = [100_000, *range(1, 600), 0]
    groups = read_together(lengths)
    assert sorted(number for group in groups for number in group) == list(range(600))
    padded_to = sum(len(group) * max(lengths[number] for number in group) for group in groups)
    assert padded_to < 4 * sum(lengths)
    alone = read_together(lengths, lambda length: length > 500)
    assert [len(group) for group in alone if max(lengths[number] for number in group) > 500] == 100 * [1]


def test_records_give_the_surprisal_of_every_character() -> None:
    scorer = scorer_of(np.float64)
    lines = ["abc", "", "é", "hhhh\n", "a" * 30]
    records = scorer.records([scorer.vocabulary.encode(line) for line in lines])
    for line, nats in zip(lines, records, strict=True):
        np.testing.assert_allclose(nats, brute_force(scorer, line), rtol=0, atol=1e-9)


def test_lines_side_by_side_are_read_after_the_start_symbol_and_end_in_padding() -> None:
    lines = [np.array(line, dtype=np.uint8) for line in ([5], [7, 8, 9], [4, 3])]
    inputs, targets = padded(lines, start=11)
    assert targets.T.tolist() == [[5, PADDING, PADDING], [7, 8, 9], [4, 3, PADDING]]
    assert [inputs[: len(line), column].tolist() for column, line in enumerate(lines)] == [[11], [11, 7, 8], [11, 4]]
    assert inputs.min() >= 0  # what is read of padding is an id, too


def test_no_lines_and_empty_lines_are_fine() -> None:
    scorer = scorer_of()
    assert scorer.score_lines([]) == []
    assert scorer.records([]) == []
    assert scorer.score_lines([""]) == [NOTHING]
    assert scorer.score_lines(["", "", ""]) == [NOTHING] * 3


def test_more_lines_than_are_scored_together_keep_their_order() -> None:
    scorer = scorer_of(hidden=4, layers=1)
    different = [some_text(length % 7, seed=length) for length in range(40)]
    scores = scorer.score_lines(different * 20)
    expected = [scorer.score([line]).nats for line in different] * 20
    assert [score.nats for score in scores] == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_a_very_long_line_among_short_ones_is_scored() -> None:
    scorer = scorer_of(hidden=4, layers=1)
    divided = EXACT.fewest * EXACT.shortest
    lines = ["ab", some_text(divided + 1), "", some_text(divided - 1), "é", "h" * 10_000]
    expected = [Scorer(scorer.model, scorer.vocabulary, ONE_STREAM).score([line]).nats for line in lines]
    assert [score.nats for score in scorer.score_lines(lines)] == pytest.approx(expected, rel=1e-4)


def test_a_model_of_lines_scores_a_text_as_the_sum_of_its_lines() -> None:
    model = Model(sharp_model(lines=True))
    lines = ["abc\n", "\n", "hé\n", "gg"]
    records = [*lines[:-1], "gg\n"]
    total = sum((model.scorer.score([record]) for record in records), NOTHING)
    for pieces in (["".join(lines)], list("".join(lines)), lines):
        score = model.score_pieces(pieces)
        assert score.nats == pytest.approx(total.nats, rel=1e-5)
        assert (score.characters, score.unknown, score.bytes) == (total.characters, total.unknown, total.bytes)


# ------------------------------------------------------------------------------------------- memory


def model_with_blocks_of(longest: int, file: ModelFile) -> Model:
    model = Model(file)
    model.scorer = Scorer(model.network, model.vocabulary, Division(longest=longest))
    return model


def test_memory_does_not_depend_on_the_length_of_the_text() -> None:
    file = random_model("ab", hidden=2, layers=1)

    def pieces(characters: int) -> Iterator[str]:
        for _ in range(characters // 10_000):
            yield ("abéa" * 12 + "ab\n") * 196 + "abab"

    whole, records = (model_with_blocks_of(1024, dataclasses.replace(file, lines=lines)) for lines in (False, True))
    ways = [whole.partial_scores, records.partial_scores]
    for score in (whole.score_pieces, lambda text: side_by_side_scores(text, ways)):
        short, long = (peak_memory(score, pieces(characters)) for characters in (300_000, 600_000))
        assert long < 64e6
        assert long < 1.1 * short


def test_two_ways_of_scoring_keep_no_more_of_a_text_than_one_is_ahead() -> None:
    longest = 2048  # so that a block has 131 of the pieces below

    class Piece(str):
        """A text that can be watched."""

    made: list[weakref.ref[Piece]] = []
    alive = 0

    def pieces() -> Iterator[str]:
        nonlocal alive
        for _ in range(600):
            piece = Piece("abca\n" * 400)
            made.append(weakref.ref(piece))
            yield piece
            alive = max(alive, sum(one() is not None for one in made))

    file = random_model("abc", hidden=2, layers=1)
    models = [model_with_blocks_of(longest, dataclasses.replace(file, lines=lines)) for lines in (False, True)]
    ways = [model.partial_scores for model in models]
    side_by_side_scores(pieces(), ways)
    assert len(made) == 600
    assert alive < 400  # what one way is ahead, and what itertools.tee frees together: 57 at a time


def test_two_ways_of_scoring_give_what_each_gives_alone() -> None:
    models = [Model(sharp_model(lines=lines)) for lines in (False, True)]
    pieces = ["abc\nhé", "", "gg\n", "a" * 9000]
    together = side_by_side_scores(iter(pieces), [model.partial_scores for model in models])
    assert together == [model.score_pieces(pieces) for model in models]
    assert side_by_side_scores([], [models[0].partial_scores]) == [NOTHING]


class Weighed:
    """A network that computes nothing and notes how many bytes a real one's gates would fill at once."""

    def __init__(self, settings: ModelSettings) -> None:
        self.vocab_size, self.gates, self.bytes = settings.vocab_size, settings.gates * settings.hidden, 0
        self.numbers_per_step = max(self.vocab_size, self.gates)

    def zero_state(self, batch_size: int) -> State:
        return State(np.zeros((1, batch_size, 1)), np.zeros((1, batch_size, 1)), no_history(batch_size))

    def logits(self, ids: Any, state: State) -> tuple[Floats, State]:
        return np.zeros((*ids.shape, self.vocab_size), dtype=np.float32), self.read(ids, state)

    def step(self, ids: Any, state: State) -> tuple[Floats, State]:
        return np.zeros((len(ids), self.vocab_size), dtype=np.float32), state

    def read(self, ids: Any, state: State) -> State:
        self.bytes = max(self.bytes, 4 * ids.size * self.gates)
        return state


@pytest.mark.parametrize("alphabet", ["acgt", "".join(map(chr, range(32, 232)))], ids=len)
@pytest.mark.parametrize("kind", ["text", "lines"])
def test_memory_is_bounded_for_wide_networks_of_any_alphabet(alphabet: str, kind: str) -> None:
    file = random_model(alphabet, hidden=1)
    network = Weighed(ModelSettings(len(alphabet) + 1, 2, 1024))
    scorer = Scorer(network, file.vocabulary)
    if kind == "text":
        scorer.score(["a" * 20_000] * 14)
    else:
        scorer.score_lines(["a" * 1000] * 300)
    assert network.bytes < 600e6

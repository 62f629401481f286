"""Benchmarks measure what they say."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import memory
import numpy as np
import pytest
import sentiment
import throughput
from common import in_words
from helpers import ROOT, charlstm
from windows import WindowNetwork, surprisals

from charlstm.config import CellName, ModelSettings

SCRIPTS = sorted(
    path for path in (ROOT / "benchmarks").glob("*.py") if path.stem not in ("automata", "common", "sources", "windows")
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_benchmark_says_the_machine_and_what_ran_and_ends_with_json(script: Path) -> None:
    main = script.read_text().split("\ndef main()")[1]
    assert "machine()" in main
    assert "in_words(" in script.read_text() or "described(" in script.read_text()
    assert "    report(" in main


def test_throughput_measures_the_network_that_it_names(tmp_path: Path) -> None:
    """It named two layers and ran three, with dropout: both were left to the planner."""
    text = tmp_path / "text.txt"
    text.write_text("ab\n" * 3000)
    trainer = throughput.prepared(text, hidden=16, batch=4, precision="float32").trainer
    ran = in_words(trainer.model_settings, trainer.settings)
    assert ran.startswith("2 x 16 lstm, ")
    assert "batch size 4, context 64, " in ran
    assert ran.endswith(", dropout 0, dropconnect 0, float32")


def test_a_window_network_sees_its_window_and_nothing_else() -> None:
    network = WindowNetwork(vocab_size=5, window=3, parameters=1000)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(1000 + 6 * 32, rel=0.1)
    text = np.array([0, 1, 2, 3, 4, 0, 1])
    nats = surprisals(network, text)
    changed = surprisals(network, np.array([1, 1, 2, 3, 4, 0, 1]))
    assert nats[4:] == pytest.approx(changed[4:], abs=1e-6)
    assert (nats[:4] != changed[:4]).all()


def test_a_peer_of_another_cell_is_as_large() -> None:
    like = ModelSettings(61, 3, 192, 64)
    cells: list[CellName] = ["gru", "rnn"]
    for cell in cells:
        size = memory.as_large(cell, like)
        assert ModelSettings(61, 3, size, 64, cell).parameters() == pytest.approx(like.parameters(), rel=0.05)


def test_a_decided_word_is_foreseen_where_its_characters_together_are_likely() -> None:
    words = [memory.Decided(1, "ab", 10, "name"), memory.Decided(3, "c", 30, "name")]
    nats = np.array([9.0, 0.3, 0.3, 0.8])
    assert memory.foreseen(words, nats).tolist() == [True, False]
    assert memory.most_frequent(words).sum() == 1
    assert memory.by_kind(words, np.array([True, False])) == {"name": 0.5}


@pytest.fixture(scope="module")
def reviews() -> tuple[list[Any], list[Any]]:
    """Some reviews to train on, and some that are held out."""
    corpus = importlib.import_module("reviews")
    return corpus.reviews(1, 1000), corpus.reviews(1, 200, held_out=True)


def test_who_counts_words_knows_the_plain_reviews_and_guesses_at_the_turned(
    reviews: tuple[list[Any], list[Any]],
) -> None:
    train, held_out = reviews
    words, pairs = (sentiment.accuracies(sentiment.counter_of_words(train, longest), held_out) for longest in (1, 2))
    assert words["plain"] > 0.95
    assert words["turned"] == 0.5
    assert pairs["turned"] > 0.55


def test_the_likelier_model_is_the_one_that_eval_against_names(
    reviews: tuple[list[Any], list[Any]], tmp_path: Path
) -> None:
    train, held_out = reviews
    praise, pan = (
        sentiment.trained(train[:300], label, tmp_path / label, steps=2, hidden=8, threads=1)
        for label in sentiment.LABELS
    )
    texts = [review.text for review in held_out]
    guessed = sentiment.likelier(praise, pan)(texts)
    (tmp_path / "held-out.txt").write_text("".join(text + "\n" for text in texts))
    shown = charlstm("eval", "praise", "--against", "pan", "--lines", "held-out.txt", cwd=tmp_path).stdout
    assert ["praise" if praises else "pan" for praises in guessed] == [row.split("\t")[0] for row in shown.splitlines()]
    assert len(set(guessed.tolist())) == 2

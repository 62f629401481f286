"""Benchmarks measure what they say."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import costs
import memory
import numpy as np
import pytest
import reading
import scaling
import sentiment
import throughput
from common import in_words
from helpers import ROOT, TEXT, charlstm
from power_law import Points, effective, fitted, fitted_half_life
from scaling_laws import Machine, Scaling, large, sizing
from windows import WindowNetwork, surprisals

from charlstm.config import CellName, ModelSettings
from charlstm.training.planning import Speed, Text

SCRIPTS = sorted(
    path
    for path in (ROOT / "benchmarks").glob("*.py")
    if path.stem not in ("automata", "common", "power_law", "scaling_laws", "sources", "windows")
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_benchmark_says_the_machine_and_what_ran_and_ends_with_json(script: Path) -> None:
    whole = script.read_text()
    main = whole.split("\ndef main(")[1]
    assert "machine()" in main
    trains = re.search(r"^from charlstm(\.api|\.training\.run|\.training\.trainer)? import", whole, re.MULTILINE)
    assert "in_words(" in whole or "described(" in whole or (not trains and " ran=ran" in main)
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


# ------------------------------------------------------------------------------------------ scaling laws

LAW = {"E": 0.9, "A": 30.0, "B": 400.0, "alpha": 0.35, "beta": 0.42}
HERE = Machine("cpu", "float32", Speed(1e11), 1)


def by_law(sizes: Any, characters: Any) -> Any:
    """What the law above says."""
    return LAW["E"] + LAW["A"] / sizes ** LAW["alpha"] + LAW["B"] / characters ** LAW["beta"]


def points_of_law(noise: float = 0.0, repeats: float = 0.0) -> Points:
    """Points on it, or near it; with what repeating a text of half a million characters is worth."""
    sizes, characters = (grid.ravel() for grid in np.meshgrid(np.geomspace(5e4, 3e6, 7), np.geomspace(2.5e5, 8e6, 6)))
    worth = effective(characters, 5e5, repeats) if repeats else characters
    off = noise * np.random.default_rng(1).standard_normal(len(sizes))
    return Points(sizes, characters, by_law(sizes, worth) * np.exp(off))


def test_a_fit_finds_the_law_that_its_points_are_on() -> None:
    found = fitted(points_of_law(), resamples=10).named()
    for name, value in LAW.items():
        assert found[name] == pytest.approx(value, rel=1e-3)


def test_the_intervals_of_a_fit_hold_the_law_that_its_points_are_near() -> None:
    named = fitted(points_of_law(noise=0.005), resamples=100).named()
    for name in ("E", "alpha", "beta"):
        low, high = np.percentile(named[name][1:], [2.5, 97.5])
        assert low < LAW[name] < high
        assert high - low < 0.5 * LAW[name]


def test_a_point_that_is_far_off_hardly_pulls() -> None:
    points = points_of_law()
    points.nats[20] *= 1.5
    assert fitted(points, resamples=1).named()["alpha"][0] == pytest.approx(LAW["alpha"], rel=0.02)


def test_points_of_two_sizes_make_no_law() -> None:
    points = points_of_law()
    few = points.sizes < 1.5e5
    with pytest.raises(ValueError, match="make no law"):
        fitted(Points(*(values[few] for values in (points.sizes, points.characters, points.nats))))


def test_what_repeating_is_worth_is_found_again() -> None:
    laws, repeated = fitted(points_of_law(), resamples=1), points_of_law(repeats=6.0)
    many = repeated.characters > 4 * 5e5
    some = Points(*(values[many] for values in (repeated.sizes, repeated.characters, repeated.nats)))
    assert fitted_half_life(laws, some, np.full(len(some), 5e5), [1.0, 3.0, 6.0, 12.0]) == 6.0


def test_a_repeated_text_is_worth_less_than_a_fresh_one_and_never_more_than_some_epochs() -> None:
    assert effective(4e6, 1e6, 10.0) == 4e6
    assert 7e6 < effective(8e6, 1e6, 10.0) < 8e6
    assert effective(1e12, 1e6, 10.0) == pytest.approx(14e6)


def scaling_of_law(text: float) -> Scaling:
    """Of points on the law, at 60 GFLOP/s whatever the size."""
    rows = [
        {"multiplications": n, "characters": d, "nats": nats, "epochs": d / text, "seconds": n * d / 1e10}
        for n, d, nats in zip(*dataclasses.astuple(points_of_law()), strict=True)
    ]
    return Scaling("text", Text(int(text), 60, 40.0), rows, resamples=5)


def test_the_best_size_for_a_budget_is_where_the_law_is_least() -> None:
    row = sizing(scaling_of_law(1e9), HERE, minutes=5.0)
    sizes = np.geomspace(2e4, 3e7, 2000)
    losses = by_law(sizes, 1e10 * 300 / sizes)
    assert row["optimal_nats"][0] == pytest.approx(losses.min(), rel=1e-3)
    assert row["optimal"][0] == pytest.approx(sizes[losses.argmin()], rel=0.05)
    chosen = row["chosen_multiplications"]
    assert row["chosen_nats"][0] == pytest.approx(by_law(chosen, 1e10 * 300 / chosen), rel=1e-4)
    assert row["worse_by"][0] == pytest.approx(row["chosen_nats"][0] / losses.min() - 1, abs=2e-3)


def test_a_training_that_was_disturbed_does_not_make_a_size_slow() -> None:
    found = scaling_of_law(1e9)
    undisturbed = found.rate(np.array([1e5, 1e7]))
    found.points[-1]["seconds"] *= 50
    assert found.rate(np.array([1e5, 1e7])).tolist() == undisturbed.tolist() == pytest.approx([1e5, 1e3])


def test_a_large_gpu_reads_no_text_more_than_four_times() -> None:
    found = scaling_of_law(1e9)
    short, long = (large(found, size, hours=24) for size in (10**8, 10**10))
    assert short["characters"] == 4e8
    assert short["hours_used"] < 24
    assert long["characters"] > 4e8
    assert long["nats"][0] < short["nats"][0]


@pytest.fixture
def known_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a machine: to measure it takes longer than all that is trained here."""
    monkeypatch.setattr(scaling, "measured_precision", lambda _, threads: ("float32", Speed(1e11)))


@pytest.mark.usefixtures("known_speed")
def test_scaling_trains_saves_and_fits_its_points_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, save = tmp_path / "text.txt", tmp_path / "points.json"
    text.write_text(TEXT)
    small = ["--sizes", "1x4", "1x8", "2x8", "--characters", "600", "1200", "2400", "--scored", "500", "--threads", "1"]
    scaling.main(["--texts", str(text), *small, "--resamples", "3", "--save", str(save)])
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(printed["points"]) == 9
    assert all(point["nats"] > 0 and point["seconds"] > 0 for point in printed["points"])
    scaling.main(["--points", str(save), "--resamples", "3"])
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (again["points"], again["fits"]) == (printed["points"], printed["fits"])


@pytest.mark.usefixtures("known_speed")
def test_a_grid_ends_in_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT)
    grid = ["--sizes", "1x4", "3x64", "--characters", "600"]
    scaling.main(["--texts", str(text), *grid, "--minutes", "0", "--seconds", "0.001"])
    out = capsys.readouterr().out
    assert "1 training would take too long" in out
    assert "1 training is left out: 0 minutes are over" in out


def test_the_library_is_the_same_text_each_time_and_holds_no_tests() -> None:
    text = scaling.library()
    assert text == scaling.library()
    assert (Path(json.__file__).read_text() in text, Path(pytest.__file__).read_text() in text) == (True, False)


# -------------------------------------------------------------------------------------- how cost grows


def test_a_text_has_the_symbols_and_the_size_that_were_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    written = costs.write_text(path, 5000, 200_000)
    text = path.read_text()
    assert len(text) == written
    assert 199_990 < path.stat().st_size <= 200_000
    assert len(set(text) - set(" \n")) == 5000
    assert costs.write_text(path, 5000, 200_000, seed=1, most=1234) == 1234
    assert path.read_text()[:300] not in text


def test_cost_that_grows_faster_than_the_text_is_named() -> None:
    def row(size: int, seconds: float, mb: int) -> dict[str, Any]:
        memory = {"peak_mb": mb, "peak_anonymous_mb": mb, "ended": False}
        return {"command": "eval", "alphabet": 60, "bytes": size, "characters": size, "seconds": seconds, **memory}

    sizes = (10**4, 10**6, 10**7)
    assert costs.not_flat([row(size, 0.2 + size * 1e-5, 100) for size in sizes]) == []
    (time,) = costs.not_flat([row(size, 0.2 + size**2 * 1e-11, 100) for size in sizes])
    assert "a further character takes" in time
    (memory,) = costs.not_flat([row(size, 0.2 + size * 1e-5, 100 + size // 10**5) for size in sizes])
    assert "100 and 200 MB of anonymous memory at 10K and 10M" in memory


def test_costs_runs_every_command_and_removes_its_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--sizes", "4K", "--alphabets", "30", "--steps", "2", "--lengths", "5", "--scored", "500"]
    costs.main([*small, "--folder", str(tmp_path)])
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert [row["command"] for row in rows] == ["train", "eval", "inspect", "sample", "info"]
    assert [row["characters"] for row in rows] == [4000, 500, 500, 5, 1]
    assert all(row["seconds"] > 0 and row["peak_mb"] > 0 and not row["ended"] for row in rows)
    assert not list(tmp_path.iterdir())


def test_a_process_is_ended_when_its_time_is_over() -> None:
    used = reading.watched([sys.executable, "-c", "import time; time.sleep(60)"], None, limit=0.2)
    assert used["ended"]
    assert used["wall_seconds"] < 30


@pytest.mark.parametrize(("text", "size"), [("10K", 10_000), ("2g", 2 * 10**9), ("1.5M", 1_500_000), ("700", 700)])
def test_sizes_have_units(text: str, size: int) -> None:
    assert costs.size_of(text) == size
    assert costs.size_of(costs.short(size)) == size

"""`charlstm info`: what is in a file, harmless whatever is in it."""

from __future__ import annotations

import json
import math
from pathlib import Path

from helpers import (
    ALPHABET,
    charlstm,
    random_model,
    with_counts,
)

from charlstm.cli.info import points_of


def test_info_shows_what_is_in_the_file(trained: Path) -> None:
    output = charlstm("info", trained).stdout
    for expected in (
        "cell lstm",
        "layers 1",
        "hidden 48",
        "parameters ",
        "text.txt",
        "sha256",
        "result.val_bits_per_char",
    ):
        assert expected in output


def test_a_hostile_description_is_shown_harmless(tmp_path: Path) -> None:
    file = random_model(ALPHABET)
    file.trained_on = [{"name": "\x1b]0;owned\x07", "sha256": "x"}]
    file.result = {"\x1b[31m": ["\x1b"], "curve": [{"val": "x"}, 7, None]}
    file.save(tmp_path / "m.safetensors")
    done = charlstm("info", tmp_path / "m.safetensors")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_a_curve_of_nonsense_is_not_drawn() -> None:
    assert points_of([{"val": 2.5}, {"step": 3}, {"val": None}, 7, None, {"val": 1.5}]) == [2.5, 1.5]
    assert points_of([{"val": value} for value in (math.inf, math.nan, 10**400, "1", [2.0])]) == []
    assert points_of("nonsense") == points_of(None) == []


def test_counts_are_told_in_words(tmp_path: Path) -> None:
    with_counts(random_model(), "abcabcaabbc\nabc" * 5).save(tmp_path / "m.safetensors")
    assert "of up to 4 characters" in charlstm("info", tmp_path / "m.safetensors").stdout
    random_model().save(tmp_path / "plain.safetensors")
    assert "\nngrams none\n" in charlstm("info", tmp_path / "plain.safetensors").stdout


def test_values_are_shown_as_json_has_them(tmp_path: Path) -> None:
    file = random_model(ALPHABET)
    file.normalize = "nfc"
    file.training = {
        "lines": True,
        "started_from": None,
        "budget": {"unit": "steps", "amount": 3},
        "betas": [0.9, 0.99],
    }
    file.save(tmp_path / "m.safetensors")
    rows = charlstm("info", tmp_path / "m.safetensors").stdout.splitlines()
    for row in (
        "lines false", "normalize nfc", "training.lines true", "training.started_from null",
        "training.budget unit steps, amount 3", "training.betas [0.9, 0.99]",
    ):  # fmt: skip
        assert row in rows


def test_a_model_of_bytes_is_said_to_be_one(bytes_path: Path) -> None:
    assert "\ncharacters all 256 bytes\n" in charlstm("info", bytes_path).stdout
    assert json.loads(charlstm("info", bytes_path, "--json").stdout)["vocabulary"] == "bytes"

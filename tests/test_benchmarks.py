"""Benchmarks measure what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
import throughput
from common import in_words
from helpers import ROOT

SCRIPTS = sorted(path for path in (ROOT / "benchmarks").glob("*.py") if path.stem not in ("common", "sources"))


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

"""Fixtures: model files that the tests share."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import TEXT, Result, charlstm, random_model
from hypothesis import settings

# No test depends on the machine's speed, nor on the day.
settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")

# nohup, and scripts for background jobs, ignore these; what the tests start inherits that, but no function.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


@pytest.fixture
def model_path(tmp_path: Path) -> Path:
    """A model file with random parameters over ALPHABET."""
    path = tmp_path / "random.safetensors"
    random_model().save(path)
    return path


@pytest.fixture
def bytes_path(tmp_path: Path) -> Path:
    """A model of bytes with random parameters."""
    path = tmp_path / "bytes.safetensors"
    random_model(None).save(path)
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on TEXT for some steps, made by the command line."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "text.txt").write_text(TEXT)
    done = charlstm("train", "text.txt", "--steps", 150, "--hidden", 48, "--layers", 1, "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "text.safetensors"


@pytest.fixture
def run() -> Callable[..., Result]:
    """The command line in a process of its own."""
    return charlstm


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path that tests write over."""
    return tmp_path_factory.mktemp("scratch") / "text"

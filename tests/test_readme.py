"""Every command of the README works, and what it says of the layout is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT, TEXT, charlstm
from write_help import with_help

from charlstm.config import TrainingRequest
from charlstm.training.run import prepare

README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "corpora" / "README.md"]
MAKE_TARGETS = {"demo", "test"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.M | re.S)


def console_commands() -> list[str]:
    return [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]


def quick(command: str) -> str:
    """The same command with a budget that a test can wait for."""
    return re.sub(r"--minutes [\d.]+", "--steps 3 --hidden 8 --force", command)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the texts and models that the README speaks of, all tiny."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "corpora").mkdir()
    for name in ("book.txt", "other.txt", "corpora/tales.txt"):
        (folder / name).write_text(f"Once upon a time, {name}\n" + TEXT)
    (folder / "names.txt").write_text("".join(f"{a}{b}n\n" for a in "bdkmlr" for b in "aeiou") * 5)
    for source in (ROOT / "corpora").glob("tales*.py"):
        shutil.copy(source, folder / "corpora")
    train = ["train", "--steps", 3, "--hidden", 8, "-q"]
    for name, extra in (("book", []), ("tales", []), ("names", ["--lines"])):
        text = f"{name}.txt" if name != "tales" else "corpora/tales.txt"
        done = charlstm(*train, text, "-o", f"{name}.safetensors", *extra, cwd=folder)
        assert done.returncode == 0, done.stderr
    for name in ("log", "ada", "gus", "letter"):
        (folder / f"{name}.txt").write_text(TEXT)
    (folder / "chats").mkdir()
    (folder / "chats" / "one.txt").write_text("me: hi\n" + TEXT)
    for name, like in (("log", "names"), ("ada", "book"), ("gus", "tales"), ("chats", "book")):
        shutil.copy(folder / f"{like}.safetensors", folder / f"{name}.safetensors")
    (folder / "bin").mkdir()
    launcher = folder / "bin" / "charlstm"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -m charlstm "$@"\n')
    launcher.chmod(0o755)
    (folder / "bin" / "python").symlink_to(sys.executable)
    return folder


def leave_unfinished(folder: Path) -> None:
    """A run that was stopped, for the command that goes on with it."""
    request = TrainingRequest(steps=6, hidden=8, threads=1)
    run = prepare([folder / "book.txt"], output=folder / "book.safetensors", request=request, force=True)
    for _ in run.run(lambda: run.trainer.step >= 3):
        pass


def test_there_are_commands() -> None:
    assert len(console_commands()) > 12
    assert any("--resume" in command for command in console_commands())


@pytest.mark.parametrize("command", console_commands())
def test_every_command_of_the_readme_works(place: Path, command: str) -> None:
    if "--resume" in command:
        leave_unfinished(place)
    environment = {
        **os.environ,
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        ["bash", "-c", quick(command)],
        cwd=place, env=environment, capture_output=True, text=True, timeout=100, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert done.stdout


@pytest.mark.parametrize("code", blocks("python"))
def test_every_python_example_of_the_readme_works(place: Path, code: str) -> None:
    quicker = re.sub(r"minutes=[\d.]+", "steps=3, hidden=8, threads=1, force=True", code)
    done = subprocess.run(
        [sys.executable, "-c", quicker],
        cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_make_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = {match for block in blocks("sh") for match in re.findall(r"^make (\w+)", block, flags=re.M)}
    assert named == MAKE_TARGETS
    assert all(re.search(rf"^{target}:", makefile, flags=re.M) for target in named)


def test_the_file_tree_is_the_layering() -> None:
    """Every module stands in it, once, below its folder."""
    folder, drawn = "", set()
    for indent, name in re.findall(r"^    ( *)([\w]+(?:\.py|/)) ", README, flags=re.M):
        if name.endswith("/"):
            folder = name
        else:
            drawn.add((folder if indent else "") + name)
    package = ROOT / "charlstm"
    assert drawn - {"__init__.py"} == {path.relative_to(package).as_posix() for path in package.rglob("[!_]*.py")}


def test_the_help_texts_in_the_readme_are_those_of_the_commands() -> None:
    """When this fails: python tests/write_help.py."""
    assert README.count("--help -->") == 4
    assert with_help(README) == README


def test_design_of_commands_matches_help() -> None:
    """Every option that a document names exists."""
    known = {"--help", "--version", "--characters", "--dependencies"}
    for command in ("train", "sample", "eval", "info"):
        known |= set(re.findall(r"--[a-z][\w-]*", charlstm(command, "--help").stdout))
    for document in DOCUMENTS:
        assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", document.read_text())) <= known, document

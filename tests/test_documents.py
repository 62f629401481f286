"""Every command of the documents works, and what they say of the layout, the options and each other is true."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT, TEXT, command_line
from write_help import REFERENCE, with_help

import charlstm
from charlstm.cli.group import cli
from charlstm.config import TrainingRequest
from charlstm.training.run import prepare

README = ROOT / "README.md"
RUN = [README, *sorted((ROOT / "docs").glob("*.md")), ROOT / "corpora" / "README.md"]
"""Documents whose commands and examples a test runs."""
DOCUMENTS = [
    *RUN,
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md")),
]
TORCHRUN = ("--nnodes", "--node-rank", "--nproc-per-node", "--master-addr", "--master-port")
"""Options of PyTorch's launcher that a document names."""
NEVER = ("kept back", "by heart", "keeps back", "start from another model", "optimiser", "learnt", "taught")
"""What the field has better words for: held out, memorise, fine-tune, optimizer."""


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language in all documents, each once."""
    found = [
        block for path in RUN for block in re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(), re.M | re.S)
    ]
    return list(dict.fromkeys(found))


def console_commands() -> list[str]:
    """The commands of all documents, each once."""
    lines = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    return list(dict.fromkeys(lines))


def quick(command: str) -> str:
    """The same command with a budget that a test can wait for, and as few reviews."""
    command = re.sub(r"(?<=reviews\.py)(?!.*--count)", " --count 600", command).replace("--count 2000", "--count 200")
    return re.sub(r"--minutes [\d.]+", "--steps 3 --hidden 8 --force", command)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the texts and models that the documents speak of, all tiny."""
    folder = tmp_path_factory.mktemp("documents")
    for name in ("corpora", "letters", "chats", "bin"):
        (folder / name).mkdir()
    letters = ("letter", "letters/1999", "letters/2003")
    for name in ("book", "other", "corpora/tales", "log", "ada", "gus", "held-out", *letters):
        (folder / f"{name}.txt").write_text(f"Once upon a time, Dear {name}\n" + TEXT)
    (folder / "names.txt").write_text("".join(f"{a}{b}n\n" for a in "bdkmlr" for b in "aeiou") * 5)
    (folder / "chats" / "one.txt").write_text("me: hi\n" + TEXT)
    for name in ("praise", "pan", "reviews"):
        (folder / f"{name}.txt").write_text("The film was not dull but wise.\n" * 30)
    for name in ("held-out", "plain", "told"):
        (folder / f"{name}.tsv").write_text("It was wise.\tpraise\nIt was dull.\tpan\n" * 5)
    for source in (ROOT / "corpora").glob("*.py"):
        shutil.copy(source, folder / "corpora")
    for name, lines in (("book", False), ("names", True)):
        charlstm.train(
            folder / f"{name}.txt", output=folder / f"{name}.safetensors", steps=3, hidden=8, threads=1, lines=lines
        )
    like = {"book": ("tales", "gus", "chats", "letters"), "names": ("log", "praise", "pan", "reviews")}
    for original, copies in like.items():
        for name in copies:
            shutil.copy(folder / f"{original}.safetensors", folder / f"{name}.safetensors")
    launcher = folder / "bin" / "charlstm"
    launcher.write_text(f'#!/bin/sh\nexec {shlex.join(command_line())} "$@"\n')
    launcher.chmod(0o755)
    torchrun = folder / "bin" / "torchrun"  # at any free port: several tests may run at once
    torchrun.write_text(f'#!/bin/sh\nexec {sys.executable} -m torch.distributed.run --standalone "$@"\n')
    torchrun.chmod(0o755)
    (folder / "bin" / "python").symlink_to(sys.executable)
    return folder


def leave_unfinished(output: Path) -> None:
    """A run that was stopped, for the command that goes on with it."""
    text = output.with_name(output.name.replace(".safetensors", ""))
    request = TrainingRequest(steps=6, hidden=8, threads=1)
    run = prepare([text if text.is_dir() else f"{text}.txt"], output=output, request=request, force=True)
    for _ in run.run(lambda: run.trainer.step >= 3):
        pass


def environment(folder: Path) -> dict[str, str]:
    """As a user has it who put charlstm into his shell."""
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": f"{ROOT}:{ROOT / 'corpora'}", "OMP_NUM_THREADS": "1"}


def test_there_are_commands() -> None:
    assert len(console_commands()) > 30
    assert any("--resume" in command for command in console_commands())
    assert len(blocks("python")) >= 3


@pytest.mark.parametrize("command", console_commands())
def test_every_command_of_the_documents_works(place: Path, command: str) -> None:
    if "--resume" in command:
        leave_unfinished(place / command.split("-o ")[1].split()[0])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", quick(command)],
        cwd=place, env=environment(place), capture_output=True, text=True, timeout=100, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode in (0, 141 if "| head" in command else 0), done.stderr
    assert "error" not in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert done.stdout or " > " in command


@pytest.mark.parametrize("code", blocks("python"))
def test_every_python_example_of_the_documents_works(place: Path, code: str) -> None:
    quicker = re.sub(r"minutes=[\d.]+", "steps=3, hidden=8, threads=1", code)
    done = subprocess.run(
        [sys.executable, "-c", quicker],
        cwd=place, env=environment(place), input="Dear Ada\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 200


def test_the_two_commands_of_the_readme_are_demo_and_test() -> None:
    assert re.findall(r"^make (\w+)", "".join(blocks("sh")), re.M) == ["demo", "test"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_a_document_names_exists(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:^|`)make (\w+)", document.read_text(), re.M):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_the_file_tree_is_the_layout() -> None:
    """Every file of the package stands in it, once, below its folder, with its duty."""
    drawn: list[str] = []
    folder = ""
    tree = README.read_text().split("\ncharlstm/\n")[1]
    for indent, names, _duty in re.findall(r"^    ( *)(\S+(?: \S+)*)  +(\S.*)$", tree, re.M):
        if names.endswith("/"):
            folder = names
        else:
            drawn += [(folder if indent else "") + name for name in names.split()]
    package = ROOT / "charlstm"
    files = (path for path in package.rglob("*") if path.suffix in (".py", ".html"))
    named = {path.relative_to(package).as_posix() for path in files}
    assert sorted(drawn) == sorted(
        name for name in named if not name.endswith("/__init__.py") and name != "__main__.py"
    )


def test_the_help_texts_in_the_reference_are_those_of_the_commands() -> None:
    """When this fails: make docs."""
    reference = REFERENCE.read_text()
    assert re.findall(r"<!-- charlstm (\w+) --help -->", reference) == list(cli.commands)
    assert with_help(reference) == reference


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_option_that_a_document_names_exists(document: Path) -> None:
    known = {"--help", "--version", "--strict", *TORCHRUN}
    for command in cli.commands.values():
        known |= {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    for script in (*(ROOT / "corpora").glob("*.py"), *(ROOT / "benchmarks").glob("*.py")):
        known |= set(re.findall(r'"(--[a-z-]+)"', script.read_text()))
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", document.read_text())) <= known


def anchors(document: Path) -> set[str]:
    """The headings of a document, as links name them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_leads_to_every_document() -> None:
    linked = set(re.findall(r"\]\(([^)\s#]+)", README.read_text()))
    assert {path.relative_to(ROOT).as_posix() for path in RUN[1:]} <= linked
    assert {"CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "corpora/README.md"} <= linked


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_use_the_words_of_the_field(document: Path) -> None:
    assert not [word for word in NEVER if word in " ".join(document.read_text().split())]


def test_sources_use_the_words_of_the_field() -> None:
    paths = [path for folder in ("charlstm", "tests") for path in (ROOT / folder).rglob("*") if path != Path(__file__)]
    sources = {path: path.read_text().replace("_", " ") for path in paths if path.suffix in (".py", ".html")}
    assert not [(path, word) for path, text in sources.items() for word in NEVER if word in " ".join(text.split())]


def test_the_changelog_keeps_its_form() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", changelog, re.M)
    assert headings[0] == "Unreleased"
    assert len(headings) == len(re.findall(r"^## ", changelog, re.M))
    kinds = set(re.findall(r"^### (.*)$", changelog, re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_lines_that_how_it_works_shows_are_those_of_the_network() -> None:
    """Each of its `py` blocks quotes numpy_lstm.py."""
    text = (ROOT / "docs" / "how-it-works.md").read_text()
    quoted = [line for block in re.findall(r"^```py\n(.*?)^```$", text, re.M | re.S) for line in block.splitlines()]
    source = {line.strip() for line in (ROOT / "charlstm" / "models" / "numpy_lstm.py").read_text().splitlines()}
    assert len(quoted) > 8
    assert [line for line in quoted if line.strip() not in source] == []

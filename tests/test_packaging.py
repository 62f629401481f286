"""What is shipped."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

from helpers import ROOT


def make(*arguments: str, cwd: Path = ROOT) -> str:
    """What `make` prints."""
    return subprocess.run(["make", *arguments], cwd=cwd, capture_output=True, text=True, check=True).stdout


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"charlstm"}
    kept = [path for path in (ROOT / "charlstm").rglob("*") if path.suffix in (".py", ".html", ".typed")]
    assert {name for name in names if name.startswith("charlstm/")} == {
        path.relative_to(ROOT).as_posix() for path in kept
    }


def test_run_time_dependencies_are_the_five() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {requirement.split(">")[0] for requirement in project["dependencies"]}
    assert names == {"torch", "numpy", "safetensors", "click", "rich"}
    assert project["scripts"] == {"charlstm": "charlstm.cli.main:main"}


def test_make_clean_deletes_no_model(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    demo = re.search(r"charlstm train .* -o (\S+)", make("-n", "demo"))
    assert demo
    models = [tmp_path / demo[1], tmp_path / "book.safetensors"]
    for path in (*models, tmp_path / "dist" / "charlstm.whl", tmp_path / ".mypy_cache" / "some"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    make("clean", cwd=tmp_path)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {*models, tmp_path / "Makefile"}


def test_make_without_a_target_names_every_target() -> None:
    phony = re.search(r"^\.PHONY: help (.*)$", (ROOT / "Makefile").read_text(), flags=re.M)
    assert phony
    assert set(phony[1].split()) == set(re.findall(r"^make (\w+) ", make(), flags=re.M))

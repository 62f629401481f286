"""What is shipped."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path

from helpers import ROOT


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

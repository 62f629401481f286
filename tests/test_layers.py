"""The layout is the architecture: which module may import which, and what each command loads."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, charlstm

PACKAGE = ROOT / "charlstm"
LEVELS = {
    "errors": 0,
    "settings": 0,
    "vocabulary": 1,
    "network": 1,
    "planning": 1,
    "modelfile": 1,
    "reading": 1,
    "corpus": 1,
    "engine": 2,
    "model": 2,
    "optimizer": 2,
    "batches": 2,
    "streams": 2,
    "sampling": 3,
    "evaluation": 3,
    "adapting": 3,
    "device": 3,
    "training": 3,
    "runs": 4,
    "terminal": 4,
    "output": 4,
    "api": 5,
    "following": 5,
    "cli": 6,
}
SAME_LEVEL = {
    ("settings", "errors"),
    ("modelfile", "vocabulary"),
    ("corpus", "vocabulary"),
    ("corpus", "reading"),
    ("training", "evaluation"),
}
"""Modules of one level do not know each other, but for these."""
OUTSIDE = {"torch": {"model", "optimizer", "device", "training", "adapting"}, "rich": {"terminal"}, "click": {"cli"}}
"""Who alone may import a heavy package at module level."""


def imports(module: str, *, top_only: bool) -> set[str]:
    """Names of modules that a module imports: siblings by their name, others by their package.

    Imports for type checking only do not count.
    """
    tree = ast.parse((PACKAGE / f"{module}.py").read_text())
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if top_only and isinstance(child, ast.FunctionDef | ast.ClassDef):
                if isinstance(child, ast.ClassDef):
                    visit(child)
                continue
            if isinstance(child, ast.Import):
                found.update(alias.name.split(".")[0] for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                if not child.level:
                    found.add((child.module or "").split(".")[0])
                else:
                    found.update([child.module] if child.module else [alias.name for alias in child.names])
            visit(child)

    visit(tree)
    return found


def test_every_module_has_its_level() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"} == set(LEVELS)


@pytest.mark.parametrize("module", LEVELS)
def test_a_module_imports_only_from_lower_levels(module: str) -> None:
    for other in imports(module, top_only=False) & set(LEVELS):
        assert LEVELS[other] < LEVELS[module] or (module, other) in SAME_LEVEL, f"{module} imports {other}"


@pytest.mark.parametrize(("package", "owners"), OUTSIDE.items())
def test_heavy_packages_stay_in_their_modules(package: str, owners: set[str]) -> None:
    assert {module for module in LEVELS if package in imports(module, top_only=True)} <= owners


@pytest.mark.parametrize(("package", "owners"), [("rich", {"terminal"}), ("click", {"cli"})])
def test_the_library_works_without_click_and_rich(package: str, owners: set[str]) -> None:
    assert {module for module in LEVELS if package in imports(module, top_only=False)} == owners


def loaded_by(*arguments: object, input: str = "") -> set[str]:
    """Top-level packages that a fresh process holds when a command has run."""
    script = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print('\\nLOADED', json.dumps(sorted({n.split('.')[0] for n in sys.modules})),"
        " file=sys.stderr))\n"
        "from charlstm.cli import main\n"
        f"sys.argv = ['charlstm', *{[str(a) for a in arguments]!r}]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=input, capture_output=True, text=True, cwd=ROOT, check=True
    )
    return set(json.loads(done.stderr.rsplit("LOADED", 1)[1]))


def test_help_loads_nothing_heavy() -> None:
    for arguments in (["--help"], ["train", "--help"], ["sample", "--help"], ["eval", "--help"], ["--version"]):
        assert not loaded_by(*arguments) & {"torch", "numpy", "rich", "safetensors"}, arguments


def test_sample_and_eval_load_neither_torch_nor_rich(model_path: Path) -> None:
    assert not loaded_by("sample", model_path, "-n", 3) & {"torch", "rich"}
    assert not loaded_by("eval", model_path, input="abc\n") & {"torch", "rich"}
    assert not loaded_by("info", model_path) & {"torch", "rich"}


def test_train_does_not_load_torchs_compiler(tmp_path: Path) -> None:
    """It takes a second, and sympy comes with nothing else."""
    loaded = loaded_by("train", "-", "--steps", 2, "-o", tmp_path / "m.safetensors", input="ab\n" * 500)
    assert "torch" in loaded
    assert not loaded & {"sympy", "rich"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = "import charlstm, sys; assert not {'torch', 'numpy', 'click', 'rich'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_the_launcher_of_a_checkout_and_the_module_are_the_command_line() -> None:
    script = [sys.executable, str(ROOT / "cli.py"), "--version"]
    launched = subprocess.run(script, capture_output=True, text=True, check=True)
    assert launched.stdout == charlstm("--version").stdout != ""

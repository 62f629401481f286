"""The layout is the architecture: a folder imports from those before it only, and heavy packages stay put."""

from __future__ import annotations

import ast
import json
import re
import statistics
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from helpers import ROOT, charlstm

PACKAGE = ROOT / "charlstm"
ORDER = (
    "errors",
    "fields",
    "config",
    "keywords",
    "threads",
    "data",
    "models",
    "inference",
    "training",
    "api",
    "cli",
    "__main__",
)
"""From the ground up: a module imports from its own folder and from those before it."""
MODULES = sorted(
    path.relative_to(PACKAGE).with_suffix("").as_posix()
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py" or path.parent != PACKAGE
)
SOURCES = sorted(
    path for folder in ("charlstm", "tests", "benchmarks", "corpora") for path in (ROOT / folder).rglob("*.py")
)
OUTSIDE = {
    "torch": ("models/torch_lstm", "models/dropout", "inference/dynamic", "training/"),
    "rich": ("cli/",),
    "click": ("cli/",),
}
"""Where alone a heavy package may be imported at module level."""


def folder_of(module: str) -> str:
    """The folder that a module stands in; a root module counts as one."""
    return module.split("/")[0]


def imported(module: str, *, top_only: bool) -> tuple[set[str], set[str]]:
    """What a module imports: modules of this package, and other packages by their first name.

    Imports for type checking only do not count.
    """
    tree = ast.parse((PACKAGE / f"{module}.py").read_text())
    ours: set[str] = set()
    others: set[str] = set()

    def resolve(node: ast.ImportFrom) -> None:
        base = PACKAGE.joinpath(module).parents[node.level - 1] if node.level else ROOT
        target = base.joinpath(*(node.module or "").split(".")) if node.module else base
        if not target.is_relative_to(PACKAGE):
            others.add((node.module or "").split(".")[0])
            return
        for alias in node.names:  # a name is a module of a package, or something inside a module
            for path in (target / alias.name, target):
                if path.with_suffix(".py").exists():
                    ours.add(path.relative_to(PACKAGE).as_posix())
                    break

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if top_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(child, ast.Import):
                others.update(alias.name.split(".")[0] for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                resolve(child)
            visit(child)

    visit(tree)
    return ours, others


def test_every_module_stands_in_a_folder_of_the_plan() -> None:
    assert {folder_of(module) for module in MODULES} == set(ORDER)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_its_folder_and_those_before(module: str) -> None:
    for other in imported(module, top_only=False)[0]:
        assert ORDER.index(folder_of(other)) <= ORDER.index(folder_of(module)), f"{module} imports {other}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter({module: imported(module, top_only=False)[0] for module in MODULES}).prepare()


@pytest.mark.parametrize(("package", "folders"), OUTSIDE.items())
def test_heavy_packages_stay_in_their_folders(package: str, folders: tuple[str, ...]) -> None:
    users = {module for module in MODULES if package in imported(module, top_only=True)[1]}
    assert users
    assert not {module for module in users if not module.startswith(folders)}


def test_one_module_alone_knows_torch_distributed() -> None:
    pattern = r"^\s*(?:from torch import .*\bdistributed\b|(?:from|import) torch\.distributed)"
    users = [module for module in MODULES if re.search(pattern, (PACKAGE / f"{module}.py").read_text(), re.M)]
    assert users == ["training/distributed"]


@pytest.mark.parametrize("package", ["rich", "click"])
def test_the_library_works_without_click_and_rich(package: str) -> None:
    users = {folder_of(module) for module in MODULES if package in imported(module, top_only=False)[1]}
    assert users == {"cli"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nobody_imports_a_private_name_or_another_test(path: Path) -> None:
    """What two tests share stands in tests/helpers.py."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [part for alias in node.names for part in alias.name.split(".")]
        else:
            continue
        assert not [name for name in names if re.match(r"_[^_]|test_", name)]


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    assert not [module for module in MODULES if len((PACKAGE / f"{module}.py").read_text().splitlines()) > 400]


def test_functions_are_short() -> None:
    lengths = {
        f"{module}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module in MODULES
        for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not {name for name, length in lengths.items() if length > 45}
    assert statistics.median(lengths.values()) <= 10


def loaded_by(*arguments: object, input: str = "") -> set[str]:
    """Top-level packages that a fresh process holds when a command has run."""
    script = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print('\\nLOADED', json.dumps(sorted({n.split('.')[0] for n in sys.modules})),"
        " file=sys.stderr))\n"
        "from charlstm.cli.main import main\n"
        f"sys.argv = ['charlstm', *{[str(a) for a in arguments]!r}]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=input, capture_output=True, text=True, cwd=ROOT, check=True
    )
    return set(json.loads(done.stderr.rsplit("LOADED", 1)[1]))


def test_help_loads_nothing_heavy() -> None:
    for arguments in (
        ["--help"],
        ["train", "--help"],
        ["sample", "--help"],
        ["eval", "--help"],
        ["inspect", "--help"],
        ["--version"],
    ):
        assert not loaded_by(*arguments) & {"torch", "numpy", "rich", "safetensors"}, arguments


def test_sample_eval_and_inspect_load_neither_torch_nor_rich(model_path: Path) -> None:
    assert not loaded_by("sample", model_path, "-n", 3) & {"torch", "rich"}
    assert not loaded_by("eval", model_path, input="abc\n") & {"torch", "rich"}
    assert not loaded_by("info", model_path) & {"torch", "rich"}
    for options in ([], ["--unit", "1.1"], ["--why", 2]):
        assert not loaded_by("inspect", model_path, *options, input="abc\n") & {"torch", "rich"}


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

"""Write the help texts of the commands into the README, between its marks: python tests/write_help.py."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"(<!-- charlstm (\w+) --help -->\n)(.*?)(<!-- end -->)", flags=re.S)


def help_of(command: str) -> str:
    """What `charlstm COMMAND --help` prints in a terminal of 100 columns."""
    asked = [sys.executable, "-m", "charlstm", command, "--help"]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.replace("python -m charlstm", "charlstm")


def with_help(readme: str) -> str:
    """The README with each help text as it is now."""
    return _BLOCK.sub(lambda block: f"{block[1]}```text\n{help_of(block[2])}```\n{block[4]}", readme)


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(with_help(path.read_text()))

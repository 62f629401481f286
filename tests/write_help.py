"""Write the help texts of the commands into docs/reference.md, between its marks: python tests/write_help.py."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference.md"
_BLOCK = re.compile(r"(<!-- charlstm (\w+) --help -->\n)(.*?)(<!-- end -->)", flags=re.S)


def help_of(*command: str) -> str:
    """What `charlstm COMMAND --help` prints in a terminal of 100 columns."""
    asked = [sys.executable, "-m", "charlstm", *command, "--help"]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.replace("python -m charlstm", "charlstm")


def with_help(document: str) -> str:
    """The document with each help text as it is now."""
    return _BLOCK.sub(lambda block: f"{block[1]}```text\n{help_of(block[2])}```\n{block[4]}", document)


if __name__ == "__main__":
    REFERENCE.write_text(with_help(REFERENCE.read_text(encoding="utf-8")), encoding="utf-8")

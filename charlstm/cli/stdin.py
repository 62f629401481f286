"""Standard input before it is read: whether somebody will have to type, and what is waited for."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from ..errors import UsageError


def is_absent() -> bool:
    """Whether nothing is to be read from standard input: it is closed, or somebody would have to type it."""
    return sys.stdin is None or sys.stdin.closed or sys.stdin.isatty()


def refuse_terminal(texts: Iterable[str]) -> None:
    """Refuse to wait in silence for someone to type a corpus.

    Raises:
        UsageError: standard input is among the texts, and is a terminal.
    """
    if "-" in texts and sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty():
        command = click.get_current_context().info_name
        raise UsageError(f"no text: name a file or folder, or pipe a text in; see charlstm {command} --help")

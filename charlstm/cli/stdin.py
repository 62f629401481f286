"""Standard input before it is read: whether there is any, and a word where it is silent for long."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterable

import click

from ..errors import UsageError
from .console import say

PATIENCE = 2.0
"""Seconds of silence after which it is said what is waited for."""


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


def wait(what: str, patience: float = PATIENCE) -> float:
    """Wait until standard input has something to read, or has ended; nothing is read.

    Where it stays silent, a line says what is waited for, and the wait is left to whoever reads.

    Args:
        what: what standard input should bring.
        patience: seconds of silence before that.

    Returns:
        Seconds that passed.
    """
    if is_absent() or os.name == "nt":  # where only sockets can be asked
        return 0.0
    before = time.monotonic()
    if not select.select([sys.stdin], [], [], patience)[0]:
        say(f"waiting for {what} on standard input")
    return time.monotonic() - before

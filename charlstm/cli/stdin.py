"""Standard input and named pipes before they are read: whether there is any, and a word where one is silent."""

from __future__ import annotations

import contextlib
import os
import re
import select
import stat
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from ..data import streams
from ..errors import UsageError
from .console import say

PATIENCE = 2.0
"""Seconds of silence after which it is said what is waited for."""

_OPEN_HERE = re.compile(r"/dev/stdin|/(?:dev|proc/self)/fd/(\d{1,4})")
_MOST = 1024
"""Descriptors that `select` can ask for."""


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


def wait(what: str, paths: Iterable[str] = ("-",), patience: float = PATIENCE) -> float:
    """Wait until pipes among the paths have something to read, or have ended; nothing is read.

    Where one stays silent, a line says what is waited for, and the wait is left to whoever reads. Of named pipes,
    which only reading opens, that is said then, see `tell_of_named_pipes`.

    Args:
        what: what they should bring.
        paths: files, and pipes that this process has open: standard input, a shell's <(command).
        patience: seconds of silence before that.

    Returns:
        Seconds that passed.
    """
    if os.name == "nt":  # where only sockets can be asked
        return 0.0
    before = time.monotonic()
    for path in paths:
        descriptor = _descriptor(path)
        left = max(0.0, before + patience - time.monotonic())
        if descriptor is not None and not select.select([descriptor], [], [], left)[0]:
            where = "on standard input" if path in ("-", "/dev/stdin") else f"from {path}"
            say(f"waiting for {what} {where}")
            break
    return time.monotonic() - before


def read_waiting(
    what: str, sources: Sequence[str], given: Mapping[str, Any], *, form: str | None, end_lines: bool = False
) -> Iterator[str]:
    """Read the texts of a command in pieces, and say what is waited for where a pipe stays silent.

    Args:
        what: what they should bring.
        sources: files, folders and "-".
        given: the command's options.
        form, end_lines: see `data.reading.read_pieces`.

    Raises (while iterating):
        TextError, UsageError: see `data.reading.read_pieces`.
    """
    from ..data.reading import read_pieces

    tell_of_named_pipes(what)
    wait(what, sources)
    return read_pieces(sources, given["encoding"], given["encoding_errors"], say, end_lines=end_lines, normalize=form)


def tell_of_named_pipes(what: str, patience: float = PATIENCE) -> None:
    """From now on, wherever this process reads a text from a named pipe that stays silent, say what is waited for.

    It replaces `data.streams.around_opening`, which does nothing for a library's caller.

    Args:
        what: what they should bring.
        patience: seconds of silence before that.
    """
    streams.around_opening = lambda path: telling(f"waiting for {what} from {path}", path, patience)


@contextlib.contextmanager
def telling(line: str, path: str, patience: float = PATIENCE) -> Iterator[None]:
    """A context in which a file is opened: where it is a named pipe that stays silent, the line is said."""
    if not _is_named_pipe(path):
        yield
        return
    timer = threading.Timer(patience, say, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _is_named_pipe(path: str) -> bool:
    """Whether a pipe lies in a folder, and is not one that is open here, of which `wait` tells."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode) and _descriptor(path) is None
    except (OSError, ValueError):
        return False


def _descriptor(path: str) -> int | None:
    """The pipe that a path names, if it is one that is open here."""
    if path == "-":
        return None if is_absent() else sys.stdin.fileno()
    found = _OPEN_HERE.fullmatch(path)
    if not found:
        return None
    descriptor = int(found[1] or 0)
    try:
        return descriptor if descriptor < _MOST and stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None

"""Errors to one line and an exit status: our own, click's, the system's, and too little memory wherever it shows.

Knows how numpy, torch and the loader of shared libraries say that memory is short; knows nothing about commands but
what makes each need less.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator

from ..errors import CharlstmError
from .console import say
from .launcher import speaks_of
from .process import memory_is_limited

_LESS = {
    "train": "give a smaller --ngrams (0: no counts), --hidden, --batch or --context, or a shorter text",
    "sample": "give a shorter prompt or a smaller --count",
    "eval": "give a shorter text, or fewer texts at a time",
    "inspect": "give a shorter text",
}
"""What makes each command need less memory."""

_MEMORY_MESSAGES = (
    "DefaultCPUAllocator",
    "DefaultMPSAllocator",
    "CUDA out of memory",
    "MPS backend out of memory",
    "std::bad_alloc",
    "bad allocation",
    "can't start new thread",
)
"""What a RuntimeError says where torch cannot allocate, or Python a stack for a thread."""

_LIMITED_MESSAGES = ("could not create a primitive", "could not execute a primitive")
"""What oneDNN's failures in a RuntimeError say: where memory is limited, that is the reason."""

_LOADER_MESSAGES = ("failed to map segment", "cannot allocate memory", "cannot map zero-fill", "cannot create shared")
"""What the loader of shared libraries says where they do not fit, in an ImportError or OSError; in small letters."""


def report(error: Exception) -> int:
    """Tell a person what went wrong, in one line; give the exit status.

    Raises:
        Exception: the error itself, where it is a fault of the program's own.
    """
    import click

    told_here = _command() != "train" or speaks_of(error)  # the processes of a launcher share nothing but a training
    if isinstance(error, CharlstmError):
        if told_here:
            say(f"error: {error}")
        return error.exit_status
    if isinstance(error, click.ClickException):
        if told_here:
            with contextlib.suppress(OSError):
                error.show()
        return error.exit_code
    if isinstance(error, click.Abort):
        return 130
    if is_memory_failure(error):
        say(f"error: {_too_little_memory(error)}")
        return 1
    if isinstance(error, BrokenPipeError):
        _forget_standard_output()
        return 141
    if isinstance(error, OSError):
        where = f"{_text(error.filename)}: " if error.filename is not None else ""
        say(f"error: {where}{error.strerror or error}")
        return 1
    raise error


def is_memory_failure(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that memory was short."""
    return any(_says_so(one) for one in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _says_so(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if isinstance(error, ImportError | OSError):
        return any(words in str(error).lower() for words in _LOADER_MESSAGES)
    messages = _MEMORY_MESSAGES + (_LIMITED_MESSAGES if memory_is_limited() else ())
    return isinstance(error, RuntimeError) and any(words in str(error) for words in messages)


def _too_little_memory(error: BaseException) -> str:
    if any(isinstance(one, ImportError) for one in _causes(error)):
        return "there is not enough memory to load numpy or torch; raise the limit (ulimit -v), or end other programs"
    return "; ".join(filter(None, ("there is not enough memory", _LESS.get(_command()))))


def _command() -> str:
    return next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")


def _text(name: object) -> str:
    return os.fsdecode(name) if isinstance(name, str | bytes) else str(name)


def _forget_standard_output() -> None:
    """Keep the interpreter's last flush from failing, too."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

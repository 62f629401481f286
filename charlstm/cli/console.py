"""What a command says: data to standard output, everything else to standard error, nothing that drives a terminal."""

from __future__ import annotations

import codecs
import contextlib
import json
import math
import os
import select
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..data.raw import to_bytes
from ..errors import OutputError

BLOCKS = "▁▂▃▄▅▆▇█"


def say(text: str, *, wrapped: bool = True) -> None:
    """One line for a person, on standard error; a terminal breaks it between words, if it is to be wrapped."""
    line = f"charlstm: {visible(text)}".replace("\n", "\u240a")
    if wrapped and sys.stderr.isatty():
        try:
            width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        except (OSError, ValueError):
            width = 80
        line = textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    show(line)


def show(text: str) -> None:
    """Text for a person, on standard error; where nobody can read it any more, the work goes on."""
    with contextlib.suppress(OSError, ValueError):  # the latter where it is closed
        print(text, file=sys.stderr, flush=True)


def visible(text: str) -> str:
    """Control characters other than newline and tab as pictures, one for one: raw ones drive a terminal."""
    return "".join(c if c in "\n\t" or not _is_control(c) else _picture(c) for c in text)


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character <= "\x9f"


def _picture(character: str) -> str:
    if character < " ":
        return chr(0x2400 + ord(character))
    return "\u2421" if character == "\x7f" else "\ufffd"


def strict_json(record: Any) -> str:
    """One line of JSON; null for the numbers that JSON does not have, infinities and NaN."""
    return json.dumps(_finite(record), allow_nan=False)


def quoted(text: str) -> str:
    """A text as a JSON string that a person can read: what is not ASCII stays as it is."""
    return json.dumps(text, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def block(height: float) -> str:
    """A bar of that height, from 0 to 1, as a character."""
    return BLOCKS[round(height * (len(BLOCKS) - 1))]


def clock(seconds: float) -> str:
    """A duration as people write it: m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def write(text: str) -> None:
    """Data, at once, in UTF-8 whatever the locale; control characters made visible on a terminal."""
    write_raw(visible(text) if sys.stdout is not None and sys.stdout.isatty() else text)


def write_raw(text: str) -> None:
    """As `write`, with control characters as they are; a file's name is byte for byte what it is on the disk."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte: from a hostile description
        data = text.encode("utf-8", "surrogatepass")
    write_bytes(data)


def end_line(last: str) -> None:
    """On a terminal, end the line that a text left open, so that what is said next begins its own.

    Args:
        last: the end of what was written.
    """
    if sys.stdout is not None and sys.stdout.isatty() and not last.endswith("\n"):
        write("\n")


def write_bytes(data: bytes) -> None:
    """Data, at once, as it is."""
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    try:
        sys.stdout.buffer.flush()
        _write_all(getattr(sys.stdout.buffer, "raw", sys.stdout.buffer), data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output: cannot write: {error.strerror or error}") from error


def _write_all(stream: Any, data: bytes) -> None:
    """Write to a stream without a buffer, which may take a part only, or, where it does not block, nothing yet."""
    rest = memoryview(data)
    while rest:
        count = stream.write(rest)
        if count is None:
            select.select([], [stream], [])
        rest = rest[count or 0 :]


def writer(*, as_bytes: bool) -> Callable[[str], None]:
    """What writes the pieces of a text; bytes, as in `data.raw`, as they are, or to a terminal as UTF-8.

    There U+FFFD stands for bytes that are no character, and the beginning of one whose end does not come is not shown.
    """
    if not as_bytes:
        return write
    if sys.stdout is None or not sys.stdout.isatty():
        return lambda text: write_bytes(to_bytes(text))
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return lambda text: write(decoder.decode(to_bytes(text)))


def write_path(path: Path) -> None:
    """A path for other commands, which is never taken for an option."""
    name = os.fspath(path)
    write((os.path.join(os.curdir, name) if name.startswith("-") else name) + "\n")

"""A text with a value for each character: colours on a terminal that has them, rows else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

from ..data.raw import by_characters, escaped
from .console import quoted, say, strict_json, visible, write, write_raw

Valued = Iterator[tuple[str, list[float]]]
"""Stretches of a text with a value for each character."""


def show_values(pieces: Valued, legend: str, as_json: bool, *, as_bytes: bool = False) -> None:
    """Write a text with its values.

    Args:
        pieces: the text.
        legend: what the colours mean.
        as_json: whether to write rows of JSON.
        as_bytes: whether its characters stand for bytes: in colours, those that are one character in UTF-8 have the
            value of the last.
    """
    if has_colours() and not as_json:
        say(legend)
        draw(by_characters(pieces, lambda values: values[-1]) if as_bytes else pieces)
        return
    write_rows(pieces, "value", as_json, as_bytes=as_bytes)


def write_rows(pieces: Valued, name: str, as_json: bool, *, as_bytes: bool = False) -> None:
    """Write each character of a text in a row of its own: VALUE<tab>CHARACTER, as a JSON string.

    Args:
        pieces: the text with its values.
        name: what the values are called in JSON.
        as_json: whether to write rows of JSON.
        as_bytes: whether its characters stand for bytes.
    """
    shown: Callable[[str], str] = escaped if as_bytes else str

    def row(character: str, value: float) -> str:
        return strict_json({"char": character, name: value}) if as_json else f"{value:.4f}\t{quoted(character)}"

    for text, values in pieces:
        write("".join(row(shown(one), value) + "\n" for one, value in zip(text, values, strict=True)))


def has_colours() -> bool:
    """Whether standard output is a terminal that shows colours, and the user wants them."""
    return sys.stdout is not None and sys.stdout.isatty() and wants_colours()


def wants_colours() -> bool:
    """Whether colours may be written, were standard output a terminal or not."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def has_fine_colours() -> bool:
    """Whether the terminal says that it takes 24-bit colours."""
    return os.environ.get("COLORTERM") in ("truecolor", "24bit")


def draw(pieces: Iterable[tuple[str, Sequence[float]]]) -> None:
    """Colour a text by values from -1 to 1, see `terminal.coloured`."""
    from .terminal import coloured

    shown = ((visible(text), values) for text, values in pieces)
    for piece in coloured(shown, fine=has_fine_colours()):
        write_raw(piece)
    write_raw("\n")

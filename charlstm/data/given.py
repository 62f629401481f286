"""Texts as the callers of the library give them, a str or, for a model of bytes, bytes: checked, and as characters.

Paths likewise, as str.

Knows nothing about models but whether they are of bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import TextError, UsageError
from .decoding import SURROGATE
from .raw import from_bytes, to_bytes

AnyPath = str | bytes | os.PathLike[str]


def given_text(name: str, text: object, *, as_bytes: bool) -> str:
    """A text as characters; those of bytes are as in `raw`.

    Args:
        name: what an error calls it.
        text: what was given.
        as_bytes: whether it must be bytes, else a str.

    Raises:
        UsageError: it is the other, or none of them.
        TextError: what it holds is no text.
    """
    if as_bytes and isinstance(text, bytes | bytearray | memoryview):
        return from_bytes(bytes(text))
    if not as_bytes and isinstance(text, str):
        if SURROGATE.search(text):
            raise TextError(f"{name}: it holds a lone surrogate, which is no character; decode it without one")
        return text
    if as_bytes:
        raise UsageError(f"{name} is {text!r:.40}; it must be bytes, as the model is one of bytes")
    but = ", as the model is one of characters" if isinstance(text, bytes | bytearray | memoryview) else ""
    raise UsageError(f"{name} is {text!r:.40}; it must be a text{but}")


def given_texts(name: str, texts: Iterable[object], *, as_bytes: bool) -> list[str]:
    """Texts that were given as anything that can be iterated over, but for a text, which is not its letters.

    Raises:
        UsageError: see `given_text`.
    """
    if isinstance(texts, str | bytes | bytearray | memoryview):
        raise UsageError(f"{name} is a text; give a list of texts")
    _check_iterable(name, texts)
    return [given_text(f"one of {name}", text, as_bytes=as_bytes) for text in texts]


def given_pieces(pieces: Iterable[object], *, as_bytes: bool) -> Iterator[str]:
    """A text that comes in pieces.

    Raises:
        UsageError: see `given_text`, while iterating; or at once, where it is nothing to iterate over.
    """
    if isinstance(pieces, bytes | bytearray | memoryview):  # whose pieces would be numbers
        pieces = [pieces]
    _check_iterable("the text", pieces)
    return (given_text("a piece of the text", piece, as_bytes=as_bytes) for piece in pieces)


def _check_iterable(name: str, texts: object) -> None:
    if not isinstance(texts, Iterable):
        raise UsageError(f"{name} is {texts!r:.40}; give a list of texts")


def given_path(name: str, path: Any) -> str:
    """A path that was given as a str, as bytes or as a `pathlib.Path`, as a str.

    Args:
        name: what an error calls it.
        path: what was given.

    Raises:
        UsageError: it is no path.
    """
    try:
        text = os.fsdecode(path)
    except TypeError as error:
        several = "; give each path by itself" if isinstance(path, list | tuple) else ""
        raise UsageError(f"{name} is {path!r:.40}; it must be the path of a file{several}") from error
    if "\0" in text:
        raise UsageError(f"{name} is {text!r:.40}; no path has a NUL character in it")
    return text


def as_given(text: str, *, as_bytes: bool) -> Any:
    """The reverse of `given_text`."""
    return to_bytes(text) if as_bytes else text

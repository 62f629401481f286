"""Characters <-> ids. Knows nothing about files, networks or counts of anything but characters.

A vocabulary of V symbols has the unknown symbol at id 0 and one character at each id from 1 to V - 1. The
network predicts these V symbols. It also reads a start symbol, id V, which is never predicted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelFileError
from .raw import BYTES

Ids = NDArray[np.integer]
Number = TypeVar("Number", bound=np.number)
UNKNOWN = 0
SCALAR_VALUES = 0x110000 - 0x800
"""Unicode scalar values: all code points but the surrogates (Unicode 15, definition D76)."""


def codepoints(text: str) -> NDArray[np.uint32]:
    """The text's characters as numbers, one each.

    A lone surrogate (which no UTF-8 text can hold) passes through as its number.
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def from_codepoints(points: NDArray[np.uint32]) -> str:
    """The inverse of `codepoints`."""
    return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def regrouped(pieces: Iterable[NDArray[Number]], size: int) -> Iterator[NDArray[Number]]:
    """The same ids, or what belongs to each, in pieces of `size`, but for the last."""
    waiting: list[NDArray[Number]] = []
    count = 0
    for piece in pieces:
        waiting.append(piece)
        count += len(piece)
        if count >= size:
            joined = np.concatenate(waiting)
            whole = len(joined) - len(joined) % size
            for begin in range(0, whole, size):
                yield joined[begin : begin + size]
            waiting, count = [joined[whole:]], len(joined) - whole
    if count:
        yield np.concatenate(waiting)


class Vocabulary:
    """A vocabulary: characters in the order of their ids.

    Args:
        characters: one-character strings, without duplicates; the first gets id 1.
        as_bytes: whether each stands for a byte, as in `raw`: all 256 are there, so that none is unknown.

    Raises:
        ModelFileError: an entry is not one Unicode scalar value, or stands there twice.
    """

    def __init__(self, characters: Sequence[str], *, as_bytes: bool = False) -> None:
        for index, character in enumerate(characters):
            if not isinstance(character, str) or len(character) != 1 or "\ud800" <= character <= "\udfff":
                raise ModelFileError(f"vocabulary entry {index} is {character!r:.40}, not one character")
        if len(set(characters)) != len(characters):
            raise ModelFileError("the vocabulary holds a character twice")
        self.characters = tuple(characters)
        self.as_bytes = as_bytes
        self._known = frozenset(characters)
        points = codepoints("".join(self.characters))
        # A table over the code points in use, and one entry more that stands for all above them.
        self._table = np.zeros(int(points.max(initial=0)) + 2, dtype=self.dtype)
        self._table[points] = np.arange(1, len(points) + 1)
        self._points = np.concatenate([np.array([0xFFFD], dtype=np.uint32), points])

    @staticmethod
    def of_bytes() -> Vocabulary:
        """The vocabulary of all models of bytes."""
        return Vocabulary(BYTES, as_bytes=True)

    def __len__(self) -> int:
        """Symbols that can be predicted: the characters and the unknown symbol."""
        return len(self.characters) + 1

    def __contains__(self, character: object) -> bool:
        return character in self._known

    @property
    def start(self) -> int:
        """The id of the start symbol, which is read and never predicted."""
        return len(self)

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The smallest type that holds every id, the start symbol's included."""
        return np.dtype(np.min_scalar_type(len(self)))

    @property
    def unknown_nats(self) -> float:
        """What an unknown character costs beyond the unknown symbol itself, in nats.

        The unknown symbol's probability is shared evenly among all scalar values outside the vocabulary, so
        that the model is a probability distribution over all strings.
        """
        return math.log(max(1, SCALAR_VALUES - len(self.characters)))

    def encode(self, text: str) -> NDArray[np.unsignedinteger]:
        """Text to ids, shape (characters,); a character outside the vocabulary becomes UNKNOWN."""
        return self.encode_points(codepoints(text))

    def size(self, text: str) -> int:
        """Bytes of a text: in UTF-8 or, where characters stand for bytes, as many as there are."""
        return len(text) if self.as_bytes else len(text.encode("utf-8", "surrogatepass"))

    def encode_points(self, points: NDArray[np.uint32]) -> NDArray[np.unsignedinteger]:
        """Code points to ids of the same shape."""
        return self._table[np.minimum(points, len(self._table) - 1)]

    def decode(self, ids: Ids) -> str:
        """Ids to text; UNKNOWN becomes U+FFFD, the replacement character."""
        return from_codepoints(self._points[ids])

    def unknown_characters(self, text: str) -> list[str]:
        """The characters of a text that are outside the vocabulary: each once, in order of appearance."""
        return [c for c in dict.fromkeys(text) if c not in self]

    def grown(self, characters: Sequence[str]) -> Vocabulary:
        """Add the characters that it lacks at its end; the old ids stay."""
        return Vocabulary([*self.characters, *(c for c in dict.fromkeys(characters) if c not in self)])

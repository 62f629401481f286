"""What models have never seen of a text: gathered as it is read, and told in one warning.

Knows vocabularies; knows nothing about where a text comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..data.characters import KNOWN_IN_NFC, ROOM, helped_by_nfc, listed, normal_form
from .console import say

if TYPE_CHECKING:
    from ..data.vocabulary import Vocabulary

MOST = 100_000
"""Distinct characters that are kept, so that no text fills the memory; all of Unicode has half as many again."""


class UnknownCharacters:
    """The characters of a text that models do not know; to one of bytes none is unknown.

    Args:
        vocabularies: the models'.
        forms: in which Unicode normalization form each model reads the text; none given: as it comes.
    """

    def __init__(self, vocabularies: Sequence[Vocabulary], forms: Sequence[str | None] = ()) -> None:
        self._who = "the model never saw" if len(vocabularies) == 1 else "not every model has seen"
        pairs = zip(vocabularies, forms or [None] * len(vocabularies), strict=True)
        self._readers = [(one, form) for one, form in pairs if not one.as_bytes]
        self._found: dict[str, None] = {}  # in order of appearance
        self._helped = False

    def watched(self, pieces: Iterable[str]) -> Iterator[str]:
        """Pass a text on that comes in pieces, and gather what is unknown of it."""
        for piece in pieces:
            self.add(piece)
            yield piece

    def add(self, text: str) -> None:
        """Gather what is unknown of a text."""
        for vocabulary, form in self._readers:
            read = normal_form(text, form)
            for character in vocabulary.unknown_characters(read):
                if len(self._found) < MOST:
                    self._found[character] = None
            self._helped = self._helped or helped_by_nfc(read, vocabulary)

    def warn(self, where: str = "the text") -> None:
        """Name the characters, if there are any.

        Args:
            where: what they stand in.
        """
        if self._found:
            remedy = f"; they would be {KNOWN_IN_NFC}" if self._helped else ""
            characters = listed(list(self._found), ROOM - len(remedy))
            say(f"warning: {self._who} these characters of {where}: {characters}{remedy}")

    def warn_of_form(self) -> None:
        """Say only, of a text whose figures tell how much is unknown, whether another form of it would be known."""
        if self._helped:
            say(f"warning: more of the text would be {KNOWN_IN_NFC}")

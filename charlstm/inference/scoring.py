"""How well a network predicts a text: surprisal, bits per character, perplexity. Figures only, nothing drawn.

Every character is scored, the first one included: the network starts from the zero state on the start symbol.
An unknown character costs the unknown symbol's surprisal and an even share of it (see `Vocabulary.unknown_nats`),
so that the probabilities of all strings of a length sum to one. Surprisal is -ln p, in nats (Shannon 1948).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import UNKNOWN, Ids, Vocabulary, regrouped
from ..models.interface import LanguageModel, State, in_threads, read_long
from .parallel import Parts, read_scoring

LN2 = math.log(2)

STREAMS = 128
"""At most that many parts of a text are scored side by side."""
SHORTEST = 4096
"""Characters of such a part at least, so that mending its beginning weighs little."""
SHORTEST_ROUGH = 2048
"""The same where a rough figure will do."""
LONGEST = 8192
"""Characters of such a part at most: a longer text is scored block by block."""
FEWEST = 8
"""Parts at least: fewer are no faster than one stream."""
SETTLING = 2048
"""Characters after which a network that began with the zero state is in a state as in the midst of a text."""


@dataclass(frozen=True)
class Score:
    """How well a text was predicted."""

    characters: int
    nats: float
    """Surprisal of the whole text."""
    unknown: int
    """Characters outside the vocabulary."""
    bytes: int
    """Size of the text in UTF-8; 0 where it is not known."""

    @property
    def nats_per_char(self) -> float:
        """Cross entropy in nats per character (0 for the empty text)."""
        return self.nats / max(1, self.characters)

    @property
    def bits_per_char(self) -> float:
        """Cross entropy in bits per character."""
        return self.nats_per_char / LN2

    @property
    def bits_per_byte(self) -> float:
        """Cross entropy in bits per byte of UTF-8: comparable between models with different alphabets.

        Not a number where the size is not known.
        """
        if self.characters and not self.bytes:
            return math.nan
        return self.nats / LN2 / max(1, self.bytes)

    @property
    def perplexity(self) -> float:
        """2 ** bits_per_char."""
        return math.exp(min(self.nats_per_char, 700.0))

    def __add__(self, other: Score) -> Score:
        return Score(
            self.characters + other.characters,
            self.nats + other.nats,
            self.unknown + other.unknown,
            self.bytes + other.bytes,
        )

    def figures(self) -> dict[str, float | int]:
        """The figures by name, as the command prints them."""
        return {
            "characters": self.characters,
            "bits_per_char": self.bits_per_char,
            "nats_per_char": self.nats_per_char,
            "perplexity": self.perplexity,
            "bits_per_byte": self.bits_per_byte,
            "unknown": self.unknown,
        }


NOTHING = Score(0, 0.0, 0, 0)


def utf8_size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


class Scorer:
    """Scores texts with one network: one stream or, for speed, parts of the text side by side.

    Args:
        network: the numpy engine or the torch model.
        vocabulary: the model's.
        streams: how many parts of a long text may be scored side by side; 1 is the definition.
        threads: how many threads share the streams.
        rough: whether a long text's figure may be off by some 0.001 bits, for twice the speed.
    """

    def __init__(
        self,
        network: LanguageModel,
        vocabulary: Vocabulary,
        streams: int = STREAMS,
        threads: int = 1,
        *,
        rough: bool = False,
    ) -> None:
        self.network, self.vocabulary, self.streams, self.threads = network, vocabulary, streams, threads
        self.rough = rough

    @property
    def _shortest(self) -> int:
        return SHORTEST_ROUGH if self.rough else SHORTEST

    def surprisals(self, pieces: Iterable[Ids]) -> Iterator[NDArray[np.float64]]:
        """Score one text, given in pieces of ids; give its surprisals in nats, in pieces, in order."""
        block = self.streams * LONGEST
        state = self.network.zero_state(1)
        typical: State | None = None
        last = np.array([self.vocabulary.start])
        for ids in regrouped(pieces, block):
            inputs = np.concatenate([last, ids[:-1]])  # inputs[k] is read to predict ids[k]
            if len(ids) < FEWEST * self._shortest or self.streams == 1:
                nats, state = read_scoring(self.network, inputs[:, None], ids[:, None], state)
                flat = nats[:, 0]
            else:
                if typical is None:
                    typical = read_long(self.network, inputs[:SETTLING, None], state)
                parts = min(self.streams, len(ids) // self._shortest)
                # Where the last part ends early, this is the text's last piece, and nobody asks for the state.
                flat, state = Parts(self.network, inputs, ids, parts, self.threads).surprisals(
                    state, typical, rough=self.rough
                )
                typical = state
            flat[ids == UNKNOWN] += self.vocabulary.unknown_nats
            last = ids[-1:]
            yield flat

    def score(self, pieces: Iterable[str]) -> Score:
        """Score one text, given in pieces; memory does not depend on its length."""
        return sum(partial_scores(self.surprisals, self.vocabulary, pieces), NOTHING)

    def score_ids(self, ids: Ids) -> Score:
        """Score one text that is ids already; its size in bytes is not known and given as 0."""
        nats = sum(float(part.sum()) for part in self.surprisals([ids]))
        return Score(len(ids), nats, int((ids == UNKNOWN).sum()), 0)

    def score_lines(self, lines: list[str]) -> list[Score]:
        """Score lines, each a text of its own, in input order."""
        ids: list[Ids] = [self.vocabulary.encode(line) for line in lines]
        return [
            Score(len(line), float(nats.sum()), int((numbers == UNKNOWN).sum()), utf8_size(line))
            for line, numbers, nats in zip(lines, ids, self.records(ids), strict=True)
        ]

    def records(self, lines: list[Ids]) -> list[NDArray[np.float64]]:
        """Score lines, each a text of its own, those of similar length together; surprisals in input order."""
        order = sorted((number for number in range(len(lines)) if len(lines[number])), key=lambda n: len(lines[n]))
        groups: list[list[int]] = []
        while order:
            longest = len(lines[order[-1]])
            size = 1 if longest >= FEWEST * self._shortest else min(256, (1 << 18) // longest)
            groups.append(order[-size:])
            del order[-size:]
        scored = in_threads(lambda group: self._together([lines[n] for n in group]), groups, self.threads)
        results: list[NDArray[np.float64]] = [np.zeros(0)] * len(lines)
        for group, nats in zip(groups, scored, strict=True):
            for number, line in zip(group, nats, strict=True):
                results[number] = line
        return results

    def _together(self, lines: list[Ids]) -> list[NDArray[np.float64]]:
        longest = max(map(len, lines))
        if longest >= FEWEST * self._shortest:
            return [np.concatenate(list(self.surprisals([line]))) for line in lines]
        ids = np.zeros((longest, len(lines)), dtype=np.int64)  # (T, B)
        for column, line in enumerate(lines):
            ids[: len(line), column] = line
        inputs = np.concatenate([np.full((1, len(lines)), self.vocabulary.start), ids[:-1]])[: len(ids)]
        nats, _ = read_scoring(self.network, inputs, ids, self.network.zero_state(len(lines)))
        nats[ids == UNKNOWN] += self.vocabulary.unknown_nats
        return [nats[: len(line), column].copy() for column, line in enumerate(lines)]


def partial_scores(
    surprisals: Callable[[Iterable[Ids]], Iterator[NDArray[np.float64]]], vocabulary: Vocabulary, pieces: Iterable[str]
) -> Iterator[Score]:
    """Score a text in pieces by a function from ids in pieces to surprisals in pieces; nothing is kept of the text.

    The sum of the scores is the text's; each counts the characters that were read for it.
    """
    read = NOTHING

    def counted() -> Iterator[Ids]:
        nonlocal read
        for piece in pieces:
            ids = vocabulary.encode(piece)
            read += Score(len(ids), 0.0, int((ids == UNKNOWN).sum()), utf8_size(piece))
            yield ids

    for part in surprisals(counted()):
        score, read = read + Score(0, float(part.sum()), 0, 0), NOTHING
        yield score


def surprisals_of_text(
    surprisals: Callable[[Iterable[Ids]], Iterator[NDArray[np.float64]]], vocabulary: Vocabulary, pieces: Iterable[str]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Each stretch of a text in pieces with the surprisals of its characters; the stretches joined are the text."""
    waiting: list[str] = []

    def encoded() -> Iterator[Ids]:
        for piece in pieces:
            waiting.append(piece)
            yield vocabulary.encode(piece)

    for nats in surprisals(encoded()):
        text = "".join(waiting)
        waiting[:] = [text[len(nats) :]]
        yield text[: len(nats)], nats


def side_by_side_scores(
    pieces: Iterable[str], ways: Sequence[Callable[[Iterable[str]], Iterator[Score]]]
) -> list[Score]:
    """Score one text in several ways, reading it once; what is kept of it is what one way is ahead of another.

    Args:
        pieces: the text.
        ways: functions from a text in pieces to partial scores, as `partial_scores` gives them.
    """
    copies = itertools.tee(pieces, len(ways))
    running = {number: way(copy) for number, (way, copy) in enumerate(zip(ways, copies, strict=True))}
    totals = [NOTHING] * len(ways)
    while running:
        behind = min(running, key=lambda number: totals[number].characters)
        score = next(running[behind], None)
        if score is None:
            del running[behind]
        else:
            totals[behind] += score
    return totals

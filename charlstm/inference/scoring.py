"""How well a model predicts a text: surprisal, bits per character, perplexity. Figures only, nothing drawn.

Every character is scored, the first one included: the model starts from the zero state on the start symbol.
An unknown character costs the unknown symbol's surprisal and an even part of it (see `Vocabulary.unknown_nats`),
so that the probabilities of all strings of a length sum to one. Surprisal is -ln p, in nats (Shannon 1948).

Shapes: T time steps, B sequences side by side, N characters, V symbols.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import UNKNOWN, Ids, Vocabulary, regrouped
from ..models.interface import Floats, LanguageModel, State, read_long, steps_at_once
from ..threads import in_threads
from .parallel import EXACT, Division, Parts, Positions

Nats = NDArray[np.float64]
"""Surprisals of the characters of a text (N,), or of several (T, B)."""
Surprisals = Callable[[Iterable[Ids]], Iterator[Nats]]
"""From a text in pieces of ids to the surprisals of its characters, in pieces, in order."""

LN2 = math.log(2)
LINES_TOGETHER = 256
"""Lines that are scored as one batch at most."""
CHARACTERS_TOGETHER = 1 << 18
"""Characters of such a batch at most, the padding of shorter lines included."""
PADDING = -1
"""Stands for an id where a line has ended that is shorter than those beside it."""


@dataclass(frozen=True)
class Score:
    """How well a text was predicted."""

    characters: int
    nats: float
    """Surprisal of the whole text."""
    unknown: int
    """Characters outside the vocabulary."""
    bytes: int
    """Size of the text, in UTF-8 unless the model is one of bytes."""

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
        """Cross entropy in bits per byte of UTF-8: comparable between models with different vocabularies."""
        return self.nats / max(1, self.bytes) / LN2

    @property
    def perplexity(self) -> float:
        """2 ** bits_per_char; infinite where that is beyond all floating-point numbers."""
        try:
            return math.exp(self.nats_per_char)
        except OverflowError:
            return math.inf

    def __add__(self, other: Score) -> Score:
        return Score(
            self.characters + other.characters,
            self.nats + other.nats,
            self.unknown + other.unknown,
            self.bytes + other.bytes,
        )

    def figures(self) -> dict[str, float | int | None]:
        """The figures by name; None for one that is not finite, which JSON could not hold."""
        return {
            "characters": self.characters,
            "bits_per_char": _finite(self.bits_per_char),
            "nats_per_char": _finite(self.nats_per_char),
            "perplexity": _finite(self.perplexity),
            "bits_per_byte": _finite(self.bits_per_byte),
            "unknown": self.unknown,
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


NOTHING = Score(0, 0.0, 0, 0)


def surprisal(logits: Floats, targets: NDArray[np.integer]) -> Nats:
    """-ln softmax(logits)[target]: logits (..., V) and targets (...) -> nats (...)."""
    top = logits.max(axis=-1, keepdims=True)  # (..., 1)
    picked = np.take_along_axis(logits, targets[..., None].astype(np.intp), axis=-1)  # (..., 1)
    total = np.exp(logits - top).sum(axis=-1, dtype=np.float64)  # (...)
    nats: Nats = np.log(total) + (top - picked)[..., 0]
    return nats


def padded(lines: Sequence[Ids], start: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """B lines side by side, as `read_scoring` takes them; T is the length of the longest.

    Args:
        lines: one or more, each (length,).
        start: id of the start symbol.

    Returns:
        inputs (T, B): the start symbol, then each line but for its last id, then any ids.
        targets (T, B): each line, then PADDING.
    """
    targets = np.full((max(map(len, lines)), len(lines)), PADDING, dtype=np.int64)  # (T, B)
    for column, line in enumerate(lines):
        targets[: len(line), column] = line
    first = np.full((1, len(lines)), start)  # (1, B)
    return np.concatenate([first, np.maximum(targets[:-1], 0)]), targets


def read_together(lengths: Sequence[int], is_alone: Callable[[int], bool] = lambda _: False) -> list[list[int]]:
    """The numbers of lines that are read side by side, those of similar length, the longest first.

    Args:
        lengths: of the lines; empty ones are in no group.
        is_alone: whether a line of that length is read by itself.
    """
    order = sorted((number for number, length in enumerate(lengths) if length), key=lengths.__getitem__)
    groups: list[list[int]] = []
    while order:
        longest = lengths[order[-1]]
        size = 1 if is_alone(longest) else max(1, min(LINES_TOGETHER, CHARACTERS_TOGETHER // longest))
        groups.append(order[-size:])
        del order[-size:]
    return groups


def read_scoring(model: LanguageModel, inputs: NDArray[Any], targets: NDArray[Any], state: State) -> tuple[Nats, State]:
    """Read inputs (T, B), a few time steps at once; give the surprisals (T, B) of the targets, and the state.

    Those of PADDING mean nothing.
    """
    steps = steps_at_once(model, inputs.shape[1])
    nats = np.empty(inputs.shape)
    for begin in range(0, len(inputs), steps):
        logits, state = model.logits(inputs[begin : begin + steps], state)
        nats[begin : begin + steps] = surprisal(logits, targets[begin : begin + steps])
    return nats, state


class Scorer:
    """Scores texts with one model: as one stream or, for speed, in parts side by side.

    Args:
        model: predicts the characters.
        vocabulary: the model's.
        division: how long texts are divided into parts.
        threads: how many threads share parts and lines.
    """

    def __init__(
        self, model: LanguageModel, vocabulary: Vocabulary, division: Division = EXACT, threads: int = 1
    ) -> None:
        self.model, self.vocabulary, self.division, self.threads = model, vocabulary, division, threads

    def surprisals(self, pieces: Iterable[Ids]) -> Iterator[Nats]:
        """Score one text, given in pieces of ids; give its surprisals in nats, in pieces, in order."""
        state, warm = self.model.zero_state(1), None
        last = np.array([self.vocabulary.start])
        for ids in regrouped(pieces, self.division.block):
            inputs = np.concatenate([last, ids[:-1]])  # (N,): inputs[n] is read to predict ids[n]
            if self.division.parts(len(ids)) == 1:
                columns, state = read_scoring(self.model, inputs[:, None], ids[:, None], state)  # (N, 1)
                nats = columns[:, 0]
            else:
                warm = warm or read_long(self.model, inputs[: self.division.burn_in, None], state)
                nats, state = self._in_parts(inputs, ids, state, warm)
                warm = state
            nats[ids == UNKNOWN] += self.vocabulary.unknown_nats
            last = ids[-1:].astype(np.int64)
            yield nats

    def _in_parts(self, inputs: Ids, targets: Ids, state: State, warm: State) -> tuple[Nats, State]:
        """The surprisals (N,) of one block, and the state after it, which is right but for a text's last block."""
        count = self.division.parts(len(targets))
        nats = np.empty(len(targets) + count)  # room for the positions at which a last part that ends early goes on

        def read(positions: Positions, before: State) -> State:
            inside = np.minimum(positions, len(targets) - 1)
            nats[positions], after = read_scoring(self.model, inputs[inside], targets[inside], before)
            return after

        state = Parts(read, len(targets), count, self.division, self.threads).read(state, warm)
        return nats[: len(targets)], state

    def score(self, pieces: Iterable[str]) -> Score:
        """Score one text, given in pieces; memory does not depend on its length."""
        return sum(partial_scores(self.surprisals, self.vocabulary, pieces), NOTHING)

    def score_lines(self, lines: Sequence[str]) -> list[Score]:
        """Score lines, each a text of its own, in input order."""
        ids: list[Ids] = [self.vocabulary.encode(line) for line in lines]
        return [
            Score(len(line), float(nats.sum()), int((encoded == UNKNOWN).sum()), self.vocabulary.size(line))
            for line, encoded, nats in zip(lines, ids, self.records(ids), strict=True)
        ]

    def records(self, lines: Sequence[Ids]) -> list[Nats]:
        """Score lines, each a text of its own, those of similar length together; surprisals in input order."""
        groups = read_together([len(line) for line in lines], lambda length: self.division.parts(length) > 1)
        scored = in_threads(lambda group: self._together([lines[n] for n in group]), groups, self.threads)
        results: list[Nats] = [np.zeros(0)] * len(lines)
        for group, of_group in zip(groups, scored, strict=True):
            for number, nats in zip(group, of_group, strict=True):
                results[number] = nats
        return results

    def _together(self, lines: list[Ids]) -> list[Nats]:
        """The surprisals of each of B lines; of one that is long enough, in parts."""
        if self.division.parts(max(map(len, lines))) > 1:
            return [np.concatenate(list(self.surprisals([line]))) for line in lines]
        inputs, targets = padded(lines, self.vocabulary.start)  # (T, B) each
        nats, _ = read_scoring(self.model, inputs, targets, self.model.zero_state(len(lines)))  # (T, B)
        nats[targets == UNKNOWN] += self.vocabulary.unknown_nats
        return [nats[: len(line), column].copy() for column, line in enumerate(lines)]


def partial_scores(surprisals: Surprisals, vocabulary: Vocabulary, pieces: Iterable[str]) -> Iterator[Score]:
    """Score a text in pieces by a function from ids in pieces to surprisals in pieces; nothing is kept of the text.

    The sum of the scores is the text's; each counts the characters that were read for it.
    """
    read = NOTHING

    def counted() -> Iterator[Ids]:
        nonlocal read
        for piece in pieces:
            ids = vocabulary.encode(piece)
            read += Score(len(ids), 0.0, int((ids == UNKNOWN).sum()), vocabulary.size(piece))
            yield ids

    for part in surprisals(counted()):
        score, read = read + Score(0, float(part.sum()), 0, 0), NOTHING
        yield score


def surprisals_of_text(
    surprisals: Surprisals, vocabulary: Vocabulary, pieces: Iterable[str]
) -> Iterator[tuple[str, Nats]]:
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
        behind = min(running, key=lambda number: totals[number].bytes)
        score = next(running[behind], None)
        if score is None:
            del running[behind]
        else:
            totals[behind] += score
    return totals

"""How well a network predicts a text: surprisal, bits per character, perplexity. Figures only, nothing drawn.

Every character is scored, the first one included: the network starts from the zero state on the start symbol.
An unknown character costs the unknown symbol's surprisal and an even share of it (see `Vocabulary.unknown_nats`),
so that the probabilities of all strings of a length sum to one. Surprisal is -ln p, in nats (Shannon 1948).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .network import Floats, Network, State, read_in_slices, rows_at_once, side_by_side
from .vocabulary import UNKNOWN, Ids, Vocabulary

LN2 = math.log(2)

STREAMS = 128
"""At most that many parts of a text are scored side by side."""
SHORTEST = 2048
"""Characters a stream at least, so that its warm-up weighs little; shorter texts are one stream."""
WARMUP = 512
"""Characters read before a stream's own; with them the figure agrees with one stream's to 0.001 bits."""


@dataclass(frozen=True)
class Score:
    """How well a text was predicted."""

    characters: int
    nats: float
    """Surprisal of the whole text."""
    unknown: int
    """Characters outside the vocabulary."""
    bytes: int
    """Size of the text in UTF-8."""

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
        """Cross entropy in bits per byte of UTF-8: comparable between models with different alphabets."""
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


def surprisal(scores: Floats, targets: NDArray[np.integer]) -> NDArray[np.float64]:
    """-ln softmax(scores)[target]: scores (..., V) and targets (...) -> nats (...)."""
    top = scores.max(axis=-1, keepdims=True)  # (..., 1)
    picked = np.take_along_axis(scores, targets[..., None].astype(np.intp), axis=-1)  # (..., 1)
    total = np.exp(scores - top).sum(axis=-1, dtype=np.float64)  # (...)
    nats: NDArray[np.float64] = np.log(total) + (top - picked)[..., 0]
    return nats


def _run(
    network: Network, inputs: NDArray[Any], targets: NDArray[Any], state: State
) -> tuple[NDArray[np.float64], State]:
    """Surprisals (T, B) of targets (T, B), a few time steps at once."""
    time, streams = inputs.shape
    rows = rows_at_once(network.settings, streams)
    nats = np.empty((time, streams))
    for begin in range(0, time, rows):
        scores, state = network.scores(inputs[begin : begin + rows], state)
        nats[begin : begin + rows] = surprisal(scores, targets[begin : begin + rows])
    return nats, state


class Scorer:
    """Scores texts with one network: one stream or, for speed, several that are warmed up.

    Args:
        network: the numpy engine or the torch model.
        vocabulary: the model's.
        streams: how many parts of a long text may be scored side by side; 1 is the definition.
        threads: how many threads share the streams.
    """

    def __init__(self, network: Network, vocabulary: Vocabulary, streams: int = STREAMS, threads: int = 1) -> None:
        self.network, self.vocabulary, self.streams, self.threads = network, vocabulary, streams, threads

    def surprisals(self, pieces: Iterable[Ids]) -> Iterator[NDArray[np.float64]]:
        """Score one text, given in pieces of ids; give its surprisals in nats, in pieces, in order."""
        block = self.streams * SHORTEST
        state = self.network.zero_state(1)
        last = np.array([self.vocabulary.start])
        for ids in _regrouped(pieces, block):
            if len(ids) < 2 * SHORTEST or self.streams == 1:
                inputs = np.concatenate([last, ids[:-1]])[:, None]
                nats, state = _run(self.network, inputs, ids[:, None], state)
                flat = nats[:, 0]
            else:
                flat, state = self._side_by_side(last, ids, state)
            flat[ids == UNKNOWN] += self.vocabulary.unknown_nats
            last = ids[-1:]
            yield flat

    def _side_by_side(self, last: Ids, ids: Ids, state: State) -> tuple[NDArray[np.float64], State]:
        """Cut ids into streams, warm up all but the first (which carries the state on), score them together."""
        size = len(ids)
        count = min(self.streams, size // SHORTEST)
        length = -(-size // count)
        starts = np.arange(count) * length  # (B,)
        inputs = np.concatenate([last, ids])  # inputs[k] is read to predict ids[k]

        def score(part: NDArray[np.intp]) -> tuple[NDArray[np.float64], State]:
            """Some of the streams, by number."""
            warm = inputs[np.maximum(starts[part] - WARMUP, 0) + np.arange(WARMUP)[:, None]]  # (W, B)
            warmed = read_in_slices(self.network, warm, self.network.zero_state(len(part)))
            if part[0] == 0:
                warmed = State(warmed.hidden.copy(), warmed.cell.copy())
                warmed.hidden[:, 0], warmed.cell[:, 0] = state.hidden[:, 0], state.cell[:, 0]
            places = np.minimum(starts[part] + np.arange(length)[:, None], size - 1)  # (T, B); the last ends early
            return _run(self.network, inputs[places], ids[places], warmed)

        parts = np.array_split(np.arange(count), min(self.threads, count))
        results = side_by_side(score, parts, self.threads)
        flat = np.concatenate([nats.T.reshape(-1) for nats, _ in results])[:size]
        # Where the last stream ends early, this is the text's last piece, and nobody asks for the state.
        return flat, results[-1][1].streams([-1])

    def score(self, pieces: Iterable[str]) -> Score:
        """Score one text, given in pieces; memory does not depend on its length."""
        return scored(self.surprisals, self.vocabulary, pieces)

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
            size = 1 if longest > 2 * SHORTEST else min(256, (1 << 18) // longest)
            groups.append(order[-size:])
            del order[-size:]
        scored = side_by_side(lambda group: self._together([lines[n] for n in group]), groups, self.threads)
        results: list[NDArray[np.float64]] = [np.zeros(0)] * len(lines)
        for group, nats in zip(groups, scored, strict=True):
            for number, line in zip(group, nats, strict=True):
                results[number] = line
        return results

    def _together(self, lines: list[Ids]) -> list[NDArray[np.float64]]:
        longest = max(map(len, lines))
        if longest > 2 * SHORTEST:
            return [np.concatenate(list(self.surprisals([line]))) for line in lines]
        ids = np.zeros((longest, len(lines)), dtype=np.int64)  # (T, B)
        for column, line in enumerate(lines):
            ids[: len(line), column] = line
        inputs = np.concatenate([np.full((1, len(lines)), self.vocabulary.start), ids[:-1]])[: len(ids)]
        nats, _ = _run(self.network, inputs, ids, self.network.zero_state(len(lines)))
        nats[ids == UNKNOWN] += self.vocabulary.unknown_nats
        return [nats[: len(line), column].copy() for column, line in enumerate(lines)]


def scored(
    surprisals: Callable[[Iterable[Ids]], Iterator[NDArray[np.float64]]], vocabulary: Vocabulary, pieces: Iterable[str]
) -> Score:
    """Score a text in pieces by a function from ids in pieces to surprisals in pieces; nothing is kept of the text."""
    total = NOTHING

    def counted() -> Iterator[Ids]:
        nonlocal total
        for piece in pieces:
            ids = vocabulary.encode(piece)
            total += Score(len(ids), 0.0, int((ids == UNKNOWN).sum()), utf8_size(piece))
            yield ids

    nats = sum(float(part.sum()) for part in surprisals(counted()))
    return total + Score(0, nats, 0, 0)


def _regrouped(pieces: Iterable[Ids], size: int) -> Iterator[Ids]:
    """The same ids in pieces of `size`, but for the last."""
    waiting: list[Ids] = []
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

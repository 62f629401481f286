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
LONGEST = 8192
"""Characters a stream at most: a longer text is scored block by block."""
WARMUP = 512
"""Characters read before a stream's own, so that most of them begin in the state that one stream would be in."""
MENDING = 128
"""Characters of a stream that are scored again at a time, where it did not begin in that state."""
MENDED = 3e-3
"""Nats per character by which such a stretch may differ, on average, for the stream to count as mended."""


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
        mending: whether streams that did not begin in the right state are scored again from there. Without it
            scoring is up to twice as fast, and right to 0.001 bits on texts like those that the network has learnt.
    """

    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        streams: int = STREAMS,
        threads: int = 1,
        *,
        mending: bool = True,
    ) -> None:
        self.network, self.vocabulary, self.streams, self.threads = network, vocabulary, streams, threads
        self.mending = mending

    def surprisals(self, pieces: Iterable[Ids]) -> Iterator[NDArray[np.float64]]:
        """Score one text, given in pieces of ids; give its surprisals in nats, in pieces, in order."""
        block = self.streams * LONGEST
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

        def run(streams: NDArray[np.intp], rows: range, before: State) -> tuple[NDArray[np.float64], State]:
            """Some time steps (T) of some streams (B), by number."""
            places = np.minimum(starts[streams] + np.array(rows)[:, None], size - 1)  # (T, B); the last ends early
            return _run(self.network, inputs[places], ids[places], before)

        def score(part: NDArray[np.intp]) -> tuple[NDArray[np.float64], State]:
            """Some of the streams from beginning to end."""
            warm = inputs[np.maximum(starts[part] - WARMUP, 0) + np.arange(WARMUP)[:, None]]  # (W, B)
            warmed = read_in_slices(self.network, warm, self.network.zero_state(len(part)))
            if part[0] == 0:
                warmed = State(warmed.hidden.copy(), warmed.cell.copy())
                warmed.hidden[:, 0], warmed.cell[:, 0] = state.hidden[:, 0], state.cell[:, 0]
            return run(part, range(length), warmed)

        parts = np.array_split(np.arange(count), min(self.threads, count))
        results = side_by_side(score, parts, self.threads)
        nats = np.concatenate([nats for nats, _ in results], axis=1)  # (T, B)
        ends = State.joined(after for _, after in results)
        if self.mending:
            _mend(nats, ends, run)
        # Where the last stream ends early, this is the text's last piece, and nobody asks for the state.
        return nats.T.reshape(-1)[:size], ends.streams([-1])

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


def _mend(
    nats: NDArray[np.float64],
    ends: State,
    run: Callable[[NDArray[np.intp], range, State], tuple[NDArray[np.float64], State]],
) -> None:
    """Score the beginnings of streams again, each from where the stream before it ended, until that changes nothing.

    A text unlike all that the network has learnt can leave it in a state that no warm-up finds.

    Args:
        nats: surprisals (T, B), which are mended.
        ends: the states that the streams end in, which are mended.
        run: scores time steps of streams from a state.
    """
    length, count = nats.shape
    begin = np.arange(1, count)
    while len(begin):
        streams, state = begin, ends.streams(begin - 1)
        for first in range(0, length, MENDING):
            rows = range(first, min(first + MENDING, length))
            again, state = run(streams, rows, state)
            stretch = slice(rows.start, rows.stop)
            off = np.abs(again - nats[stretch, streams]).mean(axis=0) > MENDED
            nats[stretch, streams] = again
            streams, state = streams[off], state.streams(np.flatnonzero(off))
            if not len(streams):
                break
        ends.hidden[:, streams], ends.cell[:, streams] = state.hidden, state.cell  # of those that were off to their end
        begin = streams[streams < count - 1] + 1


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

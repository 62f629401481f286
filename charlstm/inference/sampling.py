"""From logits to characters: temperature, top-k, top-p, min-p, stop texts, many samples at once.

Works with any model. The unknown symbol is never drawn. Sample i of a seed has random numbers of its own, so
that it is the same text whatever the count, as far as rounding allows: matrix products of other sizes round otherwise,
and a draw that falls on the border between two characters, once in some 100,000, goes another way.

Shapes: T time steps, B samples side by side, V symbols.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config import SampleSettings
from ..data.raw import from_bytes
from ..data.vocabulary import UNKNOWN, Vocabulary
from ..models.interface import Floats, LanguageModel, State, read_long
from .parallel import PROMPT, read_in_parts

AT_ONCE = 256
"""Samples that advance together."""
DRAWN_AHEAD = 64
"""Random numbers taken from each sample's generator at a time."""


def probabilities(logits: Floats, settings: SampleSettings) -> NDArray[np.float64]:
    """The distribution that characters are drawn from.

    Temperature first, then top-k, top-p and min-p, each on what the one before left. Ties with the last character
    that is kept are kept by id order.

    Args:
        logits: (B, V).
        settings: temperature 0 puts all probability on the highest logit (the first of equals).

    Returns:
        (B, V); rows sum to 1; the unknown symbol has 0.
    """
    p = _unnormalised(logits, settings)
    p /= p.sum(axis=1, keepdims=True)
    return p


def _unnormalised(logits: Floats, settings: SampleSettings) -> NDArray[np.float64]:
    """`probabilities`, but for a factor in each row: `draw` needs no more."""
    p = logits.astype(np.float64)
    p[:, UNKNOWN] = -np.inf
    if settings.temperature == 0:
        greedy: NDArray[np.float64] = np.zeros_like(p)
        np.put_along_axis(greedy, p.argmax(axis=1)[:, None], 1.0, axis=1)
        return greedy
    p -= p.max(axis=1, keepdims=True)
    with np.errstate(over="ignore"):  # a temperature next to nothing makes -inf, which is right
        p /= settings.temperature
    np.exp(p, out=p)
    if settings.top_k or settings.top_p is not None:
        p *= _kept_by_rank(p, settings.top_k, settings.top_p)
    if settings.min_p is not None:
        p *= p >= settings.min_p * p.max(axis=1, keepdims=True)
    return p


def _kept_by_rank(p: NDArray[np.float64], top_k: int | None, top_p: float | None) -> NDArray[np.bool_]:
    """Which symbols top-k and top-p leave; the likeliest always stays (Holtzman et al. 2020 for top-p)."""
    order = np.argsort(-p, axis=1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=1)
    keep = np.ones(ranked.shape, dtype=bool)
    if top_k:
        keep[:, top_k:] = False
    if top_p is not None:
        ranked = ranked * keep
        before = np.cumsum(ranked, axis=1) - ranked
        keep &= before < top_p * ranked.sum(axis=1, keepdims=True)
        keep[:, 0] = True
    kept = np.empty_like(keep)
    np.put_along_axis(kept, order, keep, axis=1)
    return kept


def draw(p: NDArray[np.float64], uniforms: NDArray[np.float64]) -> NDArray[np.intp]:
    """Invert the cumulative distribution: p (B, V), of any sum, and uniforms in [0, 1) (B,) -> ids (B,)."""
    sums = np.cumsum(p, axis=1)
    # A uniform is at most 1 - 2^-53, and a total times that rounds to less than the total: there is a first sum above.
    targets = uniforms * sums[:, -1]
    ids: NDArray[np.intp] = (sums > targets[:, None]).argmax(axis=1)
    return ids


@dataclass(frozen=True)
class Start:
    """Where samples begin: the logits after the prompt and the state, for B prompts."""

    logits: Floats
    """(B, V)"""
    state: State

    def select(self, index: list[int]) -> Start:
        """Those of the starts, in that order; one may be chosen several times."""
        return Start(self.logits[index], self.state.select(index))


def read_prompts(model: LanguageModel, vocabulary: Vocabulary, prompts: Sequence[str], threads: int = 1) -> Start:
    """Read prompts; the empty one is the start of a text. Those of one length are read together, long ones in parts."""
    by_length: dict[int, list[int]] = {}
    for number, prompt in enumerate(prompts):
        by_length.setdefault(len(prompt), []).append(number)
    logits: list[Floats | None] = [None] * len(prompts)
    states: list[State | None] = [None] * len(prompts)
    for length, numbers in by_length.items():
        together = len(numbers) if PROMPT.parts(length) == 1 or len(numbers) >= PROMPT.fewest else 1
        for begin in range(0, len(numbers), together):
            group = numbers[begin : begin + together]
            start = _read_together(model, vocabulary, [prompts[number] for number in group], threads)
            for column, number in enumerate(group):
                logits[number], states[number] = start.logits[column], start.state.select([column])
    whole = State.concatenate(state for state in states if state)
    return Start(np.stack([row for row in logits if row is not None]), whole)


def _read_together(model: LanguageModel, vocabulary: Vocabulary, prompts: list[str], threads: int) -> Start:
    """Read B prompts of one length."""
    ids = np.stack([vocabulary.encode(prompt) for prompt in prompts], axis=1)  # (T, B)
    ids = np.concatenate([np.full((1, len(prompts)), vocabulary.start, dtype=vocabulary.dtype), ids])  # (T + 1, B)
    state = model.zero_state(len(prompts))
    if len(prompts) == 1:
        state = read_in_parts(model, ids[:-1, 0], state, threads)
    else:
        state = read_long(model, ids[:-1], state)
    return Start(*model.step(ids[-1].astype(np.int64), state))


def choose_seed(settings: SampleSettings) -> int:
    """The seed that was given, or a fresh one: small enough for programs whose numbers are all floating-point."""
    return secrets.randbits(53) if settings.seed is None else settings.seed


def _generator(settings: SampleSettings, sample: int) -> np.random.Generator:
    """The random numbers of a sample of a seed."""
    return np.random.Generator(np.random.PCG64([choose_seed(settings), sample]))


def generate(
    model: LanguageModel, vocabulary: Vocabulary, start: Start, settings: SampleSettings, first: int = 0
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Continue B starts together, a character a step.

    Args:
        model, vocabulary: what predicts the characters, and which they are.
        start: of the B samples that advance together.
        settings: its seed must be given; its count is not looked at.
        first: number of the first of these samples, which chooses its random numbers.

    Yields:
        for each step the numbers of the samples that still run, and the ids that they drew.
    """
    running = np.arange(start.logits.shape[0])
    generators = [_generator(settings, first + int(sample)) for sample in running]
    stops = [StopWatch(settings.stop) for _ in running]
    logits, state = start.logits, start.state
    for t in range(settings.length):
        if t % DRAWN_AHEAD == 0:
            uniforms = np.stack([generator.random(DRAWN_AHEAD) for generator in generators], axis=1)
        ids = draw(_unnormalised(logits, settings), uniforms[t % DRAWN_AHEAD, running])
        yield running, ids
        if settings.stop:
            characters = vocabulary.decode(ids)
            alive = np.array([not stops[sample].saw(c) for sample, c in zip(running, characters, strict=True)])
            if not alive.all():
                running, ids, state = running[alive], ids[alive], state.select(alive)
        if not len(running) or t == settings.length - 1:
            return
        logits, state = model.step(ids, state)


def whole_texts(
    steps: Iterable[tuple[NDArray[np.intp], NDArray[np.intp]]], vocabulary: Vocabulary, count: int
) -> list[str]:
    """What `generate` writes in so many samples, as texts."""
    drawn = [(samples, ids.astype(vocabulary.dtype)) for samples, ids in steps]
    table = np.full((len(drawn), count), UNKNOWN, dtype=vocabulary.dtype)  # which is never drawn
    for row, (samples, ids) in zip(table, drawn, strict=True):
        row[samples] = ids
    return [vocabulary.decode(column[column != UNKNOWN]) for column in table.T]


def stream_one(model: LanguageModel, vocabulary: Vocabulary, start: Start, settings: SampleSettings) -> Iterator[str]:
    """As `generate`, for one sample: yields its characters, as they are drawn."""
    if settings.temperature and settings == _without_rules(settings):
        return _stream_plainly(model, vocabulary, start, settings)
    return (vocabulary.decode(ids) for _, ids in generate(model, vocabulary, start, settings))


def _without_rules(settings: SampleSettings) -> SampleSettings:
    """The same settings under temperature alone: every other rule, also one that is added later, is left out."""
    return SampleSettings(
        length=settings.length,
        temperature=settings.temperature,
        count=settings.count,
        seed=settings.seed,
        stop=settings.stop,
    )


def _stream_plainly(
    model: LanguageModel, vocabulary: Vocabulary, start: Start, settings: SampleSettings
) -> Iterator[str]:
    """One sample under temperature alone: what `probabilities` and `draw` do, in as few numpy calls as can be."""
    generator = _generator(settings, 0)
    stop = StopWatch(settings.stop)
    logits, state = start.logits, start.state
    characters = vocabulary.characters
    for t in range(settings.length):
        sums = logits[0, UNKNOWN + 1 :].astype(np.float64)
        sums -= sums.max()
        if settings.temperature != 1:
            with np.errstate(over="ignore"):  # a temperature next to nothing makes -inf, which is right
                sums /= settings.temperature
        np.exp(sums, out=sums)
        np.cumsum(sums, out=sums)
        index = int(sums.searchsorted(generator.random() * sums[-1], side="right"))  # there is one, see `draw`
        yield characters[index]
        if stop.saw(characters[index]) or t == settings.length - 1:
            return
        logits, state = model.step(np.array([index + 1]), state)


class StopWatch:
    """Watches a sample for the texts that end it."""

    def __init__(self, stops: Iterable[str | bytes]) -> None:
        self._stops = tuple(from_bytes(stop) if isinstance(stop, bytes) else stop for stop in stops)
        self._longest = max(map(len, self._stops), default=0)
        self._tail = ""

    def saw(self, character: str) -> bool:
        """Take one more character; say whether the sample now ends with a stop text."""
        if not self._stops:
            return False
        self._tail = (self._tail + character)[-self._longest :]
        return self._tail.endswith(self._stops)

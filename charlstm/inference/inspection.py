"""What happens inside a trained network: how open its gates are, how long its units remember, what they stand for.

A unit's value is what it holds after a character, from -1 to 1 (`Trace.units`): tanh of the cell state of an lstm, the
hidden state of others. Figures only, nothing drawn; knows nothing about files. Texts may be larger than memory.

    half-life of a unit       ln 2 / -mean(ln f): characters after which half of what it held is left, f being the gate
                              that keeps, averaged over the text (a constant f gives ln 2 / -ln f)
    correlation               Pearson's, of a unit's value with a property of the text, over all characters

Shapes: T time steps, L layers, G gates, H hidden units, P properties. Layers and units are counted from 0.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data.reading import ended, lines_of
from ..data.vocabulary import Vocabulary
from ..errors import TextError, UsageError
from ..models.interface import NUMBERS_AT_ONCE, Floats, State, read_long
from ..models.numpy_lstm import GATE_NAMES, KEEPING_GATE, NumpyNetwork, Trace
from .parallel import Division, Parts
from .properties import PROPERTIES, PropertyReader

IN_PARTS = Division(most=32, longest=4096)
"""How a long text is divided into parts that are read side by side."""
OPEN, CLOSED = 0.9, 0.1
"""A gate above or below is called open or closed (Karpathy, Johnson and Li 2015)."""
LEAST_VARIANCE = 1e-9
"""A unit that varies by less counts as one that never changes: below is rounding."""
LONGEST = float(1 << 20)
"""Characters: a half-life beyond is not told from no forgetting at all."""


class Stretch(NamedTuple):
    """Characters that were read one after the other, with what happened inside the network."""

    text: str
    trace: Trace
    """Of one stream: (T, 1, ...)"""
    first: bool
    """Whether the network began here from the zero state: at the start of a text, or of a line of a model of lines."""


def observe(
    network: NumpyNetwork, vocabulary: Vocabulary, pieces: Iterable[str], *, lines: bool = False
) -> Iterator[Stretch]:
    """Read a text that comes in pieces, and look inside; memory does not depend on its length.

    Args:
        network, vocabulary: a model's.
        pieces: the text.
        lines: whether each line is a text of its own, as for a model of lines; the last gets a newline if it has none.
    """
    before = after_start(network, vocabulary)
    texts = (line for group in lines_of(ended(pieces)) for line in group) if lines else iter(pieces)
    state, first = before, True
    for text in texts:
        for begin in range(0, len(text), _steps(network)):
            part = text[begin : begin + _steps(network)]
            trace, state = network.trace(_ids(vocabulary, part)[:, None], state)
            yield Stretch(part, trace, first)
            first = False
        if lines:
            state, first = before, True


def after_start(network: NumpyNetwork, vocabulary: Vocabulary) -> State:
    """The state of one stream that has read the start symbol alone."""
    return network.read(np.array([[vocabulary.start]]), network.zero_state(1))


def _ids(vocabulary: Vocabulary, text: str) -> NDArray[np.int64]:
    return vocabulary.encode(text).astype(np.int64)


def _steps(network: NumpyNetwork, batch_size: int = 1) -> int:
    """Time steps to trace at once."""
    settings = network.settings
    return max(1, NUMBERS_AT_ONCE // (settings.layers * (settings.gates + 2) * settings.hidden * batch_size))


# ---------------------------------------------------------------------------------------- a value for each character


def unit_values(stretch: Stretch, layer: int, unit: int) -> Floats:
    """What one unit holds after each character: (T,), from -1 to 1."""
    values: Floats = stretch.trace.units[:, 0, layer, unit]
    return values


def gate_values(stretch: Stretch, gate: int, layer: int | None = None) -> Floats:
    """How open a gate is at each character: (T,), from 0 to 1; the mean of a layer's units, or of all layers'."""
    gates = stretch.trace.gates[:, 0, :, gate]  # (T, L, H)
    values: Floats = gates.mean(axis=(1, 2)) if layer is None else gates[:, layer].mean(axis=1)
    return values


def check_unit(network: NumpyNetwork, layer: int, unit: int | None = None) -> None:
    """See that there is such a layer, and such a unit in it.

    Raises:
        UsageError: there is none; layers and units are counted from 1 in the message.
    """
    settings = network.settings
    if not 0 <= layer < settings.layers:
        raise UsageError(f"there is no layer {layer + 1}: this model has layers 1 to {settings.layers}")
    if unit is not None and not 0 <= unit < settings.hidden:
        raise UsageError(f"there is no unit {unit + 1}: each layer of this model has units 1 to {settings.hidden}")


def gate_index(network: NumpyNetwork, name: str) -> int:
    """The position of a gate in `Trace.gates`.

    Raises:
        UsageError: cells of this type have no such gate.
    """
    names = [gate for gate in GATE_NAMES[network.settings.cell] if gate != "candidate"]
    if name not in names:
        has = f"has the gates {', '.join(names)}" if names else "has no gates"
        raise UsageError(f"there is no {name} gate: a cell of this model, {network.settings.cell}, {has}")
    return names.index(name)


# ---------------------------------------------------------------------------------------- a whole text in figures


@dataclass(frozen=True)
class GateUse:
    """How a gate of a layer is used: over all its units and all characters."""

    mean: float
    open: float
    """Fraction of the values above OPEN."""
    closed: float
    """Fraction below CLOSED."""


@dataclass(frozen=True)
class Correlation:
    """How a unit goes with a property."""

    layer: int
    unit: int
    r: float
    """Pearson's correlation."""


@dataclass(frozen=True)
class Report:
    """What was seen of a network while it read a text."""

    characters: int
    gates: list[dict[str, GateUse]]
    """By layer and name; empty for cells without gates."""
    half_lives: NDArray[np.float64]
    """(L, H) in characters, infinite beyond LONGEST; (L, 0) for cells without a gate that keeps."""
    correlations: dict[str, NDArray[np.float64]]
    """(L, H) for each property that is not the same all over the text; 0 for a unit that never changes."""

    def ranked(self, name: str, most: int = 3) -> list[Correlation]:
        """The units that go with a property best, the best first."""
        table = self.correlations[name]
        order = np.argsort(-np.abs(table), axis=None, kind="stable")[:most]
        indices = zip(*np.unravel_index(order, table.shape), strict=True)
        return [Correlation(int(layer), int(unit), float(table[layer, unit])) for layer, unit in indices]


def report(network: NumpyNetwork, vocabulary: Vocabulary, pieces: Iterable[str], *, lines: bool = False) -> Report:
    """Read a text and sum up what happened inside; see `observe`.

    Raises:
        TextError: the text is empty.
    """
    gates, sums = _GateSums(network), _CorrelationSums(network.settings.layers * network.settings.hidden)
    for trace, properties in (_of_lines if lines else _of_one_text)(network, vocabulary, pieces):
        gates.add(trace.gates.reshape(len(properties), *trace.gates.shape[2:]))
        sums.add(trace.units.reshape(len(properties), -1).astype(np.float64), properties)
    if not sums.count:
        raise TextError("the text is empty: there is nothing to inspect")
    table = sums.correlations()  # (L H, P)
    shape = (network.settings.layers, network.settings.hidden)
    found = {name: column.reshape(shape) for name, column in zip(PROPERTIES, table.T, strict=True)}
    changing = {name: values for name, values in found.items() if not np.isnan(values).all()}
    return Report(sums.count, gates.uses(), gates.half_lives(), changing)


Observed = tuple[Trace, NDArray[np.float64]]
"""T characters of each of B streams, and the properties (T x B, P) of each."""


def _of_lines(network: NumpyNetwork, vocabulary: Vocabulary, pieces: Iterable[str]) -> Iterator[Observed]:
    """Each line as a text of its own."""
    reader = PropertyReader(as_bytes=vocabulary.as_bytes)
    for stretch in observe(network, vocabulary, pieces, lines=True):
        reader = PropertyReader(as_bytes=vocabulary.as_bytes) if stretch.first else reader
        yield stretch.trace, reader.read(stretch.text)


def _of_one_text(network: NumpyNetwork, vocabulary: Vocabulary, pieces: Iterable[str]) -> Iterator[Observed]:
    """A text of any length, in order but for the parts of it that are read side by side."""
    reader, state = PropertyReader(as_bytes=vocabulary.as_bytes), after_start(network, vocabulary)
    for text in _blocks(pieces, IN_PARTS.block):
        count = IN_PARTS.parts(len(text))
        length = len(text) // count if count > 1 else 0  # what does not fill the parts is read after them
        if length:
            ids = _ids(vocabulary, text[: count * length]).reshape(count, length)  # (B, T)
            properties = reader.read(text[: count * length]).reshape(count, length, -1)  # (B, T, P)
            begins, state = _begins(network, ids, state)
            yield from _traced(network, ids.T, properties.swapaxes(0, 1), begins)
        rest = text[count * length :]
        if rest:
            state = yield from _traced(network, _ids(vocabulary, rest)[:, None], reader.read(rest)[:, None], state)


def _blocks(pieces: Iterable[str], size: int) -> Iterator[str]:
    """The same text in blocks of that many characters, but for the last."""
    waiting = ""
    for piece in pieces:
        waiting += piece
        while len(waiting) >= size:
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting:
        yield waiting


def _begins(network: NumpyNetwork, ids: NDArray[np.int64], state: State) -> tuple[State, State]:
    """The states at the beginnings of parts, ids (B, T), and the one after the last; all as in one stream."""
    block = ids.reshape(-1)

    def read(positions: NDArray[np.intp], before: State) -> State:
        return read_long(network, block[positions], before)

    parts = Parts(read, len(block), len(ids), IN_PARTS, threads=1)
    warm = read_long(network, block[: IN_PARTS.burn_in, None], state)
    after = parts.read(state, warm)
    return parts.begins(state), after


def _traced(
    network: NumpyNetwork, ids: NDArray[np.int64], properties: NDArray[np.float64], state: State
) -> Generator[Observed, None, State]:
    """Ids (T, B) and properties (T, B, P), a few time steps at once; returns the state after them."""
    steps = _steps(network, ids.shape[1])
    for begin in range(0, len(ids), steps):
        trace, state = network.trace(ids[begin : begin + steps], state)
        yield trace, properties[begin : begin + steps].reshape(-1, properties.shape[2])
    return state


class _GateSums:
    """Running sums over the gates of a text."""

    def __init__(self, network: NumpyNetwork) -> None:
        settings = network.settings
        self.names = [name for name in GATE_NAMES[settings.cell] if name != "candidate"]
        self.keeping = self.names.index(KEEPING_GATE[settings.cell]) if settings.cell in KEEPING_GATE else None
        self.sums = np.zeros((3, settings.layers, len(self.names)))  # of the values, of how many are open, and closed
        self.logs = np.zeros((settings.layers, settings.hidden if self.names else 0))
        self.count, self.hidden = 0, settings.hidden

    def add(self, values: Floats) -> None:
        """Gates (T, L, G, H), the candidate among them."""
        gates = values[:, :, : len(self.names)]
        self.count += len(gates)
        for total, part in zip(self.sums, (gates, gates > OPEN, gates < CLOSED), strict=True):
            total += part.sum(axis=(0, 3), dtype=np.float64)
        if self.keeping is not None:
            kept = gates[:, :, self.keeping].astype(np.float64)  # (T, L, H)
            self.logs += np.log(np.maximum(kept, np.finfo(np.float32).tiny)).sum(axis=0)

    def uses(self) -> list[dict[str, GateUse]]:
        means = (self.sums / max(1, self.count * self.hidden)).transpose(1, 2, 0)  # (L, G, 3)
        return [{name: GateUse(*map(float, row)) for name, row in zip(self.names, rows, strict=True)} for rows in means]

    def half_lives(self) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):
            lives = math.log(2) / (-self.logs / max(1, self.count))
        return np.where(np.abs(lives) > LONGEST, np.inf, lives)


class _CorrelationSums:
    """Running sums, in float64, for the correlations of U units, x, with P properties, y.

    r = (n Sxy - Sx Sy) / sqrt((n Sxx - Sx²) (n Syy - Sy²))
    """

    def __init__(self, units: int) -> None:
        properties = len(PROPERTIES)
        self.count = 0
        self.x, self.xx = np.zeros(units), np.zeros(units)
        self.y, self.yy = np.zeros(properties), np.zeros(properties)
        self.xy = np.zeros((units, properties))

    def add(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """Units (T, U) and properties (T, P) of the next T characters."""
        self.count += len(x)
        self.x += x.sum(axis=0)
        self.xx += (x * x).sum(axis=0)
        self.y += y.sum(axis=0)
        self.yy += (y * y).sum(axis=0)
        self.xy += x.T @ y

    def correlations(self) -> NDArray[np.float64]:
        """(U, P); not a number for a property that never changes, 0 for a unit that never does."""
        n = self.count
        covariance = n * self.xy - np.outer(self.x, self.y)
        x, y = n * self.xx - self.x**2, n * self.yy - self.y**2
        x[x <= LEAST_VARIANCE * n * n] = np.inf
        y[y <= LEAST_VARIANCE * n * n] = np.nan
        r: NDArray[np.float64] = covariance / np.sqrt(np.outer(x, y))
        return r

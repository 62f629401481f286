"""Texts to ids: the alphabet, and the split into a part to learn from and a part to validate on.

Knows nothing about networks. After this module a text is an array of ids, never one Python string, so that a
text may be larger than what a string of it would need.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import SMALLEST_TEXT
from ..errors import TextError
from .reading import PIECE, STANDARD_INPUT, SURROGATE, TextSource, find_files
from .vocabulary import UNKNOWN, Ids, Vocabulary, codepoints, from_codepoints, listed

NOTABLY_STRANGE = 0.02
"""Share of a validation text in characters that are not learnt from, beyond which its figures tell little."""


@dataclass(frozen=True)
class Reading:
    """How a corpus is read: all that is needed to read the same one again."""

    paths: Sequence[str] = ()
    """Files, folders, "-"."""
    texts: Sequence[str] = ()
    """Texts given directly, read after the files."""
    validation: Sequence[str] = ()
    """Files to validate on; when empty, a part of the text is held out."""
    val_fraction: float = 0.1
    """Fraction of the text that is held out."""
    lines: bool = False
    """Every line is a record."""
    min_count: int | None = None
    """Characters seen fewer times become the unknown symbol; None: 2, or 1 below 10,000 training characters."""
    known: Sequence[str] | None = None
    """A vocabulary to build on: its characters keep their ids, and new ones are added."""
    encoding: str = "utf-8"
    errors: str = "strict"
    """See TextSource."""

    @property
    def piped(self) -> bool:
        """Whether a text comes from standard input."""
        return STANDARD_INPUT in (*self.paths, *self.validation)

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON can hold them."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> Reading:
        """Rebuild from what `to_json` gave, after a trip through JSON."""
        return Reading(**values)


@dataclass
class Corpus:
    """A text as ids, cut into a part to learn from and a part to validate on."""

    vocabulary: Vocabulary
    training: Ids
    """Shape (characters,)."""
    validation: Ids
    """Shape (characters,); empty when nothing validates."""
    sources: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)

    @property
    def line_end(self) -> int:
        """The id of the newline character (UNKNOWN when the text has none)."""
        return int(self.vocabulary.encode("\n")[0])


class _Collector:
    """Gathers texts as provisional ids, in order of first appearance, so that every source is read once."""

    def __init__(self) -> None:
        self.table = np.full(0x110000, -1, dtype=np.int32)
        self.points: list[int] = []
        self.pieces: list[Ids] = []
        self.last = "\n"

    def add(self, text: str) -> None:
        points = codepoints(text)
        fresh = np.unique(points[self.table[points] < 0])
        self.table[fresh] = np.arange(len(self.points), len(self.points) + len(fresh))
        self.points.extend(fresh.tolist())
        kind = np.uint8 if len(self.points) <= 256 else np.uint16 if len(self.points) <= 65536 else np.uint32
        self.pieces.append(self.table[points].astype(kind))
        self.last = text[-1]

    def ids(self) -> Ids:
        """All pieces as one, which takes their place: a long text is not held twice."""
        self.pieces = [np.concatenate([np.zeros(0, dtype=np.uint8), *self.pieces])]
        return self.pieces[0]


def _collect(
    paths: Sequence[str | os.PathLike[str]], encoding: str, errors: str, texts: Iterable[str] = ()
) -> tuple[_Collector, list[dict[str, Any]], list[str]]:
    """Read texts one after the other; a text that does not end its last line is given a newline there."""
    files, notes = find_files(paths, encoding)
    collector = _Collector()
    facts = []
    for path in files:
        if collector.last != "\n":
            collector.add("\n")
        source = TextSource(path, encoding, errors)
        for piece in source:
            collector.add(piece)
        facts.append(source.facts(source.name if path == STANDARD_INPUT else _name_to_share(path, paths)))
        notes.extend(source.notes)
    for text in texts:
        if SURROGATE.search(text):
            raise TextError("text: it holds a lone surrogate, which is no character")
        if collector.last != "\n":
            collector.add("\n")
        if text:
            collector.add(text)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        facts.append({"name": "text", "characters": len(text), "bytes": len(text.encode()), "sha256": digest})
    return collector, facts, notes


def _name_to_share(path: str, named: Iterable[str | os.PathLike[str]]) -> str:
    """A file's name for a model that others may read: below a folder that was named, the way from there."""
    for folder in [os.fspath(one) for one in named]:
        if os.path.isdir(folder) and path.startswith(os.path.join(folder, "")):
            return os.path.join(os.path.basename(os.path.abspath(folder)), os.path.relpath(path, folder))
    return os.path.basename(path)


def read_corpus(reading: Reading) -> Corpus:
    """Read texts and turn them into ids.

    The vocabulary is made of the training part: validation characters that are not there are unknown.

    Raises:
        TextError: nothing to read, not readable, or too short (fewer than SMALLEST_TEXT characters).
    """
    lines, encoding, errors = reading.lines, reading.encoding, reading.errors
    known = None if reading.known is None else Vocabulary(reading.known)
    collector, sources, notes = _collect(reading.paths, encoding, errors, reading.texts)
    raw = collector.ids()
    if len(raw) < SMALLEST_TEXT:
        what = "the text is empty" if not len(raw) else f"the text has only {len(raw)} characters"
        raise TextError(f"{what}; training needs {SMALLEST_TEXT} characters or more, and does better with 100,000")
    newline = int(collector.table[ord("\n")])
    training, held = (
        (raw, raw[:0]) if reading.validation else _split(raw, reading.val_fraction, newline if lines else None)
    )
    counts = _counts(training, len(collector.points))
    wanted = reading.min_count or (1 if len(training) < 10_000 else 2)
    vocabulary, rare = _vocabulary(collector.points, counts, wanted, known)
    if lines and "\n" not in vocabulary:
        raise TextError("the text has no or too few line ends to learn; leave out --lines, or give one record a line")
    if rare:
        notes.append(_rare_note(rare, wanted))
    table = vocabulary.encode_points(np.array(collector.points, dtype=np.uint32))
    if reading.validation:
        held_ids, held_sources, held_notes = _read_ids(reading.validation, vocabulary, encoding, errors)
        notes += held_notes
        learnt = {facts["sha256"] for facts in sources}
        for facts in held_sources:
            if facts["sha256"] in learnt:
                notes.append(f"warning: {facts['name']}: is learnt from, too, so validation on it flatters")
        sources += [{**facts, "role": "validation"} for facts in held_sources]
    else:
        held_ids = table[held]
        if len(sources) > 1 and len(held) and not lines:
            name = _source_at(sources, len(training))
            notes.append(f"validating on the end of the text, from {name} on; texts of different kinds need --val")
    strange = float(np.mean(held_ids == UNKNOWN)) if len(held_ids) else 0.0
    if strange > NOTABLY_STRANGE:
        notes.append(f"warning: {strange:.0%} of the validation text are characters that are not learnt from")
    return Corpus(vocabulary, table[training], held_ids, sources, notes)


def _counts(ids: Ids, symbols: int) -> NDArray[np.int64]:
    """How often each symbol occurs, piece by piece: numpy widens all that it counts at once to eight bytes each."""
    counts = np.zeros(symbols, dtype=np.int64)
    for begin in range(0, len(ids), PIECE):
        counts += np.bincount(ids[begin : begin + PIECE], minlength=symbols)
    return counts


def _source_at(sources: list[dict[str, Any]], place: int) -> str:
    """The name of the text that a place is in, with all texts one after the other."""
    ends = np.cumsum([source["characters"] + 1 for source in sources])  # a newline may stand between two
    return str(sources[min(int(np.searchsorted(ends, place, side="right")), len(sources) - 1)]["name"])


def _read_ids(
    paths: Sequence[str | os.PathLike[str]], vocabulary: Vocabulary, encoding: str, errors: str
) -> tuple[Ids, list[dict[str, Any]], list[str]]:
    collector, sources, notes = _collect(paths, encoding, errors)
    ids = vocabulary.encode_points(np.array(collector.points, dtype=np.uint32))[collector.ids()]
    if not len(ids):
        raise TextError("the validation text is empty; give one with text in it, or leave out --val")
    return ids, sources, notes


def line_bounds(ids: Ids, line_end: int) -> NDArray[np.int64]:
    """Where each line of a text begins, and last the text's length; a newline belongs to the line before it."""
    bounds = np.concatenate([[0], np.flatnonzero(ids == line_end) + 1])
    return bounds if bounds[-1] == len(ids) else np.append(bounds, len(ids))


def _split(ids: Ids, fraction: float, newline: int | None) -> tuple[Ids, Ids]:
    if newline is None:
        cut = len(ids) - int(len(ids) * fraction)
        return ids[:cut], ids[cut:]
    if not fraction:
        return ids, ids[:0]
    lengths = np.diff(line_bounds(ids, newline))  # (lines,)
    count = len(lengths)
    if count < 2:
        raise TextError("the text has one line only; leave out --lines, or give one record a line")
    kept_back = min(max(1, round(count * fraction)), count - 1)
    held = np.zeros(count, dtype=bool)
    held[((np.arange(kept_back) + 0.5) * count / kept_back).astype(int)] = True
    mask = np.repeat(held, lengths)  # (characters,)
    return ids[~mask], ids[mask]


def _vocabulary(
    points: list[int], counts: NDArray[np.int64], wanted: int, known: Vocabulary | None
) -> tuple[Vocabulary, list[str]]:
    characters = from_codepoints(np.array(points, dtype=np.uint32))
    kept = sorted(c for c, n in zip(characters, counts, strict=True) if n >= wanted)
    rare = sorted(c for c, n in zip(characters, counts, strict=True) if 0 < n < wanted)
    if not kept and not known:
        raise TextError(f"no character is seen {wanted} times; give more text or a smaller --min-count")
    vocabulary = known.grown(kept) if known else Vocabulary(kept)
    return vocabulary, [c for c in rare if c not in vocabulary]


def _rare_note(rare: list[str], wanted: int) -> str:
    what = "1 character occurs" if len(rare) == 1 else f"{len(rare)} characters occur"
    often = "only once" if wanted == 2 else f"fewer than {wanted} times"
    return f"{what} {often}, to be treated as unknown: {listed(rare)}"

"""Texts to ids: the vocabulary, the training part and the held-out part.

Knows nothing about networks. After this module a text is an array of ids, never one Python string, so that a
text may be larger than what a string of it would need.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import SHORT_TEXT, SMALLEST_TEXT, NormalizeName, SplitName
from ..errors import TextError, counted
from .cache import key_of, load, save
from .characters import ROOM, listed
from .collecting import FROM_A_PIPE, FROM_STANDARD_INPUT, Collected, collect, name_to_keep
from .files import find_files
from .held_out import Contexts, no_contexts
from .mapping import ArrayWriter, IdFile, check_room, count_of, default_folder, is_mapped, sampled
from .repeats import repeated_lines, repeated_passages
from .split import NOWHERE, Boundaries, Split, last_lines, random_lines, spread_blocks, the_end
from .streams import STANDARD_INPUT
from .tables import DELIMITERS, row_length
from .vocabulary import UNKNOWN, Ids, Vocabulary, from_codepoints

NOTABLE_UNKNOWN = 0.02
"""Fraction of unknown characters in the held-out part beyond which its figure says little."""
NOTABLE_REPEATS = 0.1
"""Fraction of the held-out part that is in the training part word for word, beyond which its figure flatters."""
CHECKED, CHECKED_STRETCHES = 1 << 20, 64
"""Characters of each part that its checksum is taken of, and from how many stretches."""
NOTABLE_RARE = 0.002
"""Fraction of the training characters that are too rare for the vocabulary, from which bytes are a choice."""


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
    val_split: SplitName = "spread"
    """Which part is held out: "spread" (blocks all over the text; of lines, distinct ones at random) or "end"."""
    seed: int = 0
    """Decides which part that is."""
    lines: bool = False
    """Every line is a record."""
    min_count: int | None = None
    """Characters seen fewer times become the unknown symbol; None: 2, or 1 in a training part below SHORT_TEXT."""
    known: Sequence[str] | None = None
    """A vocabulary to build on: its characters keep their ids, and new ones are added."""
    encoding: str | None = "utf-8"
    errors: str = "strict"
    normalize: NormalizeName | None = None
    """See TextSource; without an encoding, the vocabulary is that of bytes."""
    cache: str | None = None
    """A folder where the ids of a large text are kept for other runs; None: see `default_folder`, for this run only."""

    def decoding(self) -> dict[str, Any]:
        """How bytes become text, as keyword arguments of `collect`."""
        named = {name: getattr(self, name) for name in ("lines", "encoding", "errors", "normalize")}
        return {**named, "folder": self.cache}

    @property
    def unit(self) -> str:
        """What the text consists of, in words."""
        return "characters" if self.encoding is not None else "bytes"

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
    """A text as ids, split into a training part and a held-out part."""

    vocabulary: Vocabulary
    training: Ids
    """Shape (characters,)."""
    validation: Ids
    """The held-out part, shape (characters,); empty when there is none."""
    contexts: Contexts
    """What stands before each of its blocks."""
    sources: list[dict[str, Any]]
    """A name, sizes and SHA-256 of each text, and the role of those that only validate."""
    notes: list[str] = field(default_factory=list)
    """What a person should be told about the texts."""
    held_out: str = ""
    """What the held-out part is, in words; empty when there is none."""

    def checksum(self) -> str:
        """SHA-256 of what decides what a run learns and is measured on: the vocabulary, and samples of both parts."""
        digest = hashlib.sha256("".join(self.vocabulary.characters).encode())
        for part in (self.training, self.validation):
            some = sampled(part, CHECKED, CHECKED_STRETCHES)
            digest.update(f"{len(part)} ".encode() + np.ascontiguousarray(some, some.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

    @property
    def line_end(self) -> int:
        """The id of the newline character (UNKNOWN when the vocabulary has none)."""
        return int(self.vocabulary.encode("\n")[0])

    @property
    def mean_line(self) -> float:
        """Characters of a line of the training part, on average; its length where no line ends. Reads all of it."""
        ends = count_of(self.training, self.line_end) if self.line_end != UNKNOWN else 0
        return len(self.training) / max(1, ends)


def read_corpus(reading: Reading) -> Corpus:
    """Read texts and turn them into ids.

    The vocabulary is made of the training part: validation characters that are not there are unknown.

    Raises:
        TextError: nothing to read, not readable, or too short (fewer than SMALLEST_TEXT characters).
        OutputError: the ids of a long text cannot be written.
        UsageError: "-" is given twice, or there is no such encoding.
    """
    key = _key(reading)
    corpus = _kept(reading, key) if key else None
    if corpus is None:
        corpus = _read(reading)
        if key and is_mapped(corpus.training):
            if _key(reading) != key:
                raise TextError("a text was changed while it was read; give a copy that nothing writes to")
            corpus = _keep(corpus, reading, key)
    if is_mapped(corpus.training):
        corpus.notes.append(_where(corpus, reading, key is not None))
    return corpus


def _read(reading: Reading) -> Corpus:
    text = _collected(reading)
    split = _split(text, reading)
    total = _trained_on(text, split)
    vocabulary, notes = _vocabulary(text.points, total, reading)
    contexts = _contexts(text, split, vocabulary, reading)
    training, held_out = _parted(text, split, vocabulary, reading)
    corpus = Corpus(vocabulary, training, held_out, contexts, text.sources, text.notes + notes, split.description)
    corpus.notes += [split.note] if split.note else []
    if reading.validation:
        _read_validation(corpus, reading)
    corpus.notes.extend(_warnings(corpus, reading))
    return corpus


def _key(reading: Reading) -> str | None:
    """What the ids of a large text are kept under, if they are to be kept."""
    if reading.cache is None:
        return None
    named = {role: getattr(reading, role) for role in ("paths", "validation")}
    files = {role: find_files(paths, reading.encoding)[0] for role, paths in named.items()}
    names = {role: [name_to_keep(path, named[role]) for path in found] for role, found in files.items()}
    return key_of({**reading.to_json(), **names, "cache": None}, [*files["paths"], *files["validation"]])


_FACTS = ("sources", "notes", "held_out")
"""What is kept of a corpus beside its ids and its vocabulary, by attribute."""


def _keep(corpus: Corpus, reading: Reading, key: str) -> Corpus:
    """Keep the ids of a large text, and give the corpus as it is kept."""
    facts = {name: getattr(corpus, name) for name in _FACTS} | {"vocabulary": corpus.vocabulary.characters}
    facts["contexts"] = [corpus.contexts.begins.tolist(), corpus.contexts.lengths.tolist()]
    save(str(reading.cache), key, facts, [corpus.training, corpus.validation, corpus.contexts.ids])
    return _kept(reading, key) or corpus


def _kept(reading: Reading, key: str) -> Corpus | None:
    found = load(str(reading.cache), key)
    if found is None:
        return None
    facts, (training, validation, before) = found
    vocabulary = Vocabulary(facts["vocabulary"], as_bytes=reading.encoding is None)
    begins, lengths = (np.array(numbers, dtype=np.int64) for numbers in facts["contexts"])
    contexts = Contexts(begins, lengths, before)
    return Corpus(vocabulary, training, validation, contexts, **{name: facts[name] for name in _FACTS})


def _collected(reading: Reading) -> Collected:
    text = collect(reading.paths, reading.texts, **reading.decoding())
    count = len(text.ids)
    if count < SMALLEST_TEXT:
        needed = f"training needs {SMALLEST_TEXT} {reading.unit} or more, and does better with 100,000"
        raise TextError(f"{_how_short(text, reading.unit)}; {needed}")
    if reading.lines and count_of(text.ids, text.symbol("\n")) < 2:
        raise TextError("the text has one line only; leave out --lines, or give one record a line")
    return text


def _how_short(text: Collected, unit: str) -> str:
    count = len(text.ids)
    blank = sum(source["characters"] for source in text.sources) > count  # lines that were left out
    if not count:
        return "the text has blank lines only" if blank else "the text is empty"
    return f"the text has only {counted(count, unit[:-1])}{', its blank lines left out' if blank else ''}"


def _where(corpus: Corpus, reading: Reading, kept: bool) -> str:
    """Where the ids of a large text are, for a person."""
    size, folder = (corpus.training.nbytes + corpus.validation.nbytes) / 1e6, reading.cache or default_folder()
    until = "where they are kept" if kept else "and removed when the run ends"
    return f"the text is large: its ids, {size:,.0f} MB, are mapped from {folder}, {until}"


def _trained_on(text: Collected, split: Split) -> NDArray[np.int64]:
    """(symbols,) how often each symbol of a text occurs in its training part."""
    total = np.zeros(len(text.points), dtype=np.int64)
    for some, _ in split.cut(text.ids):
        total += np.bincount(some, minlength=len(total))
    return total


def _contexts(text: Collected, split: Split, vocabulary: Vocabulary, reading: Reading) -> Contexts:
    """What stands before the blocks that are held out; a record has no context, nor has the end of a text.

    The latter is scored as others do who hold it out.
    """
    if reading.lines or reading.val_split == "end":
        return no_contexts()
    contexts = Contexts.of(text.ids, split.blocks)
    return dataclasses.replace(contexts, ids=vocabulary.encode_points(text.points)[contexts.ids])


def _parted(text: Collected, split: Split, vocabulary: Vocabulary, reading: Reading) -> list[Ids]:
    """The training part and the held-out part of a text as the vocabulary's ids; mapped where the text is."""
    table = vocabulary.encode_points(text.points)  # (symbols,)
    parts = _parts(text, [len(text.ids) - split.held_out, split.held_out], table.dtype, reading)
    for both in split.cut(text.ids):
        for part, ids in enumerate(both):
            parts.append(part, table.take(ids, mode="clip"))
    text.ids = text.ids[:0]  # a long text is not held twice
    return parts.arrays()


def _parts(text: Collected, lengths: Sequence[int], dtype: np.dtype[Any], reading: Reading) -> ArrayWriter:
    if not is_mapped(text.ids):
        return ArrayWriter(dtype, lengths, None)
    folder = reading.cache or default_folder()
    check_room(folder, sum(lengths) * dtype.itemsize)
    return ArrayWriter(dtype, lengths, IdFile(folder))


def _split(text: Collected, reading: Reading) -> Split:
    """What is held out."""
    fraction = 0.0 if reading.validation else reading.val_fraction
    newline = text.symbol("\n")
    if not fraction:
        return Split(NOWHERE, "")
    if reading.lines and reading.val_split == "end":
        return last_lines(text.ids, fraction, newline)
    if reading.lines:
        return random_lines(text.ids, fraction, newline, reading.seed)
    if reading.val_split == "end":
        return the_end(text.ids, fraction, reading.unit)
    row = row_length(text.ids, newline, filter(lambda symbol: symbol >= 0, map(text.symbol, DELIMITERS)))
    where = Boundaries(text.ids, text.starts, newline, text.symbol(" "), row)
    return spread_blocks(where, fraction, reading.seed, reading.unit)


def _vocabulary(points: NDArray[np.uint32], total: NDArray[np.int64], reading: Reading) -> tuple[Vocabulary, list[str]]:
    """The vocabulary of a training part, and a note on the characters that are too rare for it.

    Args:
        points: the code point of each symbol.
        total: how often each occurs there.
        reading: what is asked for.
    """
    if reading.encoding is None:
        return Vocabulary.of_bytes(), []
    least = reading.min_count or (1 if total.sum() < SHORT_TEXT else 2)
    occurring = list(zip(from_codepoints(points), total.tolist(), strict=True))
    kept = sorted(character for character, count in occurring if count >= least)
    if not kept and not reading.known:
        raise TextError(f"no character is seen {counted(least, 'time')}; give more text or a smaller --min-count")
    vocabulary = Vocabulary(reading.known).grown(kept) if reading.known is not None else Vocabulary(kept)
    if reading.lines and "\n" not in vocabulary:
        raise TextError("the text has too few line ends to train on; leave out --lines, or give one record a line")
    rare = {one: count for one, count in occurring if 0 < count < least and one not in vocabulary}
    notes = [_rare_note(sorted(rare), least, sum(rare.values()) / int(total.sum()))] if rare else []
    return vocabulary, notes


def _rare_note(rare: list[str], least: int, fraction: float) -> str:
    what = f"{counted(len(rare), 'character')} {'occurs' if len(rare) == 1 else 'occur'}"
    often = "only once" if least == 2 else f"fewer than {least:,} times"
    remedy = ""
    if fraction >= NOTABLE_RARE and least <= 2:  # a larger one was asked for
        remedy = "; a model of bytes (--bytes) can write them all, and predicts such a text about as well"
    return f"{what} {often}, to be treated as unknown: {listed(rare, ROOM - len(remedy))}{remedy}"


def _read_validation(corpus: Corpus, reading: Reading) -> None:
    """Read the files that were named to validate on."""
    text = collect(reading.validation, **reading.decoding())
    if not len(text.ids):
        raise TextError("the validation text is empty; give one with text in it, or leave out --val")
    names = [source["name"] for source in text.sources]
    corpus.validation, _ = _parted(text, Split(NOWHERE, ""), corpus.vocabulary, reading)
    only = names[0] if names[0] in (FROM_STANDARD_INPUT, FROM_A_PIPE) else f"the file {names[0]}"
    corpus.held_out = only if len(names) == 1 else f"{len(names)} files: {', '.join(names[:3])}"
    if len(names) > 3:
        corpus.held_out += " ..."
    corpus.notes.extend(text.notes)
    corpus.sources = [*corpus.sources, *({**source, "role": "validation"} for source in text.sources)]


def _warnings(corpus: Corpus, reading: Reading) -> list[str]:
    """What makes the figure of the held-out part say little, or flatter."""
    if not len(corpus.validation):
        nothing = f"--val-fraction {reading.val_fraction:g} of so short a text is nothing, so the run is not validated"
        short = 0 < reading.val_fraction * len(corpus.training) < 1
        return [f"warning: {nothing}; hold out more, or name a text with --val"] if short else []
    warnings = []
    training = {source["sha256"] for source in corpus.sources if "role" not in source}
    twins = [source for source in corpus.sources if "role" in source and source["sha256"] in training]
    warnings += [f"warning: {source['name']}: is trained on, too, so validation on it flatters" for source in twins]
    unknown = count_of(corpus.validation, UNKNOWN) / len(corpus.validation)
    if unknown > NOTABLE_UNKNOWN:
        warnings.append(f"warning: {unknown:.0%} of the held-out characters are not in the training part")
    if not twins:
        warnings += _repeats_noted(corpus, reading)
    return warnings


def _repeats_noted(corpus: Corpus, reading: Reading) -> list[str]:
    if reading.lines:
        separated = not reading.validation and reading.val_split == "spread"  # equal lines are on one side
        fraction = 0.0 if separated else repeated_lines(corpus.validation, corpus.training, corpus.line_end)
        what = "lines"
    else:
        fraction, what = repeated_passages(corpus.validation, corpus.training), "text"
    if fraction < NOTABLE_REPEATS:
        return []
    return [
        f"warning: {fraction:.0%} of the held-out {what} also stand{'' if reading.lines else 's'} word for word in the "
        "training part, so the validation figure flatters"
    ]

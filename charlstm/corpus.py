"""Texts to ids: reading files, folders, streams and compressed text; splitting; parallel streams and records.

Knows nothing about networks. After this module a text is an array of ids, never one Python string, so that a
text may be larger than what a string of it would need.
"""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import hashlib
import io
import lzma
import os
import re
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .errors import TextError, UsageError
from .settings import SMALLEST_TEXT
from .vocabulary import UNKNOWN, Ids, Vocabulary, codepoints, from_codepoints

PIECE = 1 << 20
"""Bytes read at a time: large enough for numpy to be busy, small enough that memory stays flat."""

STANDARD_INPUT = "-"
NOTABLY_STRANGE = 0.02
"""Share of a validation text in characters that are not learnt from, beyond which its figures tell little."""

_SURROGATE = re.compile("[\ud800-\udfff]")

_MAGIC: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b\x08", gzip.open),
    *((b"BZh%d1AY&SY" % level, bz2.open) for level in range(1, 10)),
    *((b"BZh%d\x17rE8P\x90" % level, bz2.open) for level in range(1, 10)),  # the empty text
    (b"\xfd7zXZ\x00", lzma.open),
)


# ---------------------------------------------------------------------------------------------- reading


class TextSource:
    """One file or stream, decoded piece by piece; iterate over it once.

    A byte order mark is dropped; CRLF and lone CR become LF. What was met on the way stands in `notes`.

    Args:
        path: a file's path, or "-" for standard input.
        encoding: any encoding that Python knows.
        errors: "strict" or "replace": what to do with bytes that do not decode.

    Raises (while iterating):
        TextError: the file cannot be read, its compression is broken, or its bytes do not decode.
        UsageError: there is no such encoding, or no such way to treat errors.
    """

    def __init__(self, path: str | os.PathLike[str], encoding: str = "utf-8", errors: str = "strict") -> None:
        self.path = os.fspath(path)
        self.name = "standard input" if self.path == STANDARD_INPUT else self.path
        self.notes: list[str] = []
        self.characters = 0
        self.bytes = 0
        if errors not in ("strict", "replace"):
            raise UsageError(f"errors must be strict or replace, and is {errors!r:.60}")
        self._errors = errors
        self._hash = hashlib.sha256()
        self._codec = _codec(encoding)

    def facts(self, name: str) -> dict[str, Any]:
        """What is worth keeping about a text that was read: a name, sizes, SHA-256 of its (unpacked) bytes."""
        return {
            "name": name,
            "characters": self.characters,
            "bytes": self.bytes,
            "sha256": self._hash.hexdigest(),
        }

    def __iter__(self) -> Iterator[str]:
        try:
            with _open(self.path) as stream:
                yield from self._decoded(stream)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise TextError(f"{self.name}: the compressed text is cut short or damaged ({error})") from error
        except OSError as error:
            raise TextError(f"{self.name}: cannot read it: {error.strerror or error}") from error

    def _decoded(self, stream: IO[bytes]) -> Iterator[str]:
        decoder = self._codec.incrementaldecoder(self._errors)
        newlines = io.IncrementalNewlineDecoder(None, translate=True)
        first = True
        while True:
            piece = stream.read1(PIECE)  # type: ignore[attr-defined]
            text = newlines.decode(self._decode(decoder, piece), final=not piece)
            self._hash.update(piece)
            self.bytes += len(piece)
            if first and text:
                text = text.removeprefix("\ufeff")
                first = False
            self.characters += len(text)
            if text:
                yield text
            if not piece:
                break
        self._note_newlines(newlines.newlines)

    def _decode(self, decoder: codecs.IncrementalDecoder, piece: bytes) -> str:
        waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            offset = self.bytes - waiting + error.start
            raise TextError(
                f"{self.name}: byte {offset} is not {self._codec.name} ({error.reason}); "
                "name the right --encoding, or give --encoding-errors replace"
            ) from error
        except UnicodeError as error:  # such as UTF-16 without its mark
            raise TextError(
                f"{self.name}: it is not {self._codec.name} ({error}); name the right --encoding"
            ) from error
        if self._codec.name != "utf-8" and _SURROGATE.search(text):
            raise TextError(f"{self.name}: it holds a lone surrogate, which is no character")
        return text

    def _note_newlines(self, seen: object) -> None:
        kinds = seen if isinstance(seen, tuple) else (seen,)
        if "\r\n" in kinds:
            self.notes.append(f"{self.name}: line ends CRLF became LF")
        if "\r" in kinds:
            self.notes.append(f"{self.name}: line ends CR became LF")


def _codec(encoding: str) -> codecs.CodecInfo:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding)  # refuses codecs such as base64, which are none of text
        codec = codecs.lookup(encoding)
        codec.incrementaldecoder().decode(b"")
    except (LookupError, ValueError) as error:
        raise UsageError(f"no such text encoding: {encoding!r}; try utf-8, latin-1 or cp1252") from error
    return codec


def lines_of(pieces: Iterable[str]) -> Iterator[list[str]]:
    """The lines that become whole with each piece, each with its newline; last, one that lacks it."""
    waiting: list[str] = []
    for piece in pieces:
        *whole, rest = piece.split("\n")
        if whole:
            whole[0] = "".join(waiting) + whole[0]
            waiting = []
            yield [line + "\n" for line in whole]
        if rest:
            waiting.append(rest)
    if waiting:
        yield ["".join(waiting)]


def read_pieces(
    paths: Sequence[str | os.PathLike[str]],
    encoding: str = "utf-8",
    errors: str = "strict",
    note: Callable[[str], None] = lambda _: None,
    *,
    end_lines: bool = False,
) -> Iterator[str]:
    """The texts of files, folders and "-", one after the other as `cat` joins them, in pieces.

    Args:
        note: called with each thing that a user should be told.
        end_lines: whether a text that does not end its last line is given a newline there, if another text follows.
    """
    files, notes = find_files(paths, encoding)
    for text in notes:
        note(text)
    last = "\n"
    for path in files:
        source = TextSource(path, encoding, errors)
        for number, piece in enumerate(source):
            if end_lines and not number and last != "\n":
                yield "\n"
            last = piece[-1]
            yield piece
        for text in source.notes:
            note(text)


@contextlib.contextmanager
def _open(path: str) -> Iterator[IO[bytes]]:
    """Open a file or standard input for reading, unpacked if its first bytes say that it is packed."""
    if path == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.closed:
            raise OSError(0, "it is closed")
        raw: Any = io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False), PIECE)
    else:
        raw = open(path, "rb", buffering=PIECE)
    with raw:
        head = _first_bytes(raw)
        whole = io.BufferedReader(_PutBack(head, raw), PIECE)
        for magic, unpack in _MAGIC:
            if head.startswith(magic) or (len(head) > 3 and magic.startswith(head)):
                with unpack(whole) as unpacked:
                    yield unpacked
                return
        yield whole


def _first_bytes(raw: IO[bytes]) -> bytes:
    """What is there, and more only while it may still turn out to be packed: a pipe may give a byte at a time."""
    head = b""
    while not head or any(len(head) < len(magic) and magic.startswith(head) for magic, _ in _MAGIC):
        more = raw.read1(PIECE)  # type: ignore[attr-defined]
        if not more:
            break
        head += more
    return head


class _PutBack(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._head[: len(buffer)] or self._rest.read1(len(buffer))  # type: ignore[attr-defined]
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def find_files(paths: Iterable[str | os.PathLike[str]], encoding: str = "utf-8") -> tuple[list[str], list[str]]:
    """Files named directly or found below folders (sorted, each once), and notes on what was left out.

    In a folder, hidden files and folders and links to folders are passed over, and so are, with a note, files that
    look binary (a NUL character in the first 8 KiB) and are not compressed texts. The same file reached twice
    through links counts once.

    Raises:
        TextError: there is no such file, or a folder holds no text or cannot be read.
    """
    files: list[str] = []
    notes: list[str] = []
    seen: set[tuple[int, int]] = set()
    for path in [os.fspath(path) for path in paths]:
        if path == STANDARD_INPUT:
            if path in files:
                raise UsageError("standard input can be read once only: give - once")
            files.append(path)
            continue
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no valid name"
            raise TextError(f"{path}: cannot read it: {reason}") from error
        found = _texts_below(path, encoding, notes) if stat.S_ISDIR(mode) else [path]
        if not found:
            raise TextError(f"{path}: this folder holds no text; name a folder or file that does")
        for name in found:
            status = os.stat(name)
            if (status.st_dev, status.st_ino) in seen:
                notes.append(f"{name}: left out, the same file was read already")
                continue
            seen.add((status.st_dev, status.st_ino))
            files.append(name)
    return files, _shortened(notes)


def _shortened(notes: list[str], most: int = 10) -> list[str]:
    """Notes on the first few files, and how many there are of the others."""
    if len(notes) <= most:
        return notes
    return [*notes[:most], f"{len(notes) - most} more files were left out"]


def _texts_below(folder: str, encoding: str, notes: list[str]) -> list[str]:
    texts = []

    def fail(error: OSError) -> None:
        raise TextError(f"{error.filename}: cannot read this folder: {error.strerror or error}") from error

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = os.path.join(parent, name)
            reason = _reason_to_skip(path, encoding)
            if reason:
                notes.append(f"{path}: left out, {reason}")
            else:
                texts.append(path)
    return texts


def _reason_to_skip(path: str, encoding: str) -> str | None:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return "it is not a regular file"
        with _open(path) as stream:
            return "it looks binary" if _looks_binary(stream.read(8192), encoding) else None
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        return f"it cannot be read ({error})"


def _looks_binary(head: bytes, encoding: str) -> bool:
    """Whether the beginning of a file holds a NUL character; in UTF-16 and its like, NUL bytes are no sign of one."""
    codec = _codec(encoding)
    if b"\0" not in codec.encode(" ")[0]:
        return b"\0" in head
    try:
        return "\0" in codec.incrementaldecoder().decode(head)
    except UnicodeError:
        return True


# --------------------------------------------------------------------------------------- text to ids


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
        return np.concatenate(self.pieces) if self.pieces else np.zeros(0, dtype=np.uint8)


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
        if _SURROGATE.search(text):
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


def read_corpus(
    paths: Sequence[str | os.PathLike[str]] = (),
    *,
    texts: Iterable[str] = (),
    validation: Sequence[str | os.PathLike[str]] = (),
    val_fraction: float = 0.1,
    lines: bool = False,
    min_count: int | None = None,
    known: Vocabulary | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
) -> Corpus:
    """Read texts and turn them into ids.

    The vocabulary is made of the part that is learnt from: validation characters that are not there are
    unknown. Characters seen fewer than `min_count` times become the unknown symbol.

    Args:
        paths: files, folders, "-".
        texts: texts given directly, read after the files.
        validation: files to validate on; when empty, the end of the text (with `lines`: lines spread evenly
            over the text, because lists are often sorted) is kept back for that.
        val_fraction: the share kept back.
        lines: every line is a record.
        min_count: None chooses 2, or 1 where the text has fewer than 10,000 characters.
        known: a vocabulary to build on; its characters keep their ids and new ones are added.
        encoding, errors: see TextSource.

    Raises:
        TextError: nothing to read, not readable, or too short (fewer than SMALLEST_TEXT characters).
    """
    collector, sources, notes = _collect(paths, encoding, errors, texts)
    raw = collector.ids()
    if len(raw) < SMALLEST_TEXT:
        what = "the text is empty" if not len(raw) else f"the text has only {len(raw)} characters"
        raise TextError(f"{what}; training needs {SMALLEST_TEXT} or more, and does better with 100,000")
    newline = int(collector.table[ord("\n")])
    training, held = (raw, raw[:0]) if validation else _split(raw, val_fraction, newline if lines else None)
    counts = np.bincount(training, minlength=len(collector.points))
    wanted = min_count or (1 if len(training) < 10_000 else 2)
    vocabulary, rare = _vocabulary(collector.points, counts, wanted, known)
    if lines and "\n" not in vocabulary:
        raise TextError("the text has no or too few line ends to learn; leave out --lines, or give one record a line")
    if rare:
        notes.append(_rare_note(rare, wanted))
    table = vocabulary.encode_points(np.array(collector.points, dtype=np.uint32))
    if validation:
        held_ids, held_sources, held_notes = _read_ids(validation, vocabulary, encoding, errors)
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


def _split(ids: Ids, fraction: float, newline: int | None) -> tuple[Ids, Ids]:
    if newline is None:
        cut = len(ids) - int(len(ids) * fraction)
        return ids[:cut], ids[cut:]
    if not fraction:
        return ids, ids[:0]
    ends = np.flatnonzero(ids[:-1] == newline) + 1
    lengths = np.diff(ends, prepend=0, append=len(ids))  # (lines,)
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
    shown = " ".join(repr(c)[1:-1] for c in rare[:20]) + (" ..." if len(rare) > 20 else "")
    what = "1 character occurs" if len(rare) == 1 else f"{len(rare)} characters occur"
    often = "only once" if wanted == 2 else f"fewer than {wanted} times"
    return f"{what} {often}, to be treated as unknown: {shown}"


# ----------------------------------------------------------------------------------------- batches


@dataclass(frozen=True)
class Batch:
    """What one step of training reads and must predict. T time steps, B streams."""

    inputs: NDArray[np.int64]
    """(T, B) ids; the start symbol where a stream starts afresh."""
    targets: NDArray[np.int64]
    """(T, B) ids; IGNORED where a record has ended."""
    fresh: NDArray[np.bool_]
    """(B,) streams that start from the zero state."""
    carried: int
    """The first so many streams go on in the next step; the others end with this one."""
    characters: int
    """Targets that count."""


IGNORED = -100
"""A target that is not scored: torch's default for cross entropy."""


def _mix_in_unknown(window: NDArray[np.int64], share: float, rng: np.random.Generator) -> None:
    """Show a few characters as unknown, so that the symbol is trained on texts without rare characters."""
    count = rng.poisson(share * window.size)
    if count:
        flat = window.reshape(-1)
        places = rng.integers(0, window.size, count)
        flat[places[flat[places] != IGNORED]] = UNKNOWN


class Streams:
    """B contiguous streams through one text, T characters a step; step k is computed from k alone.

    Stream b starts at b/B of the text; each goes round and round, so that no state is ever thrown away at an
    epoch's end and chunk borders move from one round to the next. So that cold starts are learnt too, now and
    then one stream more joins for a single step: it begins from the start symbol where a text would begin.

    Args:
        ids: (characters,) the text.
        batch, context: B and T.
        start: id of the start symbol.
        line_end: id of the newline.
        fresh_every: every so many steps one stream more starts afresh.
        unknown: share of characters shown as unknown.
        seed: all that is random comes from it and the step's number.
    """

    def __init__(
        self,
        ids: Ids,
        batch: int,
        context: int,
        *,
        start: int,
        line_end: int,
        fresh_every: int,
        unknown: float,
        seed: int,
    ) -> None:
        self.ids, self.batch, self.context = ids, batch, context
        self.start, self.fresh_every, self.unknown, self.seed = start, fresh_every, unknown, seed
        self.starts = _natural_starts(ids, line_end)
        self.steps_per_epoch = max(1.0, len(ids) / (batch * context))

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self.seed, step))
        at = (np.arange(self.batch) * len(self.ids) // self.batch + step * self.context) % len(self.ids)  # (B,)
        fresh = np.full(self.batch, step == 0)
        if step % self.fresh_every == 0:
            at = np.append(at, rng.choice(self.starts))
            fresh = np.append(fresh, True)
        window = self.ids.take(at + np.arange(-1, self.context)[:, None], mode="wrap").astype(np.int64)  # (T+1, B)
        _mix_in_unknown(window, self.unknown, rng)
        targets = window[1:]  # (T, B)
        inputs = window[:-1].copy()
        inputs[0, fresh] = self.start
        return Batch(inputs, targets, fresh, self.batch, targets.size)


FAR = 2000
"""Characters between empty lines, on average, beyond which they do not mark where a text would begin."""


def _natural_starts(ids: Ids, line_end: int) -> NDArray[np.int64]:
    """Where a text would begin: at its own beginning, and after empty lines or, where these are few, after any."""
    ends = ids == line_end if line_end != UNKNOWN else np.zeros(len(ids), dtype=bool)
    after_blank = np.flatnonzero(ends[1:-1] & ends[:-2]) + 2
    found = after_blank if len(after_blank) * FAR >= len(ids) else np.flatnonzero(ends[:-1]) + 1
    return np.concatenate([np.zeros(1, dtype=np.int64), found])


def split_lines(ids: Ids, line_end: int) -> list[Ids]:
    """Cut a text into its lines; each keeps its newline (the last may lack one)."""
    cuts = np.flatnonzero(ids == line_end) + 1
    return [line for line in np.split(ids, cuts) if len(line)]


class Records:
    """Batches of lines, each line a record that starts from the zero state and ends with its newline.

    Lines of similar length go together; the order is drawn anew in each epoch. Lines longer than the context
    are read in several steps with the state carried. Step k is computed from k alone.
    """

    def __init__(
        self,
        ids: Ids,
        batch: int,
        context: int,
        *,
        start: int,
        line_end: int,
        unknown: float,
        seed: int,
    ) -> None:
        self.records = split_lines(ids, line_end)
        self.batch, self.context = batch, context
        self.start, self.unknown, self.seed = start, unknown, seed
        self.lengths = np.array([len(record) for record in self.records])
        self._epoch = -1
        self._plan: list[tuple[NDArray[np.int64], int]] = []
        self._first = 0
        self._enter(0, 0)
        self.steps_per_epoch = float(len(self._plan))

    def _enter(self, epoch: int, first: int) -> None:
        """Lay out the steps of an epoch: pairs of (record numbers, offset within the records)."""
        rng = np.random.default_rng((self.seed, epoch, 1))
        order = rng.permutation(len(self.records))
        order = order[np.argsort(self.lengths[order], kind="stable")]
        budget = self.batch * self.context
        groups, begin = [], 0
        while begin < len(order):
            end = begin + 1
            while end < len(order) and self.lengths[order[end]] * (end + 1 - begin) <= budget:
                end += 1
            groups.append(order[begin:end])
            begin = end
        self._plan = [
            (groups[place], offset)
            for place in rng.permutation(len(groups))
            for offset in range(0, int(self.lengths[groups[place]].max()), self.context)
        ]
        self._epoch, self._first = epoch, first

    def __getitem__(self, step: int) -> Batch:
        if step < self._first:
            self._enter(0, 0)
        while step >= self._first + len(self._plan):
            self._enter(self._epoch + 1, self._first + len(self._plan))
        numbers, offset = self._plan[step - self._first]
        rng = np.random.default_rng((self.seed, step))
        longest = int(self.lengths[numbers].max())
        size = min(self.context, longest - offset)
        window = np.full((size + 1, len(numbers)), IGNORED, dtype=np.int64)  # (T+1, B)
        for column, number in enumerate(numbers):
            record = self.records[number]
            piece = record[max(0, offset - 1) : offset + size]
            row = 0 if offset else 1
            window[row : row + len(piece), column] = piece
        characters = int((window[1:] != IGNORED).sum())
        _mix_in_unknown(window, self.unknown, rng)
        inputs = np.where(window[:-1] == IGNORED, self.start, window[:-1])
        fresh = np.full(len(numbers), offset == 0)
        return Batch(inputs, window[1:], fresh, len(numbers), characters)


def batches(
    corpus: Corpus, *, batch: int, context: int, lines: bool, fresh_every: int, unknown: float, seed: int
) -> Streams | Records:
    """The training part of a corpus as an endless, stateless sequence of batches."""
    start = corpus.vocabulary.start
    if lines:
        return Records(
            corpus.training, batch, context, start=start, line_end=corpus.line_end, unknown=unknown, seed=seed
        )
    return Streams(
        corpus.training, batch, context,
        start=start, line_end=corpus.line_end, fresh_every=fresh_every, unknown=unknown, seed=seed,
    )  # fmt: skip

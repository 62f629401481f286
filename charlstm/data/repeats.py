"""What stands twice: equal lines, and passages of one text that occur in another word for word.

Compares hashes of 64 bits, so that a text of any length costs a few passes of numpy. Knows ids only.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from .lines import bounds_by_piece, line_bounds, lines_all_over
from .mapping import pieces, sampled
from .vocabulary import UNKNOWN, Ids

Hashes = NDArray[np.uint64]

PASSAGE = 50
"""Characters of a passage that counts as repeated: hardly any sentence has that many by chance."""
STRIDE = PASSAGE // 2
"""Passages of the searched text begin at every so many characters."""
MOST_PASSAGES = 1 << 21
"""Passages of the searched text that are remembered; of a longer text they stand further apart."""
MOST_CHECKED = 1 << 18
"""Characters that are looked up; of a longer text, stretches from all over it."""
PIECE = 1 << 18
"""Characters that are hashed at a time, so that memory stays flat."""

MOST_LINES_CHECKED = 1 << 24
"""Characters of lines that are looked up; of a longer list, some of its lines."""
LEAST_BITS = 18
"""Of the number of powers that are computed once for all."""
STRETCHES = 64
"""From all over a text, where it is compared in part."""
MOST_SYMBOLS = 0x110001
"""Of any text: Unicode's code points, and one that is unknown."""

FACTOR = 0x9E3779B97F4A7C15
"""Of the polynomial; odd, so that it has an inverse modulo 2 ** 64."""


@functools.lru_cache(maxsize=2)
def _table(symbols: int) -> Hashes:
    """A random number for each symbol."""
    return np.random.default_rng(1).integers(0, 2**64, symbols, dtype=np.uint64)


def _values(ids: Ids) -> Hashes:
    """The random number of each id."""
    symbols = 1 << 8 if ids.itemsize == 1 else 1 << 16 if ids.itemsize == 2 else MOST_SYMBOLS
    return _table(symbols).take(ids, mode="clip")


@functools.lru_cache(maxsize=4)
def _many_powers(bits: int, factor: int) -> Hashes:
    """A factor's powers 0, 1, ... 2 ** bits - 1 modulo 2 ** 64."""
    powers = np.full(1 << bits, np.uint64(factor))
    powers[0] = 1
    return np.multiply.accumulate(powers)


def _powers(count: int, factor: int = FACTOR) -> Hashes:
    """As many of them as are wanted."""
    return _many_powers(max(LEAST_BITS, count.bit_length()), factor)[:count]


def _sums(ids: Ids) -> Hashes:
    """(characters + 1,) sums of the first so many values, each times the factor's power of its position."""
    return np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(_values(ids) * _powers(len(ids)))])


def line_hashes(ids: Ids, bounds: NDArray[np.int64]) -> Hashes:
    """(lines,) a number for each line: equal lines have equal ones, and others, as good as surely, different ones.

    Polynomial hashes (Karp and Rabin 1987) of the lines between the bounds, (lines + 1,).
    """
    hashes = np.empty(len(bounds) - 1, dtype=np.uint64)
    first = 0
    while first < len(hashes):
        last = int(np.searchsorted(bounds, bounds[first] + PIECE, side="right")) - 1
        if last <= first:  # one line longer than a piece
            digest = hashlib.blake2b(ids[bounds[first] : bounds[first + 1]].tobytes(), digest_size=8).digest()
            hashes[first] = int.from_bytes(digest, "little")
            first += 1
            continue
        sums, edges = _sums(ids[bounds[first] : bounds[last]]), bounds[first : last + 1] - bounds[first]
        hashes[first:last] = np.diff(sums[edges]) * _inverse_powers(PIECE)[edges[:-1]]
        first = last
    return hashes


def repeated_lines(checked: Ids, searched: Ids, line_end: int) -> float:
    """The fraction of a text's lines that are lines of another text, too."""
    checked = lines_all_over(checked, line_end, MOST_LINES_CHECKED)
    bounds = line_bounds(checked, line_end)
    hashes = line_hashes(checked, bounds)
    known = _all_known(checked, bounds[:-1], bounds[1:])
    found = np.zeros(len(hashes), dtype=bool)
    for piece in bounds_by_piece(searched, line_end):
        found |= known & occurring(hashes, line_hashes(searched, piece))
    return float(found.mean()) if len(found) else 0.0


def repeated_passages(checked: Ids, searched: Ids) -> float:
    """The fraction of a text's characters in passages that stand in another text word for word.

    A passage that is copied is found where it has PASSAGE + STRIDE characters or more; of texts longer than
    MOST_PASSAGES * STRIDE or MOST_CHECKED only a sample is compared.
    """
    checked = sampled(checked, MOST_CHECKED, STRETCHES)
    if min(len(checked), len(searched)) < PASSAGE:
        return 0.0
    stride = STRIDE * -(-len(searched) // (STRIDE * MOST_PASSAGES))
    (windows,) = window_hashes(checked, [PASSAGE])
    begins = np.arange(len(windows))
    found = occurring(windows, _passage_hashes(searched, stride)) & _all_known(checked, begins, begins + PASSAGE)
    width = max(PASSAGE, stride)  # characters that a passage found stands for
    counts = np.concatenate([[0], np.cumsum(np.pad(found, (width - 1, PASSAGE - 1)))])
    return float((counts[width:] > counts[:-width]).mean())


def _all_known(ids: Ids, begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether passages hold no unknown character: what these are cannot be compared."""
    unknown = np.concatenate([[0], np.cumsum(ids == UNKNOWN)])
    none: NDArray[np.bool_] = unknown[ends] == unknown[begins]
    return none


def occurring(some: Hashes, many: Hashes) -> NDArray[np.bool_]:
    """(some,) whether each of some hashes is among many others."""
    table = np.zeros(1 << 22, dtype=bool)  # most of the many are none of the some, as their first 22 bits show
    table[some >> np.uint64(42)] = True
    candidates = np.sort(many[table[many >> np.uint64(42)]])
    if not len(candidates):
        return np.zeros(len(some), dtype=bool)
    positions = np.minimum(np.searchsorted(candidates, some), len(candidates) - 1)
    found: NDArray[np.bool_] = candidates[positions] == some
    return found


def window_hashes(ids: Ids, lengths: Iterable[int]) -> Iterator[Hashes]:
    """For each length, (characters - length + 1,) the hash of the passage of so many characters that begins at each."""
    sums = _sums(ids)
    for length in lengths:
        windows = sums[length:] - sums[:-length]
        yield windows * _inverse_powers(len(windows))


def _inverse_powers(count: int) -> Hashes:
    return _powers(count, pow(FACTOR, -1, 2**64))


def _passage_hashes(ids: Ids, stride: int) -> Hashes:
    """The hashes of the passages that begin at every so many characters."""
    hashes = [np.zeros(0, dtype=np.uint64)]
    for begin, _ in pieces(ids, PIECE - PIECE % stride):
        piece = ids[begin : begin + PIECE - PIECE % stride + PASSAGE - 1]
        if len(piece) >= PASSAGE:
            passages = np.lib.stride_tricks.sliding_window_view(piece, PASSAGE)[::stride]
            hashes.append(np.einsum("ps,s->p", _values(passages), _powers(PASSAGE)))
    return np.concatenate(hashes)

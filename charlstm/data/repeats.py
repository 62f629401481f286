"""What stands twice: equal lines, and passages of one text that occur in another word for word.

Compares hashes of 64 bits, so that a text of any length costs a few passes of numpy. Knows ids only.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from .lines import line_bounds
from .vocabulary import Ids

Hashes = NDArray[np.uint64]

PASSAGE = 50
"""Characters of a passage that counts as repeated: hardly any sentence has that many by chance."""
STRIDE = PASSAGE // 2
"""Passages of the searched text begin at every so many characters."""
MOST_PASSAGES = 1 << 22
"""Passages of the searched text that are remembered; of a longer text they stand further apart."""
MOST_CHECKED = 1 << 18
"""Characters that are looked up; of a longer text, stretches from all over it."""
PIECE = 1 << 18
"""Characters that are hashed at a time, so that memory stays flat."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""Of the polynomial; odd, so that it has an inverse modulo 2 ** 64."""


def _values(ids: Ids, symbols: int) -> Hashes:
    """A random number for each symbol, looked up for each id."""
    return np.random.default_rng(1).integers(0, 2**64, symbols, dtype=np.uint64).take(ids)


def _powers(count: int) -> Hashes:
    """The factor's powers 0, 1, ... count - 1 modulo 2 ** 64."""
    powers = np.full(count, _FACTOR, dtype=np.uint64)
    powers[:1] = 1
    return np.multiply.accumulate(powers)


def line_hashes(ids: Ids, bounds: NDArray[np.int64]) -> Hashes:
    """(lines,) a number for each line: equal lines have equal ones, and others, as good as surely, different ones.

    Polynomial hashes (Karp and Rabin 1987) of the lines between the bounds, (lines + 1,).
    """
    hashes = np.empty(len(bounds) - 1, dtype=np.uint64)
    symbols = int(ids.max(initial=0)) + 1
    first = 0
    while first < len(hashes):
        last = int(np.searchsorted(bounds, bounds[first] + PIECE, side="right")) - 1
        if last <= first:  # one line longer than a piece
            digest = hashlib.blake2b(ids[bounds[first] : bounds[first + 1]].tobytes(), digest_size=8).digest()
            hashes[first] = int.from_bytes(digest, "little")
            first += 1
            continue
        starts, lengths = bounds[first:last] - bounds[first], np.diff(bounds[first : last + 1])
        positions = np.arange(lengths.sum()) - np.repeat(starts, lengths)  # (characters,) within their lines
        values = _values(ids[bounds[first] : bounds[last]], symbols) * _powers(int(lengths.max()))[positions]
        hashes[first:last] = np.add.reduceat(values, starts)
        first = last
    return hashes


def repeated_lines(checked: Ids, searched: Ids, line_end: int) -> float:
    """The fraction of a text's lines that are lines of another text, too."""
    joined = np.concatenate([searched, checked])
    bounds = line_bounds(joined, line_end)
    hashes = line_hashes(joined, bounds)
    first = int(np.searchsorted(bounds, len(searched)))
    return float(_occurring(hashes[first:], hashes[:first]).mean()) if first < len(hashes) else 0.0


def repeated_passages(checked: Ids, searched: Ids) -> float:
    """The fraction of a text's characters in passages that stand in another text word for word.

    A passage that is copied is found where it has PASSAGE + STRIDE characters or more; of texts longer than
    MOST_PASSAGES * STRIDE or MOST_CHECKED only a sample is compared.
    """
    checked = _sampled(checked)
    if min(len(checked), len(searched)) < PASSAGE:
        return 0.0
    symbols = max(int(checked.max()), int(searched.max())) + 1
    stride = STRIDE * -(-len(searched) // (STRIDE * MOST_PASSAGES))
    passages = _passage_hashes(searched, symbols)[:: stride // STRIDE]
    found = _occurring(_window_hashes(checked, symbols), passages)
    width = max(PASSAGE, stride)  # characters that a passage found stands for
    counts = np.concatenate([[0], np.cumsum(np.pad(found, (width - 1, PASSAGE - 1)))])
    return float((counts[width:] > counts[:-width]).mean())


def _occurring(some: Hashes, many: Hashes) -> NDArray[np.bool_]:
    """(some,) whether each of some hashes is among many others."""
    table = np.zeros(1 << 22, dtype=bool)  # most of the many are none of the some, as their first 22 bits show
    table[some >> np.uint64(42)] = True
    candidates = np.sort(many[table[many >> np.uint64(42)]])
    if not len(candidates):
        return np.zeros(len(some), dtype=bool)
    positions = np.minimum(np.searchsorted(candidates, some), len(candidates) - 1)
    found: NDArray[np.bool_] = candidates[positions] == some
    return found


def _sampled(ids: Ids) -> Ids:
    """A text or, where it is longer than MOST_CHECKED, stretches from all over it."""
    if len(ids) <= MOST_CHECKED:
        return ids
    length = MOST_CHECKED // 64
    return np.concatenate([ids[begin : begin + length] for begin in np.linspace(0, len(ids) - length, 64, dtype=int)])


def _window_hashes(ids: Ids, symbols: int) -> Hashes:
    """(characters - PASSAGE + 1,) the hash of the passage that begins at each character."""
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(_values(ids, symbols) * _powers(len(ids)))])
    inverse = np.full(len(ids) - PASSAGE + 1, pow(int(_FACTOR), -1, 2**64), dtype=np.uint64)
    inverse[0] = 1
    hashes: Hashes = (sums[PASSAGE:] - sums[:-PASSAGE]) * np.multiply.accumulate(inverse)
    return hashes


def _passage_hashes(ids: Ids, symbols: int) -> Hashes:
    """The hashes of the passages that begin at every STRIDE characters."""
    halves = np.concatenate([_half_hashes(piece, symbols) for piece in _pieces(ids)])  # (characters / STRIDE,)
    hashes: Hashes = halves[:-1] + halves[1:] * _powers(STRIDE + 1)[-1]
    return hashes


def _half_hashes(ids: Ids, symbols: int) -> Hashes:
    """The hashes of a text's parts of STRIDE characters."""
    whole = len(ids) - len(ids) % STRIDE
    values = _values(ids[:whole], symbols).reshape(-1, STRIDE)
    hashes: Hashes = np.einsum("ps,s->p", values, _powers(STRIDE))
    return hashes


def _pieces(ids: Ids) -> list[Ids]:
    """A text in pieces of a multiple of STRIDE characters."""
    size = PIECE - PIECE % STRIDE
    return [ids[begin : begin + size] for begin in range(0, len(ids), size)]

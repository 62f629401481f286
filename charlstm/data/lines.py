"""The lines of a text in ids.

Knows nothing about characters: the newline is an id like others.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from .vocabulary import Ids


def line_bounds(ids: Ids, line_end: int) -> NDArray[np.int64]:
    """Where each line of a text begins, and last the text's length; a newline belongs to the line before it."""
    bounds = np.concatenate([[0], np.flatnonzero(ids == line_end) + 1])
    return bounds if bounds[-1] == len(ids) else np.append(bounds, len(ids))


def split_lines(ids: Ids, line_end: int) -> list[Ids]:
    """Cut a text into its lines; each keeps its newline (the last may lack one)."""
    return [ids[begin:end] for begin, end in itertools.pairwise(line_bounds(ids, line_end))]


def lines_all_over(ids: Ids, line_end: int, most: int) -> Ids:
    """A text or, where it is longer than so many characters, every second, third ... of its lines: about so many."""
    if len(ids) <= most:
        return ids
    bounds = line_bounds(ids, line_end)
    every = -(-len(ids) // most)
    return np.concatenate([ids[begin:end] for begin, end in zip(bounds[:-1:every], bounds[1::every], strict=True)])

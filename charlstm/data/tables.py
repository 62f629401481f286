"""Whether a text is a table: rows of fields, as spreadsheets and databases write them.

Knows ids; knows nothing about characters but those that it is told part fields.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .lines import line_bounds
from .mapping import sampled
from .vocabulary import Ids

DELIMITERS = ",;\t|"
"""Characters that part fields."""
LOOKED_AT, STRETCHES = 1 << 20, 16
"""Characters of a text that are looked at, and in how many stretches."""
LEAST_ROWS, LEAST_FIELDS = 50, 3
ALIKE = 0.95
"""Fraction of the rows that have the same number of fields."""


def row_length(ids: Ids, newline: int, delimiters: Iterable[int]) -> float:
    """Mean characters of a row, its line end included, where a text is a table; else 0.

    Args:
        ids: the text.
        newline: its line end's id; -1: it has none.
        delimiters: ids of characters that may part fields.
    """
    if newline < 0:
        return 0.0
    sample = sampled(ids, LOOKED_AT, STRETCHES)
    bounds = line_bounds(sample, newline)
    if len(bounds) <= LEAST_ROWS:
        return 0.0
    for delimiter in delimiters:
        fields = np.add.reduceat((sample == delimiter).astype(np.int64), bounds[:-1]) + 1  # (rows,)
        usual = int(np.median(fields))
        if usual >= LEAST_FIELDS and float(np.mean(fields == usual)) >= ALIKE:
            return len(sample) / (len(bounds) - 1)
    return 0.0

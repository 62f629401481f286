"""Some symbols of a vocabulary, for what is computed of these in place of all V. Knows ids only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OUTSIDE = -1
"""In place of a column."""


@dataclass(frozen=True)
class Candidates:
    """C symbols, each of which has a column."""

    symbols: NDArray[np.intp]
    """(C,) ids, ascending."""
    columns: NDArray[np.intp]
    """(V,) the column of each symbol; OUTSIDE of those that have none."""

    @staticmethod
    def of(chosen: NDArray[np.bool_]) -> Candidates:
        """Those that are chosen of all (V,)."""
        symbols = np.flatnonzero(chosen)
        columns = np.full(len(chosen), OUTSIDE)
        columns[symbols] = np.arange(len(symbols))
        return Candidates(symbols, columns)

    def __len__(self) -> int:
        """C."""
        return len(self.symbols)

"""Everything that is drawn on a terminal: the progress of a training run, a curve, coloured text.

Knows progress records and values of characters; knows nothing about networks or files. Imported only where something is
drawn.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from .console import block

if TYPE_CHECKING:
    from ..training.reports import Progress as TrainingProgress


class TrainingDisplay:
    """A bar with the run's figures, drawn over and over on standard error.

    Args:
        line: gives a report in one line, from its validation figure or the last one before, and the room for it.
    """

    def __init__(self, line: Callable[[TrainingProgress, float | None, int], str]) -> None:
        self._line = line
        self.console = Console(stderr=True)
        bar = [BarColumn(bar_width=None)] if self.console.width >= 80 else []
        columns = (*bar, TaskProgressColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=self.console, expand=True)
        self._task: TaskID = self._bar.add_task("starting", total=1.0)
        self._val: float | None = None

    def __enter__(self) -> TrainingDisplay:
        with contextlib.suppress(OSError):
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._bar.stop()

    def show(self, progress: TrainingProgress) -> None:
        """Draw the latest report; where the terminal is gone, the work goes on."""
        with contextlib.suppress(OSError):
            self._draw(progress)

    def _draw(self, progress: TrainingProgress) -> None:
        if progress.note:
            self._bar.console.print(progress.note, style="yellow", highlight=False, markup=False)
        if progress.sample:
            self._bar.console.rule(f"sample at {progress.fraction:.0%}")
            self._bar.console.print(progress.sample, highlight=False, markup=False)
        self._val = self._val if progress.val_bits is None else progress.val_bits
        line = self._line(progress, self._val, self.console.width - 6)
        self._bar.update(self._task, completed=progress.fraction, description=line)


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """A curve in one line of blocks."""
    if not values:
        return ""
    step = max(1.0, len(values) / width)
    picked = [values[int(index * step)] for index in range(min(len(values), width))]
    low, high = min(picked), max(picked)
    span = (high - low) or 1.0
    if not math.isfinite(span):  # figures that no training gives
        return ""
    return "".join(block((value - low) / span) for value in picked)


def heatmap(pieces: Iterable[tuple[str, Sequence[float]]], fine: bool) -> Iterator[str]:
    """Text coloured by how surprising each character was: pieces of (text, bits a character) -> ANSI text.

    From white (expected) to red (8 bits or more); see `coloured`.
    """
    return coloured(((text, [bit / 8 for bit in bits]) for text, bits in pieces), fine)


def coloured(pieces: Iterable[tuple[str, Sequence[float]]], fine: bool) -> Iterator[str]:
    """Text coloured by a value for each character: pieces of (text, values) -> ANSI text.

    Black on white for 0, to red for 1 and above, and to blue for -1 and below. The text itself is left as it is, tabs
    too. A colour holds until another one begins, and never over a line's end.

    Args:
        pieces: stretches of the text with their values.
        fine: whether the terminal takes 24-bit colours; almost all take the 256 that are used else.
    """
    for text, values in pieces:
        shown, before = [], ""
        for character, value in zip(text, values, strict=True):
            colour = "\x1b[0m" if character == "\n" else _colour(value, fine)
            shown.append(character if colour == before else colour + character)
            before = colour
        yield "".join(shown) + "\x1b[0m"


def _colour(value: float, fine: bool) -> str:
    """Black on a background from blue (-1) through white (0) to red (1)."""
    most = 255 if fine else 5
    faded = round(most * (1 - min(1.0, abs(value))))
    red, green, blue = (most, faded, faded) if value >= 0 else (faded, faded, most)
    if fine:
        return f"\x1b[30;48;2;{red};{green};{blue}m"
    return f"\x1b[30;48;5;{16 + 36 * red + 6 * green + blue}m"  # in the cube of 6 x 6 x 6 colours that begins at 16

"""Everything that rich draws: the progress of a training run, a curve, a heat map.

Knows progress records and surprisals; knows nothing about networks or files. Imported only where the stream that is
drawn on is a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from .training import Progress as TrainingProgress

BLOCKS = "▁▂▃▄▅▆▇█"


class TrainingDisplay:
    """A bar with the run's figures, drawn over and over on standard error."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self._bar = Progress(
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
            console=self.console,
            expand=True,
        )
        self._task: TaskID = self._bar.add_task("starting", total=1.0)
        self._val: float | None = None

    def __enter__(self) -> TrainingDisplay:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: TrainingProgress) -> None:
        """Draw the latest report."""
        if progress.note:
            self._bar.console.print(progress.note, style="yellow", highlight=False, markup=False)
        if progress.sample:
            self._bar.console.rule(f"{progress.fraction:.0%}")
            self._bar.console.print(progress.sample, highlight=False, markup=False)
        self._val = self._val if progress.val_bits is None else progress.val_bits
        val = "-" if self._val is None else f"{self._val:.3f}"
        figures = (
            f"train {progress.train_bits:.3f}  val {val} bits/char  "
            f"{progress.speed:,.0f} chars/s  {clock(progress.left)} left"
        )
        self._bar.update(self._task, completed=progress.fraction, description=figures)


def clock(seconds: float) -> str:
    """A stretch of time as people write it."""
    if seconds == float("inf"):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """A curve in one line of blocks."""
    if not values:
        return ""
    step = max(1.0, len(values) / width)
    picked = [values[int(place * step)] for place in range(min(len(values), width))]
    low, high = min(picked), max(picked)
    span = (high - low) or 1.0
    return "".join(BLOCKS[round((value - low) / span * (len(BLOCKS) - 1))] for value in picked)


def heatmap(pieces: Iterable[tuple[str, Sequence[float]]]) -> Iterator[str]:
    """Text coloured by how surprising each character was: pieces of (text, bits a character) -> ANSI text."""
    console = Console(force_terminal=True, width=10**9, soft_wrap=True)
    for text, bits in pieces:
        line = Text(end="")
        for character, surprise in zip(text, bits, strict=True):
            line.append(character, None if character == "\n" else _colour(surprise))
        with console.capture() as capture:
            console.print(line, end="")
        yield capture.get()


def _colour(bits: float) -> Style:
    """From nothing (expected) over yellow to red (8 bits or more)."""
    share = min(1.0, bits / 8)
    green = round(255 * (1 - share))
    return Style(bgcolor=f"#{255:02x}{green:02x}{round(green * 0.6):02x}", color="#000000")

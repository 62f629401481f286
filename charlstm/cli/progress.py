"""How a training run is shown: live on a terminal that can redraw, else in plain lines; and kept in a log.

Knows progress records and says them in words; what is drawn is left to `terminal`.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING

from .console import clock, say, show, strict_json, visible

if TYPE_CHECKING:
    from ..training.reports import Progress

PLAIN_REPORT_SECONDS = 10.0
"""Between two lines where nothing was validated."""


def follow(
    reports: Iterable[Progress],
    log: IO[str] | None = None,
    *,
    quiet: bool = False,
    plain: bool = False,
    unit: str = "char",
) -> None:
    """Show reports: live on a terminal that can redraw, else a line now and then.

    Args:
        reports: from a training run.
        log: where each report goes as one line of JSON.
        quiet: notes and samples only.
        plain: lines also where a live display would work.
        unit: what the text consists of.
    """
    if log is not None:
        reports = _logged(reports, log)
    if quiet:
        for report in reports:
            _tell(report)
    elif sys.stderr.isatty() and not (plain or is_for_plain_lines(os.environ)):
        from .terminal import TrainingDisplay

        with TrainingDisplay(functools.partial(figures_line, unit=unit)) as display:
            for report in reports:
                display.show(dataclasses.replace(report, note=visible(report.note), sample=visible(report.sample)))
    else:
        _follow_plainly(reports, unit)


def is_for_plain_lines(environment: Mapping[str, str], system: str = os.name) -> bool:
    """Whether a terminal is one on which nothing should be redrawn: it cannot, or a log or a screen reader takes it.

    Heeds TERM (empty, "dumb" or "unknown"; Windows sets none), CI, and ACCESSIBLE.
    """
    cannot = system != "nt" and environment.get("TERM", "") in ("", "dumb", "unknown")
    return cannot or any(environment.get(name, "").lower() not in ("", "0", "false") for name in ("CI", "ACCESSIBLE"))


def _logged(reports: Iterable[Progress], log: IO[str]) -> Iterator[Progress]:
    """Write each report to the log; a log that cannot be written does not end a long run."""
    broken = False
    for report in reports:
        if not broken:
            try:
                log.write(strict_json(dataclasses.asdict(report)) + "\n")
                log.flush()
            except OSError as error:
                broken = True
                say(f"the log cannot be written and is given up: {error.strerror}")
        yield report


def _tell(report: Progress) -> None:
    """What a person should read of a report even without its figures."""
    if report.note:
        say(report.note)
    if report.sample:
        show(f"--- {report.fraction:.0%} ---\n{visible(report.sample)}\n---")


def _follow_plainly(reports: Iterable[Progress], unit: str) -> None:
    shown = 0.0
    for report in reports:
        _tell(report)
        if report.val_bits is not None or report.seconds - shown >= PLAIN_REPORT_SECONDS:
            shown = report.seconds
            show(plain_line(report, unit))


def plain_line(report: Progress, unit: str = "char") -> str:
    """A report in one line; at the start of a run not all of it is known."""
    train = f"  train {report.train_bits:.4f}" if math.isfinite(report.train_bits) else ""
    val = "" if report.val_bits is None else f"  val {report.val_bits:.4f}"
    speed = f"  {report.speed:,.0f} {unit}s/s" if report.speed else ""
    left = f"  {clock(report.left)} left" if math.isfinite(report.left) else ""
    return f"{report.fraction:4.0%}  step {report.step}{train}{val} bits/{unit}{speed}{left}"


def figures_line(progress: Progress, val_bits: float | None, width: int, unit: str = "char") -> str:
    """A report in one line: all that is known of it or, where that is too wide, what matters most."""
    train = f"train {progress.train_bits:.3f}" if math.isfinite(progress.train_bits) else ""
    val = "val -" if val_bits is None else f"val {val_bits:.3f}"
    speed = f"{progress.speed:,.0f} {unit}s/s" if progress.speed else ""
    left = f"{clock(progress.left)} left" if math.isfinite(progress.left) else ""
    line = ""
    for figures in ((train, f"{val} bits/{unit}", speed, left), (train, val, left), (val, left), (val,)):
        line = "  ".join(filter(None, figures))
        if len(line) <= width:
            break
    return line

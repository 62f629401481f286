"""What follows from a scaling law: the best size for a budget beside the tool's own, and what a large GPU would give.

Knows points that were measured, and nothing about how (scaling.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from power_law import FRESH_EPOCHS, Floats, Laws, Points, effective, fitted, fitted_half_life

from charlstm.config import TrainingRequest
from charlstm.inference.scoring import LN2
from charlstm.training.planning import SHAPES, TEXT_PER_PARAMETER, Plan, Speed, Text, plan

BUDGETS = (1.0, 2.0, 5.0, 20.0)
"""Minutes for which the automatic sizing is judged."""
GOAL = 0.02
"""How much worse than the best size the tool's may be."""
GPU, USED = 400e12, 0.3
"""Assumed of a large GPU: floating-point operations a second in bfloat16, and what part of them training reaches."""
HOURS, BYTES = (1, 24), (100_000_000, 10_000_000_000)
HALF_LIFE = 15.4
"""Epochs, see `power_law.effective`."""
Precision = Literal["float32", "bfloat16"]


class Machine(NamedTuple):
    """Where it is trained."""

    device: str
    precision: Precision
    speed: Speed
    """As `charlstm train --minutes` measures it."""
    threads: int


def planned(text: Text, here: Machine, **asked: Any) -> Plan:
    """What the tool makes of a request, the network alone."""
    request = TrainingRequest(ngrams=0, precision=here.precision, **asked)
    return plan(request, text, here.speed, here.precision)


class Scaling:
    """What follows from the points of one text.

    Raises:
        ValueError: they are too few for a law.
    """

    def __init__(self, name: str, text: Text, points: list[dict[str, Any]], resamples: int) -> None:
        self.name, self.text, self.points = name, text, points
        few = [point["epochs"] <= FRESH_EPOCHS * 1.01 for point in points]
        self.fresh = _points([point for point, one in zip(points, few, strict=True) if one])
        self.laws: Laws = fitted(self.fresh, resamples)
        many = _points([point for point, one in zip(points, few, strict=True) if not one])
        choices = [float(choice) for choice in np.geomspace(0.3, 300, 121)]
        lengths = np.full(len(many), float(text.characters))
        self.half_life = fitted_half_life(self.laws, many, lengths, choices) if len(many) else HALF_LIFE
        self.repeated = len(many)

    def rate(self, sizes: Floats) -> Floats:
        """Characters a second by multiplications: that of each network's fastest training, and between them.

        The fastest: whatever else the machine does can only make one slower. Beyond the largest and the smallest
        network the floating-point rate stays as it is there.
        """
        fastest: dict[int, float] = {}
        for point in self.points:
            size = point["multiplications"]
            fastest[size] = max(fastest.get(size, 0.0), size * point["characters"] / point["seconds"])
        known = sorted(fastest)
        return np.exp(np.interp(np.log(sizes), np.log(known), np.log([fastest[size] for size in known]))) / sizes

    def in_minutes(self, sizes: Floats, minutes: float) -> Floats:
        """Predicted nats (K, M) of networks of those sizes (M,) that are trained for so long on this text."""
        characters = 60 * minutes * self.rate(sizes)
        return self.laws.nats(sizes, effective(characters, self.text.characters, self.half_life))


def _points(rows: list[dict[str, Any]]) -> Points:
    columns = (np.array([float(row[name]) for row in rows]) for name in ("multiplications", "characters", "nats"))
    return Points(*columns)


def interval(values: Floats) -> list[float]:
    """The value of the best fit, and where 80 % of those of the others lie."""
    others = values[1:] if len(values) > 1 else values
    low, high = np.percentile(others, [10, 90])
    return [float(f"{value:.5g}") for value in (values[0], low, high)]


def best(losses: Floats, sizes: Floats) -> tuple[Floats, Floats]:
    """The least loss of each law (K,), and at which size (K,)."""
    at = losses.argmin(axis=1)
    return losses[np.arange(len(losses)), at], sizes[at]


def sizing(found: Scaling, here: Machine, minutes: float) -> dict[str, Any]:
    """The best size for a budget, and the one that the tool chooses."""
    chosen = planned(found.text, here, minutes=minutes).model
    least, most = (
        planned(found.text, here, minutes=minutes, layers=layers, hidden=hidden).model.multiplications()
        for layers, hidden in (SHAPES[0], SHAPES[-1])
    )
    sizes = np.geomspace(least, most, 400)
    losses, optimum = best(found.in_minutes(sizes, minutes), sizes)
    own = float(chosen.multiplications())
    by_plan = found.in_minutes(np.array([own]), minutes)[:, 0]
    epochs = float(60 * minutes * found.rate(np.array([own]))[0] / found.text.characters)
    return {
        "minutes": minutes,
        "optimal": interval(optimum),
        "optimal_nats": interval(losses),
        "chosen": f"{chosen.layers}x{chosen.hidden}",
        "chosen_multiplications": int(own),
        "chosen_nats": interval(by_plan),
        "worse_by": interval(by_plan / losses - 1),
        "epochs": round(epochs, 2),
        "beyond": round(own / found.fresh.sizes.max(), 2),
    }


def large(found: Scaling, size: int, hours: float) -> dict[str, Any]:
    """The best network for a text of so many characters on a GPU: at most four epochs, and no more parameters than the
    planner gives to a text of that length.
    """
    products = GPU * USED * 3600 * hours / 6  # parameters times characters
    sizes = np.geomspace(1e5, size / TEXT_PER_PARAMETER, 400)
    characters = np.minimum(products / sizes, FRESH_EPOCHS * size)
    losses, optimum = best(found.laws.nats(sizes, characters), sizes)
    trained_on = min(products / optimum[0], FRESH_EPOCHS * size)
    return {
        "bytes": size,
        "hours": hours,
        "hours_used": round(float(optimum[0] * trained_on / products * hours), 2),
        "multiplications": interval(optimum),
        "characters": float(f"{trained_on:.4g}"),
        "nats": interval(losses),
        "bits": interval(losses / LN2),
        "beyond": [
            round(float(optimum[0] / found.fresh.sizes.max())),
            round(trained_on / found.fresh.characters.max()),
        ],
    }


# ------------------------------------------------------------------------------------------- reports


def with_interval(values: list[float], form: Callable[[float], str]) -> str:
    """As `0.34 (0.31 to 0.36)`."""
    middle, low, high = map(form, values)
    return f"{middle} ({low} to {high})"


def explained(found: Scaling, here: Machine) -> dict[str, Any]:
    """All that is said of a text, printed as tables."""
    law = {name: interval(values) for name, values in found.laws.named().items()}
    source = f"fitted to {found.repeated} points of more" if found.repeated else "not fitted: no point has more"
    fresh = found.fresh
    off = np.abs(np.log(fresh.nats / found.laws.nats(fresh.sizes, fresh.characters)[0]))
    print(f"\n{found.name}: {len(fresh)} points of up to {FRESH_EPOCHS:g} epochs; the law is off by", end=" ")
    print(f"{np.median(off):.2%} (median), {off.max():.2%} (most); R {found.half_life:.3g} epochs, {source}")
    print("; ".join(f"{name} {with_interval(values, '{:.3g}'.format)}" for name, values in law.items()))
    sizings = [sizing(found, here, minutes) for minutes in BUDGETS]
    print_sizings(sizings)
    predictions = [large(found, size, hours) for size, hours in itertools.product(BYTES, HOURS)]
    print_predictions(predictions)
    return {"law": law, "half_life": found.half_life, "sizing": sizings, "large": predictions}


def print_sizings(rows: list[dict[str, Any]]) -> None:
    """The table of budgets."""
    print_row("minutes", "best size", "nats", "the tool's", "nats", "worse by", "epochs", "x", head=True)
    for row in rows:
        print_row(
            f"{row['minutes']:g}",
            with_interval(row["optimal"], "{:,.0f}".format),
            f"{row['optimal_nats'][0]:.4f}",
            f"{row['chosen']}, {row['chosen_multiplications']:,}",
            f"{row['chosen_nats'][0]:.4f}",
            with_interval(row["worse_by"], "{:.1%}".format),
            f"{row['epochs']:.2g}",
            f"{row['beyond']:g}",
        )


def print_predictions(rows: list[dict[str, Any]]) -> None:
    """The table of a large GPU."""
    print_row("text", "GPU hours (used)", "best size", "characters", "bits per character", "x", head=True)
    for row in rows:
        print_row(
            f"{row['bytes'] / 1e6:,.0f} MB",
            f"{row['hours']} ({row['hours_used']:g})",
            with_interval(row["multiplications"], "{:.2g}".format),
            f"{row['characters']:.2g}",
            with_interval(row["bits"], "{:.3f}".format),
            "{:g} in size, {:g} in length".format(*row["beyond"]),
        )


def print_row(*cells: str, head: bool = False) -> None:
    """A row of a table, or its head."""
    print(("\n" if head else "") + "| " + " | ".join(cells) + " |" + ("\n" + "|---" * len(cells) + "|" if head else ""))


def draw(path: Path, found: list[Scaling]) -> None:
    """Loss against size, a curve for each length: points, and the law between them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(found), figsize=(5 * len(found), 4.2), squeeze=False)
    for axes, one in zip(panels[0], found, strict=True):
        lengths = sorted({float(f"{point['characters']:.2g}") for point in one.points})
        sizes = np.geomspace(one.fresh.sizes.min(), one.fresh.sizes.max(), 50)
        for colour, length in zip(pyplot.get_cmap("viridis")(np.linspace(0, 0.9, len(lengths))), lengths, strict=True):
            rows = _points([point for point in one.points if float(f"{point['characters']:.2g}") == length])
            axes.plot(rows.sizes, rows.nats, "o", color=colour, markersize=4)
            worth = effective(length, one.text.characters, one.half_life)
            axes.plot(sizes, one.laws.nats(sizes, worth)[0], "-", color=colour, label=f"{length / 1e6:g} million")
        axes.set(xscale="log", xlabel="multiplications of a character", title=one.name)
        axes.grid(alpha=0.3, which="both")
        axes.legend(title="characters", fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))  # beside the points
    panels[0][0].set_ylabel("nats per character, held out")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)

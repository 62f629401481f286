"""`charlstm info`: what is in a model file."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

import click

from .console import quoted, strict_json, visible, write
from .options import PATH, Command
from .process import prepare_for_numpy

if TYPE_CHECKING:
    from ..models.file import ModelFile


@click.command(cls=Command, short_help="say what is in a model file")
@click.argument("model", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="everything, as JSON")
def info(model: str, as_json: bool) -> None:
    """Say what is in a model file.

    \b
      charlstm info book.safetensors
      charlstm info book.safetensors --json | jq .result.curve
    """
    prepare_for_numpy()
    from ..models import file as modelfile

    file = modelfile.load(model)
    if as_json:
        write(strict_json(file.description()) + "\n")
        return
    settings = file.settings
    rows = {
        "cell": settings.cell,
        "layers": settings.layers,
        "hidden": settings.hidden,
        "embedding": settings.embedding,
        "parameters": settings.parameters(),
        "characters": _characters(file),
        "ngrams": _counts(file),
        "lines": _one_line(file.lines),
        "normalize": file.normalize or "none",
        **{f"trained_on.{n}": _one_line(source) for n, source in enumerate(file.trained_on)},
        **{f"training.{key}": _one_line(value) for key, value in file.training.items()},
        **{f"result.{key}": _one_line(value) for key, value in file.result.items() if key != "curve"},
    }
    for name, value in rows.items():
        write(visible(f"{name} {value}").replace("\n", "\u240a").replace("\t", "\u2409") + "\n")
    _draw_curve(file.result.get("curve"), "byte" if file.vocabulary.as_bytes else "character")


def _characters(file: ModelFile) -> str:
    """The vocabulary."""
    if file.vocabulary.as_bytes:
        return "all 256 bytes"
    return quoted("".join(file.vocabulary.characters))


def _counts(file: ModelFile) -> str:
    """What is counted beside the network, in words."""
    if file.mixture is None:
        return "none"
    sizes, weights = file.mixture.sizes, file.mixture
    unit = "bytes" if file.vocabulary.as_bytes else "characters"
    size = sum(tensor.nbytes for tensor in file.counts.values()) / 1e6
    return (
        f"{sum(sizes):,} of up to {len(sizes)} {unit}, {size:.1f} MB; weight {weights.ngram_weight:.3f}, that of "
        f"the network {weights.network_weight:.3f}"
    )


def _one_line(value: Any) -> str:
    """A value for a person: numbers, true, false and null as JSON has them; the entries of an object after its keys."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_one_line(entry)}" for key, entry in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _draw_curve(curve: Any, unit: str) -> None:
    values = points_of(curve)
    if values and sys.stdout.isatty():
        from .terminal import sparkline

        write(f"curve {sparkline(values)}  {values[0]:.3f} -> {values[-1]:.3f} bits per {unit}\n")


def points_of(curve: Any) -> list[float]:
    """The validation figures of a run's curve; what no training writes, as a strange file may hold, is left out."""
    entries = [entry for entry in curve if isinstance(entry, dict)] if isinstance(curve, list) else []
    values = [entry.get("val") for entry in entries]
    return [value for value in values if isinstance(value, float) and math.isfinite(value)]

"""The self-contained web page that `inspect --html` writes: a model, a text, and the script that computes them.

The page computes the network itself and asks for nothing from anywhere. Whatever comes from a model file or a text goes
in as JSON in which no `<` stands, so that nothing of it is ever markup. Parameters take three bytes each: as
float16 they would change the surprisals by a hundredth of a bit, and float32 would make a page of more than 4 MB.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import OutputError
from ..inference.inspection import Report
from ..models.file import ModelFile
from ..models.numpy_lstm import GATE_NAMES
from ..models.tensor_file import replace_file

LONGEST = 4000
"""Characters of the text that go into the page at most."""
REMEMBERED = 96 << 20
"""Bytes that the page may use for what happens at each character: of a large network, it holds a shorter text."""
PLACEHOLDER = '{"data": null}'
"""What stands in page.html where the data goes."""
DOCTYPE = b"<!DOCTYPE html>"


def packed(tensor: NDArray[Any]) -> dict[str, Any]:
    """A tensor in row-major order as whole numbers of 24 bits, the lowest byte first, in base64, and their unit.

    The unit is the largest parameter's size over 2^23 - 1, so the error is at most half of that.
    """
    unit = float(np.abs(tensor).max(initial=0)) / (2**23 - 1) or 1.0
    numbers = np.rint(tensor.astype(np.float64).reshape(-1) / unit).astype("<i4")
    return {"unit": unit, "bytes": base64.b64encode(numbers.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()).decode()}


def longest_text(file: ModelFile) -> int:
    """How many characters of a text the page holds, for this model."""
    settings = file.settings
    numbers = settings.layers * settings.hidden * (2 + len(GATE_NAMES[settings.cell])) + settings.vocab_size
    return max(200, min(LONGEST, REMEMBERED // (4 * numbers)))


def page(file: ModelFile, name: str, text: str, seen: Report) -> str:
    """The page as HTML.

    Args:
        file: the model.
        name: what the page calls it.
        text: what it opens with, cut to `longest_text`.
        seen: what to say of the units, with their correlations.
    """
    text = text[: longest_text(file)]
    units = [
        {"name": name, "units": [[one.layer + 1, one.unit + 1, round(one.r, 4)] for one in seen.ranked(name)]}
        for name in seen.correlations
    ]
    data = {
        "name": name,
        "text": text,
        "prompt": text.split("\n")[0][:80],
        "most": longest_text(file),
        "notes": _notes(file),
        "parameters": file.settings.parameters(),
        "units": units,
        "model": _model(file),
    }
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return template.replace(PLACEHOLDER, _as_data(data), 1)


def _model(file: ModelFile) -> dict[str, Any]:
    return {
        "settings": dataclasses.asdict(file.settings),
        "vocabulary": file.vocabulary.characters,
        "unknown_nats": file.vocabulary.unknown_nats,
        "lines": file.lines,
        "tensors": {name: packed(tensor) for name, tensor in file.tensors.items()},
    }


def _notes(file: ModelFile) -> list[str]:
    notes = []
    if file.mixture:
        notes.append(
            "This model also has n-gram counts; this page is of its network alone, which foresees a little less."
        )
    if file.lines:
        notes.append("Each line is a text of its own.")
    return notes


def _as_data(data: Mapping[str, Any]) -> str:
    """JSON in plain ASCII, in which nothing can end the script element or begin another one."""
    return json.dumps(data, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def write_page(path: str | os.PathLike[str], html: str) -> None:
    """Write a page, whole or not at all; only what is a page is replaced.

    Raises:
        OutputError: something else has that name, or it cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists():
            with open(target, "rb") as stream:
                head = stream.read(len(DOCTYPE))
            if head and head.lower() != DOCTYPE.lower():
                raise OutputError(f"{path}: exists and is no web page; give --html another name")
        replace_file(target, html.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise OutputError(f"{path}: cannot write it: {error.strerror or error}") from error

"""The self-contained web page that `inspect --html` writes: a model, a text, and the script that computes them.

The page computes the model itself and asks for nothing from anywhere. Whatever comes from a model file or a text goes
in as JSON in which no `<` stands, so that nothing of it is ever markup; tensors are deflated and in base64.

A page stays below 4 MB where the network leaves it the room. Parameters take three bytes each, with which no surprisal
changes by more than 1e-4 bits. Where n-gram counts need the room, matrices take two bytes (5e-4 bits; float16 would
be a hundredth), and then the longest n-grams are left out.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import errno
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import MixtureSettings
from ..errors import OutputError, counted
from ..inference.inspection import Report
from ..models.file import ModelFile
from ..models.ngrams import symbol_dtype, tensor_name
from ..models.numpy_lstm import GATE_NAMES
from ..models.tensor_file import replace_file

LONGEST = 4000
"""Characters of the text that go into the page at most."""
REMEMBERED = 96 << 20
"""Bytes that the page may use for what happens at each character: of a large network, it holds a shorter text."""
MOST_BYTES = 4_000_000
"""Size of a page at most, where the network leaves room for that."""
LEAST_FOR_COUNTS = 1_000_000
"""Bytes of the page that n-gram counts may use in any case: the network was trained to be mixed with them."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What no other name would help against."""
FOR_NOTES = 1000
"""Bytes for what the page says of itself, and for the names of what it holds."""
LEVEL_TENSORS = ("followers", "backoff", "symbols", "probabilities")
PLACEHOLDER = '{"data": null}'
"""What stands in page.html where the data goes."""
DOCTYPE = b"<!DOCTYPE html>"


def packed(tensor: NDArray[Any], size: int = 3) -> dict[str, Any]:
    """A tensor as whole numbers of `size` bytes, each row of a matrix with a unit of its own.

    The unit is the size of the row's largest parameter over 2^(8 size - 1) - 1, so the error is at most half of that.
    All is in row-major order, the lowest bytes of all numbers first: the highest, side by side, are compressed best.
    """
    rows = np.atleast_2d(tensor).astype(np.float64)
    most = 2 ** (8 * size - 1) - 1
    units = (np.abs(rows).max(axis=1, initial=0) / most).astype("<f4")
    units[units == 0] = 1
    numbers = np.clip(np.rint(rows / units[:, None]), -most, most).astype("<i4")
    parts = numbers.reshape(-1).view(np.uint8).reshape(-1, 4)[:, :size].T
    return {"size": size, "units": _compressed(units), "bytes": _compressed(parts)}


def _compressed(array: NDArray[Any]) -> str:
    """Bytes, the lowest of a number first, deflated and in base64."""
    squeezing = zlib.compressobj(9, wbits=-15, memLevel=9)
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return base64.b64encode(squeezing.compress(data) + squeezing.flush()).decode()


def longest_text(file: ModelFile) -> int:
    """How many characters of a text the page holds, for this model."""
    settings = file.settings
    numbers = settings.layers * settings.hidden * (2 + len(GATE_NAMES[settings.cell])) + settings.vocab_size
    numbers += len(file.mixture.sizes) if file.mixture else 0
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
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    data: dict[str, Any] = {
        "name": name,
        "text": text,
        "prompt": text.split("\n")[0][:80],
        "most": longest_text(file),
        "parameters": file.settings.parameters(),
        "units": units,
        "model": {
            "settings": dataclasses.asdict(file.settings),
            "vocabulary": file.vocabulary.characters,
            "unknown_nats": file.vocabulary.unknown_nats,
            "lines": file.lines,
            "normalize": file.normalize,
        },
    }
    room = MOST_BYTES - len(template.encode()) - len(_as_data(data)) - FOR_NOTES
    data["model"]["tensors"], data["model"]["ngrams"] = _fitting(file, room)
    data["notes"] = _notes(file, data["model"]["ngrams"])
    return template.replace(PLACEHOLDER, _as_data(data), 1)


def _fitting(file: ModelFile, room: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The network's tensors and the n-gram counts, as exact and as many as so many bytes hold."""
    tensors = _network(file, matrix_size=3)
    if not file.mixture:
        return tensors, None
    ngrams = _ngrams(file, file.mixture)
    if len(_as_data(tensors)) + len(_as_data(ngrams)) > room:
        tensors = _network(file, matrix_size=2)
        left = max(room - len(_as_data(tensors)), LEAST_FOR_COUNTS)
        while len(ngrams["levels"]) > 1 and len(_as_data(ngrams)) > left:
            ngrams["levels"].pop()  # the first levels of a trie are a trie, whose longest n-grams nothing continues
    return tensors, ngrams


def _network(file: ModelFile, matrix_size: int) -> dict[str, Any]:
    """All tensors; vectors in three bytes: they are few, and rounding them changes most."""
    return {name: packed(tensor, matrix_size if tensor.ndim > 1 else 3) for name, tensor in file.tensors.items()}


def _ngrams(file: ModelFile, mixture: MixtureSettings) -> dict[str, Any]:
    """All n-grams, and how they are mixed with the network."""
    return {
        "network_weight": mixture.network_weight,
        "ngram_weight": mixture.ngram_weight,
        "newline": int(file.vocabulary.encode("\n")[0]),
        "symbol_size": symbol_dtype(file.settings.vocab_size).itemsize,
        "levels": [
            {name: _compressed(file.counts[tensor_name(level, name)]) for name in LEVEL_TENSORS}
            for level in range(len(mixture.sizes))
        ],
    }


def _notes(file: ModelFile, ngrams: Mapping[str, Any] | None) -> list[str]:
    notes = []
    if file.mixture and ngrams and len(ngrams["levels"]) < len(file.mixture.sizes):
        here = counted(len(ngrams["levels"]), "character")
        notes.append(
            f"Its n-grams are of up to {here} here, of up to {len(file.mixture.sizes)} in the model: the longest do "
            "not fit, and the figures differ a little."
        )
    if file.lines:
        notes.append("Each line is a text of its own.")
    return notes


def _as_data(data: Mapping[str, Any]) -> str:
    """JSON in plain ASCII, in which nothing can end the script element or begin another one."""
    return json.dumps(data, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def check_page(path: str | os.PathLike[str], sources: Iterable[str] = ()) -> None:
    """See that a page may have that name, before a text is read for it.

    Args:
        path: where it would be written; only what is a page is replaced.
        sources: the files that are read for it.

    Raises:
        OutputError: something else has that name, or it is one of the sources, or it cannot be written.
    """
    target = Path(os.path.realpath(path))
    if not os.fspath(path):
        raise OutputError("--html has an empty name; give it the name of a file")
    with _page_errors_named(path):
        if os.path.exists(path):  # a pipe behind /dev/stdout is there, and has no path of its own
            _check_replaceable(path, target, sources)
        if not os.access(target.parent, os.W_OK):
            os.stat(target.parent)  # which says so where there is none
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _check_replaceable(path: str | os.PathLike[str], target: Path, sources: Iterable[str]) -> None:
    if target.is_dir():
        raise OutputError(f"{path}: this is a folder; give --html the name of a file")
    if not os.path.isfile(path):
        raise OutputError(f"{path}: this is no regular file; give --html another name")
    if any(os.path.exists(source) and os.path.samefile(source, target) for source in sources):
        raise OutputError(f"{path}: --html would replace a text that is read; give it another name")
    with open(target, "rb") as stream:
        head = stream.read(len(DOCTYPE))
    if head and head.lower() != DOCTYPE.lower():
        raise OutputError(f"{path}: exists and is no web page; give --html another name")


def write_page(path: str | os.PathLike[str], html: str) -> None:
    """Write a page, whole or not at all; only what is a page is replaced.

    Raises:
        OutputError: see `check_page`.
    """
    check_page(path)
    with _page_errors_named(path):
        replace_file(Path(os.path.realpath(path)), html.encode("utf-8", "surrogatepass"))


@contextlib.contextmanager
def _page_errors_named(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        elsewhere = "" if error.errno in _NO_ROOM else "; give --html a name in a folder of yours"
        raise OutputError(f"{path}: cannot write it: {error.strerror or error}{elsewhere}") from error

"""The one file format: named float32 tensors and a JSON description in a safetensors file.

Written whole or not at all (temporary file, fsync, rename); read only after everything in it was checked, because
model files come from strangers. Knows nothing about networks beyond the names and shapes that the settings give.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import save as to_bytes

from ..config import ModelSettings
from ..data.vocabulary import Vocabulary
from ..errors import CharlstmError, ModelFileError, OutputError

Tensors = dict[str, NDArray[Any]]

FORMAT = 1
"""Version of the description; a file of another version is refused."""

KEY = "charlstm"
LARGEST_HEADER = 32 << 20
"""Bytes. A vocabulary of all Unicode characters needs 22 MB; more is not a model."""

LARGEST_WEIGHT = 1e6
"""Beyond all that training gives, and so small that sums of products of such weights are finite."""


@dataclass
class ModelFile:
    """A model as it lies on disk."""

    settings: ModelSettings
    vocabulary: Vocabulary
    tensors: Tensors
    lines: bool = False
    """Whether every line was learnt as a record of its own."""
    trained_on: list[dict[str, Any]] = field(default_factory=list)
    """Names, sizes and checksums of the texts."""
    training: dict[str, Any] = field(default_factory=dict)
    """How: settings, seed, what it started from, software versions."""
    result: dict[str, Any] = field(default_factory=dict)
    """How that went: steps, characters, seconds, validation bits per character, the curve."""

    def description(self) -> dict[str, Any]:
        """The JSON object that goes into the file."""
        return {
            "format": FORMAT,
            "settings": {_key(name): value for name, value in dataclasses.asdict(self.settings).items()},
            "vocabulary": list(self.vocabulary.characters),
            "lines": self.lines,
            "trained_on": self.trained_on,
            "training": self.training,
            "result": self.result,
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file: whole or not at all.

        Raises:
            OutputError: it cannot be written; what lay there before is untouched.
        """
        write(path, self.tensors, self.description())


# ------------------------------------------------------------------------------------------- writing


def write(path: str | os.PathLike[str], tensors: Mapping[str, NDArray[Any]], description: dict[str, Any]) -> None:
    """Write tensors and a description to a file: temporary file in the same folder, fsync, rename.

    The temporary file has one fixed name for a path, so that a killed process leaves at most one, which the
    next write takes over.

    Raises:
        OutputError: it cannot be written; what lay there before is untouched.
    """
    target = Path(os.path.realpath(path))  # a link stays one: what it points to is replaced
    temporary = target.with_name(f".{target.name}.part")
    try:
        metadata = {KEY: json.dumps(description, ensure_ascii=True, allow_nan=False)}
    except ValueError as error:
        raise OutputError(f"{target}: cannot write it: its description holds a number that is not finite") from error
    data = to_bytes({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, metadata)
    if int.from_bytes(data[:8], "little") > LARGEST_HEADER:  # safetensors: the header's length comes first
        raise OutputError(f"{target}: its description is too large to be read again; give texts as files")
    try:
        with open(temporary, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise OutputError(f"{target}: cannot write it: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    """Make a rename outlast a power cut; not every system can do this to a folder."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# ------------------------------------------------------------------------------------------- reading


def read(path: str | os.PathLike[str]) -> tuple[Tensors, dict[str, Any]]:
    """Read any file that `write` wrote, checking that it is one: size, header, JSON.

    Raises:
        ModelFileError: it is missing, not readable, cut short, or something else.
    """
    name = os.fspath(path)
    try:
        _check_header_size(name)
        with safetensors.safe_open(name, framework="numpy") as file:
            metadata = file.metadata() or {}
            description = _parse_json(name, metadata.get(KEY))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise ModelFileError(f"{name}: cannot read it: {error.strerror or error}") from error
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, AttributeError, MemoryError) as error:
        raise ModelFileError(f"{name}: not a whole charlstm model: {_plain(error)}") from error
    return tensors, description


def _check_header_size(name: str) -> None:
    if not stat.S_ISREG(os.stat(name).st_mode):
        raise ModelFileError(f"{name}: not a charlstm model: it is not a regular file")
    with open(name, "rb") as stream:
        head = stream.read(9)
    size = int.from_bytes(head[:8], "little")
    if len(head) < 9 or head[8:9] != b"{":
        raise ModelFileError(f"{name}: not a charlstm model; 'charlstm train' makes them")
    if size > LARGEST_HEADER:
        raise ModelFileError(f"{name}: not a charlstm model: its header claims {size:,} bytes")


def _parse_json(name: str, text: str | None) -> dict[str, Any]:
    if text is None:
        raise ModelFileError(f"{name}: a safetensors file, but not one of charlstm's")
    try:
        description = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{name}: its description is not proper JSON: {_plain(error)}") from error
    if not isinstance(description, dict):
        raise ModelFileError(f"{name}: its description is not a JSON object")
    return description


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def load(path: str | os.PathLike[str]) -> ModelFile:
    """Read a model, checked before use: format version, settings, vocabulary, names, shapes, types, values.

    Raises:
        ModelFileError: it is missing, broken, or not a model of this format; the message says what is wrong.
    """
    name = os.fspath(path)
    if not name:
        raise ModelFileError("no model was named")
    tensors, description = read(path)
    try:
        return _checked(tensors, description)
    except CharlstmError as error:
        raise ModelFileError(f"{name}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelFileError(f"{name}: its description is not a charlstm model's: {_plain(error)}") from error


def _checked(tensors: Tensors, description: dict[str, Any]) -> ModelFile:
    version = description.get("format")
    if "resume" in description:
        raise ModelFileError("this is the state of an unfinished run; its model lies beside it, without .resume")
    if version != FORMAT or isinstance(version, bool):
        raise ModelFileError(f"format {_plain(version)}, but this charlstm reads format {FORMAT} only")
    characters = _typed(description, "vocabulary", list)
    settings = _settings(_typed(description, "settings", dict))
    if settings.vocab_size != len(characters) + 1:
        raise ModelFileError(
            f"its settings speak of {settings.vocab_size} symbols, but its vocabulary has {len(characters) + 1}"
        )
    check_tensors(tensors, settings.shapes())
    return ModelFile(
        settings=settings,
        vocabulary=Vocabulary(characters),
        tensors=tensors,
        lines=_typed(description, "lines", bool),
        trained_on=_typed(description, "trained_on", list),
        training=_typed(description, "training", dict),
        result=_typed(description, "result", dict),
    )


def _typed(description: dict[str, Any], key: str, kind: type) -> Any:
    value = description.get(key)
    if not isinstance(value, kind):
        raise ModelFileError(f"its description lacks a proper {key!r} ({kind.__name__})")
    return value


def _key(name: str) -> str:
    """What a field of the settings is called in the file: format 1 says "vocabulary" for `vocab_size`."""
    return "vocabulary" if name == "vocab_size" else name


def _settings(values: dict[str, Any]) -> ModelSettings:
    keys = {_key(field_.name): field_ for field_ in dataclasses.fields(ModelSettings)}
    for key, field_ in keys.items():
        kind = str if field_.name == "cell" else int
        value = values.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ModelFileError(f"its settings lack a proper {key!r} ({kind.__name__})")
    unknown = sorted(set(values) - set(keys))
    if unknown:
        raise ModelFileError(f"its settings have an entry that this charlstm does not know: {_plain(unknown[0])}")
    return ModelSettings(**{field_.name: values[key] for key, field_ in keys.items()})


def check_tensors(tensors: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check names, shapes, types and values of a model's tensors.

    Raises:
        ModelFileError: naming the first tensor that is wrong and how.
    """
    for missing in sorted(set(shapes) - set(tensors)):
        raise ModelFileError(f"the tensor {missing} is missing")
    for extra in sorted(set(tensors) - set(shapes)):
        raise ModelFileError(f"it holds a tensor {_plain(extra)} that its settings do not call for")
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tensor.shape != shape:
            raise ModelFileError(f"the tensor {name} has shape {tensor.shape}; its settings call for {shape}")
        if tensor.dtype != np.float32:
            raise ModelFileError(f"the tensor {name} is {tensor.dtype}; it must be float32")
        largest = float(np.abs(tensor).max(initial=0.0))
        if not math.isfinite(largest):
            raise ModelFileError(f"the tensor {name} holds values that are not finite numbers")
        if largest > LARGEST_WEIGHT:
            raise ModelFileError(
                f"the tensor {name} holds {largest:.3g}; no training gives more than {LARGEST_WEIGHT:g}"
            )


def _plain(value: object) -> str:
    """A short, printable form of something that came out of a file (escape sequences are an attack)."""
    return "".join(c if c.isprintable() else "?" for c in str(value))[:200]

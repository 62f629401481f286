"""Named tensors and a JSON description in one safetensors file, written whole or not at all.

A write is: temporary file, fsync, rename. Files come from strangers, so no tensor is read into memory before its name,
shape and type in the header were checked. Knows nothing about models: `file.py` says what one holds.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import math
import mmap
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import save as to_bytes

from ..data.streams import is_packed, reason
from ..errors import CharlstmError, ModelFileError, OutputError, counted

Tensors = dict[str, NDArray[Any]]
Description = dict[str, Any]
"""The JSON object that a file holds beside its tensors."""

KEY = "charlstm"
LARGEST_HEADER = 32 << 20
"""Bytes. A vocabulary of all Unicode characters needs 22 MB; more is not a model."""

MARGIN = 16 << 20
"""Bytes that reading a model takes beside its tensors, at most."""

_DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BOOL": "bool",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8",
}  # fmt: skip
"""numpy's names of safetensors' types."""


class TensorSpec(NamedTuple):
    """What a file's header says of a tensor, or what a model's settings call for."""

    shape: tuple[int, ...]
    """Its sizes, the outermost first."""
    dtype: str = "float32"
    """As numpy names it."""


def with_prefix(tensors: Tensors, prefix: str) -> Tensors:
    """Those tensors whose names begin so, without that beginning."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


# ------------------------------------------------------------------------------------------- writing


def write(path: str | os.PathLike[str], tensors: Mapping[str, NDArray[Any]], description: Description) -> None:
    """Write tensors and a description to a file: temporary file in the same folder, fsync, rename.

    The temporary file has one fixed name for a path, so that a killed process leaves at most one, which the
    next write removes. A file that is replaced hands its permissions on.

    Raises:
        OutputError: it cannot be written; what lay there before is untouched.
    """
    target = Path(os.path.realpath(path))  # a link stays one: what it points to is replaced
    try:
        metadata = {KEY: json.dumps(description, ensure_ascii=True, allow_nan=False)}
    except ValueError as error:
        raise OutputError(f"{target}: cannot write it: its description holds a number that is not finite") from error
    data = to_bytes({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, metadata)
    if int.from_bytes(data[:8], "little") > LARGEST_HEADER:  # safetensors: the header's length comes first
        raise OutputError(f"{target}: its description is too large to be read again; give texts as files")
    try:
        replace_file(target, data)
    except OSError as error:
        raise OutputError(f"{target}: cannot write it: {error.strerror or error}") from error


def replace_file(target: Path, data: bytes) -> None:
    """Put a file of that content where another may lie, by way of a temporary one.

    Raises:
        OSError: it cannot be written; what lay there before is untouched.
    """
    temporary = target.with_name(f".{target.name}.part")
    temporary.unlink(missing_ok=True)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    # Exclusively, so never through a link; closed to others until it has the permissions of what it replaces.
    opener = functools.partial(os.open, mode=0o666 if mode is None else 0o600)
    with open(temporary, "xb", opener=opener) as stream:
        try:
            if mode is not None:
                os.chmod(temporary, mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
            os.replace(temporary, target)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename outlast a power cut; not every system can do this to a folder."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# ------------------------------------------------------------------------------------------- reading


def read(
    path: str | os.PathLike[str], wanted: Callable[[Description], Mapping[str, TensorSpec]] | None = None
) -> tuple[Tensors, Description]:
    """Read any file that `write` wrote, checking that it is one: size, header, JSON.

    Args:
        path: the file.
        wanted: says which tensors a file of that description must hold; no tensor is read before the header was
            checked against it. None: whatever it holds.

    Raises:
        ModelFileError: it is missing, not readable, cut short, or something else.
    """
    with _opened(path) as file:
        description = _description_in(file)
        found = {key: _spec(file.get_slice(key)) for key in file.keys()}  # noqa: SIM118
        if wanted is not None:
            check_specs(found, wanted(description))
        _reserve(sum(math.prod(spec.shape) * np.dtype(spec.dtype).itemsize for spec in found.values()))
        return {key: file.get_tensor(key) for key in found}, description


def read_description(path: str | os.PathLike[str]) -> Description:
    """The description in any file that `write` wrote, without its tensors.

    Raises:
        ModelFileError: as for `read`.
    """
    with _opened(path) as file:
        return _description_in(file)


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    """A safetensors file whose header is of a size that can be read; errors name it."""
    name = os.fspath(path)
    with broken_file_named(name):
        _check_header_size(name)
        _try_to_map(name)
        with safetensors.safe_open(name, framework="numpy") as file:
            yield file


def _description_in(file: Any) -> Description:
    return _parse_json((file.metadata() or {}).get(KEY))


def _try_to_map(name: str) -> None:
    """Find out whether a file can be mapped into memory, beside what else is needed.

    Raises:
        MemoryError: there is not enough memory.
    """
    _reserve(0)
    with open(name, "rb") as stream:
        _mapped(stream.fileno(), 0, mmap.ACCESS_READ)


def _reserve(size: int) -> None:
    """Find out whether so many bytes can be had: where they cannot, safetensors ends or stops the whole process.

    Raises:
        MemoryError: there is not enough memory.
    """
    _mapped(-1, size + MARGIN, mmap.ACCESS_COPY)


def _mapped(handle: int, size: int, access: int) -> None:
    try:
        mmap.mmap(handle, size, access=access).close()
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from error
        raise


@contextlib.contextmanager
def broken_file_named(name: str) -> Iterator[None]:
    """Whatever a file makes go wrong is a ModelFileError that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise ModelFileError(
            f"{name}: cannot read it: {reason(error, name)}; give the model that training wrote"
        ) from error
    except OSError as error:
        raise ModelFileError(f"{name}: cannot read it: {error.strerror or error}") from error
    except CharlstmError as error:
        raise ModelFileError(f"{name}: {error}") from error
    except MemoryError as error:
        raise ModelFileError(f"{name}: there is not enough memory to read it") from error
    except (
        safetensors.SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError,
    ) as error:  # fmt: skip
        raise ModelFileError(f"{name}: not a whole charlstm model: {printable(error)}") from error


def _check_header_size(name: str) -> None:
    mode = os.stat(name).st_mode
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise ModelFileError(f"not a charlstm model: it is {what}; name the file itself")
    head = _head(name)
    size = int.from_bytes(head[:8], "little")
    if is_packed(head):
        raise ModelFileError("this is a compressed file; unpack it first, and give the model that was in it")
    if not _begins_as_one(head):
        raise ModelFileError("not a charlstm model; 'charlstm train' makes them")
    if size > LARGEST_HEADER:
        raise ModelFileError(f"not a charlstm model: its header claims {counted(size, 'byte')}")


def may_be_one(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as those do that this module writes; an empty one may be replaced like these."""
    head = _head(path)
    return not head or _begins_as_one(head)


def _head(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(9)


def _begins_as_one(head: bytes) -> bool:
    """The header of a safetensors file is JSON; its length stands before it."""
    return head[8:9] == b"{"


def _spec(entry: Any) -> TensorSpec:
    """Of a tensor that is not yet read."""
    dtype = entry.get_dtype()
    return TensorSpec(tuple(entry.get_shape()), _DTYPES.get(dtype, dtype))


def _parse_json(text: str | None) -> Description:
    if text is None:
        raise ModelFileError("a safetensors file, but not one of charlstm's")
    try:
        description = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"its description is not proper JSON: {printable(error)}") from error
    if not isinstance(description, dict):
        raise ModelFileError("its description is not a JSON object")
    return description


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def check_specs(found: Mapping[str, TensorSpec], wanted: Mapping[str, TensorSpec]) -> None:
    """Check names, shapes and types of tensors.

    Raises:
        ModelFileError: naming the first tensor that is wrong and how.
    """
    for missing in sorted(set(wanted) - set(found)):
        raise ModelFileError(f"the tensor {missing} is missing")
    for extra in sorted(set(found) - set(wanted)):
        raise ModelFileError(f"it holds a tensor {printable(extra)} that its settings do not call for")
    for name, (shape, dtype) in wanted.items():
        if found[name].shape != shape:
            called_for = f"its settings call for {shape}"
            raise ModelFileError(f"the tensor {name} has shape {printable(found[name].shape)}; {called_for}")
        if found[name].dtype != dtype:
            raise ModelFileError(f"the tensor {name} is {printable(found[name].dtype)}; it must be {dtype}")


def printable(value: object) -> str:
    """A short form of something that came out of a file, in which no escape sequence can stand: they are an attack."""
    return "".join(c if c.isprintable() else "?" for c in str(value)[:200])

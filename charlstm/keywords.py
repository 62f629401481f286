"""Settings as keyword arguments, with the types that an editor completes.

The dataclasses in `config.py` say what each means and check it; a test holds that names and types agree.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypedDict, TypeVar

from .config import CellName, NormalizeName, SampleSettings, SplitName
from .errors import UsageError

_Settings = TypeVar("_Settings")


class SampleOptions(TypedDict, total=False):
    """The fields of SampleSettings, but for the count."""

    length: int
    temperature: float
    top_k: int | None
    top_p: float | None
    min_p: float | None
    seed: int | None
    stop: str | bytes | Iterable[str | bytes]


class SamplesOptions(SampleOptions, total=False):
    """The fields of SampleSettings."""

    count: int


class TrainingOptions(TypedDict, total=False):
    """The fields of TrainingRequest."""

    minutes: float | None
    epochs: float | None
    steps: int | None
    layers: int | None
    hidden: int | None
    embedding: int | None
    cell: CellName | None
    batch: int | None
    context: int | None
    learning_rate: float | None
    weight_decay: float | None
    dropout: float | None
    dropconnect: float | None
    val_fraction: float
    val_split: SplitName
    normalize: NormalizeName | None
    min_count: int | None
    ngrams: int | None
    lines: bool
    as_bytes: bool
    seed: int
    device: str
    threads: int | None
    precision: Literal["auto", "float32", "bfloat16"]


def settings_of(settings: type[_Settings], named: Mapping[str, Any]) -> _Settings:
    """Settings of that class from keyword arguments.

    Raises:
        UsageError: there is no setting of a name, or its value is out of range.
    """
    names = [field.name for field in dataclasses.fields(settings)]  # type: ignore[arg-type]
    for name in named:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise UsageError(f"there is no setting {name!r:.40}; {hint}")
    return settings(**named)


def sample_settings(settings: SampleSettings | None, named: Mapping[str, object]) -> SampleSettings:
    """Settings that were given as one, or else by name.

    Raises:
        UsageError: they were given as both, or as something else; or see `settings_of`.
    """
    if settings is None:
        return settings_of(SampleSettings, named)
    if named:
        raise UsageError(f"give either settings or {', '.join(named)} by name, not both")
    if not isinstance(settings, SampleSettings):
        raise UsageError(f"settings is {settings!r:.40}; give a SampleSettings, or its fields by name")
    return settings

"""A model as a file: what its description and its tensors must be.

Model files come from strangers, so everything is checked before it is used: what is read into memory is never more
than a model of the settings in the header needs. Knows nothing about networks beyond the names, shapes and types of
their tensors; `tensor_file` reads and writes them.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from numpy.typing import NDArray

from ..config import NORMALIZATIONS, MixtureSettings, ModelSettings, NormalizeName
from ..data.raw import BYTES
from ..data.vocabulary import Vocabulary
from ..errors import ModelFileError
from .ngrams import PREFIX, check_tries, tensor_types
from .tensor_file import Description, Tensors, TensorSpec, broken_file_named, printable, read, write

FORMAT, BYTES_FORMAT = 1, 2
"""Versions of the description: of models of characters and, so that who knows no bytes refuses them, of bytes."""
BYTES_VOCABULARY = "bytes"
"""What stands in place of the characters."""

LARGEST_PARAMETER = 1e6
"""Beyond all that training gives, and so small that sums of products of such parameters are finite."""


@dataclass
class ModelFile:
    """A model as it lies on disk."""

    settings: ModelSettings
    vocabulary: Vocabulary
    tensors: Tensors
    """The network's, see `ModelSettings.shapes`."""
    normalize: NormalizeName | None = None
    """The Unicode normalization form of its texts ("nfc"); None: they were read as they are."""
    lines: bool = False
    """Whether it was trained on lines, each a record of its own."""
    trained_on: list[dict[str, Any]] = field(default_factory=list)
    """Names, sizes and checksums of the texts."""
    training: dict[str, Any] = field(default_factory=dict)
    """How: settings, seed, what it started from, software versions."""
    result: dict[str, Any] = field(default_factory=dict)
    """How that went: steps, characters, seconds, validation bits per character, the curve."""
    mixture: MixtureSettings | None = None
    """How counts of the training text are joined with the network, where they help."""
    counts: Tensors = field(default_factory=dict)
    """Their tensors, see `ngrams.tensor_types`."""

    def description(self) -> Description:
        """The JSON object that goes into the file."""
        counts = {"ngrams": dataclasses.asdict(self.mixture)} if self.mixture else {}
        as_bytes = self.vocabulary.as_bytes
        return {
            "format": BYTES_FORMAT if as_bytes else FORMAT,
            "settings": {_key(name): value for name, value in dataclasses.asdict(self.settings).items()},
            "vocabulary": BYTES_VOCABULARY if as_bytes else list(self.vocabulary.characters),
            **({"normalize": self.normalize} if self.normalize else {}),
            "lines": self.lines,
            "trained_on": self.trained_on,
            "training": self.training,
            "result": self.result,
            **counts,
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file: whole or not at all.

        Raises:
            OutputError: it cannot be written; what lay there before is untouched.
        """
        write(path, {**self.tensors, **self.counts}, self.description())


# ------------------------------------------------------------------------------------------- reading


def load(path: str | os.PathLike[str]) -> ModelFile:
    """Read a model, checked before use: format version, settings, vocabulary, names, shapes, types, values.

    Raises:
        ModelFileError: it is missing, broken, or not a model of this format; the message says what is wrong.
    """
    name = os.fspath(path)
    if not name:
        raise ModelFileError("no model was named")
    tensors, description = read(path, _wanted)
    with broken_file_named(name):
        settings, mixture = _settings(description), _mixture(description)
        counts = {name: tensors.pop(name) for name in list(tensors) if name.startswith(PREFIX)}
        check_values(tensors)
        if mixture:
            check_tries(counts, settings.vocab_size, len(mixture.sizes))
        return ModelFile(
            settings=settings,
            vocabulary=Vocabulary(_characters(description), as_bytes=description["format"] == BYTES_FORMAT),
            tensors=tensors,
            mixture=mixture,
            counts=counts,
            normalize=_normalize(description),
            lines=_typed(description, "lines", bool),
            trained_on=_typed(description, "trained_on", list),
            training=_typed(description, "training", dict),
            result=_typed(description, "result", dict),
        )


def _normalize(description: Description) -> NormalizeName | None:
    form = description.get("normalize")
    if form not in (None, *NORMALIZATIONS):
        raise ModelFileError(f"normalize is {form!r:.40}; it must be one of {', '.join(NORMALIZATIONS)}")
    return form


def _characters(description: Description) -> Sequence[str]:
    """The vocabulary as the file has it."""
    if description["format"] == FORMAT:
        return cast(list[str], _typed(description, "vocabulary", list))
    if description.get("vocabulary") != BYTES_VOCABULARY:
        raise ModelFileError(f"its vocabulary is not {BYTES_VOCABULARY!r}, as that of format {BYTES_FORMAT} is")
    return BYTES


def _wanted(description: Description) -> dict[str, TensorSpec]:
    """The tensors that a model of that description consists of."""
    version = description.get("format")
    if "resume" in description:
        raise ModelFileError("this is the state of an unfinished run; its model lies beside it, without .resume")
    if type(version) is not int:  # a bool is an int, and 1.0 equals 1
        raise ModelFileError(f"its format is {printable(repr(version)[:40])}; it must be a whole number")
    if version not in (FORMAT, BYTES_FORMAT):
        found = printable(version) if abs(version) < 1e9 else "unknown"
        raise ModelFileError(f"format {found}, but this charlstm reads formats 1 and {BYTES_FORMAT} only")
    settings, symbols = _settings(description), len(_characters(description)) + 1
    if settings.vocab_size != symbols:
        raise ModelFileError(f"its settings speak of {settings.vocab_size} symbols, but its vocabulary has {symbols}")
    wanted = {name: TensorSpec(shape) for name, shape in settings.shapes().items()}
    if mixture := _mixture(description):
        counts = tensor_types(settings.vocab_size, mixture.sizes)
        wanted |= {name: TensorSpec(shape, dtype.name) for name, (shape, dtype) in counts.items()}
    return wanted


def _mixture(description: Description) -> MixtureSettings | None:
    """How counts are joined with the network, if there are any."""
    if "ngrams" not in description:
        return None
    values = _typed(description, "ngrams", dict)
    names = {field_.name for field_ in dataclasses.fields(MixtureSettings)}
    for name in sorted(names - set(values)):
        raise ModelFileError(f"its n-grams lack {name!r}")
    _refuse_unknown("its n-grams", values, names)
    return MixtureSettings(**{**values, "sizes": tuple(_typed(values, "sizes", list))})


def _refuse_unknown(whose: str, values: Description, known: Collection[str]) -> None:
    for name in sorted(set(values) - set(known)):
        raise ModelFileError(f"{whose} have an entry that this charlstm does not know: {printable(name)}")


def _typed(description: Description, key: str, expected: type) -> Any:
    value = description.get(key)
    if not isinstance(value, expected):
        raise ModelFileError(f"its description lacks a proper {key!r} ({expected.__name__})")
    return value


def _key(name: str) -> str:
    """What a field of the settings is called in the file: format 1 says "vocabulary" for `vocab_size`."""
    return "vocabulary" if name == "vocab_size" else name


def _settings(description: Description) -> ModelSettings:
    values = _typed(description, "settings", dict)
    keys = {_key(field_.name): field_ for field_ in dataclasses.fields(ModelSettings)}
    for key, field_ in keys.items():
        expected = str if field_.name == "cell" else int
        value = values.get(key)
        if not isinstance(value, expected) or isinstance(value, bool):
            raise ModelFileError(f"its settings lack a proper {key!r} ({expected.__name__})")
    _refuse_unknown("its settings", values, keys)
    return ModelSettings(**{field_.name: values[key] for key, field_ in keys.items()})


def check_values(tensors: Mapping[str, NDArray[Any]]) -> None:
    """Check that all values are finite and of a size that training gives.

    Raises:
        ModelFileError: naming the first tensor that is wrong and how.
    """
    for name, tensor in tensors.items():
        largest = max(float(tensor.max(initial=0)), -float(tensor.min(initial=0)))
        if not math.isfinite(largest):
            raise ModelFileError(f"the tensor {name} holds values that are not finite numbers")
        if largest > LARGEST_PARAMETER:
            raise ModelFileError(
                f"the tensor {name} holds {largest:.3g}; no training gives more than {LARGEST_PARAMETER:g}"
            )

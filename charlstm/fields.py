"""Fields of settings: what they admit, declared where they stand, and checked when they are made.

Knows nothing of what the settings are.
"""

from __future__ import annotations

import dataclasses
import numbers
from typing import Any

from .errors import UsageError


def setting(default: Any, help: str, *, least: float | None = None, most: float | None = None) -> Any:
    """A dataclass field with its help text and its range (both ends included)."""
    return dataclasses.field(default=default, metadata={"help": help, "least": least, "most": most})


_TYPES: dict[str, tuple[type, str]] = {
    "int": (numbers.Integral, "a whole number"),
    "float": (numbers.Real, "a number"),
    "str": (str, "a text"),
    "bool": (bool, "true or false"),
}
"""What a field's declared type admits."""


def plain(value: Any) -> Any:
    """A number of another package's (numpy's, torch's) as Python's own, which JSON can hold; anything else as it is."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def shortened(number: Any, most: int = 20) -> str:
    """A number as it was given; of a long one it can be seen that digits are left out."""
    try:
        text = str(number)
    except ValueError:  # Python writes no number of thousands of digits
        return f"a number of {number.bit_length():,} bits"
    return text if len(text) <= most else f"{text[:most]}..."


def check_fields(settings: Any) -> None:
    """Check every field against the type and the range that it declares; None means "not given" and passes.

    Scalars of numpy become Python's own numbers: settings are written to model files as JSON.

    Raises:
        UsageError: a value is of another type or outside its range, or not a number.
    """
    for field in dataclasses.fields(settings):
        value, name = plain(getattr(settings, field.name)), field.name.replace("_", "-")
        declared, _, optional = str(field.type).partition(" | ")
        if value is None and optional:
            continue
        object.__setattr__(settings, field.name, value)
        accepted, words = _TYPES.get(declared, (object, ""))
        if not isinstance(value, accepted) or (isinstance(value, bool) and accepted not in (bool, object)):
            raise UsageError(f"{name} is {value!r:.20}; it must be {words}")
        least, most = field.metadata.get("least"), field.metadata.get("most")
        if least is None and most is None:
            continue
        if value != value or (least is not None and value < least) or (most is not None and value > most):
            bounds = f"at least {least:,}" if most is None else f"between {least:,} and {most:,}"
            raise UsageError(f"{name} is {shortened(value)}; it must be {bounds}")


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Check that a value is one of some names.

    Raises:
        UsageError: it is not.
    """
    if value not in choices:
        raise UsageError(f"{name} is {value!r:.40}; it must be one of {', '.join(choices)}")

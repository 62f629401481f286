"""`charlstm inspect --why`: which earlier characters a prediction rests on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..data.raw import by_characters, escaped
from ..data.reading import ended
from ..errors import UsageError
from .colours import draw, has_colours
from .console import quoted, strict_json, write
from .unknown import UnknownCharacters

if TYPE_CHECKING:
    from ..inference.influence import Influence
    from ..models.file import ModelFile

SHOWN = 12
"""Masked characters that a person is shown, those that change most."""


def inspect_why(
    file: ModelFile, pieces: Iterable[str], position: int, as_json: bool, unknown: UnknownCharacters
) -> None:
    """Mask what stands before a position, a character at a time, and write what that changes.

    What is unknown is gathered of the characters up to the position alone.
    """
    from ..api import Model
    from ..inference.influence import influence

    pieces = ended(pieces) if file.lines else pieces
    before, following = _split_at("".join(_needed(pieces, position)), position)
    place = len(before) + 1
    if file.lines:
        before = before[before.rfind("\n") + 1 :]
    unknown.add(before + (following or ""))
    seen = influence(Model(file).network, file.vocabulary, before, following)
    masked = before[seen.first :]
    if as_json:
        write(strict_json(_why_as_json(file, seen, masked, following, place)) + "\n")
    elif sys.stdout is not None and sys.stdout.isatty():
        _draw_why(file, seen, masked, following)
    else:
        write("".join(row + "\n" for row in _why_rows(file, seen, masked)))


def _needed(pieces: Iterable[str], position: int) -> Iterator[str]:
    """The pieces up to a position; all of them where it counts from the end."""
    count = 0
    for piece in pieces:
        yield piece
        count += len(piece)
        if 0 < position <= count:
            return


def _split_at(text: str, position: int) -> tuple[str, str | None]:
    """The text before a position, and the character there; the one after the last is none."""
    index = position - 1 if position > 0 else len(text) + position
    if position == 0 or not 0 <= index <= len(text):
        raise UsageError(f"--why is {position}; the text has positions 1 to {len(text)}, and {len(text) + 1} after it")
    return text[:index], text[index : index + 1] or None


def _shown(file: ModelFile, character: str) -> str:
    """A character or, where it stands for a byte, its escape."""
    return escaped(character) if file.vocabulary.as_bytes else character


def _quoted(file: ModelFile, character: str) -> str:
    return quoted(_shown(file, character))


def _why_rows(file: ModelFile, seen: Influence, masked: str) -> Iterator[str]:
    """Distance back, divergence, cost and character, the nearest first."""
    for back in range(1, len(masked) + 1):
        cost = "" if seen.cost is None else f"{seen.cost[-back]:.4f}"
        yield f"{back}\t{seen.divergence[-back]:.4f}\t{cost}\t{_quoted(file, masked[-back])}"


def _why_as_json(file: ModelFile, seen: Influence, masked: str, following: str | None, place: int) -> dict[str, Any]:
    rows = [
        {
            "back": back,
            "char": _shown(file, masked[-back]),
            "divergence": float(seen.divergence[-back]),
            "cost": None if seen.cost is None else float(seen.cost[-back]),
        }
        for back in range(1, len(masked) + 1)
    ]
    likeliest = [{"char": _shown(file, one), "probability": p} for one, p in seen.likeliest(file.vocabulary)]
    char = None if following is None else _shown(file, following)
    return {"position": place, "char": char, "likeliest": likeliest, "characters": rows}


def _draw_why(file: ModelFile, seen: Influence, masked: str, following: str | None) -> None:
    """The text before the prediction, coloured, and what changes most."""
    likeliest = "  ".join(f"{_quoted(file, one)} {p:.1%}" for one, p in seen.likeliest(file.vocabulary))
    write(f"likeliest here: {likeliest}\n")
    if following is not None:
        write(f"really here: {_quoted(file, following)}\n")
    if not masked:
        return
    most = float(seen.divergence.max()) or 1.0
    if has_colours():
        drawn = [(masked, ((seen.divergence / most) ** 0.5).tolist())]  # the root, so that small changes show, too
        draw(by_characters(drawn, max) if file.vocabulary.as_bytes else drawn)
    write("back\tbits\tcost\tcharacter\n")
    order = sorted(range(len(masked)), key=lambda index: -seen.divergence[index])[:SHOWN]
    rows = list(_why_rows(file, seen, masked))
    write("".join(rows[len(masked) - 1 - index] + "\n" for index in order))

"""Fine-tuning: what follows for a run that begins with a pretrained model. Knows requests and model files only."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from ..config import ModelSettings, TrainingRequest
from ..errors import UsageError
from ..models import file as modelfile
from ..models.file import ModelFile


def beginning_with(
    path: str | os.PathLike[str] | None, request: TrainingRequest
) -> tuple[ModelFile | None, TrainingRequest]:
    """The model that a run begins with, if there is one, and a request that keeps its shape.

    Raises:
        ModelFileError, UsageError: it cannot be loaded; another shape was asked for, or other symbols.
    """
    if path is None:
        return None, request
    model = modelfile.load(path)
    refuse_to_mix(model, request)
    request = in_the_shape_of(model.settings, request)
    return model, dataclasses.replace(request, normalize=request.normalize or model.normalize)


def facts_about(path: str | os.PathLike[str] | None, model: ModelFile | None) -> dict[str, Any] | None:
    """What a run's model says of the one that it began with."""
    return {"name": os.path.basename(path or ""), "trained_on": model.trained_on} if model else None


def in_the_shape_of(model: ModelSettings, request: TrainingRequest) -> TrainingRequest:
    """A request for a network of that shape.

    Raises:
        UsageError: another shape was asked for.
    """
    shape = {name: getattr(model, name) for name in ("layers", "hidden", "embedding", "cell")}
    for name, value in shape.items():
        if getattr(request, name) not in (None, value):
            raise UsageError(
                f"--{name} {getattr(request, name)} contradicts --init-from: that model has {value}; leave it out"
            )
    return dataclasses.replace(request, **shape)


def refuse_to_mix(model: ModelFile, request: TrainingRequest) -> None:
    """Characters and bytes have no vocabulary in common.

    Raises:
        UsageError: the model is one of bytes and the run is not to be, or the other way round.
    """
    if model.vocabulary.as_bytes and not request.as_bytes:
        raise UsageError("--init-from: that is a model of bytes, and this run is of characters: give --bytes, too")
    if request.as_bytes and not model.vocabulary.as_bytes:
        raise UsageError("--init-from: that is a model of characters, and this run is of bytes: leave out --bytes")


def notes_on_pretrained(model: ModelFile, request: TrainingRequest) -> list[str]:
    """Warnings where a model of lines is trained further on running text, or the other way round; and of its counts."""
    notes, types = [], ("running text", "lines")
    if model.lines != request.lines:
        notes.append(
            f"warning: the pretrained model was trained on {types[model.lines]}, and this run trains on "
            f"{types[request.lines]}: {'give' if model.lines else 'leave out'} --lines to train in the same way"
        )
    if model.mixture and request.ngrams != 0:
        notes.append(
            "warning: the pretrained model's counts of its own text are not kept, this text is counted in their place; "
            "name that text, too, to have both counted, and compare the two models by eval"
        )
    return notes

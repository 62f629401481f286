"""What the benchmarks share: the machine and what ran in words, medians, random models, one JSON line last."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from charlstm.config import ModelSettings, TrainingSettings
from charlstm.data.vocabulary import Vocabulary
from charlstm.models.file import ModelFile, load
from charlstm.threads import processors

ROOT = Path(__file__).resolve().parent.parent
ALPHABET = "\n" + "".join(map(chr, range(32, 97)))


def machine() -> str:
    """Processor, cores, system, versions."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        rows = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = rows[0] if rows else name
    versions = f"Python {platform.python_version()}, torch {version('torch')}, numpy {version('numpy')}"
    return f"{name}, {processors()} cores, {platform.system()}, {versions}"


def in_words(model: ModelSettings, training: TrainingSettings | None = None) -> str:
    """What really ran, from the settings that the model and the run got (never from those that were asked for)."""
    return _in_words(model, {} if training is None else dataclasses.asdict(training))


def described(path: str | os.PathLike[str]) -> str:
    """The same, of a model file that `charlstm train` wrote."""
    file = load(path)
    return _in_words(file.settings, file.training)


def _in_words(model: ModelSettings, training: Mapping[str, Any]) -> str:
    shape = f"{model.layers} x {model.hidden} {model.cell}, {model.parameters():,} parameters"
    if not training:
        return shape
    return (
        f"{shape}; batch size {training['batch']}, context {training['context']}, "
        f"learning rate {training['learning_rate']:g}, dropout {training['dropout']:g}, "
        f"dropconnect {training['dropconnect']:g}, {training['precision']}"
    )


def median_time(work: Callable[[], Any], repeats: int = 7, inner: int = 1) -> float:
    """Median seconds of one call of `work`."""
    work()
    times = []
    for _ in range(repeats):
        before = time.perf_counter()
        for _ in range(inner):
            work()
        times.append((time.perf_counter() - before) / inner)
    return statistics.median(times)


def random_model(hidden: int, layers: int = 2, vocabulary: Vocabulary | None = None) -> ModelFile:
    """A model of that size with random parameters, over 66 characters or those of a vocabulary."""
    vocabulary = vocabulary or Vocabulary(ALPHABET)
    settings = ModelSettings(len(vocabulary), layers, hidden, 64)
    rng = np.random.default_rng(0)
    tensors = {
        name: (rng.standard_normal(shape) / np.sqrt(hidden)).astype(np.float32)
        for name, shape in settings.shapes().items()
    }
    return ModelFile(settings, vocabulary, tensors)


def matrix_rate(size: int = 2048) -> float:
    """Floating-point operations a second of a large numpy matrix product, float32."""
    matrix = np.random.default_rng(0).random((size, size), dtype=np.float32)
    return 2 * size**3 / median_time(lambda: matrix @ matrix, 5)


def report(benchmark: str, **figures: Any) -> None:
    """The last line: everything as JSON."""
    print(json.dumps({"benchmark": benchmark, "machine": machine(), **figures}))

"""Ideas for training, each against the way it is done now: the same text, the same characters, one change.

python benchmarks/experiments.py --corpus FILE [--lines] --epochs E [--set hidden=192 ...] [--try VARIANT ...]

The budget is a number of passes over the text, so that every row reads about as many characters, whatever its batch
size. "now" is what the planner chooses for that budget; `--set` changes one of `TrainingRequest`'s options, or of
`TrainingSettings`' fields that no option has (fresh_every, ema, clip, warmup, unknown, ngram_weight). The figure is
nats per character on the held-out text, of the result as it would be saved. Seconds tell what a change costs, on a
quiet machine.

Ideas that pay go into the package; LOG.md has the verdicts of the others. Here are those that are worth another try.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from common import in_words, machine, report

from charlstm.config import TrainingRequest, TrainingSettings
from charlstm.models.file import ModelFile
from charlstm.training.run import prepare
from charlstm.training.trainer import Trainer

Schedule = Callable[[float, TrainingSettings], float]
"""From the fraction of the run and its settings to a learning rate."""


def stable_then_decay(last: float) -> Schedule:
    """Constant, then linear to zero over the last fraction of the run (Hu et al. 2024)."""

    def schedule(fraction: float, settings: TrainingSettings) -> float:
        rise = min(1.0, (fraction + 1e-4) / settings.warmup)
        return settings.learning_rate * rise * min(1.0, (1 - fraction) / last)

    return schedule


def scheduled(schedule: Schedule) -> Callable[[Trainer], None]:
    """A variant whose learning rate follows another schedule."""

    def apply(trainer: Trainer) -> None:
        plain = trainer.learner.optimizer.step

        def step(rate: float) -> None:
            plain(schedule(trainer.fraction, trainer.settings))

        trainer.learner.optimizer.step = step  # type: ignore[method-assign]

    return apply


def memories(longest: int) -> Callable[[Trainer], None]:
    """All forget gates of an LSTM begin with memories of 1 to so many characters, evenly in the logarithm."""

    @torch.no_grad()
    def apply(trainer: Trainer) -> None:
        for name, bias in trainer.learner.model.named_parameters():
            if name.endswith("bias_ih_l0"):
                forget = torch.empty(len(bias) // 4).uniform_(0, math.log(longest))
                bias[: len(forget)], bias[len(forget) : 2 * len(forget)] = -forget, forget

    return apply


def without_first_momentum(trainer: Trainer) -> None:
    """Adam with beta1 = 0 for what Muon leaves."""
    trainer.learner.optimizer.betas = (0.0, trainer.learner.optimizer.betas[1])


VARIANTS: dict[str, Callable[[Trainer], None]] = {
    "stable-decay-30": scheduled(stable_then_decay(0.3)),  # a run of unknown length could decay when it is told to stop
    "stable-decay-50": scheduled(stable_then_decay(0.5)),
    "memory-500": memories(500),  # better on tales, worse on plays
    "beta1-0": without_first_momentum,  # as good with the one seed that was tried
}


def prepared(arguments: argparse.Namespace, output: Path) -> Trainer:
    """A trainer as the tool would have it, with the changes of --set and --try."""
    changes = {name: _value(value) for name, value in (pair.split("=", 1) for pair in arguments.set)}
    options = {field.name for field in dataclasses.fields(TrainingRequest)}
    asked: dict[str, Any] = {"precision": "bfloat16", "val_split": "spread" if arguments.lines else "end"}
    asked |= {name: value for name, value in changes.items() if name in options}
    request = TrainingRequest(epochs=arguments.epochs, seed=arguments.seed, lines=arguments.lines, **asked)
    run = prepare(arguments.corpus, output=output, request=request)
    plain = run.trainer
    others = {name: value for name, value in changes.items() if name not in options}
    settings = dataclasses.replace(plain.settings, **others)
    trainer = Trainer(
        plain.corpus, plain.model_settings, settings,
        device=plain.device, started=time.monotonic(), expected=plain.expected, threads=run.threads,
    )  # fmt: skip
    for variant in arguments.variants:
        VARIANTS[variant](trainer)
    return trainer


def _value(text: str) -> Any:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def main() -> None:
    """Run one row and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--epochs", type=float, default=3.7)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="of the request or the settings")
    parser.add_argument("--try", dest="variants", nargs="*", choices=VARIANTS, default=[], help="what to change")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="keep the model")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trainer = prepared(arguments, Path(folder) / "model.safetensors")
    ran = in_words(trainer.model_settings, trainer.settings)
    print(f"{machine()}\n{ran}")
    begin = time.monotonic()
    with trainer.learner.at_work():
        bits = [progress.train_bits for progress in trainer.run(every=5.0)]
        seconds = time.monotonic() - begin
        result = trainer.finish()
    if arguments.save:
        ModelFile(
            trainer.model_settings, trainer.corpus.vocabulary, result.tensors, arguments.lines,
            mixture=result.mixture, counts=result.counts,
        ).save(arguments.save)  # fmt: skip
    weights = (result.mixture.network_weight, result.mixture.ngram_weight) if result.mixture else (1.0, 0.0)
    row = {
        "variant": " ".join([*arguments.set, *arguments.variants]) or "now",
        "ran": ran,
        "seed": arguments.seed,
        "characters": trainer.characters,
        "seconds": round(seconds, 1),
        "nats": round((result.val_bits_per_char or math.nan) * math.log(2), 4),
        "weights": [round(weight, 2) for weight in weights],
        "train": round(bits[-2 if len(bits) > 1 else -1] * math.log(2), 4),
    }
    report("experiments", corpus=[path.name for path in arguments.corpus], **row)


if __name__ == "__main__":
    main()

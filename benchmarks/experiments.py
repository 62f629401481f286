"""Ideas for training, each against the way it is done now: the same text, the same characters, one change.

python benchmarks/experiments.py --corpus FILE [--lines] --steps N [--set hidden=192 ...] [--try VARIANT ...] [--seed S]

A run is over when it has seen as many characters as N plain steps would show it, so that a batch that grows gets
no more of them. "now" is `planning.plan`'s choice for that budget, changed by --set. Scores are nats per character on
the part that is kept back, by the averaged weights; "fitted" is the same after dividing all scores by the best one of a
few temperatures, found on that part itself (so it flatters a little). Seconds tell what a change costs, on a quiet
machine.

Ideas that pay go into the package; this script keeps those that did not or were not tried yet (LOG.md has a row for
what was), so that nobody must write them again.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import machine, report
from torch import Tensor

from charlstm.cli.process import prepare_for_torch
from charlstm.config import TrainingRequest, TrainingSettings, from_given
from charlstm.data import batching
from charlstm.data.batching import Batch
from charlstm.data.corpus import Corpus, Reading, read_corpus
from charlstm.inference.parallel import surprisal
from charlstm.models.file import ModelFile
from charlstm.models.numpy_lstm import NumpyNetwork
from charlstm.models.torch_lstm import TorchNetwork
from charlstm.training import hardware as device
from charlstm.training import optimizer, planning
from charlstm.training import trainer as training
from charlstm.training.trainer import Trainer

# --------------------------------------------------------------------------------------- schedules


def _rise(fraction: float, settings: TrainingSettings) -> float:
    return settings.learning_rate * min(1.0, (fraction + 1e-4) / settings.warmup)


def cosine(fraction: float, settings: TrainingSettings) -> float:
    """Half a cosine to zero (Loshchilov and Hutter 2017)."""
    return _rise(fraction, settings) * 0.5 * (1 + math.cos(math.pi * fraction))


def stable_then_decay(share: float) -> Callable[[float, TrainingSettings], float]:
    """Constant, then linear to zero over the last share of the run (Hu et al. 2024)."""
    return lambda fraction, settings: _rise(fraction, settings) * min(1.0, (1 - fraction) / share)


def stable_then_root(fraction: float, settings: TrainingSettings) -> float:
    """Constant, then 1 - sqrt over the last 40 % (Haegele et al. 2024)."""
    return _rise(fraction, settings) * (1 - math.sqrt(max(0.0, fraction - 0.6) / 0.4))


def one_cycle(fraction: float, settings: TrainingSettings) -> float:
    """Up over a quarter of the run, then half a cosine down (Smith and Topin 2018)."""
    down = 0.5 * (1 + math.cos(math.pi * max(0.0, fraction - 0.25) / 0.75))
    return settings.learning_rate * min(fraction / 0.25 + 1e-3, down)


def constant(fraction: float, settings: TrainingSettings) -> float:
    """No decay at all, for averages that do without."""
    return _rise(fraction, settings)


# -------------------------------------------------------------------------------------- optimisers


class ScheduleFree(optimizer.Optimizer):
    """Schedule-free learning (Defazio et al. 2024) around our update: gradients at y, steps on z, x is the average."""

    beta = 0.9

    def step(self, rate: float) -> None:
        """See Optimizer.step."""
        parameters = [*self._inner.values(), *self._others.values()]
        if not hasattr(self, "z"):
            self.z = [p.detach().clone() for p in parameters]
            self.x = [p.detach().clone() for p in parameters]
            self.weight = 0.0
        with torch.no_grad():
            for p, z in zip(parameters, self.z, strict=True):
                p.copy_(z)
        super().step(rate)
        self.weight += rate**2
        share = rate**2 / max(self.weight, 1e-12)
        with torch.no_grad():
            for p, z, x in zip(parameters, self.z, self.x, strict=True):
                z.copy_(p)
                x.lerp_(z, share)
                p.copy_(z.lerp(x, self.beta))


class Soap(optimizer.Optimizer):
    """SOAP (Vyas et al. 2024), one-sided: Adam in the eigenbasis of each matrix's smaller Gram matrix."""

    every = 10
    share = 0.5

    @torch.no_grad()
    def _muon(self, rate: float) -> None:
        self.memory: dict[str, dict[str, Any]] = getattr(self, "memory", {})
        for name, parameter in self._inner.items():
            gradient = parameter.grad
            assert gradient is not None
            gram = gradient.T @ gradient  # (I, I): these matrices are tall
            if name not in self.memory:
                basis = torch.linalg.eigh(gram)[1]
                zeros = torch.zeros_like(gradient)
                self.memory[name] = {"gram": gram, "basis": basis, "first": zeros, "second": zeros.clone(), "step": 0}
            memory = self.memory[name]
            memory["step"] += 1
            memory["gram"].lerp_(gram, 0.05)
            turned = gradient @ memory["basis"]
            memory["first"].lerp_(gradient, 0.1)
            memory["second"].lerp_(turned**2, 0.05)
            first = (memory["first"] @ memory["basis"]) / (1 - 0.9 ** memory["step"])
            second = memory["second"] / (1 - 0.95 ** memory["step"])
            update = (first / (second.sqrt() + 1e-8)) @ memory["basis"].T
            parameter.mul_(1 - rate * self.weight_decay).add_(update, alpha=-rate * self.share)
            if memory["step"] % self.every == 0:
                memory["basis"] = torch.linalg.qr(memory["gram"] @ memory["basis"])[0]


def _of_kind(trial: Trial, kind: type[optimizer.Optimizer]) -> None:
    settings = trial.settings
    trial.optimizer = kind(
        trial.model.named_parameters(),
        weight_decay=settings.weight_decay,
        betas=settings.betas,
        precision=getattr(torch, settings.precision),
    )


class Nadam(optimizer.Optimizer):
    """NAdam (Dozat 2016) for what Muon leaves."""

    def _adamw(self, rate: float, names: list[str], weight_decay: float) -> None:
        self.nadam: dict[float, torch.optim.NAdam] = getattr(self, "nadam", {})
        if weight_decay not in self.nadam:
            parameters = [self._others[name] for name in names]
            self.nadam[weight_decay] = torch.optim.NAdam(
                parameters, betas=self.betas, weight_decay=weight_decay, decoupled_weight_decay=True
            )
        self.nadam[weight_decay].param_groups[0]["lr"] = rate
        self.nadam[weight_decay].step()


def adamw_alone(trial: Trial) -> None:
    """No Muon: AdamW for the matrices inside the layers too."""
    settings = trial.settings
    trial.optimizer = optimizer.Optimizer(
        ((f"all.{name}", parameter) for name, parameter in trial.model.named_parameters()),
        weight_decay=settings.weight_decay,
        betas=settings.betas,
    )


def _directions(change: Callable[[Callable[[Tensor], Tensor]], Callable[[Tensor], Tensor]]) -> Callable[[Trial], None]:
    """A variant that changes how Muon makes directions of momenta."""

    def apply(_: Trial) -> None:
        optimizer.orthogonalised = change(optimizer.orthogonalised)  # type: ignore[assignment]

    return apply


def by_gate(inner: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Each gate's rows are a matrix of their own."""

    def orthogonalised(matrices: Tensor) -> Tensor:
        count, rows, columns = matrices.shape
        return inner(matrices.reshape(4 * count, rows // 4, columns)).reshape(matrices.shape) * 0.5

    return orthogonalised


def by_row(inner: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """NorMuon (Li et al. 2025): rows of the direction are brought to one size, over time."""
    seconds: dict[tuple[int, ...], Tensor] = {}

    def orthogonalised(matrices: Tensor) -> Tensor:
        direction = inner(matrices)
        square = direction.float().square().mean(-1, keepdim=True)
        second = seconds.setdefault(tuple(matrices.shape), square.clone()).lerp_(square, 0.05)
        size = direction.float().norm()
        scaled: Tensor = direction / (second.sqrt() + 1e-7).to(direction.dtype)
        scaled *= (size / scaled.float().norm()).to(direction.dtype)
        return scaled

    return orthogonalised


# ------------------------------------------------------------------------------------------- trials


class Trial(Trainer):
    """A run whose budget is characters, so that steps may differ in size."""

    goal = math.inf
    stages: tuple[tuple[float, int, int], ...] = ()
    """Beginning as a share of the run, batch, context."""

    @property
    def fraction(self) -> float:
        """See Trainer.fraction."""
        return min(1.0, self.characters / self.goal)

    def _learn(self, batch: Batch, fraction: float) -> tuple[float, int]:
        while self.stages and fraction >= self.stages[0][0]:
            (_, streams, context), *rest = self.stages
            self.stages = tuple(rest)
            self._enter(streams, context)
            batch = self.batches[self.step]
        return super()._learn(batch, fraction)

    def _enter(self, streams: int, context: int) -> None:
        """Go on with steps of another shape, where the text now stands."""
        wanted = dataclasses.replace(self.settings, batch=streams, context=context)
        self.batches = batching.batches(
            self.corpus, batch=streams, context=context, lines=wanted.lines,
            fresh_every=wanted.fresh_every, unknown=wanted.unknown, seed=wanted.seed,
        )  # fmt: skip
        self.state = None


def _stages(*stages: tuple[float, float, float]) -> Callable[[Trial], None]:
    """A variant that changes batch and context on the way, by these factors from these shares of the run on."""

    def apply(trial: Trial) -> None:
        batch, context = trial.settings.batch, trial.settings.context
        trial.stages = tuple((share, int(b * batch), int(c * context)) for share, b, c in stages)

    return apply


def _schedule(function: Callable[[float, TrainingSettings], float]) -> Callable[[Trial], None]:
    def apply(_: Trial) -> None:
        training.rate = function  # type: ignore[assignment]

    return apply


def schedule_free(trial: Trial) -> None:
    """Constant rate; the average that validates is the method's own."""
    training.rate = constant
    _of_kind(trial, ScheduleFree)
    parameters = [*trial.optimizer._inner, *trial.optimizer._others]

    def average() -> None:
        named = dict(trial.averaged.named_parameters())
        for name, x in zip(parameters, trial.optimizer.x, strict=True):  # type: ignore[attr-defined]
            named[name].data.copy_(x)

    trial._average = average  # type: ignore[method-assign]


@torch.no_grad()
def small_start(trial: Trial) -> None:
    """Recurrent weights at half their size."""
    for layer in trial.model._recurrent():
        layer.weight_hh_l0.mul_(0.5)


@torch.no_grad()
def small_embedding(trial: Trial) -> None:
    """Embedding of size 0.1 instead of 1."""
    trial.model.embedding.weight.mul_(0.1)


def memories(longest: int, *, input_gate: bool = True, even: bool = False) -> Callable[[Trial], None]:
    """All forget gates for memories of 1 to so many characters, spread evenly in the logarithm or (as in the chrono
    initialisation of Tallec and Ollivier 2018) as they are.
    """

    @torch.no_grad()
    def apply(trial: Trial) -> None:
        for layer in trial.model._recurrent():
            size = trial.model_settings.hidden
            bias = torch.empty(size).uniform_(0, math.log(longest))
            if even:
                bias = torch.empty(size).uniform_(1, longest).log()
            layer.bias_ih_l0[size : 2 * size] = bias
            layer.bias_ih_l0[:size] = -bias if input_gate else 0.0

    return apply


@torch.no_grad()
def no_memories(trial: Trial) -> None:
    """Every forget gate's bias is 1, every input gate's 0."""
    for layer in trial.model._recurrent():
        size = trial.model_settings.hidden
        layer.bias_ih_l0[:size], layer.bias_ih_l0[size : 2 * size] = 0.0, 1.0


def without_first_momentum(trial: Trial) -> None:
    """Adam with beta1 = 0 for what Muon leaves."""
    trial.optimizer.betas = (0.0, trial.optimizer.betas[1])


def variational(trial: Trial) -> None:
    """The same units of a stream are dropped at all its time steps (Gal and Ghahramani 2016)."""
    model = trial.model

    def dropped(values: Tensor, share: float = 1.0) -> Tensor:
        if not (model.training and model.dropout):
            return values
        return values * model._mask(values[:1], share * model.dropout)

    model._dropped = dropped  # type: ignore[method-assign]


class _Tied(torch.nn.Module):
    """A head whose weights are those of the embedding (Press and Wolf 2017)."""

    def __init__(self, embedding: torch.nn.Embedding) -> None:
        super().__init__()
        self._embedding = [embedding]  # in a list, so that its weights are not counted twice
        self.bias = torch.nn.Parameter(torch.zeros(len(embedding.weight) - 1))

    @property
    def weight(self) -> Tensor:
        return self._embedding[0].weight[:-1] * (0.5 / math.sqrt(self._embedding[0].embedding_dim))


def tied(trial: Trial) -> None:
    """One matrix for the embedding and the head; takes --set embedding=N with N the hidden size."""
    for model in (trial.model, trial.averaged):
        model.head = _Tied(model.embedding)  # type: ignore[assignment]
        model.tensors = functools.partial(_tensors_of_tied, model)  # type: ignore[method-assign]
    _of_kind(trial, optimizer.Optimizer)


def _tensors_of_tied(model: TorchNetwork) -> dict[str, Any]:
    tensors = TorchNetwork.tensors(model)
    return tensors | {"head.weight": model.head.weight.detach().numpy().copy()}


VARIANTS: dict[str, Callable[[Trial], None]] = {
    "cosine": _schedule(cosine),
    "one-cycle": _schedule(one_cycle),
    "stable-decay-30": _schedule(stable_then_decay(0.3)),
    "stable-decay-50": _schedule(stable_then_decay(0.5)),
    "stable-root": _schedule(stable_then_root),
    "schedule-free": schedule_free,
    "nadam": functools.partial(_of_kind, kind=Nadam),
    "adamw": adamw_alone,
    "soap": lambda trial: _of_kind(trial, Soap),
    "by-gate": _directions(by_gate),
    "by-row": _directions(by_row),
    "growing-context": _stages((0.0, 1, 0.5), (0.5, 1, 1), (0.8, 1, 2)),
    "longer-at-the-end": _stages((0.75, 1, 2)),
    "growing-batch": _stages((0.0, 0.5, 1), (0.4, 1, 1), (0.8, 2, 1)),
    "larger-at-the-end": _stages((0.75, 2, 1)),
    "beta1-0": without_first_momentum,
    "variational": variational,
    "tied": tied,
    "small-start": small_start,
    "small-embedding": small_embedding,
    "memory-1": no_memories,
    "memory-64": memories(64),
    "memory-160": memories(160),
    "memory-500": memories(500),
    "memory-2000": memories(2000),
    "memory-500-even": memories(500, even=True),
    "memory-500-open": memories(500, input_gate=False),
}


TEMPERATURES = (0.9, 0.95, 1.0, 1.05, 1.1, 1.15)


def validated(trial: Trial, corpus: Corpus) -> tuple[float, float, float]:
    """Nats per character of the part kept back; the same at the best of a few temperatures; and that temperature."""
    score = trial.score_validation()
    assert score is not None
    if trial.settings.lines:
        return score.nats_per_char, score.nats_per_char, 1.0
    engine = NumpyNetwork(trial.model_settings, trial.averaged.tensors())
    streams = max(1, min(32, len(corpus.validation) // 200))
    held = corpus.validation[: len(corpus.validation) // streams * streams].reshape(streams, -1).T.astype(np.int64)
    state, nats = engine.zero_state(streams), dict.fromkeys(TEMPERATURES, 0.0)
    for begin in range(0, len(held) - 1, 256):
        piece = held[begin : begin + 257]
        scores, state = engine.logits(piece[:-1], state)
        for temperature in nats:
            nats[temperature] += float(surprisal(scores / np.float32(temperature), piece[1:]).sum())
    best = min(nats, key=lambda temperature: nats[temperature])
    return score.nats_per_char, score.nats_per_char * nats[best] / nats[1.0], best


def run(
    corpus: Corpus, steps: int, changes: dict[str, Any], variants: list[str], seed: int, lines: bool, save: Path | None
) -> dict[str, Any]:
    """One trial from beginning to end."""
    kinds = {field.name for field in dataclasses.fields(TrainingRequest)}
    request = from_given(TrainingRequest, {**changes, "steps": steps, "seed": seed, "lines": lines})
    facts = planning.Text(
        len(corpus.training), len(corpus.vocabulary),
        len(corpus.training) / max(1, int((corpus.training == corpus.line_end).sum())),
    )  # fmt: skip
    plan = planning.plan(request, facts, 1e11, "bfloat16")
    others = {name: value for name, value in changes.items() if name not in kinds}
    settings = dataclasses.replace(plan.training, validations=4, **others)
    trial = Trial(
        corpus, plan.model, settings, device=torch.device("cpu"), started=time.monotonic(), expected=plan.expected
    )
    trial.goal = steps * settings.batch * settings.context
    for variant in variants:
        VARIANTS[variant](trial)
    begin = time.monotonic()
    bits = [progress.train_bits for progress in trial.run(every=5.0)]
    seconds = time.monotonic() - begin
    nats, fitted, temperature = validated(trial, corpus)
    if save:
        ModelFile(plan.model, corpus.vocabulary, trial.averaged.tensors(), lines).save(save)
    return {
        "variant": " ".join(variants) or "now",
        **changes,
        "seed": seed,
        "shape": f"{plan.model.layers} x {plan.model.hidden}, batch {settings.batch}, context {settings.context}",
        "dropout": settings.dropout,
        "steps": trial.step,
        "seconds": round(seconds, 1),
        "nats": round(nats, 4),
        "fitted": round(fitted, 4),
        "temperature": temperature,
        "train": round(bits[-2] * math.log(2), 4),
    }


def _value(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        return float(text) if text.replace(".", "", 1).replace("e-", "", 1).isdigit() else text


def main() -> None:
    """Run one variant and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="of the request or the settings")
    parser.add_argument("--try", dest="variants", nargs="*", choices=VARIANTS, default=[], help="what to change")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--save", type=Path, help="keep the model")
    arguments = parser.parse_args()
    prepare_for_torch()
    device.set_threads(arguments.threads)
    changes = {name: _value(value) for name, value in (pair.split("=", 1) for pair in arguments.set)}
    corpus = read_corpus(Reading(arguments.corpus, lines=arguments.lines))
    print(machine())
    row = run(corpus, arguments.steps, changes, arguments.variants, arguments.seed, arguments.lines, arguments.save)
    report("experiments", corpus=[path.name for path in arguments.corpus], **row)


if __name__ == "__main__":
    main()

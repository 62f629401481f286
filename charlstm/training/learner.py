"""Truncated backpropagation through time: one step of it, and all that a step changes.

Knows a network, an optimizer and the batch that it is given; knows nothing about texts, budgets or validation. Where
several processes train together, each computes its own shard of the batch, and all change their copies of the
parameters alike, by the sum of the gradients.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..config import ModelSettings, TrainingSettings
from ..data.batching import IGNORED, Batch
from ..models.dropout import Noise
from ..models.tensor_file import Tensors
from ..models.torch_lstm import TorchNetwork, TorchState
from .hardware import torch_threads
from .leave_one_out import LeaveOneOut
from .optimizer import Optimizer, add_gradients
from .ranks import ALONE, Ranks, Work
from .sampled_softmax import Sample, SampledSoftmax
from .schedule import ema_weight
from .workers import Workers


class Computed(NamedTuple):
    """What a shard of a step gives."""

    loss: Tensor
    """Its part of the mean loss, in nats."""
    gradients: tuple[Tensor, ...]
    state: TorchState
    """Of the streams that go on."""


class Known(NamedTuple):
    """What the loss of a shard rests on beside the network."""

    sample: Sample | None
    """Of the symbols, by which the loss is estimated; None: all of them give it."""
    logs: Tensor | None
    """(T B, V), or of the sample's symbols: log-probabilities of the counts that the network is trained with."""


class Learner:
    """A network in training: its parameters, their exponential moving average, the optimizer, the carried state.

    Args:
        model_settings: the network's shape.
        settings: how it is trained.
        device: where to compute.
        pretrained: tensors of another model to begin with instead of random ones; its vocabulary is the beginning
            of this one's.
        counts: n-gram counts of the training text, so that the network learns what they do not know; their
            log-probabilities, times `settings.ngram_weight`, are added to its logits.
        ranks: the processes that train together. What the leading one calls, `following` calls in the others.
        threads: of this process, that compute the shards of a step.
        sampled_softmax: what estimates the loss over a large vocabulary; None: the whole softmax gives it.
    """

    def __init__(
        self,
        model_settings: ModelSettings,
        settings: TrainingSettings,
        device: torch.device,
        pretrained: Tensors | None = None,
        counts: LeaveOneOut | None = None,
        ranks: Ranks = ALONE,
        threads: int = 1,
        sampled_softmax: SampledSoftmax | None = None,
    ) -> None:
        self.settings, self.device, self.counts, self.ranks = settings, device, counts, ranks
        self.sampled_softmax = sampled_softmax
        self.workers = Workers(min(threads, settings.shards))
        self.threads = threads // self.workers.count
        """Of torch, inside each worker's products."""
        precision = getattr(torch, settings.precision)
        self.model = TorchNetwork(model_settings, settings.dropout, settings.dropconnect, precision, settings.seed)
        if pretrained:
            self.model.load_pretrained(pretrained)
        self.averaged = TorchNetwork(model_settings).to(device)
        self.model.to(device)
        self.averaged.load_state_dict(self.model.state_dict())
        self.optimizer = Optimizer(
            self.model.named_parameters(),
            weight_decay=settings.weight_decay,
            betas=settings.betas,
            precision=precision,
            workers=self.workers,
            parts=settings.shards,
        )
        self._parameters = list(self.model.parameters())
        self.state: TorchState | None = None

    @torch.no_grad()
    def begin_with(self, frequencies: NDArray[np.float64]) -> None:
        """Let the head's bias expect each symbol as often as it occurs, before the first step.

        Of that, the counts beside the network say their part already.

        Args:
            frequencies: (V,) the fraction of the text that each symbol is, about; none is 0.
        """
        own = 1.0 - (self.settings.ngram_weight if self.counts else 0.0)
        for network in (self.model, self.averaged):
            network.head.bias.copy_(own * torch.from_numpy(np.log(frequencies)))

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """A context in which the learner has its threads."""
        with contextlib.closing(self.workers), torch_threads(self.threads):
            yield

    def train_step(self, batch: Batch, step: int, learning_rate: float) -> float:
        """One step of truncated backpropagation through time (Williams and Peng 1990).

        Args:
            batch: ids (T, B) of this process's streams.
            step: its number, from 0; all that is random in it comes from the run's seed and this.
            learning_rate: of this step.

        Returns:
            The mean loss in nats, of all streams.
        """
        self.ranks.announce(Work.TRAIN_STEP, step, learning_rate, self.model.dropout)
        before = self._initial_state(batch)
        shards = batch.shards(self.settings.shards)

        def gradients(number: int) -> Computed:
            shard = shards[number]
            return self._gradients(shard, step, _part_of(before, shard, batch), counts_first=number % 2 == 1)

        computed = self.workers.map(gradients, range(len(shards)))
        mean = self.ranks.all_reduce_gradients(self._parameters, self._added_up(computed))
        torch.nn.utils.clip_grad_norm_(self._parameters, self.settings.clip)
        self.optimizer.step(learning_rate)
        self._update_average(step)
        self.state = _side_by_side([part.state for part in computed]) if computed else before
        return mean

    def _added_up(self, shards: Sequence[Computed]) -> Tensor:
        """Give the parameters the sum of the shards' gradients; the sum of their losses."""
        if not shards:  # a step of lines may have fewer records than there are processes
            add_gradients(self._parameters, [[torch.zeros_like(parameter) for parameter in self._parameters]])
            return torch.zeros((), device=self.device)
        add_gradients(self._parameters, [shard.gradients for shard in shards])
        return functools.reduce(torch.add, [shard.loss for shard in shards])

    def _gradients(self, shard: Batch, step: int, before: TorchState, *, counts_first: bool) -> Computed:
        """What one shard of a batch gives.

        What numpy does lets no other thread compute meanwhile, so that some shards do it first, and some later.
        """
        known = self._known(shard, step) if counts_first else None
        noise = Noise(self.settings.seed, step, shard.before, shard.after, self.device)
        inputs = torch.from_numpy(shard.inputs).to(self.device)  # (T, B)
        outputs, state = self.model.outputs(inputs, before, noise)  # (T, B, H)
        loss = self._nats(outputs.flatten(0, 1), shard, known or self._known(shard, step)) / shard.characters
        gradients = torch.autograd.grad(loss, self._parameters)  # to be added up in one order, whoever is done first
        carried = [tuple(part.detach()[:, : shard.carried] for part in layer) for layer in state]
        return Computed(loss.detach(), gradients, carried)

    def _known(self, shard: Batch, step: int) -> Known:
        """What the loss of a shard rests on beside the network."""
        sample = self.sampled_softmax.draw(step, shard.targets) if self.sampled_softmax else None
        if self.counts is None:
            return Known(sample, None)
        logs = self.counts.log_probabilities(shard.positions, sample.candidates if sample else None)  # (T, B, V or C)
        return Known(sample, torch.from_numpy(logs).flatten(0, 1))

    def _nats(self, outputs: Tensor, shard: Batch, known: Known) -> Tensor:
        """The sum of the surprisals in nats of what the head makes of outputs (T B, H), or an estimate of it."""
        symbols = known.sample.symbols(self.device) if known.sample else None
        logits = self.model.logits(outputs, symbols)  # (T B, V or C)
        if known.logs is not None:
            logits.add_(known.logs.to(self.device), alpha=self.settings.ngram_weight)
        if known.sample:
            return known.sample.nats(logits, shard.targets.ravel())
        targets = torch.from_numpy(shard.targets.ravel()).to(self.device)  # (T B,)
        return functional.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")

    def _initial_state(self, batch: Batch) -> TorchState:
        """The state that the last step left, with zeros for the streams that start afresh behind those."""
        streams = len(batch.fresh)
        if self.state is None or batch.fresh.all():
            return self.model.zero_state(streams)
        more = streams - self.state[0][0].shape[1]
        return [tuple(functional.pad(part, (0, 0, 0, more)) for part in layer) for layer in self.state]

    @torch.no_grad()
    def _update_average(self, step: int) -> None:
        """Take the parameters into their exponential moving average."""
        averages = [p.detach() for p in self.averaged.parameters()]
        parameters = [p.detach() for p in self.model.parameters()]
        torch._foreach_lerp_(averages, parameters, ema_weight(step, self.settings))

    def start_again_from(self, tensors: Tensors) -> None:
        """Take over these parameters, and forget all gradients and the state."""
        self.model.load(tensors)
        self.averaged.load(tensors)
        self.optimizer.forget()
        self.state = None
        self.distribute()

    def distribute(self) -> None:
        """Give all processes what the leading one has, and of the state each its own streams.

        Before, the leading process has the state of all streams, or none.
        """
        if self.ranks.size == 1:
            return
        self.ranks.announce(Work.DISTRIBUTE)
        parameters = [*self.model.parameters(), *self.averaged.parameters()]
        self.ranks.broadcast([*parameters, *self.optimizer.state().values()])
        streams = self.ranks.broadcast_object(self.state[0][0].shape[1] if self.state else 0)
        if not streams:
            self.state = None
            return
        state = self.state if self.ranks.leads and self.state else self.model.zero_state(streams)
        whole = torch.cat([part for layer in state for part in layer])  # (L or 2 L, B of all, H)
        self.ranks.broadcast([whole])
        self.state = self._in_layers(whole[:, self.ranks.shard.of(streams)])

    def gathered_state(self) -> TorchState | None:
        """The carried state of the streams of all processes, each part (1, B, H)."""
        if self.state is None or self.ranks.size == 1:
            return self.state
        self.ranks.announce(Work.GATHER_STATE)
        return self._in_layers(self.ranks.all_gather(torch.cat([part for layer in self.state for part in layer])))

    def _in_layers(self, parts: Tensor) -> TorchState:
        """What one layer after the other has of a state (L or 2 L, B, H), by layer."""
        count = len(self.model.zero_state(1)[0])
        singles = [parts[number : number + 1] for number in range(len(parts))]
        return [tuple(singles[first : first + count]) for first in range(0, len(singles), count)]

    def checkpoint(self) -> Tensors:
        """Copies of the parameters, their average, the optimizer's and the carried state."""
        tensors: Tensors = {}
        pairs = zip(self.model.named_parameters(), self.averaged.parameters(), strict=True)
        for (name, parameter), averaged in pairs:
            tensors[f"model.{name}"] = _copied(parameter)
            tensors[f"averaged.{name}"] = _copied(averaged)
        for name, tensor in self.optimizer.state().items():
            tensors[f"optimizer.{name}"] = _copied(tensor)
        for layer, parts in enumerate(self.gathered_state() or []):
            for number, part in enumerate(parts):
                tensors[f"state.{layer}.{number}"] = _copied(part)
        return tensors

    @torch.no_grad()
    def restore(self, tensors: Tensors) -> None:
        """Go on from what `checkpoint` gave; other tensors are ignored. The state is that of all streams."""
        pairs = zip(self.model.named_parameters(), self.averaged.parameters(), strict=True)
        for (name, parameter), averaged in pairs:
            parameter.copy_(_checked(tensors, f"model.{name}", parameter))
            averaged.copy_(_checked(tensors, f"averaged.{name}", averaged))
        states = self.optimizer.state()
        self.optimizer.restore({name: _checked(tensors, f"optimizer.{name}", like) for name, like in states.items()})
        if "state.0.0" in tensors:
            like = self.model.zero_state(tensors["state.0.0"].shape[1])
            self.state = [
                tuple(_checked(tensors, f"state.{layer}.{number}", part) for number, part in enumerate(parts))
                for layer, parts in enumerate(like)
            ]


def _part_of(state: TorchState, shard: Batch, batch: Batch) -> TorchState:
    """The state of a shard's streams, of that of all streams of a batch."""
    begin = shard.before - batch.before
    return [tuple(part[:, begin : begin + len(shard.fresh)] for part in layer) for layer in state]


def _side_by_side(states: Sequence[TorchState]) -> TorchState:
    """The states of several shards as one."""
    return [tuple(torch.cat(parts, 1) for parts in zip(*layers, strict=True)) for layers in zip(*states, strict=True)]


def _checked(tensors: Tensors, name: str, like: Tensor) -> Tensor:
    """One of the tensors, where the other one is.

    Raises:
        ValueError: its shape is not that of the other one.
    """
    tensor = torch.from_numpy(tensors[name])
    if tensor.shape != like.shape:
        raise ValueError(f"the tensor {name} has shape {tuple(tensor.shape)}, not {tuple(like.shape)}")
    return tensor.to(like.device)


def _copied(tensor: Tensor) -> NDArray[Any]:
    copy: NDArray[Any] = tensor.detach().cpu().numpy().copy()
    return copy

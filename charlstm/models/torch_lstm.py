"""The network in torch, for training and for GPUs: the same tensors and the same figures as `engine.py`.

Knows nothing about optimisers, text or files. torch's own layers do the work, one module a layer, so that
the skip connections and dropout between layers are ours to place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..config import ModelSettings
from ..data.vocabulary import UNKNOWN
from .interface import Floats, State, no_history

TorchState = list[tuple[Tensor, ...]]
"""A layer each: (hidden,) or (hidden, cell), each (1, B, H)."""

EMBEDDING_DROPOUT = 0.4
"""Share of the dropout that the embedding gets: what is dropped there is lost to all layers."""
LONG_MEMORIES = 0.25
"""Share of an lstm layer's units that begin with a memory of their own length, up to LONGEST_MEMORY characters."""
LONGEST_MEMORY = 500

_LAYERS: dict[str, type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
_KERNELS: dict[str, Any] = {"lstm": torch.lstm, "gru": torch.gru, "rnn": torch.rnn_tanh}


class TorchNetwork(nn.Module):
    """embedding -> layers, with a skip connection from the second on -> linear.

    Args:
        settings: its shape.
        dropout: share of what goes from layer to layer and into the head that is dropped in training (Zaremba
            et al. 2014); of the embedding, EMBEDDING_DROPOUT times that.
        dropconnect: share of the recurrent weights that is dropped in training (Merity et al. 2018).
        precision: the type of the recurrent layers' arithmetic while training.
    """

    def __init__(
        self,
        settings: ModelSettings,
        dropout: float = 0.0,
        dropconnect: float = 0.0,
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.settings, self.dropout, self.dropconnect, self.precision = settings, dropout, dropconnect, precision
        self.embedding = nn.Embedding(settings.vocab_size + 1, settings.embedding)
        kind = _LAYERS[settings.cell]
        widths = [settings.hidden if layer else settings.embedding for layer in range(settings.layers)]
        self.layers = nn.ModuleList(kind(width, settings.hidden) for width in widths)
        self.head = nn.Linear(settings.hidden, settings.vocab_size)
        self._initialise()
        self.device_noise: torch.Generator | None = None
        self.reseed(0, 0)

    @torch.no_grad()
    def _initialise(self) -> None:
        """Orthogonal recurrent weights, inputs scaled to their number, forget gates open (Gers et al. 2000).

        Some units begin with memories of 1 to LONGEST_MEMORY characters, even in the logarithm: a forget gate with
        bias log t keeps all but 1/(t + 1), and an input gate with bias -log t lets in no more than that (the chrono
        initialisation of Tallec and Ollivier 2018, for a part of the units).
        """
        size = self.settings.hidden
        nn.init.normal_(self.embedding.weight)
        for layer in self._recurrent():
            nn.init.normal_(layer.weight_ih_l0, std=1 / math.sqrt(layer.weight_ih_l0.shape[1]))
            for gate in range(self.settings.gates):
                nn.init.orthogonal_(layer.weight_hh_l0[gate * size : (gate + 1) * size])
            nn.init.zeros_(layer.bias_ih_l0)
            nn.init.zeros_(layer.bias_hh_l0)
            if self.settings.cell == "lstm":
                memories = torch.linspace(0, math.log(LONGEST_MEMORY), round(LONG_MEMORIES * size))
                layer.bias_ih_l0[: len(memories)] = -memories
                layer.bias_ih_l0[size : 2 * size] = 1.0
                layer.bias_ih_l0[size : size + len(memories)] = memories
        nn.init.normal_(self.head.weight, std=0.5 / math.sqrt(size))
        nn.init.zeros_(self.head.bias)

    def _recurrent(self) -> list[Any]:
        """The layers; their tensors are set by name, which torch's types do not know."""
        return list(self.layers)

    def zero_state(self, streams: int) -> TorchState:
        """The state before anything was read, for that many streams."""
        count = 2 if self.settings.cell == "lstm" else 1
        zeros = torch.zeros(1, streams, self.settings.hidden, device=self.head.weight.device)
        return [(zeros,) * count for _ in self.layers]

    def forward(self, ids: Tensor, state: TorchState) -> tuple[Tensor, TorchState]:
        """Read (T, B) ids; give the logits (T, B, V) of what comes next, float32, and the new state."""
        kind = self.precision if self.training else torch.float32
        output = self._dropped(self.embedding(ids).to(kind), EMBEDDING_DROPOUT)  # (T, B, E)
        states: TorchState = []
        for number, layer in enumerate(self._recurrent()):
            inputs = self._dropped(output) if number else output
            seen, new = self._layer(layer, inputs, state[number], kind)  # (T, B, H)
            states.append(new)
            output = seen + output if number else seen
        output = self._dropped(output)
        head = functional.linear(output, self.head.weight.to(kind), self.head.bias.to(kind))
        return head.float(), states

    def _layer(
        self, layer: Any, inputs: Tensor, state: tuple[Tensor, ...], kind: torch.dtype
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        weights = [layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0]
        if self.training and self.dropconnect:
            weights[1] = weights[1] * self._mask(weights[1], self.dropconnect)
        weights = [weight.to(kind) for weight in weights]
        before = tuple(part.to(kind) for part in state)
        # The functional form of nn.LSTM, nn.GRU and nn.RNN: the same fused kernels, on weights that are computed.
        start = before if len(before) > 1 else before[0]
        output, *after = _KERNELS[self.settings.cell](inputs, start, weights, True, 1, 0.0, self.training, False, False)
        return output, tuple(part.float() for part in after)

    def _dropped(self, values: Tensor, share: float = 1.0) -> Tensor:
        if not (self.training and self.dropout):
            return values
        return values * self._mask(values, share * self.dropout)

    def _mask(self, like: Tensor, share: float) -> Tensor:
        """Zeros for that share of the places, and for the others what keeps the mean.

        On a CPU from random bytes, with the share rounded to 1/256: torch draws bernoulli numbers one after
        the other, which took a fifth of a whole training step.
        """
        if like.device.type != "cpu":
            kept = torch.empty_like(like).bernoulli_(1 - share, generator=self.device_noise)
            return kept / (1 - share)
        dropped = min(255, round(256 * share))
        drawn = torch.frombuffer(bytearray(self.noise.bytes(like.numel())), dtype=torch.uint8)
        return (drawn >= dropped).view(like.shape).to(like.dtype) * (256 / (256 - dropped))

    def reseed(self, seed: int, step: int) -> None:
        """Let all that is dropped from here on come from these two numbers."""
        self.noise = np.random.Generator(np.random.SFC64((seed, step)))
        device = self.head.weight.device
        if device.type not in ("cpu", "meta"):
            self.device_noise = torch.Generator(device)
            self.device_noise.manual_seed((seed * 1_000_003 + step) % 2**63)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """A copy of the tensors, as the model file holds them."""
        return {name: value.detach().cpu().float().numpy().copy() for name, value in self.state_dict().items()}

    def load(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Take over the tensors of a model file."""
        self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()})

    @torch.no_grad()
    def start_from(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Take over the tensors of a model whose alphabet is the beginning of this one's.

        A character that is new keeps its random embedding; at first it is as likely as an unknown one.
        """
        known = len(tensors["head.bias"])
        for name, ours in self.state_dict().items():
            theirs = torch.from_numpy(np.array(tensors[name]))
            if name == "embedding.weight":
                ours[:known], ours[-1] = theirs[:-1], theirs[-1]  # the start symbol stays the last
            elif name.startswith("head."):
                ours[:known] = theirs
            else:
                ours.copy_(theirs)
        self.head.weight[known:] = self.head.weight[UNKNOWN]
        self.head.bias[known:] = self.head.bias[UNKNOWN]


class TorchLanguageModel:
    """A TorchNetwork behind the engine's interface: numpy ids and states in, numpy logits and states out.

    For scoring and sampling on a GPU, and for validation while training.
    """

    def __init__(self, model: TorchNetwork) -> None:
        self.model = model.eval()
        self.settings = model.settings
        self._device = model.head.weight.device

    @property
    def vocab_size(self) -> int:
        """See LanguageModel."""
        return self.settings.vocab_size

    @property
    def numbers_per_step(self) -> int:
        """See LanguageModel."""
        return max(self.settings.vocab_size, self.settings.gates * self.settings.hidden)

    def zero_state(self, batch_size: int) -> State:
        """See NumpyNetwork.zero_state."""
        return self._to_numpy(self.model.zero_state(batch_size), no_history(batch_size))

    @torch.no_grad()
    def logits(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """See NumpyNetwork.logits."""
        device_ids = torch.from_numpy(ids.astype(np.int64)).to(self._device)
        logits, after = self.model(device_ids, self._to_torch(state))
        return logits.cpu().numpy(), self._to_numpy(after, state.history)

    def step(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """See NumpyNetwork.step."""
        logits, state = self.logits(ids[None], state)
        return logits[0], state

    def read(self, ids: NDArray[np.integer], state: State) -> State:
        """See NumpyNetwork.read."""
        return self.logits(ids, state)[1]

    def _to_torch(self, state: State) -> TorchState:
        parts = [state.hidden, state.cell] if self.settings.cell == "lstm" else [state.hidden]
        tensors = [torch.from_numpy(np.ascontiguousarray(part)).to(self._device) for part in parts]  # (L, B, H)
        return [tuple(part[layer : layer + 1] for part in tensors) for layer in range(self.settings.layers)]

    def _to_numpy(self, state: TorchState, history: NDArray[np.integer]) -> State:
        hidden = torch.cat([layer[0] for layer in state]).cpu().numpy()  # (L, B, H)
        if self.settings.cell != "lstm":
            return State(hidden, np.zeros((0, *hidden.shape[1:]), hidden.dtype), history)
        return State(hidden, torch.cat([layer[1] for layer in state]).cpu().numpy(), history)

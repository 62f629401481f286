"""The network in torch, for training and for GPUs: the same tensors and the same logits as `numpy_lstm`.

Knows nothing about optimizers, text or files. torch's own layers do the work, one module a layer, so that
the skip connections and dropout between layers are ours to place.

Shapes: T time steps, B sequences (the batch), E embedding dimension, H hidden units, V symbols.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..config import ModelSettings
from ..data.vocabulary import UNKNOWN
from .dropout import Noise
from .interface import Floats, State, no_history

TorchState = list[tuple[Tensor, ...]]
"""A layer each: (hidden,) or (hidden, cell), each (1, B, H)."""

EMBEDDING_DROPOUT = 0.4
"""Dropout of the embedding, as a fraction of that between layers: what is dropped there is lost to all layers."""
CHRONO_UNITS = 0.25
"""Fraction of an lstm layer's units that begin with a time constant of their own (see `_initialise`)."""
LONGEST_TIME_CONSTANT = 500
"""Characters."""

_DRAWING = threading.Lock()
"""torch has one generator for all threads; its layers can be given no other."""

_LAYERS: dict[str, type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
_KERNELS: dict[str, Any] = {"lstm": torch.lstm, "gru": torch.gru, "rnn": torch.rnn_tanh}


class TorchNetwork(nn.Module):
    """embedding -> layers, with a skip connection from the second on -> linear.

    Args:
        settings: its shape.
        dropout: of what goes from layer to layer and into the head, in training (Zaremba et al. 2014); of the
            embedding, EMBEDDING_DROPOUT times that.
        dropconnect: dropout of the recurrent weights, in training (Merity et al. 2018).
        precision: dtype of the layers' arithmetic while training.
        seed: of its random parameters; torch's own random numbers stay as they were.
    """

    def __init__(
        self,
        settings: ModelSettings,
        dropout: float = 0.0,
        dropconnect: float = 0.0,
        precision: torch.dtype = torch.float32,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.settings, self.dropout, self.dropconnect, self.precision = settings, dropout, dropconnect, precision
        with _DRAWING, torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self._build(settings)

    def _build(self, settings: ModelSettings) -> None:
        self.embedding = nn.Embedding(settings.vocab_size + 1, settings.embedding)
        layer_type = _LAYERS[settings.cell]
        widths = [settings.hidden if layer else settings.embedding for layer in range(settings.layers)]
        self.layers = nn.ModuleList(layer_type(width, settings.hidden) for width in widths)
        self.head = nn.Linear(settings.hidden, settings.vocab_size)
        self._initialise()

    @torch.no_grad()
    def _initialise(self) -> None:
        """Orthogonal recurrent weights, inputs scaled to their number, forget gates open (Gers et al. 2000).

        Some units begin with time constants t of 1 to LONGEST_TIME_CONSTANT characters, evenly spaced in log t: a
        forget gate with bias log t keeps all but 1/(t + 1), and an input gate with bias -log t lets in no more than
        that (the chrono initialisation of Tallec and Ollivier 2018, for a fraction of the units).
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
                log_t = torch.linspace(0, math.log(LONGEST_TIME_CONSTANT), round(CHRONO_UNITS * size))
                layer.bias_ih_l0[: len(log_t)] = -log_t
                layer.bias_ih_l0[size : 2 * size] = 1.0
                layer.bias_ih_l0[size : size + len(log_t)] = log_t
        nn.init.normal_(self.head.weight, std=0.5 / math.sqrt(size))
        nn.init.zeros_(self.head.bias)

    def _recurrent(self) -> list[Any]:
        """The layers; their tensors are set by name, which torch's types do not know."""
        return list(self.layers)

    def zero_state(self, batch_size: int) -> TorchState:
        """The state of B sequences before anything was read."""
        count = 2 if self.settings.cell == "lstm" else 1
        zeros = torch.zeros(1, batch_size, self.settings.hidden, device=self.head.weight.device)
        return [(zeros,) * count for _ in self.layers]

    def forward(self, ids: Tensor, state: TorchState, noise: Noise | None = None) -> tuple[Tensor, TorchState]:
        """Read (T, B) ids; give the logits (T, B, V) of what comes next, and the new state; see `outputs`."""
        outputs, states = self.outputs(ids, state, noise)
        return self.logits(outputs), states

    def outputs(self, ids: Tensor, state: TorchState, noise: Noise | None = None) -> tuple[Tensor, TorchState]:
        """Read (T, B) ids; give what the head reads of them (T, B, H), and the new state.

        Args:
            ids: (T, B).
            state: before them.
            noise: what decides, while training, what is dropped; None: nothing is.
        """
        dtype = self.precision if self.training else torch.float32
        noise = noise if self.training else None
        output = self._dropped(self.embedding(ids).to(dtype), noise, EMBEDDING_DROPOUT)  # (T, B, E)
        states: TorchState = []
        for index, layer in enumerate(self._recurrent()):
            inputs = self._dropped(output, noise) if index else output
            seen, after = self._layer(layer, inputs, state[index], dtype, noise)  # (T, B, H)
            states.append(after)
            output = seen + output if index else seen  # the skip connection
        return self._dropped(output, noise), states

    def logits(self, outputs: Tensor, symbols: Tensor | None = None) -> Tensor:
        """The head: outputs (..., H) -> logits (..., V), float32; of these symbols (C,) alone -> (..., C)."""
        weight: Tensor = self.head.weight
        bias: Tensor = self.head.bias
        if symbols is not None:
            weight, bias = weight.index_select(0, symbols), bias.index_select(0, symbols)
        return functional.linear(outputs, weight.to(outputs.dtype), bias.to(outputs.dtype)).float()

    def _layer(
        self, layer: Any, inputs: Tensor, state: tuple[Tensor, ...], dtype: torch.dtype, noise: Noise | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One layer over all time steps: inputs (T, B, E or H) -> (T, B, H), and its state."""
        weights = [layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0]
        if noise and self.dropconnect:
            weights[1] = weights[1] * noise.mask(weights[1], self.dropconnect)
        weights = [weight.to(dtype) for weight in weights]
        before = tuple(part.to(dtype) for part in state)
        # The functional form of nn.LSTM, nn.GRU and nn.RNN: the same fused kernels, on weights that are computed.
        start = before if len(before) > 1 else before[0]
        output, *after = _KERNELS[self.settings.cell](inputs, start, weights, True, 1, 0.0, self.training, False, False)
        return output, tuple(part.float() for part in after)

    def _dropped(self, values: Tensor, noise: Noise | None, scale: float = 1.0) -> Tensor:
        """Values under the network's dropout times `scale`, if there is noise."""
        if not (noise and self.dropout):
            return values
        return values * noise.mask_of_streams(values, scale * self.dropout)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """A copy of the tensors, as the model file holds them."""
        return {name: value.detach().cpu().float().numpy().copy() for name, value in self.state_dict().items()}

    def load(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Take over the tensors of a model file."""
        self.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()})

    @torch.no_grad()
    def load_pretrained(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Take over the tensors of a pretrained model whose vocabulary is the beginning of this one's.

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
    """A TorchNetwork that fulfils the protocol LanguageModel: numpy ids and states in, numpy logits and states out.

    For scoring and sampling on a GPU, and for validation while training.

    Args:
        network: the caller's own, no copy; it is put into evaluation mode (no dropout, float32) and left in it.
    """

    def __init__(self, network: TorchNetwork) -> None:
        self.network = network.eval()
        self.settings = settings = network.settings
        self.vocab_size, self.numbers_per_step = settings.vocab_size, settings.numbers_per_step
        self._device = network.head.weight.device

    def zero_state(self, batch_size: int) -> State:
        """See LanguageModel."""
        return self._to_numpy(self.network.zero_state(batch_size), no_history(batch_size))

    @torch.no_grad()
    def logits(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """See LanguageModel."""
        device_ids = torch.from_numpy(ids.astype(np.int64)).to(self._device)
        logits, after = self.network(device_ids, self._to_torch(state))
        return logits.cpu().numpy(), self._to_numpy(after, state.history)

    def step(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """See LanguageModel."""
        logits, state = self.logits(ids[None], state)
        return logits[0], state

    def read(self, ids: NDArray[np.integer], state: State) -> State:
        """See LanguageModel."""
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

"""The network in numpy: the equations, written to be read, and fast at one character at a time.

    embedding -> layer 1 ... layer L -> linear -> logits (the softmax's arguments)

From the second layer on, a layer's input is added to its output. Knows nothing about text, sampling or files:
ids and a state in, logits and a state out. `model.py` is the same network in torch; a test proves them equal.

The layers, as the literature writes them (x: input, h: hidden state, c: cell state, s: logistic sigmoid):

    lstm (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)
        i = s(Wi x + Ui h + bi)     f = s(Wf x + Uf h + bf)     o = s(Wo x + Uo h + bo)
        g = tanh(Wg x + Ug h + bg)  c' = f c + i g              h' = o tanh(c')
    gru (Cho et al. 2014, in the form that cuDNN and torch compute)
        r = s(Wr x + Ur h + br)     z = s(Wz x + Uz h + bz)
        n = tanh(Wn x + bn + r (Un h + dn))                     h' = (1 - z) n + z h
    rnn (Elman 1990)
        h' = tanh(W x + U h + b)

Two rewritings make it fast and change no value beyond rounding: s(a) = tanh(a/2)/2 + 1/2, so that with the gates'
rows halved beforehand one call of tanh serves all four; and the first layer's W x is a row of a table,
because x is one of few embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..config import ModelSettings
from .interface import Floats, State, no_history


class _Lstm:
    """One layer of lstm cells. Rows are kept in the order i, f, o, g, the first three halved."""

    def __init__(self, weight_ih: Floats, weight_hh: Floats, bias_ih: Floats, bias_hh: Floats) -> None:
        size = weight_hh.shape[1]
        order = np.r_[0 : 2 * size, 3 * size : 4 * size, 2 * size : 3 * size]  # torch has i, f, g, o
        scale = np.ones((4 * size, 1), dtype=weight_hh.dtype)
        scale[: 3 * size] = 0.5
        self.size = size
        self.input = np.ascontiguousarray((weight_ih[order] * scale).T)  # (I, 4H)
        self.recurrent = np.ascontiguousarray((weight_hh[order] * scale).T)  # (H, 4H)
        self.bias = (bias_ih + bias_hh)[order] * scale[:, 0]  # (4H,)

    def advance(self, from_input: Floats, hidden: Floats, cell: Floats) -> tuple[Floats, Floats]:
        """One step: (B, 4H) of W x + b, (B, H) and (B, H) -> the new (B, H) and (B, H)."""
        gates = hidden @ self.recurrent  # (B, 4H)
        gates += from_input
        new_hidden, new_cell = np.empty_like(hidden), np.empty_like(cell)
        return _lstm_cell(gates, self.size, cell, new_hidden, new_cell), new_cell


def _lstm_cell(gates: Floats, size: int, before: Floats, hidden: Floats, cell: Floats) -> Floats:
    """The lstm's equations: gates (..., 4H) as i, f, o, g before their sigmoids and tanh, which they become.

    Reads the cell state (..., H) before, writes the new hidden and cell state where told; gives the hidden state.
    """
    np.tanh(gates, out=gates)
    sigmoids = gates[..., : 3 * size]
    sigmoids *= 0.5
    sigmoids += 0.5
    np.multiply(before, gates[..., size : 2 * size], out=cell)  # f c
    np.multiply(gates[..., :size], gates[..., 3 * size :], out=hidden)
    cell += hidden  # + i g
    np.tanh(cell, out=hidden)
    hidden *= gates[..., 2 * size : 3 * size]
    return hidden


class _Gru:
    """One layer of gru cells. Rows in torch's order r, z, n, the first two halved."""

    def __init__(self, weight_ih: Floats, weight_hh: Floats, bias_ih: Floats, bias_hh: Floats) -> None:
        size = weight_hh.shape[1]
        scale = np.ones((3 * size, 1), dtype=weight_hh.dtype)
        scale[: 2 * size] = 0.5
        self.size = size
        self.input = np.ascontiguousarray((weight_ih * scale).T)  # (I, 3H)
        self.recurrent = np.ascontiguousarray((weight_hh * scale).T)  # (H, 3H)
        self.bias = bias_ih * scale[:, 0]  # (3H,)
        self.recurrent_bias = bias_hh * scale[:, 0]  # (3H,): the n part stands inside the product with r

    def advance(self, from_input: Floats, hidden: Floats, cell: Floats) -> tuple[Floats, Floats]:
        """One step: (B, 3H) of W x + b, (B, H) -> the new (B, H); the cell state stays empty."""
        size = self.size
        inner = hidden @ self.recurrent  # (B, 3H)
        inner += self.recurrent_bias
        gates = np.tanh(inner[:, : 2 * size] + from_input[:, : 2 * size])
        gates *= 0.5
        gates += 0.5
        reset, update = gates[:, :size], gates[:, size:]
        candidate = np.tanh(from_input[:, 2 * size :] + reset * inner[:, 2 * size :])
        return candidate + update * (hidden - candidate), cell


class _Rnn:
    """One layer of plain tanh cells."""

    def __init__(self, weight_ih: Floats, weight_hh: Floats, bias_ih: Floats, bias_hh: Floats) -> None:
        self.size = weight_hh.shape[1]
        self.input = np.ascontiguousarray(weight_ih.T)  # (I, H)
        self.recurrent = np.ascontiguousarray(weight_hh.T)  # (H, H)
        self.bias = bias_ih + bias_hh  # (H,)

    def advance(self, from_input: Floats, hidden: Floats, cell: Floats) -> tuple[Floats, Floats]:
        """One step: (B, H) of W x + b, (B, H) -> the new (B, H); the cell state stays empty."""
        hidden = hidden @ self.recurrent
        hidden += from_input
        return np.tanh(hidden, out=hidden), cell


_CELLS: dict[str, type[_Lstm] | type[_Gru] | type[_Rnn]] = {"lstm": _Lstm, "gru": _Gru, "rnn": _Rnn}


class NumpyNetwork:
    """The network, ready to compute.

    Args:
        settings: its shape.
        tensors: torch's names and shapes, see ModelSettings.shapes.
        dtype: float32 as trained, or float64 for a reference.
    """

    def __init__(
        self, settings: ModelSettings, tensors: Mapping[str, NDArray[Any]], dtype: DTypeLike = np.float32
    ) -> None:
        self.settings = settings
        weights = {name: np.asarray(tensor, dtype=dtype) for name, tensor in tensors.items()}
        make = _CELLS[settings.cell]
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        self.layers = [make(*(weights[f"layers.{layer}.{name}"] for name in names)) for layer in range(settings.layers)]
        first = self.layers[0]
        self.table = weights["embedding.weight"] @ first.input + first.bias  # (V + 1, gates x H)
        # For one stream: [W U] of each lstm layer as one matrix (2H, 4H); the first layer's W is in the table.
        self.joined = [
            np.concatenate([layer.input, layer.recurrent]) if number else layer.recurrent
            for number, layer in enumerate(self.layers)
            if settings.cell == "lstm"
        ]
        self.head = np.ascontiguousarray(weights["head.weight"].T)  # (H, V)
        self.head_bias = weights["head.bias"]  # (V,)

    @property
    def vocab_size(self) -> int:
        """See LanguageModel."""
        return self.settings.vocab_size

    @property
    def numbers_per_step(self) -> int:
        """See LanguageModel."""
        return max(self.settings.vocab_size, self.settings.gates * self.settings.hidden)

    def zero_state(self, batch_size: int) -> State:
        """The state of B sequences before anything was read."""
        shape = (self.settings.layers, batch_size, self.settings.hidden)
        cells = shape if self.settings.cell == "lstm" else (0, *shape[1:])
        return State(np.zeros(shape, self.table.dtype), np.zeros(cells, self.table.dtype), no_history(batch_size))

    def logits(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Read T characters in each of B streams.

        Args:
            ids: (T, B), the start symbol's included.
            state: of B streams.

        Returns:
            (T, B, V): after each character, the logits of the next one (a softmax makes them probabilities);
            and the state after the last.
        """
        outputs, state = self._run(ids, state)  # (T, B, H)
        time, streams, size = outputs.shape
        logits = outputs.reshape(time * streams, size) @ self.head
        logits += self.head_bias
        return logits.reshape(time, streams, -1), state

    def step(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Read one character in each of B streams: ids (B,) -> logits (B, V) of the next, and the state."""
        if self.joined and len(ids) == 1:
            return self._step_one(int(ids[0]), state)
        hiddens, cells = [], []
        output: Floats | None = None
        for number, layer in enumerate(self.layers):
            from_input = self.table[ids] if output is None else output @ layer.input + layer.bias
            hidden, cell = layer.advance(from_input, state.hidden[number], self._cell(state, number))
            hiddens.append(hidden)
            cells.append(cell)
            output = hidden if output is None else output + hidden
        assert output is not None
        logits = output @ self.head
        logits += self.head_bias
        return logits, self._state(hiddens, cells, state)

    def _step_one(self, symbol: int, state: State) -> tuple[Floats, State]:
        """`step` for one stream of lstm cells: vectors for matrices, and one product a layer.

        At this size each numpy call costs as much as its arithmetic, so they are few and write in place.
        """
        size = self.settings.hidden
        hidden = np.empty_like(state.hidden)
        cell = np.empty_like(state.cell)
        gates = state.hidden[0, 0] @ self.layers[0].recurrent  # (4H,)
        gates += self.table[symbol]
        output = _lstm_cell(gates, size, state.cell[0, 0], hidden[0, 0], cell[0, 0])  # (H,)
        for number in range(1, self.settings.layers):
            gates = np.concatenate((output, state.hidden[number, 0])) @ self.joined[number]  # (4H,)
            gates += self.layers[number].bias
            output = output + _lstm_cell(gates, size, state.cell[number, 0], hidden[number, 0], cell[number, 0])
        logits = output @ self.head  # (V,)
        logits += self.head_bias
        return logits[None], State(hidden, cell, state.history)

    def read(self, ids: NDArray[np.integer], state: State) -> State:
        """Read T characters in each of B streams, ids (T, B), for the state alone."""
        return self._run(ids, state)[1]

    def _run(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """All layers over all time steps: one matrix product a layer for the inputs, one a step for the states."""
        time, streams = ids.shape
        hiddens, cells = [], []
        inputs: Floats | None = None
        for number, layer in enumerate(self.layers):
            if inputs is None:
                from_input = self.table[ids]  # (T, B, gates x H)
            else:
                flat = inputs.reshape(time * streams, layer.size) @ layer.input
                flat += layer.bias
                from_input = flat.reshape(time, streams, -1)
            outputs = np.empty((time, streams, layer.size), self.table.dtype)
            hidden, cell = state.hidden[number], self._cell(state, number)
            for t in range(time):
                hidden, cell = layer.advance(from_input[t], hidden, cell)
                outputs[t] = hidden
            hiddens.append(hidden)
            cells.append(cell)
            inputs = outputs if inputs is None else np.add(outputs, inputs, out=outputs)
        assert inputs is not None
        return inputs, self._state(hiddens, cells, state)

    def _cell(self, state: State, layer: int) -> Floats:
        return state.cell[layer] if self.settings.cell == "lstm" else state.cell

    def _state(self, hiddens: list[Floats], cells: list[Floats], before: State) -> State:
        cell = np.stack(cells) if self.settings.cell == "lstm" else cells[0]
        return State(np.stack(hiddens), cell, before.history)

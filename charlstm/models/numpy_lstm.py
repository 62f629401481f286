"""The network in numpy: the equations, written to be read, and fast at one character at a time.

    embedding -> layer 1 ... layer L -> linear -> logits (the softmax's arguments)

From the second layer on, a layer's input is added to its output. Knows nothing about text, sampling or files:
ids and a state in, logits and a state out; `trace` also shows what happens inside. `torch_lstm` is the same network in
torch; a test proves them equal.

The layers, as the literature writes them (x: input, h: hidden state, c: cell state, s: logistic sigmoid; products
without a sign between vectors are by element):

    lstm (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)
        i = s(Wi x + Ui h + bi)     f = s(Wf x + Uf h + bf)     o = s(Wo x + Uo h + bo)
        g = tanh(Wg x + Ug h + bg)  c' = f c + i g              h' = o tanh(c')
    gru (Cho et al. 2014, in the form that cuDNN and torch compute)
        r = s(Wr x + Ur h + br)     z = s(Wz x + Uz h + bz)
        n = tanh(Wn x + bn + r (Un h + dn))                     h' = (1 - z) n + z h
    rnn (Elman 1990)
        h' = tanh(W x + U h + b)

Two rewritings make it fast and change no value beyond rounding: s(a) = tanh(a/2)/2 + 1/2, so that with the gates'
rows halved beforehand one call of tanh serves all four; and the first layer's W x + b is a row of a table, because x is
one of few embeddings.

Shapes: T time steps, B sequences (the batch), L layers, H hidden units, E embedding dimension, V symbols; a layer's
input has I numbers (E in the first, H above), and its gates G x H: G is 4 for the lstm, 3 for the gru, 1 for the rnn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..config import ModelSettings
from .interface import Floats, State, no_history

GATE_NAMES = {
    "lstm": ("input", "forget", "output", "candidate"),
    "gru": ("reset", "update", "candidate"),
    "rnn": (),
}
"""What each type of cell computes on the way to its new state, in the order of `Trace.gates`: i f o g, and r z n."""

KEEPING_GATE = {"lstm": "forget", "gru": "update"}
"""The gate that says what fraction of the old state a unit keeps: f, and z. A plain rnn has none."""


class _Lstm:
    """One layer of lstm cells. Its gates are kept in the order i, f, o, g, the first three halved."""

    def __init__(self, weight_ih: Floats, weight_hh: Floats, bias_ih: Floats, bias_hh: Floats) -> None:
        size = weight_hh.shape[1]
        order = np.r_[0 : 2 * size, 3 * size : 4 * size, 2 * size : 3 * size]  # torch has i, f, g, o
        half = np.ones((4 * size, 1), dtype=weight_hh.dtype)
        half[: 3 * size] = 0.5
        self.size = size
        self.W = np.ascontiguousarray((weight_ih[order] * half).T)  # (I, 4H)
        self.U = np.ascontiguousarray((weight_hh[order] * half).T)  # (H, 4H)
        self.b = (bias_ih + bias_hh)[order] * half[:, 0]  # (4H,)

    def step(self, Wx_b: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
        """One time step: W x + b (B, 4H), h (B, H) and c (B, H) -> the new h and c, and the gates (B, 4H)."""
        gates = h @ self.U  # (B, 4H)
        gates += Wx_b
        new_h, new_c = np.empty_like(h), np.empty_like(c)
        return _lstm_equations(gates, self.size, c, new_h, new_c), new_c, gates


def _lstm_equations(gates: Floats, size: int, c: Floats, new_h: Floats, new_c: Floats) -> Floats:
    """From the gates' arguments (..., 4H), which become their values, and c (..., H) to the new h and c, in place."""
    np.tanh(gates, out=gates)
    sigmoids = gates[..., : 3 * size]
    sigmoids *= 0.5
    sigmoids += 0.5
    i, f = gates[..., :size], gates[..., size : 2 * size]  # (..., H) each
    o, g = gates[..., 2 * size : 3 * size], gates[..., 3 * size :]
    np.multiply(f, c, out=new_c)
    np.multiply(i, g, out=new_h)
    new_c += new_h  # c' = f c + i g
    np.tanh(new_c, out=new_h)
    new_h *= o  # h' = o tanh(c')
    return new_h


class _Gru:
    """One layer of gru cells. Its gates are kept in torch's order r, z, n, the first two halved."""

    def __init__(self, weight_ih: Floats, weight_hh: Floats, bias_ih: Floats, bias_hh: Floats) -> None:
        size = weight_hh.shape[1]
        half = np.ones((3 * size, 1), dtype=weight_hh.dtype)
        half[: 2 * size] = 0.5
        self.size = size
        self.W = np.ascontiguousarray((weight_ih * half).T)  # (I, 3H)
        self.U = np.ascontiguousarray((weight_hh * half).T)  # (H, 3H)
        self.b = bias_ih * half[:, 0]  # (3H,)
        self.d = bias_hh * half[:, 0]  # (3H,): its n part stands inside the product with r

    def step(self, Wx_b: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
        """One time step: W x + b (B, 3H) and h (B, H) -> the new h, and r, z, n (B, 3H); c stays empty."""
        size = self.size
        Uh_d = h @ self.U  # (B, 3H)
        Uh_d += self.d
        gates = np.empty_like(Uh_d)  # (B, 3H)
        r_z = np.tanh(Wx_b[:, : 2 * size] + Uh_d[:, : 2 * size], out=gates[:, : 2 * size])  # (B, 2H)
        r_z *= 0.5
        r_z += 0.5
        r, z = r_z[:, :size], r_z[:, size:]  # (B, H) each
        n = np.tanh(Wx_b[:, 2 * size :] + r * Uh_d[:, 2 * size :], out=gates[:, 2 * size :])  # (B, H)
        return n + z * (h - n), c, gates  # h' = (1 - z) n + z h


class _Rnn:
    """One layer of plain tanh cells."""

    def __init__(self, weight_ih: Floats, weight_hh: Floats, bias_ih: Floats, bias_hh: Floats) -> None:
        self.size = weight_hh.shape[1]
        self.W = np.ascontiguousarray(weight_ih.T)  # (I, H)
        self.U = np.ascontiguousarray(weight_hh.T)  # (H, H)
        self.b = bias_ih + bias_hh  # (H,)

    def step(self, Wx_b: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats, Floats]:
        """One time step: W x + b (B, H) and h (B, H) -> the new h, and no gates (B, 0); c stays empty."""
        h = h @ self.U  # (B, H)
        h += Wx_b
        return np.tanh(h, out=h), c, h[:, :0]  # h' = tanh(W x + U h + b)


_LAYERS: dict[str, type[_Lstm] | type[_Gru] | type[_Rnn]] = {"lstm": _Lstm, "gru": _Gru, "rnn": _Rnn}


class Trace(NamedTuple):
    """What happens inside a network while it reads T characters of each of B sequences; after each of them:"""

    gates: Floats
    """(T, B, L, G, H): the gates and the candidate, in the order of GATE_NAMES"""
    hidden: Floats
    """(T, B, L, H)"""
    cell: Floats
    """(T, B, L, H); for cells other than the lstm (T, B, 0, H)"""

    @property
    def units(self) -> Floats:
        """(T, B, L, H): what each unit holds, from -1 to 1: of an lstm tanh(c), before the output gate; of others h."""
        return np.tanh(self.cell) if self.cell.size else self.hidden


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
        self.vocab_size, self.numbers_per_step = settings.vocab_size, settings.numbers_per_step
        parameters = {name: np.asarray(tensor, dtype=dtype) for name, tensor in tensors.items()}
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        self.layers = [
            _LAYERS[settings.cell](*(parameters[f"layers.{layer}.{name}"] for name in names))
            for layer in range(settings.layers)
        ]
        first = self.layers[0]
        self.table = parameters["embedding.weight"] @ first.W + first.b  # (V + 1, G x H): W x + b of every symbol
        # For one sequence: [W U] of each lstm layer as one matrix (2H, 4H); the first layer's W is in the table.
        self.joined = [
            np.concatenate([layer.W, layer.U]) if index else layer.U
            for index, layer in enumerate(self.layers)
            if settings.cell == "lstm"
        ]
        self.head = np.ascontiguousarray(parameters["head.weight"].T)  # (H, V)
        self.head_bias = parameters["head.bias"]  # (V,)

    def zero_state(self, batch_size: int) -> State:
        """The state of B sequences before anything was read."""
        shape = (self.settings.layers, batch_size, self.settings.hidden)
        cells = shape if self.settings.cell == "lstm" else (0, *shape[1:])
        return State(np.zeros(shape, self.table.dtype), np.zeros(cells, self.table.dtype), no_history(batch_size))

    def logits(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Read T characters of each of B sequences.

        Args:
            ids: (T, B), the start symbol's included.
            state: of B sequences.

        Returns:
            (T, B, V): after each character, the logits of the next one (a softmax makes them probabilities);
            and the state after the last.
        """
        outputs, state = self._read(ids, state)  # (T, B, H)
        logits = outputs.reshape(-1, self.settings.hidden) @ self.head  # (T x B, V)
        logits += self.head_bias
        return logits.reshape(*ids.shape, len(self.head_bias)), state  # (T, B, V)

    def read(self, ids: NDArray[np.integer], state: State) -> State:
        """Read T characters of each of B sequences, ids (T, B), for the state alone."""
        return self._read(ids, state)[1]

    def _read(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Layer by layer over all time steps: one matrix product for all W x, and one a step for U h.

        Gives the last layer's output (T, B, H), its skip connection included, and the state.
        """
        output: Floats = np.empty(0, self.table.dtype)
        hs, cs = [], []
        for index, layer in enumerate(self.layers):
            if index == 0:
                Wx_b = self.table[ids]  # (T, B, G x H)
            else:
                flat = output.reshape(-1, layer.size) @ layer.W  # (T x B, G x H)
                flat += layer.b
                Wx_b = flat.reshape(*ids.shape, flat.shape[1])  # (T, B, G x H)
            h, c = state.hidden[index], self._cell(state, index)  # (B, H) each
            seen = np.empty((*ids.shape, layer.size), self.table.dtype)  # (T, B, H)
            for t in range(len(ids)):
                h, c, _ = layer.step(Wx_b[t], h, c)
                seen[t] = h
            hs.append(h)
            cs.append(c)
            output = np.add(seen, output, out=seen) if index else seen  # the skip connection
        return output, self._state(hs, cs, state)

    def step(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State]:
        """Read one character of each of B sequences: ids (B,) -> logits (B, V) of the next, and the state."""
        if self.joined and len(ids) == 1:
            return self._step_one(int(ids[0]), state)
        output, state, _ = self._step(ids, state)
        logits = output @ self.head  # (B, V)
        logits += self.head_bias
        return logits, state

    def _step(self, ids: NDArray[np.integer], state: State) -> tuple[Floats, State, list[Floats]]:
        """All layers over one time step: ids (B,) -> the last one's output (B, H), the state, the gates of each."""
        output: Floats = np.empty(0, self.table.dtype)
        hs, cs, all_gates = [], [], []
        for index, layer in enumerate(self.layers):
            Wx_b = output @ layer.W + layer.b if index else self.table[ids]  # (B, G x H)
            h, c, gates = layer.step(Wx_b, state.hidden[index], self._cell(state, index))  # (B, H) each
            hs.append(h)
            cs.append(c)
            all_gates.append(gates)
            output = output + h if index else h  # (B, H)
        return output, self._state(hs, cs, state), all_gates

    def trace(self, ids: NDArray[np.integer], state: State) -> tuple[Trace, State]:
        """Read T characters of each of B sequences, ids (T, B), and keep what happens inside; and the state."""
        layers, size = self.settings.layers, self.settings.hidden
        names = GATE_NAMES[self.settings.cell]
        gates = np.empty((*ids.shape, layers, len(names), size), self.table.dtype)
        hidden = np.empty((*ids.shape, layers, size), self.table.dtype)
        cell = np.empty((*ids.shape, len(state.cell), size), self.table.dtype)
        for t in range(len(ids)):
            _, state, of_layers = self._step(ids[t], state)
            hidden[t], cell[t] = state.hidden.swapaxes(0, 1), state.cell.swapaxes(0, 1)  # (B, L, H)
            for index, of_layer in enumerate(of_layers):  # (B, G x H)
                gates[t, :, index] = of_layer.reshape(len(ids[t]), len(names), size)
        return Trace(gates, hidden, cell), state

    def _step_one(self, symbol: int, state: State) -> tuple[Floats, State]:
        """`step` for one sequence and lstm cells: vectors for matrices, and one product a layer.

        At this size each numpy call costs as much as its arithmetic, so they are few and write in place.
        """
        size = self.settings.hidden
        new_h, new_c = np.empty_like(state.hidden), np.empty_like(state.cell)  # (L, 1, H) each
        gates = state.hidden[0, 0] @ self.layers[0].U  # (4H,)
        gates += self.table[symbol]
        output = _lstm_equations(gates, size, state.cell[0, 0], new_h[0, 0], new_c[0, 0])  # (H,)
        for index in range(1, self.settings.layers):
            gates = np.concatenate((output, state.hidden[index, 0])) @ self.joined[index]  # (2H,) -> (4H,)
            gates += self.layers[index].b
            h = _lstm_equations(gates, size, state.cell[index, 0], new_h[index, 0], new_c[index, 0])  # (H,)
            output = output + h
        logits = output @ self.head  # (V,)
        logits += self.head_bias
        return logits[None], State(new_h, new_c, state.history)

    def _cell(self, state: State, layer: int) -> Floats:
        """The cell state (B, H) of a layer; what is empty for cells that have none."""
        return state.cell[layer] if self.settings.cell == "lstm" else state.cell

    def _state(self, hs: list[Floats], cs: list[Floats], before: State) -> State:
        """The new state, from h and c (B, H) of each layer."""
        cell = np.stack(cs) if self.settings.cell == "lstm" else before.cell
        return State(np.stack(hs), cell, before.history)

"""A network that sees a window of the last characters and nothing before them (Bengio et al. 2003), for comparison.

Embeddings of W characters side by side, two hidden layers with a skip connection, a linear layer.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

EMBEDDING = 32
BATCH = 2048
PEAK_RATE = 2e-3


class WindowNetwork(nn.Module):
    """Logits of the next character from the last W.

    Args:
        vocab_size: V; id V stands for what is before the text.
        window: W.
        parameters: about so many.
    """

    def __init__(self, vocab_size: int, window: int, parameters: int) -> None:
        super().__init__()
        self.window, self.start = window, vocab_size
        hidden = self._hidden(vocab_size, parameters)
        self.embedding = nn.Embedding(vocab_size + 1, EMBEDDING)
        self.first = nn.Linear(window * EMBEDDING, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.head = nn.Linear(hidden, vocab_size)

    def _hidden(self, vocab_size: int, parameters: int) -> int:
        """H so that H (W E + 1) + H (H + 1) + (H + 1) V is as wanted."""
        linear = self.window * EMBEDDING + vocab_size + 2
        return max(8, int((np.sqrt(linear**2 + 4 * parameters) - linear) / 2))

    def forward(self, windows: Tensor) -> Tensor:
        """Windows of ids (B, W) -> logits (B, V)."""
        hidden = torch.relu(self.first(self.embedding(windows).flatten(1)))  # (B, H)
        hidden = hidden + torch.relu(self.second(hidden))  # (B, H)
        logits: Tensor = self.head(hidden)  # (B, V)
        return logits

    def windows(self, ids: Tensor) -> Tensor:
        """The window before each character of a text (N,): (N, W), a view."""
        padded = torch.cat([torch.full((self.window,), self.start), ids])
        return padded.unfold(0, self.window, 1)[: len(ids)]


def trained(network: WindowNetwork, ids: NDArray[np.integer], seconds: float, seed: int) -> int:
    """Train on a text (N,) for so many seconds, the learning rate falling to zero; gives the number of steps."""
    torch.manual_seed(seed)
    text = torch.from_numpy(ids.astype(np.int64))
    windows = network.windows(text)
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE)
    started, steps = time.monotonic(), 0
    while (spent := (time.monotonic() - started) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * min((steps + 1) / 200, 1 - spent)
        at = torch.randint(len(text), (BATCH,))
        loss = nn.functional.cross_entropy(network(windows[at]), text[at])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        steps += 1
    return steps


@torch.no_grad()
def surprisals(network: WindowNetwork, ids: NDArray[np.integer]) -> NDArray[np.float64]:
    """Nats of each character of a text (N,)."""
    text = torch.from_numpy(ids.astype(np.int64))
    windows = network.windows(text)
    parts = [
        nn.functional.cross_entropy(network(windows[some]), text[some], reduction="none")
        for some in torch.split(torch.arange(len(text)), 4096)
    ]
    return torch.cat(parts).double().numpy()

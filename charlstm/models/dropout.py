"""Which numbers are dropped in a step of training: by random numbers of its own, whoever computes which streams.

Knows tensors and seeds; knows nothing of networks. torch has one generator for all threads, and draws Bernoulli numbers
one after the other, which took a fifth of a whole training step.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

WORD = 8
"""Bytes that the generator of random numbers draws at a time, and can pass over."""


class Noise:
    """The random numbers of one step, in the order in which its masks are drawn.

    Args:
        seed, step: all of them come from these two numbers.
        before, after: streams of the same batch that others compute, before and after those here.
        device: where the masks are needed.
    """

    def __init__(
        self, seed: int, step: int, before: int = 0, after: int = 0, device: torch.device | str = "cpu"
    ) -> None:
        self._drawn = np.random.PCG64DXSM((seed, step))
        self._before, self._after = before, after
        self._elsewhere: torch.Generator | None = None
        if torch.device(device).type not in ("cpu", "meta"):
            self._elsewhere = torch.Generator(device)
            self._elsewhere.manual_seed((seed * 1_000_003 + step + before * 7_368_787) % 2**63)

    def mask(self, like: Tensor, p: float) -> Tensor:
        """A dropout mask: 0 with probability p, else 1 / (1 - p). On a CPU p is rounded to 1/256."""
        if like.device.type != "cpu":
            return torch.empty_like(like).bernoulli_(1 - p, generator=self._elsewhere) / (1 - p)
        return _scaled(self._bytes(like.numel()).view(like.shape), p, like.dtype)

    def mask_of_streams(self, like: Tensor, p: float) -> Tensor:
        """As `mask`, for (T, B, H) of B streams among others: what a stream's is does not depend on who computes it.

        Each stream has random bytes of its own; those of the streams that are computed elsewhere are passed over. On
        other devices than a CPU every process draws its own.
        """
        if like.device.type != "cpu":
            return self.mask(like, p)
        times, streams, width = like.shape
        words = -(-times * width // WORD)  # that a stream takes
        self._skip(self._before * words)
        drawn = self._bytes(streams * words * WORD).view(streams, words * WORD)
        self._skip(self._after * words)
        kept = drawn[:, : times * width].reshape(streams, times, width).transpose(0, 1)  # (T, B, H)
        return _scaled(kept, p, like.dtype)

    def _bytes(self, count: int) -> Tensor:
        whole = bytearray(np.random.Generator(self._drawn).bytes(-(-count // WORD) * WORD))
        return torch.frombuffer(whole, dtype=torch.uint8)[:count] if count else torch.empty(0, dtype=torch.uint8)

    def _skip(self, words: int) -> None:
        """Pass over random numbers that others draw."""
        if words:
            self._drawn.advance(words)


def _scaled(drawn: Tensor, p: float, dtype: torch.dtype) -> Tensor:
    """Random bytes as a dropout mask."""
    dropped = min(255, round(256 * p))
    return (drawn >= dropped).to(dtype) * (256 / (256 - dropped))

"""Dynamic evaluation: a copy of the weights goes on learning from the text while it is scored.

Every character is scored before it is learnt from, so the figures are honest: they are those of a model that reads
(Mikolov et al. 2010; Krause et al. 2018). Knows nothing about files; the model it is given is not changed.

After each segment of the text, with g the gradient of its mean surprisal and v a running mean of g squared (less its
bias to the zero that it begins with, as in Adam):

    weights <- weights - rate * g / (sqrt(v) + eps) + pull * (trained weights - weights)
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..data.vocabulary import UNKNOWN, Ids, Vocabulary, regrouped
from ..models.mixture import Mixture
from ..models.torch_lstm import TorchNetwork

SEGMENT = 64
"""Characters that are scored with one state of the weights."""
RATE = 6e-4
PULL = 3e-3
MEMORY = 0.999
EPSILON = 1e-6


class DynamicEvaluation:
    """Scores texts as `evaluation.Scorer.surprisals` does, by one stream that learns as it reads.

    Args:
        model: the trained network; a copy of it is adapted.
        vocabulary: the model's.
        mixture: how the network's logits are joined with counts, if they are; the counts stay as they are.
    """

    def __init__(
        self,
        model: TorchNetwork,
        vocabulary: Vocabulary,
        mixture: Mixture | None = None,
        *,
        rate: float = RATE,
        pull: float = PULL,
    ) -> None:
        self.model, self.vocabulary, self.rate, self.pull = model, vocabulary, rate, pull
        self.mixture = mixture

    def surprisals(self, pieces: Iterable[Ids]) -> Iterator[NDArray[np.float64]]:
        """Score one text, given in pieces of ids; give its surprisals in nats, in pieces, in order."""
        model = copy.deepcopy(self.model).train()  # no dropout is set; torch's layers keep what gradients need
        weights = list(model.parameters())
        trained = [weight.detach().clone() for weight in weights]
        squares = [torch.zeros_like(weight) for weight in weights]
        state = model.zero_state(1)
        contexts = self.mixture.ngrams.start(1) if self.mixture else None
        last = self.vocabulary.start
        for steps, ids in enumerate(regrouped(pieces, SEGMENT), start=1):
            read = np.concatenate([[last], ids[:-1]]).astype(np.int64)[:, None]  # (T, 1)
            logits, state = model(torch.from_numpy(read).to(weights[0].device), state)  # (T, 1, V)
            if self.mixture:
                logits, contexts = self._mixed(logits, read, contexts)
            targets = torch.from_numpy(ids.astype(np.int64)).to(weights[0].device)
            nats = functional.cross_entropy(logits[:, 0], targets, reduction="none")  # (T,)
            scored = nats.detach().cpu().numpy().astype(np.float64)
            scored[ids == UNKNOWN] += self.vocabulary.unknown_nats
            yield scored
            nats.mean().backward()  # type: ignore[no-untyped-call]
            self._adapt(weights, trained, squares, steps)
            state = [tuple(part.detach() for part in layer) for layer in state]
            last = int(ids[-1])

    def _mixed(self, logits: Tensor, read: NDArray[np.int64], contexts: Any) -> tuple[Tensor, Any]:
        """The mixture's logits (T, 1, V), which pass gradients to the network, and the contexts after the last."""
        assert self.mixture is not None
        walked = self.mixture.ngrams.walk(read, contexts)  # (C, T, 1)
        logs = self.mixture.ngrams.log_probabilities(walked[:, :, 0])  # (T, V)
        counted = torch.from_numpy(logs).to(logits.device)[:, None]
        return float(self.mixture.network_weight) * logits + float(self.mixture.ngram_weight) * counted, walked[:, -1]

    @torch.no_grad()
    def _adapt(
        self, weights: list[torch.nn.Parameter], trained: list[torch.Tensor], squares: list[torch.Tensor], steps: int
    ) -> None:
        """One step of the rule above, on all tensors at once."""
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        torch._foreach_mul_(squares, MEMORY)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - MEMORY)
        scale = torch._foreach_div(squares, 1 - MEMORY**steps)
        torch._foreach_sqrt_(scale)
        torch._foreach_add_(scale, EPSILON)
        data = [weight.detach() for weight in weights]
        torch._foreach_lerp_(data, trained, self.pull)
        torch._foreach_addcdiv_(data, gradients, scale, -self.rate)
        for weight in weights:
            weight.grad = None

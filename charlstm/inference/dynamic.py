"""Dynamic evaluation: a copy of the network is trained on the text while it is scored.

Every character is scored before the copy is trained on it: the figures are those of a model that reads on (Mikolov et
al. 2010; Krause et al. 2018). Knows nothing about files; the network it is given is not changed.

After each segment of the text, with g the gradient of its mean surprisal and v a moving average of g squared (corrected
for the zero that it begins with, as in Adam):

    parameters <- parameters - RATE * g / (sqrt(v) + EPSILON) + DECAY * (pretrained parameters - parameters)
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..data.vocabulary import UNKNOWN, Ids, Vocabulary, regrouped
from ..models.mixture import Mixture
from ..models.torch_lstm import TorchNetwork

SEGMENT = 64
"""Characters T between two updates of the parameters."""
RATE = 6e-4
"""Learning rate."""
DECAY = 3e-3
"""Back to the pretrained parameters, at each update."""
BETA = 0.999
"""Of the moving average of squared gradients."""
EPSILON = 1e-6


class DynamicEvaluation:
    """Scores texts as `Scorer.surprisals` does, as one stream.

    Args:
        network: pretrained; a copy of it is adapted.
        vocabulary: the model's.
        mixture: how the network's logits are joined with counts, if they are: its weights and its counts, which stay
            as they are.
        rate: the learning rate.
    """

    def __init__(
        self, network: TorchNetwork, vocabulary: Vocabulary, mixture: Mixture | None = None, *, rate: float = RATE
    ) -> None:
        self.network, self.vocabulary, self.mixture, self.rate = network, vocabulary, mixture, rate

    def surprisals(self, pieces: Iterable[Ids]) -> Iterator[NDArray[np.float64]]:
        """Score one text, given in pieces of ids; give its surprisals in nats, in pieces, in order."""
        network = copy.deepcopy(self.network).train()  # no dropout is set; torch's layers keep what gradients need
        rule = UpdateRule(list(network.parameters()), self.rate)
        device = network.head.weight.device
        state = network.zero_state(1)
        contexts = self.mixture.ngrams.start(1) if self.mixture else None
        last = self.vocabulary.start
        for ids in regrouped(pieces, SEGMENT):
            inputs = np.concatenate([[last], ids[:-1]]).astype(np.int64)[:, None]  # (T, 1)
            logits, state = network(torch.from_numpy(inputs).to(device), state)  # (T, 1, V)
            if self.mixture:
                logits, contexts = _mixed(self.mixture, logits, inputs, contexts)
            targets = torch.from_numpy(ids.astype(np.int64)).to(device)  # (T,)
            nats = functional.cross_entropy(logits[:, 0], targets, reduction="none")  # (T,)
            scored = nats.detach().cpu().numpy().astype(np.float64)
            scored[ids == UNKNOWN] += self.vocabulary.unknown_nats
            yield scored
            rule.update(torch.autograd.grad(nats.mean(), rule.parameters))
            state = [tuple(part.detach() for part in layer) for layer in state]
            last = int(ids[-1])


def _mixed(mixture: Mixture, logits: Tensor, inputs: NDArray[np.int64], contexts: Any) -> tuple[Tensor, Any]:
    """The mixture's logits (T, 1, V), which pass gradients to the network, and the contexts after the last input."""
    walked = mixture.ngrams.walk(inputs, contexts)  # (C, T, 1)
    logs = mixture.ngrams.log_probabilities(walked[:, :, 0])  # (T, V)
    counted = torch.from_numpy(logs).to(logits.device)[:, None]  # (T, 1, V)
    return float(mixture.network_weight) * logits + float(mixture.ngram_weight) * counted, walked[:, -1]


class UpdateRule:
    """The rule of this module's docstring, on all parameters at once."""

    def __init__(self, parameters: list[nn.Parameter], rate: float) -> None:
        self.parameters, self.rate, self.updates = parameters, rate, 0
        self.pretrained = [parameter.detach().clone() for parameter in parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in parameters]

    @torch.no_grad()
    def update(self, gradients: tuple[Tensor, ...]) -> None:
        """Take one step along the parameters' gradients."""
        self.updates += 1
        torch._foreach_mul_(self.squares, BETA)
        torch._foreach_addcmul_(self.squares, gradients, gradients, 1 - BETA)
        scale = torch._foreach_div(self.squares, 1 - BETA**self.updates)
        torch._foreach_sqrt_(scale)
        torch._foreach_add_(scale, EPSILON)
        values = [parameter.detach() for parameter in self.parameters]
        torch._foreach_lerp_(values, self.pretrained, DECAY)
        torch._foreach_addcdiv_(values, gradients, scale, -self.rate)

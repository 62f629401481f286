"""A network and an n-gram model as one model: a product of experts, with one weight for each.

    p = softmax(a * network's logits + b * ln p of the n-grams)         (Hinton 2002; a and b fitted on held-out text)

Fulfils the protocol of `interface.py`, so that nothing above knows the difference. The indices of the n-gram
contexts of each sequence are the history in its state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import MixtureSettings
from .interface import Floats, LanguageModel, State
from .ngrams import NgramModel


class Mixture:
    """A network whose logits know what was counted.

    Args:
        network: any language model without a history of its own.
        ngrams: over the same vocabulary.
        network_weight, ngram_weight: a and b above.
    """

    def __init__(self, network: LanguageModel, ngrams: NgramModel, network_weight: float, ngram_weight: float) -> None:
        self.network, self.ngrams = network, ngrams
        self.network_weight, self.ngram_weight = np.float32(network_weight), np.float32(ngram_weight)

    @staticmethod
    def of(network: LanguageModel, ngrams: NgramModel, settings: MixtureSettings) -> Mixture:
        """The mixture that the settings describe."""
        return Mixture(network, ngrams, settings.network_weight, settings.ngram_weight)

    @property
    def vocab_size(self) -> int:
        """V: the symbols that it predicts, the unknown symbol included."""
        return self.network.vocab_size

    @property
    def numbers_per_step(self) -> int:
        """Size of the widest intermediate result for one character of one sequence."""
        return max(self.network.numbers_per_step, 4 * self.vocab_size)

    def zero_state(self, batch_size: int) -> State:
        """The state of B sequences before anything was read."""
        return self.network.zero_state(batch_size)._replace(history=self.ngrams.start(batch_size))

    def logits(self, ids: NDArray[np.integer[Any]], state: State) -> tuple[Floats, State]:
        """Read ids (T, B); give the logits (T, B, V) of what follows each, and the state after the last."""
        logits, after = self.network.logits(ids, state)  # (T, B, V)
        contexts = self.ngrams.walk(ids, state.history)  # (C, T, B)
        logs = self.ngrams.log_probabilities(contexts.reshape(len(contexts), ids.size))  # (T B, V)
        mixed = self.network_weight * logits
        mixed += self.ngram_weight * logs.reshape(logits.shape)
        return mixed, after._replace(history=contexts[:, -1] if len(ids) else state.history)

    def step(self, ids: NDArray[np.integer[Any]], state: State) -> tuple[Floats, State]:
        """Read one character of each sequence, ids (B,); give the logits (B, V) of what follows, and the state."""
        logits, after = self.network.step(ids, state)  # (B, V)
        mixed = self.network_weight * logits
        if len(ids) == 1:
            history = self.ngrams.advance_one(int(ids[0]), state.history)
            mixed[0] += self.ngram_weight * self.ngrams.log_row(history)
        else:
            history = self.ngrams.walk(ids[None], state.history)[:, 0]
            mixed += self.ngram_weight * self.ngrams.log_probabilities(history)
        return mixed, after._replace(history=history)

    def read(self, ids: NDArray[np.integer[Any]], state: State) -> State:
        """Read ids (T, B) for the state alone."""
        longest = self.ngrams.longest
        contexts = self.ngrams.walk(
            ids[-longest - 1 :], state.history if len(ids) <= longest else self.ngrams.start(ids.shape[1])
        )
        return self.network.read(ids, state)._replace(history=contexts[:, -1] if len(ids) else state.history)

"""Which earlier characters a prediction rests on: each is masked in turn, and the prediction made again.

A masked character is read as the unknown symbol. Two figures say what that changes, both in bits:

    divergence    KL(p || q) of the prediction as it is, p, from the one with the character masked, q
                  (Kullback and Leibler 1951): 0 where nothing changes
    cost          the surprisal of the character that really follows, masked less unmasked: positive where the masked
                  character helped to foresee it

Works with any model. Shapes: N characters before the prediction, W of them masked in turn, V symbols.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import UNKNOWN, Vocabulary
from ..models.interface import Floats, LanguageModel, read_long
from .scoring import LN2

FARTHEST = 500
"""Characters back from the prediction that are masked."""
TOGETHER = 64
"""Texts, each with another character masked, that are read as one batch."""


@dataclass(frozen=True)
class Influence:
    """What a prediction rests on."""

    first: int
    """Position in the text of the first character that was masked; the others follow it."""
    divergence: NDArray[np.float64]
    """(W,) bits, for each masked character"""
    cost: NDArray[np.float64] | None
    """(W,) bits; None where no character follows"""
    log_probabilities: NDArray[np.float64]
    """(V,) ln p of each symbol, nothing masked"""

    def likeliest(self, vocabulary: Vocabulary, most: int = 5) -> list[tuple[str, float]]:
        """The likeliest characters with their probabilities, the likeliest first."""
        order = 1 + np.argsort(-self.log_probabilities[1:], kind="stable")[:most]
        return [(vocabulary.characters[symbol - 1], float(np.exp(self.log_probabilities[symbol]))) for symbol in order]


def influence(
    model: LanguageModel, vocabulary: Vocabulary, before: str, following: str | None = None, farthest: int = FARTHEST
) -> Influence:
    """Mask each of the last characters before a prediction, and see what changes.

    Args:
        model, vocabulary: what predicts.
        before: the text up to the prediction; may be empty.
        following: the character that really follows, if any.
        farthest: how many characters back to go.
    """
    ids = np.concatenate([[vocabulary.start], vocabulary.encode(before).astype(np.int64)])  # (N + 1,)
    first = max(1, len(ids) - farthest)  # the start symbol is never masked
    plain, masked = _predictions(model, ids, first)  # (V,), (W, V)
    divergence = (np.exp(plain) * (plain - masked)).sum(axis=1) / LN2
    cost = None
    if following is not None:
        symbol = int(vocabulary.encode(following)[0])
        cost = (plain[symbol] - masked[:, symbol]) / LN2
    return Influence(first - 1, np.maximum(divergence, 0.0), cost, plain)


def _predictions(
    model: LanguageModel, ids: NDArray[np.int64], first: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What follows ids (N + 1,), as ln p (V,), and as ln p (W, V) with each from `first` on masked in turn.

    What is masked in a batch is the same text before its first masked character: that is read once.
    """
    state = read_long(model, ids[: min(first, len(ids) - 1), None], model.zero_state(1))
    rows = []
    for begin in range(first, len(ids), TOGETHER):
        count = min(TOGETHER, len(ids) - begin)
        varied = np.repeat(ids[begin:, None], count, axis=1)  # (T, B)
        varied[np.arange(count), np.arange(count)] = UNKNOWN
        many = read_long(model, varied[:-1], state.select([0] * count))
        rows.append(_log_softmax(model.step(varied[-1], many)[0]))  # (B, V)
        state = read_long(model, ids[begin : min(begin + count, len(ids) - 1), None], state)
    plain = _log_softmax(model.step(ids[-1:], state)[0])[0]
    return plain, np.concatenate(rows) if rows else np.zeros((0, len(plain)))


def _log_softmax(logits: Floats) -> NDArray[np.float64]:
    """(B, V) -> (B, V)"""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted

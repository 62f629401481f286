"""What a run ends with: the checkpoint that is kept, calibrated, mixed with the counts where they help, and measured.

Knows a validator, counts and results; knows nothing of steps, budgets or files.
"""

from __future__ import annotations

import dataclasses

from ..models.file import ModelFile
from ..models.interface import LanguageModel
from ..models.mixture import Mixture
from ..models.ngrams import NgramModel
from ..models.tensor_file import Tensors
from ..models.torch_lstm import TorchLanguageModel, TorchNetwork
from .mixing import TrainingCounts, fit_mixture
from .reports import Result
from .validation import Validator, calibrate


class Finisher:
    """Makes results of what a run has by now.

    Args:
        network: of the run's shape; its parameters are overwritten.
        validator: of the run.
        counts: of the training part, if there are any.
        pretrained: the model that the run began with, if there is one.
    """

    def __init__(
        self,
        network: TorchNetwork,
        validator: Validator,
        counts: TrainingCounts | None,
        pretrained: ModelFile | None = None,
    ) -> None:
        self.network, self.validator, self.counts, self.pretrained = network, validator, counts, pretrained

    def interrupted(self, result: Result) -> Result:
        """A result mixed with the counts, and measured so: what a user who stops the run gets; it can go on."""
        self.network.load(result.tensors)
        model, result = self._mixed(result)
        if result.mixture is None or result.val_bits_per_char is None:
            return result
        return dataclasses.replace(result, val_bits_per_char=self.validator.bits_of(model))

    def finished(self, result: Result) -> Result:
        """A result calibrated, mixed with the counts, and measured on as much as there is time for."""
        tensors = result.tensors
        alone = result.mixture is None  # else the weights of the mixture calibrate it
        if alone and self.validator.kept_step != 0 and len(self.validator.sample):  # what a run gives back is as it was
            tensors = calibrate(tensors, self._bits_of).tensors
        self.network.load(tensors)
        model, result = self._mixed(result)
        measured = self.validator.final_bits(model, result.characters)
        bits, characters = measured if measured else (result.val_bits_per_char, None)
        found = dataclasses.replace(
            result, tensors=tensors, finished=True, val_bits_per_char=bits, val_characters=characters
        )
        return self._or_pretrained(found) if self.pretrained else found

    def _or_pretrained(self, result: Result) -> Result:
        """A result or, where that predicts held-out text better with its own counts, the pretrained model whole."""
        model, corpus = self.pretrained, self.validator.corpus
        if not (model and model.mixture and result.val_bits_per_char is not None):
            return result
        if (model.vocabulary.characters, model.lines) != (corpus.vocabulary.characters, self.validator.lines):
            return result
        self.network.load(model.tensors)
        counts = NgramModel(len(corpus.vocabulary), model.counts, newline=corpus.line_end)
        mixture = Mixture.of(TorchLanguageModel(self.network), counts, model.mixture)
        measured = self.validator.final_bits(mixture, result.characters)
        if not measured or measured[0] >= result.val_bits_per_char:
            return result
        return dataclasses.replace(
            result, tensors=model.tensors, mixture=model.mixture, counts=model.counts, val_bits_per_char=measured[0],
            pretrained_kept=True,
        )  # fmt: skip

    def _mixed(self, result: Result) -> tuple[LanguageModel, Result]:
        """The network and, where they help, the counts; as a model, and in the result."""
        validator, counts, alone = self.validator, self.counts, TorchLanguageModel(self.network)
        mixture = counts and fit_mixture(alone, counts, validator.corpus, validator.sample, lines=validator.lines)
        if not (counts and mixture):
            return validator.as_model(self.network), result
        settings = counts.settings(float(mixture.network_weight), float(mixture.ngram_weight))
        return mixture, dataclasses.replace(result, mixture=settings, counts=counts.tensors)

    def _bits_of(self, tensors: Tensors) -> float:
        """Bits per character of a network on the text of the validations on the way."""
        self.network.load(tensors)
        return self.validator.bits(self.network)

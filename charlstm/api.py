"""The library as other programs use it, and as the command line uses it: joins the rooms below.

    model = charlstm.load("tales.safetensors")
    print(model.sample("Once ", length=200, temperature=0.7, seed=1))
    print(model.score("Once upon a time").bits_per_char)

Prints nothing. torch is imported only where it is needed: for training and for GPUs.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .config import SampleSettings, TrainingRequest
from .data.reading import lines_of
from .errors import UsageError
from .inference.sampling import AT_ONCE, Start, choose_seed, generate, read_prompts, whole_texts, write_on
from .inference.scoring import NOTHING, Score, Scorer, partial_scores, surprisals_of_text
from .models import file as modelfile
from .models.file import ModelFile
from .models.interface import LanguageModel, in_threads
from .models.mixture import Mixture
from .models.ngrams import NgramModel
from .models.numpy_lstm import NumpyNetwork
from .training.run import Paths, prepare

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .models.torch_lstm import TorchNetwork
    from .training.reports import Progress


# ---------------------------------------------------------------------------------------- a model


class Model:
    """A trained model: writes and scores texts.

    Args:
        file: what the model file held.
        device: "cpu" computes in numpy; anything else is a torch device.
        threads: how many threads share work on many samples, lines or streams. More than one pays where
            numpy's own matrix products use one each (OPENBLAS_NUM_THREADS=1).
    """

    def __init__(self, file: ModelFile, device: str = "cpu", threads: int = 1) -> None:
        self.file, self.device = file, device
        self.vocabulary = file.vocabulary
        self.network = _language_model(file, device)
        self.threads = threads if device == "cpu" else 1
        self.scorer = Scorer(self.network, self.vocabulary, threads=self.threads)

    @property
    def lines(self) -> bool:
        """Whether the model learnt every line as a record of its own."""
        return self.file.lines

    def sample(self, prompt: str = "", **settings: Any) -> str:
        """Write on from a prompt; gives what was written, without the prompt.

        Args:
            prompt: what comes before; characters that the model does not know are read as unknown.
            settings: see SampleSettings (length, temperature, top_k, top_p, min_p, seed, stop).

        Raises:
            UsageError: a setting is none, or `count` is given.
        """
        return "".join(self.stream(prompt, **settings))

    def stream(self, prompt: str = "", settings: SampleSettings | None = None, **named: Any) -> Iterator[str]:
        """As `sample`, a character at a time, as they are made."""
        if named.get("count", 1) != 1:
            raise UsageError("count is for several samples: use samples([prompt], count=...)")
        return self._stream(prompt, settings or SampleSettings(**named))

    def _stream(self, prompt: str, settings: SampleSettings) -> Iterator[str]:
        yield from write_on(self.network, self.vocabulary, self._read([prompt]), self.stopping(settings))

    def samples(self, prompts: Sequence[str], settings: SampleSettings | None = None, **named: Any) -> Iterator[str]:
        """Write on from each prompt, `count` times each, many at once; whole texts in input order.

        The random stream of a text depends on the seed and its place in the output alone.

        Args:
            prompts: what comes before, a text for each.
            settings, named: see SampleSettings (those of `sample`, and count); given as one or by name.
        """
        settings = settings or SampleSettings(**named)
        if isinstance(prompts, str):
            raise UsageError("prompts is a text; give a list of texts")
        return self._samples(list(prompts), settings)

    def _samples(self, prompts: list[str], settings: SampleSettings) -> Iterator[str]:
        settings = self.stopping(dataclasses.replace(settings, seed=choose_seed(settings)))
        one = self._read(prompts[:1]) if len(set(prompts)) == 1 else None  # once, however many samples there are
        wanted = len(prompts) * settings.count
        for begin in range(0, wanted, AT_ONCE * self.threads):
            window = range(begin, min(begin + AT_ONCE * self.threads, wanted))
            size = -(-len(window) // self.threads)
            groups = [range(first, min(first + size, window.stop)) for first in window[::size]]
            work = functools.partial(self._together, prompts, settings, one)
            for texts in in_threads(work, groups, self.threads):
                yield from texts

    def _together(self, prompts: list[str], settings: SampleSettings, one: Start | None, numbers: range) -> list[str]:
        """Write some of the samples, by number, as one batch."""
        start = one.select([0] * len(numbers)) if one else self._starts([prompts[n // settings.count] for n in numbers])
        steps = generate(self.network, self.vocabulary, start, settings, numbers.start)
        return whole_texts(steps, self.vocabulary, len(numbers))

    def _starts(self, prompts: list[str]) -> Start:
        """Read each different prompt once."""
        columns = {prompt: column for column, prompt in enumerate(dict.fromkeys(prompts))}
        return self._read(list(columns)).select([columns[prompt] for prompt in prompts])

    def _read(self, prompts: list[str]) -> Start:
        return read_prompts(self.network, self.vocabulary, prompts, self.threads)

    def stopping(self, settings: SampleSettings) -> SampleSettings:
        """A model of lines ends a sample with its line, too."""
        return dataclasses.replace(settings, stop=(*settings.stop, "\n")) if self.lines else settings

    def score(self, text: str) -> Score:
        """How well the model predicts a text (a model of lines: each line a text of its own)."""
        return self.score_pieces([text])

    def score_lines(self, lines: Iterable[str]) -> list[Score]:
        """How well the model predicts each of some lines, each a text of its own, with its newline if it has one."""
        return self.scorer.score_lines(list(lines))

    def score_pieces(self, pieces: Iterable[str]) -> Score:
        """As `score`, of a text that comes in pieces and may be larger than memory."""
        return sum(self.partial_scores(pieces), NOTHING)

    def partial_scores(self, pieces: Iterable[str]) -> Iterator[Score]:
        """The scores of parts of a text, as it comes; their sum is the text's."""
        if not self.lines:
            yield from partial_scores(self.scorer.surprisals, self.vocabulary, pieces)
            return
        for lines in lines_of(pieces):
            yield from self.scorer.score_lines(lines)

    def surprisals(self, pieces: Iterable[str]) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """The surprisal -ln p of every character of a text that comes in pieces and may be larger than memory.

        Args:
            pieces: the text; of a model of lines, each line is scored as a text of its own.

        Yields:
            stretches of the text, in order, each with the surprisals in nats of its characters.
        """
        if not self.lines:
            yield from surprisals_of_text(self.scorer.surprisals, self.vocabulary, pieces)
            return
        for lines in lines_of(pieces):
            yield from zip(lines, self.scorer.records(list(map(self.vocabulary.encode, lines))), strict=True)

    def parts(self) -> dict[str, Model]:
        """The network and the counts that the model consists of, each as a model of its own; none without counts."""
        if not self.file.mixture:
            return {}
        alone = dataclasses.replace(self.file.mixture, network_weight=0.0, ngram_weight=1.0)
        files = {
            "network": dataclasses.replace(self.file, mixture=None, counts={}),
            "ngrams": dataclasses.replace(self.file, mixture=alone),
        }
        return {name: Model(file, self.device, self.threads) for name, file in files.items()}

    def dynamic_scores(self, pieces: Iterable[str], device: str = "cpu") -> Iterator[Score]:
        """As `partial_scores`, by a copy of the model that learns from what it has scored (needs torch)."""
        from .inference.dynamic import DynamicEvaluation
        from .models.torch_lstm import TorchLanguageModel

        network, mixture = _torch_model(self.file, device), self.file.mixture
        counts = Mixture.of(TorchLanguageModel(network), _ngrams(self.file), mixture) if mixture else None
        adapting = DynamicEvaluation(network, self.vocabulary, counts)
        return partial_scores(adapting.surprisals, self.vocabulary, pieces)


def _torch_model(file: ModelFile, device: str) -> TorchNetwork:
    from .models.torch_lstm import TorchNetwork
    from .training.hardware import pick_device

    model = TorchNetwork(file.settings)
    model.load(file.tensors)
    return model.to(pick_device(device))


def _language_model(file: ModelFile, device: str) -> LanguageModel:
    """The network and, where the file has them, its counts."""
    network = NumpyNetwork(file.settings, file.tensors) if device == "cpu" else _on_torch(file, device)
    return Mixture.of(network, _ngrams(file), file.mixture) if file.mixture else network


def _ngrams(file: ModelFile) -> NgramModel:
    return NgramModel(file.settings.vocab_size, file.counts, newline=int(file.vocabulary.encode("\n")[0]))


def _on_torch(file: ModelFile, device: str) -> LanguageModel:
    model = _torch_model(file, device)
    from .models.torch_lstm import TorchLanguageModel

    return TorchLanguageModel(model)


def load(path: str | os.PathLike[str], device: str = "cpu", threads: int = 1) -> Model:
    """Load a model for writing and scoring; see Model for the device and the threads.

    Raises:
        ModelFileError: it is missing, broken, or not a model.
    """
    return Model(modelfile.load(path), device, threads)


def train(
    *paths: str | os.PathLike[str],
    output: str | os.PathLike[str],
    text: str | None = None,
    validation: Paths | str | os.PathLike[str] = (),
    encoding: str = "utf-8",
    errors: str = "strict",
    progress: Callable[[Progress], None] = lambda _: None,
    force: bool = False,
    init_from: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Model:
    """Train a model on texts, save it, and give it back.

    Args:
        paths: files and folders to learn from.
        output: where the model goes.
        text: a text given directly.
        validation, encoding, errors: see `data.corpus.Reading`.
        progress: called with each report.
        force: replace an existing output.
        init_from: a model to start from.
        settings: see TrainingRequest (minutes, epochs, steps, layers, hidden, ...).

    Raises:
        TextError, OutputError, UsageError, ModelFileError, DivergedError: see `prepare` and `Run.run`.
    """
    run = prepare(
        paths,
        output=output,
        texts=[text] if text else [],
        request=TrainingRequest(**settings),
        validation=validation,
        encoding=encoding,
        errors=errors,
        force=force,
        init_from=init_from,
    )
    for report in run.run():
        progress(report)
    return load(output)

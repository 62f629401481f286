"""The library as other programs use it, and as the command line uses it: joins the folders below it.

    model = charlstm.load("tales.safetensors")
    print(model.sample("Once ", length=200, temperature=0.7, seed=1))
    print(model.score("Once upon a time").bits_per_char)

Prints nothing, and leaves the caller's process as it was: no global seed, environment variable, warnings filter, signal
handler or number of threads is changed. torch is imported only where it is needed: for training and for GPUs.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, AnyStr, Unpack, overload

from .config import SampleSettings, TrainingRequest
from .data.characters import normal_form, normalized
from .data.given import AnyPath, as_given, given_path, given_pieces, given_text, given_texts
from .data.reading import ended, lines_of
from .errors import UsageError, counted
from .inference.sampling import AT_ONCE, Start, choose_seed, generate, read_prompts, stream_one, whole_texts
from .inference.scoring import NOTHING, Score, Scorer, Surprisals, partial_scores, surprisals_of_text
from .keywords import SampleOptions, SamplesOptions, TrainingOptions, sample_settings, settings_of
from .models import file as modelfile
from .models.file import ModelFile
from .models.interface import LanguageModel
from .models.mixture import Mixture
from .models.ngrams import NgramModel
from .models.numpy_lstm import NumpyNetwork
from .threads import in_threads, thread_count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .models.torch_lstm import TorchNetwork
    from .training.reports import Progress
    from .training.run import Run

Texts = Iterable[str] | Iterable[bytes]


# ---------------------------------------------------------------------------------------- a model


class Model:
    """A trained model: samples and scores texts. One of bytes takes and gives bytes wherever others do a str.

    Args:
        file: what the model file held.
        device: "cpu" computes in numpy; anything else is a torch device.
        threads: how many threads share work on many samples, lines or parts of a text. More than one pays where
            numpy's own matrix products use one each (OPENBLAS_NUM_THREADS=1).

    Raises:
        UsageError: there is no such device here, or the number of threads is none.
    """

    def __init__(self, file: ModelFile, device: str = "cpu", threads: int = 1) -> None:
        self.file, self.device = file, device
        self.vocabulary = file.vocabulary
        self.network = _language_model(file, device)
        self.threads = thread_count(threads) if device == "cpu" else 1
        self.scorer = Scorer(self.network, self.vocabulary, threads=self.threads)

    def __repr__(self) -> str:
        settings = self.file.settings
        return (
            f"<charlstm.Model {settings.layers}-layer {settings.cell}, {counted(settings.hidden, 'hidden unit')}, "
            f"{settings.parameters():,} parameters, {settings.vocab_size:,} symbols{', of bytes' * self.as_bytes}"
            f"{', of lines' * self.lines}>"
        )

    def __reduce__(self) -> tuple[type[Model], tuple[object, ...]]:
        return Model, (self.file, self.device, self.threads)

    @property
    def as_bytes(self) -> bool:
        """Whether the model is one of bytes: a character, in all that is said of one, is a byte."""
        return self.vocabulary.as_bytes

    @property
    def lines(self) -> bool:
        """Whether the model was trained on lines, each a record of its own."""
        return self.file.lines

    @overload
    def sample(self, *, settings: SampleSettings | None = None, **named: Unpack[SampleOptions]) -> str | Any: ...
    @overload
    def sample(
        self, prompt: AnyStr, settings: SampleSettings | None = None, **named: Unpack[SampleOptions]
    ) -> AnyStr: ...
    def sample(self, prompt: Any = "", settings: SampleSettings | None = None, **named: Unpack[SampleOptions]) -> Any:
        """Continue a prompt; gives what was written, without the prompt.

        Args:
            prompt: what comes before; characters that the model does not know are read as unknown.
            settings, named: see SampleSettings (length, temperature, top_k, top_p, min_p, seed, stop); given as one
                or by name.

        Raises:
            UsageError: a setting is out of range or unknown, or a count is given.
        """
        return as_given("".join(self._stream(prompt, settings, named)), as_bytes=self.as_bytes)

    @overload
    def stream(
        self, *, settings: SampleSettings | None = None, **named: Unpack[SampleOptions]
    ) -> Iterator[str | Any]: ...
    @overload
    def stream(
        self, prompt: AnyStr, settings: SampleSettings | None = None, **named: Unpack[SampleOptions]
    ) -> Iterator[AnyStr]: ...
    def stream(
        self, prompt: Any = "", settings: SampleSettings | None = None, **named: Unpack[SampleOptions]
    ) -> Iterator[Any]:
        """As `sample`, a character at a time, as they are made."""
        return (as_given(one, as_bytes=self.as_bytes) for one in self._stream(prompt, settings, named))

    def _stream(self, prompt: object, given: SampleSettings | None, named: Mapping[str, object]) -> Iterator[str]:
        """Checked at once; the model reads the prompt when the first character is asked for."""
        settings = self.stopping(sample_settings(given, named))
        if settings.count != 1:
            raise UsageError("count is for several samples: use samples([prompt], count=...)")
        text = "" if isinstance(prompt, str) and not prompt else self._given("prompt", prompt)

        def characters() -> Iterator[str]:
            yield from stream_one(self.network, self.vocabulary, self._read([text]), settings)

        return characters()

    def _given(self, name: str, text: object) -> str:
        return given_text(name, text, as_bytes=self.as_bytes)

    def samples(
        self, prompts: Iterable[AnyStr], settings: SampleSettings | None = None, **named: Unpack[SamplesOptions]
    ) -> Iterator[AnyStr]:
        """Continue each prompt, `count` times each, many at once; whole texts in input order.

        The random numbers of a text depend on the seed and its position in the output alone.

        Args:
            prompts: what comes before, a text for each.
            settings, named: see SampleSettings (those of `sample`, and count); given as one or by name.

        Raises:
            UsageError: a setting is out of range or unknown, or the prompts are no texts.
        """
        settings = self.stopping(sample_settings(settings, named))
        texts = self._samples(given_texts("prompts", prompts, as_bytes=self.as_bytes), settings)
        return (as_given(text, as_bytes=self.as_bytes) for text in texts)

    def _samples(self, prompts: list[str], settings: SampleSettings) -> Iterator[str]:
        settings = dataclasses.replace(settings, seed=choose_seed(settings))
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
        prompts = [normal_form(prompt, self.file.normalize) for prompt in prompts]
        return read_prompts(self.network, self.vocabulary, prompts, self.threads)

    def stopping(self, settings: SampleSettings) -> SampleSettings:
        """The same, with the stop texts as the model reads them; a model of lines ends a sample with its line, too."""
        stops = [normal_form(self._given("stop", stop), self.file.normalize) for stop in settings.stop]
        return dataclasses.replace(settings, stop=(*stops, *["\n"] * self.lines))

    def score(self, text: str | bytes) -> Score:
        """How well the model predicts a text (of lines: each a text of its own). UsageError: it is no text."""
        return sum(self._partial_scores([self._given("text", text)]), NOTHING)

    def score_lines(self, lines: Texts) -> list[Score]:
        """How well the model predicts each of some lines, each a text of its own, with its newline if it has one.

        For a model of lines, a line ends with its newline in any case: that it ends there is predicted, too.

        Raises:
            UsageError: the lines are no texts.
        """
        given = given_texts("lines", lines, as_bytes=self.as_bytes)
        return self.scorer.score_lines([self._record(line) for line in given])

    def score_pieces(self, pieces: Texts) -> Score:
        """As `score`, of a text that comes in pieces and may be larger than memory. UsageError: it is no text."""
        return sum(self.partial_scores(pieces), NOTHING)

    def partial_scores(self, pieces: Texts) -> Iterator[Score]:
        """The scores of parts of a text, as it comes; their sum is the text's. UsageError: see `surprisals`."""
        return self._partial_scores(given_pieces(pieces, as_bytes=self.as_bytes))

    def _partial_scores(self, pieces: Iterable[str]) -> Iterator[Score]:
        pieces = normalized(pieces, self.file.normalize)
        if not self.lines:
            yield from partial_scores(self.scorer.surprisals, self.vocabulary, pieces)
            return
        for lines in lines_of(ended(pieces)):
            yield from self.scorer.score_lines(lines)

    def surprisals(self, pieces: Iterable[AnyStr]) -> Iterator[tuple[AnyStr, NDArray[np.float64]]]:
        """The surprisal -ln p of every character of a text that comes in pieces and may be larger than memory.

        Args:
            pieces: the text. Of a model of lines, each line is scored as a text of its own, and the last one ends with
                a newline in any case.

        Yields:
            stretches of the text, in order, each with the surprisals in nats of its characters; a model that was
            trained on a normalization form reads its texts in that form, too.

        Raises:
            UsageError: the text is nothing to iterate over or, while iterating, a piece is no text.
        """
        scored = self._surprisals(given_pieces(pieces, as_bytes=self.as_bytes))
        return ((as_given(text, as_bytes=self.as_bytes), nats) for text, nats in scored)

    def _surprisals(self, pieces: Iterable[str]) -> Iterator[tuple[str, NDArray[np.float64]]]:
        pieces = normalized(pieces, self.file.normalize)
        if not self.lines:
            yield from surprisals_of_text(self.scorer.surprisals, self.vocabulary, pieces)
            return
        for lines in lines_of(ended(pieces)):
            yield from zip(lines, self.scorer.records(list(map(self.vocabulary.encode, lines))), strict=True)

    def parts(self) -> dict[str, Model]:
        """The network and the counts that it consists of, each as a model of its own; none without counts."""
        if not self.file.mixture:
            return {}
        alone = dataclasses.replace(self.file.mixture, network_weight=0.0, ngram_weight=1.0)
        files = {
            "network": dataclasses.replace(self.file, mixture=None, counts={}),
            "ngrams": dataclasses.replace(self.file, mixture=alone),
        }
        return {name: Model(file, self.device, self.threads) for name, file in files.items()}

    def _record(self, line: str) -> str:
        """A line as the model was trained on lines."""
        line = normal_form(line, self.file.normalize)
        return line + "\n" if self.lines and not line.endswith("\n") else line

    def dynamic_scores(self, pieces: Texts, device: str = "cpu", *, network: bool = True) -> Iterator[Score]:
        """As `partial_scores`, by a model that learns from what it has scored: dynamic evaluation.

        Args:
            pieces, device: the text, and where the network is trained.
            network: whether a copy of the network is trained on the text (needs torch), or only its n-grams counted.

        Raises:
            UsageError: the model is one of lines, or there is no such device here.
        """
        if self.lines:
            raise UsageError("dynamic evaluation reads one running text, and this model was trained on lines")
        from .inference.recent_counts import RecentCounts

        scored = self._dynamic_network(device) if network else self.scorer.surprisals
        texts = normalized(given_pieces(pieces, as_bytes=self.as_bytes), self.file.normalize)
        return partial_scores(RecentCounts(scored, self.vocabulary).surprisals, self.vocabulary, texts)

    def _dynamic_network(self, device: str) -> Surprisals:
        from .inference.dynamic import DynamicEvaluation

        mixture = self.scorer.model if isinstance(self.scorer.model, Mixture) else None
        return DynamicEvaluation(_torch_network(self.file, device), self.vocabulary, mixture).surprisals


def _torch_network(file: ModelFile, device: str) -> TorchNetwork:
    from .models.torch_lstm import TorchNetwork
    from .training.hardware import pick_device

    network = TorchNetwork(file.settings)
    network.load(file.tensors)
    return network.to(pick_device(device))


def _language_model(file: ModelFile, device: str) -> LanguageModel:
    """The network and, where the file has them, its counts."""
    network = NumpyNetwork(file.settings, file.tensors) if device == "cpu" else _on_torch(file, device)
    if not file.mixture:
        return network
    ngrams = NgramModel(file.settings.vocab_size, file.counts, newline=int(file.vocabulary.encode("\n")[0]))
    return Mixture.of(network, ngrams, file.mixture)


def _on_torch(file: ModelFile, device: str) -> LanguageModel:
    from .models.torch_lstm import TorchLanguageModel

    return TorchLanguageModel(_torch_network(file, device))


def load(path: AnyPath, device: str = "cpu", threads: int = 1) -> Model:
    """Load a model for sampling and scoring; see Model for the device and the threads.

    Raises:
        ModelFileError: it is missing, broken, or not a model.
        UsageError: see Model.
    """
    return Model(modelfile.load(given_path("path", path)), device, threads)


# ---------------------------------------------------------------------------------------- training


def train(
    *paths: AnyPath,
    output: AnyPath,
    text: str | bytes | None = None,
    validation: AnyPath | Sequence[AnyPath] = (),
    encoding: str = "utf-8",
    errors: str = "strict",
    cache: AnyPath | None = None,
    progress: Callable[[Progress], object] = lambda _: None,
    force: bool = False,
    init_from: AnyPath | None = None,
    **settings: Unpack[TrainingOptions],
) -> Model:
    """Train a model on texts, save it, and give it back.

    Args:
        paths: files and folders to train on.
        output: where the model goes.
        text: a text given directly; bytes with `as_bytes`.
        validation, encoding, errors, cache: see `Reading`.
        progress: called with each report.
        force: replace an existing output.
        init_from: a pretrained model to fine-tune.
        settings: see TrainingRequest (minutes, epochs, steps, layers, hidden, ...).

    Raises:
        TextError, OutputError, UsageError, ModelFileError, DivergedError: see `prepare` and `Run.run`.
    """
    from .training.run import prepare

    request = settings_of(TrainingRequest, settings)
    texts = [given_text("text", text, as_bytes=request.as_bytes)] if text is not None else []
    output, cache, init_from = given_path("output", output), _path("cache", cache), _path("init_from", init_from)
    return _finished(
        lambda: prepare(
            paths, output=output, texts=list(filter(None, texts)), request=request, validation=validation,
            encoding=encoding, errors=errors, cache=cache, force=force, init_from=init_from,
        ),
        progress,
    )  # fmt: skip


def resume(
    output: AnyPath,
    *,
    paths: AnyPath | Sequence[AnyPath] = (),
    validation: AnyPath | Sequence[AnyPath] = (),
    minutes: float | None = None,
    progress: Callable[[Progress], object] = lambda _: None,
) -> Model:
    """Go on with a training that was stopped, exactly where it stopped, and give its model.

    Args:
        output: the model that it writes.
        paths, validation: the texts, where they are neither where they were nor beside the model.
        minutes: a new budget for the whole run, the part already used included.
        progress: called with each report.

    Raises:
        ModelFileError, TextError, UsageError, OutputError, DivergedError: see `prepare` and `Run.run`.
    """
    from .training import run

    output = given_path("output", output)
    return _finished(lambda: run.resume(output, paths=paths, validation=validation, minutes=minutes), progress)


def _path(name: str, path: AnyPath | None) -> str | None:
    return None if path is None else given_path(name, path)


def _finished(prepare: Callable[[], Run], progress: Callable[[Progress], object]) -> Model:
    """Prepare a run, run it to its end, and load what it saved."""
    if not callable(progress):
        raise UsageError(f"progress is {progress!r:.40}; it must be a function of one report")
    run = prepare()
    for report in run.run():
        progress(report)
    return load(run.output)

"""What the processes of a run do that do not lead it: they read the same text, and take part in each step.

The leading process prepares a run as if it were alone, and hands it over when it begins: texts, settings, parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..config import ModelSettings, TrainingSettings
from ..data.batching import Batches, batches
from ..data.corpus import Corpus, Reading, read_corpus
from ..data.mapping import frequencies
from ..errors import CharlstmError, TextError, UsageError, counted
from .ranks import Ranks, Work
from .sources import Sources, check_unchanged, localized

if TYPE_CHECKING:
    from .learner import Learner

ONE_READER = "only one process can read standard input or a pipe; give several processes a file"


@dataclass(frozen=True)
class Task:
    """A run that is handed over; as JSON, but for the parameters."""

    reading: Reading
    """How to read the text, see `sources.portable`."""
    sources: Sources
    """What it is."""
    model: ModelSettings
    training: TrainingSettings
    device: str
    """The type of device."""
    threads: int
    """Of torch, in each process."""

    @staticmethod
    def from_json(values: dict[str, Any]) -> Task:
        """Rebuild from what `dataclasses.asdict` gave, after a trip through JSON."""
        made = {
            "reading": Reading.from_json(values["reading"]),
            "model": ModelSettings(**values["model"]),
            "training": TrainingSettings.from_json(values["training"]),
        }
        return Task(**{**values, **made})


def hand_over(task: Task, learner: Learner, ranks: Ranks) -> None:
    """Let the other processes make ready for a run, and give them the learner's parameters.

    Raises:
        UsageError: the batch is too small for so many processes, or the text can be read by one of them only.
        CharlstmError: one of them is not ready; the message says which, and why.
    """
    if ranks.size == 1:
        return
    if task.training.batch < ranks.size:
        raise UsageError(
            f"a batch of {counted(task.training.batch, 'stream')} is too small for {ranks.size} processes; start fewer "
            "of them, or give a new run a larger --batch"
        )
    if task.reading.piped:
        raise UsageError(ONE_READER)
    ranks.announce(Work.BEGIN)
    ranks.broadcast_object(dataclasses.asdict(task))
    _all_ready(ranks, "")
    learner.distribute()


def _all_ready(ranks: Ranks, problem: str) -> None:
    """Wait until all processes are ready to train.

    Raises:
        CharlstmError: one of them is not, in all of them.
    """
    for rank, found in enumerate(ranks.all_gather_object(problem)):
        if found:
            raise CharlstmError(f"rank {rank}: {found}")
    ranks.shorten_timeout()


def follow(ranks: Ranks, stop: Callable[[], bool] = lambda: False) -> None:
    """Take part in a run that another process leads, until it ends.

    Args:
        ranks: the processes.
        stop: asked after each step whether the run should end.

    Raises:
        CharlstmError: one of the processes was not ready, or ended.
    """
    if ranks.next_order().work is not Work.BEGIN:
        return
    task = Task.from_json(ranks.broadcast_object())
    problem, ready = "", None
    try:
        ready = _made_ready(task, ranks)
    except CharlstmError as error:
        problem = str(error)
    _all_ready(ranks, problem)
    if ready is not None:
        _take_part(*ready, ranks, stop)


def _made_ready(task: Task, ranks: Ranks) -> tuple[Learner, Batches]:
    from .hardware import pick_device
    from .learner import Learner
    from .mixing import count_for
    from .sampled_softmax import SampledSoftmax

    device = ranks.own_device(pick_device(task.device))
    corpus = _same_text(task)
    counts = count_for(task.training, corpus) if task.training.ngram_weight else None
    joint = counts.leave_one_out if counts else None
    softmax = SampledSoftmax.of(task.training, frequencies(corpus.training, len(corpus.vocabulary)))
    learner = Learner(
        task.model, task.training, device, counts=joint, ranks=ranks, threads=task.threads, sampled_softmax=softmax
    )
    return learner, batches(corpus, task.training, ranks.shard)


def _take_part(learner: Learner, own: Batches, ranks: Ranks, stop: Callable[[], bool]) -> None:
    """Do what is announced, until the end."""
    with learner.at_work():
        while (order := ranks.next_order()).work is not Work.END:
            if stop():
                ranks.ask_to_stop()
            if order.work is Work.TRAIN_STEP:
                learner.model.dropout = order.dropout
                learner.train_step(own[order.step], order.step, order.learning_rate)
            elif order.work is Work.DISTRIBUTE:
                learner.distribute()
            elif order.work is Work.GATHER_STATE:
                learner.gathered_state()


def _same_text(task: Task) -> Corpus:
    """The text, of which the part that is validated on is the leading process's alone.

    Raises:
        TextError: it is not there, or another one.
    """
    reading = localized(task.reading)
    if reading.validation:
        reading = dataclasses.replace(reading, validation=(), val_fraction=0.0)
    corpus = read_corpus(reading)
    try:
        check_unchanged(corpus.sources, [source for source in task.sources if "role" not in source])
    except TextError as error:
        raise TextError(f"another text than that of rank 0 ({error})") from error
    return corpus


def refuse_differences(ranks: Ranks, started_with: Mapping[str, Any]) -> None:
    """Compare how the processes were started.

    Args:
        ranks: the processes.
        started_with: what must be the same in all of them, by name; JSON.

    Raises:
        UsageError: something differs; in all of them.
    """
    first, *others = ranks.all_gather_object(dict(started_with))
    for rank, other in enumerate(others, 1):
        for name, value in first.items():
            if other.get(name) != value:
                raise UsageError(
                    f"rank {rank} was started {_in_words(name, other.get(name))}, and rank 0 {_in_words(name, value)}: "
                    "start all processes alike"
                )


def _in_words(name: str, value: Any) -> str:
    if value is None or value == []:
        return f"without {name}"
    return f"with {name} {' '.join(map(str, value)) if isinstance(value, list) else value}"

"""`charlstm train`: parse, prepare the run, show it, say how it ended."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from ..config import CELLS, NORMALIZATIONS, PRECISIONS, SPLITS, Budget, TrainingRequest, from_given
from ..errors import OutputError, UsageError, counted
from .console import say, write_path
from .launcher import compare_options, launched_ranks
from .options import DECODING, PATH, Command, decoding_options, refuse_typed, setting
from .process import (
    STARTED,
    StopSignals,
    outliving_the_reader,
    prepare_for_numpy,
    prepare_for_torch,
    start_torch_threads,
)
from .progress import follow
from .stdin import refuse_terminal, tell_of_named_pipes, telling, wait

LONGEST_REPORT = 1 << 16
"""Bytes of a line of a log, at most."""

if TYPE_CHECKING:
    from ..training.ranks import Ranks
    from ..training.run import Run


@click.command(cls=Command, short_help="train a model on texts")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("-o", "--output", type=PATH, help="the model's file (default: the first text's name, here)")
@click.option("--force", is_flag=True, help="replace an existing model or unfinished run")
@click.option("--resume", is_flag=True, help="go on with OUTPUT exactly where it stopped")
@click.option("--init-from", type=PATH, metavar="MODEL", help="fine-tune this pretrained model")
@setting(TrainingRequest, "minutes", "-m")
@setting(TrainingRequest, "epochs")
@setting(TrainingRequest, "steps")
@setting(TrainingRequest, "lines")
@setting(TrainingRequest, "as_bytes", flag="--bytes")
@setting(TrainingRequest, "layers")
@setting(TrainingRequest, "hidden")
@setting(TrainingRequest, "embedding")
@setting(TrainingRequest, "cell", type=click.Choice(CELLS))
@setting(TrainingRequest, "batch")
@setting(TrainingRequest, "context")
@setting(TrainingRequest, "learning_rate", "--lr")
@setting(TrainingRequest, "weight_decay")
@setting(TrainingRequest, "dropout")
@setting(TrainingRequest, "dropconnect")
@click.option("--val", "validation", type=PATH, multiple=True, help="a text to validate on (repeatable)")
@setting(TrainingRequest, "val_fraction")
@setting(TrainingRequest, "val_split", type=click.Choice(SPLITS))
@setting(TrainingRequest, "min_count")
@setting(TrainingRequest, "ngrams")
@setting(TrainingRequest, "seed")
@setting(TrainingRequest, "device", type=click.Choice(["auto", "cpu", "cuda", "mps"]))
@setting(TrainingRequest, "threads")
@setting(TrainingRequest, "precision", type=click.Choice(PRECISIONS))
@click.option("--log", type=PATH, help="append each report to this file, as JSON lines")
@click.option(
    "--sample-every",
    type=float,
    metavar="MINUTES",
    help="show a sample of what it writes so far, each time so many minutes have passed",
)
@click.option(
    "--plain", is_flag=True, help="plain lines instead of a live display; also where TERM=dumb, CI or ACCESSIBLE is set"
)
@click.option("-q", "--quiet", is_flag=True, help="no progress and no summary: notes, warnings and errors only")
@decoding_options
@setting(TrainingRequest, "normalize", type=click.Choice(NORMALIZATIONS))
@click.option(
    "--cache",
    type=PATH,
    metavar="DIR",
    help="keep what a text too large for memory is read into in this folder, for --resume and other runs "
    "(default: in the user's cache folder, removed when the run ends)",
)
def train(**given: Any) -> None:
    """Train a model on texts: files, folders, compressed files, or standard input.

    \b
      charlstm train book.txt --minutes 5
      cat *.txt | charlstm train -o all.safetensors
      charlstm train names.txt --lines
      charlstm sample "$(charlstm train poems.txt)"

    Everything that is not given is chosen from the text, this machine's speed and the budget. The model's path
    goes to standard output. Ctrl-C saves; --resume goes on (with --minutes: so many in all).
    """
    if given["sample_every"] is not None and not given["sample_every"] > 0:  # nan, too
        raise UsageError(f"sample-every is {given['sample_every']}; it must be more than 0")
    if given["sample_every"] is not None and given["quiet"]:
        raise UsageError("--quiet and --sample-every contradict each other: give one of them")
    _check_current_folder()
    if given["log"] is not None:
        _check_log(given["log"])
    prepare_for_numpy()
    prepare_for_torch()
    start_torch_threads(given["threads"])
    with outliving_the_reader(), launched_ranks() as ranks:
        if ranks.size > 1:
            compare_options(ranks, given)
        if ranks.leads:
            _lead(ranks, given)
        else:
            _follow(ranks)


def _lead(ranks: Ranks, given: dict[str, Any]) -> None:
    """The run, in the process that leads it; most often there is no other."""
    run = _prepared(given, ranks)
    with _opened_log(given["log"], [*run.files(), *([given["init_from"]] if given["init_from"] else [])]) as log:
        for note in run.corpus.notes:
            say(note)
        if not given["quiet"]:
            for reason in run.plan.reasons:
                say(reason)
            if ranks.size > 1:
                say(f"{ranks.size} processes share each batch")
        _train(run, given["sample_every"] or math.inf, log, quiet=given["quiet"], plain=given["plain"])
    if sys.stdout is not None:  # without one the model is there all the same
        write_path(run.output)


def _follow(ranks: Ranks) -> None:
    """The part of another process in the run."""
    from ..training.following import follow

    with StopSignals(announced=False) as stopping:
        follow(ranks, lambda: stopping.received is not None)


def _prepared(given: dict[str, Any], ranks: Ranks) -> Run:
    """The run that the options describe."""
    from ..data.files import status_of
    from ..data.streams import STANDARD_INPUT
    from ..training.following import ONE_READER
    from ..training.outputs import default_output, refuse_if_locked
    from ..training.run import prepare

    texts = given["texts"] or ("-",)
    output = default_output(texts[0]) if given["output"] is None else given["output"]
    refuse_if_locked(output)
    if given["resume"]:
        return _going_on(output, given, ranks)
    if STANDARD_INPUT in texts and ranks.size > 1:
        raise UsageError(ONE_READER)
    if given["as_bytes"]:
        refuse_typed([*DECODING, "min_count"], "--bytes reads texts as they are, all 256 bytes are known")
    refuse_terminal(texts)
    tell_of_named_pipes("a text")
    waited = wait("a text", (*texts, *given["validation"]))
    for text in texts:  # before the output, whose name may come from a text's
        if text != STANDARD_INPUT:
            status_of(text)
    named = given["output"] is None and texts[0] != STANDARD_INPUT
    if named and os.path.exists(output) and os.path.samefile(output, texts[0]):
        raise OutputError(f"{output}: this is the text, and its model would have the same name; give another --output")
    return prepare(
        texts,
        output=output,
        request=from_given(TrainingRequest, given),
        validation=given["validation"],
        force=given["force"],
        encoding=given["encoding"],
        errors=given["encoding_errors"],
        cache=given["cache"],
        started=STARTED + waited,
        init_from=given["init_from"],
        ranks=ranks,
    )


def _going_on(output: str, given: dict[str, Any], ranks: Ranks) -> Run:
    """The run that stopped, where it stopped."""
    from ..training.checkpoint import saved_reading
    from ..training.run import resume

    _refuse_retyped()
    if given["minutes"] is not None:
        Budget("minutes", given["minutes"])  # what was typed wrong is said before what is missing
    texts = given["texts"] if given["output"] is not None else ()  # else the first one names the output
    validation = given["validation"]
    read = saved_reading(output)
    tell_of_named_pipes("the text of the run")
    waited = wait("the text of the run", (*(texts or read.paths), *(validation or read.validation)))
    return resume(
        output,
        paths=texts,
        validation=validation,
        cache=given["cache"],
        minutes=given["minutes"],
        started=STARTED + waited,
        ranks=ranks,
    )


def _refuse_retyped() -> None:
    """Resuming takes everything from the run that stopped; what was typed again would not be heeded."""
    heeded = {"texts", "validation", "output", "cache", "resume", "minutes", "log", "plain", "quiet", "sample_every"}
    names = {str(parameter.name) for parameter in click.get_current_context().command.params}
    refuse_typed(names - heeded, "--resume goes on with the texts and settings of the run that stopped")


def _check_current_folder() -> None:
    """Find out whether there is one: without, libraries of torch cannot be loaded, and end the process.

    Raises:
        OutputError: it was removed.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise OutputError("the folder that you are in is no longer there; go to another") from error


def _check_log(path: str) -> None:
    """Find out whether the log can be written, before a text is read for long; nothing is left behind.

    Raises:
        OutputError: it cannot, or something else has that name.
        UsageError: it would be standard output.
    """
    if path in ("", "-"):
        raise UsageError("--log needs a file: give it a name")
    there = os.path.exists(path)
    with _log_errors_named(path):
        if there and not os.path.isfile(path) and not os.path.isdir(path):  # a pipe has one reader, which is for later
            return
        with open(path, "a+b") as stream:
            stream.seek(0)
            _check_begins_as_a_log(path, stream.readline(LONGEST_REPORT))
        if not there:
            os.unlink(os.path.realpath(path))


def _check_begins_as_a_log(path: str, line: bytes) -> None:
    """Whatever is no log is left as it is: lines of JSON at its end would be its ruin."""
    try:
        is_log = not line or isinstance(json.loads(line), dict)
    except ValueError:
        is_log = False
    if not is_log:
        raise OutputError(f"{path}: exists and is no log; give --log another name")


@contextlib.contextmanager
def _log_errors_named(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: cannot write the log: {error.strerror or error}; give --log another name"
        ) from error


@contextlib.contextmanager
def _opened_log(path: str | None, others: Iterable[str | os.PathLike[str]]) -> Iterator[IO[str] | None]:
    """The log, if there is to be one, closed in the end; see `_open_log`."""
    if path is None:
        yield None
        return
    log = _open_log(path, others)
    try:
        yield log
    finally:
        with contextlib.suppress(OSError):  # `follow` has said that it cannot be written
            log.close()


def _open_log(path: str, others: Iterable[str | os.PathLike[str]]) -> IO[str]:
    """The log, opened before training begins; it may not be one of the run's other files, nor in a text folder.

    Raises:
        OutputError: it cannot be opened.
        UsageError: it is one of the others, or stands in one.
    """
    folder = Path(os.path.realpath(path)).parent
    with _log_errors_named(path):
        if any(
            os.path.realpath(path) == os.path.realpath(other)
            or (os.path.exists(other) and os.path.exists(path) and os.path.samefile(path, other))
            or (os.path.isdir(other) and folder.is_relative_to(os.path.realpath(other)))
            for other in others
        ):
            raise UsageError(f"{path}: --log would write into one of the run's own files; give it another name")
        with telling(f"waiting for a reader of {path}", path):
            log = open(path, "a", encoding="utf-8")
        if _ends_within_a_line(path):  # a run that was killed, or a full disk
            log.write("\n")
        return log


def _ends_within_a_line(path: str) -> bool:
    if not os.path.isfile(path) or not os.path.getsize(path):
        return False
    with open(path, "rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read() != b"\n"


def _train(run: Run, sample_every: float, log: IO[str] | None, *, quiet: bool, plain: bool) -> None:
    with StopSignals() as stopping:
        reports = run.run(lambda: stopping.received is not None or run.ranks.asked_to_stop, sample_every)
        as_bytes = run.request.as_bytes
        follow(reports, log, quiet=quiet, plain=plain, unit="byte" if as_bytes else "char")
        if not run.finished:
            for way in run.ways_on():
                say(way, wrapped=False)
            sys.exit(128 + (stopping.received or signal.SIGTERM))
    if not quiet:
        _say_result(run.result, "byte" if as_bytes else "character")


def _say_result(result: dict[str, Any], unit: str) -> None:
    bits = result.get("val_bits_per_char")
    if bits is None:
        return
    held_out = _held_out_in_words(result.get("held_out") or "", result.get("val_characters"), unit)
    what = f" on held-out text ({held_out})" if held_out else ""
    say(f"validation: {bits:.4f} bits per {unit}{what}, after {result['seconds']:.0f} s")
    if result.get("pretrained_kept"):
        say(
            "warning: nothing was better on the held-out text than the pretrained model with its own counts: it is kept"
        )


def _held_out_in_words(held_out: str, characters: int | None, unit: str) -> str:
    """What a figure is of: the held-out text or, where it is too long to be scored whole, so many characters of it."""
    if characters is None:
        return held_out
    count = counted(characters, unit)
    if f" {count} " in f" {held_out} ":
        return held_out
    if not held_out:
        return count
    if re.match(rf"[\d,]+ {unit}s in ", held_out):
        return f"{characters:,} of {held_out}"
    return f"{count} of {held_out}"

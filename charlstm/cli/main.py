"""The command line: parse, one library call, echo.

Data goes to standard output, everything else to standard error. Heavy imports stand inside the commands, so that
help and wrong usage are instant.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from .. import __version__
from ..config import CELLS, SampleSettings, TrainingRequest, from_given
from ..errors import CharlstmError, OutputError, TextError, UsageError
from .console import say, visible, write, write_path, write_raw
from .process import (
    StopSignals,
    end_with_the_reader,
    limit_blas_threads,
    open_standard_streams,
    outliving_the_reader,
    prepare_for_torch,
)
from .progress import follow

if TYPE_CHECKING:
    from ..api import Model
    from ..inference.scoring import Score
    from ..training.run import Run

STARTED = time.monotonic()
"""When the user began to wait, as nearly as the program can tell."""

_F = TypeVar("_F", bound=Callable[..., Any])


# --------------------------------------------------------------------------------- shared pieces


def _setting(kind: type, name: str, *flags: str, **extra: Any) -> Callable[[_F], _F]:
    """An option for a field of a settings class: its help, type and default come from the field."""
    field = next(f for f in dataclasses.fields(kind) if f.name == name)
    flag = f"--{name.replace('_', '-')}"
    declared = str(field.type)
    options: dict[str, Any] = {"help": field.metadata["help"], "default": field.default}
    if declared.startswith("bool"):
        options["is_flag"] = True
    elif declared.startswith(("int", "float")):
        options["type"] = int if declared.startswith("int") else float
    options["show_default"] = field.default is not None and field.default is not False and field.default != ()
    return click.option(*flags, flag, name, **{**options, **extra})


def _reading_options(command: _F) -> _F:
    """How bytes become text."""
    command = click.option(
        "--encoding", default="utf-8", show_default=True, help="encoding of the text, such as latin-1"
    )(command)
    return click.option(
        "--encoding-errors",
        type=click.Choice(["strict", "replace"]),
        default="strict",
        show_default=True,
        help="what to do with bytes that do not decode",
    )(command)


def _device_option(command: _F) -> _F:
    """Where to compute what needs no training."""
    return click.option(
        "--device",
        type=click.Choice(["cpu", "cuda", "mps"]),
        default="cpu",
        show_default=True,
        help="where to compute; all but cpu start about a second later",
    )(command)


# ------------------------------------------------------------------------------------- commands


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="charlstm")
def cli() -> None:
    """Learn to write like a text.

    \b
      charlstm train book.txt                       # ten minutes later: book.safetensors
      echo 'Once upon' | charlstm sample book.safetensors
      charlstm eval book.safetensors < other.txt    # how well does it predict this?
    """


@cli.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("-o", "--output", type=click.Path(), help="the model's file (default: the first text's name, here)")
@click.option("--force", is_flag=True, help="replace an existing model or unfinished run")
@click.option("--resume", is_flag=True, help="go on with OUTPUT exactly where it stopped")
@click.option("--init-from", type=click.Path(), metavar="MODEL", help="start from another model's weights")
@_setting(TrainingRequest, "minutes", "-m")
@_setting(TrainingRequest, "epochs")
@_setting(TrainingRequest, "steps")
@_setting(TrainingRequest, "lines")
@_setting(TrainingRequest, "layers")
@_setting(TrainingRequest, "hidden")
@_setting(TrainingRequest, "embedding")
@_setting(TrainingRequest, "cell", type=click.Choice(CELLS))
@_setting(TrainingRequest, "batch")
@_setting(TrainingRequest, "context")
@_setting(TrainingRequest, "learning_rate", "--lr")
@_setting(TrainingRequest, "weight_decay")
@_setting(TrainingRequest, "dropout")
@_setting(TrainingRequest, "dropconnect")
@click.option("--val", "validation", type=click.Path(), multiple=True, help="a text to validate on (repeatable)")
@_setting(TrainingRequest, "val_fraction")
@_setting(TrainingRequest, "min_count")
@_setting(TrainingRequest, "seed")
@_setting(TrainingRequest, "device", type=click.Choice(["auto", "cpu", "cuda", "mps"]))
@_setting(TrainingRequest, "threads")
@_setting(TrainingRequest, "precision", type=click.Choice(["auto", "float32", "bfloat16"]))
@click.option("--log", type=click.Path(), help="append each report to this file, as JSON lines")
@click.option(
    "--sample-every",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="show what it writes so far, again and again",
)
@click.option("-q", "--quiet", is_flag=True, help="warnings and errors only")
@_reading_options
def train(**given: Any) -> None:
    """Learn from texts: files, folders, compressed files, or standard input.

    \b
      charlstm train book.txt --minutes 5
      cat *.txt | charlstm train -o all.safetensors
      charlstm train names.txt --lines
      charlstm sample "$(charlstm train poems.txt)"

    Everything that is not given is chosen from the text, this machine's speed and the budget. The model's path
    goes to standard output. Ctrl-C saves; --resume goes on (with --minutes: so many in all).
    """
    limit_blas_threads()
    prepare_for_torch()
    with outliving_the_reader():
        run = _run_of(given)
        log = _open_log(given["log"], [*run.files(), *([given["init_from"]] if given["init_from"] else [])])
        for note in run.corpus.notes:
            say(note)
        if not given["quiet"]:
            for reason in run.plan.reasons:
                say(reason)
        _train(run, log, given["quiet"], given["sample_every"] or math.inf)
    if sys.stdout is not None:  # without one the model is there all the same
        write_path(run.output)


def _run_of(given: dict[str, Any]) -> Run:
    """The run that the options describe."""
    from ..training.run import prepare, resume

    texts = given["texts"] or ("-",)
    output = _default_output(texts[0]) if given["output"] is None else given["output"]
    if given["resume"]:
        _refuse_retyped()
        return resume(output, minutes=given["minutes"], started=STARTED)
    _refuse_terminal_input(texts)
    return prepare(
        texts,
        output=output,
        request=from_given(TrainingRequest, given),
        validation=given["validation"],
        force=given["force"],
        encoding=given["encoding"],
        errors=given["encoding_errors"],
        started=STARTED,
        init_from=given["init_from"],
    )


def _refuse_retyped() -> None:
    """Resuming takes everything from the run that stopped; what was typed again would not be heeded."""
    context = click.get_current_context()
    heeded = {"output", "resume", "minutes", "log", "quiet", "sample_every"}
    if context.params["output"] is None:
        heeded.add("texts")  # the first one names the output
    typed = click.core.ParameterSource.COMMANDLINE
    for parameter in context.command.params:
        name = str(parameter.name)
        if name not in heeded and context.get_parameter_source(name) is typed:
            flag = "TEXT" if name == "texts" else max(parameter.opts, key=len)
            raise UsageError(f"--resume goes on with the texts and settings of the run that stopped; leave out {flag}")


def _open_log(path: str | None, others: Iterable[str | os.PathLike[str]]) -> IO[str] | None:
    """The log, opened before training begins; it may not be one of the run's other files, nor in a text folder."""
    if path is None:
        return None
    folder = Path(os.path.realpath(path)).parent
    try:
        if any(
            os.path.realpath(path) == os.path.realpath(other)
            or (os.path.exists(other) and os.path.exists(path) and os.path.samefile(path, other))
            or (os.path.isdir(other) and folder.is_relative_to(os.path.realpath(other)))
            for other in others
        ):
            raise UsageError(f"{path}: --log would write into one of the run's own files; give it another name")
        return open(path, "a", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot write the log: {error.strerror}") from error


def _default_output(text: str) -> str:
    """The first text's name without its endings (a folder's has none); for standard input and other pipes "model"."""
    if text == "-" or (os.path.exists(text) and not os.path.isfile(text) and not os.path.isdir(text)):
        return "model.safetensors"
    name = os.path.basename(os.path.realpath(text))
    if os.path.isdir(text):
        return f"{name}.safetensors"
    for ending in (".gz", ".bz2", ".xz"):
        name = name.removesuffix(ending)
    return f"{Path(name).stem}.safetensors"


def _refuse_terminal_input(texts: Iterable[str]) -> None:
    """Waiting in silence for someone to type a corpus helps nobody."""
    if "-" in texts and sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty():
        command = click.get_current_context().info_name
        raise UsageError(f"no text: name a file or folder, or pipe a text in; see charlstm {command} --help")


def _train(run: Run, log: IO[str] | None, quiet: bool, sample_every: float) -> None:
    with StopSignals() as stopping:
        follow(run.run(lambda: stopping.received is not None, sample_every), log, quiet)
        if stopping.received and not run.finished:
            command = f"charlstm train --resume -o {shlex.quote(str(run.output))}"
            say(f"stopped and saved; go on with: {command}", wrapped=False)
            sys.exit(128 + stopping.received)
        bits = run.result.get("val_bits_per_char")
        if bits is not None and not quiet:
            count = f" over {run.result['val_characters']:,} characters" if "val_characters" in run.result else ""
            say(f"validation: {bits:.4f} bits per character{count}, after {run.result['seconds']:.0f} s")


def _as_utf8(_context: object, _parameter: object, value: Any) -> Any:
    """Arguments as UTF-8 whatever the locale: undo how Python decoded them."""
    if isinstance(value, tuple):
        return tuple(_as_utf8(None, None, entry) for entry in value)
    try:
        return None if value is None else os.fsencode(value).decode("utf-8")
    except UnicodeError as error:
        raise UsageError(f"{value!r} is not UTF-8") from error


@cli.command()
@click.argument("model", type=click.Path())
@click.argument("prompt", required=False, callback=_as_utf8)
@_setting(SampleSettings, "length", "-n")
@_setting(SampleSettings, "temperature", "-t")
@_setting(SampleSettings, "top_k")
@_setting(SampleSettings, "top_p")
@_setting(SampleSettings, "min_p")
@_setting(SampleSettings, "count", "-c")
@_setting(SampleSettings, "seed")
@_setting(SampleSettings, "stop", multiple=True, callback=_as_utf8)
@click.option("--no-echo", is_flag=True, help="write the continuation only, not the prompt")
@click.option("--lines", is_flag=True, help="every line of standard input is a prompt")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: prompt, text, seed, sample")
@_device_option
@_reading_options
def sample(
    model: str,
    prompt: str | None,
    no_echo: bool,
    lines: bool,
    as_json: bool,
    device: str,
    encoding: str,
    encoding_errors: str,
    **given: Any,
) -> None:
    """Continue PROMPT, or standard input (also where PROMPT is "-").

    \b
      charlstm sample book.safetensors 'Once upon' -n 200
      printf 'ROMEO:' | charlstm sample plays.safetensors --temperature 0.5
      charlstm sample names.safetensors --count 20

    Characters appear as they are made (with --count, --lines or --json: whole samples). Temperature comes
    first, then top-k, top-p, min-p. A stop text is written, then the sample ends; a model of lines ends a sample
    with its line.
    """
    threads = limit_blas_threads()
    if device != "cpu":
        prepare_for_torch()
    from ..api import load
    from ..inference.sampling import choose_seed

    if lines and prompt is not None:
        raise UsageError("--lines reads its prompts from standard input; leave PROMPT out")
    settings = from_given(SampleSettings, given)
    settings = dataclasses.replace(settings, seed=choose_seed(settings))
    loaded = load(model, device, threads)
    prompts = _prompts(prompt, lines, (encoding, encoding_errors))
    _warn_of_unknown(loaded, prompts, settings.stop)
    if as_json:
        _sample_json(loaded, prompts, settings)
    elif settings.count == 1 and not lines:
        _sample_streaming(loaded, prompts[0], settings, no_echo)
    else:
        _sample_many(loaded, prompts, settings, no_echo)


def _prompts(prompt: str | None, lines: bool, reading: tuple[str, str]) -> list[str]:
    if prompt is not None and prompt != "-":
        return [prompt]
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return [""]
    from ..data.reading import STANDARD_INPUT, read_pieces

    text = "".join(read_pieces([STANDARD_INPUT], *reading, note=say))
    if lines and not text:
        return []
    text = text.removesuffix("\n")
    return text.split("\n") if lines else [text]


def _warn_of_unknown(model: Model, prompts: Iterable[str], stops: Iterable[str]) -> None:
    from ..data.vocabulary import listed

    for where, texts in (("the prompt", prompts), ("--stop, which it cannot write", stops)):
        unknown = model.vocabulary.unknown_characters("".join(texts))
        if unknown:
            say(f"warning: the model never saw these characters of {where}: {listed(unknown)}")


def _sample_streaming(model: Model, prompt: str, settings: SampleSettings, no_echo: bool) -> None:
    if not no_echo:
        write(prompt)
    last = prompt[-1:]
    for character in model.stream(prompt, settings):
        write(character)
        last = character
    if sys.stdout is not None and sys.stdout.isatty() and last != "\n":
        write("\n")


def _sampled(model: Model, prompts: list[str], settings: SampleSettings) -> Iterator[tuple[str, str]]:
    """Each sample's prompt and text, in order."""
    repeated = (prompt for prompt in prompts for _ in range(settings.count))
    return zip(repeated, model.samples(prompts, settings), strict=True)


def _sample_many(model: Model, prompts: list[str], settings: SampleSettings, no_echo: bool) -> None:
    """Whole samples; each ends its line, so that they can be told apart."""
    for prompt, text in _sampled(model, prompts, settings):
        shown = text if no_echo else prompt + text
        write(shown if shown.endswith("\n") else shown + "\n")


def _sample_json(model: Model, prompts: list[str], settings: SampleSettings) -> None:
    for number, (prompt, text) in enumerate(_sampled(model, prompts, settings)):
        record = {"prompt": prompt, "text": text, "seed": settings.seed, "sample": number}
        write(json.dumps(record) + "\n")


@cli.command("eval")
@click.argument("model", type=click.Path())
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines")
@click.option("--lines", is_flag=True, help="BITS<tab>LINE for every line, each scored alone, with its newline")
@click.option("--chars", is_flag=True, help="BITS<tab>CHARACTER for every character, as a JSON string")
@click.option("--heatmap", is_flag=True, help="the text, coloured from white (expected) to red (8 bits or more)")
@click.option(
    "--against",
    multiple=True,
    metavar="MODEL",
    help="compare with this model, in bits per byte (repeatable); with --lines: BEST<tab>BITS<tab>LINE",
)
@click.option("--dynamic", is_flag=True, help="also score with a copy that learns from what it has read (loads torch)")
@_device_option
@_reading_options
def evaluate(
    model: str,
    texts: tuple[str, ...],
    as_json: bool,
    lines: bool,
    chars: bool,
    heatmap: bool,
    against: tuple[str, ...],
    dynamic: bool,
    device: str,
    encoding: str,
    encoding_errors: str,
) -> None:
    """Say how well MODEL predicts a text: files, folders, or standard input.

    \b
      charlstm eval book.safetensors other.txt
      charlstm eval mails.safetensors --lines < mails.txt | sort -rn | head
      charlstm eval english.safetensors --against dutch.safetensors letter.txt

    Fewer bits per character are better; perplexity is 2 to their power.
    """
    threads = limit_blas_threads()
    if dynamic or device != "cpu":
        prepare_for_torch()
    from ..api import load
    from ..data.reading import read_pieces

    if lines + chars + heatmap > 1:
        raise UsageError("--lines, --chars and --heatmap contradict each other: give one of them")
    if heatmap and as_json:
        raise UsageError("--heatmap draws; for figures give --chars --json")
    if len({os.path.realpath(path) for path in (model, *against)}) <= len(against):
        raise UsageError("--against names a model twice")
    if against and (chars or heatmap):
        raise UsageError("--against compares whole texts or --lines; leave out --chars and --heatmap")
    if dynamic and (lines or chars or heatmap or against):
        raise UsageError("--dynamic scores one whole text; leave out --lines, --chars, --heatmap and --against")
    sources = texts or ("-",)
    _refuse_terminal_input(sources)
    models = [load(path, device, threads) for path in (model, *against)]
    if dynamic and models[0].lines:
        raise UsageError("--dynamic reads one running text, and this model learnt lines; leave it out")
    records = lines or any(one.lines for one in models)
    pieces = read_pieces(sources, encoding, encoding_errors, say, end_lines=records)
    if lines:
        _eval_lines(models, (model, *against), pieces, as_json)
    elif chars:
        _eval_chars(models[0], pieces, as_json)
    elif heatmap:
        _eval_heatmap(models[0], pieces)
    elif against:
        _eval_against(models, (model, *against), pieces, as_json)
    else:
        _eval_text(models[0], pieces, as_json, device if dynamic else None)


def _eval_text(model: Model, pieces: Iterable[str], as_json: bool, dynamic: str | None) -> None:
    """The figures; with the name of a device, those of dynamic evaluation after them."""
    from ..inference.scoring import side_by_side_scores

    adapting = [functools.partial(model.dynamic_scores, device=dynamic)] if dynamic else []
    score, *adapted = side_by_side_scores(pieces, [model.partial_scores, *adapting])
    figures: dict[str, Any] = _not_empty(score).figures()
    for one in adapted:
        figures |= {f"dynamic_{name}": value for name, value in one.figures().items() if "per" in name}
    if as_json:
        write(json.dumps(figures) + "\n")
        return
    for name, value in figures.items():
        write(f"{name} {value:.6g}\n" if isinstance(value, float) else f"{name} {value}\n")


def _not_empty(score: Score) -> Score:
    if not score.characters:
        raise TextError("the text is empty: there is nothing to score")
    return score


def _eval_lines(models: list[Model], names: tuple[str, ...], pieces: Iterable[str], as_json: bool) -> None:
    from ..data.reading import lines_of

    for lines in lines_of(pieces):
        by_model = [model.scorer.score_lines(lines) for model in models]
        output = []
        for line, scores in zip(lines, zip(*by_model, strict=True), strict=True):
            best = min(range(len(models)), key=lambda number: scores[number].bits_per_byte)
            text = line.removesuffix("\n")
            if as_json:
                record = {"line": text, **scores[best].figures()}
                if len(models) > 1:
                    compared = {name: score.bits_per_byte for name, score in zip(names, scores, strict=True)}
                    record = {"best": names[best], **record, "models": compared}
                output.append(json.dumps(record))
            else:
                which = f"{names[best]}\t" if len(models) > 1 else ""
                output.append(f"{which}{scores[best].bits_per_char:.4f}\t{text}")
        write("\n".join(output) + "\n")


def _scored_pieces(model: Model, pieces: Iterable[str]) -> Iterator[tuple[str, list[float]]]:
    """Pieces of text with the bits of each of their characters."""
    from ..data.reading import lines_of
    from ..inference.scoring import LN2

    if model.lines:  # each line is a text of its own, as in every other figure
        for lines in lines_of(pieces):
            for line, scored in zip(
                lines, model.scorer.records(list(map(model.vocabulary.encode, lines))), strict=True
            ):
                yield line, (scored / LN2).tolist()
        return
    texts: list[str] = []

    def remembered() -> Iterator[Any]:
        for piece in pieces:
            texts.append(piece)
            yield model.vocabulary.encode(piece)

    rest = ""
    for nats in model.scorer.surprisals(remembered()):
        rest += "".join(texts)
        texts.clear()
        yield rest[: len(nats)], (nats / LN2).tolist()
        rest = rest[len(nats) :]


def _eval_chars(model: Model, pieces: Iterable[str], as_json: bool) -> None:
    for text, bits in _scored_pieces(model, pieces):
        rows = []
        for character, cost in zip(text, bits, strict=True):
            shown = json.dumps(character, ensure_ascii=False)
            rows.append(json.dumps({"char": character, "bits": cost}) if as_json else f"{cost:.4f}\t{shown}")
        write("\n".join(rows) + "\n")


def _eval_heatmap(model: Model, pieces: Iterable[str]) -> None:
    from .terminal import heatmap

    shown = ((visible(text), bits) for text, bits in _scored_pieces(model, pieces))
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        say("NO_COLOR is set or the terminal has no colours, so here is the text alone")
        for text, _ in shown:
            write_raw(text)
        return
    for piece in heatmap(shown, fine=os.environ.get("COLORTERM") in ("truecolor", "24bit")):
        write_raw(piece)


def _eval_against(models: list[Model], names: tuple[str, ...], pieces: Iterable[str], as_json: bool) -> None:
    from ..inference.scoring import side_by_side_scores

    scores = [_not_empty(score) for score in side_by_side_scores(pieces, [model.partial_scores for model in models])]
    best = min(range(len(models)), key=lambda number: scores[number].bits_per_byte)
    if as_json:
        table = {name: score.figures() for name, score in zip(names, scores, strict=True)}
        write(json.dumps({"models": table, "best": names[best]}) + "\n")
        return
    for name, score in zip(names, scores, strict=True):
        write(f"{score.bits_per_byte:.6g} {name}\n")
    write(f"best {names[best]}\n")


@cli.command()
@click.argument("model", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="everything, as JSON")
def info(model: str, as_json: bool) -> None:
    """Say what is in a model file.

    \b
      charlstm info book.safetensors
      charlstm info book.safetensors --json | jq .result.curve
    """
    from ..models import file as modelfile

    file = modelfile.load(model)
    if as_json:
        write(json.dumps(file.description()) + "\n")
        return
    settings = file.settings
    rows = {
        "cell": settings.cell,
        "layers": settings.layers,
        "hidden": settings.hidden,
        "embedding": settings.embedding,
        "weights": settings.parameters(),
        "characters": json.dumps("".join(file.vocabulary.characters), ensure_ascii=False),
        "lines": str(file.lines).lower(),
        **{f"trained_on.{n}": _one_line(source) for n, source in enumerate(file.trained_on)},
        **{f"training.{key}": _one_line(value) for key, value in file.training.items()},
        **{f"result.{key}": _one_line(value) for key, value in file.result.items() if key != "curve"},
    }
    for name, value in rows.items():
        write(visible(f"{name} {value}").replace("\n", "\u240a").replace("\t", "\u2409") + "\n")
    _draw_curve(file.result.get("curve"))


def _one_line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {entry}" for key, entry in value.items())
    return str(value)


def _draw_curve(curve: Any) -> None:
    values = [entry["val"] for entry in curve if _is_point(entry)] if isinstance(curve, list) else []
    if values and sys.stdout.isatty():
        from .terminal import sparkline

        write(f"curve {sparkline(values)}  {values[0]:.3f} -> {values[-1]:.3f} bits per character\n")


def _is_point(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("val"), float) and math.isfinite(entry["val"])


# ---------------------------------------------------------------------------------------- main


def main() -> None:
    """Run the command line; turn every error into one line and an exit status."""
    open_standard_streams()
    end_with_the_reader()
    try:
        status = cli.main(standalone_mode=False)
    except CharlstmError as error:
        say(f"error: {error}")
        status = error.exit_status
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        os._exit(130)  # at once: what is left to be flushed would wait for a reader that may not read on
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    except (MemoryError, RuntimeError) as error:  # torch raises the latter
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        say("error: there is not enough memory; give a smaller --hidden, --batch or --context, or a shorter text")
        status = 1
    except OSError as error:  # what reads and writes files names them; what is left is mostly standard output
        say(f"error: {error.filename or 'standard output'}: {error.strerror or error}")
        status = 1
    sys.exit(status if isinstance(status, int) else 0)

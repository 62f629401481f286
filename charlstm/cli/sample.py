"""`charlstm sample`: parse, read the prompts, write what the model writes."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ..config import SampleSettings, from_given
from ..errors import UsageError
from .console import say, write
from .options import Command, as_utf8, device_option, reading_options, setting
from .process import limit_blas_threads, prepare_for_torch
from .stdin import is_absent

if TYPE_CHECKING:
    from ..api import Model


class SampleCommand(Command):
    """A prompt may begin with a dash."""

    dash_hint = "for a prompt that begins with a dash, write -- before it"


@click.command(cls=SampleCommand)
@click.argument("model", type=click.Path())
@click.argument("prompt", required=False, callback=as_utf8)
@setting(SampleSettings, "length", "-n")
@setting(SampleSettings, "temperature", "-t")
@setting(SampleSettings, "top_k")
@setting(SampleSettings, "top_p")
@setting(SampleSettings, "min_p")
@setting(SampleSettings, "count", "-c")
@setting(SampleSettings, "seed")
@setting(SampleSettings, "stop", multiple=True, callback=as_utf8)
@click.option("--no-echo", is_flag=True, help="write the continuation only, not the prompt")
@click.option("--lines", is_flag=True, help="every line of standard input is a prompt")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: prompt, text, seed, sample")
@device_option
@reading_options
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
    if is_absent():
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

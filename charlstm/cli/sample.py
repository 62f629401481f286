"""`charlstm sample`: parse, read the prompts, write what the model writes."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ..config import SampleSettings, from_given
from ..data.given import as_given, given_text
from ..data.raw import escaped, readable
from ..errors import UsageError
from .console import end_line, say, strict_json, write, writer
from .escapes import typed_escape, unescape
from .options import PATH, Command, device_option, reading_options, refuse_decoding, setting, typed_text
from .process import prepare_for_numpy, prepare_for_torch, shared_threads, start_torch_threads
from .stdin import is_absent, wait
from .unknown import UnknownCharacters

if TYPE_CHECKING:
    from ..api import Model


class SampleCommand(Command):
    """A command whose argument, the prompt, may begin with a dash."""

    dash_hint = "for a prompt that begins with a dash, write -- before it"


@click.command(cls=SampleCommand, short_help="continue a prompt")
@click.argument("model", type=PATH)
@click.argument("prompt", required=False)
@setting(SampleSettings, "length", "-n")
@setting(SampleSettings, "temperature", "-t")
@setting(SampleSettings, "top_k")
@setting(SampleSettings, "top_p")
@setting(SampleSettings, "min_p")
@setting(SampleSettings, "count", "-c")
@setting(SampleSettings, "seed")
@setting(SampleSettings, "stop", multiple=True)
@click.option("-e", "--escapes", is_flag=True, help=r"read \n, \t, \\, \u00e9 and so on in prompts and --stop")
@click.option("--no-echo", is_flag=True, help="write the continuation only, not the prompt")
@click.option("--lines", is_flag=True, help="every line of standard input is a prompt")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: prompt, text, seed, sample")
@device_option
@reading_options
def sample(model: str, prompt: str | None, **given: Any) -> None:
    """Continue PROMPT, or standard input (also where PROMPT is "-").

    \b
      charlstm sample book.safetensors 'Once upon' -n 200
      printf 'ROMEO:' | charlstm sample plays.safetensors --temperature 0.5
      charlstm sample names.safetensors --count 20

    Characters appear as they are made (with --count, --lines or --json: whole samples). Temperature comes
    first, then top-k, top-p, min-p. A stop text is written, then the sample ends; a model of lines ends a sample
    with its line.
    """
    prepare_for_numpy()
    if given["device"] != "cpu":
        prepare_for_torch()
        start_torch_threads(None)
    from ..api import load

    if given["lines"] and prompt is not None:
        raise UsageError("--lines reads its prompts from standard input; leave PROMPT out")
    settings = _settings(given)
    loaded = load(model, given["device"], shared_threads())
    if loaded.as_bytes:
        refuse_decoding()
        given["encoding"] = None
    stops = _normalized(_typed(given["stop"], given, as_bytes=loaded.as_bytes), given)
    prompts = _prompts(prompt, given, as_bytes=loaded.as_bytes)
    _warn(loaded, prompts, stops, typed=prompt not in (None, "-"), escapes=given["escapes"])
    settings = dataclasses.replace(settings, stop=tuple(as_given(stop, as_bytes=loaded.as_bytes) for stop in stops))
    if given["as_json"]:
        _sample_json(loaded, prompts, settings)
    elif settings.count == 1 and not given["lines"]:
        _sample_streaming(loaded, prompts[0], settings, given["no_echo"])
    else:
        _sample_many(loaded, prompts, settings, given["no_echo"])


def _settings(given: dict[str, Any]) -> SampleSettings:
    from ..inference.sampling import choose_seed

    settings = from_given(SampleSettings, given)
    return dataclasses.replace(settings, seed=choose_seed(settings))


def _typed(arguments: Iterable[str], given: dict[str, Any], *, as_bytes: bool) -> list[str]:
    """Arguments as the model reads them; those of a model of bytes as in `data.raw`."""
    return _unescaped([typed_text(argument, as_bytes=as_bytes) for argument in arguments], given, as_bytes=as_bytes)


def _unescaped(texts: list[str], given: dict[str, Any], *, as_bytes: bool) -> list[str]:
    return [unescape(text, as_bytes=as_bytes) for text in texts] if given["escapes"] else texts


def _normalized(texts: Iterable[str], given: dict[str, Any]) -> list[str]:
    from ..data.characters import normal_form

    return [normal_form(text, given["normalize"]) for text in texts]


def _prompts(prompt: str | None, given: dict[str, Any], *, as_bytes: bool) -> list[str]:
    from ..data.decoding import codec_of

    if prompt is None or prompt == "-":
        prompts = _unescaped(_read_prompts(given), given, as_bytes=as_bytes)
    else:
        if not as_bytes:
            codec_of(given["encoding"])  # of no use to a prompt that was typed, but a wrong one is said
        prompts = _typed([prompt], given, as_bytes=as_bytes)
    return _normalized(prompts, given)


def _read_prompts(given: dict[str, Any]) -> list[str]:
    if is_absent():
        return [""]
    from ..data.reading import read_pieces
    from ..data.streams import STANDARD_INPUT

    wait("prompts, one a line," if given["lines"] else "a prompt")
    pieces = read_pieces([STANDARD_INPUT], given["encoding"], given["encoding_errors"], note=say)
    text = "".join(pieces)
    if given["lines"] and not text:
        return []
    text = text.removesuffix("\n")
    return text.split("\n") if given["lines"] else [text]


def _warn(model: Model, prompts: list[str], stops: Iterable[str], *, typed: bool, escapes: bool) -> None:
    """Say what the user may not have meant: of the prompts, also whether they were typed as an argument."""
    _warn_of_unknown(model, "the prompt", "".join(prompts))
    _warn_of_unknown(model, "--stop, which it cannot write", "".join(stops))
    if not escapes:
        if typed or model.vocabulary.unknown_characters("\\"):
            _warn_of_escape("the prompt", "\0".join(prompts))
        _warn_of_escape("--stop", "\0".join(stops))
    if typed and os.path.isfile(as_given(prompts[0], as_bytes=model.as_bytes)):
        name = readable(prompts[0]) if model.as_bytes else prompts[0]
        say(f"the prompt is also the name of a file; to continue what that holds: < {shlex.quote(name)}")


def _warn_of_unknown(model: Model, where: str, text: str) -> None:
    from ..data.characters import normal_form

    unknown = UnknownCharacters([model.vocabulary])
    unknown.add(normal_form(text, model.file.normalize))
    unknown.warn(where)


def _warn_of_escape(where: str, text: str) -> None:
    escape = typed_escape(text)
    if escape:
        meant = {"n": "newline", "t": "tab"}[escape[1]]
        say(f"warning: {where} holds a backslash and a letter, {escape}; for a {meant} write $'{escape}', or give -e")


def _sample_streaming(model: Model, prompt: str, settings: SampleSettings, no_echo: bool) -> None:
    write_piece = writer(as_bytes=model.as_bytes)
    if not no_echo:
        write_piece(prompt)
    last = prompt[-1:]
    for piece in model.stream(as_given(prompt, as_bytes=model.as_bytes), settings):
        last = given_text("what it wrote", piece, as_bytes=model.as_bytes)
        write_piece(last)
    end_line(last)


def _sampled(model: Model, prompts: list[str], settings: SampleSettings) -> Iterator[tuple[str, str]]:
    """Each sample's prompt and text, in order."""
    repeated = (prompt for prompt in prompts for _ in range(settings.count))
    written = model.samples([as_given(prompt, as_bytes=model.as_bytes) for prompt in prompts], settings)
    texts = (given_text("what it wrote", text, as_bytes=model.as_bytes) for text in written)
    return zip(repeated, texts, strict=True)


def _sample_many(model: Model, prompts: list[str], settings: SampleSettings, no_echo: bool) -> None:
    """Whole samples; each ends its line, so that they can be told from each other."""
    write_text = writer(as_bytes=model.as_bytes)
    for prompt, text in _sampled(model, prompts, settings):
        shown = text if no_echo else prompt + text
        write_text(shown if shown.endswith("\n") else shown + "\n")


def _sample_json(model: Model, prompts: list[str], settings: SampleSettings) -> None:
    for number, texts in enumerate(_sampled(model, prompts, settings)):
        prompt, text = map(escaped, texts) if model.as_bytes else texts
        record = {"prompt": prompt, "text": text, "seed": settings.seed, "sample": number}
        write(strict_json(record) + "\n")

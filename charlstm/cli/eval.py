"""`charlstm eval`: parse, score, write the figures."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from ..errors import TextError, UsageError
from .console import say, visible, write, write_raw
from .options import Command, device_option, reading_options
from .process import limit_blas_threads, prepare_for_torch
from .stdin import refuse_terminal

if TYPE_CHECKING:
    from ..api import Model
    from ..inference.scoring import Score


@click.command("eval", cls=Command)
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
@click.option(
    "--dynamic",
    is_flag=True,
    help="also by dynamic evaluation: a copy is trained on what it has scored (loads torch)",
)
@device_option
@reading_options
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
    refuse_terminal(sources)
    models = [load(path, device, threads) for path in (model, *against)]
    if dynamic and models[0].lines:
        raise UsageError("--dynamic reads one running text, and this model was trained on lines; leave it out")
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

"""`charlstm eval`: parse, score, write the figures."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..data.characters import normal_form, normalized
from ..data.raw import by_characters, escaped, from_bytes, to_bytes
from ..errors import UsageError
from .colours import has_fine_colours, wants_colours, write_rows
from .console import end_line, say, strict_json, visible, write, write_raw, writer
from .options import PATH, Command, device_option, reading_options, refuse_decoding
from .process import prepare_for_numpy, prepare_for_torch, shared_threads, start_torch_threads
from .stdin import read_waiting, refuse_terminal
from .unknown import UnknownCharacters

if TYPE_CHECKING:
    from ..api import Model
    from ..inference.scoring import Score


ScoringWay = Callable[[Iterable[str]], Iterator["Score"]]
"""Gives the partial scores of a text that comes in pieces."""


@click.command("eval", cls=Command, short_help="say how well a model predicts a text")
@click.argument("model", type=PATH)
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
    help="also by dynamic evaluation: a copy of the network is trained on what it has scored, and its n-grams are "
    "counted (loads torch)",
)
@click.option("--dynamic-counts", is_flag=True, help="the same by counts alone: many times as fast, without torch")
@click.option(
    "--parts",
    is_flag=True,
    help="also the figures of the n-gram counts alone and of the network alone, which is a poor model by itself where "
    "it was trained together with the counts",
)
@device_option
@reading_options
def evaluate(model: str, texts: tuple[str, ...], against: tuple[str, ...], **given: Any) -> None:
    """Say how well MODEL predicts a text: files, folders, or standard input.

    \b
      charlstm eval book.safetensors other.txt
      charlstm eval mails.safetensors --lines < mails.txt | sort -rn | head
      charlstm eval english.safetensors --against dutch.safetensors letter.txt

    Fewer bits per character are better; perplexity is 2 to their power. A model of bytes reads any file; a character
    is a byte to it.
    """
    prepare_for_numpy()
    if given["dynamic"] or given["device"] != "cpu":
        prepare_for_torch()
        start_torch_threads(None)
    from ..api import load

    names = (model, *against)
    _refuse_contradictions(
        names,
        whole=_whole_text_option(given),
        **{name: given[name] for name in ("lines", "chars", "heatmap", "as_json")},
    )
    sources = texts or ("-",)
    refuse_terminal(sources)
    models = [load(path, given["device"], shared_threads()) for path in names]
    if (option := _dynamic_option(given)) and models[0].lines:
        raise UsageError(f"{option} reads one running text, and this model was trained on lines; leave it out")
    if all(model.as_bytes for model in models):
        refuse_decoding()
        given["encoding"] = None
    unknown = UnknownCharacters([model.vocabulary for model in models], _own_forms(models, given))
    _write_figures(models, names, unknown.watched(_pieces(sources, models, given)), given)
    if _tells_unknown(given, compared=bool(against)):
        unknown.warn_of_form()
    else:
        unknown.warn()


def _write_figures(models: Sequence[Model], names: Sequence[str], pieces: Iterable[str], given: dict[str, Any]) -> None:
    """Score a text in the way that was asked for."""
    if given["lines"]:
        _eval_lines(models, names, pieces, given)
    elif given["chars"]:
        in_bits = _in_bits(models[0], pieces)
        write_rows(in_bits, "bits", given["as_json"], as_bytes=models[0].as_bytes)
    elif given["heatmap"]:
        _eval_heatmap(models[0], pieces)
    elif len(models) > 1:
        _eval_against(models, names, pieces, given)
    else:
        _eval_text(models[0], pieces, _other_ways(models[0], given), given["as_json"])


def _tells_unknown(given: dict[str, Any], *, compared: bool) -> bool:
    """Whether what is written says itself how many characters are unknown."""
    if given["as_json"]:
        return not given["chars"]
    return not (compared or given["lines"] or given["chars"] or given["heatmap"])


def _other_ways(model: Model, given: dict[str, Any]) -> dict[str, ScoringWay]:
    """In which ways to score the text beside the plain one, each with the prefix of its figures."""
    ways: dict[str, ScoringWay] = {}
    if given["dynamic"]:
        ways["dynamic"] = _way(model, functools.partial(model.dynamic_scores, device=given["device"]))
    if given["dynamic_counts"]:
        ways["dynamic_counts"] = _way(model, functools.partial(model.dynamic_scores, network=False))
    if given["parts"]:
        if not model.file.mixture:
            raise UsageError("--parts: this model is a network alone, without n-gram counts; leave it out")
        ways |= {name: _way(part) for name, part in model.parts().items()}
    return ways


def _way(
    model: Model,
    scores: Callable[[Any], Iterator[Score]] | None = None,
    *,
    of_utf8: bool = False,
    form: str | None = None,
) -> ScoringWay:
    """How a model scores text in pieces of characters, by that method of its own; see `_as_read`.

    Args:
        model, scores, of_utf8: those.
        form: the Unicode normalization form that it reads, alone of those that are compared.
    """
    scores = scores or model.partial_scores
    return lambda pieces: scores(_as_read(model, piece, of_utf8=of_utf8) for piece in normalized(pieces, form))


def _as_read(model: Model, text: str, *, of_utf8: bool) -> Any:
    """A text as a model takes it.

    Args:
        model: of characters or of bytes.
        text: characters, or those that stand for bytes, as in `data.raw`.
        of_utf8: whether they are the former, also for a model of bytes: beside one of characters.
    """
    if not model.as_bytes:
        return text
    return text.encode("utf-8", "surrogatepass") if of_utf8 else to_bytes(text)


def _dynamic_option(given: dict[str, Any]) -> str | None:
    """The option that asks for dynamic evaluation, if there is one."""
    return "--dynamic" if given["dynamic"] else "--dynamic-counts" if given["dynamic_counts"] else None


def _whole_text_option(given: dict[str, Any]) -> str | None:
    """The option that asks for more figures of one whole text, if there is one."""
    return _dynamic_option(given) or ("--parts" if given["parts"] else None)


def _refuse_contradictions(
    names: Sequence[str], *, lines: bool, chars: bool, heatmap: bool, as_json: bool, whole: str | None
) -> None:
    if lines + chars + heatmap > 1:
        raise UsageError("--lines, --chars and --heatmap contradict each other: give one of them")
    if heatmap and as_json:
        raise UsageError("--heatmap draws; for figures give --chars --json")
    if len(set(map(os.path.realpath, names))) < len(names):
        raise UsageError("--against names a model twice")
    if len(names) > 1 and (chars or heatmap):
        raise UsageError("--against compares whole texts or --lines; leave out --chars and --heatmap")
    if whole and (lines or chars or heatmap or len(names) > 1):
        raise UsageError(f"{whole} scores one whole text; leave out --lines, --chars, --heatmap and --against")


def _pieces(sources: Sequence[str], models: Sequence[Model], given: dict[str, Any]) -> Iterator[str]:
    """The text to score, in pieces.

    Raises (while iterating):
        TextError: it is empty; every way of scoring says so.
    """
    from ..data.reading import ended, not_empty

    records = given["lines"] or any(model.lines for model in models)
    form = None if any(_own_forms(models, given)) else given["normalize"] or models[0].file.normalize
    text = read_waiting("a text", sources, given, form=form, end_lines=records)
    yield from not_empty(ended(text) if records else text, "score")  # all models are compared on the same text


def _own_forms(models: Sequence[Model], given: dict[str, Any]) -> list[str | None]:
    """The Unicode normalization form in which each model reads the text, where they do not all read it in one."""
    forms: list[str | None] = [model.file.normalize for model in models]
    return [None] * len(models) if given["normalize"] or len(set(forms)) == 1 else forms


def _eval_text(model: Model, pieces: Iterable[str], ways: dict[str, ScoringWay], as_json: bool) -> None:
    """The figures, and after them those of other ways to score the text."""
    from ..inference.scoring import side_by_side_scores

    score, *others = side_by_side_scores(pieces, [_way(model), *ways.values()])
    figures: dict[str, Any] = score.figures()
    for prefix, other in zip(ways, others, strict=True):
        figures |= {f"{prefix}_{name}": value for name, value in other.figures().items() if "per" in name}
    if as_json:
        write(strict_json(figures) + "\n")
        return
    for name, value in figures.items():
        if value is not None:
            write(f"{name} {value:.6g}\n" if isinstance(value, float) else f"{name} {value}\n")


def _eval_lines(models: Sequence[Model], names: Sequence[str], pieces: Iterable[str], given: dict[str, Any]) -> None:
    from ..data.reading import lines_of

    as_bytes, as_json, forms = all(model.as_bytes for model in models), given["as_json"], _own_forms(models, given)
    row = _line_as_json if as_json else _line_as_text
    write_text = writer(as_bytes=as_bytes)
    if as_bytes and not as_json:
        names = [from_bytes(os.fsencode(name)) for name in names]
    for lines in lines_of(pieces):
        by_model = [
            _line_scores(model, [normal_form(line, form) for line in lines], of_utf8=not as_bytes)
            for model, form in zip(models, forms, strict=True)
        ]
        by_line = zip(lines, map(_of_one_text, zip(*by_model, strict=True)), strict=True)
        shown = ((escaped(line) if as_bytes and as_json else line, scores) for line, scores in by_line)
        write_text("".join(row(line.removesuffix("\n"), names, scores) + "\n" for line, scores in shown))


def _line_scores(model: Model, lines: Sequence[str], *, of_utf8: bool) -> list[Score]:
    return model.score_lines([_as_read(model, line, of_utf8=of_utf8) for line in lines])


def _line_as_text(line: str, names: Sequence[str], scores: Sequence[Score]) -> str:
    best = _best(scores)
    which = f"{names[best]}\t" if len(names) > 1 else ""
    return f"{which}{scores[best].bits_per_char:.4f}\t{line}"


def _line_as_json(line: str, names: Sequence[str], scores: Sequence[Score]) -> str:
    best = _best(scores)
    record: dict[str, Any] = {"line": line, **scores[best].figures()}
    if len(names) > 1:
        compared = {name: score.bits_per_byte for name, score in zip(names, scores, strict=True)}
        record = {"best": names[best], **record, "models": compared}
    return strict_json(record)


def _best(scores: Sequence[Score]) -> int:
    return min(range(len(scores)), key=lambda number: scores[number].bits_per_byte)


def _of_one_text(scores: Sequence[Score]) -> list[Score]:
    """Scores with as many bytes as the text itself has: models that read it in different forms read fewer."""
    most = max(score.bytes for score in scores)
    return [dataclasses.replace(score, bytes=most) for score in scores]


def _in_bits(model: Model, pieces: Iterable[str]) -> Iterator[tuple[str, list[float]]]:
    """Stretches of text with the surprisal in bits of each of their characters."""
    from ..inference.scoring import LN2

    for text, nats in model.surprisals(_as_read(model, piece, of_utf8=False) for piece in pieces):
        yield from_bytes(text) if model.as_bytes else text, (nats / LN2).tolist()


def _eval_heatmap(model: Model, pieces: Iterable[str]) -> None:
    from .terminal import heatmap

    in_bits = _in_bits(model, pieces)
    if model.as_bytes:
        in_bits = by_characters(in_bits, sum)  # the surprisals of its bytes add up to that of a character
    drawn: Iterable[str]
    last = ""

    def shown() -> Iterator[tuple[str, list[float]]]:
        nonlocal last
        for text, bits in in_bits:
            last = text or last
            yield visible(text), bits

    if not wants_colours():
        say("NO_COLOR is set or the terminal has no colours, so here is the text alone")
        drawn = (text for text, _ in shown())
    else:
        drawn = heatmap(shown(), fine=has_fine_colours())
    for piece in drawn:
        write_raw(piece)
    end_line(last)


def _eval_against(models: Sequence[Model], names: Sequence[str], pieces: Iterable[str], given: dict[str, Any]) -> None:
    from ..inference.scoring import side_by_side_scores

    of_utf8 = not all(model.as_bytes for model in models)
    pairs = zip(models, _own_forms(models, given), strict=True)
    scores = side_by_side_scores(pieces, [_way(model, of_utf8=of_utf8, form=form) for model, form in pairs])
    scores = _of_one_text(scores)
    best = names[_best(scores)]
    if given["as_json"]:
        table = {name: score.figures() for name, score in zip(names, scores, strict=True)}
        write(strict_json({"models": table, "best": best}) + "\n")
        return
    for name, score in zip(names, scores, strict=True):
        write(f"{score.bits_per_byte:.6g} {name}\n")
    write(f"best {best}\n")

"""`charlstm inspect`: parse, look inside a model, write what is seen."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..data.raw import escaped
from ..errors import TextError, UsageError
from .colours import show_values
from .console import block, say, strict_json, write, write_path
from .options import PATH, Command, reading_options, refuse_decoding
from .process import prepare_for_numpy
from .stdin import read_waiting, refuse_terminal
from .unknown import UnknownCharacters
from .why import inspect_why

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..inference.inspection import Report
    from ..inference.separation import Separation
    from ..models.file import ModelFile
    from ..models.numpy_lstm import NumpyNetwork

HALF_LIVES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Characters: the bounds between the bars of a histogram of half-lives."""
LONG = 2_000_000
"""Characters after which it is said that fewer would do."""


@click.command("inspect", cls=Command, short_help="look inside a model while it reads a text")
@click.argument("model", type=PATH)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--unit", metavar="LAYER.NUMBER", help="colour the text by what this unit holds, from -1 to 1")
@click.option(
    "--gate",
    type=click.Choice(["forget", "input", "output", "reset", "update"]),
    help="colour the text by how open this gate is, from 0 to 1: the mean over the units",
)
@click.option("--layer", type=int, help="with --gate: of this layer alone")
@click.option(
    "--why", type=int, metavar="POSITION", help="which earlier characters the prediction of this one rests on"
)
@click.option("--labels", type=PATH, metavar="FILE", help="TEXT<tab>LABEL lines: which unit tells the labels apart")
@click.option("--html", type=PATH, metavar="FILE", help="write a web page in which to read, write and look inside")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table or colours")
@reading_options
def inspect(model: str, texts: tuple[str, ...], **given: Any) -> None:
    """Look inside MODEL while it reads a text: files, folders, or standard input.

    \b
      charlstm inspect book.safetensors other.txt
      charlstm inspect book.safetensors --unit 2.17 other.txt
      charlstm inspect book.safetensors --why 120 other.txt
      charlstm inspect book.safetensors --html book.html other.txt

    Without options: how open the gates are, how long the units remember, and which units go with quotes, brackets,
    line ends and so on. In a pipe, coloured text becomes VALUE<tab>CHARACTER, as a JSON string. Layers, units and
    positions are counted from 1; a position below 0 counts from the end.
    """
    prepare_for_numpy()
    _refuse_contradictions(texts, given)
    unit = _parsed_unit(given["unit"])
    sources = texts or ("-",)
    refuse_terminal(sources if given["labels"] is None else [given["labels"]])
    from ..models import file as modelfile

    file = modelfile.load(model)
    if file.vocabulary.as_bytes:
        _prepare_for_bytes(given)
    unknown = UnknownCharacters([file.vocabulary])
    text = _pieces(file, sources, given)
    watched = unknown.watched(text)
    if given["labels"] is not None:
        _inspect_labels(file, given, unknown)
    elif given["html"] is not None:
        _check_html(given["html"], sources)
        _write_html(file, os.path.basename(model), watched, given["html"])
    elif given["why"] is not None:
        inspect_why(file, text, given["why"], given["as_json"], unknown)
    elif unit:
        _inspect_unit(file, watched, *unit, given["as_json"])
    elif given["gate"]:
        _inspect_gate(file, watched, given["gate"], given["layer"], given["as_json"])
    else:
        _inspect_text(file, watched, given["as_json"])
    unknown.warn("the text" if given["labels"] is None else "the labelled texts")


def _refuse_contradictions(texts: Sequence[str], given: dict[str, Any]) -> None:
    ways = [f"--{name}" for name in ("unit", "gate", "why", "labels", "html") if given[name] is not None]
    if len(ways) > 1:
        raise UsageError(f"{' and '.join(ways)} contradict each other: give one of them")
    if given["layer"] is not None and not given["gate"]:
        raise UsageError("--layer goes with --gate; for one unit give --unit LAYER.NUMBER")
    if given["html"] == "-":
        raise UsageError("--html needs a file: give it a name")
    if given["html"] is not None and given["as_json"]:
        raise UsageError("--html writes a page; leave out --json")
    if given["labels"] is not None and texts:
        raise UsageError("--labels brings its own texts; leave TEXT out")


def _prepare_for_bytes(given: dict[str, Any]) -> None:
    refuse_decoding()
    if given["html"] is not None:
        raise UsageError("--html writes a page of characters, and this is a model of bytes; leave it out")
    given["encoding"] = None


def _parsed_unit(text: str | None) -> tuple[int, int] | None:
    """Layer and unit, counted from 0."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})", text)
    if not found:
        raise UsageError(f"--unit is {text!r:.40}; it must be LAYER.NUMBER, such as 2.17")
    return int(found[1]) - 1, int(found[2]) - 1


def _pieces(file: ModelFile, sources: Sequence[str], given: dict[str, Any]) -> Iterator[str]:
    """The text, in pieces.

    Raises (while iterating):
        TextError: it is empty.
    """
    from ..data.reading import not_empty

    form = given["normalize"] or file.normalize
    yield from not_empty(read_waiting("a text", sources, given, form=form, end_lines=file.lines), "inspect")


def _network(file: ModelFile) -> NumpyNetwork:
    from ..models.numpy_lstm import NumpyNetwork

    return NumpyNetwork(file.settings, file.tensors)


# ---------------------------------------------------------------------------------------- a whole text


def _inspect_text(file: ModelFile, pieces: Iterable[str], as_json: bool) -> None:
    seen = _report(file, pieces)
    if as_json:
        write(strict_json(_report_as_json(file, seen)) + "\n")
        return
    write(f"characters {seen.characters}\n")
    for layer in range(file.settings.layers):
        write("".join(line + "\n" for line in _layer_as_text(seen, layer)))
    found = "correlation LAYER.NUMBER" if seen.correlations else "none, as it is too short or the same all over"
    write(f"units that go with the text: {found}\n")
    for name in seen.correlations:
        units = "   ".join(f"{one.r:+.2f} {one.layer + 1}.{one.unit + 1}" for one in seen.ranked(name))
        write(f"  {name:<21} {units}\n")


def _report(file: ModelFile, pieces: Iterable[str]) -> Report:
    from ..inference.inspection import report

    return report(_network(file), file.vocabulary, patiently(pieces), lines=file.lines)


def patiently(pieces: Iterable[str]) -> Iterator[str]:
    """The same pieces; where they are long, a line says how not to wait."""
    count, told = 0, False
    for piece in pieces:
        count += len(piece)
        if count > LONG and not told:
            say("this is a long text and takes a while; a part of it tells almost as much: head -c 100000 TEXT | ...")
            told = True
        yield piece


def _layer_as_text(seen: Report, layer: int) -> Iterator[str]:
    """The rows of one layer."""
    yield f"layer {layer + 1}"
    for name, use in seen.gates[layer].items():
        yield (
            f"  {name + ' gate':<12} {use.mean:.2f} open on average; above 0.9: {use.open:4.0%}, below 0.1: "
            f"{use.closed:4.0%} of the time"
        )
    lives = seen.half_lives[layer]
    if not lives.size:
        yield "  a plain rnn has no gates, so nothing says how long its units remember"
        return
    counts = histogram(lives)
    tallest = max(counts)
    bounds = ("<1", *HALF_LIVES[:-1], f"{HALF_LIVES[-1]}+")
    yield f"  half-life    {' '.join(f'{bound:>4}' for bound in bounds)} characters"
    yield f"  units        {' '.join(f'{count:>4}' for count in counts)}"
    yield f"               {' '.join(4 * _block(count, tallest) for count in counts)}".rstrip()


def _block(count: int, tallest: int) -> str:
    return block(count / tallest) if count else " "


def histogram(lives: NDArray[Any]) -> list[int]:
    """How many half-lives are below 1, from 1 to below 2, ... and HALF_LIVES[-1] or more."""
    import numpy as np

    bars = np.searchsorted(np.array(HALF_LIVES), lives, side="right")
    return [int(count) for count in np.bincount(bars, minlength=len(HALF_LIVES) + 1)]


def _report_as_json(file: ModelFile, seen: Report) -> dict[str, Any]:
    layers = [
        {
            "layer": layer + 1,
            "gates": {name: vars(use) for name, use in seen.gates[layer].items()},
            "half_lives": [float(life) for life in seen.half_lives[layer]],
        }
        for layer in range(file.settings.layers)
    ]
    units = {
        name: [{"unit": f"{one.layer + 1}.{one.unit + 1}", "correlation": one.r} for one in seen.ranked(name, 10)]
        for name in seen.correlations
    }
    return {"characters": seen.characters, "cell": file.settings.cell, "layers": layers, "units": units}


# ---------------------------------------------------------------------------------------- values of characters


def _inspect_unit(file: ModelFile, pieces: Iterable[str], layer: int, unit: int, as_json: bool) -> None:
    from ..inference.inspection import check_unit, observe, unit_values

    network = _network(file)
    check_unit(network, layer, unit)
    stretches = observe(network, file.vocabulary, pieces, lines=file.lines)
    values = ((stretch.text, unit_values(stretch, layer, unit).tolist()) for stretch in stretches)
    legend = f"blue is -1, white 0, red 1: what unit {layer + 1}.{unit + 1} holds"
    show_values(values, legend, as_json, as_bytes=file.vocabulary.as_bytes)


def _inspect_gate(file: ModelFile, pieces: Iterable[str], gate: str, layer: int | None, as_json: bool) -> None:
    from ..inference.inspection import check_unit, gate_index, gate_values, observe

    network = _network(file)
    index, layer = gate_index(network, gate), None if layer is None else layer - 1
    if layer is not None:
        check_unit(network, layer)
    stretches = observe(network, file.vocabulary, pieces, lines=file.lines)
    values = ((stretch.text, gate_values(stretch, index, layer).tolist()) for stretch in stretches)
    where = "all layers" if layer is None else f"layer {layer + 1}"
    legend = f"white is closed, red open: the mean {gate} gate of {where}"
    show_values(values, legend, as_json, as_bytes=file.vocabulary.as_bytes)


# ---------------------------------------------------------------------------------------- labels


def _inspect_labels(file: ModelFile, given: dict[str, Any], unknown: UnknownCharacters) -> None:
    from ..inference.separation import separate

    texts, labels = _read_labels(file, given)
    for text in texts:
        unknown.add(text)
    found = separate(_network(file), file.vocabulary, texts, labels)
    if given["as_json"]:
        rows = [{**vars(one), "layer": one.layer + 1, "unit": f"{one.layer + 1}.{one.unit + 1}"} for one in found]
        write(strict_json({"texts": len(texts), "separations": rows}) + "\n")
        return
    for one in found:
        write(_separation_as_text(one) + "\n")


def _separation_as_text(one: Separation) -> str:
    what = "its last value" if one.way == "last" else "its mean over the text"
    side = "above" if one.above else "at or below"
    return (
        f"{one.label}: unit {one.layer + 1}.{one.unit + 1}, {what} {side} {one.threshold:.3f}: balanced accuracy "
        f"{one.accuracy:.1%} on {one.texts} other texts ({one.chosen_on:.1%} on those that it was chosen by)"
    )


def _read_labels(file: ModelFile, given: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Texts and labels of the file's lines, empty lines left out."""
    from ..data.files import status_of
    from ..data.streams import STANDARD_INPUT

    name = given["labels"]
    if name != STANDARD_INPUT:
        status_of(name, text_fits=False)
    pieces = read_waiting("labelled texts", [name], given, form=given["normalize"] or file.normalize)
    lines = "".join(pieces).split("\n")
    rows = [(number, *line.rpartition("\t")) for number, line in enumerate(lines, 1) if line]
    for number, text, tab, label in rows:
        if not (text and tab and label):
            raise TextError(f"{name}: line {number} is not TEXT<tab>LABEL")
    if not rows:
        raise TextError(f"{name}: it is empty; each line must be TEXT<tab>LABEL")
    labels = [row[3] for row in rows]
    return [row[1] for row in rows], list(map(escaped, labels)) if file.vocabulary.as_bytes else labels


# ---------------------------------------------------------------------------------------- the web page


def _check_html(path: str, sources: Sequence[str]) -> None:
    from ..data.streams import STANDARD_INPUT
    from .page import check_page

    check_page(path, ["/dev/stdin" if source == STANDARD_INPUT else source for source in sources])


def _write_html(file: ModelFile, name: str, pieces: Iterable[str], path: str) -> None:
    from .page import longest_text, page, write_page

    head: list[str] = []  # the characters that the page holds
    cut = False  # whether there are more: the report also counts a newline that a model of lines adds

    def noted() -> Iterator[str]:
        nonlocal cut
        for piece in pieces:
            room = longest_text(file) - len(head)
            head.extend(piece[:room])
            cut = cut or len(piece) > room
            yield piece

    seen = _report(file, noted())
    if cut:
        say(f"the page holds the first {len(head):,} characters of the text; its correlations are of the whole")
    write_page(path, page(file, name, "".join(head), seen))
    write_path(Path(path))

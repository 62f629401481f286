"""`charlstm inspect`: what it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import click
import numpy as np
import pytest
from helpers import ALPHABET, charlstm, on_a_terminal, random_model, with_counts

from charlstm.cli.inspect import LONG, histogram, inspect, patiently
from charlstm.models.numpy_lstm import GATE_NAMES

TEXT = 'abc "fed\n\nhg" ab (a) Bad cab\n'


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with a model of each type of cell, by the cell's name."""
    for cell in ("lstm", "gru", "rnn"):
        random_model(ALPHABET + '"()B', cell=cell).save(tmp_path / cell)
    (tmp_path / "text.txt").write_text(TEXT)
    return tmp_path


@pytest.mark.parametrize(
    ("cell", "gates"), [("lstm", ["input", "forget", "output"]), ("gru", ["reset", "update"]), ("rnn", [])]
)
def test_the_report_speaks_of_gates_memory_and_units(models: Path, cell: str, gates: list[str]) -> None:
    shown = charlstm("inspect", cell, "text.txt", cwd=models).stdout
    assert re.findall(r"^  (\w+) gate ", shown, flags=re.M) == gates * 2
    assert shown.count("half-life") == (2 if gates else 0)
    if gates:
        counts = re.findall(r"^  units +(.*)$", shown, flags=re.M)
        assert [sum(map(int, row.split())) for row in counts] == [12, 12]
    else:
        assert "no gates" in shown
    assert re.search(r"^  inside quotes +[+-][01]\.\d\d [12]\.\d+ ", shown, flags=re.M)
    figures = json.loads(charlstm("inspect", cell, "--json", "text.txt", cwd=models).stdout)
    assert figures["characters"] == len(TEXT)
    assert [list(layer["gates"]) for layer in figures["layers"]] == [gates, gates]
    for name, units in figures["units"].items():
        first = f"{units[0]['correlation']:+.2f} {units[0]['unit']} "
        assert re.search(rf"^  {name} +{re.escape(first)}", shown, flags=re.M)


def test_a_text_of_one_character_has_no_properties_that_change(models: Path) -> None:
    done = charlstm("inspect", "lstm", input="a", cwd=models)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "units that go with the text: none, as it is too short or the same all over"


def test_a_text_is_read_in_the_normalization_form_of_the_model_or_of_the_option(tmp_path: Path) -> None:
    model = random_model("ab\u00e9\n")
    model.save(tmp_path / "plain")
    model.normalize = "nfc"
    model.save(tmp_path / "nfc")
    for name, options, rows in (("plain", [], 4), ("plain", ["--normalize", "nfc"], 3), ("nfc", [], 3)):
        done = charlstm("inspect", name, "--unit", "1.1", *options, input="ae\u0301b", cwd=tmp_path)
        assert len(done.stdout.splitlines()) == rows
    labelled = "".join(f"e\u0301\t{label}\n" for label in ("x", "x", "y", "y"))
    (tmp_path / "labels").write_text(labelled)
    (tmp_path / "composed").write_text(labelled.replace("e\u0301", "\u00e9"))
    told = [
        charlstm("inspect", "nfc", "--labels", name, "--json", cwd=tmp_path).stdout for name in ("labels", "composed")
    ]
    assert told[0] == told[1] != ""


def test_a_long_text_is_said_to_take_long_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(patiently(["a" * LONG])) == ["a" * LONG]
    assert capsys.readouterr().err == ""
    assert len(list(patiently(["a" * LONG, "b", "c"]))) == 3
    assert capsys.readouterr().err.count("long text") == 1


def test_a_bar_of_the_histogram_begins_at_its_name() -> None:
    lives = np.array([[0.5, 1, 1.9, 2, 255, 256, np.inf]])[0]
    assert histogram(lives) == [1, 2, 1, 0, 0, 0, 0, 0, 1, 2]


@pytest.mark.parametrize(
    "options", [["--unit", "2.7"], ["--gate", "forget"], ["--gate", "input", "--layer", "2"]], ids=" ".join
)
def test_values_of_characters_are_rows_in_a_pipe_and_colours_on_a_terminal(models: Path, options: list[str]) -> None:
    rows = [
        row.split("\t") for row in charlstm("inspect", "lstm", *options, cwd=models, input=TEXT).stdout.splitlines()
    ]
    assert "".join(json.loads(row[1]) for row in rows) == TEXT
    as_json = charlstm("inspect", "lstm", *options, "--json", cwd=models, input=TEXT).stdout
    records = [json.loads(row) for row in as_json.splitlines()]
    assert [f"{record['value']:.4f}" for record in records] == [row[0] for row in rows]
    assert len({row[0] for row in rows}) > 5
    drawn = on_a_terminal("inspect", "lstm", *options, "text.txt", cwd=models, COLORTERM="truecolor", NO_COLOR="")
    legend, _, text = drawn.replace("\r\n", "\n").partition("\x1b")
    assert "white" in legend
    assert re.sub(r"\x1b?\[[0-9;]*m", "", text).strip() == TEXT.strip()
    assert len(set(re.findall(r"48;2;([0-9;]+)m", text))) > 2
    plain = on_a_terminal("inspect", "lstm", *options, "text.txt", cwd=models, NO_COLOR="1")
    assert plain.split() == [word for row in rows for word in ("\t".join(row)).split()]


def test_why_lists_the_masked_characters_from_the_nearest_on(models: Path) -> None:
    rows = [
        row.split("\t") for row in charlstm("inspect", "lstm", "--why", 9, "text.txt", cwd=models).stdout.split("\n")
    ]
    assert [json.loads(row[3]) for row in rows[:-1]] == list(reversed(TEXT[:8]))
    assert [row[0] for row in rows[:-1]] == [str(back) for back in range(1, 9)]
    figures = json.loads(charlstm("inspect", "lstm", "--why", 9, "--json", "text.txt", cwd=models).stdout)
    assert (figures["char"], len(figures["likeliest"]), len(figures["characters"])) == (TEXT[8], 5, 8)
    assert f"{figures['characters'][0]['divergence']:.4f}" == rows[0][1]
    drawn = on_a_terminal("inspect", "lstm", "--why", "-1", "text.txt", cwd=models, NO_COLOR="")
    assert "likeliest here" in drawn
    assert 'really here: "\\n"' in drawn
    after = json.loads(charlstm("inspect", "lstm", "--why", len(TEXT) + 1, "--json", "text.txt", cwd=models).stdout)
    assert after["char"] is None
    assert after["characters"][0]["cost"] is None


def test_why_is_of_the_whole_model_and_of_one_line_of_a_model_of_lines(tmp_path: Path) -> None:
    random_model().save(tmp_path / "network")
    with_counts(random_model(), "abcabcaabbc\nabc" * 5).save(tmp_path / "mixture")
    random_model(lines=True).save(tmp_path / "lines")
    shown = {
        name: json.loads(charlstm("inspect", name, "--why", 7, "--json", input="ab\nabcab\n", cwd=tmp_path).stdout)
        for name in ("network", "mixture", "lines")
    }
    assert shown["network"]["likeliest"] != shown["mixture"]["likeliest"]
    assert "".join(row["char"] for row in shown["lines"]["characters"]) == "cba"
    assert [one["position"] for one in shown.values()] == [7, 7, 7]


def test_lines_of_several_files_stay_apart(tmp_path: Path) -> None:
    random_model(lines=True).save(tmp_path / "lines")
    (tmp_path / "a.txt").write_text("ab")
    (tmp_path / "b.txt").write_text("ab\n")
    rows = charlstm("inspect", "lines", "--unit", "1.1", "a.txt", "b.txt", cwd=tmp_path).stdout.splitlines()
    assert [json.loads(row.split("\t")[1]) for row in rows] == list("ab\nab\n")
    assert rows[:3] == rows[3:]


def test_labels_name_the_unit_and_how_well_it_does(models: Path) -> None:
    rows = "".join(f"{'ab' * (n % 4 + 1)}\tshort\n{'hg' * (n % 4 + 1)}\tlong\n\n" for n in range(10))
    (models / "labels.tsv").write_text(rows)
    shown = charlstm("inspect", "lstm", "--labels", "labels.tsv", cwd=models)
    assert re.match(r"short: unit [12]\.\d+, .* accuracy 100.0% on 10 other texts", shown.stdout), shown
    figures = json.loads(charlstm("inspect", "lstm", "--labels", "labels.tsv", "--json", cwd=models).stdout)
    assert figures["texts"] == 20
    assert f"unit {figures['separations'][0]['unit']}," in shown.stdout


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["lstm", "--unit", "3.1"], 2, "layers 1 to 2"),
        (["lstm", "--unit", "1.13"], 2, "units 1 to 12"),
        (["lstm", "--unit", "0.1"], 2, "no layer 0"),
        (["lstm", "--unit", "one"], 2, "LAYER.NUMBER"),
        (["lstm", "--gate", "forget", "--layer", "3"], 2, "no layer 3"),
        (["gru", "--gate", "forget"], 2, "reset, update"),
        (["rnn", "--gate", "forget"], 2, "no gates"),
        (["lstm", "--layer", "1"], 2, "--gate"),
        (["lstm", "--unit", "1.1", "--why", "3"], 2, "contradict"),
        (["lstm", "--why", "0"], 2, "positions 1 to 29"),
        (["lstm", "--why", "31"], 2, "30 after it"),
        (["lstm", "--labels", "text.txt"], 1, "text.txt: line 1 is not TEXT<tab>LABEL"),
        (["lstm", "--labels", "one.tsv"], 1, "1 label in 2 texts"),
        (["lstm", "--labels", "none.tsv"], 1, "none.tsv"),
        (["lstm", "--labels", "nope"], 1, "error: nope: cannot read it: No such file or directory\n"),
        (["lstm", "--labels", "one.tsv", "text.txt"], 2, "leave TEXT out"),
        (["missing"], 1, "missing"),
    ],
    ids=str,
)
def test_bad_input_is_one_clear_line(models: Path, options: list[str], status: int, words: str) -> None:
    (models / "one.tsv").write_text("ab\tp\nba\tp\n")
    (models / "none.tsv").write_text("")
    done = charlstm("inspect", *options, input=TEXT, cwd=models)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [[], ["--json"], ["--unit", "1.1"], ["--gate", "input"], ["--why", "1"]], ids=str)
def test_an_empty_text_is_one_error_in_every_mode(models: Path, options: list[str]) -> None:
    done = charlstm("inspect", "lstm", *options, cwd=models)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "charlstm: error: the text is empty: there is nothing to inspect\n"


@pytest.mark.parametrize(
    "options",
    [[], ["--json"], ["--unit", "1.1"], ["--gate", "input", "--json"], ["--html", "page.html"], ["--labels", "tsv"],
     ["--why", "4"], ["--why", "-1", "--json"]],
    ids=str,
)  # fmt: skip
def test_unknown_characters_are_named_once_in_every_mode(models: Path, options: list[str]) -> None:
    (models / "tsv").write_text("az\tQ\nbé\tQ\nab\tR\nba\tR\n")
    done = charlstm("inspect", "lstm", *options, input="azbé\nabab", cwd=models)
    assert done.returncode == 0
    where = "the labelled texts" if "tsv" in options else "the text"
    assert done.stderr == f"charlstm: warning: the model never saw these characters of {where}: z é\n"


def test_why_warns_of_what_it_reads_only(models: Path) -> None:
    for position, told in ((1, ""), (2, "z"), (4, "z é")):
        said = charlstm("inspect", "lstm", "--why", position, input="azbé\n", cwd=models).stderr
        assert said.rpartition(": ")[2].strip() == told


# ------------------------------------------------------------------------------------------ bytes


def test_rows_of_bytes_are_bytes(bytes_path: Path) -> None:
    for option in (["--unit", "1.1"], ["--gate", "forget"]):
        rows = charlstm("inspect", bytes_path, *option, input="a你\\".encode()).stdout.splitlines()
        assert [json.loads(row.split("\t")[1]) for row in rows] == ["a", r"\xe4", r"\xbd", r"\xa0", r"\\"]
    why = charlstm("inspect", bytes_path, "--why", "3", input="你".encode()).stdout.splitlines()
    assert [json.loads(row.split("\t")[3]) for row in why] == [r"\xbd", r"\xe4"]
    found = json.loads(charlstm("inspect", bytes_path, "--why", "3", "--json", input="你".encode()).stdout)
    assert found["char"] == r"\xa0"
    assert json.loads(charlstm("inspect", bytes_path, "--json", input=b"\xff\x00").stdout)["characters"] == 2


def test_labels_of_bytes_are_shown_in_utf8(bytes_path: Path) -> None:
    rows = "".join(f"{text}\t{label}\n" for text, label in zip("abcdefgh", "你好你好你好你好", strict=True))
    (bytes_path.parent / "labels").write_text(rows)
    done = charlstm("inspect", bytes_path, "--labels", bytes_path.parent / "labels")
    assert done.stdout.startswith("你: unit ")


def test_a_page_of_a_model_of_bytes_is_refused(bytes_path: Path) -> None:
    done = charlstm("inspect", bytes_path, "--html", bytes_path.parent / "page.html", input="abc")
    assert done.returncode == 2
    assert (
        done.stderr
        == "charlstm: error: --html writes a page of characters, and this is a model of bytes; leave it out\n"
    )


def test_a_character_of_several_bytes_is_drawn_once(bytes_path: Path) -> None:
    (bytes_path.parent / "text").write_bytes("a你".encode() + b"\xff")
    shown = on_a_terminal("inspect", bytes_path, "--unit", "1.1", bytes_path.parent / "text", cwd=bytes_path.parent)
    assert "a你\ufffd" in re.sub(r"\x1b\[[0-9;]*m", "", shown)


def test_a_page_replaces_no_text_that_is_read_and_nothing_that_is_no_file(model_path: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.html"
    text.write_text("<!DOCTYPE html>")
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("text.html", "a text that is read"),
        ("pipe", "no regular file"),
        ("/dev/stdout", "no regular file"),
        (".", "a folder"),
    ):
        done = charlstm("inspect", model_path, text, "--html", tmp_path / name)
        assert (done.returncode, done.stdout) == (1, "")
        assert why in done.stderr
    with text.open() as stream:
        done = charlstm("inspect", model_path, "--html", text, input=None, stdin=stream)
    assert "a text that is read" in done.stderr
    assert text.read_text() == "<!DOCTYPE html>"


def test_a_page_that_cannot_be_written_is_refused_before_the_text_is_read(model_path: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"\xff")  # which would be refused, too
    done = charlstm("inspect", model_path, tmp_path / "text", "--html", tmp_path / "missing" / "page.html")
    assert done.returncode == 1
    assert "page.html: cannot write it: No such file or directory" in done.stderr


def test_a_page_is_said_to_hold_a_part_of_the_text_only_where_it_does(tmp_path: Path) -> None:
    random_model(lines=True).save(tmp_path / "lines")
    for text, said in (("ab\nab", False), ("a" * 4000, False), ("ab\n" * 1334, True)):
        done = charlstm("inspect", "lines", "--html", "page.html", input=text, cwd=tmp_path)
        assert done.returncode == 0
        assert ("the page holds the first 4,000 characters" in done.stderr) == said
        assert bool(done.stderr) == said


def test_every_gate_of_every_cell_can_be_asked_for() -> None:
    gate = next(parameter for parameter in inspect.params if parameter.name == "gate")
    assert isinstance(gate.type, click.Choice)
    assert {*gate.type.choices, "candidate"} == {name for names in GATE_NAMES.values() for name in names}


def test_why_counts_the_newline_that_a_last_record_lacks(tmp_path: Path) -> None:
    random_model(lines=True).save(tmp_path / "lines")
    last, whole = (
        json.loads(charlstm("inspect", "lines", "--why", "-1", "--json", input=text, cwd=tmp_path).stdout)
        for text in ("ab\nabc", "ab\nabc\n")
    )
    assert last == whole
    assert (last["position"], last["char"]) == (7, "\n")

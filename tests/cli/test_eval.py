"""`charlstm eval`: every way of asking for figures gives the same ones."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import (
    ROOT,
    TEXT,
    charlstm,
    charlstm_in_bytes,
    full_device,
    on_a_terminal,
    random_model,
    with_counts,
)


def test_eval_scores_lines_in_order_and_characters(trained: Path) -> None:
    text = "the cat is a bird\nzzzz qqqq\nthe dog is a fish\n"
    lines = [line.split("\t") for line in charlstm("eval", trained, "--lines", input=text).stdout.splitlines()]
    assert [line for _, line in lines] == text.splitlines()
    assert float(lines[1][0]) > 3 * float(lines[0][0])
    rows = [row.split("\t") for row in charlstm("eval", trained, "--chars", input=text).stdout.splitlines()]
    assert "".join(json.loads(row[1]) for row in rows) == text
    whole = json.loads(charlstm("eval", trained, "--json", input=text).stdout)
    assert sum(float(row[0]) for row in rows) / len(text) == pytest.approx(whole["bits_per_char"], abs=1e-3)


def test_eval_lines_answers_at_once_on_an_endless_stream(trained: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "charlstm", "eval", str(trained), "--lines"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout
        for line in (b"the cat\n", b"a bird\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline().endswith(b"\t" + line)  # would hang if it waited for the end
        process.stdin.close()


def test_against_names_the_model_that_explains_best(trained: Path, model_path: Path) -> None:
    done = charlstm("eval", model_path, "--against", trained, input=TEXT[:500])
    assert done.stdout.splitlines()[-1] == f"best {trained}"
    lines = charlstm("eval", model_path, "--against", trained, "--lines", input="the cat\n").stdout
    assert lines.startswith(f"{trained}\t")


@pytest.mark.parametrize("colours", ["truecolor", ""])
def test_heatmap_colours_every_character_and_leaves_the_text_as_it_is(trained: Path, colours: str) -> None:
    text = "the cat\tis Q\n\nthe end"
    done = charlstm("eval", trained, "--heatmap", input=text, env={"COLORTERM": colours, "TERM": "xterm"})
    assert done.returncode == 0
    assert re.sub(r"\x1b\[[0-9;]*m", "", done.stdout) == text
    backgrounds = re.findall(r"48;[25];([0-9;]+)m", done.stdout)
    assert len(set(backgrounds)) > 2
    assert backgrounds[0] != backgrounds[-1]
    plain = charlstm("eval", trained, "--heatmap", input=text, env={"NO_COLOR": "1"})
    assert plain.stdout == text
    assert "NO_COLOR" in plain.stderr


def test_lines_of_several_files_stay_apart(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the cat")
    (tmp_path / "b.txt").write_text("the dog\n")
    shown = charlstm("eval", trained, "--lines", "a.txt", "b.txt", cwd=tmp_path).stdout.splitlines()
    assert [line.split("\t")[1] for line in shown] == ["the cat", "the dog"]


def test_dynamic_figures_stand_beside_the_static_ones(trained: Path) -> None:
    figures = json.loads(charlstm("eval", trained, "--dynamic", "--json", input="a hen is a cow\n" * 80).stdout)
    assert figures["dynamic_bits_per_char"] < figures["bits_per_char"]  # what repeats is learned
    assert (
        figures["bits_per_char"]
        == json.loads(charlstm("eval", trained, "--json", input="a hen is a cow\n" * 80).stdout)["bits_per_char"]
    )


def test_counts_of_what_was_read_stand_beside_the_plain_figures_without_torch(trained: Path) -> None:
    text = "a hen is a cow\n" * 80
    script = "import sys; from charlstm.cli.main import main; sys.modules['torch'] = None; main()"
    run = subprocess.run(
        [sys.executable, "-c", script, "eval", str(trained), "--dynamic-counts", "--json"],
        input=text, capture_output=True, text=True, check=True,
    )  # fmt: skip
    figures = json.loads(run.stdout)
    plain = json.loads(charlstm("eval", trained, "--json", input=text).stdout)
    assert {name: figures[name] for name in plain} == plain
    assert figures["dynamic_counts_bits_per_char"] < 0.5 * figures["bits_per_char"]


def test_the_characters_of_a_model_of_lines_cost_what_its_lines_cost(tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    random_model(lines=True).save(model)
    text = "abc\nfed\n\nhg\n"
    whole = json.loads(charlstm("eval", model, "--json", input=text).stdout)
    rows = [json.loads(row) for row in charlstm("eval", model, "--chars", "--json", input=text).stdout.splitlines()]
    assert "".join(row["char"] for row in rows) == text
    assert sum(row["bits"] for row in rows) == pytest.approx(whole["bits_per_char"] * len(text), rel=1e-6)
    for option in ("--dynamic", "--dynamic-counts"):
        refused = charlstm("eval", model, option, input=text)
        assert refused.returncode == 2
        assert f"{option} reads one running text" in refused.stderr


@full_device
def test_a_heat_map_that_goes_nowhere_is_an_error(trained: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "charlstm", "eval", str(trained), "--heatmap"], input=b"a hen\n",
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert b"standard output" in done.stderr


@pytest.mark.parametrize("text", ["", "\ufeff"])
@pytest.mark.parametrize(
    "options",
    [[], ["--json"], ["--lines"], ["--lines", "--json"], ["--chars"], ["--heatmap"], ["--dynamic"], ["--against", "N"]],
    ids=" ".join,
)
def test_an_empty_text_is_one_error_in_every_mode(options: list[str], text: str, tmp_path: Path) -> None:
    for name in ("M", "N"):
        random_model().save(tmp_path / name)
    done = charlstm("eval", "M", *options, input=text, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "charlstm: error: the text is empty: there is nothing to score\n"


def test_every_line_is_answered_by_one(trained: Path) -> None:
    shown = charlstm("eval", trained, "--lines", input="\n\nthe cat\n\n").stdout
    assert [line.split("\t")[1] for line in shown.splitlines()] == ["", "", "the cat", ""]


def test_parts_gives_network_and_counts_beside_the_mixture(tmp_path: Path) -> None:
    with_counts(random_model(), "abcabcaabbc\nabc" * 5).save(tmp_path / "m.safetensors")
    plain = charlstm("eval", "m.safetensors", "--json", input="abcabc", cwd=tmp_path)
    done = charlstm("eval", "m.safetensors", "--parts", "--json", input="abcabc", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["bits_per_char"] == json.loads(plain.stdout)["bits_per_char"]
    assert 0 < figures["ngrams_bits_per_char"] < figures["network_bits_per_char"]


@pytest.mark.parametrize("other", ["--lines", "--chars", "--heatmap"])
def test_parts_are_of_a_whole_text(model_path: Path, other: str) -> None:
    assert charlstm("eval", model_path, "--parts", other, input="abc").returncode == 2


def test_parts_of_a_network_alone_are_refused(model_path: Path) -> None:
    done = charlstm("eval", model_path, "--parts", input="abc")
    assert done.returncode == 2
    assert "--parts" in done.stderr


def test_a_text_that_would_be_known_in_its_composed_form_is_told_so_and_can_be_read_so(tmp_path: Path) -> None:
    random_model("\ncaf\u00e9").save(tmp_path / "m.safetensors")
    plain, normal, composed = (
        charlstm("eval", "m.safetensors", *options, input=text, cwd=tmp_path)
        for options, text in (([], "cafe\u0301\n"), (["--normalize", "nfc"], "cafe\u0301\n"), ([], "caf\u00e9\n"))
    )
    assert "give --normalize nfc" in plain.stderr
    assert (normal.stdout, normal.stderr) == (composed.stdout, "")


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ([], ""), (["--json"], ""), (["--parts"], ""), (["--dynamic-counts", "--json"], ""),
        (["--against", "N", "--json"], ""), (["--lines", "--json"], ""),
        (["--lines"], "the model never saw"), (["--chars"], "the model never saw"),
        (["--chars", "--json"], "the model never saw"), (["--heatmap"], "the model never saw"),
        (["--against", "N"], "not every model has seen"), (["--against", "N", "--lines"], "not every model has seen"),
    ],
    ids=str,
)  # fmt: skip
def test_unknown_characters_are_named_once_where_no_figure_counts_them(
    options: list[str], warned: str, tmp_path: Path
) -> None:
    for name, seed in (("M", 0), ("N", 1)):
        with_counts(random_model(seed=seed), "abcabcaabbc\nabc" * 5).save(tmp_path / name)
    (tmp_path / "a.txt").write_text("abz\nébab\n")
    (tmp_path / "b.txt").write_text("zab\nab")
    done = charlstm("eval", "M", *options, "a.txt", "b.txt", cwd=tmp_path, env={"TERM": "xterm"})
    assert done.returncode == 0
    assert "unknown" in done.stdout or warned
    told = f"charlstm: warning: {warned} these characters of the text: z é\n"
    assert done.stderr == (told if warned else "")


def test_what_is_said_after_a_heat_map_begins_its_own_line_on_a_terminal(model_path: Path, tmp_path: Path) -> None:
    for text in ("abz", "abz\n"):
        (tmp_path / "text").write_text(text)
        drawn = on_a_terminal("eval", model_path, "--heatmap", "text", cwd=tmp_path, COLORTERM="", NO_COLOR="")
        assert re.sub(r"\x1b\[[0-9;]*m", "", drawn).startswith("abz\r\ncharlstm: warning: ")


# ------------------------------------------------------------------------------------------ bytes


def test_a_model_of_bytes_scores_any_file_in_bits_per_byte(bytes_path: Path) -> None:
    data = gzip.compress(bytes(range(256)))
    figures = json.loads(charlstm("eval", bytes_path, "--json", input=data).stdout)
    assert figures["characters"] == len(data)
    assert figures["bits_per_byte"] == figures["bits_per_char"]
    assert figures["unknown"] == 0
    rows = [row.split("\t") for row in charlstm("eval", bytes_path, "--chars", input=data).stdout.splitlines()]
    assert len(rows) == len(data)
    assert [json.loads(shown) for _, shown in rows[:2]] == ["\x1f", r"\x8b"]
    assert sum(float(bits) for bits, _ in rows) / len(data) == pytest.approx(figures["bits_per_byte"], abs=1e-3)


def test_lines_of_bytes_are_written_as_they_are(bytes_path: Path) -> None:
    lines = [b"\xff\r", "你".encode(), b""]
    done = charlstm_in_bytes("eval", bytes_path, "--lines", input=b"\n".join(lines) + b"\n")
    assert [row.split(b"\t")[1] for row in done.stdout.split(b"\n")[:-1]] == lines
    records = charlstm("eval", bytes_path, "--lines", "--json", input=b"\xff\\\n").stdout
    assert json.loads(records)["line"] == r"\xff\\"


def test_against_compares_models_of_bytes_and_of_characters_on_the_same_bytes(
    bytes_path: Path, model_path: Path
) -> None:
    text = "abc é\r\nde\n"
    compared = json.loads(charlstm("eval", bytes_path, "--against", model_path, "--json", input=text).stdout)
    read = text.replace("\r\n", "\n").encode()
    alone = json.loads(charlstm("eval", bytes_path, "--json", input=read).stdout)
    assert compared["models"][str(bytes_path)] == alone
    assert alone["characters"] == len(read)
    assert compared["models"][str(model_path)]["characters"] == len(read) - 1
    other = bytes_path.with_name("é.safetensors")
    shutil.copy(bytes_path, other)
    lines = charlstm_in_bytes("eval", bytes_path, "--against", other, "--lines", input=b"\xff\n").stdout
    assert lines.startswith(os.fsencode(bytes_path) + b"\t")
    assert lines.endswith(b"\t\xff\n")


def test_heatmap_of_bytes_shows_characters(bytes_path: Path) -> None:
    done = charlstm("eval", bytes_path, "--heatmap", input="a你b".encode() + b"\xff", env={"TERM": "xterm"})
    assert re.sub(r"\x1b\[[0-9;]*m", "", done.stdout) == "a你b\ufffd"


def test_each_model_that_is_compared_reads_the_text_in_its_own_form(tmp_path: Path) -> None:
    text = "cafe\u0301 a\u0302me\n" * 3
    plain, composed = random_model("acefm \n\u0301\u0302"), random_model("acefm \n\u00e9\u00e2", seed=1)
    dataclasses.replace(composed, normalize="nfc").save(tmp_path / "nfc")
    plain.save(tmp_path / "plain")
    alone = {
        name: json.loads(charlstm("eval", name, "--json", input=text, cwd=tmp_path).stdout) for name in ("nfc", "plain")
    }
    assert [figures["unknown"] for figures in alone.values()] == [0, 0]
    for first, second in (("plain", "nfc"), ("nfc", "plain")):
        done = charlstm("eval", first, "--against", second, "--json", input=text, cwd=tmp_path)
        both = json.loads(done.stdout)["models"]
        for name, figures in alone.items():
            assert both[name]["bits_per_char"] == pytest.approx(figures["bits_per_char"])
            whole = both[name]["bits_per_char"] * both[name]["characters"]
            assert both[name]["bits_per_byte"] * len(text.encode()) == pytest.approx(whole)  # of the text as it is
        assert done.stderr == ""
    rows = charlstm("eval", "plain", "--against", "nfc", "--lines", "--json", input=text, cwd=tmp_path).stdout
    assert [json.loads(row)["unknown"] for row in rows.splitlines()] == [0, 0, 0]
    asked = charlstm("eval", "plain", "--against", "nfc", "--json", "--normalize", "nfc", input=text, cwd=tmp_path)
    assert json.loads(asked.stdout)["models"]["plain"]["unknown"] == 6


def test_a_last_line_without_its_newline_is_a_record_like_others(trained: Path, model_path: Path) -> None:
    for against in ([], ["--against", model_path]):
        done = charlstm("eval", trained, *against, "--lines", input="the cat\nthe cat")
        first, second = done.stdout.splitlines()
        assert first == second

"""`charlstm train`: what it reads, what it says, what it leaves behind."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import (
    ROOT,
    TEXT,
    charlstm,
    files,
    full_device,
    on_a_terminal,
    wait_for,
)

from charlstm.training.outputs import locked


def test_train_prints_the_path_alone_on_standard_output(tmp_path: Path) -> None:
    (tmp_path / "a book.txt").write_text(TEXT)
    done = charlstm("train", "a book.txt", "--steps", 3, "--hidden", 8, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "a book.safetensors\n")
    assert "\x1b" not in done.stderr  # piped: no drawing
    assert files(tmp_path) == {"a book.txt", "a book.safetensors"}  # nothing else is left behind


def test_train_reads_standard_input_compressed_text_and_folders(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "one.txt").write_text(TEXT)
    (folder / "two.gz").write_bytes(gzip.compress(TEXT.encode() + b"."))
    options = ["--steps", 2, "--hidden", 8, "--quiet"]
    piped = charlstm("train", *options, input=gzip.compress(TEXT.encode()), cwd=tmp_path)
    assert piped.stdout == "model.safetensors\n"
    done = charlstm("train", "texts", *options, cwd=tmp_path)
    assert done.stdout == "texts.safetensors\n"
    described = json.loads(charlstm("info", "texts.safetensors", "--json", cwd=tmp_path).stdout)
    assert [source["characters"] for source in described["trained_on"]] == [len(TEXT), len(TEXT) + 1]


def test_lines_are_records(tmp_path: Path) -> None:
    names = "".join(f"{a}{b}{c}\n" for a in "bdkm" for b in "aeiou" for c in ("lin", "ra", "ton"))
    (tmp_path / "names.txt").write_text(names * 5)
    train = charlstm("train", "names.txt", "--lines", "--steps", 60, "--hidden", 32, "-q", cwd=tmp_path)
    assert train.returncode == 0, train.stderr
    written = charlstm("sample", "names.safetensors", "--count", 8, "--seed", 1, cwd=tmp_path).stdout.splitlines()
    assert len(written) == 8
    assert all(1 <= len(name) <= 40 for name in written)
    assert len(set(written)) > 2


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take UTF-8 names only")
def test_the_printed_path_is_the_path_byte_for_byte(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 -.txt")
    (tmp_path / name).write_text(TEXT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "charlstm", "train", name, "--steps", "2", "--hidden", "8", "-q"],
        cwd=tmp_path, env=environment, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == b"caf\xe9 -.safetensors\n"


def test_a_printed_path_is_never_taken_for_an_option(tmp_path: Path) -> None:
    (tmp_path / "-dash.txt").write_text(TEXT)
    done = charlstm("train", "--steps", 2, "--hidden", 8, "-q", "--", "-dash.txt", cwd=tmp_path)
    assert done.stdout == "./-dash.safetensors\n"


def test_a_text_from_a_pipe_by_name_gives_a_model_a_plain_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = subprocess.Popen(["sh", "-c", "cat > pipe"], cwd=tmp_path, stdin=subprocess.PIPE)
    assert writer.stdin
    writer.stdin.write(TEXT.encode())
    writer.stdin.close()
    done = charlstm("train", "pipe", "--steps", 2, "--hidden", 8, "-q", cwd=tmp_path)
    writer.wait()
    assert done.stdout == "model.safetensors\n"


def test_a_reader_of_the_reports_that_leaves_does_not_end_a_training(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    train = f"exec {sys.executable} -m charlstm train text.txt --steps 1000000 --hidden 8 --log log -o m.safetensors"
    process = subprocess.Popen(
        ["bash", "-c", f"{train} 2> >(head -1 > seen)"], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE,
    )  # fmt: skip
    wait_for(tmp_path / "log", process)  # then there was a report, in a line that nobody reads
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert {"m.safetensors", "m.resume.safetensors"} <= files(tmp_path)


def test_the_log_holds_every_report_as_json(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("".join(f"{number:05d}\n" for number in range(1000)))
    done = charlstm("train", "text.txt", "--steps", 20, "--hidden", 8, "--log", "log.jsonl", "-q", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")  # quiet is quiet
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["fraction"] == 1.0
    assert all(row["train_bits"] > 0 for row in rows)


def test_a_log_goes_on_after_what_an_earlier_run_wrote(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    command = ["train", "text.txt", "--steps", 2, "--hidden", 8, "--log", "log.jsonl", "-q", "--force"]
    for _ in range(2):
        assert charlstm(*command, cwd=tmp_path).returncode == 0
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["fraction"] for row in rows].count(1.0) == 2


def test_a_budget_too_small_to_learn_anything_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    done = charlstm("train", "text.txt", "--minutes", 0.001, "--hidden", 8, "--precision", "float32", cwd=tmp_path)
    assert done.returncode == 0
    assert "give more --minutes" in done.stderr


def test_samples_on_the_way_go_to_standard_error(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    options = ["--steps", 40, "--hidden", 8, "--sample-every", 0.0001, "--log", "log.jsonl"]
    done = charlstm("train", "text.txt", *options, cwd=tmp_path)
    assert done.stdout == "text.safetensors\n"
    assert re.search(r"^--- \d+% ---\n.+\n---$", done.stderr, flags=re.M | re.S)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert any(len(row["sample"]) == 200 for row in rows)


def test_a_text_behind_standard_input_is_not_overwritten(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text(TEXT)
    small = ("--steps", 2, "--hidden", 4, "-q")
    for options in (("-o", "own.txt", "--force"), ("-o", "m.safetensors", "--log", "own.txt")):
        with own.open() as stream:
            done = charlstm("train", *options, *small, cwd=tmp_path, input=None, stdin=stream)
        assert done.returncode in (1, 2)
        assert "own.txt" in done.stderr
    assert own.read_text() == TEXT


def test_validation_texts_are_all_heeded_and_an_empty_name_is_none(tmp_path: Path) -> None:
    for name in ("text.txt", "a.txt", "b.txt"):
        (tmp_path / name).write_text(TEXT + name)
    options = ("--steps", 2, "--hidden", 4, "-q", "-o", "m.safetensors")
    done = charlstm("train", "text.txt", "--val", "a.txt", "--val", "b.txt", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    described = json.loads(charlstm("info", "m.safetensors", "--json", cwd=tmp_path).stdout)
    assert [source["name"] for source in described["trained_on"]] == ["text.txt", "a.txt", "b.txt"]
    done = charlstm("train", "text.txt", "--val", "", "--force", *options, cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot read a text with an empty name: give" in done.stderr


def test_a_run_that_starts_from_a_model_reports_no_figures_that_it_has_not(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    assert charlstm("train", "text.txt", "--steps", 5, "--hidden", 8, "-q", cwd=tmp_path).returncode == 0
    options = ("--init-from", "text.safetensors", "-o", "more.safetensors", "--steps", 5, "--log", "log.jsonl")
    done = charlstm("train", "text.txt", *options, cwd=tmp_path)
    for line in (tmp_path / "log.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)  # NaN and Infinity are no JSON
    assert "  0%  step 0  val " in done.stderr
    assert "nan" not in done.stderr
    assert "inf" not in done.stderr.replace("info", "")


@pytest.mark.parametrize("cut", ['{"step": 1}\n{"step": 2, "fra', '{"step": 1}'], ids=["a line", "a last newline"])
def test_a_log_that_was_cut_loses_no_report(cut: str, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "log.jsonl").write_text(cut)
    charlstm("train", "text.txt", "--steps", 2, "--hidden", 8, "--log", "log.jsonl", "-q", cwd=tmp_path)
    before, after = cut.splitlines(), (tmp_path / "log.jsonl").read_text().splitlines()
    assert after[: len(before)] == before
    assert all("fraction" in json.loads(line) for line in after[len(before) :])
    assert len(after) > len(before)


@pytest.mark.parametrize("log", ["log.jsonl", pytest.param("/dev/full", marks=full_device)])
def test_a_log_is_closed_without_a_word(log: str, tmp_path: Path) -> None:
    """Also one that cannot be written, of which one line tells."""
    (tmp_path / "text.txt").write_text("".join(f"{number:05d}\n" for number in range(1000)))
    command = ["train", "text.txt", "--steps", 2, "--hidden", 8, "--log", log, "-q"]
    done = charlstm(*command, cwd=tmp_path, env={"PYTHONWARNINGS": "always::ResourceWarning"})
    given_up = "charlstm: the log cannot be written and is given up: No space left on device\n"
    assert (done.returncode, done.stderr) == (0, given_up if log == "/dev/full" else "")


@pytest.mark.parametrize(("named", "said"), [("-", "standard input"), ("/dev/stdin", "a pipe"), ("b", "the file b")])
def test_what_the_figure_is_of_is_called_a_file_where_it_is_one(named: str, said: str, tmp_path: Path) -> None:
    for name in ("text.txt", "b"):
        (tmp_path / name).write_text(TEXT)
    done = charlstm("train", "text.txt", "--val", named, "--steps", 2, "--hidden", 8, input=TEXT, cwd=tmp_path)
    assert f"characters of {said})" in done.stderr


def test_a_log_never_becomes_a_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "one.txt").write_text(TEXT)
    train = ["train", "texts", "-o", "m.safetensors", "--steps", 2, "--hidden", 8, "-q"]
    done = charlstm(*train, "--log", "texts/log.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert "--log" in done.stderr
    assert files(tmp_path / "texts") == {"one.txt"}
    assert charlstm(*train, "--log", "log.jsonl", cwd=tmp_path).returncode == 0


def test_resuming_heeds_no_setting_that_is_typed(tmp_path: Path) -> None:
    done = charlstm("train", "-o", "m.safetensors", "--resume", "--val-fraction", 0.2, cwd=tmp_path)
    assert done.returncode == 2
    assert "leave out --val-fraction\n" in done.stderr


def test_a_terminal_gets_a_live_display_and_a_pipe_gets_lines(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    drawn = on_a_terminal("train", "text.txt", "--steps", 40, "--hidden", 16, cwd=tmp_path)
    assert "\x1b[" in drawn
    assert "bits/char" in drawn
    dumb = on_a_terminal("train", "text.txt", "--steps", 40, "--hidden", 16, "--force", cwd=tmp_path, TERM="dumb")
    assert "\x1b" not in dumb
    assert "val " in dumb
    piped = charlstm("train", "text.txt", "--steps", 40, "--hidden", 16, "--force", cwd=tmp_path).stderr
    assert "\x1b" not in piped
    assert any("val" in line and "chars/s" in line for line in piped.splitlines())


def test_the_end_says_what_the_validation_figure_is_of(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "other.txt").write_text(TEXT[:2000])
    options = ["--steps", 2, "--hidden", 4, "-o", "m.safetensors", "--force"]
    said = charlstm("train", "text.txt", *options, cwd=tmp_path).stderr.splitlines()[-1]
    assert re.fullmatch(r"charlstm: validation: [\d.]+ bits per character on held-out text \(.+\), after \d+ s", said)
    assert said.count("characters") == 1
    said = charlstm("train", "text.txt", "--val-split", "end", *options, cwd=tmp_path).stderr.splitlines()[-1]
    assert "(the last " in said
    assert said.count("characters") == 1
    said = charlstm("train", "text.txt", "--val", "other.txt", *options, cwd=tmp_path).stderr.splitlines()[-1]
    assert "other.txt" in said
    (tmp_path / "other.txt").write_text("t")
    said = charlstm("train", "text.txt", "--val", "other.txt", *options, cwd=tmp_path).stderr.splitlines()[-1]
    assert "(1 character of the file other.txt)" in said


# ------------------------------------------------------------------------------------------ bytes


def test_bytes_are_called_bytes(tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 8)
    done = charlstm("train", "noise.bin", "--bytes", "--steps", 4, "--hidden", 8, cwd=tmp_path)
    assert done.returncode == 0
    assert "1,843 training bytes; about" in done.stderr
    assert "bits/byte" in done.stderr
    assert re.search(r"validation: [\d.]+ bits per byte on held-out text \(205 bytes in ", done.stderr)
    assert not re.search("character|char/|chars", done.stderr)
    refused = charlstm("train", "--resume", "--bytes", "-o", "noise.safetensors", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.endswith("the run that stopped; leave out --bytes\n")


@pytest.mark.parametrize("option", [["--encoding", "utf-8"], ["--normalize", "nfc"], ["--min-count", "2"]])
def test_what_is_about_characters_is_refused_beside_bytes(tmp_path: Path, option: list[str]) -> None:
    done = charlstm("train", "--bytes", *option, "-o", "m", input=TEXT, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith(f"all 256 bytes are known; leave out {option[0]}\n")


def test_a_cache_that_cannot_be_written_is_refused_before_the_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(b"\xff" * 1000)  # which would be refused, too
    for cache, reason in (("text.txt", "Not a directory"), ("text.txt/in", "Not a directory"), ("", "empty name")):
        done = charlstm("train", "text.txt", "--cache", cache, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (1 if cache else 2, 1)
        assert reason in done.stderr and "--cache" in done.stderr
    assert "text.txt" in charlstm("train", "text.txt", "--cache", "a/b", cwd=tmp_path).stderr
    assert files(tmp_path) == {"text.txt"}


def test_a_text_named_as_its_model_would_be_is_not_said_to_be_replaceable(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_text(TEXT)
    for options in ([], ["--force"]):
        done = charlstm("train", "a.safetensors", *options, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "this is the text" in done.stderr and "give another --output" in done.stderr
    assert (tmp_path / "a.safetensors").read_text() == TEXT


@pytest.mark.parametrize("options", [[], ["--force"], ["--resume"]])
def test_a_model_that_is_being_written_is_refused_before_the_text_is_read(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(b"\xff" * 1000)  # which would be refused, too
    (tmp_path / "m.resume").write_text("")  # as a run leaves one that saves on its way
    with locked(tmp_path / "m"):
        done = charlstm("train", "text.txt", "-o", "m", *options, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "another training writes it now" in done.stderr
    assert "another training" not in charlstm("train", "text.txt", "-o", "m", *options, cwd=tmp_path).stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a folder that somebody is in may not be removed")
def test_a_current_folder_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "gone").mkdir()
    train = f"{sys.executable} -m charlstm train {tmp_path}/text.txt --steps 1 -o {tmp_path}/m"
    done = subprocess.run(
        ["sh", "-c", f"cd {tmp_path}/gone && rmdir ../gone && {train}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "the folder that you are in is no longer there" in done.stderr


def test_a_log_that_cannot_be_written_is_refused_before_the_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(b"\xff" * 1000)  # which would be refused, too
    for log in ("missing/log", "."):
        done = charlstm("train", "text.txt", "--log", log, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert f"{log}: cannot write the log" in done.stderr
    assert "text.txt" in charlstm("train", "text.txt", "--log", "log", cwd=tmp_path).stderr
    assert files(tmp_path) == {"text.txt"}


@pytest.mark.parametrize("text", [[], ["-"]])
def test_a_model_of_standard_input_is_replaced_as_any_other(text: list[str], tmp_path: Path) -> None:
    small = ("--steps", 2, "--hidden", 4, "-q")
    assert charlstm("train", *text, *small, cwd=tmp_path, input=TEXT).returncode == 0
    refused = charlstm("train", *text, *small, cwd=tmp_path, input=TEXT)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "model.safetensors" in refused.stderr and "--force" in refused.stderr
    assert charlstm("train", *text, *small, "--force", cwd=tmp_path, input=TEXT).stdout == "model.safetensors\n"


def test_an_empty_name_of_a_validation_text_is_not_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "other.txt").write_text(TEXT)
    done = charlstm("train", "text.txt", "--val", "", "--steps", 2, "--hidden", 4, "-o", "m", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        1, "charlstm: error: cannot read a text with an empty name: give the name of a file or folder\n",
    )  # fmt: skip


@pytest.mark.parametrize("output", ["/", "//", "/."])
def test_a_model_is_no_root_folder(output: str, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    for options in (["text.txt"], ["--resume"]):
        done = charlstm("train", *options, "-o", output, cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr == f"charlstm: error: {output}: this names a folder; name a file with --output\n"

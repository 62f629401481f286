"""The command line as a user meets it: pipes, messages, exit statuses."""

from __future__ import annotations

import fcntl
import gzip
import json
import math
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import ALPHABET, ROOT, TEXT, Result, charlstm, random_model, wait_for

from charlstm.cli import main as cli

full_device = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")

Run = Callable[..., Result]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# ------------------------------------------------------------------------------------- it works


def test_the_three_commands_work_in_a_pipe(trained: Path) -> None:
    written = charlstm("sample", trained, "-n", 60, "--seed", 1, input="the cat ")
    assert written.returncode == 0
    assert written.stderr == ""
    assert written.stdout.startswith("the cat ")
    assert len(written.stdout) == 68
    figures = charlstm("eval", trained, "-", input=written.stdout)
    values = dict(line.split() for line in figures.stdout.splitlines())
    assert list(values) == [
        "characters", "bits_per_char", "nats_per_char", "perplexity", "bits_per_byte", "unknown",
    ]  # fmt: skip
    assert values["characters"] == "68"
    assert float(values["bits_per_char"]) < 2.0  # the sample looks like the text; a uniform guess costs 4.5


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
    (folder / "two.gz").write_bytes(gzip.compress(TEXT.encode()))
    options = ["--steps", 2, "--hidden", 8, "--quiet"]
    piped = charlstm("train", *options, input=gzip.compress(TEXT.encode()), cwd=tmp_path)
    assert piped.stdout == "model.safetensors\n"
    done = charlstm("train", "texts", *options, cwd=tmp_path)
    assert done.stdout == "texts.safetensors\n"
    described = json.loads(charlstm("info", "texts.safetensors", "--json", cwd=tmp_path).stdout)
    assert [source["characters"] for source in described["trained_on"]] == [len(TEXT), len(TEXT)]


def test_lines_are_records(tmp_path: Path) -> None:
    names = "".join(f"{a}{b}{c}\n" for a in "bdkm" for b in "aeiou" for c in ("lin", "ra", "ton"))
    (tmp_path / "names.txt").write_text(names * 5)
    train = charlstm("train", "names.txt", "--lines", "--steps", 60, "--hidden", 32, "-q", cwd=tmp_path)
    assert train.returncode == 0, train.stderr
    written = charlstm("sample", "names.safetensors", "--count", 8, "--seed", 1, cwd=tmp_path).stdout.splitlines()
    assert len(written) == 8
    assert all(1 <= len(name) <= 40 for name in written)
    assert len(set(written)) > 2


def test_prompt_given_leaves_standard_input_alone(model_path: Path) -> None:
    done = charlstm("sample", model_path, "abc", "-n", 0, input="this is not read")
    assert done.stdout == "abc"


def test_a_piped_prompt_loses_one_final_newline_only(model_path: Path) -> None:
    assert charlstm("sample", model_path, "-n", 0, input="ab\n\n").stdout == "ab\n"


def test_no_echo_writes_the_continuation_only(model_path: Path) -> None:
    both = charlstm("sample", model_path, "abc", "-n", 20, "--seed", 3).stdout
    alone = charlstm("sample", model_path, "abc", "-n", 20, "--seed", 3, "--no-echo").stdout
    assert both == "abc" + alone


def test_count_lines_and_json_write_the_same_samples(model_path: Path) -> None:
    options = ["-n", 12, "--seed", 5, "--stop", "\n", "--no-echo"]
    first, second = (json.loads(line) for line in charlstm(
        "sample", model_path, "ab", "--count", 2, "--json", *options).stdout.splitlines())  # fmt: skip
    one = charlstm("sample", model_path, "ab", *options).stdout
    assert first["text"] == one  # sample 0 of a seed is the same text whatever the count
    assert first["text"] != second["text"]
    lines = charlstm("sample", model_path, "--lines", *options, input="ab\nab\n").stdout
    assert lines == "".join(t["text"] if t["text"].endswith("\n") else t["text"] + "\n" for t in (first, second))


def test_an_unknown_character_in_the_prompt_is_named_and_it_goes_on(model_path: Path) -> None:
    done = charlstm("sample", model_path, "añb✓", "-n", 5)
    assert done.returncode == 0
    assert "ñ" in done.stderr
    assert "✓" in done.stderr
    assert done.stdout.startswith("añb✓")
    assert len(done.stdout) == 9


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


def test_a_hyphen_as_prompt_is_standard_input(model_path: Path) -> None:
    assert charlstm("sample", model_path, "-", "-n", 5, "--seed", 1, input="abc").stdout.startswith("abc")


def test_a_stop_text_that_can_never_come_is_said(model_path: Path) -> None:
    assert "--stop" in charlstm("sample", model_path, "a", "-n", 5, "--stop", "Ω").stderr


# --------------------------------------------------------------------------- names of files


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


# ----------------------------------------------------------------------- readers that leave


def test_a_reader_of_the_reports_that_leaves_does_not_end_a_training(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    train = f"exec {sys.executable} -m charlstm train text.txt --minutes 1 --hidden 8 -o m.safetensors"
    process = subprocess.Popen(
        ["bash", "-c", f"{train} 2> >(head -1 > seen)"], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "m.resume.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert {"m.safetensors", "m.resume.safetensors"} <= files(tmp_path)


def test_info_shows_what_is_in_the_file(trained: Path) -> None:
    output = charlstm("info", trained).stdout
    for expected in ("cell lstm", "layers 1", "hidden 48", "text.txt", "sha256", "result.val_bits_per_char"):
        assert expected in output


def test_same_seed_same_text_and_another_seed_another(model_path: Path) -> None:
    first, again, other = (charlstm("sample", model_path, "-n", 50, "--seed", s).stdout for s in (7, 7, 8))
    assert first == again != other


# ------------------------------------------------------------------------------- what goes wrong

NOT_UTF8 = TEXT.encode() + b"\xff" + TEXT.encode()

BAD_INPUT: list[tuple[list[object], int, str]] = [
    (["train", "missing.txt"], 1, "missing.txt"),
    (["train", "empty.txt"], 1, "empty"),
    (["train", "short.txt"], 1, "100"),
    (["train", "bare"], 1, "no text"),
    (["train", "latin.txt"], 1, f"byte {len(TEXT)}"),
    (["train", "text.txt", "-o", "there.safetensors"], 1, "--force"),
    (["train", "text.txt", "-o", "nowhere/x.safetensors"], 1, "nowhere"),
    (["train", "text.txt", "-o", "bare"], 1, "folder"),
    (["train", "text.txt", "-o", "text.txt", "--force"], 1, "one of the texts"),
    (["train", "text.txt", "-o", "text.safetensors", "--val", "there.resume.safetensors"], 1, "not utf-8"),
    (["train", "text.txt", "-o", "there"], 1, "unfinished run"),
    (["train", "text.txt", "-o", ""], 1, "--output"),
    (["train", "text.txt", "-o", "-"], 1, "--output"),
    (["train", "text.txt", "--log", "text.txt"], 2, "--log"),
    (["train", "text.txt", "--log", "nowhere/log"], 1, "the log"),
    (["train", "text.txt", "--encoding", "utf-16"], 1, "utf-16"),
    (["train", "text.txt", "--steps", 5, "--minutes", 1], 2, "--steps"),
    (["train", "text.txt", "--steps", 0], 2, "more than 0"),
    (["train", "text.txt", "--minutes", "nan"], 2, "more than 0"),
    (["train", "text.txt", "--hidden", 0], 2, "between 1"),
    (["train", "text.txt", "--dropout", 1.5], 2, "dropout"),
    (["train", "text.txt", "--encoding", "nonsense"], 2, "nonsense"),
    (["train", "text.txt", "--nonsense"], 2, "--nonsense"),
    (["train", "--resume", "-o", "other.safetensors"], 1, "no unfinished run"),
    (["train", "--resume", "-o", "other.safetensors", "--hidden", 9], 2, "leave out --hidden"),
    (["train", "text.txt", "--val", "empty.txt"], 1, "validation"),
    (["train", "text.txt", "--val", "short.txt", "--val-fraction", 0.2], 2, "contradict"),
    (["train", "text.txt", "-o", "m.resume.safetensors"], 1, "unfinished runs"),
    (["train", "text.txt", "-o", "new/"], 1, "names a folder"),
    (["train", "text.txt", "-o", "m.safetensors", "--log", "./m.safetensors"], 2, "own files"),
    (["train", "--resume", "-o", "other.safetensors", "--minutes", -1], 2, "more than 0"),
    (["sample", "missing.safetensors"], 1, "missing.safetensors"),
    (["sample", "text.txt"], 1, "not a charlstm model"),
    (["sample", "bare"], 1, "not a charlstm model"),
    (["sample", "cut.safetensors"], 1, "cut.safetensors"),
    (["sample", "there.safetensors", "-t", -1], 2, "temperature"),
    (["sample", "there.safetensors", "--top-p", 2], 2, "top-p"),
    (["sample", "there.safetensors", "--stop", ""], 2, "stop"),
    (["sample", "there.safetensors", "x", "--lines"], 2, "--lines"),
    (["sample"], 2, "MODEL"),
    (["eval", "there.safetensors", "missing.txt"], 1, "missing.txt"),
    (["eval", "there.safetensors"], 1, "empty"),
    (["eval", "there.safetensors", "--lines", "--chars"], 2, "contradict"),
    (["eval", "there.safetensors", "--heatmap", "--json"], 2, "--chars --json"),
    (["eval", "there.safetensors", "--against", "./there.safetensors"], 2, "twice"),
    (["eval", "there.safetensors", "--dynamic", "--lines"], 2, "--dynamic"),
    (["eval", "there.safetensors", "latin.txt"], 1, "--encoding"),
    (["info", "text.txt"], 1, "not a charlstm model"),
    (["nonsense"], 2, "nonsense"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), BAD_INPUT, ids=lambda v: str(v)[:60])
def test_bad_input_gets_one_clear_message_and_leaves_nothing(
    tmp_path: Path, arguments: list[object], status: int, message: str
) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "short.txt").write_text("too short")
    (tmp_path / "latin.txt").write_bytes(NOT_UTF8)
    (tmp_path / "bare").mkdir()
    random_model().save(tmp_path / "there.safetensors")
    random_model().save(tmp_path / "there.resume")
    random_model().save(tmp_path / "there.resume.safetensors")
    whole = (tmp_path / "there.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-100])
    before = files(tmp_path)
    done = charlstm(*arguments, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert files(tmp_path) == before
    assert (tmp_path / "there.safetensors").read_bytes() == whole
    if status == 1:
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["sample M a -n 5", "sample M a --json", "eval M text.txt",
                                     "eval M text.txt --json", "eval M text.txt --lines", "info M"])  # fmt: skip
@full_device
@pytest.mark.parametrize("stream", [">/dev/full", ">&-"])
def test_output_that_goes_nowhere_is_an_error(tmp_path: Path, command: str, stream: str) -> None:
    random_model().save(tmp_path / "M")
    (tmp_path / "text.txt").write_text("abc\nabc\n")
    line = f"exec {sys.executable} -m charlstm {command} {stream}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False, input=""
    )
    assert done.returncode == 1
    assert done.stderr.startswith("charlstm: error: standard output")
    assert len(done.stderr.splitlines()) == 1


def test_closed_standard_error_does_not_stop_a_training(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    line = f"exec {sys.executable} -m charlstm train text.txt --steps 2 --hidden 8 2>&-"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert (done.returncode, done.stdout) == (0, "text.safetensors\n")


def test_no_prompts_write_no_samples(model_path: Path) -> None:
    assert charlstm("sample", model_path, "--lines", "-n", 5, input="").stdout == ""


def test_the_log_holds_every_report_as_json(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    done = charlstm("train", "text.txt", "--steps", 20, "--hidden", 8, "--log", "log.jsonl", "-q", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")  # quiet is quiet
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["fraction"] == 1.0
    assert all(row["train_bits"] > 0 for row in rows)


def test_a_budget_too_small_to_learn_anything_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    done = charlstm("train", "text.txt", "--minutes", 0.001, "--hidden", 8, cwd=tmp_path)
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


def test_dynamic_figures_stand_beside_the_static_ones(trained: Path) -> None:
    figures = json.loads(charlstm("eval", trained, "--dynamic", "--json", input="a hen is a cow\n" * 80).stdout)
    assert figures["dynamic_bits_per_char"] < figures["bits_per_char"]  # what repeats is learnt
    assert (
        figures["bits_per_char"]
        == json.loads(charlstm("eval", trained, "--json", input="a hen is a cow\n" * 80).stdout)["bits_per_char"]
    )


def test_standard_input_closed_is_no_traceback(model_path: Path) -> None:
    command = f"exec {sys.executable} -m charlstm eval {model_path} <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "closed" in done.stderr


def test_a_reader_that_leaves_ends_the_writer_quietly(model_path: Path) -> None:
    command = f"{sys.executable} -m charlstm sample {model_path} -n 100000000 | head -c 20"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    assert len(done.stdout) == 20
    assert done.stderr == ""


def test_characters_appear_as_they_are_made(model_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "charlstm", "sample", str(model_path), "-n", "1000000000"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout
        assert len(process.stdout.read(50)) == 50  # long before the sample is done
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (130, -signal.SIGINT)


def test_ctrl_c_ends_a_writer_that_nobody_reads_from(model_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "charlstm", "sample", str(model_path), "-n", "1000000000"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout
        process.stdout.read(1)
        last, now = -1, 0
        while now != last:  # until the pipe is full and the writer waits
            time.sleep(0.5)
            last, now = now, int.from_bytes(fcntl.ioctl(process.stdout, termios.FIONREAD, b"\0" * 4), sys.byteorder)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


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
    assert "cannot read" in done.stderr


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


def test_a_file_that_is_opened_never_becomes_standard_error(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    command = f"exec {sys.executable} -m charlstm train text.txt --log l.jsonl --minutes 1 --hidden 8 0<&- 1>&- 2>&-"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(["bash", "-c", command], cwd=tmp_path, env=environment) as process:
        wait_for(tmp_path / "text.resume.safetensors", process)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    for line in (tmp_path / "l.jsonl").read_text().splitlines():
        json.loads(line)


@pytest.mark.parametrize("options", [["loop"], ["--resume", "-o", "loop"], ["text.txt", "--log", "loop"]])
def test_a_link_to_itself_is_a_clear_error(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "text.txt").write_text(TEXT)
    done = charlstm("train", *options, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "loop" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_samples_that_are_made_together(model_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "charlstm", "sample", str(model_path), "--count", "4", "-n", "1000000"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT,
    ) as process:  # fmt: skip
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 130


def test_text_of_any_locale_is_written_as_utf8(tmp_path: Path) -> None:
    random_model("añ日\n").save(tmp_path / "m.safetensors")
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = charlstm("sample", tmp_path / "m.safetensors", "日", "-n", 30, "--seed", 1, env=environment)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout) <= set("añ日\n")


def on_a_terminal(*arguments: object, cwd: Path) -> str:
    """Run the command line with standard output and error on a pseudo terminal; give what it drew."""
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "charlstm", *map(str, arguments)],
        stdin=subprocess.DEVNULL, stdout=secondary, stderr=secondary, cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
    )  # fmt: skip
    os.close(secondary)
    drawn = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            piece = os.read(primary, 65536)
        except OSError:
            break
        if not piece:
            break
        drawn += piece
    os.close(primary)
    assert process.wait(20) == 0, drawn
    return drawn.decode()


def test_control_characters_reach_no_terminal_raw(tmp_path: Path) -> None:
    alphabet = "\x1b\x07\x9b[2Jab"
    random_model(alphabet).save(tmp_path / "m.safetensors")
    options = ["sample", tmp_path / "m.safetensors", "-n", 300, "--seed", 1]
    piped = charlstm(*options).stdout
    assert "\x1b" in piped  # as it is when piped
    drawn = on_a_terminal(*options, cwd=tmp_path)
    assert not set(drawn) & {"\x1b", "\x07", "\x9b"}
    assert "\u241b" in drawn


def test_a_terminal_gets_a_live_display_and_a_pipe_gets_lines(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    drawn = on_a_terminal("train", "text.txt", "--steps", 40, "--hidden", 16, cwd=tmp_path)
    assert "\x1b[" in drawn
    assert "bits/char" in drawn
    piped = charlstm("train", "text.txt", "--steps", 40, "--hidden", 16, "--force", cwd=tmp_path).stderr
    assert "\x1b" not in piped
    assert any("val" in line and "chars/s" in line for line in piped.splitlines())


def test_a_hostile_description_is_shown_harmless(tmp_path: Path) -> None:
    file = random_model(ALPHABET)
    file.trained_on = [{"name": "\x1b]0;owned\x07", "sha256": "x"}]
    file.result = {"\x1b[31m": ["\x1b"], "curve": [{"val": "x"}, 7, None]}
    file.save(tmp_path / "m.safetensors")
    done = charlstm("info", tmp_path / "m.safetensors")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


@pytest.mark.parametrize("command", ["train", "sample", "eval", "info"])
def test_help_opens_with_a_pipe_that_works(command: str) -> None:
    done = charlstm(command, "--help")
    assert done.returncode == 0
    assert f"\n    charlstm {command}" in done.stdout  # on a line of its own, ready to be copied
    assert "\\b" not in done.stdout


# ------------------------------------------------------------------------------- what a reviewer found


@full_device
def test_standard_error_that_cannot_be_written_does_not_end_a_training(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "charlstm", "train", "text.txt", "--steps", "20", "--hidden", "8"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=full, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"text.safetensors\n")


def test_a_log_never_becomes_a_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "one.txt").write_text(TEXT)
    train = ["train", "texts", "-o", "m.safetensors", "--steps", 2, "--hidden", 8, "-q"]
    done = charlstm(*train, "--log", "texts/log.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert "--log" in done.stderr
    assert files(tmp_path / "texts") == {"one.txt"}
    assert charlstm(*train, "--log", "log.jsonl", cwd=tmp_path).returncode == 0


def test_resuming_heeds_no_text_that_is_typed(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text(TEXT)
    done = charlstm("train", "other.txt", "-o", "m.safetensors", "--resume", cwd=tmp_path)
    assert done.returncode == 2
    assert "leave out TEXT" in done.stderr
    done = charlstm("train", "-o", "m.safetensors", "--resume", "--val", "other.txt", cwd=tmp_path)
    assert "leave out --val\n" in done.stderr


def test_the_characters_of_a_model_of_lines_cost_what_its_lines_cost(tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    random_model(lines=True).save(model)
    text = "abc\nfed\n\nhg\n"
    whole = json.loads(charlstm("eval", model, "--json", input=text).stdout)
    rows = [json.loads(row) for row in charlstm("eval", model, "--chars", "--json", input=text).stdout.splitlines()]
    assert "".join(row["char"] for row in rows) == text
    assert sum(row["bits"] for row in rows) == pytest.approx(whole["bits_per_char"] * len(text), rel=1e-6)
    assert charlstm("eval", model, "--dynamic", input=text).returncode == 2


@full_device
def test_a_heat_map_that_goes_nowhere_is_an_error(trained: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "charlstm", "eval", str(trained), "--heatmap"], input=b"a hen\n",
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert b"standard output" in done.stderr


def test_too_little_memory_is_said_and_not_traced(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 68719476736 bytes.")

    monkeypatch.setattr("charlstm.training.run.prepare", refuse)
    monkeypatch.setattr(sys, "argv", ["charlstm", "train", str(tmp_path / "text.txt")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "--hidden" in capsys.readouterr().err


def test_a_curve_of_nonsense_is_not_drawn() -> None:
    for value in (math.inf, math.nan, 10**400, "1", None):
        assert not cli._is_point({"val": value})
    assert cli._is_point({"val": 2.5})

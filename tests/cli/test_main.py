"""The command line as a user meets it: pipes, messages, exit statuses."""

from __future__ import annotations

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
    command_line,
    files,
    full_device,
    random_model,
    wait_for,
)

from charlstm.models import tensor_file

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
    (["train", "text.txt", "-o", "text.txt", "--force"], 1, "is no model"),
    (["train", "text.txt", "-o", "text.safetensors", "--val", "there.resume.safetensors"], 1, "this is a model"),
    (["train", "text.txt", "-o", "there"], 1, "unfinished run"),
    (["train", "text.txt", "-o", ""], 1, "--output"),
    (["train", "text.txt", "-o", "-"], 1, "--output"),
    (["train", "text.txt", "--steps", "2", "--log", "text.txt"], 1, "is no log"),
    (["train", "text.txt", "--steps", "2", "--log", "nowhere/log"], 1, "the log"),
    (["train", "text.txt", "--steps", "2", "--log", "there.safetensors"], 1, "is no log"),
    (["train", "text.txt", "--steps", "2", "--log", "-"], 2, "--log needs a file"),
    (["train", "text.txt", "--sample-every", "nan"], 2, "sample-every is nan"),
    (["train", "text.txt", "--sample-every", 1, "--quiet"], 2, "contradict"),
    (["train", "text.txt", "-o", "short.txt", "--force"], 1, "is no model"),
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
    (["train", "text.txt", "--val", "short.txt", "--val-split", "end"], 2, "--val-split contradict"),
    (["train", "--val", "-"], 2, "name a file for one"),
    (["train", "text.txt", "-o", "m.resume.safetensors"], 1, "unfinished runs"),
    (["train", "text.txt", "-o", "new/"], 1, "names a folder"),
    (["train", "text.txt", "--steps", "2", "-o", "m.safetensors", "--log", "./m.safetensors"], 2, "own files"),
    (["train", "--resume", "-o", "other.safetensors", "--minutes", -1], 2, "more than 0"),
    (["sample", "missing.safetensors"], 1, "missing.safetensors"),
    (["sample", "text.txt"], 1, "not a charlstm model"),
    (["sample", "bare"], 1, "not a charlstm model"),
    (["sample", "cut.safetensors"], 1, "cut.safetensors"),
    (["sample", "there.safetensors", "-t", -1], 2, "temperature"),
    (["sample", "there.safetensors", "--top-p", 2], 2, "top-p"),
    (["sample", "there.safetensors", "--stop", ""], 2, "stop"),
    (["sample", "there.safetensors", "x", "--lines"], 2, "--lines"),
    (["sample", "there.safetensors", "x", "--encoding", "nonsense"], 2, "nonsense"),
    (["sample"], 2, "MODEL"),
    (["eval", "there.safetensors", "missing.txt"], 1, "missing.txt"),
    (["eval", "there.safetensors"], 1, "empty"),
    (["eval", "there.safetensors", "--lines", "--chars"], 2, "contradict"),
    (["eval", "there.safetensors", "--heatmap", "--json"], 2, "--chars --json"),
    (["eval", "there.safetensors", "--against", "./there.safetensors"], 2, "twice"),
    (["eval", "there.safetensors", "--dynamic", "--lines"], 2, "--dynamic"),
    (["eval", "there.safetensors", "latin.txt"], 1, "--encoding"),
    (["inspect", "there.safetensors", "text.txt", "--html", "-"], 2, "--html needs a file"),
    (["info", "text.txt"], 1, "not a charlstm model"),
    (["nonsense"], 2, "nonsense"),
]


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
    for state in ("there.resume", "there.resume.safetensors"):
        tensor_file.write(tmp_path / state, {}, {"resume": {}})
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


def test_a_file_that_is_opened_never_becomes_standard_error(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    command = f"exec {sys.executable} -m charlstm train text.txt --log log --steps 1000000 --hidden 8 0<&- 1>&- 2>&-"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(["bash", "-c", command], cwd=tmp_path, env=environment) as process:
        wait_for(tmp_path / "log", process)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    for line in (tmp_path / "log").read_text().splitlines():
        json.loads(line)


@pytest.mark.parametrize(
    "options", [["loop"], ["--resume", "-o", "loop"], ["text.txt", "--steps", "2", "--log", "loop"]]
)
def test_a_link_to_itself_is_a_clear_error(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "text.txt").write_text(TEXT)
    done = charlstm("train", *options, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "loop" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["train", "sample", "eval", "info"])
def test_help_opens_with_a_pipe_that_works(command: str) -> None:
    done = charlstm(command, "--help")
    assert done.returncode == 0
    assert f"\n    charlstm {command}" in done.stdout  # on a line of its own, ready to be copied
    assert "\\b" not in done.stdout


@full_device
def test_standard_error_that_cannot_be_written_does_not_end_a_training(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*command_line(), "train", "text.txt", "--steps", "20", "--hidden", "8"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=full, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"text.safetensors\n")


CHAPTER = "Once upon a time there was a hen; she sang.\n" * 200


@pytest.mark.parametrize("text", ["Hello", "The cat sat on the mat.", CHAPTER, CHAPTER.replace("\n", " / ")])
@pytest.mark.parametrize("command", [["train"], ["train", "-o", "m.safetensors"], ["eval", "M"], ["eval", "M", "M"]])
def test_a_text_where_a_file_is_meant_gets_one_short_line_that_says_how(
    command: list[str], text: str, tmp_path: Path
) -> None:
    random_model().save(tmp_path / "M")
    done = charlstm(*command, text, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr) < 300
    assert done.stderr.count("\n") == 1
    assert "pipe it in" in done.stderr
    assert "write" not in done.stderr.replace("written", "")  # of an output that nobody named
    assert files(tmp_path) == {"M"}


@pytest.mark.parametrize("command", [["sample"], ["eval"], ["info"], ["train", "text.txt", "-o"],
                                     ["train", "text.txt", "--init-from"],
                                     ["train", "text.txt", "--steps", "2", "--log"]])  # fmt: skip
def test_no_message_repeats_a_whole_chapter(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    done = charlstm(*command, CHAPTER, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr) < 330
    assert "Once upon a time" in done.stderr


INTERRUPTED = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)

wanted = sys.argv[1]
sys.meta_path.insert(0, Interrupt())
signal.signal(signal.SIGINT, signal.default_int_handler)
from charlstm.cli.main import main
sys.argv[:2] = ["charlstm"]
main()
print("not interrupted")
"""


@pytest.mark.parametrize(
    "module", ["charlstm.cli.process", "click", "charlstm.cli.train", "numpy", "torch", "charlstm.training.trainer"]
)
def test_ctrl_c_while_anything_is_loaded_ends_with_130_and_no_traceback(module: str, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, module, "train", "text.txt", "--steps", "1", "--hidden", "4"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interrupt_that_a_script_ignores_stays_ignored(model_path: Path) -> None:
    command = f"trap '' INT; {sys.executable} -m charlstm sample {model_path} ñ -n 100000000 | head -c 100"
    with subprocess.Popen(["sh", "-c", command], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout
        assert process.stdout.read(1)
        os.killpg(process.pid, signal.SIGINT)
        assert len(process.stdout.read()) >= 98  # it wrote on until its reader left


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are heeded elsewhere in other ways")
@pytest.mark.parametrize("command", ["eval M text.txt", "sample M a -n 5", "info M"])
@pytest.mark.parametrize("megabytes", [20, 40, 66, 96, 105, 120, 136, 150, 190, 210, 245])
def test_too_little_memory_at_any_stage_is_one_line(command: str, megabytes: int, tmp_path: Path) -> None:
    # A large model that hardly fits; with more room a long text, that threads would share if there were room for them.
    hidden, lines = (512, 500) if megabytes < 160 else (16, 20_000)
    random_model(layers=3, hidden=hidden).save(tmp_path / "M")
    (tmp_path / "text.txt").write_text("abc\n" * lines)
    limited = f"ulimit -v {megabytes * 1024}; exec {sys.executable} -m charlstm {command}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    environment["PYTHONPATH"] = str(ROOT)  # and no measuring, which itself needs more memory than there is
    done = subprocess.run(
        ["sh", "-c", limited], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in (0, 1)
    assert len(done.stderr.splitlines()) == done.returncode, done.stderr
    assert re.match("charlstm: error: .*memory", done.stderr) or not done.returncode


def test_neither_a_home_nor_a_locale_nor_a_path_is_needed(model_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "charlstm", "sample", str(model_path), "abc", "-n", "0"],
        cwd=ROOT, env={"HOME": "/nonexistent"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "abc", "")

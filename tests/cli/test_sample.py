"""`charlstm sample`: prompts in, texts out, at once, and ended by whoever stops reading."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import (
    ALPHABET,
    ROOT,
    charlstm,
    charlstm_in_bytes,
    on_a_terminal,
    random_model,
    wait_until,
)


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


@pytest.mark.parametrize("options", [[], ["--stop"]], ids=str)
def test_the_names_of_many_unknown_characters_take_one_short_line(options: list[str], tmp_path: Path) -> None:
    random_model("ae\u00e8").save(tmp_path / "m.safetensors")
    marks = "e\u0300" + "".join(map(chr, range(0xFE00, 0xFE10)))
    done = charlstm("sample", "m.safetensors", "-n", 0, *options, marks, cwd=tmp_path)
    assert len(done.stderr) < 300
    assert done.stderr.count("\n") == 1
    assert " more" in done.stderr
    marks = "e\u0300" * 2
    assert "--normalize nfc" in charlstm("sample", "m.safetensors", "-n", 0, *options, marks, cwd=tmp_path).stderr


def test_a_hyphen_as_prompt_is_standard_input(model_path: Path) -> None:
    assert charlstm("sample", model_path, "-", "-n", 5, "--seed", 1, input="abc").stdout.startswith("abc")


def test_a_stop_text_that_can_never_come_is_said(model_path: Path) -> None:
    assert "--stop" in charlstm("sample", model_path, "a", "-n", 5, "--stop", "Ω").stderr


def test_same_seed_same_text_and_another_seed_another(model_path: Path) -> None:
    first, again, other = (charlstm("sample", model_path, "-n", 50, "--seed", s).stdout for s in (7, 7, 8))
    assert first == again != other


def test_no_prompts_write_no_samples(model_path: Path) -> None:
    assert charlstm("sample", model_path, "--lines", "-n", 5, input="").stdout == ""


def test_characters_appear_as_they_are_made(model_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "charlstm", "sample", str(model_path), "-n", "1000000000"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout
        assert len(process.stdout.read(50)) == 50  # long before the sample is done
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_ctrl_c_ends_a_writer_that_nobody_reads_from(model_path: Path) -> None:
    reader, writer = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # as small as can be: it is soon full
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with subprocess.Popen(
        [sys.executable, "-m", "charlstm", "sample", str(model_path), "-n", "1000000000"],
        stdin=subprocess.DEVNULL, stdout=writer, cwd=ROOT,
    ) as process:  # fmt: skip
        wait_until(lambda: not select.select([], [writer], [], 0)[1], process)  # the pipe is full and the writer waits
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    os.close(reader)
    os.close(writer)


def test_ctrl_c_ends_samples_that_are_made_together(model_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "charlstm", "sample", str(model_path), "ñ", "--count", "4", "-n", "1000000"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stderr
        assert "ñ" in process.stderr.readline().decode()  # the last thing that is said before it writes
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_text_of_any_locale_is_written_as_utf8(tmp_path: Path) -> None:
    random_model("añ日\n").save(tmp_path / "m.safetensors")
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = charlstm("sample", tmp_path / "m.safetensors", "日", "-n", 30, "--seed", 1, env=environment)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout) <= set("añ日\n")


def test_control_characters_reach_no_terminal_raw(tmp_path: Path) -> None:
    alphabet = "\x1b\x07\x9b[2Jab"
    random_model(alphabet).save(tmp_path / "m.safetensors")
    options = ["sample", tmp_path / "m.safetensors", "-n", 300, "--seed", 1]
    piped = charlstm(*options).stdout
    assert "\x1b" in piped  # as it is when piped
    drawn = on_a_terminal(*options, cwd=tmp_path)
    assert not set(drawn) & {"\x1b", "\x07", "\x9b"}
    assert "\u241b" in drawn


# ------------------------------------------------------------------------- what people type


@pytest.mark.parametrize("alphabet", [ALPHABET, ALPHABET + "\\"])  # a model of program text knows the backslash
@pytest.mark.parametrize(("options", "where"), [(["a\\nb"], "the prompt"), (["a", "--stop", "\\n"], "--stop")])
def test_a_typed_backslash_n_is_said_to_be_one(alphabet: str, options: list[str], where: str, tmp_path: Path) -> None:
    random_model(alphabet).save(tmp_path / "M")
    done = charlstm("sample", "M", *options, "-n", 3, cwd=tmp_path)
    assert done.returncode == 0
    assert f"{where} holds a backslash and a letter, \\n; for a newline write $'\\n', or give -e" in done.stderr


def test_escapes_are_read_where_asked(model_path: Path) -> None:
    done = charlstm("sample", model_path, "a\\nb\\x63", "-e", "-n", 0)
    assert (done.stdout, done.stderr) == ("a\nbc", "")
    options = ["-n", 300, "--seed", 1, "--no-echo"]
    typed = charlstm("sample", model_path, "-e", "--stop", "\\n", *options).stdout
    assert typed == charlstm("sample", model_path, "--stop", "\n", *options).stdout
    assert typed.endswith("\n")
    assert charlstm("sample", model_path, "--lines", "-e", "-n", 0, input="a\\nb\nc").stdout == "a\nb\nc\n"
    assert charlstm("sample", model_path, "-e", "a\\q").returncode == 2


def test_piped_text_of_a_language_with_backslashes_gets_no_advice(tmp_path: Path) -> None:
    random_model(ALPHABET + "\\n").save(tmp_path / "M")
    assert charlstm("sample", "M", "-n", 3, input="a\\nb", cwd=tmp_path).stderr == ""


@pytest.mark.parametrize("prompt", ["- a bad cab", "-abc", "-t he cab", "--- chapter", "-5"])
def test_a_prompt_with_a_leading_dash_is_told_how_to_be_typed(prompt: str, model_path: Path) -> None:
    done = charlstm("sample", model_path, prompt)
    assert done.returncode == 2
    assert "write -- before it" in done.stderr
    assert charlstm("sample", model_path, "-n", 0, "--", prompt).stdout == prompt


def test_a_misspelt_option_is_not_taken_for_a_prompt(model_path: Path) -> None:
    said = charlstm("sample", model_path, "--temprature", "1").stderr
    assert "--temperature" in said
    assert "write -- before it" not in said


def test_a_prompt_that_names_a_file_is_said_to_be_taken_as_a_text(model_path: Path) -> None:
    done = charlstm("sample", model_path, model_path.name, "-n", 0, cwd=model_path.parent)
    assert done.stdout == model_path.name
    assert f"< {model_path.name}" in done.stderr


def test_a_prompt_that_would_be_known_in_its_composed_form_is_told_so_and_can_be_read_so(tmp_path: Path) -> None:
    random_model("\ncaf\u00e9").save(tmp_path / "m.safetensors")
    done = charlstm("sample", "m.safetensors", "cafe\u0301", "-n", 5, "--seed", 1, "--no-echo", cwd=tmp_path)
    assert "U+0301 COMBINING ACUTE ACCENT" in done.stderr
    assert "give --normalize nfc" in done.stderr
    done = charlstm(
        "sample", "m.safetensors", "cafe\u0301", "-n", 5, "--seed", 1, "--no-echo", "--normalize", "nfc", cwd=tmp_path
    )
    composed = charlstm("sample", "m.safetensors", "caf\u00e9", "-n", 5, "--seed", 1, "--no-echo", cwd=tmp_path)
    assert (done.stdout, done.stderr) == (composed.stdout, "")


# ------------------------------------------------------------------------------------------ bytes


def test_a_model_trained_on_random_bytes_writes_raw_bytes_into_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(np.random.default_rng(1).bytes(3000))
    done = charlstm_in_bytes("train", "noise.bin", "--bytes", "--steps", 3, "--hidden", 8, "-q", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    drawn = charlstm_in_bytes("sample", "noise.safetensors", "-n", 400, "--seed", 1, cwd=tmp_path, env={"LC_ALL": "C"})
    assert (drawn.returncode, drawn.stderr) == (0, b"")
    assert len(drawn.stdout) == 400
    assert len(set(drawn.stdout)) > 150
    many = charlstm_in_bytes(
        "sample", "noise.safetensors", "-n", 400, "--seed", 1, "-c", 2, "--stop", b"\xff", cwd=tmp_path
    )
    assert many.returncode == 0
    assert many.stdout.startswith(drawn.stdout[: drawn.stdout.index(b"\xff") + 1])


def test_prompts_of_a_model_of_bytes_are_bytes(bytes_path: Path) -> None:
    for prompt in (b"\xff\xfe", "你".encode(), b"a\\n"):
        assert charlstm_in_bytes("sample", bytes_path, prompt, "-n", 0).stdout == prompt
        assert charlstm_in_bytes("sample", bytes_path, "-n", 0, input=prompt + b"\n").stdout == prompt
    typed = charlstm_in_bytes("sample", bytes_path, "-e", r"\xff\u4f60\n", "-n", 0)
    assert typed.stdout == b"\xff" + "你".encode() + b"\n"
    lines = charlstm_in_bytes("sample", bytes_path, "--lines", "-n", 0, input=b"\xff\r\n\x00\n")
    assert lines.stdout == b"\xff\r\n\x00\n"


def test_json_of_a_model_of_bytes_can_be_a_prompt_again(bytes_path: Path) -> None:
    prompt = "你\\".encode() + b"\xff"
    done = charlstm("sample", bytes_path, "--json", "-n", 50, "--seed", 1, input=prompt)
    record = json.loads(done.stdout)
    assert record["prompt"] == r"你\\\xff"
    again = charlstm_in_bytes("sample", bytes_path, "-e", record["prompt"] + record["text"], "-n", 0)
    assert again.stdout == charlstm_in_bytes("sample", bytes_path, "-n", 50, "--seed", 1, input=prompt).stdout


def test_a_terminal_gets_utf8_and_nothing_that_drives_it(bytes_path: Path) -> None:
    shown = on_a_terminal("sample", bytes_path, b"\xe4\xbd\xa0\x1b[2J\xff", "-n", 0, cwd=bytes_path.parent)
    assert shown.strip() == "你\u241b[2J\ufffd"


@pytest.mark.parametrize("option", [("--encoding", "utf-8"), ("--encoding-errors", "replace"), ("--normalize", "nfc")])
@pytest.mark.parametrize("command", ["sample", "eval", "inspect"])
def test_what_is_about_characters_is_refused_by_a_model_of_bytes(
    bytes_path: Path, command: str, option: tuple[str, str]
) -> None:
    done = charlstm(command, bytes_path, *option, input="abc")
    assert done.returncode == 2
    assert (
        done.stderr
        == f"charlstm: error: this is a model of bytes, which reads a text as it is; leave out {option[0]}\n"
    )


def test_a_prompt_that_names_a_file_is_answered_with_what_a_shell_can_read(tmp_path: Path) -> None:
    random_model("it's \n").save(tmp_path / "M")
    (tmp_path / "it's it").write_text("it")
    done = charlstm("sample", "M", "it's it", "-n", 0, cwd=tmp_path)
    command = done.stderr.removesuffix("\n").partition("what that holds: ")[2]
    assert subprocess.run(["sh", "-c", f"cat {command}"], cwd=tmp_path, capture_output=True, text=True).stdout == "it"


def test_a_prompt_or_stop_text_that_is_not_utf_8_is_shown_as_it_was_typed(model_path: Path) -> None:
    for options in ([b"caf\xe9"], ["a", "--stop", b"caf\xe9"]):
        done = charlstm("sample", model_path, *options)
        assert done.returncode == 2
        assert done.stderr.startswith(r"charlstm: error: b'caf\xe9' is not UTF-8")

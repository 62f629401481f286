"""Compressed files, pipes and standard input: known by what they hold, read to their end, given on as they come."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import read_source, with_unix_line_ends, within, write_file

from charlstm.data.reading import TextSource
from charlstm.errors import TextError

TEXT = "the cat sat on the mat and the dog did not\n" * 30

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}

every_packer = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())


@every_packer
@pytest.mark.parametrize("name", ["t.txt", "t", "t.gz", "t.xz"])
def test_packed_text_is_known_by_its_first_bytes_whatever_its_name(
    pack: Callable[[bytes], bytes], name: str, tmp_path: Path
) -> None:
    raw = ("\ufeffcaf\u00e9\r\n" + TEXT).encode()
    found, source = read_source(write_file(tmp_path / name, pack(raw)))
    assert found == "caf\u00e9\n" + TEXT
    assert source.bytes == len(raw)
    assert source.facts("t")["sha256"] == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("text", ["BZ is no archive", "BZhoro", "\x1f is a control", ""])
def test_text_that_starts_almost_like_an_archive_is_text(text: str, tmp_path: Path) -> None:
    path = write_file(tmp_path / "t.gz", text)
    assert read_source(path)[0] == text


@every_packer
@pytest.mark.parametrize("left", [12, 20, 0.5, -1])
def test_packed_text_cut_short_is_an_error(pack: Callable[[bytes], bytes], left: float, tmp_path: Path) -> None:
    whole = pack(np.random.default_rng(0).integers(32, 127, 5000).astype(np.uint8).tobytes())
    end = round(len(whole) * left) if left == 0.5 else int(left)
    with pytest.raises(TextError, match=r"t\.txt"):
        read_source(write_file(tmp_path / "t.txt", whole[:end]))


@every_packer
def test_packed_text_with_a_damaged_middle_is_an_error(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    whole = bytearray(pack(np.random.default_rng(0).integers(32, 127, 5000).astype(np.uint8).tobytes()))
    for place in range(len(whole) // 2, len(whole) // 2 + 20):
        whole[place] ^= 0x55
    with pytest.raises(TextError):
        read_source(write_file(tmp_path / "t", bytes(whole)))


def test_gzip_whose_content_makes_no_sense_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="damaged"):
        read_source(write_file(tmp_path / "t", gzip.compress(b"text")[:10] + b"\xff" * 50))


def test_several_packed_texts_in_one_file_are_read_to_the_end(tmp_path: Path) -> None:
    for number, pack in enumerate(PACKERS.values()):
        assert read_source(write_file(tmp_path / str(number), pack(b"one\n") + pack(b"two\n")))[0] == "one\ntwo\n"


def feed(path: Path, parts: list[bytes]) -> threading.Thread:
    """Write to a named pipe, each part as a write of its own."""
    taken = threading.Event()

    def writer() -> None:
        with contextlib.suppress(BrokenPipeError), open(path, "wb", buffering=0) as stream:
            for part in parts:
                stream.write(part)
                taken.wait(0.05)

    thread = threading.Thread(target=writer, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "parts",
    [
        [b"one\ntwo"],
        [b"caf\xc3", b"\xa9\r", b"\n", b"x"],
        [gzip.compress(b"packed")],
        [gzip.compress(b"packed")[:1], gzip.compress(b"packed")[1:]],
        [lzma.compress(b"packed")[:3], lzma.compress(b"packed")[3:]],
    ],
    ids=["text", "text in pieces", "packed", "packed, its first byte alone", "packed, its magic number in two"],
)
def test_a_named_pipe_can_be_read_however_it_is_written(parts: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = feed(path, parts)
    found = within(10, lambda: "".join(TextSource(path)))
    writer.join(10)
    raw = b"".join(parts)
    assert found == ("packed" if raw[:1] in b"\x1f\xfd" else with_unix_line_ends(raw.decode()))


def test_text_from_a_pipe_is_given_on_before_the_pipe_ends(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    go_on = threading.Event()

    def writer() -> None:
        with open(path, "wb", buffering=0) as stream:
            stream.write(b"first\n")
            go_on.wait(10)
            stream.write(b"second\n")

    threading.Thread(target=writer, daemon=True).start()
    source = iter(TextSource(path))
    assert within(10, lambda: next(source)) == "first\n"
    go_on.set()
    assert within(10, lambda: list(source)) == ["second\n"]


@pytest.mark.parametrize("first", [b"", b"a", TEXT.encode()])
def test_a_pause_of_a_pipe_that_does_not_block_is_no_end(first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program that had the pipe before may have left it so."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(reading) as reader, os.fdopen(writing, "wb", buffering=0) as writer:
        monkeypatch.setattr(sys, "stdin", reader)
        source = TextSource("-")

        def write_the_rest() -> None:
            writer.write(b"the rest")
            writer.close()

        threading.Timer(0.2, write_the_rest).start()
        writer.write(first)
        assert within(30, lambda: "".join(source)) == first.decode() + "the rest"


def test_a_dash_is_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_file(tmp_path / "t", gzip.compress(b"\xef\xbb\xbfa\r\nb"))
    with open(path) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        source = TextSource("-")
        assert "".join(source) == "a\nb"
        assert source.name == "standard input"
        assert not stream.closed


@pytest.mark.parametrize("stream", [None, io.StringIO("text")])
def test_standard_input_that_cannot_be_read_is_a_text_error(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", stream)
    with pytest.raises(TextError, match="standard input"):
        list(TextSource("-"))

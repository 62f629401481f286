"""Bytes to text: nothing is lost or invented, whatever the pieces, and every surprise is told."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import itertools
import lzma
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers import corpus_of, read_source, with_unix_line_ends, with_whole_line_ends, write_file
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.data import reading, streams
from charlstm.data.reading import MOST_ALIKE, TextSource, ended, lines_of, read_pieces
from charlstm.errors import TextError, UsageError

quick = settings(deadline=None, derandomize=True, max_examples=150)
TEXT = "the cat sat on the mat and the dog did not\n" * 30
pieces = st.integers(8, 20)


# --------------------------------------------------------------------------------- marks and line ends


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\xef\xbb\xbfabc", "abc"),
        (b"\xef\xbb\xbf", ""),
        (b"\xef\xbb\xbf\r\n", "\n"),
        (b"a\xef\xbb\xbfb", "a\ufeffb"),
        (b"\xef\xbb\xbf\xef\xbb\xbfa", "\ufeffa"),
        (b"", ""),
    ],
)
def test_a_byte_order_mark_is_dropped_at_the_start_and_only_there(raw: bytes, text: str, tmp_path: Path) -> None:
    assert read_source(write_file(tmp_path / "t", raw))[0] == text


@pytest.mark.parametrize(
    ("raw", "text", "told"),
    [
        (b"a\nb\n", "a\nb\n", []),
        (b"a\r\nb\r\n", "a\nb\n", ["CRLF"]),
        (b"a\rb\r", "a\nb\n", ["CR "]),
        (b"a\r\rb", "a\n\nb", ["CR "]),
        (b"a\r\n\rb\n", "a\n\nb\n", ["CRLF", "CR "]),
        (b"\r", "\n", ["CR "]),
        (b"a\r\nb\r", "a\nb\n", ["CRLF"]),
        (b"a\x85b\xe2\x80\xa8c".replace(b"\x85", b"\xc2\x85"), "a\x85b\u2028c", []),
    ],
)
def test_line_ends_become_lf_and_it_is_said(raw: bytes, text: str, told: list[str], tmp_path: Path) -> None:
    found, source = read_source(write_file(tmp_path / "t", raw))
    assert found == text
    assert len(source.notes) == len(told)
    assert all(kind in note and "LF" in note for kind, note in zip(told, source.notes, strict=True))
    notes: list[str] = []
    assert "".join(read_pieces([tmp_path / "t"], note=notes.append)) == text
    assert notes == [f"{tmp_path / 't'}: {note}" for note in source.notes]


def test_of_many_texts_a_few_are_named_and_the_others_counted(tmp_path: Path) -> None:
    for number in range(30):
        write_file(tmp_path / f"{number:02d}.txt", b"one\r\n" + b"%d" % number)
    notes: list[str] = []
    list(read_pieces([tmp_path], note=notes.append))
    assert len(notes) == MOST_ALIKE + 1
    assert notes[-1] == f"{30 - MOST_ALIKE} more texts: line ends CRLF became LF"
    assert "00.txt: line ends" in notes[0]


@pytest.mark.parametrize(("head", "what"), [(b"{\\rtf1\\ansi", "RTF"), (b"%!PS-Adobe-3.0", "PostScript")])
def test_a_text_of_markup_is_read_and_that_is_said(head: bytes, what: str, tmp_path: Path) -> None:
    found, source = read_source(write_file(tmp_path / "t", head + b" and words"))
    assert found.encode() == head + b" and words"
    assert [what in note and "save the file as plain text" in note for note in source.notes] == [True]


def test_cr_and_lf_in_different_pieces_are_one_line_end(tmp_path: Path) -> None:
    size = streams.PIECE
    raw = b"a" * (size - 1) + b"\r\n" + b"b" * (size - 2) + b"\r" + b"c"
    found, source = read_source(write_file(tmp_path / "t", raw))
    assert found == "a" * (size - 1) + "\n" + "b" * (size - 2) + "\nc"
    assert [("CRLF" in note) for note in source.notes] == [True, False]


texts_with_line_ends = st.text(st.sampled_from("a\r\n\u00e9\u20ac\U0001f600\ufeff"), max_size=40)


@quick
@given(
    text=texts_with_line_ends,
    size=pieces,
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32", "gb18030"]),
)
def test_a_text_is_the_same_whatever_the_pieces(text: str, size: int, encoding: str, scratch: Path) -> None:
    scratch.write_bytes(text.encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PIECE", size)
        found, source = read_source(scratch, encoding)
    assert found == with_unix_line_ends(text.removeprefix("\ufeff"))
    assert source.characters == len(found)
    assert source.bytes == len(text.encode(encoding))
    assert any("CRLF" in note for note in source.notes) == ("\r\n" in text)
    assert any("ends CR " in note for note in source.notes) == ("\r" in with_whole_line_ends(text).replace("\r\n", ""))


def test_a_text_is_normalized_where_that_is_asked_for(tmp_path: Path) -> None:
    path = write_file(tmp_path / "t", "cafe\u0301\n")
    source = TextSource(path, normalize="nfc")
    assert "".join(source) == "caf\u00e9\n"
    assert source.characters == 5


def test_a_lone_surrogate_never_gets_in(tmp_path: Path) -> None:
    with pytest.raises(TextError):
        read_source(write_file(tmp_path / "t", b"+2AA-"), "utf-7")


def test_what_is_named_twice_is_read_twice_where_nothing_is_learned_from_it(tmp_path: Path) -> None:
    first, other = write_file(tmp_path / "a", "one "), write_file(tmp_path / "b" / "c", "two ")
    (tmp_path / "b" / "d").symlink_to("c")
    told: list[str] = []
    found = "".join(read_pieces([first, tmp_path / "b", first, other], note=told.append))
    assert found == "one two one two "
    assert [os.path.basename(note.split(":")[0]) for note in told] == ["d"]  # below one folder, each file once


@pytest.mark.parametrize("errors", ["ignore", "nonsense", "surrogateescape"])
def test_errors_are_strict_or_replaced(errors: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="strict or replace"):
        corpus_of([write_file(tmp_path / "t", TEXT)], errors=errors)


def test_a_file_that_goes_away_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="No such file"):
        list(TextSource(tmp_path / "gone"))


def test_pieces_are_joined_as_cat_joins_them_and_everything_is_told(tmp_path: Path) -> None:
    write_file(tmp_path / "a", "one\r\n")
    write_file(tmp_path / "b", "two")
    write_file(tmp_path / "c", "three\n")
    write_file(tmp_path / "d", b"\0")
    told: list[str] = []
    assert "".join(read_pieces([tmp_path], note=told.append)) == "one\ntwothree\n"
    assert "".join(read_pieces([tmp_path], end_lines=True)) == "one\ntwo\nthree\n"
    assert ["left out" in note or "CRLF" in note for note in told] == [True, True]


# ------------------------------------------------------------------------------------------------ lines


@quick
@given(st.lists(st.text(st.sampled_from("ab\n\r\u2028\x0b"), max_size=8), max_size=8))
def test_lines_are_the_same_whatever_the_pieces(parts: list[str]) -> None:
    text = "".join(parts)
    lines = list(itertools.chain.from_iterable(lines_of(parts)))
    assert "".join(lines) == text
    assert all(line.endswith("\n") for line in lines[:-1])
    assert all(line and line.count("\n") <= 1 for line in lines)
    assert [line for line in lines if "\n" in line] == [line + "\n" for line in text.split("\n")[:-1]]


def test_a_line_is_given_on_as_soon_as_it_is_whole() -> None:
    given_: list[str] = []

    def source() -> Iterator[str]:
        for part in ("a", "b\nc", "d\n", "\n\ne", "f"):
            given_.append(part)
            yield part

    seen = [(lines, len(given_)) for lines in lines_of(source())]
    assert seen == [(["ab\n"], 2), (["cd\n"], 3), (["\n", "\n"], 4), (["ef"], 5)]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([], ""),
        ([""], ""),
        (["a"], "a\n"),
        (["a\n"], "a\n"),
        (["a\n", ""], "a\n"),
        (["a", "\n", "b", ""], "a\nb\n"),
        (["\n"], "\n"),
    ],
)
def test_a_last_line_gets_the_newline_that_it_lacks(pieces: list[str], text: str) -> None:
    assert "".join(ended(iter(pieces))) == text


# ------------------------------------------------------------------------------------------ bytes


@given(
    data=st.one_of(st.binary(), st.sampled_from([gzip.compress(b"a" * 200), b"\xef\xbb\xbfa\r\nb\r", b"\x89PNG\r\n\0"]))
)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_without_an_encoding_any_file_is_read_as_it_is(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    source = TextSource(path, None)
    assert "".join(source).encode("latin-1") == data
    assert source.facts("any")["bytes"] == source.characters == len(data)
    assert source.facts("any")["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_it_is_said_of_a_compressed_file_that_it_stays_so(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "packed"
    path.write_bytes(pack(b"abc\n" * 100))
    notes: list[str] = []
    "".join(read_pieces([path], None, note=notes.append))
    assert notes == [f"{path}: read as it is, compressed; to read what is in it, unpack it first"]


def test_a_text_that_is_packed_twice_is_said_to_be(tmp_path: Path) -> None:
    path = write_file(tmp_path / "t.gz", gzip.compress(gzip.compress(b"a text\n" * 100)))
    with pytest.raises(TextError, match=r"t\.gz: this is packed twice; unpack it once"):
        read_source(path)

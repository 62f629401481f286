"""Bytes to characters: every encoding gives what decoding at once gives, and errors name the byte and the remedy."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from helpers import read_source, with_unix_line_ends, write_file
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.data import reading, streams
from charlstm.data.reading import TextSource
from charlstm.errors import TextError, UsageError

quick = settings(deadline=None, derandomize=True, max_examples=150)
TEXT = "the cat sat on the mat and the dog did not\n" * 30
pieces = st.integers(8, 20)


def offset_told(path: Path, encoding: str = "utf-8") -> int:
    """The byte offset in the error that reading gives."""
    with pytest.raises(TextError) as caught:
        read_source(path, encoding)
    message = str(caught.value)
    assert str(path) in message
    assert "--encoding" in message
    return int(message.split("byte ")[1].split()[0])


PLACES = [0, 1, streams.PIECE - 1, streams.PIECE, streams.PIECE + 1, 2 * streams.PIECE + 4321]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bad", [b"\xff", b"\xe2\x82", b"\x80", b"\xed\xa0\x80"], ids=bytes.hex)
def test_bytes_that_are_not_utf8_are_an_error_with_the_exact_offset(place: int, bad: bytes, tmp_path: Path) -> None:
    assert offset_told(write_file(tmp_path / "t", b"a" * place + bad + b"b" * 10)) == place


@pytest.mark.parametrize("before", [1, 2, 3])
def test_a_broken_sequence_cut_by_a_piece_border_has_its_exact_offset(before: int, tmp_path: Path) -> None:
    place = streams.PIECE - before
    assert offset_told(write_file(tmp_path / "t", b"a" * place + "\U0001f600".encode()[:3] + b"b")) == place


@pytest.mark.parametrize("before", [1, 2, 3])
def test_a_whole_character_cut_by_a_piece_border_stays_whole(before: int, tmp_path: Path) -> None:
    text = "a" * (streams.PIECE - before) + "\U0001f600b"
    assert read_source(write_file(tmp_path / "t", text))[0] == text


def test_a_text_that_ends_in_the_middle_of_a_character_is_an_error(tmp_path: Path) -> None:
    assert offset_told(write_file(tmp_path / "t", "ab\u20ac".encode()[:-1])) == 2


ascii_or_not = st.lists(st.sampled_from([b"a", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80", b"\xff", b"\xe2", b"\x82", b"\r"]))

ENCODINGS = ["utf-8", "shift_jis", "gb18030", "utf-16-le", "ascii"]


@quick
@given(raw=ascii_or_not.map(b"".join), size=pieces, encoding=st.sampled_from(ENCODINGS))
def test_the_offset_is_that_of_decoding_at_once(raw: bytes, size: int, encoding: str, scratch: Path) -> None:
    scratch.write_bytes(b"." * 8 + raw)  # eight, so that no byte order or compression is guessed
    expected: int | str
    try:
        expected = with_unix_line_ends((b"." * 8 + raw).decode(encoding))
    except UnicodeDecodeError as error:
        expected = error.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PIECE", size)
        found = offset_told(scratch, encoding) if isinstance(expected, int) else read_source(scratch, encoding)[0]
    assert found == expected


@quick
@given(raw=ascii_or_not.map(b"".join), size=pieces)
def test_replacing_gives_what_decoding_at_once_gives(raw: bytes, size: int, scratch: Path) -> None:
    scratch.write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PIECE", size)
        assert read_source(scratch, errors="replace")[0] == with_unix_line_ends(raw.decode("utf-8", "replace"))


def test_another_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    path = write_file(tmp_path / "t", "caf\u00e9 \u00fcber".encode("latin-1"))
    assert offset_told(path) == 3
    assert read_source(path, "latin-1")[0] == "caf\u00e9 \u00fcber"
    assert read_source(path, errors="replace")[0] == "caf\ufffd \ufffdber"


@pytest.mark.parametrize("encoding", ["klingon", "", "utf-8\0", "base64", "rot13", "hex", "undefined"])
def test_what_is_no_text_encoding_is_a_usage_error(encoding: str, tmp_path: Path) -> None:
    path = write_file(tmp_path / "t", b"abc")
    with pytest.raises(UsageError, match="encoding"):
        read_source(path, encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_read_by_their_mark(encoding: str, tmp_path: Path) -> None:
    for pack in (bytes, gzip.compress):
        path = write_file(tmp_path / "t", pack("\ufeffCaf\u00e9 \u4e00\r\n".encode(encoding)))
        found, source = read_source(path)
        assert found == "Caf\u00e9 \u4e00\n"
        assert source.notes[0].endswith(f"read as {encoding[:6].upper()}, as its byte order mark says")
        assert read_source(path, encoding[:6])[0] == found


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["plain words\r\n", "\u0434\u0430, \u043d\u0435\u0442\n", "Stra\u00dfe\n"])
def test_wide_encodings_without_a_mark_are_an_error_that_names_them(
    encoding: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_file(tmp_path / "t", (text * 100).encode(encoding))
    with pytest.raises(TextError, match=f"--encoding {encoding}$"):
        read_source(path)
    with open(path) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        with pytest.raises(TextError, match=f"standard input: .*--encoding {encoding}$"):
            list(TextSource("-"))
    assert read_source(path, encoding)[0] == text.replace("\r", "") * 100


def test_a_stray_nul_is_an_error_with_both_remedies(tmp_path: Path) -> None:
    path = write_file(tmp_path / "t", TEXT + "\0" + TEXT)
    with pytest.raises(TextError, match=r"--encoding utf-16-le.*--encoding-errors replace"):
        read_source(path)
    assert read_source(path, errors="replace")[0] == TEXT + "\ufffd" + TEXT


@pytest.mark.parametrize(
    "raw",
    [
        b"\0",
        b"\0" * 4096,
        b"ab\0cd ef\n",
        b"name\0value\n" * 3,
        b"odd\0" * 50,
        b"a line that was being written when the power went\n" + b"\0" * 5000,
        b"caf\xe9 \0 noir\n",
    ],
)
def test_stray_nuls_are_not_taken_for_a_wide_encoding(raw: bytes, tmp_path: Path) -> None:
    with pytest.raises(TextError) as raised:
        read_source(write_file(tmp_path / "t", raw))
    assert "looks like" not in str(raised.value)
    assert "--encoding-errors replace" in str(raised.value)


@pytest.mark.parametrize("text", ["a", "Hi\n", "\u4e2d\u6587\u5b57\u7b26\uff0c\u5f88\u957f\u3002 \n" * 4])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_short_text_in_a_wide_encoding_is_known_too(encoding: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(TextError, match=f"--encoding {encoding}$"):
        read_source(write_file(tmp_path / "t", text.encode(encoding)))


def test_a_text_cut_within_a_character_says_so(tmp_path: Path) -> None:
    text = "Der M\u00fcller \u00fcber dem Fluss".encode()
    cut = text.index("\u00fcb".encode()) + 1
    path = write_file(tmp_path / "end", text[:cut])
    with pytest.raises(TextError, match=r"ends in the middle of a character; was it cut short\?.*replace") as raised:
        read_source(path)
    assert "name the right" not in str(raised.value)
    assert "latin-1" not in str(raised.value)
    assert read_source(path, errors="replace")[0] == text[: cut - 1].decode() + "\ufffd"
    with pytest.raises(TextError, match="begins in the middle of a character"):
        read_source(write_file(tmp_path / "begin", text[text.index("\u00fcl".encode()) + 1 :]))
    with pytest.raises(TextError, match="ends in the middle of a character"):
        read_source(write_file(tmp_path / "wide", "\ufeffabc".encode("utf-16-le")[:-1]))


def test_a_text_whose_only_accent_is_its_last_byte_may_be_latin_1(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"cut short.*or another --encoding, such as latin-1"):
        read_source(write_file(tmp_path / "t", "un caf\u00e9".encode("latin-1")))

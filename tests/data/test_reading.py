"""Bytes to text: nothing is lost or invented, whatever the pieces, and every surprise is told."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import itertools
import lzma
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import corpus_of, random_model, within
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.data import files, reading, streams
from charlstm.data.files import find_files
from charlstm.data.reading import TextSource, ended, lines_of, read_pieces
from charlstm.errors import TextError, UsageError

quick = settings(deadline=None, derandomize=True, max_examples=150)
TEXT = "the cat sat on the mat and the dog did not\n" * 30


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path that tests write over."""
    return tmp_path_factory.mktemp("scratch") / "text"


def read(path: Path, encoding: str = "utf-8", errors: str = "strict") -> tuple[str, TextSource]:
    """A whole text, and the source that read it."""
    source = TextSource(path, encoding, errors)
    return "".join(source), source


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def with_unix_line_ends(text: str) -> str:
    return without_half_a_line_end(text).replace("\r\n", "\n").replace("\r", "\n")


def without_half_a_line_end(text: str) -> str:
    """A CR at the end of a text whose other line ends are CRLF is half of one more."""
    rest = text.replace("\r\n", "")
    return text[:-1] if "\r\n" in text and text.endswith("\r") and rest.count("\r") == 1 and "\n" not in rest else text


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
    assert read(write(tmp_path / "t", raw))[0] == text


@pytest.mark.parametrize(
    ("raw", "text", "told"),
    [
        (b"a\nb\n", "a\nb\n", []),
        (b"a\r\nb\r\n", "a\nb\n", ["CRLF"]),
        (b"a\rb\r", "a\nb\n", ["CR "]),
        (b"a\r\rb", "a\n\nb", ["CR "]),
        (b"a\r\n\rb\n", "a\n\nb\n", ["CRLF", "CR "]),
        (b"\r", "\n", ["CR "]),
        (b"a\r\nb\r", "a\nb", ["CRLF"]),
        (b"a\x85b\xe2\x80\xa8c".replace(b"\x85", b"\xc2\x85"), "a\x85b\u2028c", []),
    ],
)
def test_line_ends_become_lf_and_it_is_said(raw: bytes, text: str, told: list[str], tmp_path: Path) -> None:
    found, source = read(write(tmp_path / "t", raw))
    assert found == text
    assert len(source.notes) == len(told)
    assert all(kind in note and "LF" in note and source.name in note
               for kind, note in zip(told, source.notes, strict=True))  # fmt: skip


def test_cr_and_lf_in_different_pieces_are_one_line_end(tmp_path: Path) -> None:
    size = streams.PIECE
    raw = b"a" * (size - 1) + b"\r\n" + b"b" * (size - 2) + b"\r" + b"c"
    found, source = read(write(tmp_path / "t", raw))
    assert found == "a" * (size - 1) + "\n" + "b" * (size - 2) + "\nc"
    assert [("CRLF" in note) for note in source.notes] == [True, False]


texts_with_line_ends = st.text(st.sampled_from("a\r\n\u00e9\u20ac\U0001f600\ufeff"), max_size=40)
pieces = st.integers(8, 20)


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
        found, source = read(scratch, encoding)
    assert found == with_unix_line_ends(text.removeprefix("\ufeff"))
    assert source.characters == len(found)
    assert source.bytes == len(text.encode(encoding))
    assert any("CRLF" in note for note in source.notes) == ("\r\n" in text)
    assert any("ends CR " in note for note in source.notes) == (
        "\r" in without_half_a_line_end(text).replace("\r\n", "")
    )


# -------------------------------------------------------------------------------------------- encodings


def offset_told(path: Path, encoding: str = "utf-8") -> int:
    """The byte offset in the error that reading gives."""
    with pytest.raises(TextError) as caught:
        read(path, encoding)
    message = str(caught.value)
    assert str(path) in message
    assert "--encoding" in message
    return int(message.split("byte ")[1].split()[0])


PLACES = [0, 1, streams.PIECE - 1, streams.PIECE, streams.PIECE + 1, 2 * streams.PIECE + 4321]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bad", [b"\xff", b"\xe2\x82", b"\x80", b"\xed\xa0\x80"], ids=bytes.hex)
def test_bytes_that_are_not_utf8_are_an_error_with_the_exact_offset(place: int, bad: bytes, tmp_path: Path) -> None:
    assert offset_told(write(tmp_path / "t", b"a" * place + bad + b"b" * 10)) == place


@pytest.mark.parametrize("before", [1, 2, 3])
def test_a_broken_sequence_cut_by_a_piece_border_has_its_exact_offset(before: int, tmp_path: Path) -> None:
    place = streams.PIECE - before
    assert offset_told(write(tmp_path / "t", b"a" * place + "\U0001f600".encode()[:3] + b"b")) == place


@pytest.mark.parametrize("before", [1, 2, 3])
def test_a_whole_character_cut_by_a_piece_border_stays_whole(before: int, tmp_path: Path) -> None:
    text = "a" * (streams.PIECE - before) + "\U0001f600b"
    assert read(write(tmp_path / "t", text))[0] == text


def test_a_text_that_ends_in_the_middle_of_a_character_is_an_error(tmp_path: Path) -> None:
    assert offset_told(write(tmp_path / "t", "ab\u20ac".encode()[:-1])) == 2


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
        found = offset_told(scratch, encoding) if isinstance(expected, int) else read(scratch, encoding)[0]
    assert found == expected


@quick
@given(raw=ascii_or_not.map(b"".join), size=pieces)
def test_replacing_gives_what_decoding_at_once_gives(raw: bytes, size: int, scratch: Path) -> None:
    scratch.write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PIECE", size)
        assert read(scratch, errors="replace")[0] == with_unix_line_ends(raw.decode("utf-8", "replace"))


def test_another_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t", "caf\u00e9 \u00fcber".encode("latin-1"))
    assert offset_told(path) == 3
    assert read(path, "latin-1")[0] == "caf\u00e9 \u00fcber"
    assert read(path, errors="replace")[0] == "caf\ufffd \ufffdber"


@pytest.mark.parametrize("encoding", ["klingon", "", "utf-8\0", "base64", "rot13", "hex", "undefined"])
def test_what_is_no_text_encoding_is_a_usage_error(encoding: str, tmp_path: Path) -> None:
    path = write(tmp_path / "t", b"abc")
    with pytest.raises(UsageError, match="encoding"):
        read(path, encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_read_by_their_mark(encoding: str, tmp_path: Path) -> None:
    for pack in (bytes, gzip.compress):
        path = write(tmp_path / "t", pack("\ufeffCaf\u00e9 \u4e00\r\n".encode(encoding)))
        found, source = read(path)
        assert found == "Caf\u00e9 \u4e00\n"
        assert source.notes[0].endswith(f"read as {encoding[:6].upper()}, as its byte order mark says")
        assert read(path, encoding[:6])[0] == found


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["plain words\r\n", "\u0434\u0430, \u043d\u0435\u0442\n", "Stra\u00dfe\n"])
def test_wide_encodings_without_a_mark_are_an_error_that_names_them(
    encoding: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "t", (text * 100).encode(encoding))
    with pytest.raises(TextError, match=f"--encoding {encoding}$"):
        read(path)
    with open(path) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        with pytest.raises(TextError, match=f"standard input: .*--encoding {encoding}$"):
            list(TextSource("-"))
    assert read(path, encoding)[0] == text.replace("\r", "") * 100


def test_a_stray_nul_is_an_error_with_both_remedies(tmp_path: Path) -> None:
    path = write(tmp_path / "t", TEXT + "\0" + TEXT)
    with pytest.raises(TextError, match=r"--encoding utf-16-le.*--encoding-errors replace"):
        read(path)
    assert read(path, errors="replace")[0] == TEXT + "\ufffd" + TEXT


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
        read(write(tmp_path / "t", raw))
    assert "looks like" not in str(raised.value)
    assert "--encoding-errors replace" in str(raised.value)


@pytest.mark.parametrize("text", ["a", "Hi\n", "\u4e2d\u6587\u5b57\u7b26\uff0c\u5f88\u957f\u3002 \n" * 4])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_short_text_in_a_wide_encoding_is_known_too(encoding: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(TextError, match=f"--encoding {encoding}$"):
        read(write(tmp_path / "t", text.encode(encoding)))


def test_a_text_cut_within_a_character_says_so(tmp_path: Path) -> None:
    text = "Der M\u00fcller \u00fcber dem Fluss".encode()
    cut = text.index("\u00fcb".encode()) + 1
    path = write(tmp_path / "end", text[:cut])
    with pytest.raises(TextError, match=r"ends in the middle of a character; was it cut short\?.*replace") as raised:
        read(path)
    assert "name the right" not in str(raised.value)
    assert "latin-1" not in str(raised.value)
    assert read(path, errors="replace")[0] == text[: cut - 1].decode() + "\ufffd"
    with pytest.raises(TextError, match="begins in the middle of a character"):
        read(write(tmp_path / "begin", text[text.index("\u00fcl".encode()) + 1 :]))
    with pytest.raises(TextError, match="ends in the middle of a character"):
        read(write(tmp_path / "wide", "\ufeffabc".encode("utf-16-le")[:-1]))


def test_a_text_whose_only_accent_is_its_last_byte_may_be_latin_1(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"cut short.*or another --encoding, such as latin-1"):
        read(write(tmp_path / "t", "un caf\u00e9".encode("latin-1")))


def archive(*members: str) -> bytes:
    """A zip archive with these members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for member in members:
            content = "application/epub+zip" if member == "mimetype" else "text"
            file.writestr(member, content)
    return packed.getvalue()


def tarred() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        info = tarfile.TarInfo("a.txt")
        info.size = 4
        file.addfile(info, io.BytesIO(b"text"))
    return packed.getvalue()


NO_TEXTS = {
    "zip": (archive("a.txt"), "a zip archive"),
    "epub": (archive("mimetype", "book.html"), "an EPUB book"),
    "docx": (archive("[Content_Types].xml", "word/document.xml"), "a Word document"),
    "xlsx": (archive("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
    "tar.gz": (tarred(), "a tar archive"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG image"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "a JPEG image"),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "an old Office document"),
    "zst": (b"\x28\xb5\x2f\xfd\x04\x58", "a file packed by zstd"),
    "safetensors": ((64).to_bytes(8, "little") + b'{"__metadata__":{}}', "a model"),
}


@pytest.mark.parametrize("ending", NO_TEXTS)
def test_what_is_no_text_is_named_and_no_other_encoding_is_advised(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, name = NO_TEXTS[ending]
    path = write(tmp_path / "folder" / f"file.{ending}", raw)
    for encoding in ("utf-8", "latin-1"):
        with pytest.raises(TextError, match=f"file.{ending}: this is {name}") as raised:
            read(path, encoding)
        assert "--encoding" not in str(raised.value)
    with open(path) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        with pytest.raises(TextError, match=f"standard input: this is {name}"):
            list(TextSource("-"))
    write(tmp_path / "folder" / "text", TEXT)
    found, notes = find_files([tmp_path / "folder"])
    assert names(found, tmp_path / "folder") == ["text"]
    assert any(f"left out, it is {name}" in note for note in notes)


@pytest.mark.parametrize(
    "text", ["PK is a name", "BM", "II", "GIF", "ID3 tags", "%PD", "MM", "Rar!", "abcdftyp", "x" * 257 + "ustar"]
)
def test_text_that_begins_almost_like_another_format_is_text(text: str, tmp_path: Path) -> None:
    assert read(write(tmp_path / "t", text))[0] == text


def test_a_text_is_normalized_where_that_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "t", "cafe\u0301\n")
    source = TextSource(path, normalize="nfc")
    assert "".join(source) == "caf\u00e9\n"
    assert source.characters == 5


def test_a_lone_surrogate_never_gets_in(tmp_path: Path) -> None:
    with pytest.raises(TextError):
        read(write(tmp_path / "t", b"+2AA-"), "utf-7")


# ------------------------------------------------------------------------------------------ compression

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
every_packer = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())


@every_packer
@pytest.mark.parametrize("name", ["t.txt", "t", "t.gz", "t.xz"])
def test_packed_text_is_known_by_its_first_bytes_whatever_its_name(
    pack: Callable[[bytes], bytes], name: str, tmp_path: Path
) -> None:
    raw = ("\ufeffcaf\u00e9\r\n" + TEXT).encode()
    found, source = read(write(tmp_path / name, pack(raw)))
    assert found == "caf\u00e9\n" + TEXT
    assert source.bytes == len(raw)
    assert source.facts("t")["sha256"] == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("text", ["BZ is no archive", "BZhoro", "\x1f is a control", ""])
def test_text_that_starts_almost_like_an_archive_is_text(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "t.gz", text)
    assert read(path)[0] == text


@every_packer
@pytest.mark.parametrize("left", [12, 20, 0.5, -1])
def test_packed_text_cut_short_is_an_error(pack: Callable[[bytes], bytes], left: float, tmp_path: Path) -> None:
    whole = pack(np.random.default_rng(0).integers(32, 127, 5000).astype(np.uint8).tobytes())
    end = round(len(whole) * left) if left == 0.5 else int(left)
    with pytest.raises(TextError, match=r"t\.txt"):
        read(write(tmp_path / "t.txt", whole[:end]))


@every_packer
def test_packed_text_with_a_damaged_middle_is_an_error(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    whole = bytearray(pack(np.random.default_rng(0).integers(32, 127, 5000).astype(np.uint8).tobytes()))
    for place in range(len(whole) // 2, len(whole) // 2 + 20):
        whole[place] ^= 0x55
    with pytest.raises(TextError):
        read(write(tmp_path / "t", bytes(whole)))


def test_gzip_whose_content_makes_no_sense_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="damaged"):
        read(write(tmp_path / "t", gzip.compress(b"text")[:10] + b"\xff" * 50))


def test_several_packed_texts_in_one_file_are_read_to_the_end(tmp_path: Path) -> None:
    for number, pack in enumerate(PACKERS.values()):
        assert read(write(tmp_path / str(number), pack(b"one\n") + pack(b"two\n")))[0] == "one\ntwo\n"


# ------------------------------------------------------------------------------- pipes and standard input


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


def test_a_dash_is_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t", gzip.compress(b"\xef\xbb\xbfa\r\nb"))
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


# ---------------------------------------------------------------------------------------------- folders


def names(found: list[str], folder: Path) -> list[str]:
    return [os.path.relpath(path, folder) for path in found]


def test_a_folder_gives_its_texts_sorted(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a/b/c", "B.md", "10", "9"):
        write(tmp_path / name, name)
    found, notes = find_files([tmp_path])
    assert names(found, tmp_path) == ["10", "9", "B.md", "b.txt", "a/z.txt", "a/b/c"]
    assert notes == []


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    for name in ("a", ".b", ".git/config", "c/.d", "c/e"):
        write(tmp_path / name, "text")
    assert names(find_files([tmp_path])[0], tmp_path) == ["a", "c/e"]


def test_a_hidden_file_or_folder_that_is_named_is_read(tmp_path: Path) -> None:
    write(tmp_path / ".notes" / "a", "text")
    write(tmp_path / ".b", "text")
    assert names(find_files([tmp_path / ".notes", tmp_path / ".b"])[0], tmp_path) == [".notes/a", ".b"]


def test_binary_and_damaged_files_in_a_folder_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "text")
    write(tmp_path / "image.png", b"\x89PNG\0\0\0")
    write(tmp_path / "packed.gz", gzip.compress(b"text"))
    write(tmp_path / "packed-image.gz", gzip.compress(b"\0" * 10))
    write(tmp_path / "cut.gz", gzip.compress(b"text" * 100)[:15])
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    found, notes = within(10, lambda: find_files([tmp_path]))
    assert names(found, tmp_path) == ["a.txt", "packed.gz"]
    told = sorted(os.path.basename(note.split(":")[0]) for note in notes)
    assert told == ["cut.gz", "dangling", "image.png", "packed-image.gz", "pipe"]
    assert all("left out" in note for note in notes)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_wide_encodings_are_texts_in_folders_and_binaries_are_not(tmp_path: Path, encoding: str) -> None:
    write(tmp_path / "a", "text é\n".encode(encoding))
    write(tmp_path / "b", "text\0".encode(encoding))
    write(tmp_path / "c", b"\x89PNG\0\0\0\xd8\xd8\xd8\xd8\xd8\xd8\xd8\xd8\xd8")
    assert names(find_files([tmp_path], encoding)[0], tmp_path) == ["a"]
    assert "".join(read_pieces([tmp_path], encoding)) == "text é\n"


def test_a_file_of_a_folder_that_vanishes_is_left_out_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, TEXT)
    really = streams.open_stream

    @contextlib.contextmanager
    def vanishing(path: str, **how: Any) -> Iterator[Any]:
        with really(path, **how) as stream:
            yield stream
        if path.endswith("b"):
            os.unlink(path)

    monkeypatch.setattr(files, "open_stream", vanishing)
    found, notes = find_files([tmp_path])
    assert names(found, tmp_path) == ["a"]
    assert notes == [f"{tmp_path}/b: left out, it cannot be read (No such file or directory)"]


def test_one_file_reached_twice_is_read_once_and_it_is_said(tmp_path: Path) -> None:
    first = write(tmp_path / "a", "text")
    (tmp_path / "b").symlink_to("a")
    os.link(first, tmp_path / "c")
    write(tmp_path / "d", "text")
    found, notes = find_files([tmp_path, first])
    assert names(found, tmp_path) == ["a", "d"]
    assert [os.path.basename(note.split(":")[0]) for note in notes] == ["b", "c", "a"]
    assert all("already" in note for note in notes)


def test_what_is_named_twice_is_read_twice_where_nothing_is_learned_from_it(tmp_path: Path) -> None:
    first, other = write(tmp_path / "a", "one "), write(tmp_path / "b" / "c", "two ")
    (tmp_path / "b" / "d").symlink_to("c")
    told: list[str] = []
    found = "".join(read_pieces([first, tmp_path / "b", first, other], note=told.append))
    assert found == "one two one two "
    assert [os.path.basename(note.split(":")[0]) for note in told] == ["d"]  # below one folder, each file once


def test_a_loop_of_folders_does_not_hang(tmp_path: Path) -> None:
    write(tmp_path / "a" / "t", "text")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    found, notes = within(10, lambda: find_files([tmp_path]))
    assert names(found, tmp_path) == ["a/t"]
    assert len(notes) <= 2


@pytest.mark.parametrize("content", [{}, {".hidden": b"text"}, {"image": b"\0"}, {"below/.x": b"text"}])
def test_a_folder_without_text_is_an_error(content: dict[str, bytes], tmp_path: Path) -> None:
    for name, raw in content.items():
        write(tmp_path / name, raw)
    with pytest.raises(TextError, match="holds no text"):
        find_files([tmp_path])


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a" / "t", "text")
    write(tmp_path / "b" / "t", "text")
    scan = os.scandir

    def guarded(path: Any) -> Any:
        if os.fspath(path).endswith("b"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(TextError, match="b: cannot read this folder: Permission denied"):
        find_files([tmp_path])


@pytest.mark.parametrize("errors", ["ignore", "nonsense", "surrogateescape"])
def test_errors_are_strict_or_replaced(errors: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="strict or replace"):
        corpus_of([write(tmp_path / "t", TEXT)], errors=errors)


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "", "a\0b", "x" * 5000])
def test_a_missing_file_is_an_error(name: str) -> None:
    with pytest.raises(TextError, match="cannot read"):
        find_files([name])
    with pytest.raises(TextError):
        corpus_of([name])


def test_a_file_that_goes_away_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="No such file"):
        list(TextSource(tmp_path / "gone"))


def test_pieces_are_joined_as_cat_joins_them_and_everything_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a", "one\r\n")
    write(tmp_path / "b", "two")
    write(tmp_path / "c", "three\n")
    write(tmp_path / "d", b"\0")
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


@pytest.mark.parametrize("text", ["Hello", "The cat sat on the mat.", "a\0b c", "A chapter. " * 1000])
def test_a_text_given_for_a_files_name_is_told_from_a_file_that_is_not_there(text: str, tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"text=\.\.\.") as raised:
        find_files([text])
    assert len(str(raised.value)) < 300
    with pytest.raises(TextError, match=r"missing\.txt: cannot read it: No such file"):
        find_files([tmp_path / "missing.txt"])


def test_a_file_that_is_there_is_not_taken_for_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TextError, match=r"^loop: cannot read it: Too many levels of symbolic links$"):
        find_files(["loop"])


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


def test_without_an_encoding_a_folder_gives_all_files_but_models(tmp_path: Path) -> None:
    for name, content in (("a.png", b"\x89PNG\r\n\0"), ("b.bin", b"\0\1"), ("c.txt", b"c"), (".hidden", b"h")):
        (tmp_path / name).write_bytes(content)
    random_model().save(tmp_path / "m.safetensors")
    found, notes = find_files([tmp_path], None)
    assert [os.path.basename(path) for path in found] == ["a.png", "b.bin", "c.txt"]
    assert len(notes) == 1
    assert "m.safetensors: left out" in notes[0]

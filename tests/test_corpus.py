"""Texts to ids: nothing is lost or invented between a file and the batches, and every surprise is told."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import itertools
import lzma
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm import corpus
from charlstm.corpus import (
    IGNORED,
    Batch,
    Records,
    Streams,
    TextSource,
    batches,
    find_files,
    lines_of,
    read_corpus,
    read_pieces,
    split_lines,
)
from charlstm.errors import TextError, UsageError
from charlstm.settings import SMALLEST_TEXT
from charlstm.vocabulary import UNKNOWN, Vocabulary

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
    return text.replace("\r\n", "\n").replace("\r", "\n")


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """Do the work in a thread, so that a hang is a failure; gives what it gave or raises what it raised."""
    results: list[Any] = []
    raised: list[BaseException] = []

    def worker() -> None:
        try:
            results.append(work())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=worker, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it hangs"
    if raised:
        raise raised[0]
    return results[0]


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
    size = corpus.PIECE
    raw = b"a" * (size - 1) + b"\r\n" + b"b" * (size - 2) + b"\r" + b"c"
    found, source = read(write(tmp_path / "t", raw))
    assert found == "a" * (size - 1) + "\n" + "b" * (size - 2) + "\nc"
    assert [("CRLF" in note) for note in source.notes] == [True, False]


texts_with_line_ends = st.text(st.sampled_from("a\r\n\u00e9\u20ac\U0001f600\ufeff\0"), max_size=40)
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
        patch.setattr(corpus, "PIECE", size)
        found, source = read(scratch, encoding)
    assert found == with_unix_line_ends(text.removeprefix("\ufeff"))
    assert source.characters == len(found)
    assert source.bytes == len(text.encode(encoding))
    assert any("CRLF" in note for note in source.notes) == ("\r\n" in text)
    assert any("ends CR " in note for note in source.notes) == ("\r" in text.replace("\r\n", ""))


# -------------------------------------------------------------------------------------------- encodings


def offset_told(path: Path, encoding: str = "utf-8") -> int:
    """The byte offset in the error that reading gives."""
    with pytest.raises(TextError) as caught:
        read(path, encoding)
    message = str(caught.value)
    assert str(path) in message
    assert "--encoding" in message
    return int(message.split("byte ")[1].split()[0])


PLACES = [0, 1, corpus.PIECE - 1, corpus.PIECE, corpus.PIECE + 1, 2 * corpus.PIECE + 4321]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bad", [b"\xff", b"\xe2\x82", b"\x80", b"\xed\xa0\x80"], ids=bytes.hex)
def test_bytes_that_are_not_utf8_are_an_error_with_the_exact_offset(place: int, bad: bytes, tmp_path: Path) -> None:
    assert offset_told(write(tmp_path / "t", b"a" * place + bad + b"b" * 10)) == place


@pytest.mark.parametrize("before", [1, 2, 3])
def test_a_broken_sequence_cut_by_a_piece_border_has_its_exact_offset(before: int, tmp_path: Path) -> None:
    place = corpus.PIECE - before
    assert offset_told(write(tmp_path / "t", b"a" * place + "\U0001f600".encode()[:3] + b"b")) == place


@pytest.mark.parametrize("before", [1, 2, 3])
def test_a_whole_character_cut_by_a_piece_border_stays_whole(before: int, tmp_path: Path) -> None:
    text = "a" * (corpus.PIECE - before) + "\U0001f600b"
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
        patch.setattr(corpus, "PIECE", size)
        found = offset_told(scratch, encoding) if isinstance(expected, int) else read(scratch, encoding)[0]
    assert found == expected


@quick
@given(raw=ascii_or_not.map(b"".join), size=pieces)
def test_replacing_gives_what_decoding_at_once_gives(raw: bytes, size: int, scratch: Path) -> None:
    scratch.write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "PIECE", size)
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


def test_a_file_that_is_named_is_read_even_if_it_looks_binary(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "nul\0" * 100)
    assert find_files([path]) == ([str(path)], [])
    assert read(path)[0] == "nul\0" * 100


def test_one_file_reached_twice_is_read_once_and_it_is_said(tmp_path: Path) -> None:
    first = write(tmp_path / "a", "text")
    (tmp_path / "b").symlink_to("a")
    os.link(first, tmp_path / "c")
    write(tmp_path / "d", "text")
    found, notes = find_files([tmp_path, first])
    assert names(found, tmp_path) == ["a", "d"]
    assert [os.path.basename(note.split(":")[0]) for note in notes] == ["b", "c", "a"]
    assert all("already" in note for note in notes)


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


def test_a_corpus_says_no_more_of_where_its_texts_lie_than_it_must(tmp_path: Path) -> None:
    for name in ("alice/t.txt", "alice/letters/a/t.txt", "alice/letters/u.txt"):
        write(tmp_path / name, TEXT)
    found = read_corpus([tmp_path / "alice" / "t.txt", f"{tmp_path}/alice/letters/"], texts=[TEXT])
    names_kept = [source["name"] for source in found.sources]
    assert names_kept == ["t.txt", "letters/u.txt", "letters/a/t.txt", "text"]


def test_where_the_validation_text_begins_is_said_of_several_texts(tmp_path: Path) -> None:
    write(tmp_path / "a", "ab\n" * 200)
    write(tmp_path / "b", "ba\n" * 25)
    write(tmp_path / "c", "bb\n" * 4)
    assert any("/b on" in note for note in read_corpus([tmp_path]).notes)
    for quiet in (read_corpus([tmp_path / "a"]), read_corpus([tmp_path], lines=True)):
        assert not any("validating" in note for note in quiet.notes)


@pytest.mark.parametrize("errors", ["ignore", "nonsense", "surrogateescape"])
def test_errors_are_strict_or_replaced(errors: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="strict or replace"):
        read_corpus([write(tmp_path / "t", TEXT)], errors=errors)


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "", "a\0b", "x" * 5000])
def test_a_missing_file_is_an_error(name: str) -> None:
    with pytest.raises(TextError, match="cannot read"):
        find_files([name])
    with pytest.raises(TextError):
        read_corpus([name])


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


@quick
@given(st.lists(st.integers(0, 3), max_size=30))
def test_split_lines_cuts_after_every_line_end(symbols: list[int]) -> None:
    lines = split_lines(np.array(symbols, dtype=np.uint8), 3)
    assert [symbol for line in lines for symbol in line.tolist()] == symbols
    assert all(3 not in line[:-1].tolist() and len(line) for line in lines)
    assert all(line[-1] == 3 for line in lines[:-1])


# ------------------------------------------------------------------------------------------ read_corpus


def whole(read_: corpus.Corpus) -> str:
    return read_.vocabulary.decode(np.concatenate([read_.training, read_.validation]))


def test_a_corpus_holds_its_text_and_the_facts_about_it(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    path = write(tmp_path / "t.txt", gzip.compress(raw))
    found = read_corpus([path])
    assert whole(found) == TEXT
    assert found.sources == [
        {
            "name": "t.txt",
            "characters": len(TEXT),
            "bytes": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
        }
    ]
    assert len(found.notes) == 1
    assert found.vocabulary.characters == tuple(sorted(set(TEXT)))
    assert found.training.dtype == found.validation.dtype == found.vocabulary.dtype == np.uint8
    assert found.line_end == found.vocabulary.encode("\n")[0]


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        (["a" * 60, "b" * 60], "a" * 60 + "\n" + "b" * 60),
        (["a" * 60 + "\n", "b" * 60], "a" * 60 + "\n" + "b" * 60),
        (["a" * 60, "", "b" * 60 + "\n"], "a" * 60 + "\n" + "b" * 60 + "\n"),
        (["", "a" * 120], "a" * 120),
    ],
)
def test_a_text_without_a_final_newline_does_not_run_into_the_next(
    parts: list[str], joined: str, tmp_path: Path
) -> None:
    paths = [write(tmp_path / str(number), part) for number, part in enumerate(parts)]
    found = read_corpus(paths, min_count=1, val_fraction=0)
    assert whole(found) == joined
    assert [facts["characters"] for facts in found.sources] == [len(part) for part in parts]
    assert whole(read_corpus(texts=parts, min_count=1, val_fraction=0)) == joined


@pytest.mark.parametrize("length", [0, 1, SMALLEST_TEXT - 1])
def test_a_text_too_short_is_an_error_that_says_how_long_it_must_be(length: int, tmp_path: Path) -> None:
    path = write(tmp_path / "t", "a" * length)
    with pytest.raises(TextError, match=f"empty.*{SMALLEST_TEXT}" if not length else f"{length} .*{SMALLEST_TEXT}"):
        read_corpus([path])


def test_the_shortest_text_allowed_is_learnt_from() -> None:
    assert whole(read_corpus(texts=["ab" * (SMALLEST_TEXT // 2)])) == "ab" * (SMALLEST_TEXT // 2)


def test_nothing_to_read_is_an_error() -> None:
    with pytest.raises(TextError, match="empty"):
        read_corpus()


def test_a_text_given_directly_with_a_lone_surrogate_is_an_error() -> None:
    with pytest.raises(TextError, match="surrogate"):
        read_corpus(texts=["a\ud800b" * 100])


def test_an_empty_validation_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="validation text is empty"):
        read_corpus(texts=[TEXT], validation=[write(tmp_path / "v", "")])


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.25, 0.5, 0.9])
def test_the_end_of_the_text_validates_and_has_the_share_asked_for(fraction: float) -> None:
    text = "".join(f"{number:06d} " for number in range(1000))
    found = read_corpus(texts=[text], val_fraction=fraction)
    assert len(found.validation) == pytest.approx(fraction * len(text), abs=1)
    assert whole(found) == text


def test_the_vocabulary_comes_from_the_training_part_alone() -> None:
    found = read_corpus(texts=["ab" * 450 + "Z" * 100])
    assert found.vocabulary.characters == ("a", "b")
    assert set(found.validation.tolist()) == {UNKNOWN}
    assert UNKNOWN not in found.training


def test_a_validation_file_is_read_with_the_vocabulary_of_the_text(tmp_path: Path) -> None:
    found = read_corpus(texts=["ab" * 500], validation=[write(tmp_path / "v", "abZ\r\n")])
    assert found.vocabulary.decode(found.training) == "ab" * 500
    assert found.vocabulary.decode(found.validation) == "ab\ufffd\ufffd"
    assert [facts.get("role") for facts in found.sources] == [None, "validation"]
    assert any("CRLF" in note for note in found.notes)


def test_rare_characters_become_unknown_and_it_is_said() -> None:
    found = read_corpus(texts=["abc" * 100 + "xy\x1b" + "abc" * 100 + "x"], min_count=3, val_fraction=0)
    assert found.vocabulary.characters == ("a", "b", "c")
    assert int((found.training == UNKNOWN).sum()) == 4
    (note,) = found.notes
    assert note.startswith("3 characters")
    assert "3 times" in note
    assert "x y" in note
    assert note.isprintable()


@pytest.mark.parametrize(("length", "kept"), [(9_000, True), (20_000, False)])
def test_a_character_seen_once_is_rare_in_a_long_text_only(length: int, kept: bool) -> None:
    assert ("Z" in read_corpus(texts=["Z" + "ab" * (length // 2)]).vocabulary) == kept


def test_a_count_that_no_character_reaches_is_an_error() -> None:
    with pytest.raises(TextError, match="--min-count"):
        read_corpus(texts=["ab" * 100], min_count=1000)


@pytest.mark.parametrize(
    ("kinds", "dtype"), [(254, np.uint8), (255, np.uint16), (300, np.uint16), (65535, np.uint32), (65537, np.uint32)]
)
def test_ids_are_as_small_as_the_vocabulary_allows(kinds: int, dtype: Any) -> None:
    text = "".join(chr(0x10000 + number) for number in range(kinds)) * 2
    found = read_corpus(texts=[text], val_fraction=0, min_count=1)
    assert found.training.dtype == dtype
    assert whole(found) == text


def test_many_kinds_of_characters_met_late_do_not_change_what_came_before(tmp_path: Path) -> None:
    parts = [
        "a" * 200,
        "".join(map(chr, range(0x100, 0x300))),
        "".join(map(chr, range(0x10000, 0x21000))),
        "a\U0010ffff",
    ]
    paths = [write(tmp_path / str(number), part) for number, part in enumerate(parts)]
    assert whole(read_corpus(paths, val_fraction=0, min_count=1)) == "\n".join(parts)


def test_a_known_vocabulary_keeps_its_ids_and_grows() -> None:
    known = Vocabulary("zb")
    found = read_corpus(texts=["abc" * 200], known=known)
    assert found.vocabulary.characters == ("z", "b", "a", "c")
    assert whole(found) == "abc" * 200


@pytest.mark.parametrize("fraction", [0.02, 0.1, 0.5])
def test_records_are_kept_back_whole_and_spread_over_the_text(fraction: float) -> None:
    lines = [f"record {number:04d}" + "x" * (number % 7) for number in range(500)]
    found = read_corpus(texts=["\n".join(lines)], lines=True, val_fraction=fraction)
    held = found.vocabulary.decode(found.validation).splitlines()
    left = found.vocabulary.decode(found.training).splitlines()
    assert sorted(held + left) == lines
    assert len(held) == pytest.approx(fraction * len(lines), abs=1)
    places = [-1, *(lines.index(line) for line in held), len(lines)]
    assert max(np.diff(places)) <= 2 / fraction


def test_records_are_not_kept_back_where_nothing_shall_validate() -> None:
    found = read_corpus(texts=[TEXT], lines=True, val_fraction=0)
    assert len(found.validation) == 0
    assert whole(found) == TEXT


def test_records_that_are_one_line_are_an_error() -> None:
    with pytest.raises(TextError, match="one line only"):
        read_corpus(texts=["a" * 1000], lines=True)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_a_few_records_leave_something_to_learn_from_and_to_validate_on(count: int, fraction: float) -> None:
    found = read_corpus(texts=["abcdefghi " * 10 + "\n"] * count, lines=True, val_fraction=fraction)
    assert len(found.training)
    assert len(found.validation)


# ------------------------------------------------------------------------------------------------ streams

LINE_END, START = 1, 5000
NEVER = 10**9
"""So rare that only the first step has a stream that starts afresh."""


def streams(ids: np.ndarray[Any, Any], batch: int, context: int, **changes: Any) -> Streams:
    values = {"start": START, "line_end": LINE_END, "fresh_every": NEVER, "unknown": 0.0, "seed": 0, **changes}
    return Streams(ids, batch, context, **values)


def distinct(size: int) -> np.ndarray[Any, Any]:
    """A text in which every id says where it stands; no line ends."""
    return np.arange(10, 10 + size, dtype=np.uint16)


def with_lines(size: int, every: int) -> np.ndarray[Any, Any]:
    """The same with a line end at every so many characters."""
    ids = distinct(size)
    ids[every - 1 :: every] = LINE_END
    return ids


def same(one: Batch, other: Batch) -> bool:
    return (
        np.array_equal(one.inputs, other.inputs)
        and np.array_equal(one.targets, other.targets)
        and np.array_equal(one.fresh, other.fresh)
        and (one.carried, one.characters) == (other.carried, other.characters)
    )


def assert_random_access(made: Callable[[], Streams | Records], steps: list[int]) -> None:
    """Steps in any order, from any instance, are the steps in sequence."""
    wanted = [made()[step] for step in range(max(steps) + 1)]
    shuffled = made()
    for step in [*steps, *reversed(steps)]:
        assert same(shuffled[step], wanted[step]), step
        assert same(made()[step], wanted[step]), step


shapes = st.tuples(st.integers(1, 400), st.integers(1, 9), st.integers(1, 40))


@pytest.mark.parametrize("ids", [with_lines(1000, 17), distinct(30)], ids=["lines", "short"])
def test_a_step_is_computed_from_its_number_alone(ids: np.ndarray[Any, Any]) -> None:
    assert_random_access(lambda: streams(ids, 4, 16, fresh_every=3, unknown=0.05), [7, 3, 30, 0, 29, 1])


def test_another_seed_is_another_order_of_events() -> None:
    one, other = (streams(with_lines(1000, 17), 8, 16, fresh_every=2, seed=seed) for seed in (1, 2))
    assert any(not same(one[step], other[step]) for step in range(1, 10))


@quick
@given(shapes, st.integers(0, 10**6), st.sampled_from([1, 2, NEVER]))
def test_targets_are_the_inputs_one_character_on(shape: tuple[int, int, int], step: int, fresh_every: int) -> None:
    size, batch, context = shape
    made = streams(with_lines(size, 7), batch, context, fresh_every=fresh_every)[step]
    width = batch + (step % fresh_every == 0)
    assert made.inputs.shape == made.targets.shape == (context, width)
    assert made.fresh.shape == (width,)
    assert made.carried == batch
    assert made.characters == context * width
    np.testing.assert_array_equal(made.inputs[1:], made.targets[:-1])
    np.testing.assert_array_equal(made.inputs[0] == START, made.fresh)
    assert START not in made.targets


@quick
@given(shapes, st.sampled_from([1, 2, NEVER]))
def test_streams_go_on_where_they_stood_and_wrap_around(shape: tuple[int, int, int], fresh_every: int) -> None:
    size, batch, context = shape
    made = streams(distinct(size), batch, context, fresh_every=fresh_every)
    assert made[0].fresh.all()
    for step in range(5):
        now, then = made[step], made[step + 1]
        assert then.carried == batch
        assert not then.fresh[:batch].any()
        np.testing.assert_array_equal(then.inputs[0, :batch], now.targets[-1, :batch])
        everything = np.concatenate([now.targets[:, :batch], then.targets[:1, :batch]]).astype(int) - 10
        assert ((np.diff(everything, axis=0) - 1) % size == 0).all()


def test_streams_stand_spread_over_the_text() -> None:
    assert streams(distinct(1000), 4, 8)[0].targets[0, :4].tolist() == [10, 260, 510, 760]


@quick
@given(shapes)
def test_every_character_is_learnt_from_in_an_epoch(shape: tuple[int, int, int]) -> None:
    size, batch, context = shape
    made = streams(distinct(size), batch, context)
    steps = -(-size // batch // context) + 1
    assert steps <= made.steps_per_epoch + 2
    seen = np.concatenate([made[step].targets[:, :batch].ravel() for step in range(steps)])
    assert set(seen.tolist()) == set(distinct(size).tolist())


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_text_shorter_than_a_batch_goes_round_and_round(size: int) -> None:
    made = streams(distinct(size), 16, 64)
    for step in (0, 1, 1000):
        assert set(np.unique(made[step].targets).tolist()) == set(distinct(size).tolist())
    assert made.steps_per_epoch == 1


def starts_of(made: Streams, steps: int) -> list[int]:
    """The first characters that the streams predict that join for one step."""
    return [int(symbol) for step in range(steps) for symbol in made[step].targets[0, made[step].carried :]]


@pytest.mark.parametrize("size", [2000, 2010], ids=["ends with its last line", "ends in the middle of a line"])
def test_streams_that_join_begin_at_the_start_of_a_line_the_first_and_last_included(size: int) -> None:
    ids = with_lines(size, 40)
    found = starts_of(streams(ids, 8, 16, fresh_every=1), 1000)
    assert len(found) == 1000
    assert set(found) == {int(line[0]) for line in split_lines(ids, LINE_END)}


def test_streams_that_join_begin_after_empty_lines_where_there_are_enough() -> None:
    ids = with_lines(4000, 20)
    ids[98::100] = LINE_END  # position 99 of each hundred ends a line too
    found = starts_of(streams(ids, 8, 16, fresh_every=1), 1000)
    assert set(found) == {int(ids[place]) for place in range(0, 4000, 100)}


def test_a_single_empty_line_in_a_long_text_does_not_hide_the_other_lines() -> None:
    ids = np.full(30_000, 7, dtype=np.uint16)
    ids[49::50] = LINE_END
    ids[10_048] = LINE_END
    assert len(streams(ids, 2, 8).starts) > 500


def test_a_stream_joins_as_often_as_asked_and_for_one_step() -> None:
    made = streams(with_lines(5000, 20), 5, 4, fresh_every=10)
    widths = [len(made[step].fresh) for step in range(100)]
    assert widths == [6 if step % 10 == 0 else 5 for step in range(100)]
    assert all(made[step].fresh[5:].all() for step in range(100))


def test_a_text_without_line_ends_has_its_own_start_to_begin_at() -> None:
    assert set(starts_of(streams(distinct(1000), 4, 8, fresh_every=1), 50)) == {10}


def test_unknown_characters_do_not_count_as_line_ends_in_a_text_without_any() -> None:
    text = ("abcdefghij" * 10 + "Z") * 20
    found = read_corpus(texts=[text], min_count=50, val_fraction=0)
    assert found.line_end == UNKNOWN
    made = batches(found, batch=4, context=8, lines=False, fresh_every=1, unknown=0.0, seed=0)
    assert isinstance(made, Streams)
    assert made.starts.tolist() == [0]


def test_a_share_of_characters_is_shown_as_unknown_in_inputs_and_targets_alike() -> None:
    made = streams(distinct(4000), 16, 50, unknown=0.02)
    steps = [made[step] for step in range(50)]
    assert 0.015 < np.mean([(step.targets == UNKNOWN).mean() for step in steps]) < 0.025
    for step in steps:
        np.testing.assert_array_equal(step.inputs[1:], step.targets[:-1])
    assert not any((streams(distinct(4000), 16, 50)[step].targets == UNKNOWN).any() for step in range(20))


# ------------------------------------------------------------------------------------------------ records


def records_of(lengths: list[int]) -> np.ndarray[Any, Any]:
    """Lines of these lengths, newline included, in which every other id is different; the last is whole."""
    parts, next_id = [], 10
    for length in lengths:
        parts += [np.arange(next_id, next_id + length - 1), [LINE_END]]
        next_id += length - 1
    return np.concatenate(parts).astype(np.uint16)


def records(lengths: list[int], batch: int = 4, context: int = 8, **changes: Any) -> Records:
    values = {"start": START, "line_end": LINE_END, "unknown": 0.0, "seed": 0, **changes}
    return Records(records_of(lengths), batch, context, **values)


line_lengths = st.lists(st.integers(1, 60), min_size=1, max_size=15)
fewer = settings(quick, max_examples=60)


def read_back(made: Records, first: int, steps: int) -> list[tuple[int, ...]]:
    """What the records of some steps say, put together from their targets with the carried state's help."""
    found: list[tuple[int, ...]] = []
    open_: list[list[int]] = []
    for step in range(first, first + steps):
        now = made[step]
        assert now.characters == int((now.targets != IGNORED).sum()) > 0
        assert now.carried == len(now.fresh)
        if now.fresh.all():
            found += [tuple(record) for record in open_]
            open_ = [[] for _ in range(now.targets.shape[1])]
            assert (now.inputs[0] == START).all()
        else:
            assert not now.fresh.any(), "a step of records is all new or all going on"
        assert len(open_) == now.targets.shape[1]
        for column, record in enumerate(open_):
            scored = now.targets[:, column] != IGNORED
            assert not (np.diff(scored.astype(int)) > 0).any(), "a record goes on after its end"
            for row in np.flatnonzero(scored):
                assert now.inputs[row, column] == (record[-1] if record else START)
                record.append(int(now.targets[row, column]))
    return found + [tuple(record) for record in open_]


@fewer
@given(line_lengths, st.integers(1, 6), st.integers(1, 20))
def test_every_record_is_read_whole_once_an_epoch(lengths: list[int], batch: int, context: int) -> None:
    made = records(lengths, batch, context)
    steps = int(made.steps_per_epoch)
    wanted = sorted(tuple(line.tolist()) for line in split_lines(records_of(lengths), LINE_END))
    for epoch in range(3):
        assert sorted(read_back(made, epoch * steps, steps)) == wanted


@fewer
@given(line_lengths, st.integers(1, 6), st.integers(1, 20))
def test_a_step_of_records_stays_within_its_memory(lengths: list[int], batch: int, context: int) -> None:
    made = records(lengths, batch, context)
    for step in range(int(made.steps_per_epoch)):
        now = made[step]
        assert now.inputs.shape == now.targets.shape
        assert now.inputs.shape[0] <= context
        assert now.inputs.size <= batch * context
        assert now.inputs.min() >= 0
        assert now.inputs.max() <= START


def test_a_record_longer_than_the_context_is_read_in_several_steps() -> None:
    made = records([20], batch=4, context=8)
    assert [made[step].fresh.tolist() for step in range(4)] == [[True], [False], [False], [True]]
    assert [made[step].characters for step in range(3)] == [8, 8, 4]
    np.testing.assert_array_equal(made[1].inputs[0], made[0].targets[-1])


def test_a_step_of_records_is_computed_from_its_number_alone() -> None:
    lengths = [3, 9, 30, 1, 5, 5, 17, 2, 8, 40]
    steps = int(records(lengths).steps_per_epoch)
    assert_random_access(lambda: records(lengths, unknown=0.05), [0, steps, steps - 1, 3 * steps + 1, 1, 2 * steps])


def test_records_come_in_another_order_in_every_epoch() -> None:
    made = records(list(range(2, 40)))
    steps = int(made.steps_per_epoch)
    orders = [[made[epoch * steps + step].targets[0].tolist() for step in range(steps)] for epoch in range(3)]
    assert orders[0] != orders[1] != orders[2]


def test_a_last_record_without_its_newline_is_read_too() -> None:
    ids = np.array([10, 11, LINE_END, 12, 13], dtype=np.uint8)
    made = Records(ids, 2, 8, start=START, line_end=LINE_END, unknown=0.0, seed=0)
    assert sorted(read_back(made, 0, int(made.steps_per_epoch))) == [(10, 11, LINE_END), (12, 13)]


def test_padding_is_never_shown_as_unknown() -> None:
    plain, mixed = records([2, 30, 7, 3] * 5, unknown=0.0), records([2, 30, 7, 3] * 5, unknown=0.5)
    for step in range(int(plain.steps_per_epoch)):
        np.testing.assert_array_equal(plain[step].targets == IGNORED, mixed[step].targets == IGNORED)
        assert mixed[step].characters == plain[step].characters
        np.testing.assert_array_equal(mixed[step].inputs[0] == START, plain[step].inputs[0] == START)


def test_batches_are_streams_of_a_text_and_records_of_lines() -> None:
    found = read_corpus(texts=[TEXT], val_fraction=0)
    values = {"batch": 4, "context": 16, "fresh_every": NEVER, "unknown": 0.0, "seed": 0}
    running, lines = (batches(found, lines=lines, **values) for lines in (False, True))
    assert isinstance(running, Streams)
    assert isinstance(lines, Records)
    assert running[0].inputs[0].tolist() == [found.vocabulary.start] * 5
    assert len(lines.records) == TEXT.count("\n")


def test_lines_need_a_line_end_that_is_learnt() -> None:
    with pytest.raises(TextError, match="line ends"):
        read_corpus(texts=["abcdefgh" * 40], lines=True, val_fraction=0.0)
    with pytest.raises(TextError, match="line ends"):
        read_corpus(texts=[("a" * 100 + "\n") * 50], lines=True, min_count=100)

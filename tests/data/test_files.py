"""Which files are read: those that are named, and of a folder the texts, each once; what is left out is said."""

from __future__ import annotations

import contextlib
import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import corpus_of, random_model, relative, within, write_file

import charlstm as library
from charlstm.data import files, streams
from charlstm.data.files import find_files
from charlstm.data.reading import read_pieces
from charlstm.errors import CharlstmError, TextError

TEXT = "the cat sat on the mat and the dog did not\n" * 30


def test_a_folder_gives_its_texts_sorted(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a/b/c", "B.md", "10", "9"):
        write_file(tmp_path / name, name)
    found, notes = find_files([tmp_path])
    assert relative(found, tmp_path) == ["10", "9", "B.md", "b.txt", "a/z.txt", "a/b/c"]
    assert notes == []


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    for name in ("a", ".b", ".git/config", "c/.d", "c/e"):
        write_file(tmp_path / name, "text")
    assert relative(find_files([tmp_path])[0], tmp_path) == ["a", "c/e"]


def test_a_hidden_file_or_folder_that_is_named_is_read(tmp_path: Path) -> None:
    write_file(tmp_path / ".notes" / "a", "text")
    write_file(tmp_path / ".b", "text")
    assert relative(find_files([tmp_path / ".notes", tmp_path / ".b"])[0], tmp_path) == [".notes/a", ".b"]


def test_binary_and_damaged_files_in_a_folder_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    write_file(tmp_path / "a.txt", "text")
    write_file(tmp_path / "image.png", b"\x89PNG\0\0\0")
    write_file(tmp_path / "packed.gz", gzip.compress(b"text"))
    write_file(tmp_path / "packed-image.gz", gzip.compress(b"\0" * 10))
    write_file(tmp_path / "cut.gz", gzip.compress(b"text" * 100)[:15])
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    found, notes = within(10, lambda: find_files([tmp_path]))
    assert relative(found, tmp_path) == ["a.txt", "packed.gz"]
    told = sorted(os.path.basename(note.split(":")[0]) for note in notes)
    assert told == ["cut.gz", "dangling", "image.png", "packed-image.gz", "pipe"]
    assert all("left out" in note for note in notes)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_wide_encodings_are_texts_in_folders_and_binaries_are_not(tmp_path: Path, encoding: str) -> None:
    write_file(tmp_path / "a", "text é\n".encode(encoding))
    write_file(tmp_path / "b", "text\0".encode(encoding))
    write_file(tmp_path / "c", b"\x89PNG\0\0\0\xd8\xd8\xd8\xd8\xd8\xd8\xd8\xd8\xd8")
    assert relative(find_files([tmp_path], encoding)[0], tmp_path) == ["a"]
    assert "".join(read_pieces([tmp_path], encoding)) == "text é\n"


def test_a_file_of_a_folder_that_vanishes_is_left_out_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        write_file(tmp_path / name, TEXT)
    really = streams.open_stream

    @contextlib.contextmanager
    def vanishing(path: str, **how: Any) -> Iterator[Any]:
        with really(path, **how) as stream:
            yield stream
        if path.endswith("b"):
            os.unlink(path)

    monkeypatch.setattr(files, "open_stream", vanishing)
    found, notes = find_files([tmp_path])
    assert relative(found, tmp_path) == ["a"]
    assert notes == [f"{tmp_path}/b: left out, it cannot be read (No such file or directory)"]


def test_one_file_reached_twice_is_read_once_and_it_is_said(tmp_path: Path) -> None:
    first = write_file(tmp_path / "a", "text")
    (tmp_path / "b").symlink_to("a")
    os.link(first, tmp_path / "c")
    write_file(tmp_path / "d", "text")
    found, notes = find_files([tmp_path, first])
    assert relative(found, tmp_path) == ["a", "d"]
    assert [os.path.basename(note.split(":")[0]) for note in notes] == ["b", "c", "a"]
    assert all("already" in note for note in notes)


def test_a_loop_of_folders_does_not_hang(tmp_path: Path) -> None:
    write_file(tmp_path / "a" / "t", "text")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    found, notes = within(10, lambda: find_files([tmp_path]))
    assert relative(found, tmp_path) == ["a/t"]
    assert len(notes) <= 2


@pytest.mark.parametrize("content", [{}, {".hidden": b"text"}, {"image": b"\0"}, {"below/.x": b"text"}])
def test_a_folder_without_text_is_an_error(content: dict[str, bytes], tmp_path: Path) -> None:
    for name, raw in content.items():
        write_file(tmp_path / name, raw)
    with pytest.raises(TextError, match="holds no text"):
        find_files([tmp_path])


def test_of_a_folder_without_text_it_is_said_what_is_never_read(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    write_file(folder / ".hidden", b"text")
    with pytest.raises(TextError, match=r"holds no text; left out: what is hidden; name"):
        find_files([folder])
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(TextError, match=r"holds no text; left out: what is hidden, links to folders; name"):
        find_files([folder])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_of_a_folder_without_text_it_is_said_what_could_be_read_and_how(encoding: str, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    write_file(folder / "a.bin", bytes(100))
    with pytest.raises(TextError) as raised:
        find_files([folder])
    told = f"{folder}: this folder holds no text; left out: a.bin (it looks binary)"
    assert str(raised.value) == f"{told}; name a folder or file that does"
    write_file(folder / "b" / "text.txt", TEXT.encode(encoding))
    for name in ("c.png", "d.png", "e.png"):
        write_file(folder / name, b"\x89PNG\r\n")
    with pytest.raises(TextError) as raised:
        find_files([folder])
    assert str(raised.value) == (
        f"{folder}: this folder holds no text; left out: b/text.txt (it looks like {encoding.upper()} without a mark; "
        f"to read it, give --encoding {encoding}), a.bin (it looks binary), c.png (it is a PNG image), and 2 more files"
    )
    assert "".join(read_pieces([folder], encoding)) == TEXT
    write_file(folder / "f.txt", TEXT)
    assert any(f"b/text.txt: left out, it looks like {encoding.upper()}" in note for note in find_files([folder])[1])


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file(tmp_path / "a" / "t", "text")
    write_file(tmp_path / "b" / "t", "text")
    scan = os.scandir

    def guarded(path: Any) -> Any:
        if os.fspath(path).endswith("b"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(TextError, match="b: cannot read this folder: Permission denied"):
        find_files([tmp_path])


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "", "a\0b", "x" * 5000])
def test_a_missing_file_is_an_error(name: str) -> None:
    with pytest.raises(TextError, match="cannot read"):
        find_files([name])
    with pytest.raises(TextError):
        corpus_of([name])


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


def test_a_link_that_leads_nowhere_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    for read in (find_files, lambda paths: library.load(paths[0])):
        with pytest.raises(CharlstmError, match="link: cannot read it: it is a link to nowhere, which leads nowhere"):
            read([tmp_path / "link"])
    write_file(tmp_path / "a", "text")
    assert "link to nowhere, which leads nowhere" in find_files([tmp_path])[1][0]


def test_without_an_encoding_a_folder_gives_all_files_but_models(tmp_path: Path) -> None:
    for name, content in (("a.png", b"\x89PNG\r\n\0"), ("b.bin", b"\0\1"), ("c.txt", b"c"), (".hidden", b"h")):
        (tmp_path / name).write_bytes(content)
    random_model().save(tmp_path / "m.safetensors")
    found, notes = find_files([tmp_path], None)
    assert [os.path.basename(path) for path in found] == ["a.png", "b.bin", "c.txt"]
    assert len(notes) == 1
    assert "m.safetensors: left out" in notes[0]

"""What is no text is named by its first bytes, and what only begins like it is text."""

from __future__ import annotations

import io
import lzma
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
from helpers import read_source, relative, write_file

from charlstm.data.files import find_files
from charlstm.data.reading import TextSource
from charlstm.errors import TextError

TEXT = "the cat sat on the mat and the dog did not\n" * 30


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
    "bmp": (b"BM\x36\x0c\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x20\0\0\0", "a BMP image"),
    "ico": (b"\0\0\1\0\2\0\x10\x10\0\0\1\0\x20\0", "an ICO image"),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "an old Office document"),
    "zst": (b"\x28\xb5\x2f\xfd\x04\x58", "a file packed by zstd"),
    "parquet": (b"PAR1\x15\x04\x15\x10", "a Parquet file"),
    "lzma": (lzma.compress(b"text", lzma.FORMAT_ALONE), "a file packed by lzma"),
    "pkl": (pickle.dumps(["text"] * 100), "a pickle of Python"),
    "gguf": (b"GGUF\3\0\0\0", "a model of other programs"),
    "woff2": (b"wOF2\0\1\0\0", "a font"),
    "npy": (b"\x93NUMPY\1\0v\0{'descr'", "an array of numpy"),
    "safetensors": ((64).to_bytes(8, "little") + b'{"__metadata__":{}}', "a model"),
}


@pytest.mark.parametrize("ending", NO_TEXTS)
def test_what_is_no_text_is_named_and_no_other_encoding_is_advised(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, name = NO_TEXTS[ending]
    path = write_file(tmp_path / "folder" / f"file.{ending}", raw)
    for encoding in ("utf-8", "latin-1"):
        with pytest.raises(TextError, match=f"file.{ending}: this is {name}") as raised:
            read_source(path, encoding)
        assert "--encoding" not in str(raised.value)
    with open(path) as stream:
        monkeypatch.setattr("sys.stdin", stream)
        with pytest.raises(TextError, match=f"standard input: this is {name}"):
            list(TextSource("-"))
    write_file(tmp_path / "folder" / "text", TEXT)
    found, notes = find_files([tmp_path / "folder"])
    assert relative(found, tmp_path / "folder") == ["text"]
    assert any(f"left out, it is {name}" in note for note in notes)


@pytest.mark.parametrize(
    "text",
    [
        "PK is a name",
        "BM",
        "BM and ICO are images",
        "II",
        "GIF",
        "ID3 tags",
        "%PD",
        "MM",
        "Rar!",
        "abcdftyp",
        "x" * 257 + "ustar",
    ],
)
def test_text_that_begins_almost_like_another_format_is_text(text: str, tmp_path: Path) -> None:
    assert read_source(write_file(tmp_path / "t", text))[0] == text


def test_utf_32_that_begins_like_an_icon_is_text(tmp_path: Path) -> None:
    assert read_source(write_file(tmp_path / "t", "Ābece 😀".encode("utf-32-be")), "utf-32-be")[0] == "Ābece 😀"

"""What bytes are that are no text: archives, documents, images; by the bytes that such files begin with.

Knows nothing about encodings.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Format(NamedTuple):
    """A file format that is no text."""

    name: str
    """With its article, such as "a zip archive"."""
    remedy: str
    """What its user can do."""


UNPACK = "unpack it first"
EXPORT = "save it as plain text first"
OTHER = "give a text"
MODEL = Format("a model or another safetensors file", OTHER)

_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"%PDF-", Format("a PDF document", EXPORT)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format("an old Office document (doc, xls, ppt)", EXPORT)),
    (b"7z\xbc\xaf\x27\x1c", Format("a 7z archive", UNPACK)),
    (b"Rar!\x1a\x07", Format("a rar archive", UNPACK)),
    (b"\x28\xb5\x2f\xfd", Format("a file packed by zstd", "unpack it first (zstd -dc FILE | charlstm ...)")),
    (b"\x04\x22\x4d\x18", Format("a file packed by lz4", "unpack it first (lz4 -dc FILE | charlstm ...)")),
    (b"\x1f\x9d", Format("a file packed by compress", "unpack it first (zcat FILE | charlstm ...)")),
    (b"PAR1", Format("a Parquet file", EXPORT)),
    (b"GGUF", Format("a model of other programs (GGUF)", OTHER)),
    (b"wOFF", Format("a font", OTHER)),
    (b"wOF2", Format("a font", OTHER)),
    (b"\x93NUMPY", Format("an array of numpy", EXPORT)),
    (b"\x89PNG\r\n", Format("a PNG image", OTHER)),
    (b"\xff\xd8\xff", Format("a JPEG image", OTHER)),
    (b"GIF87a", Format("a GIF image", OTHER)),
    (b"GIF89a", Format("a GIF image", OTHER)),
    (b"II*\0", Format("a TIFF image", OTHER)),
    (b"MM\0*", Format("a TIFF image", OTHER)),
    (b"ID3\x02", Format("an MP3 file", OTHER)),
    (b"ID3\x03", Format("an MP3 file", OTHER)),
    (b"ID3\x04", Format("an MP3 file", OTHER)),
    (b"OggS\0", Format("an Ogg file", OTHER)),
    (b"fLaC\0", Format("a FLAC file", OTHER)),
    (b"\x7fELF", Format("a program", OTHER)),
    (b"SQLite format 3\0", Format("an SQLite database", EXPORT)),
)
_MAGIC_AT: tuple[tuple[int, bytes, Format], ...] = (
    (257, b"ustar", Format("a tar archive", UNPACK)),
    (60, b"BOOKMOBI", Format("a Kindle book", EXPORT)),
    (8, b"WEBP", Format("a WebP image", OTHER)),
    (8, b"WAVE", Format("a WAV file", OTHER)),
    (4, b"ftyp", Format("a video or HEIC image", OTHER)),
    (8, b'{"', MODEL),
)
_PATTERNS: tuple[tuple[re.Pattern[bytes], Format], ...] = (  # where the first bytes alone may begin a text
    (re.compile(rb"BM.{4}\0{4}", re.DOTALL), Format("a BMP image", OTHER)),  # the file's size, and what is reserved
    (re.compile(rb"\x5d\0\0.{2}\xff{8}", re.DOTALL), Format("a file packed by lzma", "unpack it first (unlzma)")),
    (re.compile(rb"\x80[\x02-\x05][\x95(}\]c]", re.DOTALL), Format("a pickle of Python", EXPORT)),
    (re.compile(rb"\0\0\x01\0[^\0]\0", re.DOTALL), Format("an ICO image", OTHER)),  # a count, which no UTF-32 has here
)
_IN_ZIP: tuple[tuple[bytes, str], ...] = (
    (b"application/epub+zip", "an EPUB book"),
    (b"application/vnd.oasis.opendocument", "an OpenDocument file (odt, ods, odp)"),
    (b"word/", "a Word document (docx)"),
    (b"xl/", "an Excel workbook (xlsx)"),
    (b"ppt/", "a PowerPoint presentation (pptx)"),
)


_MARKUP: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "the markup of RTF"),
    (b"%!PS", "the code of PostScript"),
)


def markup_of(head: bytes) -> str | None:
    """What stands in a file between the words that its reader sees, where these are few of it; by its first bytes."""
    return next((name for magic, name in _MARKUP if head.startswith(magic)), None)


def format_of(head: bytes) -> Format | None:
    """What a file is by its first bytes (a thousand or more, where there are so many); None: it may be a text."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        inside = next((name for mark, name in _IN_ZIP if mark in head), None)
        return Format(inside, EXPORT) if inside else Format("a zip archive", UNPACK)
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    for offset, magic, found in _MAGIC_AT:
        if head[offset : offset + len(magic)] == magic and b"\0" in head[:offset]:
            return found
    return next((found for pattern, found in _PATTERNS if pattern.match(head)), None)

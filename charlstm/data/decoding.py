"""Bytes to characters, piece by piece: encodings, byte order marks, and what went wrong in words.

Knows nothing about files; whoever calls it names them.
"""

from __future__ import annotations

import codecs
import io
import re

from ..errors import TextError, UsageError

SURROGATE = re.compile("[\ud800-\udfff]")

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LONGEST_MARK = 4
"""Bytes of the longest byte order mark."""
_ASCII = bytes(range(128))
_CUT = ("unexpected end of data", "truncated data", "incomplete multibyte sequence")
"""How Python's codecs call a text that ends within a character."""


def codec_of(encoding: str) -> codecs.CodecInfo:
    """The codec of an encoding.

    Raises:
        UsageError: there is none of that name, or it is none of texts.
    """
    try:
        io.TextIOWrapper(io.BytesIO(), encoding)  # refuses codecs such as base64, which are none of text
        codec = codecs.lookup(encoding)
        codec.incrementaldecoder().decode(b"")
    except (LookupError, ValueError, TypeError) as error:  # the last where it is no name
        raise UsageError(f"no such text encoding: {encoding!r:.60}; try utf-8, latin-1 or cp1252") from error
    return codec


def marked_codec(codec: codecs.CodecInfo, head: bytes) -> codecs.CodecInfo:
    """The codec that a text's byte order mark calls for, in place of UTF-8; any other encoding was meant."""
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    return codecs.lookup(marked) if marked and codec.name == "utf-8" else codec


def may_be_marked(head: bytes) -> bool:
    """Whether so few bytes may turn out to be a byte order mark."""
    return any(mark.startswith(head) or head.startswith(mark) for mark, _ in _MARKS) and len(head) < LONGEST_MARK


def wide_encoding(piece: bytes, offset: int = 0) -> str | None:
    """UTF-16 or UTF-32 without a mark, where NUL bytes stand as they do there; None: they are no sign of it.

    Args:
        piece: a stretch of a text that holds NULs.
        offset: how many bytes come before it.
    """
    counts = [piece[(position - offset) % 4 :: 4].count(0) for position in range(4)]  # by position in four bytes
    quarter = len(piece) / 4
    if min(counts[2], counts[3]) > 0.9 * quarter > 2 * counts[0]:
        return "utf-32-le"
    if min(counts[0], counts[1]) > 0.9 * quarter > 2 * counts[3]:
        return "utf-32-be"
    even, odd = counts[0] + counts[2], counts[1] + counts[3]
    high = piece[((odd > even) - offset) % 2 :: 2]
    if min(even, odd) > 0.1 * max(even, odd) or not _are_high_bytes(high, piece):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _are_high_bytes(half: bytes, piece: bytes) -> bool:
    """Whether every second byte of a piece may be the high byte of a UTF-16 character.

    A few NULs among other bytes are strays. The alphabets have high bytes below 16; where there are others, as in
    Chinese, no more than some of all bytes are ASCII.
    """
    few = half.count(0) < max(4, 0.02 * len(piece)) and half.count(0) < 0.4 * len(piece)
    alphabetic = sum(map(half.count, range(16))) > 0.9 * len(half)
    return not few and len(piece) > 1 and (alphabetic or len(piece.translate(None, _ASCII)) > 0.1 * len(piece))


class Decoder:
    """Decodes one text, piece by piece.

    Args:
        name: what errors call the text.
        codec: of its encoding.
        errors: "strict" or "replace": what to do with bytes that do not decode, and with NULs.

    Raises:
        UsageError: there is no such way to treat errors.
    """

    def __init__(self, name: str, codec: codecs.CodecInfo, errors: str = "strict") -> None:
        if errors not in ("strict", "replace"):
            raise UsageError(f"errors must be strict or replace, and is {errors!r:.60}")
        self._name, self._codec, self._errors = name, codec, errors
        self._decoder = codec.incrementaldecoder(errors)
        self._bytes = 0
        self._all_ascii = True

    def decode(self, piece: bytes, *, final: bool) -> str:
        """The characters that become whole with a piece.

        Raises:
            TextError: bytes do not decode, or NULs or lone surrogates came out.
        """
        waiting = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(piece, final=final)
        except UnicodeDecodeError as error:
            raise TextError(self._said_of(error, waiting + piece, self._bytes - len(waiting))) from error
        except UnicodeError as error:  # such as UTF-16 without its mark
            raise TextError(
                f"{self._name}: it is not {self._codec.name} ({error}); give the right --encoding"
            ) from error
        if "\0" in text:
            text = self._without_nul(text, piece)
        if self._codec.name != "utf-8" and SURROGATE.search(text):
            raise TextError(f"{self._name}: it holds a lone surrogate, which is no character")
        self._bytes += len(piece)
        self._all_ascii = self._all_ascii and text.isascii()
        return text

    def _without_nul(self, text: str, piece: bytes) -> str:
        if self._errors == "replace":
            return text.replace("\0", "\ufffd")
        likely = wide_encoding(piece, self._bytes)
        if likely and self._codec.name == "utf-8":
            raise TextError(f"{self._name}: it looks like {likely.upper()} without a mark; give --encoding {likely}")
        raise TextError(
            f"{self._name}: it holds NUL characters, as binary files do; if it is UTF-16, give --encoding utf-16-le, "
            "and if it is a text with a few stray ones, --encoding-errors replace"
        )

    def _said_of(self, error: UnicodeDecodeError, piece: bytes, offset: int) -> str:
        """What is wrong, and the likely remedy."""
        where = f"{self._name}: byte {offset + error.start}"
        likely = wide_encoding(piece, offset) if self._codec.name == "utf-8" and b"\0" in piece else None
        if likely:
            return (
                f"{where} is not utf-8; the text looks like {likely.upper()} without a mark: give --encoding {likely}"
            )
        if error.reason in _CUT and error.end == len(piece):
            other = (
                " (or another --encoding, such as latin-1)" if self._all_ascii and self._codec.name == "utf-8" else ""
            )
            return (
                f"{where} is not {self._codec.name}: the text ends in the middle of a character; was it cut short? "
                f"--encoding-errors replace reads it all the same{other}"
            )
        if offset == error.start == 0 and self._begins_within_a_character(piece):
            return (
                f"{where} is not {self._codec.name}: the text begins in the middle of a character; was it cut? "
                "--encoding-errors replace reads it all the same"
            )
        return (
            f"{where} is not {self._codec.name} ({error.reason}); "
            "name the right --encoding, or give --encoding-errors replace"
        )

    def _begins_within_a_character(self, piece: bytes) -> bool:
        """Whether a UTF-8 text lacks only the beginning of its first character."""
        rest = piece.lstrip(bytes(range(0x80, 0xC0)))
        if self._codec.name != "utf-8" or len(piece) - len(rest) > 3:
            return False
        try:
            return not self._codec.incrementaldecoder().decode(rest).isascii()
        except UnicodeDecodeError:
            return False

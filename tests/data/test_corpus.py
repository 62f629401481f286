"""Texts to ids: the alphabet comes from what is learnt, the split is what was asked for, and all is told."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import corpus_of, peak_memory
from hypothesis import settings

from charlstm.config import SMALLEST_TEXT
from charlstm.data import corpus
from charlstm.data.corpus import Corpus, Reading
from charlstm.data.vocabulary import UNKNOWN
from charlstm.errors import TextError

quick = settings(deadline=None, derandomize=True, max_examples=150)
TEXT = "the cat sat on the mat and the dog did not\n" * 30


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# ------------------------------------------------------------------------------------------ read_corpus


def whole(read_: Corpus) -> str:
    return read_.vocabulary.decode(np.concatenate([read_.training, read_.validation]))


def test_a_corpus_holds_its_text_and_the_facts_about_it(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    path = write(tmp_path / "t.txt", gzip.compress(raw))
    found = corpus_of([path])
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
    found = corpus_of(paths, min_count=1, val_fraction=0)
    assert whole(found) == joined
    assert [facts["characters"] for facts in found.sources] == [len(part) for part in parts]
    assert whole(corpus_of(texts=parts, min_count=1, val_fraction=0)) == joined


@pytest.mark.parametrize("length", [0, 1, SMALLEST_TEXT - 1])
def test_a_text_too_short_is_an_error_that_says_how_long_it_must_be(length: int, tmp_path: Path) -> None:
    path = write(tmp_path / "t", "a" * length)
    with pytest.raises(TextError, match=f"empty.*{SMALLEST_TEXT}" if not length else f"{length} .*{SMALLEST_TEXT}"):
        corpus_of([path])


def test_the_shortest_text_allowed_is_learnt_from() -> None:
    assert whole(corpus_of(texts=["ab" * (SMALLEST_TEXT // 2)])) == "ab" * (SMALLEST_TEXT // 2)


def test_reading_takes_a_few_bytes_a_character(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(b"some words\n" * 1_500_000)
    assert peak_memory(corpus_of, [tmp_path / "text.txt"]) < 3 * 16_500_000 + 32e6


def test_nothing_to_read_is_an_error() -> None:
    with pytest.raises(TextError, match="empty"):
        corpus_of()


def test_a_text_given_directly_with_a_lone_surrogate_is_an_error() -> None:
    with pytest.raises(TextError, match="surrogate"):
        corpus_of(texts=["a\ud800b" * 100])


def test_an_empty_validation_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="validation text is empty"):
        corpus_of(texts=[TEXT], validation=[write(tmp_path / "v", "")])


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.25, 0.5, 0.9])
def test_the_end_of_the_text_validates_and_has_the_share_asked_for(fraction: float) -> None:
    text = "".join(f"{number:06d} " for number in range(1000))
    found = corpus_of(texts=[text], val_fraction=fraction)
    assert len(found.validation) == pytest.approx(fraction * len(text), abs=1)
    assert whole(found) == text


def test_the_vocabulary_comes_from_the_training_part_alone() -> None:
    found = corpus_of(texts=["ab" * 450 + "Z" * 100])
    assert found.vocabulary.characters == ("a", "b")
    assert set(found.validation.tolist()) == {UNKNOWN}
    assert UNKNOWN not in found.training


def test_a_validation_file_is_read_with_the_vocabulary_of_the_text(tmp_path: Path) -> None:
    found = corpus_of(texts=["ab" * 500], validation=[write(tmp_path / "v", "abZ\r\n")])
    assert found.vocabulary.decode(found.training) == "ab" * 500
    assert found.vocabulary.decode(found.validation) == "ab\ufffd\ufffd"
    assert [facts.get("role") for facts in found.sources] == [None, "validation"]
    assert any("CRLF" in note for note in found.notes)


def test_a_character_is_counted_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "PIECE", 64)
    text = "ab" * 6000 + "é" + "ab" * 40 + "öé"
    assert set(corpus_of(texts=[text], val_fraction=0).vocabulary.characters) == set("abé")


def test_rare_characters_become_unknown_and_it_is_said() -> None:
    found = corpus_of(texts=["abc" * 100 + "xy\x1b" + "abc" * 100 + "x"], min_count=3, val_fraction=0)
    assert found.vocabulary.characters == ("a", "b", "c")
    assert int((found.training == UNKNOWN).sum()) == 4
    (note,) = found.notes
    assert note.startswith("3 characters")
    assert "3 times" in note
    assert "x y" in note
    assert note.isprintable()


@pytest.mark.parametrize(("length", "kept"), [(9_000, True), (20_000, False)])
def test_a_character_seen_once_is_rare_in_a_long_text_only(length: int, kept: bool) -> None:
    assert ("Z" in corpus_of(texts=["Z" + "ab" * (length // 2)]).vocabulary) == kept


def test_a_count_that_no_character_reaches_is_an_error() -> None:
    with pytest.raises(TextError, match="--min-count"):
        corpus_of(texts=["ab" * 100], min_count=1000)


@pytest.mark.parametrize(
    ("kinds", "dtype"), [(254, np.uint8), (255, np.uint16), (300, np.uint16), (65535, np.uint32), (65537, np.uint32)]
)
def test_ids_are_as_small_as_the_vocabulary_allows(kinds: int, dtype: Any) -> None:
    text = "".join(chr(0x10000 + number) for number in range(kinds)) * 2
    found = corpus_of(texts=[text], val_fraction=0, min_count=1)
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
    assert whole(corpus_of(paths, val_fraction=0, min_count=1)) == "\n".join(parts)


def test_a_known_vocabulary_keeps_its_ids_and_grows() -> None:
    found = corpus_of(texts=["abc" * 200], known=["z", "b"])
    assert found.vocabulary.characters == ("z", "b", "a", "c")
    assert whole(found) == "abc" * 200


@pytest.mark.parametrize("fraction", [0.02, 0.1, 0.5])
def test_records_are_kept_back_whole_and_spread_over_the_text(fraction: float) -> None:
    lines = [f"record {number:04d}" + "x" * (number % 7) for number in range(500)]
    found = corpus_of(texts=["\n".join(lines)], lines=True, val_fraction=fraction)
    held = found.vocabulary.decode(found.validation).splitlines()
    left = found.vocabulary.decode(found.training).splitlines()
    assert sorted(held + left) == lines
    assert len(held) == pytest.approx(fraction * len(lines), abs=1)
    places = [-1, *(lines.index(line) for line in held), len(lines)]
    assert max(np.diff(places)) <= 2 / fraction


def test_records_are_not_kept_back_where_nothing_shall_validate() -> None:
    found = corpus_of(texts=[TEXT], lines=True, val_fraction=0)
    assert len(found.validation) == 0
    assert whole(found) == TEXT


def test_records_that_are_one_line_are_an_error() -> None:
    with pytest.raises(TextError, match="one line only"):
        corpus_of(texts=["a" * 1000], lines=True)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_a_few_records_leave_something_to_learn_from_and_to_validate_on(count: int, fraction: float) -> None:
    found = corpus_of(texts=["abcdefghi " * 10 + "\n"] * count, lines=True, val_fraction=fraction)
    assert len(found.training)
    assert len(found.validation)


def test_a_corpus_says_no_more_of_where_its_texts_lie_than_it_must(tmp_path: Path) -> None:
    for name in ("alice/t.txt", "alice/letters/a/t.txt", "alice/letters/u.txt"):
        write(tmp_path / name, TEXT)
    found = corpus_of([tmp_path / "alice" / "t.txt", f"{tmp_path}/alice/letters/"], texts=[TEXT])
    names_kept = [source["name"] for source in found.sources]
    assert names_kept == ["t.txt", "letters/u.txt", "letters/a/t.txt", "text"]


def test_where_the_validation_text_begins_is_said_of_several_texts(tmp_path: Path) -> None:
    write(tmp_path / "a", "ab\n" * 200)
    write(tmp_path / "b", "ba\n" * 25)
    write(tmp_path / "c", "bb\n" * 4)
    assert any("/b on" in note for note in corpus_of([tmp_path]).notes)
    for quiet in (corpus_of([tmp_path / "a"]), corpus_of([tmp_path], lines=True)):
        assert not any("validating" in note for note in quiet.notes)


def test_lines_need_a_line_end_that_is_learnt() -> None:
    with pytest.raises(TextError, match="line ends"):
        corpus_of(texts=["abcdefgh" * 40], lines=True, val_fraction=0.0)
    with pytest.raises(TextError, match="line ends"):
        corpus_of(texts=[("a" * 100 + "\n") * 50], lines=True, min_count=100)


def test_a_reading_survives_json() -> None:
    reading = Reading(["a", "-"], ["text"], ["v"], val_fraction=0.2, lines=True, min_count=3, known=["a"])
    assert Reading.from_json(json.loads(json.dumps(reading.to_json()))) == reading
    assert reading.piped

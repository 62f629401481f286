"""Texts to ids: the vocabulary comes from what is trained on, the split is what was asked for, and all is told."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import corpus_of, peak_memory, within
from hypothesis import settings

from charlstm.config import SMALLEST_TEXT
from charlstm.data import mapping
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
    assert whole(corpus_of([path], val_split="end")) == TEXT
    assert found.sources == [
        {
            "name": "t.txt",
            "characters": len(TEXT),
            "bytes": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
        }
    ]
    assert len([note for note in found.notes if "CRLF" in note]) == 1
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


def test_the_shortest_text_allowed_is_trained_on() -> None:
    assert sorted(whole(corpus_of(texts=["ab" * (SMALLEST_TEXT // 2)]))) == sorted("ab" * (SMALLEST_TEXT // 2))


def test_reading_takes_a_few_bytes_a_character(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(b"some words\n" * 400_000)
    assert peak_memory(corpus_of, [tmp_path / "text.txt"]) < 3 * 4_400_000 + 20e6


def test_nothing_to_read_is_an_error() -> None:
    with pytest.raises(TextError, match="empty"):
        corpus_of()


def test_a_text_given_directly_with_a_lone_surrogate_is_an_error() -> None:
    with pytest.raises(TextError, match="surrogate"):
        corpus_of(texts=["a\ud800b" * 100])


def test_an_empty_validation_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="validation text is empty"):
        corpus_of(texts=[TEXT], validation=[write(tmp_path / "v", "")])


NUMBERED = "".join(f"{number:06d} \n" for number in range(5000))
"""A text without repeated lines."""


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.25, 0.5, 0.9])
def test_the_end_of_the_text_is_held_out_to_the_character_where_that_is_asked_for(fraction: float) -> None:
    found = corpus_of(texts=[NUMBERED], val_fraction=fraction, val_split="end")
    assert len(found.validation) == int(fraction * len(NUMBERED))
    assert whole(found) == NUMBERED
    assert found.held_out == (f"the last {len(found.validation):,} characters of the text" if fraction else "")


@pytest.mark.parametrize("fraction", [0.02, 0.1, 0.5])
def test_blocks_all_over_the_text_are_held_out_by_default(fraction: float) -> None:
    found = corpus_of(texts=[NUMBERED], val_fraction=fraction)
    held_out = [int(line) for line in found.vocabulary.decode(found.validation).splitlines()]
    training = [int(line) for line in found.vocabulary.decode(found.training).splitlines()]
    assert sorted(held_out + training) == list(range(5000))
    assert len(held_out) == pytest.approx(fraction * 5000, abs=25)
    blocks = np.flatnonzero(np.diff([-2, *held_out]) > 1)  # where in the held-out part each begins
    assert len(blocks) >= 4
    assert f"in {len(blocks)} blocks spread over the text" in found.held_out
    assert np.mean(held_out) == pytest.approx(2500, abs=600)
    assert not np.array_equal(corpus_of(texts=[NUMBERED], seed=1).validation, corpus_of(texts=[NUMBERED]).validation)


def test_the_licence_at_the_end_of_a_book_does_not_stand_for_the_book() -> None:
    chapters = "".join(f"Line {number} of the story goes on.\n" for number in range(6000))
    found = corpus_of(texts=[chapters + "ABCDEFGHIJKLMNOPQRSTUVWXYZ !?\n" * 700])
    text = found.vocabulary.decode(found.validation)
    assert 0.05 < text.count("!") * 30 / len(text) < 0.2
    assert "Z" in found.vocabulary


def test_cards_of_ten_fields_give_every_field_to_both_parts() -> None:
    fields = ["name", "town", "trade", "colour", "tool", "phone", "pet", "song", "food", "wish"]
    lines = [f"{field}: {number * 37 % 1009}" for number in range(200) for field in fields]
    for records in (True, False):
        found = corpus_of(texts=["\n".join(lines)], lines=records)
        for ids in (found.training, found.validation):
            part = found.vocabulary.decode(ids)
            assert all(f"{field}: " in part for field in fields)


def test_every_file_of_some_size_gives_a_part_to_both_sides(tmp_path: Path) -> None:
    for number, letter in enumerate("abcdefgh"):
        write(tmp_path / letter, "".join(f"{letter}{line}\n" for line in range(300 + 100 * number)))
    found = corpus_of([tmp_path])
    for ids in (found.training, found.validation):
        assert set("abcdefgh") <= set(found.vocabulary.decode(ids))


def test_the_vocabulary_comes_from_the_training_part_alone() -> None:
    found = corpus_of(texts=["ab" * 450 + "Z" * 100], val_split="end")
    assert found.vocabulary.characters == ("a", "b")
    assert set(found.validation.tolist()) == {UNKNOWN}
    assert UNKNOWN not in found.training
    assert any("100% of the held-out characters are not in the training part" in note for note in found.notes)


def test_a_validation_file_is_read_with_the_vocabulary_of_the_text(tmp_path: Path) -> None:
    found = corpus_of(texts=["ab" * 500], validation=[write(tmp_path / "v", "abZ\r\n")])
    assert found.vocabulary.decode(found.training) == "ab" * 500
    assert found.vocabulary.decode(found.validation) == "ab\ufffd\ufffd"
    assert [facts.get("role") for facts in found.sources] == [None, "validation"]
    assert any("CRLF" in note for note in found.notes)


def test_a_character_is_counted_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "PIECE", 64)
    text = "ab" * 6000 + "é" + "ab" * 40 + "öé"
    assert set(corpus_of(texts=[text], val_fraction=0).vocabulary.characters) == set("abé")


def test_rare_characters_become_unknown_and_it_is_said() -> None:
    found = corpus_of(texts=["abc" * 100 + "xy\x1b" + "abc" * 100 + "x"], min_count=3, val_fraction=0)
    assert found.vocabulary.characters == ("a", "b", "c")
    assert int((found.training == UNKNOWN).sum()) == 4
    (note,) = found.notes
    assert note.startswith("3 characters")
    assert "3 times" in note
    assert "U+001B ESCAPE, x, y" in note
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
    assert sorted(whole(found)) == sorted("abc" * 200)


@pytest.mark.parametrize("fraction", [0.02, 0.1, 0.5])
def test_whole_records_are_held_out_at_random(fraction: float) -> None:
    lines = [f"record {number:04d}" + "x" * (number % 7) for number in range(500)]
    found = corpus_of(texts=["\n".join(lines)], lines=True, val_fraction=fraction)
    held_out = found.vocabulary.decode(found.validation).splitlines()
    training = found.vocabulary.decode(found.training).splitlines()
    assert sorted(held_out + training) == lines
    assert len(held_out) == pytest.approx(fraction * len(lines), abs=1)
    assert len(set(np.diff([lines.index(line) for line in held_out]))) > 1
    assert found.held_out == f"{len(held_out)} distinct lines drawn at random"


@pytest.mark.parametrize("count", [2, 10])
def test_equal_records_are_on_one_side(count: int) -> None:
    lines = [f"record {number % 300}" for number in range(300 * count)]
    found = corpus_of(texts=["\n".join(lines)], lines=True)
    held_out = found.vocabulary.decode(found.validation).splitlines()
    assert not set(held_out) & set(found.vocabulary.decode(found.training).splitlines())
    assert len(held_out) == 30 * count
    assert found.held_out == f"30 distinct lines, {30 * count} with all that are equal to them, drawn at random"


def test_the_last_records_are_held_out_where_the_end_is_asked_for() -> None:
    found = corpus_of(texts=[NUMBERED], lines=True, val_split="end")
    assert found.vocabulary.decode(found.validation) == NUMBERED[-8 * 500 :]
    assert found.held_out == "the last 500 lines"


def test_records_that_are_all_equal_are_all_trained_on() -> None:
    found = corpus_of(texts=["abcdefghi\n" * 50], lines=True)
    assert (len(found.validation), found.held_out) == (0, "")


@pytest.mark.parametrize(
    ("text", "mean"), [("abc\n" * 50, 4.0), ("abcdefghi\n" * 9 + "\n" * 11, 5.05), ("ab" * 60, 120.0)]
)
def test_the_mean_line_is_that_of_the_training_part(text: str, mean: float) -> None:
    assert corpus_of(texts=[text], val_fraction=0.0).mean_line == pytest.approx(mean)
    assert corpus_of(texts=["x" * 100 + "\n" + text], val_fraction=0.0).mean_line > mean


def test_blank_lines_among_records_are_left_out_and_it_is_said() -> None:
    records = "".join(f"record {number}\n" for number in range(50))
    for text in (records.replace("\n", "\n\n"), "\n \n" + records.replace("record 7\n", "record 7\n\t\u3000\n")):
        found = corpus_of(texts=[text], lines=True)
        assert not any(line.strip() == "" for line in whole(found).splitlines())
        assert len(whole(found).splitlines()) == 50
        assert any("blank lines were left out" in note for note in found.notes)
    assert "\n\n" in whole(corpus_of(texts=[records.replace("\n", "\n\n")]))


def test_a_list_without_records_is_an_error_that_speaks_of_its_blank_lines() -> None:
    with pytest.raises(TextError, match=r"^the text has blank lines only; training needs"):
        corpus_of(texts=["\n \n" * 500], lines=True)
    with pytest.raises(TextError, match=r"^the text has only 4 characters, its blank lines left out; training needs"):
        corpus_of(texts=["\n" * 500 + "one"], lines=True)


def test_a_last_record_without_its_newline_is_a_record_like_others() -> None:
    one, other = (corpus_of(texts=["manna\nrela\n" * 30 + "manna" + end], lines=True) for end in ("", "\n"))
    assert np.array_equal(one.training, other.training)
    assert np.array_equal(one.validation, other.validation)


def test_a_fraction_that_holds_nothing_out_is_said() -> None:
    assert "--val-fraction 1e-09 of so short a text is nothing" in corpus_of(texts=[TEXT], val_fraction=1e-9).notes[-1]
    assert not corpus_of(texts=[TEXT], val_fraction=0).notes


def test_no_records_are_held_out_where_nothing_shall_validate() -> None:
    found = corpus_of(texts=[TEXT], lines=True, val_fraction=0)
    assert len(found.validation) == 0
    assert whole(found) == TEXT


def test_records_that_are_one_line_are_an_error() -> None:
    with pytest.raises(TextError, match="one line only"):
        corpus_of(texts=["a" * 1000], lines=True)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("copies", [1, 3])
def test_a_few_records_leave_something_for_both_parts(count: int, fraction: float, copies: int) -> None:
    lines = [f"{number} abcdefghi " * 10 + "\n" for number in range(count)] * copies
    found = corpus_of(texts=["".join(lines)], lines=True, val_fraction=fraction)
    assert len(found.training)
    assert len(found.validation)


def test_a_corpus_says_no_more_of_where_its_texts_lie_than_it_must(tmp_path: Path) -> None:
    for name in ("alice/t.txt", "alice/letters/a/t.txt", "alice/letters/u.txt"):
        write(tmp_path / name, name * 100)
    found = corpus_of([tmp_path / "alice" / "t.txt", f"{tmp_path}/alice/letters/"], texts=[TEXT])
    names_kept = [source["name"] for source in found.sources]
    assert names_kept == ["t.txt", "letters/u.txt", "letters/a/t.txt", "text"]


def test_copies_of_a_text_are_read_once_and_it_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a" / "one", NUMBERED)
    write(tmp_path / "a" / "packed.gz", gzip.compress(NUMBERED.encode()))
    write(tmp_path / "b" / "copy of one", NUMBERED)
    write(tmp_path / "b" / "other", NUMBERED + "0")
    found = corpus_of([tmp_path / "a", tmp_path / "b"], texts=[NUMBERED], val_split="end")
    assert [source["name"] for source in found.sources] == ["a/one", "b/other"]
    assert whole(found) == NUMBERED * 2 + "0"
    assert [note.split(":")[0] for note in found.notes if f"same content as {tmp_path}/a/one" in note] == [
        f"{tmp_path}/a/packed.gz", f"{tmp_path}/b/copy of one", "a text given directly",
    ]  # fmt: skip


def test_what_is_held_out_and_also_trained_on_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    text = "".join(chr(97 + letter) for letter in rng.integers(0, 26, 20_000))
    twice = corpus_of(texts=[text + "x" + text])
    assert any("of the held-out text also stands word for word in the training part" in note for note in twice.notes)
    assert corpus_of(texts=[text]).notes == []
    path = write(tmp_path / "v", text[:300] + text[300:600].upper())
    named = corpus_of(texts=[text.upper()[:500] + text], validation=[path])
    assert any(note.startswith("warning: 8") and "word for word" in note for note in named.notes)


def test_validation_lines_that_are_also_trained_on_are_said(tmp_path: Path) -> None:
    path = write(tmp_path / "v", NUMBERED[:800] + NUMBERED[:800].replace("0", "9"))
    found = corpus_of(texts=[NUMBERED], validation=[path], lines=True)
    assert any("50% of the held-out lines also stand word for word" in note for note in found.notes)


def test_a_file_that_both_trains_and_validates_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "t.txt", NUMBERED)
    found = corpus_of([path], validation=[path])
    assert [note for note in found.notes if "warning" in note] == [
        "warning: t.txt: is trained on, too, so validation on it flatters"
    ]
    assert found.held_out == "the file t.txt"


def test_lines_need_line_ends() -> None:
    with pytest.raises(TextError, match="one line only"):
        corpus_of(texts=["abcdefgh" * 40], lines=True, val_fraction=0.0)
    with pytest.raises(TextError, match="line ends"):
        corpus_of(texts=[("a" * 100 + "\n") * 50], lines=True, min_count=100)


def test_a_reading_survives_json() -> None:
    reading = Reading(["a", "-"], ["text"], ["v"], val_fraction=0.2, lines=True, min_count=3, known=["a"])
    assert Reading.from_json(json.loads(json.dumps(reading.to_json()))) == reading
    assert reading.piped


def test_a_text_is_read_in_a_normalization_form_where_that_is_asked_for(tmp_path: Path) -> None:
    text = "".join(f"cafe\u0301 {number}\n" for number in range(500))
    path = write(tmp_path / "t", text)
    for found in (corpus_of([path], normalize="nfc"), corpus_of(texts=[text], normalize="nfc")):
        assert "\u00e9" in found.vocabulary
        assert "\u0301" not in found.vocabulary
        assert found.notes == []
    assert corpus_of([path]).notes == [
        "some letters are written with combining marks, such as e and U+0301 COMBINING ACUTE ACCENT; --normalize nfc "
        "reads each as one character"
    ]


def test_of_a_sorted_table_no_place_is_held_out_as_a_whole() -> None:
    """Each place is a letter that stands nowhere else: what is held out as a whole would be unknown."""
    places = [chr(0x4E00 + place) for place in range(160)]
    table = "".join(f"{place},{number * 7919 % 1000:03},open\n" for place in places for number in range(20))
    found = corpus_of(texts=[table])
    assert all(place in found.vocabulary for place in places)
    assert len(found.validation) == pytest.approx(0.1 * len(table), rel=0.05)


def test_byte_order_marks_within_a_text_are_mentioned(tmp_path: Path) -> None:
    """Files that were joined by cat keep all marks but the first."""
    text = "".join(f"a line {number}\n" for number in range(300))
    joined = "\ufeff" + text + "\ufeff" + text.replace("a", "o")
    (note,) = corpus_of([write(tmp_path / "t", joined)]).notes[:1]
    assert "U+FEFF" in note
    assert not any("U+FEFF" in note for note in corpus_of([write(tmp_path / "u", "\ufeff" + text)]).notes)


def test_marks_that_have_no_composed_form_are_not_mentioned() -> None:
    text = "".join(f"q\u0301 {number}\n" for number in range(500))
    assert corpus_of(texts=[text]).notes == []


def test_lines_that_occur_more_than_once_are_mentioned() -> None:
    lines = [f"name {number % 300}" for number in range(900)]
    (note,) = corpus_of(texts=["\n".join(lines)], lines=True).notes
    assert note == "lines occur more than once (300 distinct of 900); equal ones are held out together"


def test_equal_lines_of_which_none_is_held_out_are_not_said_to_be() -> None:
    corpus = corpus_of(texts=["the same line\n" * 50], lines=True)
    (note,) = corpus.notes
    assert note.endswith("(1 distinct of 50); nothing is held out: name a text to validate on with --val")
    assert not len(corpus.validation)


def test_a_pipe_is_read_once_and_has_no_name_worth_keeping(tmp_path: Path) -> None:
    path = tmp_path / "63"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(NUMBERED,), daemon=True)
    writer.start()
    found = within(10, lambda: corpus_of([path]))
    writer.join(10)
    assert [source["name"] for source in found.sources] == ["a pipe"]
    assert sum(map(len, (found.training, found.validation))) == len(NUMBERED)


def test_names_are_text_whatever_their_bytes(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/b\xc3\xbccher"
    os.mkdir(folder)
    for name in (b"gr\xc3\xbc\xc3\x9fe", b"latin\xe9"):
        with open(folder + b"/" + name, "wb") as file:
            file.write(NUMBERED.encode() + name)
    found = corpus_of([os.fsdecode(folder)], encoding="latin-1")
    assert [source["name"] for source in found.sources] == ["b\u00fccher/gr\u00fc\u00dfe", "b\u00fccher/latin\ufffd"]


# ------------------------------------------------------------------------------------------ bytes


def test_a_corpus_of_bytes_is_its_files_joined_as_they_are(tmp_path: Path) -> None:
    one, other = bytes(range(256)), b"\xef\xbb\xbf\r\n\xff" * 40
    paths = [write(tmp_path / "a", one), write(tmp_path / "b", other)]
    found = corpus_of(paths, encoding=None, val_split="end")
    assert whole(found).encode("latin-1") == one + other
    assert found.vocabulary.as_bytes
    assert len(found.vocabulary) == 257
    assert found.notes == []
    assert found.held_out == "the last 49 bytes of the text"
    assert corpus_of(paths, encoding=None).held_out == "50 bytes in 2 blocks spread over the text"


def test_bytes_that_do_not_occur_are_known_all_the_same(tmp_path: Path) -> None:
    held_out = write(tmp_path / "held", b"\0\xff")
    found = corpus_of([write(tmp_path / "a", TEXT)], encoding=None, validation=[str(held_out)])
    assert UNKNOWN not in found.validation
    assert not [note for note in found.notes if "unknown" in note]


def test_records_of_bytes_end_with_newlines_and_only_ascii_spaces_are_blank(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a", b"\x85\n \t\n\xa0\n" + 200 * b"ab\r\n"), write(tmp_path / "b", b"c")]
    found = corpus_of(paths, encoding=None, lines=True, val_fraction=0.0)
    assert whole(found).encode("latin-1") == b"\x85\n\xa0\n" + 200 * b"ab\r\n" + b"c\n"


def test_too_few_bytes_are_called_so(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="only 9 bytes; training needs 100 bytes"):
        corpus_of([write(tmp_path / "a", b"\xff" * 9)], encoding=None)


def test_a_text_of_many_rare_characters_is_advised_to_be_read_as_bytes() -> None:
    common = "the cat sat on the mat\n" * 600
    rare = "".join(map(chr, range(0x4E00, 0x4E00 + 60)))
    noted = [note for note in corpus_of(texts=[common + rare], val_fraction=0.0).notes if "only once" in note]
    assert len(noted) == 1
    assert "--bytes" in noted[0]
    few = corpus_of(texts=[common + rare[:5]], val_fraction=0.0).notes
    assert "only once" in few[0]
    assert "--bytes" not in few[0]


@pytest.mark.parametrize("count", [10, 1000])
def test_a_note_on_many_rare_characters_is_short(count: int) -> None:
    """However long their names; and many of them are a reason to name bytes."""
    rare = "".join(chr(0xFE00 + number if number < 16 else 0x1F000 + number) for number in range(count))
    noted = corpus_of(texts=[TEXT * 20 + rare], val_fraction=0.0).notes
    note = next(note for note in noted if "occur only once" in note)
    assert len(f"charlstm: {note}") < 300
    assert ("--bytes" in note) == (count == 1000)
    assert " more" in note

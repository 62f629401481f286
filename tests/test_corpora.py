"""The bundled corpora: the same bytes for everyone, English without seams, and dependencies that are true."""

import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "corpora"

TALES_SHA256 = "9b8a84b42497e66a7ff4953c24256a9f0a8611785739912733731d9ccb065b7b"
REVIEWS_SHA256 = "59268b81470c04f21304df1c1c9c09d4af711ec63f3ec4bbb7cf874eb19f8b83"
NAMES_SHA256 = "2031d5a96dbe4e1e8d531a5a742c67e0e14c3b7387a606af103e4018071ac4d0"

A_BEFORE_A_VOWEL = re.compile(r"\b[Aa] [aeiou]\w*", re.IGNORECASE)
AN_BEFORE_A_CONSONANT = re.compile(r"\b[Aa]n [^aeiou\W]\w*", re.IGNORECASE)
DOUBLED_WORD = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)
ODD_SPACE = re.compile(r"  | [,.?!:;]| $|^ |\( | \)|\(\)", re.MULTILINE)
LOWER_CASE_START = re.compile(r"(?:^|(?<!\.\.)[.?!] )[a-z]", re.MULTILINE)
TEMPLATE_MARK = re.compile(r"[\[\]{}|_]")


@pytest.fixture(scope="module")
def modules() -> Iterator[tuple[ModuleType, ModuleType]]:
    """Import the two scripts from their folder, which is no package."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield importlib.import_module("tales"), importlib.import_module("names")
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def told(modules: tuple[ModuleType, ModuleType]) -> list[tuple[int, Any]]:
    """Tell the tales of the corpus again, each with its offset."""
    return list(modules[0].placed(1, 1_300_000))


@pytest.fixture(scope="module")
def committed() -> str:
    """Read the corpus as it is in the repository."""
    return (FOLDER / "tales.txt").read_bytes().decode("ascii")


def run(*arguments: str, **environment: str) -> bytes:
    """Run a script the way a reader of the README does."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=FOLDER.parent, env=os.environ | environment, capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout


def test_the_same_seed_tells_the_committed_tales(told: list[tuple[int, Any]], committed: str) -> None:
    assert "\n".join(tale.text for _, tale in told) == committed
    assert hashlib.sha256(committed.encode("ascii")).hexdigest() == TALES_SHA256


def test_the_command_writes_the_same_bytes_in_any_locale_and_with_any_hash_seed(committed: str) -> None:
    written = run("-X", "utf8=0", "corpora/tales.py", "--characters", "30000", LC_ALL="C", PYTHONHASHSEED="7")
    assert committed.startswith(written.decode("ascii"))


def test_the_tales_are_long_enough_to_learn_from(told: list[tuple[int, Any]], committed: str) -> None:
    assert 1_000_000 <= len(committed) <= 1_500_000
    assert len({tale.plot for _, tale in told}) >= 15


def test_an_empty_line_stands_between_the_tales_and_nowhere_else(told: list[tuple[int, Any]], committed: str) -> None:
    parts = committed.removesuffix("\n").split("\n\n")
    assert [part.split("\n")[0] for part in parts] == [tale.title for _, tale in told]
    assert all(part.count("\n") >= 1 for part in parts)


def test_no_two_tales_are_alike(told: list[tuple[int, Any]]) -> None:
    assert len({tale.text for _, tale in told}) == len(told)
    assert len({tale.text.partition("\n")[2] for _, tale in told}) == len(told)


def test_another_seed_tells_none_of_the_tales(modules: tuple[ModuleType, ModuleType], committed: str) -> None:
    held_out = [tale.text for _, tale in modules[0].placed(2, 100_000)]
    assert len(held_out) > 50
    assert not [text for text in held_out if text in committed]


def test_every_dependency_names_the_words_that_stand_there(told: list[tuple[int, Any]], committed: str) -> None:
    for start, tale in told:
        assert committed[start : start + len(tale.text)] == tale.text
        for one in tale.dependencies:
            assert tale.text[one.at : one.at + len(one.word)] == one.word
            assert tale.text[one.decided_at : one.decided_at + len(one.decided_by)] == one.decided_by
            assert one.decided_at + len(one.decided_by) + one.distance == one.at
            assert one.distance >= 0


def test_every_tale_needs_a_memory_and_many_need_a_long_one(told: list[tuple[int, Any]]) -> None:
    for _, tale in told:
        kinds = {one.kind for one in tale.dependencies if one.kind != "pronoun"}
        assert len(kinds) >= 2
        assert sum(one.kind != "pronoun" for one in tale.dependencies) >= 3
    distances = [one.distance for _, tale in told for one in tale.dependencies]
    assert sum(distance > 300 for distance in distances) > len(told)
    assert max(distances) > 1000


def test_pronouns_fit_the_names_they_stand_for(told: list[tuple[int, Any]]) -> None:
    words = importlib.import_module("tales_words")
    pairs = {
        (one.decided_by, one.word.lower()) for _, tale in told for one in tale.dependencies if one.kind == "pronoun"
    }
    for names, some, all_ in (
        (words.WOMEN, {"she", "her"}, {"she", "her", "herself"}),
        (words.MEN, {"he", "him", "his"}, {"he", "him", "his", "himself"}),
    ):
        assert some <= {pronoun for name, pronoun in pairs if name in names} <= all_


def test_one_day_follows_another(told: list[tuple[int, Any]]) -> None:
    week = importlib.import_module("tales_small").WEEK
    for tale in (tale for _, tale in told if tale.plot == "tomorrow"):
        *days, remembered = [week.index(day) for day in re.findall(r"[Oo]n (\w+day)", tale.text)]
        assert remembered == days[0]
        steps = [(after - before) % 7 for before, after in pairwise(days)]
        assert sorted(steps) == [0, 1, 1, 1], tale.text


def test_the_listing_is_one_line_of_json_for_each_tale(committed: str) -> None:
    entries = [json.loads(line) for line in run("corpora/tales.py", "--dependencies").splitlines()]
    assert len(entries) == committed.count("\n\n") + 1
    for number, entry in enumerate(entries):
        text = committed[entry["start"] :]
        assert entry["tale"] == number
        assert text.startswith(entry["title"] + "\n")
        for one in entry["dependencies"]:
            assert text[one["at"] : one["at"] + len(one["word"])] == one["word"]
            decider = text[one["decided_at"] : one["decided_at"] + len(one["decided_by"])]
            assert decider == one["decided_by"]


def test_quotes_and_brackets_close_in_every_paragraph(told: list[tuple[int, Any]]) -> None:
    for _, tale in told:
        for paragraph in tale.text.splitlines():
            assert paragraph.count('"') % 2 == 0, paragraph
            assert re.sub(r"[^()]", "", paragraph) in ("", "()", "()()"), paragraph


@pytest.mark.parametrize(
    "seam",
    [A_BEFORE_A_VOWEL, AN_BEFORE_A_CONSONANT, DOUBLED_WORD, ODD_SPACE, LOWER_CASE_START, TEMPLATE_MARK],
    ids=["a before a vowel", "an before a consonant", "doubled word", "odd space", "no capital", "template mark"],
)
def test_the_english_has_no_seams(seam: re.Pattern[str], told: list[tuple[int, Any]]) -> None:
    found = {match[0] for _, tale in told for match in seam.finditer(tale.text)}
    assert not found


def test_two_people_of_a_tale_never_share_a_name(told: list[tuple[int, Any]]) -> None:
    words = importlib.import_module("tales_words")
    assert not set(words.WOMEN) & set(words.MEN)
    for column in ("name", "trade", "work"):
        assert len({row[column] for row in words.PEOPLE}) == len(words.PEOPLE)
    assert {row["sex"] for row in words.PEOPLE[::2]} == {"woman"}
    assert {row["sex"] for row in words.PEOPLE[1::2]} == {"man"}


def test_people_keep_to_their_trades_and_villages(told: list[tuple[int, Any]]) -> None:
    words = importlib.import_module("tales_words")
    trades = {row["name"]: row["trade"] for row in words.PEOPLE}
    homes = {row["name"]: row["village"] for row in words.PEOPLE}
    for _, tale in told:
        for name, trade in re.findall(r"\b([A-Z][a-z]+) the ([a-z]+)\b", tale.text):
            assert trades.get(name, trade) == trade, tale.text
        for name, village in re.findall(r"\b([A-Z][a-z]+) the [a-z]+ of ([A-Z][a-z]+)", tale.text):
            assert homes.get(name, village) == village, tale.text


def test_the_same_person_always_borrows_the_same_thing_for_as_long(told: list[tuple[int, Any]]) -> None:
    lent = {
        re.findall(r"(\w+) the .* had no (\w+)\.(?s:.*) before (.*?)[.,]\"", tale.text)[0]
        for _, tale in told
        if tale.plot == "loan"
    }
    for column in zip(*lent, strict=True):
        assert len(set(column)) == len(lent) == 8


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} corpora/tales.py | head -c 100"
    done = subprocess.run(command, shell=True, cwd=FOLDER.parent, capture_output=True, check=True)
    assert len(done.stdout) == 100
    assert done.stderr == b""


def test_the_same_seed_invents_the_committed_names(modules: tuple[ModuleType, ModuleType]) -> None:
    written = run("-X", "utf8=0", "corpora/names.py", LC_ALL="C", PYTHONHASHSEED="7")
    assert written == (FOLDER / "names.txt").read_bytes()
    assert written.decode("utf-8").splitlines() == modules[1].names(1)
    assert hashlib.sha256(written).hexdigest() == NAMES_SHA256


def test_the_names_are_thousands_and_all_different() -> None:
    text = (FOLDER / "names.txt").read_text(encoding="utf-8")
    names = text.removesuffix("\n").split("\n")
    assert len(names) == len(set(names)) >= 5000
    assert all(name and name == name.strip() and name.isalpha() for name in names)
    assert 1 <= len({letter for letter in text if letter > "~"}) <= 6


def test_another_seed_invents_other_names(modules: tuple[ModuleType, ModuleType]) -> None:
    first, second = modules[1].names(1), modules[1].names(2)
    assert len(set(first) & set(second)) < len(first) / 2


@pytest.fixture(scope="module")
def written(modules: tuple[ModuleType, ModuleType]) -> list[Any]:
    """Write reviews, as many as a test can wait for."""
    return list(importlib.import_module("reviews").reviews(1, 6000))


@pytest.fixture(scope="module")
def held_out(modules: tuple[ModuleType, ModuleType]) -> list[Any]:
    """Write held-out reviews."""
    return list(importlib.import_module("reviews").reviews(1, 1000, held_out=True))


def words_of(text: str) -> Counter[str]:
    return Counter(re.findall(r"[a-z0-9']+", text.lower()))


def test_the_same_seed_writes_the_same_reviews_in_any_locale_and_with_any_hash_seed(written: list[Any]) -> None:
    tsv = run("-X", "utf8=0", "corpora/reviews.py", "--count", "6000", LC_ALL="C", PYTHONHASHSEED="7")
    assert tsv.decode("ascii") == "".join(f"{one.text}\t{one.label}\n" for one in written)
    assert hashlib.sha256(tsv).hexdigest() == REVIEWS_SHA256


def test_reviews_are_one_line_each_and_all_different(written: list[Any], held_out: list[Any]) -> None:
    texts = [one.text for one in written]
    assert len(set(texts)) == len(texts)
    assert all(40 <= len(text) <= 200 and text.isascii() and text.isprintable() for text in texts)
    assert Counter(one.label for one in written) == {"praise": 3000, "pan": 3000}
    assert Counter(one.kind for one in written)["plain"] == 1800
    assert len(set(Counter(one.kind for one in written if one.kind != "plain").values())) == 1


def test_a_twin_has_the_other_label_and_the_same_surroundings(written: list[Any]) -> None:
    for one, twin in zip(written[::2], written[1::2], strict=True):
        assert {one.label, twin.label} == {"praise", "pan"}
        assert one.kind == twin.kind
        assert one.text.replace(one.judgement, "...") == twin.text.replace(twin.judgement, "...")


def test_the_same_words_in_another_order_turn_the_label(written: list[Any]) -> None:
    for one, twin in zip(written[::2], written[1::2], strict=True):
        assert (words_of(one.text) == words_of(twin.text)) == (one.kind != "plain"), (one, twin)


def test_no_place_in_a_turned_sentence_is_the_one_that_is_meant(written: list[Any]) -> None:
    """Of every kind that has two templates or more, some mean what comes first, others what comes last."""
    words = importlib.import_module("reviews_words")
    for kind, forms in words.TURNS.items():
        templates = [template for some in forms.values() for template in some]
        first = [template.index("{wins}") < template.index("{loses}") for template in templates]
        assert 0.2 < sum(first) / len(first) < 0.8, kind


def test_words_that_praise_never_pan() -> None:
    words = importlib.import_module("reviews_words")
    rows = importlib.import_module("tales_teller").table("thing verb good bad", words.ASPECTS)
    cells = importlib.import_module("tales_teller").cells
    good = {word for row in rows for word in cells(row["good"])} | {*words.GOOD_QUALITIES, *words.GOOD_DEEDS}
    bad = {word for row in rows for word in cells(row["bad"])} | {*words.BAD_QUALITIES, *words.BAD_DEEDS}
    assert not (good | {*words.GOOD_MOODS}) & (bad | {*words.BAD_MOODS})


def test_no_held_out_judgement_is_among_the_others_in_any_order(written: list[Any], held_out: list[Any]) -> None:
    known = {tuple(sorted(words_of(one.judgement).items())) for one in written}
    assert len({one.text for one in held_out}) == 1000
    assert not [one for one in held_out if tuple(sorted(words_of(one.judgement).items())) in known]


@pytest.mark.parametrize(
    "seam",
    [A_BEFORE_A_VOWEL, AN_BEFORE_A_CONSONANT, DOUBLED_WORD, ODD_SPACE, LOWER_CASE_START, TEMPLATE_MARK],
    ids=["a before a vowel", "an before a consonant", "doubled word", "odd space", "no capital", "template mark"],
)
def test_the_english_of_the_reviews_has_no_seams(seam: re.Pattern[str], written: list[Any]) -> None:
    texts = (re.sub(r"\b([Aa]n) h(?=onest|our)", r"\1 ", one.text) for one in written)  # as they are spoken
    assert not {match[0] for text in texts for match in seam.finditer(text)}
    assert not [one.text for one in written if re.search(r"\ba honest", one.text, re.IGNORECASE)]


def test_a_label_and_a_kind_choose_among_the_same_reviews(written: list[Any]) -> None:
    some = written[:600]
    texts = run("corpora/reviews.py", "--count", "600", "--label", "pan", "--kind", "irony").decode().splitlines()
    assert texts == [one.text for one in some if (one.label, one.kind) == ("pan", "irony")]
    rows = run("corpora/reviews.py", "--count", "600", "--kind", "wish").decode().splitlines()
    assert rows == [f"{one.text}\t{one.label}" for one in some if one.kind == "wish"]


def test_half_a_pair_of_twins_is_refused() -> None:
    command = [sys.executable, "corpora/reviews.py", "--count", "3"]
    done = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--count must be an even number" in done.stderr


def test_the_readme_describes_the_texts_as_they_are(
    modules: tuple[ModuleType, ModuleType], told: list[tuple[int, Any]], committed: str
) -> None:
    readme = (FOLDER / "README.md").read_text()
    names = (FOLDER / "names.txt").read_bytes()
    assert f"| {len(told):,} tales, {len(committed):,} bytes |" in readme
    assert f"| {names.count(10):,} names, {len(names):,} bytes |" in readme
    assert f"There are {len({tale.plot for _, tale in told})} plots" in readme
    start, tale = told[24]
    listed = json.loads(modules[0].listing(24, start, tale))
    assert f'{len(tale.dependencies)} dependencies of tale 24, "{tale.title}"' in readme
    assert json.loads(re.findall(r"```json\n(.*?)\n```", readme, flags=re.S)[0]) in listed["dependencies"]

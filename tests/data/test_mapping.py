"""A text that is mapped is the same text, is read the same way, and leaves nothing behind."""

from __future__ import annotations

import errno
import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest
from helpers import corpus_of, peak_memory
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.data import batching, mapping
from charlstm.data.batching import BatchSettings, LineBatches, TextBatches
from charlstm.data.corpus import Corpus
from charlstm.data.mapping import IdStore, count_of, default_folder, forget, frequencies, is_mapped, pieces, stretches
from charlstm.data.vocabulary import Ids
from charlstm.errors import OutputError, TextError

quick = settings(deadline=None, derandomize=True, max_examples=60)
LINES = "".join(f"record {number * 37 % 401} of some\n" for number in range(900))
PROSE = "".join(f"It was {number * 7919 % 1000} o'clock.\n" + "\n" * (number % 7 == 0) for number in range(900))


@pytest.fixture
def mapped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Callable[[], Any]], Any]:
    """Do something with texts mapped that are longer than a few characters, looked at in small pieces."""

    def run(work: Callable[[], Any]) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(mapping, "MOST_IN_MEMORY", 300)
            patch.setattr(mapping, "FORGOTTEN_AFTER", 1000)
            return work()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return run


def left_behind(tmp_path: Path) -> list[str]:
    return os.listdir(tmp_path / "cache" / "charlstm")


# ----------------------------------------------------------------------------------------------- IdStore


@quick
@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from([200, 40_000, 10**6]), st.integers(0, 60)), max_size=8),
    st.sampled_from([0, 30, 10**6]),
)
def test_a_store_holds_what_was_added_and_not_taken_away(steps: list[tuple[int, int, int]], most: int) -> None:
    expected = np.zeros(0, dtype=np.uint32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapping, "MOST_IN_MEMORY", most)
        store = IdStore(os.environ.get("TMPDIR", "/tmp"))
        for number, (count, largest, taken) in enumerate(steps):
            new = np.random.default_rng(number).integers(0, largest, count).astype(np.min_scalar_type(largest))
            store.append(new)
            expected = np.concatenate([expected, new])
            if taken < len(expected):
                store.truncate(len(expected) - taken)
                expected = expected[: len(expected) - taken]
            assert len(store) == len(expected)
        np.testing.assert_array_equal(store.ids(), expected)


def test_a_long_text_is_mapped_and_a_short_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "MOST_IN_MEMORY", 100)
    for length in (100, 101):
        store = IdStore(str(tmp_path))
        store.append(np.zeros(length, dtype=np.uint8))
        assert is_mapped(store.ids()) == is_mapped(store.ids()[5:10]) == (length > 100)
    assert os.listdir(tmp_path) == []


def test_pieces_are_the_text_and_what_is_forgotten_is_still_there(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapping, "MOST_IN_MEMORY", 0)
        store = IdStore(str(tmp_path))
        ids = np.random.default_rng(0).integers(0, 300, 20_000).astype(np.uint16)
        store.append(ids)
    for found in (store.ids(), ids):
        assert [begin for begin, _ in pieces(found, 7000)] == [0, 7000, 14_000]
        np.testing.assert_array_equal(np.concatenate([piece for _, piece in pieces(found, 7000)]), ids)
        forget(found)
        np.testing.assert_array_equal(found, ids)
        assert count_of(found, 7) == (ids == 7).sum()


# ------------------------------------------------------------------------------------------------ corpora


def assert_same(one: Corpus, other: Corpus) -> None:
    assert one.vocabulary.characters == other.vocabulary.characters
    for name in ("training", "validation"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert (one.sources, one.held_out) == (other.sources, other.held_out)
    assert [note for note in one.notes if "mapped" not in note] == other.notes


KINDS = "".join(chr(0x100 + number) + "ab\n" for number in range(700)) * 2
WAYS: list[tuple[list[str], dict[str, Any]]] = [
    ([PROSE], {}),
    ([PROSE], {"val_split": "end"}),
    ([PROSE, LINES, PROSE, "é" * 20 + LINES], {"min_count": 30}),
    ([LINES], {"lines": True}),
    ([LINES.replace("\n", "\n \n\n", 50)], {"lines": True}),
    (["\n" + LINES], {"lines": True, "val_split": "end", "val_fraction": 0.3}),
    (["a" * 500, KINDS], {"val_fraction": 0.0}),
    ([PROSE.replace("o", "o\u0301")], {}),
    ([PROSE.replace("o", "o\u0301")], {"normalize": "nfc", "known": ["x", "z"]}),
]


@pytest.mark.parametrize(("texts", "how"), WAYS, ids=range(len(WAYS)))
def test_a_mapped_corpus_is_the_one_in_memory(
    texts: list[str], how: dict[str, Any], mapped: Callable[..., Any], tmp_path: Path
) -> None:
    found = mapped(lambda: corpus_of(texts=texts, **how))
    in_memory = corpus_of(texts=texts, **how)
    assert is_mapped(found.training)
    assert not is_mapped(in_memory.training)
    assert_same(found, in_memory)
    assert left_behind(tmp_path) == []


def test_a_mapped_validation_text_is_the_one_in_memory(mapped: Callable[..., Any], tmp_path: Path) -> None:
    for name, text in (("t", PROSE), ("v", LINES + PROSE[:500])):
        (tmp_path / name).write_text(text)
    for lines in (False, True):
        read = functools.partial(corpus_of, [tmp_path / "t"], validation=[str(tmp_path / "v")], lines=lines)
        found = mapped(read)
        assert is_mapped(found.validation)
        assert_same(found, read())


def test_batches_of_a_mapped_text_are_those_of_one_in_memory(
    mapped: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "FORGOTTEN_EVERY", 3)
    found, in_memory = mapped(lambda: corpus_of(texts=[LINES])), corpus_of(texts=[LINES])
    how = BatchSettings(4, 30, found.vocabulary.start, found.line_end)
    for kind in (TextBatches, LineBatches):
        one, other = kind(found.training, how), kind(in_memory.training, how)
        for step in (0, 1, 2, 10, 3, 500):
            for name in ("inputs", "targets", "fresh", "positions"):
                np.testing.assert_array_equal(getattr(one[step], name), getattr(other[step], name))


def test_a_mapped_text_takes_hardly_any_memory(
    mapped: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = b"".join(b"%d some words\n" % (number % 99991) for number in range(300_000))
    (tmp_path / "t").write_bytes(text)
    corpus_of([tmp_path / "t"])  # tables that are made once
    assert peak_memory(lambda: mapped(lambda: corpus_of([tmp_path / "t"]))) < 16e6 + 0.3 * len(text)


# --------------------------------------------------------------------------------------------- what may fail


def test_the_cache_folder_is_that_of_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    for base, expected in (("", "/home/someone/.cache"), ("relative", "/home/someone/.cache"), ("/big", "/big")):
        monkeypatch.setenv("XDG_CACHE_HOME", base)
        assert default_folder() == f"{expected}/charlstm"


@pytest.mark.parametrize("after", [0, 1, 5, 200])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    after: int, mapped: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written = []

    def full(handle: int, data: Any, offset: int) -> int:
        written.append(offset)
        if len(written) > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(handle, data[:100])

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OutputError, match=r"cache/charlstm: .*No space left on device; .*--cache") as caught:
        mapped(lambda: corpus_of(texts=[PROSE]))
    assert "\n" not in str(caught.value)
    assert left_behind(tmp_path) == []


def test_the_room_on_the_disk_is_looked_at_first(
    mapped: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "t").write_text(PROSE)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    with pytest.raises(OutputError, match=r"MB are free; .*--cache"):
        mapped(lambda: corpus_of([tmp_path / "t"]))


def test_a_cache_folder_that_cannot_be_is_named(mapped: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/x: .*--cache"):
        mapped(lambda: corpus_of(texts=[PROSE], cache=str(tmp_path / "file" / "x")))


def test_a_full_disk_is_found_out_before_anything_is_kept_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mapping.check_folder(str(tmp_path / "a" / "b"))

    def full(**_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OutputError, match=r"b: .*No space left on device; .*more room with --cache"):
        mapping.check_folder(str(tmp_path / "a" / "b"))
    assert os.listdir(tmp_path) == []


def test_a_text_that_changes_while_it_is_read_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text(PROSE)
    append = IdStore.append

    def while_it_grows(self: IdStore, ids: Ids) -> None:
        if not len(self):
            with path.open("a") as file:
                file.write("more")
        append(self, ids)

    monkeypatch.setattr(IdStore, "append", while_it_grows)
    with pytest.raises(TextError, match="t: it was changed while it was read; give a copy"):
        corpus_of([path])


@quick
@given(st.integers(0, 5000), st.integers(1, 5000), st.integers(1, 64))
def test_stretches_are_all_of_a_text_or_evenly_spaced_from_its_first_character_to_its_last(
    length: int, most: int, count: int
) -> None:
    found = stretches(length, most, count)
    if length <= most:
        assert found == [range(length)]
        return
    assert [len(part) for part in found] == [max(1, most // count)] * count
    assert found[0].start == 0
    assert count == 1 or found[-1].stop == length
    steps = np.diff([part.start for part in found])
    assert not len(steps) or steps.max() - steps.min() <= 1


def test_frequencies_are_of_a_text_and_of_all_over_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.repeat(np.arange(4, dtype=np.uint8), [0, 30, 10, 60])
    found = frequencies(ids, 5)
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(found * (100 + 5 * 0.5), [0.5, 30.5, 10.5, 60.5, 0.5])
    monkeypatch.setattr(mapping, "COUNTED", 64)
    monkeypatch.setattr(mapping, "COUNTED_STRETCHES", 8)
    np.testing.assert_allclose(frequencies(np.repeat(ids, 50), 5)[1:4], [0.3, 0.1, 0.6], atol=0.1)

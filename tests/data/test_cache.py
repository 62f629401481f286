"""A large text that is kept is found again, only where it is the same text read in the same way, and only whole."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import corpus_of

from charlstm.data import cache, collecting, locks, mapping
from charlstm.data.corpus import Corpus
from charlstm.data.mapping import is_mapped
from charlstm.errors import OutputError, TextError

TEXT = "".join(f"It was {number * 7919 % 1000} o'clock.\n" for number in range(900))


@pytest.fixture(autouse=True)
def _texts_are_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mapping, "MOST_IN_MEMORY", 300)
    monkeypatch.setattr(cache, "MOST_IN_MEMORY", 300)
    monkeypatch.setattr(cache, "SAMPLE", 16)
    (tmp_path / "t.txt").write_text(TEXT)


def read(tmp_path: Path, **how: Any) -> Corpus:
    return corpus_of([tmp_path / "t.txt"], cache=str(tmp_path / "kept"), **how)


def kept(tmp_path: Path) -> list[str]:
    return sorted(os.listdir(tmp_path / "kept"))


def assert_same(one: Corpus, other: Corpus) -> None:
    assert one.vocabulary.characters == other.vocabulary.characters
    assert (one.sources, one.notes, one.held_out) == (other.sources, other.notes, other.held_out)
    arrays = [
        (both.training, both.validation, both.contexts.begins, both.contexts.lengths, both.contexts.ids)
        for both in (one, other)
    ]
    for a, b in zip(*arrays, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("how", [{}, {"lines": True}, {"val_fraction": 0.0}, {"known": ["x"]}, {"validation": True}])
def test_a_kept_text_is_the_same_and_is_not_read_again(
    how: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "validation" in how:
        (tmp_path / "v").write_text(TEXT[:1000] + "new")
        how = {"validation": [str(tmp_path / "v")]}
    first = read(tmp_path, **how)
    monkeypatch.setattr(collecting, "TextSource", None)  # whoever reads a text fails
    again = read(tmp_path, **how)
    assert is_mapped(again.training)
    assert_same(first, again)
    assert any(f"mapped from {tmp_path}/kept, where they are kept" in note for note in again.notes)
    assert len(kept(tmp_path)) == 1


def test_a_kept_text_is_the_one_that_is_read_without_keeping_it(tmp_path: Path) -> None:
    found, plain = read(tmp_path), corpus_of([tmp_path / "t.txt"])
    found.notes, plain.notes = [], []
    assert_same(found, plain)


def test_another_text_or_another_way_to_read_it_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(tmp_path)
    path, time = tmp_path / "t.txt", (tmp_path / "t.txt").stat().st_mtime_ns
    read(tmp_path, seed=1)
    read(tmp_path, min_count=5)
    assert len(kept(tmp_path)) == 3
    path.write_text(TEXT.replace("It", "At", 1))  # of the same size
    os.utime(path, ns=(time, time))
    assert "A" in read(tmp_path, min_count=1, val_fraction=0).vocabulary
    assert len(kept(tmp_path)) == 4
    read(tmp_path)
    assert len(kept(tmp_path)) == 5
    os.utime(path, ns=(time, time + 1))
    read(tmp_path)
    assert len(kept(tmp_path)) == 6
    monkeypatch.setattr(sys, "byteorder", "other")
    read(tmp_path)
    assert len(kept(tmp_path)) == 7


@pytest.mark.parametrize("broken", ["empty", "cut", "longer", "other ids", "other magic", "no facts"])
def test_a_kept_text_that_is_not_whole_is_read_again(broken: str, tmp_path: Path) -> None:
    first = read(tmp_path)
    (name,) = kept(tmp_path)
    path = tmp_path / "kept" / name
    raw = path.read_bytes()
    path.unlink()  # what is mapped of it stays
    path.write_bytes(
        {
            "empty": b"",
            "cut": raw[:-1],
            "longer": raw + b"0",
            "other ids": raw[:-900] + bytes(800) + raw[-100:],
            "other magic": b"C" + raw[1:],
            "no facts": raw[:15] + b"\xff" * 8 + raw[23:],
        }[broken]
    )
    assert_same(read(tmp_path), first)
    assert path.read_bytes() == raw


def test_a_text_that_memory_holds_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_IN_MEMORY", 10**6)
    monkeypatch.setattr(mapping, "MOST_IN_MEMORY", 10**6)
    assert not is_mapped(read(tmp_path).training)
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("after", [0, 3, 5])
def test_a_full_disk_leaves_nothing_in_the_folder(after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left, write = [after], os.pwrite

    def full(handle: int, data: Any, offset: int) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OutputError, match=r"kept: .*No space left on device; .*--cache"):
        read(tmp_path)
    assert kept(tmp_path) == []


def test_nothing_is_kept_of_standard_input_though_a_file_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text(TEXT)
    assert cache.key_of({}, ["./-"])
    assert cache.key_of({}, ["-"]) is None


def test_what_a_killed_process_has_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    killed, living = (f".{digit * 32}-abc.part" for digit in "12")
    others = {".model.safetensors.part", ".download.part", "someone's"}  # of another run, of other programs
    for name in (killed, living, *others):
        (tmp_path / "kept" / name).write_text("half")
    with (tmp_path / "kept" / living).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        read(tmp_path)
    assert {living, *others} < set(kept(tmp_path))
    assert killed not in kept(tmp_path)


def test_where_the_file_system_has_no_locks_ids_are_kept_and_nobody_s_remains_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_here(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none_here)
    (tmp_path / "kept").mkdir()
    killed = tmp_path / "kept" / f".{'1' * 32}-abc.part"
    killed.write_text("half")
    read(tmp_path)
    assert killed.exists()
    assert any(name.endswith(".ids") for name in kept(tmp_path))


def test_a_file_that_is_removed_before_it_is_held_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, hasty = locks.take, [True]

    def removed_by_another(descriptor: int, *, shared: bool = False) -> bool:
        if hasty:
            hasty.clear()
            (part,) = (tmp_path / "kept").glob(".*.part")
            part.unlink()
        return take(descriptor, shared=shared)

    monkeypatch.setattr(locks, "take", removed_by_another)
    read(tmp_path)
    assert [Path(name).suffix for name in kept(tmp_path)] == [".ids"]


def test_a_text_that_is_changed_after_it_was_read_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collect = collecting.Collector.collected

    def then_changed(self: collecting.Collector) -> collecting.Collected:
        (tmp_path / "t.txt").write_text("something else " * 1000)
        return collect(self)

    monkeypatch.setattr(collecting.Collector, "collected", then_changed)
    with pytest.raises(TextError, match="changed while it was read"):
        read(tmp_path)
    assert kept(tmp_path) == []


def test_kept_ids_of_bytes_are_those_of_bytes(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(bytes(range(256)) * 4)
    first, second = (read(tmp_path, encoding=None) for _ in range(2))
    assert list((tmp_path / "kept").iterdir())
    assert first.vocabulary.as_bytes
    assert second.vocabulary.as_bytes
    assert (first.training == second.training).all()

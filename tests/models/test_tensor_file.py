"""Files are written whole or not at all: a failed write harms nothing, and no link is followed."""

from __future__ import annotations

import dataclasses
import errno
import io
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

import pytest
from helpers import check_message, random_model

from charlstm.errors import OutputError
from charlstm.models import tensor_file
from charlstm.models.file import ModelFile, load


def small() -> ModelFile:
    return random_model("ab\u00e9", layers=1, hidden=2)


def refuse(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("existing", [True, False])
def test_a_failed_write_leaves_the_folder_as_it_was(
    step: str, existing: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.safetensors"
    if existing:
        small().save(path)
    before = {name.name: name.read_bytes() for name in tmp_path.iterdir()}
    if step == "open":
        monkeypatch.setattr("builtins.open", refuse)
    elif step == "write":
        monkeypatch.setattr("builtins.open", FullDisk)
    else:
        monkeypatch.setattr(os, step, refuse)
    with pytest.raises(OutputError, match=r"m\.safetensors.*No space left") as caught:
        random_model("xyz", hidden=4).save(path)
    monkeypatch.undo()
    check_message(caught.value)
    assert {name.name: name.read_bytes() for name in tmp_path.iterdir()} == before


class FullDisk(io.FileIO):
    """A file that is opened, and then there is no room in it."""

    write = staticmethod(refuse)


def test_a_write_replaces_the_old_file_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"something else entirely" * 1000)
    small().save(path)
    assert load(path).vocabulary.characters == ("a", "b", "\u00e9")
    assert [name.name for name in tmp_path.iterdir()] == ["m.safetensors"]


def test_the_old_file_stays_until_the_new_one_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    order: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(handle: int) -> None:
        order.append("fsync")
        assert path.read_bytes() == b"old" or "replace" in order
        real_fsync(handle)

    def replace(source: Any, target: Any) -> None:
        order.append("replace")
        assert Path(source).parent == path.parent
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    small().save(path)
    assert order[:2] == ["fsync", "replace"]
    assert load(path)


def test_what_a_killed_process_left_behind_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.safetensors"

    def die(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", die)
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                small().save(path)
    assert len(list(tmp_path.iterdir())) <= 1
    small().save(path)
    assert [name.name for name in tmp_path.iterdir()] == ["m.safetensors"]


def test_figures_that_json_cannot_hold_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="not finite"):
        dataclasses.replace(small(), result={"bits_per_char": float("nan")}).save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_description_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too large"):
        dataclasses.replace(small(), result={"text": "x" * tensor_file.LARGEST_HEADER}).save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_synced_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused = os.open, []

    def no_folders(path: Any, flags: int, **options: Any) -> int:
        if os.path.isdir(path):
            refused.append(path)
            refuse()
        return real(path, flags, **options)

    monkeypatch.setattr(os, "open", no_folders)
    small().save(tmp_path / "m")
    monkeypatch.undo()
    assert refused == [tmp_path]
    assert load(tmp_path / "m")


@pytest.mark.parametrize("existing", [True, False])
def test_a_link_with_the_temporary_files_name_is_not_followed(existing: bool, tmp_path: Path) -> None:
    path, precious = tmp_path / "m.safetensors", tmp_path / "precious"
    if existing:
        precious.write_bytes(b"precious")
    (tmp_path / ".m.safetensors.part").symlink_to(precious)
    small().save(path)
    assert not path.is_symlink()
    assert load(path)
    assert precious.exists() == existing
    assert not existing or precious.read_bytes() == b"precious"
    assert {name.name for name in tmp_path.iterdir()} == {"m.safetensors", *["precious"] * existing}


def test_a_link_that_appears_at_the_last_instant_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, precious, part = tmp_path / "m", tmp_path / "precious", tmp_path / ".m.part"
    precious.write_bytes(b"precious")
    real = Path.unlink

    def unlink(self: Path, missing_ok: bool = False) -> None:
        real(self, missing_ok=missing_ok)
        if self == part:
            self.symlink_to(precious)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(OutputError, match="cannot write it"):
        small().save(path)
    assert precious.read_bytes() == b"precious"
    assert not path.exists()


def test_a_folder_with_the_temporary_files_name_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / ".m.part" / "inside").mkdir(parents=True)
    with pytest.raises(OutputError, match="cannot write it"):
        small().save(tmp_path / "m")
    assert (tmp_path / ".m.part" / "inside").is_dir()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
def test_a_replaced_file_hands_its_permissions_on(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"old")
    path.chmod(mode)
    small().save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert load(path)


def test_nobody_else_can_read_a_private_file_while_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "m", []
    path.write_bytes(b"old")
    path.chmod(0o600)
    real = os.chmod

    def chmod(name: Any, mode: int) -> None:
        seen.append(stat.S_IMODE(os.stat(name).st_mode))
        real(name, mode)

    monkeypatch.setattr(os, "chmod", chmod)
    small().save(path)
    assert seen == [0o600]


@pytest.mark.parametrize("mask", [0o077, 0o022])
def test_a_new_file_heeds_the_umask(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        small().save(tmp_path / "m")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o666 & ~mask


def test_a_file_that_a_link_points_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "folder" / "m")
    small().save(link)
    assert link.is_symlink()
    assert load(tmp_path / "folder" / "m")

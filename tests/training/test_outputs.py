"""What a run keeps beside its model: names, the lock, and whether a model may be written."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from charlstm.data import locks
from charlstm.errors import OutputError, UsageError
from charlstm.models import tensor_file
from charlstm.training.outputs import check_writable, default_output, locked, resume_path, save_or_rescue

# ----------------------------------------------------------------------------------------- before the work


def test_a_new_file_may_be_written(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.safetensors", force=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_current_folder_may_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_writable("new.safetensors", force=False)


def test_a_link_to_a_file_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("missing/m.safetensors")
    with pytest.raises(OutputError, match=r"link: there is no folder .*missing$"):
        check_writable(tmp_path / "link", force=False)
    (tmp_path / "missing").mkdir()
    check_writable(tmp_path / "link", force=False)


def test_an_existing_file_is_refused_without_force(model_path: Path) -> None:
    before = model_path.read_bytes()
    with pytest.raises(OutputError, match=r"random\.safetensors.*--force"):
        check_writable(model_path, force=False)
    check_writable(model_path, force=True)
    assert model_path.read_bytes() == before


def test_what_is_no_model_is_never_replaced_but_an_empty_file_and_a_broken_model_are(model_path: Path) -> None:
    whole = model_path.read_bytes()
    for content in (b"", whole, whole[:100]):
        model_path.write_bytes(content)
        check_writable(model_path, force=True)
    for content in (b"x", b"name,year\nAda,1815\n", b"PK\x03\x04" + bytes(100)):
        model_path.write_bytes(content)
        with pytest.raises(OutputError, match="is no model, and --force replaces models only"):
            check_writable(model_path, force=True)


def test_force_is_true_or_false(model_path: Path) -> None:
    with pytest.raises(UsageError, match="force is 'no'; it must be true or false"):
        check_writable(model_path, force="no")  # type: ignore[arg-type]


def test_an_unfinished_run_is_pointed_to_resume(model_path: Path) -> None:
    tensor_file.write(resume_path(model_path), {}, {"resume": {}})
    with pytest.raises(OutputError, match="--resume"):
        check_writable(model_path, force=False)
    check_writable(model_path, force=True)


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("kind", ["notes", "a model", "a folder", "a pipe"])
def test_what_is_no_state_of_a_run_is_not_written_over(kind: str, force: bool, model_path: Path) -> None:
    state = resume_path(model_path)
    if kind == "notes":
        state.write_text("my notes, and what else is dear to me")
    elif kind == "a model":
        shutil.copy(model_path, state)
    elif kind == "a folder":
        state.mkdir()
    else:
        os.mkfifo(state)
    with pytest.raises(OutputError, match=r"resume\.safetensors: no state of a run, .*; move it, or give another"):
        check_writable(model_path, force=force)


@pytest.mark.parametrize("left", [0, 100])
def test_a_state_that_is_broken_is_replaced_where_that_is_asked_for(left: int, model_path: Path) -> None:
    state = resume_path(model_path)
    tensor_file.write(state, {}, {"resume": {"seconds": "x" * 1000}})
    state.write_bytes(state.read_bytes()[:left])
    with pytest.raises(OutputError, match="--resume"):
        check_writable(model_path, force=False)
    check_writable(model_path, force=True)


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_is_no_place_for_a_model(force: bool, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="folder"):
        check_writable(tmp_path, force=force)


@pytest.mark.parametrize("force", [True, False])
def test_a_missing_folder_is_named(force: bool, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no folder .*nowhere"):
        check_writable(tmp_path / "nowhere" / "m.safetensors", force=force)


def test_a_read_only_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    with pytest.raises(OutputError, match="read-only"):
        check_writable(tmp_path / "m.safetensors", force=True)


def test_a_file_of_another_user_in_a_shared_folder_is_named_before_the_work(
    model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder such as /tmp only its owner may replace a file: hours of work would end in an error."""
    check_writable(model_path, force=True)
    model_path.parent.chmod(0o1777)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 12345)
    with pytest.raises(OutputError, match="another user's"):
        check_writable(model_path, force=True)
    check_writable(model_path.with_name("new.safetensors"), force=True)
    model_path.parent.chmod(0o777)
    check_writable(model_path, force=True)


def test_a_device_or_pipe_is_never_replaced(tmp_path: Path) -> None:
    """Writing renames over the target: forced onto /dev/null it would take that away from everyone."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError):
        check_writable(tmp_path / "pipe", force=True)


def test_the_state_of_a_run_lies_beside_its_model(tmp_path: Path) -> None:
    assert resume_path(tmp_path / "book.safetensors") == tmp_path / "book.resume.safetensors"
    assert resume_path("book.safetensors") == Path("book.resume.safetensors")


def test_different_models_have_different_resume_files() -> None:
    outputs = ["m", "m.safetensors", "rate-0.5", "rate-0.7", "book.v1", "book.v2", "book.v1.safetensors", ".hidden"]
    paths = [resume_path(output) for output in outputs if output != "m.safetensors"]
    assert len(set(paths)) == len(paths)
    assert not set(paths) & set(map(Path, outputs))


# -------------------------------------------------------------------------------------------------- locks


def test_two_trainings_cannot_write_one_model(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with locked(path):
        with pytest.raises(OutputError, match="another training"), locked(path):
            pytest.fail("it got the same lock")
        with locked(tmp_path / "other.safetensors"):
            pass
    with locked(path):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("taken", [False, True])
def test_a_lock_on_what_its_last_holder_has_just_taken_away_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    """Between opening it and locking it: another one may make that file again, and hold the lock on that."""
    path, take = tmp_path / ".m.lock", locks.take

    def too_late(descriptor: int) -> bool:
        path.unlink()
        if taken:
            path.touch()
        return take(descriptor)

    monkeypatch.setattr(locks, "take", too_late)
    with pytest.raises(OutputError, match="another training"), locked(tmp_path / "m"):
        pytest.fail("it got a lock on a file that is gone")
    assert path.exists() == taken


def test_a_lock_ends_with_its_block_however_that_ends(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "m"):
        raise ZeroDivisionError
    with locked(tmp_path / "m"):
        pass


def test_a_lock_in_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"), locked(tmp_path / "nowhere" / "m"):
        pytest.fail("it got a lock")


# ------------------------------------------------------------------------------------------ after the work


@dataclass
class Run:
    """A run whose model goes to a folder that may be gone."""

    output: Path

    def save(self) -> None:
        """Save the model."""
        try:
            self.output.write_bytes(b"model")
        except OSError as error:
            raise OutputError(f"{self.output}: {error.strerror}") from error


def test_what_cannot_be_saved_where_it_was_asked_for_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run = Run(tmp_path / "gone" / "m.safetensors")
    with pytest.raises(OutputError, match=r"gone/m\.safetensors: No such file.*; saved as .*m\.safetensors instead"):
        save_or_rescue(run, run.save)
    assert run.output.read_bytes() == b"model"
    assert run.output.name == "m.safetensors"


def test_a_run_outlives_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run = Run(Path("m.safetensors"))

    def save() -> None:
        if not run.output.is_absolute():
            raise FileNotFoundError(2, "No such file or directory")  # as `os.getcwd` does
        run.save()

    with pytest.raises(OutputError, match=r"^m\.safetensors: No such file or directory; saved as "):
        save_or_rescue(run, save)
    assert run.output.read_bytes() == b"model"


def test_where_nothing_can_be_saved_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path / "gone" / "m.safetensors")

    def fails() -> None:
        raise OutputError(f"{run.output}: full")

    for temporary in (tmp_path, tmp_path / "gone, too"):
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        with pytest.raises(OutputError, match=r"gone/m\.safetensors: full$"):
            save_or_rescue(run, fails)
        assert list(tmp_path.iterdir()) == []


def test_a_model_is_named_as_its_text_is_though_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "book.txt").symlink_to("a.txt")
    assert default_output(str(tmp_path / "book.txt")) == "book.safetensors"
    with (tmp_path / "a.txt").open() as file:  # a name of another file, as /dev/stdin is
        assert default_output(f"/proc/self/fd/{file.fileno()}") == "a.safetensors"

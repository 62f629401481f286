"""Texts of a run are found again where they were or beside the model, by their contents; pipes are piped again."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import TEXT, charlstm, corpus_of, started_run
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.config import TrainingRequest
from charlstm.data.corpus import Corpus, Reading
from charlstm.errors import ModelFileError, TextError, UsageError
from charlstm.training.run import Run, prepare, resume
from charlstm.training.sources import (
    as_paths,
    candidate_readings,
    check_unchanged,
    is_pipe,
    localized,
    named_anew,
    portable,
)

REQUEST: dict[str, Any] = {"steps": 30, "hidden": 8, "layers": 1, "batch": 4, "context": 16, "threads": 1}


def stopped(run: Run) -> Path:
    """The model of a run that was stopped after two steps."""
    list(run.run(lambda: run.trainer.step >= 2))
    return run.output


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A folder with texts and, in a folder of its own, the model of a stopped run."""
    for folder in ("texts", "models"):
        (tmp_path / "old" / folder).mkdir(parents=True)
    (tmp_path / "old" / "texts" / "a.txt").write_text(TEXT)
    (tmp_path / "old" / "texts" / "b.txt").write_text("b" + TEXT)
    (tmp_path / "old" / "held.txt").write_text("c" + TEXT)
    stopped(
        prepare(
            [tmp_path / "old" / "texts"],
            output=tmp_path / "old" / "models" / "m.safetensors",
            validation=[tmp_path / "old" / "held.txt"],
            request=TrainingRequest(**REQUEST),
        )
    )
    yield tmp_path


@pytest.mark.parametrize("lines", [False, True])
def test_a_text_that_was_compressed_since_is_held_out_as_before(lines: bool, tmp_path: Path) -> None:
    """It comes in other pieces."""
    text = "".join(f"{number * 7919 % 1000:03d} {chr(97 + number % 26)} {number}\n" for number in range(300, 0, -1))
    whole, cut = tmp_path / "whole.txt", tmp_path / "cut.txt.gz"
    whole.write_text(text)
    model = stopped(
        prepare([whole], output=tmp_path / "m.safetensors", request=TrainingRequest(lines=lines, **REQUEST))
    )
    cut.write_bytes(b"".join(gzip.compress(text[begin : begin + 100].encode()) for begin in range(0, len(text), 100)))
    whole.unlink()
    assert goes_on(resume(model, paths=[cut]))


def test_a_text_that_becomes_other_ids_than_before_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by another version of Python, whose Unicode normalization differs."""
    model = project / "old" / "models" / "m.safetensors"
    monkeypatch.setattr(Corpus, "checksum", lambda corpus: "another")
    with pytest.raises(ModelFileError, match=r"m\.safetensors: .* in another way; start anew"):
        resume(model)


def test_a_checksum_is_of_the_vocabulary_and_of_both_parts() -> None:
    texts = (TEXT, TEXT[:-1], TEXT.replace("o", "0"), TEXT[::-1])
    found = [corpus_of(texts=[text], val_split="end").checksum() for text in texts]
    found += [corpus_of(texts=[TEXT], seed=seed).checksum() for seed in (0, 1)]
    assert len({*found}) == 6
    assert corpus_of(texts=[TEXT], seed=1).checksum() == found[-1]


def goes_on(run: Run) -> bool:
    list(run.run())
    return run.finished


def test_a_project_that_was_moved_as_a_whole_goes_on(project: Path) -> None:
    (project / "old").rename(project / "new")
    assert goes_on(resume(project / "new" / "models" / "m.safetensors"))


def test_texts_beside_the_model_are_found(project: Path) -> None:
    new = project / "new"
    new.mkdir()
    for path in [*(project / "old" / "models").iterdir(), project / "old" / "texts", project / "old" / "held.txt"]:
        path.rename(new / path.name)
    run = resume(new / "m.safetensors")
    assert list(run.reading.paths) == [str(new / "texts")]
    assert [source["name"] for source in run.corpus.sources] == ["texts/a.txt", "texts/b.txt", "held.txt"]
    assert goes_on(run)


def test_a_text_that_changed_where_it_was_is_found_beside_the_model(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "text.txt").write_text(TEXT)
    output = tmp_path / "models" / "m.safetensors"
    stopped(prepare([tmp_path / "text.txt"], output=output, request=TrainingRequest(**REQUEST)))
    (tmp_path / "text.txt").rename(tmp_path / "models" / "text.txt")
    (tmp_path / "text.txt").write_text("another text " * 50)
    assert goes_on(resume(output))


def test_texts_can_be_named_anew_by_any_name(project: Path) -> None:
    elsewhere = project / "elsewhere"
    (project / "old" / "texts").rename(elsewhere)
    (elsewhere / "a.txt").rename(elsewhere / "0.txt")
    (project / "old" / "held.txt").rename(project / "validation.txt")
    model = project / "old" / "models" / "m.safetensors"
    with pytest.raises(TextError, match=r"charlstm train --resume TEXT\.\.\. -o"):
        resume(model)
    assert goes_on(resume(model, paths=[elsewhere], validation=project / "validation.txt"))


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a.txt"], r"b\.txt: changed .* or not there"),
        (["a.txt", "c.txt"], r"c\.txt: another text than texts/b\.txt"),
        (["a.txt", "b.txt", "c.txt"], r"c\.txt: new"),
        (["b.txt", "a.txt"], "not in the order"),
    ],
)
def test_other_texts_are_refused_by_name(project: Path, names: list[str], reason: str) -> None:
    texts = project / "old" / "texts"
    (texts.parent / "c.txt").write_text("cc" + TEXT)
    named = [texts.parent / name if name == "c.txt" else texts / name for name in names]
    with pytest.raises(TextError, match=reason):
        resume(project / "old" / "models" / "m.safetensors", paths=named)


def test_the_command_line_goes_on_beside_the_model_and_with_texts_named_anew(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    stopped(started_run(tmp_path / "old", "book", steps=20, layers=1))
    (tmp_path / "old").rename(tmp_path / "new")
    output = tmp_path / "new" / "book.safetensors"
    (tmp_path / "new" / "text.txt").rename(tmp_path / "renamed.txt")
    lost = charlstm("train", "--resume", "-o", "book.safetensors", cwd=tmp_path / "new")
    assert lost.returncode == 1
    assert "name the run's texts" in lost.stderr
    done = charlstm("train", "../renamed.txt", "--resume", "-o", "book.safetensors", cwd=tmp_path / "new")
    assert done.returncode == 0, done.stderr
    assert "going on at step 2" in done.stderr
    assert output.exists()


# -------------------------------------------------------------------------------------------- pipes


def written_to(pipe: Path, text: str) -> threading.Thread:
    """A thread that writes a text to a named pipe once somebody reads it."""
    thread = threading.Thread(target=pipe.write_text, args=(text,), daemon=True)
    thread.start()
    return thread


def test_a_named_pipe_is_read_and_its_text_named_when_the_run_goes_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = written_to(tmp_path / "pipe", TEXT)
    run = prepare([tmp_path / "pipe"], output=tmp_path / "m.safetensors", request=TrainingRequest(**REQUEST))
    writer.join(10)
    output = stopped(run)
    assert list(run.reading.paths) == ["-"]
    (tmp_path / "pipe").unlink()
    os.mkfifo(tmp_path / "another")
    writer = written_to(tmp_path / "another", TEXT)
    again = resume(output, paths=[tmp_path / "another"])
    writer.join(10)
    list(again.run(lambda: True))
    (tmp_path / "text.txt").write_text(TEXT)
    assert goes_on(resume(output, paths=[tmp_path / "text.txt"]))


def test_a_run_from_a_shells_pipe_goes_on_with_the_same_text_piped_again(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    handle = os.open(tmp_path / "text.txt", os.O_RDONLY)
    run = prepare([f"/dev/fd/{handle}"], output=tmp_path / "m.safetensors", request=TrainingRequest(**REQUEST))
    os.close(handle)
    stopped(run)
    refused = charlstm("train", "--resume", "-o", "m.safetensors", cwd=tmp_path, input="another text " * 20)
    assert "pipe the same text in again" in refused.stderr
    done = charlstm("train", "--resume", "-o", "m.safetensors", cwd=tmp_path, input=TEXT)
    assert done.returncode == 0, done.stderr


def test_texts_from_two_pipes_must_be_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        os.mkfifo(tmp_path / name)
    writers = [written_to(tmp_path / "a", TEXT), written_to(tmp_path / "b", "b" + TEXT)]
    run = prepare(
        [tmp_path / "a", tmp_path / "b"], output=tmp_path / "m.safetensors", request=TrainingRequest(**REQUEST)
    )
    for writer in writers:
        writer.join(10)
    with pytest.raises(UsageError, match="2 pipes; name the run's texts"):
        resume(stopped(run))


@pytest.mark.parametrize("path", ["-", "/dev/stdin", "/dev/fd/63", "/proc/self/fd/5", "/dev/null"])
def test_what_is_read_once_only_is_a_pipe(path: str) -> None:
    assert is_pipe(path)


def test_files_folders_and_what_is_not_there_are_no_pipes(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    assert not any(is_pipe(str(path)) for path in (tmp_path, tmp_path / "text.txt", tmp_path / "nowhere"))
    assert not is_pipe("a\0b")


# -------------------------------------------------------------------------------------------- names


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.lists(st.binary(min_size=1, max_size=20).map(lambda name: b"/" + name.replace(b"\0", b"x")), max_size=3))
def test_any_name_is_kept_as_text_and_found_again(names: list[bytes]) -> None:
    reading = Reading(paths=[os.fsdecode(name) for name in names])
    kept = portable(reading)
    assert [os.fsencode(path) for path in localized(kept).paths] == names
    for name, path in zip(names, kept.paths, strict=True):
        assert path.encode("utf-8", "surrogateescape") == name


def test_a_name_with_umlauts_is_found_under_another_locale(tmp_path: Path) -> None:
    (tmp_path / "Märchen.txt").write_text(TEXT)
    command = ("train", "Märchen.txt", "-o", "m.safetensors", "-q", "--steps", 3, "--hidden", 8, "--threads", 1)
    done = charlstm(*command, cwd=tmp_path, env={"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"})
    assert done.returncode == 0, done.stderr


def test_where_texts_may_be_by_now_is_tried_in_order(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    reading = Reading(paths=["/gone/project/text.txt", "-"])
    tried = candidate_readings(reading, "/gone/project", tmp_path / "m.safetensors")
    assert [list(one.paths) for one in tried] == [[str(tmp_path / "text.txt"), "-"]]
    nowhere = candidate_readings(Reading(paths=["/gone/other.txt"]), "/gone", tmp_path / "m.safetensors")
    assert [list(one.paths) for one in nowhere] == [["/gone/other.txt"]]


def test_a_path_that_stands_alone_is_not_taken_for_its_letters() -> None:
    assert as_paths("abc") == ["abc"]
    assert as_paths(Path("abc")) == ["abc"]
    assert as_paths(b"abc") == as_paths([b"abc"]) == ["abc"]
    for wrong in (5, [5], None, [["abc"]]):
        with pytest.raises(UsageError, match=r"a text's path is .*; it must be the path of a file"):
            as_paths(wrong)  # type: ignore[arg-type]


def test_a_text_that_stands_where_another_one_stood_is_named() -> None:
    with pytest.raises(TextError, match=r"^b\.txt: another text than a\.txt, which the run read$"):
        check_unchanged([{"name": "b.txt", "sha256": "2"}], [{"name": "a.txt", "sha256": "1"}])
    with pytest.raises(TextError, match=r"^a\.txt: changed"):
        check_unchanged([{"name": "a.txt", "sha256": "2"}], [{"name": "a.txt", "sha256": "1"}])


def test_a_run_without_a_text_to_validate_on_gets_none_later() -> None:
    with pytest.raises(UsageError, match="begun without --val"):
        named_anew(Reading(paths=["a"]), [], ["b"])
    anew = named_anew(Reading(paths=["a"], validation=["b"]), ["c"], ["d"])
    assert (list(anew.paths), list(anew.validation)) == (["c"], ["d"])
    assert list(named_anew(Reading(paths=["a"]), ["c"], []).validation) == []


def test_the_role_of_a_text_counts_too() -> None:
    text = {"name": "a", "sha256": "1"}
    with pytest.raises(TextError, match="changed"):
        check_unchanged([text], [{**text, "role": "validation"}])
    check_unchanged([{**text, "name": "b"}], [text])

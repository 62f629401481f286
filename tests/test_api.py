"""The library as other programs use it."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import TEXT, random_model

import charlstm as library
from charlstm.config import SampleSettings
from charlstm.errors import UsageError

SMALL = {"hidden": 16, "layers": 1, "embedding": 8, "batch": 4, "context": 16, "threads": 1}


def test_train_load_sample_and_score(tmp_path: Path) -> None:
    reports = []
    model = library.train(output=tmp_path / "m.safetensors", text=TEXT, steps=100, progress=reports.append, **SMALL)
    assert reports[-1].fraction == 1.0
    loaded = library.load(tmp_path / "m.safetensors")
    text = loaded.sample("the ", length=30, temperature=0.5, seed=3)
    assert len(text) == 30
    assert text == model.sample("the ", length=30, temperature=0.5, seed=3)
    score = loaded.score("the cat is a bird\n")
    assert score.characters == 18
    assert score.bits_per_char < 3


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        library.nonsense  # noqa: B018


def test_a_model_of_lines_scores_each_line_alone(tmp_path: Path) -> None:
    model = library.train(output=tmp_path / "m.safetensors", text=TEXT, steps=20, lines=True, **SMALL)
    lines = TEXT.splitlines(keepends=True)[:5]
    assert model.score("".join(lines)).nats == pytest.approx(sum(model.score(line).nats for line in lines))
    assert model.sample(length=2000, seed=1).count("\n") <= 1


def test_the_library_takes_what_the_command_takes(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(TEXT.replace("cat", "çat").encode("latin-1"))
    (tmp_path / "held.txt").write_bytes("the çat is a bird\n".encode("latin-1"))
    model = library.train(
        tmp_path / "text.txt", output=tmp_path / "m.safetensors", steps=2,
        validation=[tmp_path / "held.txt"], encoding="latin-1", **SMALL,
    )  # fmt: skip
    assert "ç" in model.vocabulary
    assert model.file.result["val_characters"] == 18


def test_a_path_or_a_text_that_stands_alone_is_one_and_not_its_letters(tmp_path: Path) -> None:
    (tmp_path / "held.txt").write_text("the cat is a bird\n")
    model = library.train(
        output=tmp_path / "m.safetensors", text=TEXT, steps=3, validation=str(tmp_path / "held.txt"), **SMALL
    )
    assert model.file.result["val_characters"] == 18
    whole = model.sample("the ", length=50, seed=1)
    assert model.sample("the ", length=50, seed=1, stop=whole[3:6]) == whole[:6]
    assert model.sample("the ", length=50, seed=1, stop=(text for text in [whole[3:6]])) == whole[:6]
    with pytest.raises(UsageError, match="stop"):
        model.sample("the ", stop=None)
    with pytest.raises(UsageError, match=r"samples\(\[prompt\], count"):
        model.sample("the ", count=3)
    assert next(model.samples(["the "], count=2, length=6, seed=1)) == whole[:6]
    with pytest.raises(UsageError, match="list of texts"):
        list(model.samples("abc", SampleSettings(length=1)))
    with pytest.raises(UsageError, match="paths"):
        library.train(["text.txt"], output=tmp_path / "n.safetensors")  # type: ignore[arg-type]


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("pieces", [[], [""], ["a"], ["ab\nc", "", "é\n", "h"], ["abc\n" * 12_000, "d"]])
def test_surprisals_of_a_text_in_pieces_are_its_own_and_add_up_to_its_score(lines: bool, pieces: list[str]) -> None:
    model = library.Model(random_model(lines=lines))
    scored = list(model.surprisals(iter(pieces)))
    assert "".join(text for text, _ in scored) == "".join(pieces)
    assert all(len(text) == len(nats) for text, nats in scored)
    assert sum(float(nats.sum()) for _, nats in scored) == pytest.approx(model.score("".join(pieces)).nats)

"""The library as other programs use it."""

from __future__ import annotations

import copy
import dataclasses
import os
import pickle
import random
import signal
import subprocess
import sys
import typing
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import ROOT, TEXT, random_model

import charlstm as library
from charlstm.config import SampleSettings, TrainingRequest
from charlstm.errors import TextError, UsageError
from charlstm.inference import dynamic
from charlstm.keywords import SampleOptions, SamplesOptions, TrainingOptions
from charlstm.training import run as training_run

SMALL: dict[str, Any] = {"hidden": 16, "layers": 1, "embedding": 8, "batch": 4, "context": 16, "threads": 1}


def random_library_model(**options: Any) -> library.Model:
    return library.Model(random_model(**options))


# ----------------------------------------------------------------------------------- train and load


def test_train_load_sample_and_score(tmp_path: Path) -> None:
    reports: list[library.Progress] = []
    model = library.train(output=tmp_path / "m.safetensors", text=TEXT, steps=100, progress=reports.append, **SMALL)
    assert reports[-1].fraction == 1.0
    assert isinstance(reports[-1], library.Progress)
    loaded = library.load(tmp_path / "m.safetensors")
    text = loaded.sample("the ", length=30, temperature=0.5, seed=3)
    assert len(text) == 30
    assert text == model.sample("the ", length=30, temperature=0.5, seed=3)
    score = loaded.score("the cat is a bird\n")
    assert score.characters == 18
    assert score.bits_per_char < 3


def test_the_library_takes_what_the_command_takes(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes(TEXT.replace("cat", "çat").encode("latin-1"))
    (tmp_path / "held.txt").write_bytes("the çat is a bird\n".encode("latin-1"))
    model = library.train(
        tmp_path / "text.txt", output=tmp_path / "m.safetensors", steps=2,
        validation=[tmp_path / "held.txt"], encoding="latin-1", **SMALL,
    )  # fmt: skip
    assert "ç" in model.vocabulary
    assert model.file.result["val_characters"] == 18


def test_a_path_that_stands_alone_is_one_and_not_its_letters(tmp_path: Path) -> None:
    (tmp_path / "held.txt").write_text("the cat is a bird\n")
    output = tmp_path / "m.safetensors"
    model = library.train(output=output, text=TEXT, steps=3, validation=str(tmp_path / "held.txt"), **SMALL)
    assert model.file.result["val_characters"] == 18
    with pytest.raises(UsageError, match="give each path by itself"):
        library.train(["text.txt"], output=tmp_path / "n.safetensors")  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [os.fsencode, Path, str])
def test_a_path_is_bytes_or_a_path_or_a_str(given: Callable[[Any], Any], tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    text, output = given(str(tmp_path / "text.txt")), given(str(tmp_path / "m.safetensors"))
    cache, others = given(str(tmp_path / "cache")), {**SMALL, "steps": 2}
    library.train(text, output=output, validation=text, cache=cache, **others)
    library.train(text, output=output, init_from=output, force=True, steps=2, threads=1)
    assert library.load(output).file.trained_on[0]["name"] == "text.txt"


@pytest.mark.parametrize("path", [5, True, ["m"], "a\0b"])
@pytest.mark.parametrize("name", ["path", "output", "a text's path", "init_from", "cache"])
def test_what_is_no_path_is_a_usage_error(name: str, path: Any, tmp_path: Path) -> None:
    calls: dict[str, Callable[[], object]] = {
        "path": lambda: library.load(path),
        "output": lambda: library.train(output=path, text=TEXT),
        "a text's path": lambda: library.train(path, output=tmp_path / "m"),
        "init_from": lambda: library.train(output=tmp_path / "m", text=TEXT, init_from=path),
        "cache": lambda: library.train(output=tmp_path / "m", text=TEXT, cache=path),
    }
    with pytest.raises(UsageError, match=f"^{name} is "):
        calls[name]()


@pytest.mark.parametrize("encoding", [None, 5, b"utf-8", "none such"])
def test_what_is_no_encoding_is_a_usage_error(encoding: Any, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    with pytest.raises(UsageError, match="encoding"):
        library.train(tmp_path / "text.txt", output=tmp_path / "m", encoding=encoding, steps=1)


def test_a_budget_that_is_no_number_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="minutes is '5'; it must be a number"):
        library.resume(tmp_path / "m", minutes="5")  # type: ignore[arg-type]


def test_a_stopped_training_goes_on_to_the_same_model(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    whole = library.train(tmp_path / "text.txt", output=tmp_path / "whole.safetensors", steps=60, **SMALL)
    run = training_run.prepare(
        [tmp_path / "text.txt"], output=tmp_path / "m.safetensors", request=TrainingRequest(steps=60, **SMALL)
    )
    for _ in run.run(stop=lambda: run.trainer.step >= 20):
        pass
    moved = tmp_path / "elsewhere" / "other.txt"
    moved.parent.mkdir()
    (tmp_path / "text.txt").rename(moved)
    with pytest.raises(library.TextError):
        library.resume(tmp_path / "m.safetensors")
    reports: list[library.Progress] = []
    resumed = library.resume(tmp_path / "m.safetensors", paths=moved, progress=reports.append)
    assert reports[0].step > 20
    assert reports[-1].fraction == 1.0
    np.testing.assert_array_equal(resumed.file.tensors["head.weight"], whole.file.tensors["head.weight"])
    with pytest.raises(library.ModelFileError, match="finished"):
        library.resume(tmp_path / "m.safetensors")


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": np.int64(16), "learning_rate": np.float32(0.01), "steps": np.int32(3), "seed": np.uint8(1)},
        {"epochs": np.float64(0.1), "dropout": np.float16(0.25), "lines": np.bool_(True), "min_count": np.int16(1)},
    ],
    ids=["steps", "epochs"],
)
def test_scalars_of_numpy_are_settings_like_any_other(settings: dict[str, Any], tmp_path: Path) -> None:
    small = {name: value for name, value in SMALL.items() if name not in settings}
    model = library.train(output=tmp_path / "m.safetensors", text=TEXT, **small, **settings)
    assert library.load(tmp_path / "m.safetensors").file.description() == model.file.description()
    two: Any = np.int64(2)
    assert library.load(tmp_path / "m.safetensors", threads=two).threads == 2
    length: Any = np.int64(7)
    assert model.sample(length=length, temperature=float(np.float32(0.5)), seed=int(np.int64(3)))
    numpy_named: dict[str, Any] = {"length": length, "temperature": np.float32(0.5), "seed": np.int64(3)}
    assert model.sample(**numpy_named) == model.sample(length=7, temperature=0.5, seed=3)


# --------------------------------------------------------------------------------- settings by name


@pytest.mark.parametrize(
    ("options", "settings"),
    [(TrainingOptions, TrainingRequest), (SamplesOptions, SampleSettings)],
    ids=["train", "samples"],
)
def test_the_keywords_that_an_editor_completes_are_the_settings(options: Any, settings: type) -> None:
    completed = typing.get_type_hints(options)
    declared = {name: hint for name, hint in typing.get_type_hints(settings).items() if name in settings_of(settings)}
    if settings is SampleSettings:  # texts come as any iterable, or as one text
        assert completed.pop("stop") == typing.Union[str, bytes, Iterable[str | bytes]]  # noqa: UP007
        assert declared.pop("stop") == tuple[str | bytes, ...]
    assert completed == declared


def settings_of(settings: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(settings)}


def test_a_single_sample_takes_all_settings_but_the_count() -> None:
    assert SampleOptions.__optional_keys__ == settings_of(SampleSettings) - {"count"}
    for method in (library.Model.sample, library.Model.stream):
        assert typing.get_type_hints(method)["named"] == typing.Unpack[SampleOptions]


Call = Callable[..., object]


def calls(model: library.Model, output: Path) -> dict[str, Call]:
    return {
        "sample": model.sample,
        "stream": model.stream,
        "samples": lambda **named: model.samples([""], **named),
        "train": lambda **named: library.train(text=TEXT, output=output, **named),
    }


@pytest.mark.parametrize("call", ["sample", "stream", "samples", "train"])
@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ({"sed": 1}, "no setting 'sed'; did you mean seed"),
        ({"qwertz": 1}, "no setting 'qwertz'; there are"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"seed": 0.5}, "seed is 0.5"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_a_usage_error_at_once(call: str, named: Any, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=reason):
        calls(random_library_model(), tmp_path / "m")[call](**named)
    assert list(tmp_path.iterdir()) == []


def test_settings_given_twice_are_refused() -> None:
    model = random_library_model()
    settings = SampleSettings(length=5)
    assert len(model.sample("a", settings)) == len("".join(model.stream("a", settings))) == 5
    for call in (model.sample, model.stream):
        with pytest.raises(UsageError, match="not both"):
            call("a", settings, length=100)
    with pytest.raises(UsageError, match="not both"):
        model.samples(["a"], settings, length=100)
    with pytest.raises(UsageError, match="SampleSettings"):
        model.samples(["a"], {"length": 5})  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"settings": SampleSettings(count=3)}, {"count": 3}], ids=["settings", "named"])
def test_a_count_is_refused_where_one_sample_is_written(given: Any) -> None:
    model = random_library_model()
    for call in (model.sample, model.stream):
        with pytest.raises(UsageError, match=r"samples\(\[prompt\], count"):
            call("a", **given)
    assert len(list(model.samples(["a"], **given))) == 3


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda model: model.score_lines("abc"), "lines is a text; give a list"),
        (lambda model: model.samples("abc"), "prompts is a text; give a list"),
        (lambda model: model.score_lines([b"abc"]), "one of lines is b'abc'; it must be a text"),
        (lambda model: model.samples(["a", None]), "one of prompts is None"),
        (lambda model: model.sample(3), "prompt is 3"),
        (lambda model: model.stream(None), "prompt is None"),
        (lambda model: model.score(["abc"]), "text is"),
        (lambda model: model.sample("the ", stop=None), "stop"),
        (lambda model: library.Model(model.file, threads=0), "threads is 0"),
        (lambda model: library.Model(model.file, threads="2"), "threads is '2'; it must be a whole number"),  # type: ignore[arg-type]
    ],
    ids=lambda value: value if isinstance(value, str) else "call",
)
def test_what_is_no_text_is_a_usage_error(call: Callable[[Any], object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        call(random_library_model())


def test_a_stop_text_is_read_in_the_normalization_form_of_the_model() -> None:
    model = library.Model(dataclasses.replace(random_model("a\u00e9"), normalize="nfc"))
    whole = model.sample("a", length=100, seed=1)
    assert "\u00e9" in whole
    assert model.sample("a", length=100, seed=1, stop="e\u0301") == whole[: whole.index("\u00e9") + 1]


def test_a_stop_text_that_stands_alone_is_one_and_not_its_letters() -> None:
    model = random_library_model()
    whole = model.sample("a", length=50, seed=1)
    assert model.sample("a", length=50, seed=1, stop=whole[3:6]) == whole[:6]
    assert model.sample("a", length=50, seed=1, stop=(text for text in [whole[3:6]])) == whole[:6]
    assert next(model.samples(iter(["a"]), count=2, length=6, seed=1)) == whole[:6]


def test_a_model_can_be_copied_and_sent_to_another_process() -> None:
    model = random_library_model()
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert copied.sample("a", length=50, seed=1) == model.sample("a", length=50, seed=1)
        assert copied.threads == model.threads


# --------------------------------------------------------------------------------- scores and figures


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("pieces", [[], [""], ["a\n"], ["ab\nc", "", "é\n", "h\n"], ["abc\n" * 12_000, "d\n"]])
def test_surprisals_of_a_text_in_pieces_are_its_own_and_add_up_to_its_score(lines: bool, pieces: list[str]) -> None:
    model = random_library_model(lines=lines)
    scored = list(model.surprisals(iter(pieces)))
    assert "".join(text for text, _ in scored) == "".join(pieces)
    assert all(len(text) == len(nats) for text, nats in scored)
    assert sum(float(nats.sum()) for _, nats in scored) == pytest.approx(model.score("".join(pieces)).nats)


def test_a_model_of_lines_scores_each_line_alone() -> None:
    model = random_library_model(lines=True)
    lines = TEXT.splitlines(keepends=True)[:5]
    assert model.score("".join(lines)).nats == pytest.approx(sum(model.score(line).nats for line in lines))
    assert model.sample(length=2000, seed=1).count("\n") <= 1


@pytest.mark.parametrize("text", ["abc", "abc\nde", "\nb", "a" * 40_000])
def test_a_last_line_is_the_same_record_with_and_without_its_newline(text: str) -> None:
    model = random_library_model(lines=True)
    with_end, without = model.score(text + "\n"), model.score(text)
    assert without.nats == pytest.approx(with_end.nats, rel=1e-6)
    assert without.figures()["bits_per_char"] == pytest.approx(with_end.figures()["bits_per_char"], rel=1e-6)
    assert without.characters == with_end.characters == len(text) + 1
    assert without.bytes == with_end.bytes
    one, other = model.score_lines(["abc", "abc\n"])
    assert one == other
    shown = [list(model.surprisals([given])) for given in (text, text + "\n")]
    assert [line for line, _ in shown[0]] == [line for line, _ in shown[1]]
    for (_, nats), (_, expected) in zip(*shown, strict=True):
        np.testing.assert_allclose(nats, expected, rtol=0, atol=1e-4)


def test_a_model_of_running_text_scores_what_stands_there() -> None:
    model = random_library_model()
    assert model.score("abc").characters == 3
    assert [score.characters for score in model.score_lines(["abc", "abc\n"])] == [3, 4]


def test_nothing_is_no_record_of_a_model_of_lines() -> None:
    model = random_library_model(lines=True)
    assert model.score("").characters == 0
    assert list(model.surprisals([])) == []


def test_dynamic_evaluation_counts_whether_the_network_is_trained_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamic.UpdateRule, "update", lambda *_: None)  # a copy that learns nothing
    model, text = random_library_model(), "abcabd\n" * 60
    with_network, by_counts = (
        sum(score.nats for score in model.dynamic_scores([text], network=network)) for network in (True, False)
    )
    assert with_network == pytest.approx(by_counts, rel=1e-4)
    assert by_counts < 0.5 * model.score(text).nats


def test_dynamic_evaluation_of_a_model_of_lines_is_refused() -> None:
    with pytest.raises(UsageError, match="trained on lines"):
        random_library_model(lines=True).dynamic_scores(["abc\n"])


# ------------------------------------------------------------------------------------- good manners


def test_a_model_says_what_it_is() -> None:
    assert repr(random_library_model(hidden=12)) == (
        "<charlstm.Model 2-layer lstm, 12 hidden units, 2,363 parameters, 11 symbols>"
    )
    assert repr(random_library_model(cell="gru", layers=1, lines=True)).endswith("11 symbols, of lines>")


def test_what_the_package_exports_is_there() -> None:
    for name in library.__all__:
        assert getattr(library, name) is not None, name
    assert set(library.__all__) <= set(dir(library))


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        library.nonsense  # noqa: B018


def process_state() -> dict[str, object]:
    """All of the process that a library could change behind its caller's back."""
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": repr(np.random.get_state()),
        "random": random.getstate(),
        "environment": dict(os.environ),
        "warnings": list(warnings.filters),
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "threads": torch.get_num_threads(),
        "precision": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "default type": torch.get_default_dtype(),
        "errors of numpy": np.geterr(),
        "gradients": torch.is_grad_enabled(),
        "folder": os.getcwd(),
        "descriptors": sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None,
    }


def test_calls_leave_the_process_as_it_was(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    options = {**SMALL, "threads": 2 if threads == 1 else 1, "dropout": 0.2, "dropconnect": 0.2}
    before = process_state()
    library.train(output=tmp_path / "m", text=TEXT, steps=3, **options)
    assert process_state() == before
    with pytest.raises(UsageError):
        library.train(output=tmp_path / "n", text=TEXT, steps=3, device="nowhere", **SMALL)
    assert process_state() == before
    model = library.load(tmp_path / "m", threads=2)
    model.sample("a", length=20, seed=1)
    list(model.samples(["a", "b"], count=3, length=5))
    model.score(TEXT)
    sum(score.nats for score in model.dynamic_scores([TEXT[:200]]))
    assert process_state() == before


def test_importing_torch_for_a_training_changes_no_environment(tmp_path: Path) -> None:
    script = (
        "import os, warnings, charlstm\n"
        "before, filters = dict(os.environ), list(warnings.filters)\n"
        f"charlstm.train(text='abc\\n' * 100, output={str(tmp_path / 'm')!r}, steps=1, hidden=8)\n"
        "print(dict(os.environ) == before, [one for one in warnings.filters if one not in filters\n"
        "      and one[1] is not None and 'RNN' in one[1].pattern])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "True []\n"
    assert done.stderr == ""


def test_a_model_reads_prompts_and_texts_in_the_normalization_form_that_it_was_trained_on() -> None:
    file = random_model("\ncaf\u00e9")
    model, other = library.Model(dataclasses.replace(file, normalize="nfc")), library.Model(file)
    for text in ("cafe\u0301", "caf\u00e9"):
        assert model.sample(text, length=20, seed=1) == other.sample("caf\u00e9", length=20, seed=1)
        assert model.score(text) == other.score("caf\u00e9")
        assert model.score_lines([text]) == other.score_lines(["caf\u00e9"])
        assert [part for part, _ in model.surprisals([text])] == ["caf\u00e9"]


@pytest.mark.parametrize("text", [b"bytes", 3, ["a"]])
def test_bytes_and_other_things_are_no_text_to_train_on(text: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it must be a text"):
        library.train(text=text, output=tmp_path / "m.safetensors", steps=1)


def test_there_is_nothing_to_resume_by_a_name_that_no_file_can_have() -> None:
    with pytest.raises(library.ModelFileError, match="no unfinished run"):
        library.resume("a\ud800b")
    with pytest.raises(UsageError, match="no path has a NUL character"):
        library.resume("a\0b")


# --------------------------------------------------------------------------------- models of bytes


def test_a_model_of_bytes_takes_and_gives_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 3
    model = library.train(output=tmp_path / "m.safetensors", text=data, as_bytes=True, steps=3, **SMALL)
    assert model.as_bytes
    assert "of bytes" in repr(model)
    whole = model.sample(b"\xff", length=40, seed=1)
    assert isinstance(whole, bytes)
    assert len(whole) == 40
    assert whole == b"".join(model.stream(b"\xff", length=40, seed=1))
    assert list(model.samples([b"\xff"], length=40, seed=1)) == [whole]
    assert model.sample(b"\xff", length=40, seed=1, stop=whole[3:6]) == whole[:6]
    assert model.sample(length=4, seed=1) == model.sample(b"", length=4, seed=1)
    score = model.score(data)
    assert (score.characters, score.bytes, score.unknown) == (768, 768, 0)
    assert score.bits_per_byte == score.bits_per_char
    assert model.score_pieces(iter([data[:100], data[100:]])).nats == pytest.approx(score.nats)
    assert b"".join(piece for piece, _ in model.surprisals([data])) == data
    assert [one.characters for one in model.score_lines([b"\xff\n", b""])] == [2, 0]
    assert library.load(tmp_path / "m.safetensors").score(data) == score


MIXED_UP: list[Callable[[library.Model, Any], object]] = [
    lambda model, text: model.sample(text),
    lambda model, text: model.stream(text),
    lambda model, text: model.samples([text]),
    lambda model, text: model.score(text),
    lambda model, text: model.score_lines([text]),
    lambda model, text: model.score_pieces([text]),
    lambda model, text: list(model.partial_scores([text])),
    lambda model, text: list(model.surprisals([text])),
    lambda model, text: list(model.dynamic_scores([text])),
    lambda model, text: model.samples([], stop=text),
]


@pytest.mark.parametrize("call", MIXED_UP)
def test_bytes_for_a_str_and_a_str_for_bytes_are_usage_errors(call: Callable[[library.Model, Any], object]) -> None:
    with pytest.raises(UsageError, match="it must be a text, as the model is one of characters"):
        call(random_library_model(), b"abc")
    with pytest.raises(UsageError, match="it must be bytes, as the model is one of bytes"):
        call(random_library_model(alphabet=None), "abc")


def test_a_whole_bytes_for_pieces_of_a_str_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="it must be a text"):
        random_library_model().score_pieces(b"abc")  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "as_bytes"), [("abc" * 100, True), (b"abc" * 100, False)])
def test_a_text_to_train_on_is_of_the_kind_of_the_model(text: Any, as_bytes: bool, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"text is .* it must be"):
        library.train(text=text, output=tmp_path / "m", as_bytes=as_bytes)


@pytest.mark.parametrize(
    ("named", "option"),
    [
        ({"encoding": "latin-1"}, "--encoding"),
        ({"errors": "replace"}, "--encoding-errors"),
        ({"normalize": "nfc"}, "--normalize"),
        ({"min_count": 3}, "--min-count"),
    ],
)
def test_what_is_about_characters_contradicts_bytes(named: Any, option: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"leave out {option}$"):
        library.train(text=b"abc" * 100, output=tmp_path / "m", as_bytes=True, **named)


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.score("a\ud800"),
        lambda model: list(model.surprisals(["a", "\udfff"])),
        lambda model: model.sample("\ud800"),
    ],
)
def test_a_lone_surrogate_is_no_text(call: Callable[[Any], object]) -> None:
    with pytest.raises(TextError, match="lone surrogate, which is no character"):
        call(random_library_model())


def test_what_is_no_function_cannot_be_told_of_progress(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="progress is 5; it must be a function"):
        library.train(output=tmp_path / "m", text=TEXT, progress=5)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())

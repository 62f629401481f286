"""The model file: what was saved comes back, and hostile files are only refused."""

from __future__ import annotations

import bz2
import copy
import dataclasses
import gzip
import json
import lzma
import os
import pickle
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
from helpers import check_message, peak_memory, random_model, within, write_file
from hypothesis import given, settings
from hypothesis import strategies as st

from charlstm.api import Model
from charlstm.config import CELLS, ModelSettings
from charlstm.errors import ModelFileError
from charlstm.models import file as modelfile
from charlstm.models.file import ModelFile, load

quick = settings(deadline=None, derandomize=True, max_examples=120)


def small() -> ModelFile:
    return random_model("ab\u00e9", layers=1, hidden=2)


def pack(header: Any, data: bytes) -> bytes:
    """A safetensors file of that header (a JSON value, or the text itself) and those tensor bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def unpack(raw: bytes) -> tuple[dict[str, Any], bytes]:
    size = struct.unpack("<Q", raw[:8])[0]
    return json.loads(raw[8 : 8 + size]), raw[8 + size :]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path that tests write over."""
    return tmp_path_factory.mktemp("scratch") / "model.safetensors"


@pytest.fixture(scope="module")
def good(scratch: Path) -> bytes:
    """The bytes of a small model file."""
    small().save(scratch)
    return scratch.read_bytes()


def described(good: bytes, description: Any) -> bytes:
    """The same file with another description: an object, or the JSON text itself."""
    header, data = unpack(good)
    text = description if isinstance(description, str) else json.dumps(description)
    return pack({**header, "__metadata__": {"charlstm": text}}, data)


def description_of(good: bytes) -> dict[str, Any]:
    value = json.loads(unpack(good)[0]["__metadata__"]["charlstm"])
    assert isinstance(value, dict)
    return value


def refusal(path: Path, raw: bytes) -> str:
    """Loading those bytes is refused; gives the reason."""
    path.write_bytes(raw)
    with pytest.raises(ModelFileError) as caught:
        load(path)
    check_message(caught.value)
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


def raised_within(seconds: float, work: Callable[[], object]) -> list[BaseException]:
    """What the work raised; a hang is a failure."""
    try:
        within(seconds, work)
    except BaseException as error:
        return [error]
    return []


# --------------------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("lines", [False, True])
def test_what_was_saved_is_loaded(cell: str, lines: bool, tmp_path: Path) -> None:
    before = dataclasses.replace(
        random_model("a\0\n\U0001f600\u0301\u202e\x1b", cell=cell, lines=lines),
        trained_on=[{"name": "b\u00fccher.txt", "characters": 3, "bytes": 4, "sha256": "0" * 64}],
        training={"seed": 2**63 - 1, "rate": 0.1, "betas": [0.9, 0.99]},
        result={"bits_per_char": 1.25, "curve": [[1, 2.5], [2, 1.25]]},
    )
    path = tmp_path / "mod\u00e8le \U0001f600.safetensors"
    before.save(path)
    after = load(path)
    assert after.settings == before.settings
    assert after.vocabulary.characters == before.vocabulary.characters
    assert after.description() == before.description()
    assert after.tensors.keys() == before.tensors.keys()
    for name, tensor in before.tensors.items():
        assert after.tensors[name].dtype == np.float32
        np.testing.assert_array_equal(after.tensors[name], tensor)


def test_the_same_model_is_the_same_bytes(tmp_path: Path) -> None:
    small().save(tmp_path / "a")
    load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_tensors_that_are_views_are_saved_as_they_look(tmp_path: Path) -> None:
    model = small()
    wanted = model.tensors["head.weight"].copy()
    model.tensors["head.weight"] = np.asfortranarray(wanted)
    model.tensors["embedding.weight"] = np.repeat(model.tensors["embedding.weight"], 2, axis=1)[:, ::2]
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").tensors["head.weight"], wanted)
    np.testing.assert_array_equal(load(tmp_path / "m").tensors["embedding.weight"], model.tensors["embedding.weight"])


def test_any_safetensors_reader_can_read_it(tmp_path: Path) -> None:
    model = small()
    path = tmp_path / "m.safetensors"
    model.save(path)
    arrays, tensors = safetensors.numpy.load_file(path), safetensors.torch.load_file(path)
    assert arrays.keys() == tensors.keys() == model.settings.shapes().keys()
    for name, tensor in model.tensors.items():
        np.testing.assert_array_equal(arrays[name], tensor)
        np.testing.assert_array_equal(tensors[name].numpy(), tensor)


def test_metadata_has_one_key_whose_value_is_strict_json(good: bytes) -> None:
    metadata = unpack(good)[0]["__metadata__"]
    assert list(metadata) == ["charlstm"]
    description = json.loads(metadata["charlstm"])
    assert description["format"] == modelfile.FORMAT
    assert description["vocabulary"] == ["a", "b", "\u00e9"]


def test_a_model_of_bytes_comes_back_in_a_format_of_its_own(tmp_path: Path) -> None:
    """Who knows format 1 only refuses it by its format, and does not take bytes for characters."""
    path = tmp_path / "m"
    random_model(None).save(path)
    description = json.loads(unpack(path.read_bytes())[0]["__metadata__"]["charlstm"])
    assert (description["format"], description["vocabulary"]) == (2, "bytes")
    found = load(path).vocabulary
    assert found.as_bytes
    assert "".join(found.characters).encode("latin-1") == bytes(range(256))


# ---------------------------------------------------------------------------------------- broken files


def test_a_file_cut_short_anywhere_is_refused(good: bytes, scratch: Path) -> None:
    scratch.write_bytes(good)
    for length in reversed(range(len(good))):
        os.truncate(scratch, length)
        with pytest.raises(ModelFileError) as caught:
            load(scratch)
        check_message(caught.value)


@pytest.mark.parametrize("more", [b"\0", b"x" * 1000])
def test_a_file_with_something_after_its_end_is_refused(more: bytes, good: bytes, scratch: Path) -> None:
    refusal(scratch, good + more)


OTHER_FILES: dict[str, bytes] = {
    "nothing": b"",
    "text": b"Once upon a time there was a text that was no model.\n" * 10,
    "a pickle": pickle.dumps({"model": list(range(100))}),
    "gzip": gzip.compress(b"text" * 100),
    "bzip2": bz2.compress(b"text" * 100),
    "a zip, as torch.save writes": b"PK\x03\x04" + bytes(200),
    "NUL bytes": bytes(1000),
    "escape sequences": b"\x1b]0;owned\x07\x1b[2J{" * 20,
    "a header longer than any file": struct.pack("<Q", 2**64 - 1) + b"{" + bytes(100),
    "a header of 50 MB that is not there": struct.pack("<Q", 50 << 20) + b"{}",
    "a header longer than the file": struct.pack("<Q", 1000) + b"{}",
    "an empty header": struct.pack("<Q", 0) + b"{}",
    "a header of spaces": pack(b"{" + b" " * 1000, b""),
    "a header that is a list": pack([], b""),
    "a header nested deeply": pack(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b""),
    "a header that is not UTF-8": pack(b'{"\xff\xfe": 1}', b""),
    "a safetensors file of something else": safetensors.numpy.save({"weight": np.ones((2, 2), np.float32)}),
    "its metadata of other people": safetensors.numpy.save({"w": np.ones(2, np.float32)}, {"format": "pt"}),
}


@pytest.mark.parametrize("raw", OTHER_FILES.values(), ids=OTHER_FILES.keys())
def test_another_kind_of_file_is_refused(raw: bytes, scratch: Path) -> None:
    refusal(scratch, raw)


def test_a_header_larger_than_any_model_needs_is_not_even_read(scratch: Path) -> None:
    assert "52,428,800" in refusal(scratch, OTHER_FILES["a header of 50 MB that is not there"])


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"nowhere\.safetensors.*No such file"):
        load(tmp_path / "nowhere.safetensors")


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(ModelFileError):
        load(name)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="it is a folder"):
        load(tmp_path)


@pytest.mark.parametrize("pack_up", [bz2.compress, gzip.compress, lzma.compress])
def test_a_packed_model_is_said_to_be_packed(pack_up: Callable[[bytes], bytes], good: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="compressed file; unpack it first"):
        load(write_file(tmp_path / "m.packed", pack_up(good)))


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    raised = raised_within(10, lambda: load(path))
    assert isinstance(raised[0], ModelFileError)


def test_a_device_without_end_is_refused_and_not_read() -> None:
    raised = raised_within(10, lambda: load("/dev/zero"))
    assert isinstance(raised[0], ModelFileError)


# ------------------------------------------------------------------------------------- edited descriptions

DEEP = "[" * 100_000 + "]" * 100_000
HUGE = 10**400

EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "no format": ({"format": None}, "format"),
    "a newer format": ({"format": 3}, "format 3"),
    "a vocabulary of characters in the format of bytes": ({"format": 2}, "vocabulary is not 'bytes'"),
    "bytes in the format of characters": ({"vocabulary": "bytes"}, "vocabulary"),
    "a network for fewer symbols than bytes": ({"format": 2, "vocabulary": "bytes"}, "4 symbols"),
    "a format that is true": ({"format": True}, "format"),
    "a format in words": ({"format": "1"}, "its format is '1'; it must be a whole number"),
    "a format that is no whole number": ({"format": 1.0}, "its format is 1.0; it must be a whole number"),
    "a huge format": ({"format": HUGE}, "format"),
    "a format that is a terminal's command": ({"format": "\x1b[2J\x07\r\n\u202e"}, "format"),
    "no settings": ({"settings": None}, "settings"),
    "settings that are a list": ({"settings": []}, "settings"),
    "no vocabulary": ({"vocabulary": None}, "vocabulary"),
    "a vocabulary that is a string": ({"vocabulary": "ab\u00e9"}, "vocabulary"),
    "a vocabulary too short": ({"vocabulary": ["a", "b"]}, "vocabulary"),
    "a vocabulary too long": ({"vocabulary": ["a", "b", "c", "d"]}, "vocabulary"),
    "a character twice": ({"vocabulary": ["a", "b", "a"]}, "twice"),
    "an entry of two characters": ({"vocabulary": ["a", "b", "\x1b["]}, "entry 2"),
    "an empty entry": ({"vocabulary": ["a", "b", ""]}, "entry 2"),
    "a surrogate": ({"vocabulary": ["a", "b", "\ud800"]}, "entry 2"),
    "a number for an entry": ({"vocabulary": ["a", 1, "c"]}, "entry 1"),
    "a list for an entry": ({"vocabulary": [["a"], "b", "c"]}, "entry 0"),
    "lines that are a number": ({"lines": 1}, "lines"),
    "no lines": ({"lines": None}, "lines"),
    "a normalization form that is none": ({"normalize": "nfq"}, "normalize"),
    "texts that are an object": ({"trained_on": {}}, "trained_on"),
    "training that is a list": ({"training": []}, "training"),
    "a result that is a number": ({"result": 5}, "result"),
}

SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "no layers": ({"layers": None}, "layers"),
    "no layer": ({"layers": 0}, "layers"),
    "layers that are true": ({"layers": True}, "layers"),
    "half a layer": ({"layers": 1.0}, "layers"),
    "layers in words": ({"layers": "1"}, "layers"),
    "more layers than tensors": ({"layers": 2}, "layers.1"),
    "layers without end": ({"layers": HUGE}, "layers"),
    "fewer than no hidden units": ({"hidden": -2}, "hidden"),
    "other hidden units": ({"hidden": 3}, "shape"),
    "more hidden units than memory": ({"hidden": 2**62}, "hidden"),
    "another embedding": ({"embedding": 6}, "embedding.weight"),
    "more symbols than characters": ({"vocabulary": 10**18}, "vocabulary"),
    "symbols without end": ({"vocabulary": HUGE}, ""),
    "another cell": ({"cell": "gru"}, "shape"),
    "an unknown cell": ({"cell": "transformer"}, "cell"),
    "a cell that is a terminal's command": ({"cell": "\x1b]0;owned\x07"}, "cell"),
    "a cell of a million letters": ({"cell": "x" * 10**6}, "cell"),
    "a cell that is a list": ({"cell": ["lstm"]}, "cell"),
    "one entry too many": ({"\x1b[31m": 1}, "does not know"),
}


def without_nothing(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


@pytest.mark.parametrize(("change", "reason"), EDITS.values(), ids=EDITS.keys())
def test_an_edited_description_is_refused(change: dict[str, Any], reason: str, good: bytes, scratch: Path) -> None:
    edited = without_nothing({**description_of(good), **change})
    assert reason in refusal(scratch, described(good, edited))


@pytest.mark.parametrize(("change", "reason"), SETTINGS.values(), ids=SETTINGS.keys())
def test_edited_settings_are_refused(change: dict[str, Any], reason: str, good: bytes, scratch: Path) -> None:
    edited = description_of(good)
    edited["settings"] = without_nothing({**edited["settings"], **change})
    assert reason in refusal(scratch, described(good, edited))


def test_the_state_of_an_unfinished_run_is_refused_as_what_it_is(good: bytes, scratch: Path) -> None:
    assert "unfinished run" in refusal(scratch, described(good, {**description_of(good), "resume": {}}))


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_constant_that_is_not_json_is_refused(constant: str, good: bytes, scratch: Path) -> None:
    text = json.dumps(description_of(good)).replace('"result": {}', f'"result": {{"bits_per_char": {constant}}}')
    assert constant in refusal(scratch, described(good, text))


BAD_JSON = ["", " ", "{", "[]", "null", "1", '"text"', "{'a': 1}", '{"a": 1,}', DEEP, "9" * 5000, '{"a": "\x01"}']


@pytest.mark.parametrize("text", BAD_JSON, ids=lambda text: repr(text[:10]))
def test_a_description_that_is_no_json_object_is_refused(text: str, good: bytes, scratch: Path) -> None:
    assert "JSON" in refusal(scratch, described(good, text))


@pytest.mark.parametrize("depth", [*range(100, 1100, 100), *range(930, 1000, 5)])
def test_deep_nesting_inside_the_description_is_no_crash(depth: int, good: bytes, scratch: Path) -> None:
    text = json.dumps(description_of(good)).replace('"vocabulary": ["a"', '"vocabulary": [' + "[" * depth + "]" * depth)
    refusal(scratch, described(good, text))


# ----------------------------------------------------------------------------------------- edited tensors

TENSORS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "one missing": (lambda t: t.pop("head.bias"), "head.bias is missing"),
    "all missing": (lambda t: t.clear(), "missing"),
    "one too many": (lambda t: t.update(extra=np.ones(1, np.float32)), "extra"),
    "a name that is a terminal's command": (lambda t: t.update({"\x1b[2J\n": np.ones(1, np.float32)}), "tensor"),
    "a shorter one": (lambda t: t.update({"head.bias": np.ones(3, np.float32)}), "head.bias has shape"),
    "turned around": (lambda t: t.update({"head.weight": np.ones((2, 4), np.float32)}), "head.weight has shape"),
    "flattened": (lambda t: t.update({"head.weight": np.ones(8, np.float32)}), "head.weight has shape"),
    "empty": (lambda t: t.update({"head.bias": np.ones(0, np.float32)}), "head.bias has shape"),
    "a scalar": (lambda t: t.update({"head.bias": np.array(1.0, np.float32)}), "head.bias has shape"),
    "float64": (lambda t: t.update({"head.bias": np.ones(4)}), "float64"),
    "float16": (lambda t: t.update({"head.bias": np.ones(4, np.float16)}), "float16"),
    "int32": (lambda t: t.update({"head.bias": np.ones(4, np.int32)}), "int32"),
    "bool": (lambda t: t.update({"head.bias": np.ones(4, np.bool_)}), "bool"),
    "NaN": (lambda t: t["head.weight"].__setitem__((3, 1), np.nan), "head.weight holds values that are not finite"),
    "infinity": (lambda t: t["head.bias"].__setitem__(0, np.inf), "head.bias holds values that are not finite"),
    "minus infinity": (lambda t: t["embedding.weight"].__setitem__((4, 4), -np.inf), "embedding.weight holds"),
}


@pytest.mark.parametrize(("edit", "reason"), TENSORS.values(), ids=TENSORS.keys())
def test_edited_tensors_are_refused(
    edit: Callable[[dict[str, Any]], object], reason: str, good: bytes, scratch: Path
) -> None:
    model = small()
    edit(model.tensors)
    metadata = unpack(good)[0]["__metadata__"]
    assert reason in refusal(scratch, safetensors.numpy.save(model.tensors, metadata))


TYPES = {
    "BF16": 2,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "F8_E8M0": 1,
    "F64": 8,
    "I64": 8,
    "U8": 1,
    "C64": 8,
    "BOOL": 1,
    "F4": 1,
    "F6_E2M3": 1,
    "F7": 1,
    "\x1b[2J": 4,
}


@pytest.mark.parametrize("name", TYPES)
def test_a_tensor_of_any_other_type_is_refused(name: str, good: bytes, scratch: Path) -> None:
    header, data = unpack(good)
    size = TYPES[name]
    header["extra"] = {
        "dtype": name,
        "shape": [2 if name == "F4" else 1],
        "data_offsets": [len(data), len(data) + size],
    }
    refusal(scratch, pack(header, data + bytes(size)))


HEADERS: dict[str, dict[str, Any]] = {
    "more rows than the data": {"shape": [2**40, 2], "data_offsets": [116, 148]},
    "a size that overflows": {"shape": [2**33, 2**33], "data_offsets": [116, 148]},
    "a size that is no machine number": {"shape": [HUGE, 2], "data_offsets": [116, 148]},
    "fewer than no rows": {"shape": [-4, -2], "data_offsets": [116, 148]},
    "offsets beyond the end": {"shape": [4, 2], "data_offsets": [116, 2**63]},
    "offsets that overlap": {"shape": [4, 2], "data_offsets": [100, 132]},
    "offsets backwards": {"shape": [4, 2], "data_offsets": [148, 116]},
    "no offsets": {"shape": [4, 2]},
    "a thousand dimensions": {"shape": [1] * 1000 + [4, 2], "data_offsets": [116, 148]},
}


@pytest.mark.parametrize("entry", HEADERS.values(), ids=HEADERS.keys())
def test_a_header_that_lies_about_sizes_is_refused(entry: dict[str, Any], good: bytes, scratch: Path) -> None:
    header, data = unpack(good)
    assert header["head.weight"] == {"dtype": "F32", "shape": [4, 2], "data_offsets": [116, 148]}
    header["head.weight"] = {"dtype": "F32", **entry}
    refusal(scratch, pack(header, data))


@pytest.mark.parametrize("name", ["head.weight", "embedding.weight", "layers.0.weight_hh_l0"])
def test_a_parameter_beyond_all_training_is_refused(tmp_path: Path, name: str) -> None:
    model = small()
    model.tensors[name].flat[3] = -3e38
    model.save(tmp_path / "m")
    with pytest.raises(ModelFileError, match=rf"{name} holds 3e\+38"):
        load(tmp_path / "m")


# ------------------------------------------------------------------------------------------------- fuzzing


def loads_or_is_refused(path: Path, raw: bytes) -> None:
    """The bytes are refused, or they are a model that keeps every promise. Nothing else may happen."""
    path.write_bytes(raw)
    try:
        model = load(path)
    except ModelFileError as error:
        check_message(error)
        return
    assert len(model.vocabulary) == model.settings.vocab_size
    assert {name: tensor.shape for name, tensor in model.tensors.items()} == model.settings.shapes()
    assert all(tensor.dtype == np.float32 and np.isfinite(tensor).all() for tensor in model.tensors.values())
    assert type(model.lines) is bool


def test_any_one_flipped_bit_is_harmless(good: bytes, scratch: Path) -> None:
    header = len(good) - len(unpack(good)[1])
    for index in range(header + 8):
        raw = bytearray(good)
        raw[index] ^= 1 << (index * 5 % 8)
        loads_or_is_refused(scratch, bytes(raw))


@quick
@given(data=st.data())
def test_bytes_changed_at_random_are_harmless(data: st.DataObject, good: bytes, scratch: Path) -> None:
    raw = bytearray(good)
    for _ in range(data.draw(st.integers(1, 6))):
        index = data.draw(st.integers(0, len(raw) - 1))
        change = data.draw(st.sampled_from(["set", "insert", "delete", "repeat"]))
        if change == "set":
            raw[index] = data.draw(st.sampled_from(b'0129aeE"{}[],:-.\\ntf\0\xff\x1b') | st.integers(0, 255))
        elif change == "insert":
            raw[index:index] = data.draw(st.binary(min_size=1, max_size=4))
        elif change == "delete":
            del raw[index : index + data.draw(st.integers(1, 9))]
        else:
            raw[index:index] = raw[index : index + data.draw(st.integers(1, 40))]
        if not raw:
            break
    loads_or_is_refused(scratch, bytes(raw))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([HUGE, -HUGE, 2**31, 2**53, 2**63, 2**64, 1e308, -0.0, 0.5])
    | st.text(max_size=3)
    | st.sampled_from(["lstm", "gru", "rnn", "F32", "F64", "BF16", "F8_E4M3", "I64", "\ud800", "\x1b[2J", "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


def places_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a JSON value, as its container and key."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places_in(value[key])


def mutate(value: Any, data: st.DataObject) -> None:
    """Replace, remove, rename or repeat one thing somewhere in a JSON value."""
    container, key = data.draw(st.sampled_from(list(places_in(value))))
    change = data.draw(st.sampled_from(["replace", "replace", "remove", "repeat"]))
    if change == "replace":
        container[key] = data.draw(json_values)
    elif change == "remove":
        del container[key]
    elif isinstance(container, dict):
        container[data.draw(st.text(max_size=5))] = copy.deepcopy(container[key])
    else:
        container.append(copy.deepcopy(container[key]))


@quick
@given(data=st.data())
def test_a_description_changed_at_random_is_harmless(data: st.DataObject, good: bytes, scratch: Path) -> None:
    description = description_of(good)
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(description, data)
    loads_or_is_refused(scratch, described(good, description))


@quick
@given(data=st.data())
def test_a_header_changed_at_random_is_harmless(data: st.DataObject, good: bytes, scratch: Path) -> None:
    header, tensors = unpack(good)
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(header, data)
    loads_or_is_refused(scratch, pack(header, tensors))


# -------------------------------------------------------------------------------- memory, and files of before


def with_a_huge_tensor(good: bytes, size: int, name: str, dtype: str) -> bytes:
    """The beginning of a file that holds one tensor more, or another, of so many bytes at its end."""
    header, data = unpack(good)
    header.pop(name, None)
    begin = max(entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__")
    width = {"F32": 4, "U8": 1}[dtype]
    header[name] = {"dtype": dtype, "shape": [size // width], "data_offsets": [begin, begin + size]}
    return pack(header, data[:begin])


@pytest.mark.parametrize(
    ("name", "dtype", "reason"),
    [
        ("extra", "F32", "a tensor extra that its settings do not call for"),
        ("layers.0.weight_ih_l0", "F32", "layers.0.weight_ih_l0 has shape"),
        ("layers.0.weight_ih_l0", "U8", "layers.0.weight_ih_l0 has shape"),
    ],
)
def test_a_huge_tensor_that_no_settings_call_for_is_refused_unread(
    name: str, dtype: str, reason: str, good: bytes, scratch: Path
) -> None:
    size = 1 << 30
    header, _ = unpack(good)
    last = max((entry["data_offsets"], key) for key, entry in header.items() if key != "__metadata__")[1]
    assert last == "layers.0.weight_ih_l0"  # so that another one can take its place
    raw = with_a_huge_tensor(good, size, name, dtype)
    scratch.write_bytes(raw)
    os.truncate(scratch, len(raw) + size)  # sparse: it fills no disk
    raised: list[str] = []

    def refused() -> None:
        with pytest.raises(ModelFileError) as caught:
            load(scratch)
        raised.append(str(caught.value))

    assert peak_memory(refused) < 8 << 20
    assert reason in raised[0]


def test_loading_takes_no_more_memory_than_the_model_and_its_largest_tensor(tmp_path: Path) -> None:
    model = random_model(hidden=300, layers=2)
    model.save(tmp_path / "m")
    sizes = [tensor.nbytes for tensor in model.tensors.values()]
    assert peak_memory(load, tmp_path / "m") < sum(sizes) + max(sizes) + (1 << 20)


FORMAT_1 = """{"format": 1, "settings": {"vocabulary": 4, "layers": 2, "hidden": 3, "embedding": 2, "cell": "lstm"},
"vocabulary": ["a", "b", "\\n"], "lines": false, "trained_on": [{"name": "ab.txt", "characters": 9, "bytes": 9,
"sha256": "00"}], "training": {"seed": 5}, "result": {"val_bits_per_char": 1.5}}"""


def format_1() -> bytes:
    """A model file as the first release wrote it, by another writer: one of these may never be refused."""
    shapes = {"embedding.weight": (5, 2), "head.weight": (4, 3), "head.bias": (4,)}
    for layer, width in ((0, 2), (1, 3)):
        shapes |= {f"layers.{layer}.weight_ih_l0": (12, width), f"layers.{layer}.weight_hh_l0": (12, 3)}
        shapes |= {f"layers.{layer}.bias_ih_l0": (12,), f"layers.{layer}.bias_hh_l0": (12,)}
    header: dict[str, Any] = {"__metadata__": {"charlstm": FORMAT_1}}
    data = b""
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values = struct.pack(f"<{count}f", *((7 * k % 19 - 9) / 8 for k in range(len(data), len(data) + count)))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    return pack(header, data)


def test_files_of_format_1_load_for_ever_and_give_the_same_figures(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(format_1())
    model = Model(load(tmp_path / "m"))
    assert model.file.settings == ModelSettings(4, 2, 3, 2, "lstm")
    assert model.file.result == {"val_bits_per_char": 1.5}
    assert model.score("abba\nbé").nats == pytest.approx(25.457624, abs=1e-4)
    assert model.sample(length=20, temperature=1.0, seed=3) == "aabbaaaabaaaaab\naaba"


def test_the_normalization_form_of_the_texts_is_kept(tmp_path: Path) -> None:
    for form in ("nfc", None):
        dataclasses.replace(random_model(), normalize=form).save(tmp_path / "m.safetensors")
        assert load(tmp_path / "m.safetensors").normalize == form
    assert "normalize" not in random_model().description()

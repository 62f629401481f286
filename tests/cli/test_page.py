"""The web page of `inspect --html`: what stands in it, and what it computes and shows in a real browser.

The tests in a browser need Debian's chromium and chromium-driver and the extra `browser`; elsewhere they are skipped.
"""

from __future__ import annotations

import base64
import dataclasses
import errno
import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import charlstm, random_model, with_counts

from charlstm.api import Model
from charlstm.cli.page import MOST_BYTES, longest_text, packed, page, write_page
from charlstm.config import MixtureSettings
from charlstm.data.vocabulary import Vocabulary
from charlstm.errors import OutputError
from charlstm.inference.inspection import observe, report
from charlstm.models.file import ModelFile
from charlstm.models.ngrams import check_tries, symbol_dtype
from charlstm.models.numpy_lstm import GATE_NAMES, NumpyNetwork

TEXT = 'abc "fed\n\nhg" ab (a) Bad cab?\n𝄞 ab <b>&amp;</b> é\n' * 2
ALPHABET = '\n abcdefgh"(𝄞<>é'
HOSTILE = "</script ><script>document.title = 'hit'</script><!--<img src=x onerror=\"document.title = 'hit'\">&lt;"


def page_of(file: ModelFile, text: str, name: str = "book") -> str:
    seen = report(NumpyNetwork(file.settings, file.tensors), file.vocabulary, [text], lines=file.lines)
    return page(file, name, text, seen)


def data_of(html: str) -> Any:
    return json.loads(Parts(html).scripts[0])


def inflated(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text), wbits=-15)


def unpacked(tensor: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """The parameters that stand in a page."""
    raw = np.frombuffer(inflated(tensor["bytes"]), np.uint8).reshape(tensor["size"], -1).T
    whole = [int.from_bytes(bytes(number), "little", signed=True) for number in raw]
    units = np.frombuffer(inflated(tensor["units"]), "<f4")
    values = np.reshape(whole, (len(units), -1)) * units[:, None].astype(np.float64)
    return values.astype(np.float32).reshape(shape)


def within_the_page(file: ModelFile) -> ModelFile:
    """The model with the parameters and the n-grams that its page holds."""
    model = data_of(page_of(file, "a"))["model"]
    tensors = {name: unpacked(model["tensors"][name], tensor.shape) for name, tensor in file.tensors.items()}
    return with_order(dataclasses.replace(file, tensors=tensors), len(model["ngrams"]["levels"]))


def with_order(file: ModelFile, order: int) -> ModelFile:
    """The model with its n-grams of up to so many characters."""
    assert file.mixture
    counts = {name: tensor for name, tensor in file.counts.items() if int(name.split(".")[1]) < order}
    return dataclasses.replace(
        file, counts=counts, mixture=dataclasses.replace(file.mixture, sizes=file.mixture.sizes[:order])
    )


def with_tries(file: ModelFile, order: int, codes: tuple[int, ...] = tuple(range(256)), most: int = 7) -> ModelFile:
    """The model with n-grams that no text has: any file that passes the checks may hold them."""
    rng, vocab_size = np.random.default_rng(0), file.settings.vocab_size
    dtype, counts, contexts, sizes = symbol_dtype(vocab_size), {}, 1, []
    for level in range(order):
        followers = rng.integers(0 if level else 1, 1 + min(most, vocab_size), contexts)
        followers[0] = max(followers[0], 1)
        first = np.cumsum(followers) - followers
        symbols = np.arange(followers.sum()) - np.repeat(first, followers)
        counts[f"ngrams.{level}.followers"] = followers.astype(dtype)
        counts[f"ngrams.{level}.backoff"] = rng.choice(codes, contexts).astype(np.uint8)
        counts[f"ngrams.{level}.symbols"] = symbols.astype(dtype)
        counts[f"ngrams.{level}.probabilities"] = rng.choice(codes, len(symbols)).astype(np.uint8)
        contexts = len(symbols)
        sizes.append(contexts)
    check_tries(counts, vocab_size, order)
    return dataclasses.replace(file, counts=counts, mixture=MixtureSettings(tuple(sizes), 0.7, 0.4))


class Parts(HTMLParser):
    """The elements of a page, and the texts of its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.scripts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        assert not {"src", "href"} & {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1] == "script" and data.strip():
            self.scripts.append(data)


# ---------------------------------------------------------------------------------------- the file


@pytest.mark.parametrize("scale", [0, 1e-3, 1, 1e6])
@pytest.mark.parametrize("size", [2, 3])
def test_a_parameter_keeps_two_or_three_bytes(scale: float, size: int) -> None:
    values = (scale * np.random.default_rng(0).uniform(-1, 1, (20, 30))).astype(np.float32)
    values[:10] /= 1000  # a row of small parameters is as exact
    largest = np.abs(values).max(axis=1, keepdims=True)
    error = np.abs(unpacked(packed(values, size), values.shape) - values)
    assert (error <= largest * 2.0 ** -(8 * size - 1)).all()


def test_parameters_too_small_for_a_unit_become_zero() -> None:
    values = np.array([[1e-44, -1e-45], [1, 0.5]], np.float32)
    np.testing.assert_allclose(unpacked(packed(values, 2), (2, 2)), values, atol=2e-5)


def test_whatever_comes_from_a_file_or_a_text_is_data_and_never_markup() -> None:
    file = random_model("<>&\n/script!-")
    plain, hostile = Parts(page_of(file, "a")), Parts(page_of(file, HOSTILE, name=HOSTILE))
    assert hostile.elements == plain.elements
    assert "<" not in hostile.scripts[0]
    data = json.loads(hostile.scripts[0])
    assert (data["text"], data["name"]) == (HOSTILE, HOSTILE)
    assert "".join(data["model"]["vocabulary"]) == "<>&\n/script!-"


def test_the_page_asks_for_nothing_from_anywhere() -> None:
    html = page_of(random_model(), "abc")
    assert "default-src 'none'" in html
    assert set(re.findall(r"https?://[^\"' ]+", html)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|innerHTML|eval\(", html)


def test_the_page_of_a_model_of_three_layers_of_192_is_below_four_megabytes() -> None:
    file = random_model("".join(map(chr, range(32, 92))), layers=3, hidden=192)
    html = page_of(file, "A" * 5000)
    assert len(html.encode()) < MOST_BYTES == 4_000_000
    assert {tensor["size"] for tensor in data_of(html)["model"]["tensors"].values()} == {3}


@pytest.mark.parametrize(("codes", "kept"), [(16, 10), (256, 9)])
def test_with_counts_matrices_take_two_bytes_and_the_longest_ngrams_are_left_out(codes: int, kept: int) -> None:
    """So that the page is below four megabytes even then; it says what it left out."""
    file = with_tries(random_model("".join(map(chr, range(32, 92))), layers=3, hidden=192), 10, tuple(range(codes)))
    html = page_of(file, "\ud800" * 4000)
    assert len(html.encode()) < MOST_BYTES
    data = data_of(html)
    assert {len(file.tensors[name].shape): x["size"] for name, x in data["model"]["tensors"].items()} == {1: 3, 2: 2}
    assert len(data["model"]["ngrams"]["levels"]) == kept
    note = "Its n-grams are of up to 9 characters here, of up to 10 in the model: "
    assert [text[: len(note)] for text in data["notes"]] == ([note] if kept < 10 else [])


def test_a_network_beyond_four_megabytes_leaves_room_for_some_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charlstm.cli.page.MOST_BYTES", 1000)
    monkeypatch.setattr("charlstm.cli.page.LEAST_FOR_COUNTS", 2500)
    file = with_tries(random_model(), 6)
    levels = data_of(page_of(file, "abc"))["model"]["ngrams"]["levels"]
    assert 1 < len(levels) < 6
    assert len(json.dumps(levels)) < 2500


def test_the_page_holds_as_much_text_as_its_memory_allows() -> None:
    file = random_model()
    assert json.loads(Parts(page_of(file, "ab" * 4000)).scripts[0])["text"] == "ab" * 2000
    assert 200 <= longest_text(random_model(layers=20, hidden=512)) < longest_text(file) == 4000


def test_small_counts_go_in_as_they_are() -> None:
    file = with_counts(random_model(), "abcabc\n" * 9)
    data = data_of(page_of(file, "abc"))
    assert data["notes"] == []
    assert {tensor["size"] for tensor in data["model"]["tensors"].values()} == {3}
    for level, tensors in enumerate(data["model"]["ngrams"]["levels"]):
        for name, text in tensors.items():
            assert inflated(text) == file.counts[f"ngrams.{level}.{name}"].tobytes()
    assert data_of(page_of(random_model(), "abc"))["model"]["ngrams"] is None


def test_the_command_writes_the_page_and_names_it(tmp_path: Path) -> None:
    random_model().save(tmp_path / "m.safetensors")
    for text in ("abc" * 2000, "fed"):  # a page replaces a page
        done = charlstm("inspect", "m.safetensors", "--html", "p.html", input=text, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "p.html\n"), done.stderr
        data = json.loads(Parts((tmp_path / "p.html").read_text(encoding="utf-8")).scripts[0])
        assert (data["text"], data["name"]) == (text[:4000], "m.safetensors")
        assert ("first 4,000 characters" in done.stderr) == (len(text) > 4000)
    assert charlstm("inspect", "m.safetensors", "--html", "p.html", "--json", input="a", cwd=tmp_path).returncode == 2
    refused = charlstm("inspect", "m.safetensors", "--html", "m.safetensors", input="a", cwd=tmp_path)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "no web page" in refused.stderr
    assert charlstm("info", "m.safetensors", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.safetensors", "p.html"]


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_page(tmp_path / "p.html", "<!doctype html>old")

    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OutputError, match="the disk is full"):
        write_page(tmp_path / "p.html", "<!doctype html>new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["<!doctype html>old"]
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match=r"No space left on device$"):  # which another name would not help against
        write_page(tmp_path / "p.html", "<!doctype html>new")
    with pytest.raises(OutputError, match="--html has an empty name"):
        write_page("", "<!doctype html>new")
    with pytest.raises(OutputError, match="cannot write"):
        write_page(tmp_path / "missing" / "p.html", "<!doctype html>")


# ---------------------------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (the extra `browser`)")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,800"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield running
    running.quit()


def opened(browser: Any, folder: Path, file: ModelFile, text: str = TEXT, name: str = "book") -> Any:
    """A page in the browser, its text read to the end."""
    path = folder / "page.html"
    path.write_text(page_of(file, text, name), encoding="utf-8")
    browser.get(path.as_uri())
    browser.execute_script("reading.finish()")
    return browser


def key(browser: Any, selector: str, *keys: str) -> None:
    browser.find_element("css selector", selector).send_keys(*keys)


def bits(file: ModelFile, text: str) -> Any:
    """The surprisals of a text in bits by numpy."""
    nats = np.concatenate([part for _, part in Model(file).surprisals([text])])
    return nats[: len(text)] / np.log(2)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_page_computes_what_numpy_computes(browser: Any, tmp_path: Path, cell: str) -> None:
    file = random_model(ALPHABET, cell=cell, layers=3, hidden=13)
    opened(browser, tmp_path, file)
    np.testing.assert_allclose(browser.execute_script("return reading.bits"), bits(file, TEXT), atol=1e-4)
    (seen,) = observe(NumpyNetwork(file.settings, file.tensors), file.vocabulary, [TEXT])
    units = """return reading.steps.map((step) => Array.from({length: 39},
        (_, n) => network.value(step, Math.floor(n / 13), n % 13)))"""
    np.testing.assert_allclose(browser.execute_script(units), seen.trace.units.reshape(len(TEXT), -1), atol=1e-4)
    for index, name in enumerate(GATE_NAMES[file.settings.cell]):
        gate = f"""return reading.steps.map((step) => Array.from({{length: 39}},
            (_, n) => network.gate(step, "{name}", Math.floor(n / 13), n % 13)))"""
        wanted = seen.trace.gates[:, 0, :, index].reshape(len(TEXT), -1)
        np.testing.assert_allclose(browser.execute_script(gate), wanted, atol=1e-4)
    for view in ("circuit", "if", "write", "read"):  # each can draw this cell
        browser.execute_script(f"open('{view}')")
    assert browser.get_log("browser") == []


def test_each_line_of_a_model_of_lines_is_a_text_of_its_own(browser: Any, tmp_path: Path) -> None:
    file = random_model(ALPHABET, lines=True)
    opened(browser, tmp_path, file)
    np.testing.assert_allclose(browser.execute_script("return reading.bits"), bits(file, TEXT), atol=1e-4)


def test_a_text_is_read_in_the_form_of_the_model(browser: Any, tmp_path: Path) -> None:
    file = dataclasses.replace(random_model("acefm \n\u00e9"), normalize="nfc")
    opened(browser, tmp_path, file, "cafe\u0301 came")
    assert browser.execute_script("return reading.characters.length") == len("caf\u00e9 came")
    np.testing.assert_allclose(browser.execute_script("return reading.bits"), bits(file, "caf\u00e9 came"), atol=1e-4)
    assert browser.execute_script("return charactersOf('e\\u0301').length") == 1


def test_trained_parameters_agree_too(browser: Any, tmp_path: Path, trained: Path) -> None:
    """Which are larger, so that rounding would show."""
    from charlstm.models.file import load

    file, text = load(trained), "the cat is a bird and the dog is not\n"
    opened(browser, tmp_path, file, text)
    np.testing.assert_allclose(browser.execute_script("return reading.bits"), bits(file, text), atol=1e-4)


def test_the_page_undoes_the_compression(browser: Any, tmp_path: Path) -> None:
    """Of blocks that are stored, of fixed codes and of codes of their own, with repeats near and far."""
    opened(browser, tmp_path, random_model(ALPHABET), "a")
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, 70_000).astype(np.uint8).tobytes()
    skewed = rng.geometric(0.2, 70_000).astype(np.uint8).tobytes()
    for data in (b"", b"a", bytes(100_000), noise, skewed, noise[:30_000] * 2, skewed[:300] * 90 + noise[:9] * 400):
        for level, strategy in ((0, 0), (9, zlib.Z_DEFAULT_STRATEGY), (9, zlib.Z_FIXED), (1, zlib.Z_HUFFMAN_ONLY)):
            squeezing = zlib.compressobj(level, wbits=-15, strategy=strategy)
            text = base64.b64encode(squeezing.compress(data) + squeezing.flush()).decode()
            wanted = base64.b64encode(data).decode()
            script = """let text = ""; for (const byte of bytesOf(arguments[0])) text += String.fromCharCode(byte);
                return btoa(text) === arguments[1]"""
            assert browser.execute_script(script, text, wanted), (len(data), level, strategy)


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("alphabet", [ALPHABET, ALPHABET.replace("\n", "")])
def test_the_page_computes_the_mixture(browser: Any, tmp_path: Path, alphabet: str, lines: bool) -> None:
    file = with_counts(random_model(alphabet, lines=lines), TEXT + "ab\nab (a)\n" * 9, order=5)
    opened(browser, tmp_path, file)
    np.testing.assert_allclose(browser.execute_script("return reading.bits"), bits(file, TEXT), atol=1e-4)
    assert "n-grams of up to 5 characters" in browser.find_element("css selector", "#about").text
    assert not browser.find_element("css selector", "#notes").is_displayed() or lines
    for view in ("circuit", "if", "write", "read"):
        browser.execute_script(f"open('{view}')")
    assert browser.get_log("browser") == []


def test_the_page_computes_the_mixture_of_a_large_vocabulary(browser: Any, tmp_path: Path) -> None:
    """Whose symbols take two bytes."""
    file = with_counts(random_model("\n" + "".join(map(chr, range(0x4E00, 0x4F20)))), "\u4e01\u4f1f\n\u4e00" * 9)
    text = "\u4e01\u4f1f\n\u4f1f\u4e00x"
    opened(browser, tmp_path, file, text)
    np.testing.assert_allclose(browser.execute_script("return reading.bits"), bits(file, text), atol=1e-4)


def test_a_page_that_leaves_ngrams_out_computes_what_it_holds(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = with_counts(random_model(ALPHABET), TEXT + "ab fed cab " * 9, order=8)
    monkeypatch.setattr("charlstm.cli.page.MOST_BYTES", 0)
    monkeypatch.setattr("charlstm.cli.page.LEAST_FOR_COUNTS", 1500)
    held = within_the_page(file)
    assert held.mixture
    assert 1 < len(held.mixture.sizes) < 8
    opened(browser, tmp_path, file)
    np.testing.assert_allclose(browser.execute_script("return reading.bits"), bits(held, TEXT), atol=1e-4)
    exact = dataclasses.replace(held, tensors=file.tensors)
    np.testing.assert_allclose(bits(held, TEXT), bits(exact, TEXT), atol=0.001)  # so much is lost by two bytes
    assert np.abs(bits(held, TEXT) - bits(file, TEXT)).max() > 0.01
    sums = "return reading.steps.map((step) => network.ngrams.probabilities(step.contexts).reduce((a, b) => a + b))"
    np.testing.assert_allclose(browser.execute_script(sums), 1, atol=1e-6)
    assert "the longest do not fit" in browser.find_element("css selector", "#notes").text


@pytest.mark.parametrize("codes", [(0,), (255,), (0, 255), tuple(range(256))])
@pytest.mark.parametrize(("order", "most"), [(1, 3), (6, 3), (64, 1)])
def test_hostile_counts_are_harmless(
    browser: Any, tmp_path: Path, codes: tuple[int, ...], order: int, most: int
) -> None:
    file = with_tries(random_model(ALPHABET), order, codes, most)
    walked = "".join(np.random.default_rng(0).choice(list("Z\n "), 200))  # as the n-grams are of symbols 0, 1, 2
    text = TEXT + walked + 70 * "Z" + "a"
    opened(browser, tmp_path, file, text)
    np.testing.assert_allclose(browser.execute_script("return reading.bits"), bits(file, text), atol=1e-4)
    browser.execute_script("temperature.value = 1; $('length').value = 30; open('write'); write(); halt(); open('if')")
    assert browser.get_log("browser") == []


def test_typing_and_taking_a_likely_character_change_the_text(browser: Any, tmp_path: Path) -> None:
    file = random_model(ALPHABET)
    opened(browser, tmp_path, file, "abc")
    key(browser, "#typed", "d")
    browser.execute_script("reading.finish()")
    np.testing.assert_allclose(browser.execute_script("return reading.bits"), bits(file, "abcd"), atol=1e-4)
    assert browser.find_element("css selector", "#text").text == "abcd"
    assert "4 characters" in browser.find_element("css selector", "#figures").text
    browser.find_elements("css selector", "#next button")[0].click()
    text = browser.find_element("css selector", "#typed").get_property("value")
    assert text == "abcd" + Model(file).sample("abcd", length=1, temperature=0)
    key(browser, "#typed", "\ue003")  # backspace
    browser.execute_script("reading.finish()")
    key(browser, "#text", "\ue014", "\ue014")  # arrow right, twice: the second character
    taken = [button.text.split()[1] for button in browser.find_elements("css selector", "#popup button")]
    logits, _ = Model(file).network.step(
        np.array([file.vocabulary.encode("a")[0]]),
        Model(file).network.read(np.array([[file.vocabulary.start]]), Model(file).network.zero_state(1)),
    )
    order = 1 + np.argsort(-logits[0, 1:])[:5]
    wanted = [file.vocabulary.characters[symbol - 1] for symbol in order]
    assert taken == [{"\n": "↵", " ": "␣"}.get(character, character) for character in wanted]
    key(browser, "#text", "2")
    assert browser.find_element("css selector", "#typed").get_property("value") == f"a{wanted[1]}cd"
    key(browser, "#text", "\ue012")  # arrow left: the first character
    browser.find_elements("css selector", "#popup button")[0].click()
    assert browser.find_element("css selector", "#typed").get_property("value")[1:] == f"{wanted[1]}cd"


def test_units_and_gates_colour_the_text(browser: Any, tmp_path: Path) -> None:
    file = random_model(ALPHABET)
    opened(browser, tmp_path, file)
    button = browser.find_elements("css selector", "#units button")[0]
    layer, unit = map(int, button.get_attribute("data-unit").split("."))
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    (seen,) = observe(NumpyNetwork(file.settings, file.tensors), file.vocabulary, [TEXT])
    values = [f"{value:.2f}".replace("-", "−") for value in seen.trace.units[:, 0, layer - 1, unit - 1]]
    words = browser.execute_script("return view.spans.map((span) => span.dataset.words)")
    assert sum(a.lstrip("−") != b.lstrip("−") for a, b in zip(values, words, strict=True)) <= 1  # halves may round so
    browser.execute_script("by.value = 'forget'; layer.value = '2'; showColours()")
    words = browser.execute_script("return view.spans.map((span) => Number(span.dataset.words))")
    np.testing.assert_allclose(words, seen.trace.gates[:, 0, 1, 1].mean(axis=1), atol=0.006)
    bars = browser.execute_script("return view.spans.filter((span) => span.style.boxShadow).length")
    assert bars > len(TEXT) / 2  # no colour alone


def test_the_circuit_steps_through_the_text(browser: Any, tmp_path: Path) -> None:
    file = random_model(ALPHABET)
    opened(browser, tmp_path, file)
    browser.find_element("css selector", "#tab-circuit").click()
    browser.execute_script("arguments[0].value = 2", browser.find_element("css selector", "#c-layer"))
    for _ in range(3):
        browser.find_element("css selector", "#forth").click()
    browser.find_element("css selector", "#back").click()
    (seen,) = observe(NumpyNetwork(file.settings, file.tensors), file.vocabulary, [TEXT])
    i, f, _, _ = seen.trace.gates[2, 0, 1, :, 0]
    shown = [row.text.split("= ")[-1] for row in browser.find_elements("css selector", "#equations li")]
    wanted = [i, f, seen.trace.cell[2, 0, 1, 0], seen.trace.hidden[2, 0, 1, 0]]
    figures = [float(text.replace("−", "-")) for text in (shown[0], shown[1], shown[4], shown[5])]
    np.testing.assert_allclose(figures, wanted, atol=0.0051)
    assert browser.find_element("css selector", "#strip .here").text == TEXT[2]
    browser.execute_script("$('c-unit').value = '1.5'; showCircuit()")  # as units are called elsewhere
    assert "NaN" not in browser.execute_script("return $('chart').outerHTML")
    browser.execute_script("unit.value = '1.5'; by.value = 'unit'")
    assert browser.execute_script("return Number.isFinite(valueAt(1)[0])")


def test_it_writes_what_sample_writes(browser: Any, tmp_path: Path) -> None:
    file = random_model(ALPHABET)
    opened(browser, tmp_path, file, "ab")
    browser.execute_script("temperature.value = 0; $('length').value = 30; open('write'); write()")
    browser.execute_async_script(
        "const done = arguments[0]; (function f() { $('go').disabled ? setTimeout(f, 20) : done() })()"
    )
    written = browser.execute_script("return $('written').textContent")
    assert written == "ab" + Model(file).sample("ab", length=30, temperature=0)
    browser.find_element("css selector", "#look").click()
    assert browser.execute_script("return reading.characters.join('')") == written
    assert browser.execute_script(  # temperature 1, top-p 0.6: of 0.5, 0.3, 0.2 the first two
        "const p = [1e-9, 0.3, 0.2, 0.5].map(Math.log); return [0, 0.6, 0.65, 0.99].map((u) => draw(p, 1, 0.6, u))"
    ) == [3, 3, 1, 1]


def test_what_if_shows_what_changes_later(browser: Any, tmp_path: Path) -> None:
    file = random_model(ALPHABET)
    opened(browser, tmp_path, file, "abc fed cab fed")
    browser.find_element("css selector", "#tab-if").click()
    key(browser, "#what", "fed")
    browser.execute_script("$('which').value = 1")
    key(browser, "#with", "hagg")
    browser.execute_script("other.finish()")
    assert browser.execute_script("return other.characters.join('')") == "abc hagg cab fed"
    words = browser.execute_script("return changedView.spans.map((span) => span.dataset.words)")
    change = bits(file, "abc hagg cab fed")[8:] - bits(file, "abc fed cab fed")[7:]
    np.testing.assert_allclose([float(w.split()[0].replace("−", "-")) for w in words[8:]], change, atol=0.0051)
    assert words[:4] == ["+0.00 bits"] * 4
    first = browser.find_elements("css selector", "#most td")[0].text
    assert int(first) - 1 == 8 + int(np.abs(change).argmax())
    key(browser, "#what", "x")
    assert "no such passage" in browser.find_element("css selector", "#if-summary").text


def test_a_hostile_text_is_harmless_and_a_phone_can_show_the_page(browser: Any, tmp_path: Path) -> None:
    file = random_model("<>&\n/script!-")
    opened(browser, tmp_path, file, HOSTILE, name=HOSTILE)
    key(browser, "#text", "\ue014")
    assert "hit" not in browser.title.removeprefix(f"Inside {HOSTILE}")
    assert browser.find_elements("css selector", "#text img, #text script, #popup img, h1 *") == []
    assert browser.find_element("css selector", "#text").text == HOSTILE
    phone = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    for view in ("read", "write", "circuit", "if"):
        browser.execute_script(f"open('{view}')")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390, view
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert browser.get_log("browser") == []


def test_the_vocabulary_of_the_tests_needs_two_units_of_utf16() -> None:
    assert len(Vocabulary(ALPHABET).characters) == len(ALPHABET.encode("utf-16-le")) // 2 - 1

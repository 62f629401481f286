"""What models have never seen of a text is told in one line, however the text comes and whoever reads it."""

from __future__ import annotations

import pytest
from helpers import peak_memory

from charlstm.cli import unknown
from charlstm.cli.unknown import UnknownCharacters
from charlstm.data.characters import KNOWN_IN_NFC
from charlstm.data.vocabulary import Vocabulary

Captured = pytest.CaptureFixture[str]


def test_a_text_passes_by_as_it_is_and_its_unknown_characters_are_told_once(capsys: Captured) -> None:
    seen = UnknownCharacters([Vocabulary("ab")])
    pieces = ["az", "bé", "", "zzba"]
    assert list(seen.watched(iter(pieces))) == pieces
    assert capsys.readouterr().err == ""
    seen.warn("the prompt")
    assert capsys.readouterr().err == "charlstm: warning: the model never saw these characters of the prompt: z é\n"


def test_of_a_text_that_is_known_nothing_is_said(capsys: Captured) -> None:
    for vocabulary, text in ((Vocabulary("ab"), "abba"), (Vocabulary.of_bytes(), "é✓")):
        seen = UnknownCharacters([vocabulary])
        seen.add(text)
        seen.warn()
        seen.warn_of_form()
    assert capsys.readouterr().err == ""


def test_what_any_of_several_models_does_not_know_is_told(capsys: Captured) -> None:
    seen = UnknownCharacters([Vocabulary("ab"), Vocabulary.of_bytes(), Vocabulary("bc")])
    seen.add("abcé")
    seen.warn()
    assert (
        capsys.readouterr().err == "charlstm: warning: not every model has seen these characters of the text: c é a\n"
    )


def test_that_the_composed_form_would_be_known_is_said_with_the_characters_or_alone(capsys: Captured) -> None:
    seen = UnknownCharacters([Vocabulary("caf\u00e9")])
    seen.add("cafe\u0301")
    seen.add("x")
    seen.warn()
    told = capsys.readouterr().err
    assert f"of the text: e, U+0301 COMBINING ACUTE ACCENT, x; they would be {KNOWN_IN_NFC}\n" in told
    assert len(told) < 300
    seen.warn_of_form()
    assert capsys.readouterr().err == f"charlstm: warning: more of the text would be {KNOWN_IN_NFC}\n"


def test_of_a_long_text_little_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(unknown, "MOST", 1000)
    seen = UnknownCharacters([Vocabulary("ab")])
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 5000)))

    def read() -> None:
        for _ in seen.watched(text[begin : begin + 100] for begin in range(0, 5000, 100)):
            pass

    assert peak_memory(read) < 300_000
    seen.warn()
    told = capsys.readouterr().err
    assert told.endswith(" and 910 more\n")
    assert len(told) < 300

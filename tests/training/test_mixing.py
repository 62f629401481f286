"""Counts join the network where they help, with the weights that held-out text wants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import TEXT, corpus_of, random_model, started_run

import charlstm as library
from charlstm.api import load
from charlstm.config import MixtureSettings
from charlstm.data.held_out import Sample
from charlstm.models.numpy_lstm import NumpyNetwork
from charlstm.models.torch_lstm import TorchLanguageModel
from charlstm.training import mixing
from charlstm.training.counting import largest_order
from charlstm.training.mixing import LARGEST_WEIGHT, TYPICAL, Features, count, fit_mixture, fit_weights, surprisal_of
from charlstm.training.run import Run, resume


def finished(run: Run) -> None:
    """Let it come to its end."""
    for _ in run.run():
        pass


def some_features(seed: int = 0, size: int = 400) -> Features:
    """Two noisy views of what comes."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 7, size)
    truth = np.eye(7)[targets]
    logits = truth + rng.standard_normal((size, 7))
    logs = 0.5 * truth + rng.standard_normal((size, 7))
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    return logits.astype(np.float32), logs.astype(np.float32), targets


@pytest.mark.parametrize("seed", range(3))
def test_the_weights_are_those_of_least_surprisal(seed: int) -> None:
    features = some_features(seed, size=20_000)
    a, b = fit_weights(features)
    best = surprisal_of(features, a, b)
    for da, db in ((0.02, 0), (-0.02, 0), (0, 0.02), (0, -0.02)):
        assert surprisal_of(features, a + da, b + db) >= best - 1e-6


def test_of_a_few_characters_the_weights_stay_usual_and_of_many_they_do_not() -> None:
    """Counts that are always right, and a network that knows nothing."""
    logits, _, targets = some_features(size=20_000)
    sure = np.log(np.where(np.eye(7, dtype=bool)[targets], 0.94, 0.01)).astype(np.float32)
    nothing = np.zeros_like(logits)
    a, b = fit_weights((nothing[:3], sure[:3], targets[:3]))
    assert abs(a - TYPICAL[0]) + abs(b - TYPICAL[1]) < 0.5
    assert fit_weights((nothing, sure, targets))[1] == pytest.approx(LARGEST_WEIGHT)
    assert fit_weights((sure[:5], nothing[:5], targets[:5]), alone=True)[0] < 1.5


def test_a_text_without_surprises_does_not_make_others_cost_the_earth(tmp_path: Path) -> None:
    """The weights were as large as they may be, and what the network had not seen cost ten times what it costs now."""
    model = library.train(
        output=tmp_path / "m", text=TEXT, steps=150, hidden=48, layers=1, threads=1, device="cpu", precision="float32"
    )
    parts = {name: part.score("the hat and the hat\n").bits_per_char for name, part in model.parts().items()}
    assert model.score("the hat and the hat\n").bits_per_char < 2 * max(parts.values())


def test_surprisal_is_cross_entropy() -> None:
    logits, logs, targets = some_features()
    mixed = torch.from_numpy(0.6 * logits + 0.3 * logs)
    expected = torch.nn.functional.cross_entropy(mixed, torch.from_numpy(targets))
    assert surprisal_of((logits, logs, targets), 0.6, 0.3) == pytest.approx(float(expected), abs=1e-5)


def test_a_useless_expert_gets_no_weight() -> None:
    logits, logs, targets = some_features()
    noise = np.random.default_rng(5).permutation(logs)
    a, b = fit_weights((logits, noise, targets))
    assert b < 0.1
    alone, nothing = fit_weights((logits, noise, targets), alone=True)
    assert nothing == 0.0
    assert alone == pytest.approx(a, rel=0.1)


@pytest.mark.parametrize(
    ("confidence", "said", "joined"), [(1.0, 0.5, True), (2.0, 0.5, True), (1.0, 0.07, False), (2.0, 0.0, False)]
)
def test_only_counts_that_save_more_than_a_trifle_join_a_network_however_overconfident_it_is(
    confidence: float, said: float, joined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any expert seems to help a network whose logits are too large: with it, these have a smaller weight."""
    rng = np.random.default_rng(0)
    known, new = rng.standard_normal((2, 20_000, 7))
    targets = (known + said * new + rng.gumbel(size=known.shape)).argmax(axis=1)  # a draw from the softmax
    logs = said * new - np.log(np.exp(said * new).sum(axis=1, keepdims=True))
    features: Features = (confidence * known).astype(np.float32), logs.astype(np.float32), targets
    monkeypatch.setattr(mixing, "_features", lambda *_: features)
    corpus = corpus_of(texts=[TEXT])
    counts = count(corpus, 4, lines=False)
    assert counts
    file = random_model()
    network = NumpyNetwork(file.settings, file.tensors)
    mixture = fit_mixture(network, counts, corpus, Sample.of(corpus.validation), lines=False)
    assert (mixture is not None) == joined


@pytest.mark.parametrize("lines", [False, True])
def test_a_run_mixes_counts_that_help(tmp_path: Path, lines: bool) -> None:
    run = started_run(tmp_path, steps=12, lines=lines)
    finished(run)
    model = load(run.output)
    assert model.file.mixture
    held_out = run.corpus.vocabulary.decode(run.corpus.validation)
    mixture = model.score(held_out).bits_per_char
    assert all(mixture < part.score(held_out).bits_per_char + 0.01 for part in model.parts().values())
    assert model.sample("the ", length=20, seed=1)


def test_the_figure_of_a_run_is_that_of_the_mixture(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=12, val_split="end")
    finished(run)
    held_out = run.corpus.vocabulary.decode(run.corpus.validation)
    score = load(run.output).score(held_out)
    assert score.bits_per_char == pytest.approx(run.result["val_bits_per_char"], abs=2e-3)


def test_no_counts_on_request(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=3, ngrams=0)
    finished(run)
    assert load(run.output).file.mixture is None


def test_the_longest_context_is_heeded(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=3, ngrams=2)
    finished(run)
    mixture = load(run.output).file.mixture
    assert isinstance(mixture, MixtureSettings)
    assert len(mixture.sizes) == 3


def test_without_held_out_text_the_weights_are_those_of_training(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=3, val_fraction=0.0)
    finished(run)
    mixture = load(run.output).file.mixture
    assert mixture
    assert (mixture.network_weight, mixture.ngram_weight) == (1.0, run.plan.training.ngram_weight)


def test_a_save_on_the_way_holds_the_counts_that_the_network_is_trained_with(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=9)
    for _ in run.run():
        run.save()
        break
    assert load(run.output).file.mixture


def test_samples_on_the_way_are_of_network_and_counts(tmp_path: Path) -> None:
    run = started_run(tmp_path, steps=9)
    finished(run)
    assert len(run.sample(30)) == 30


def test_a_stopped_run_leaves_a_mixture_and_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    whole = started_run(tmp_path, "whole", steps=9)
    finished(whole)
    run = started_run(tmp_path, "stopped", steps=9)
    for _ in run.run(lambda: run.trainer.step >= 4):
        pass
    stopped = load(run.output)
    assert stopped.file.mixture
    figure = run.trainer.validator.bits_of(stopped.network)
    assert stopped.file.result["val_bits_per_char"] == pytest.approx(figure, abs=0.001)
    finished(resume(run.output))
    one, other = load(whole.output).file, load(run.output).file
    assert one.mixture == other.mixture
    assert all((other.tensors[name] == tensor).all() for name, tensor in one.tensors.items())


def test_no_more_is_counted_than_allowed(tmp_path: Path) -> None:
    corpus = started_run(tmp_path, steps=3).corpus
    few, many = count(corpus, 11, lines=False, most=600), count(corpus, 11, lines=False)
    assert few and many
    assert 0 < len(few.model.levels[-1].symbols) <= 600 < len(corpus.training)
    assert many.model.order == largest_order(len(corpus.vocabulary))
    assert count(corpus, 0, lines=False) is None


@pytest.mark.parametrize("lines", [False, True])
def test_what_stands_before_a_record_decides_nothing_in_it(lines: bool) -> None:
    corpus = corpus_of(texts=["one\ntwo\n" * 100], lines=lines, val_fraction=0.0)
    counts = count(corpus, 4, lines=lines)
    assert counts
    model, start = counts.model, np.array([corpus.vocabulary.start])
    first, second = (
        model.probabilities(model.walk(ids[:, None], model.start(1))[:, -1])
        for ids in (start, np.concatenate([start, corpus.vocabulary.encode("one\n")]))
    )
    assert np.allclose(first, second) == lines


@pytest.mark.parametrize("lines", [False, True])
def test_weights_are_fitted_on_text_from_all_over_though_few_characters_of_a_large_alphabet_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: bool
) -> None:
    """Else its beginning alone, such as a preface in another language, decides how much the counts say."""
    run = started_run(tmp_path, steps=3, lines=lines)
    corpus, size = run.corpus, len(run.corpus.vocabulary)
    preface = np.random.default_rng(0).integers(1, size, 600)
    counts = count(corpus, 4, lines=lines)
    assert counts
    monkeypatch.setattr(mixing, "NUMBERS_FITTED", size * 300)
    network = TorchLanguageModel(run.trainer.learner.averaged)
    ids = np.concatenate([preface, corpus.training[:5000]])
    mixture = fit_mixture(network, counts, corpus, Sample.of(ids), lines=lines)
    assert mixture
    assert mixture.ngram_weight > 0.5


def test_what_is_only_read_before_a_text_has_no_part_in_its_weights(tmp_path: Path) -> None:
    """Chance speaks against the counts, where it counts."""
    run = started_run(tmp_path, steps=3)
    counts = count(run.corpus, 4, lines=False)
    assert counts
    noise = np.random.default_rng(0).integers(1, len(run.corpus.vocabulary), 3000)
    ids = np.concatenate([noise, run.corpus.validation])
    network = TorchLanguageModel(run.trainer.learner.averaged)
    one, other = (
        fit_mixture(network, counts, run.corpus, Sample(ids, np.arange(len(ids)) >= first), lines=False)
        for first in (len(noise), 0)
    )
    assert one
    assert not other or one.ngram_weight > 1.5 * other.ngram_weight


def test_only_a_network_that_is_trained_with_counts_needs_them_left_out(tmp_path: Path) -> None:
    """To work that out takes longer than to count."""
    corpus = started_run(tmp_path, steps=3).trainer.corpus
    alone, together = count(corpus, 8, lines=False), count(corpus, 8, lines=False, together=True)
    assert alone
    assert together
    assert alone.leave_one_out is None
    assert alone.text.occurrences is None
    assert together.leave_one_out is not None
    for name, tensor in alone.tensors.items():
        np.testing.assert_array_equal(tensor, together.tensors[name])

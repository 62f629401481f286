"""The benchmarks' sources of known entropy: what they write, and that the entropy rates are exact."""

from __future__ import annotations

import collections
import itertools
import math
import re

import automata
import numpy as np
import pytest
from automata import Automaton

SMALL = [
    automata.markov("abc", order=2),
    automata.embedded_reber(),
    automata.counting(5),
    automata.brackets(("()", "[]"), deepest=3),
]
names = pytest.mark.parametrize("source", [*SMALL, *automata.all_automata()], ids=lambda source: source.name)


def texts_of(source: Automaton, length: int) -> dict[str, float]:
    """All texts of that length with their probabilities, from the stationary state on, by plain recursion."""
    found: dict[str, float] = collections.defaultdict(float)

    def write(text: str, p: float, state: automata.State) -> None:
        if len(text) == length:
            found[text] += p
            return
        for letter, (chance, to) in source.arcs[state].items():
            write(text + letter, p * chance, to)

    for state, p in zip(source.arcs, source.stationary(), strict=True):
        write("", float(p), state)
    return found


@names
def test_probabilities_and_the_stationary_distribution_are_such(source: Automaton) -> None:
    for arcs in source.arcs.values():
        assert sum(p for p, _ in arcs.values()) == pytest.approx(1)
        assert all(p > 0 and to in source.arcs for p, to in arcs.values())
    stationary = source.stationary()
    assert stationary.min() > 0
    assert stationary.sum() == pytest.approx(1)


@names
def test_the_entropy_rate_is_that_of_a_long_text(source: Automaton) -> None:
    text = source.text(30_000, seed=3)
    assert source.bits(text) == pytest.approx(source.entropy_rate(), rel=0.04)


@pytest.mark.parametrize("source", SMALL, ids=lambda source: source.name)
def test_the_entropy_rate_lies_between_the_bounds_of_all_texts_of_some_length(source: Automaton) -> None:
    """H(n) - H(n-1) falls to the rate from above; with the first state known, it rises (Cover and Thomas, 4.5)."""
    entropies = [-sum(p * math.log2(p) for p in texts_of(source, length).values()) for length in (7, 8)]
    given = [entropy_given_state(source, length) for length in (7, 8)]
    assert given[1] - given[0] == pytest.approx(source.entropy_rate())
    assert source.entropy_rate() <= entropies[1] - entropies[0] + 1e-9


def entropy_given_state(source: Automaton, length: int) -> float:
    """Bits of the next so many characters, for whoever knows the state, by enumeration."""
    total = 0.0
    for state, weight in zip(source.arcs, source.stationary(), strict=True):
        reached = {("", state): 1.0}
        for _ in range(length):
            reached = {
                (text + letter, to): p * chance
                for (text, at), p in reached.items()
                for letter, (chance, to) in source.arcs[at].items()
            }
        total -= weight * sum(p * math.log2(p) for p in reached.values())
    return total


def test_the_entropy_rates_are_those_worked_out_by_hand() -> None:
    # Reber's grammar: 6 choices of a bit in 8 letters on average, one bit more for the letter around it, and 5 letters.
    assert automata.embedded_reber().entropy_rate() == pytest.approx(7 / 13)
    # A number from 1 to 40 in 2 n letters and a newline.
    assert automata.counting(40).entropy_rate() == pytest.approx(math.log2(40) / 42)
    # From depth 0 and back are 12 steps on average, with two visits of each depth but the sixth; 4 such are a line.
    kind, end = math.log2(3), -0.25 * math.log2(0.25) - 0.75 * math.log2(0.75)
    line = 4 * (kind + 10 * (1 + kind / 2)) + 4 * end
    assert automata.brackets(deepest=6).entropy_rate() == pytest.approx(line / 49)


def test_the_entropy_rate_of_a_chain_is_that_of_its_powers() -> None:
    """Independent of the solver: the stationary distribution as the limit of a long walk's distribution."""
    source = automata.markov("abcd", order=2)
    p = np.array([[[arc[0] for arc in source.arcs[a, b].values()] for b in "abcd"] for a in "abcd"])  # (4, 4, 4)
    pairs = np.full((4, 4), 1 / 16)
    for _ in range(2000):
        pairs = np.einsum("ab,abc->bc", pairs, p)
    assert source.entropy_rate() == pytest.approx(float(-(pairs[..., None] * p * np.log2(p)).sum()))


def test_letters_follow_upon_each_other_as_often_as_the_chain_says() -> None:
    source = automata.markov("abc", order=2)
    text = source.text(60_000, seed=1)
    triples = collections.Counter(text[place : place + 3] for place in range(len(text) - 2))
    for past in itertools.product("abc", repeat=2):
        seen = sum(triples["".join(past) + letter] for letter in "abc")
        for letter, (p, _) in source.arcs[past].items():
            assert abs(triples["".join(past) + letter] / seen - p) < 5 * math.sqrt(p * (1 - p) / seen) + 1e-3


def test_a_text_comes_from_its_seed_and_records_are_whole() -> None:
    for source in automata.all_automata():
        assert source.text(2000, seed=1) == source.text(2000, seed=1) != source.text(2000, seed=2)
        assert source.lines == source.text(2000, seed=1).endswith("\n")


def test_words_of_the_grammar_are_between_equal_letters() -> None:
    words = automata.embedded_reber().text(20_000, seed=1).split()
    for word in words:
        assert re.fullmatch(r"B([TP])B[TP][TSXPV]+E\1E", word), word
        assert accepted(word[2:-2]), word
    assert {word[1] for word in words} == {"T", "P"}


def accepted(word: str) -> bool:
    """Whether it is a word of Reber's grammar, as a regular expression worked out by hand."""
    loop = "(?:T*VPX)*T*V"  # from the lower middle state: once around, or out by V
    return bool(re.fullmatch(f"B(?:TS*X(?:S|X{loop}(?:V|PS))|P{loop}(?:V|PS))E", word))


def test_lines_that_count_have_as_many_a_as_b() -> None:
    lines = automata.counting(6).text(20_000, seed=1).splitlines()
    seen = collections.Counter(lines)
    assert set(seen) == {"a" * n + "b" * n for n in range(1, 7)}
    assert max(seen.values()) < 1.2 * min(seen.values())


def test_brackets_are_balanced_and_never_too_deep() -> None:
    stack: list[str] = []
    deepest = 0
    for letter in automata.brackets(deepest=4).text(20_000, seed=1):
        if letter in "([{":
            stack.append(letter)
            deepest = max(deepest, len(stack))
        else:
            assert letter == "\n" if not stack else stack.pop() + letter in ("()", "[]", "{}")
    assert deepest == 4

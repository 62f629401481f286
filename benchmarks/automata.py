"""Sources of text whose entropy rate is known exactly: probabilistic automata.

In each state of an automaton some characters can come, each with a probability and a state that it leads to. Whoever
has read the text from its beginning knows the state (the automaton is deterministic in what it writes), so the entropy
rate is H = sum over states of pi(state) H(next character | state), with pi the stationary distribution (Shannon 1948,
section 7). No model can do better in the long run. Knows nothing about models.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

State = Hashable
Arcs = Mapping[str, tuple[float, State]]
"""What can come in a state: characters, each with its probability and the state after it."""


@dataclass(frozen=True)
class Automaton:
    """A source. A text begins in the first of its states."""

    name: str
    arcs: Mapping[State, Arcs]
    lines: bool = False
    """Whether every line is a record of its own: a newline leads to the first state."""

    @property
    def start(self) -> State:
        """The first state."""
        return next(iter(self.arcs))

    def text(self, characters: int, seed: int) -> str:
        """A text of so many characters, or of some more, where the last record is not over by then."""
        limits = {state: list(itertools.accumulate(p for p, _ in arcs.values())) for state, arcs in self.arcs.items()}
        ways = {state: [(letter, to) for letter, (_, to) in arcs.items()] for state, arcs in self.arcs.items()}
        rng, state = Random(seed), self.start
        written: list[str] = []
        while len(written) < characters or (self.lines and state != self.start):
            ((letter, state),) = rng.choices(ways[state], cum_weights=limits[state])
            written.append(letter)
        return "".join(written)

    def bits(self, text: str) -> float:
        """Bits per character, -log2 p, that a text of this source costs whoever knows the source."""
        state, total = self.start, 0.0
        for letter in text:
            p, state = self.arcs[state][letter]
            total -= math.log2(p)
        return total / len(text)

    def stationary(self) -> NDArray[np.float64]:
        """How often each state is visited in the long run (S,): pi P = pi, sum pi = 1, P (S, S) being transitions."""
        numbers = {state: number for number, state in enumerate(self.arcs)}
        equations = -np.eye(len(numbers))  # of P's transpose less the identity
        for state, arcs in self.arcs.items():
            for p, to in arcs.values():
                equations[numbers[to], numbers[state]] += p
        equations[-1] = 1.0  # in place of one of them, which follows from the others
        return np.linalg.solve(equations, np.eye(len(numbers))[-1])

    def entropy_rate(self) -> float:
        """Bits per character, exactly but for rounding."""
        each = [-sum(p * math.log2(p) for p, _ in arcs.values()) for arcs in self.arcs.values()]
        return float(self.stationary() @ np.array(each))


def markov(letters: str = "abcdefghij", order: int = 3, seed: int = 0) -> Automaton:
    """A Markov chain: the next letter depends on the last few, with uneven random probabilities, none of them zero."""
    pasts = list(itertools.product(letters, repeat=order))
    weights = np.random.default_rng(seed).gamma(0.3, size=(len(pasts), len(letters))) + 1e-3
    rows = (weights / weights.sum(axis=1, keepdims=True)).tolist()
    arcs: dict[State, Arcs] = {
        past: {letter: (p, (*past[1:], letter)) for letter, p in zip(letters, row, strict=True)}
        for past, row in zip(pasts, rows, strict=True)
    }
    return Automaton(f"Markov chain of order {order}", arcs)


REBER: Mapping[int, Mapping[str, int]] = {
    0: {"B": 1},
    1: {"T": 2, "P": 3},
    2: {"S": 2, "X": 4},
    3: {"T": 3, "V": 5},
    4: {"X": 3, "S": 6},
    5: {"P": 4, "V": 6},
    6: {"E": 7},
}
"""Reber's grammar (1967): what can come in each state, all alike in probability, and the state after it; 7 is over."""


def embedded_reber() -> Automaton:
    """A word of Reber's grammar between two equal letters (Hochreiter and Schmidhuber 1997), each on a line.

    The letter before the last is the second one again, however long ago that was: who has forgotten it pays a bit.
    """
    arcs: dict[State, Arcs] = {"begin": {"B": (1.0, "first")}}
    arcs["first"] = {letter: (0.5, (letter, 0)) for letter in "TP"}
    for kept in "TP":
        for state, ways in REBER.items():
            arcs[kept, state] = {letter: (1 / len(ways), (kept, to)) for letter, to in ways.items()}
        arcs[kept, 7] = {kept: (1.0, "last")}
    arcs["last"] = {"E": (1.0, "end")}
    arcs["end"] = {"\n": (1.0, "begin")}
    return Automaton("embedded Reber grammar", arcs, lines=True)


def counting(most: int = 40) -> Automaton:
    """Lines of n letters a and n letters b, n drawn from 1 to `most`: whoever counts the a knows where the b end."""
    arcs: dict[State, Arcs] = {("a", 0): {"a": (1.0, ("a", 1))}}  # so many were read
    for n in range(1, most + 1):
        stops = 1 / (most - n + 1)
        more = {} if n == most else {"a": (1 - stops, ("a", n + 1))}
        arcs["a", n] = {"b": (stops, ("b", n - 1)), **more}
        arcs["b", n - 1] = {"b": (1.0, ("b", n - 2))} if n > 1 else {"\n": (1.0, ("a", 0))}  # so many are to come
    return Automaton(f"counting to {most}", arcs, lines=True)


def brackets(pairs: tuple[str, ...] = ("()", "[]", "{}"), deepest: int = 6) -> Automaton:
    """Balanced brackets of several kinds in lines, never deeper than `deepest`: a stack must be remembered.

    All kinds open alike. At the greatest depth the last one closes; in between, it is as likely to close as another one
    is to open. At depth 0 the line ends with a probability of 1/4.
    """
    opening = {pair[0]: (1 / len(pairs), (pair,)) for pair in pairs}
    arcs: dict[State, Arcs] = {"begin": opening}
    arcs[()] = {"\n": (0.25, "begin"), **{letter: (0.75 * p, to) for letter, (p, to) in opening.items()}}
    for depth in range(1, deepest + 1):
        opens = 0.0 if depth == deepest else 0.5
        for stack in itertools.product(pairs, repeat=depth):
            found = {pair[0]: (opens / len(pairs), (*stack, pair)) for pair in pairs if opens}
            arcs[stack] = {**found, stack[-1][1]: (1 - opens, stack[:-1])}
    return Automaton(f"brackets up to depth {deepest}", arcs)


def all_automata() -> list[Automaton]:
    """The four."""
    return [markov(), embedded_reber(), counting(), brackets()]

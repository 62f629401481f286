"""A long text read in parts side by side: many times as fast as one stream, and it ends in the same states.

Each part begins in a state as in the midst of such a text, which is wrong at first. So its beginning is read again from
the state that the part before it ended in, until that makes no difference: from there on all is as it would be.
Comparing states, not figures, also finds what is remembered and not yet needed. Knows nothing about logits and scores.

Shapes: T time steps, B parts (the batch), N characters of text, L layers, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.vocabulary import Ids
from ..models.interface import LanguageModel, State, read_long
from ..threads import in_threads

Positions = NDArray[np.intp]
Read = Callable[[Positions, State], State]
"""Reads the text at positions (T, B), from a state of B sequences, and does with it what the caller likes; gives the
state after the last. Positions of a last part that ends early are beyond the text's end."""


@dataclass(frozen=True)
class Division:
    """How a text is divided into parts, and how closely the result must agree with that of one stream."""

    most: int = 128
    """Parts side by side; 1 is the definition: one stream."""
    fewest: int = 8
    """Parts below which one stream is as fast."""
    shortest: int = 4096
    """Characters of a part at least, so that reading its beginning again weighs little."""
    longest: int = 8192
    """Characters of a part at most: a longer text is read block by block."""
    burn_in: int = 2048
    """Characters after which a state is as in the midst of a text."""
    segment: int = 256
    """Characters of a part that are read again at a time."""
    segments_again: int | None = None
    """At most so many segments of a part are read again; None: as many as it takes."""
    tolerance: float = 0.15
    """Two states that are no further from each other are taken as equal (see `state_distance`): units that follow
    slowly what they have read may differ by so much with hardly any effect, but not one that stands for something."""

    @property
    def block(self) -> int:
        """Characters that are read side by side at most."""
        return self.most * self.longest

    def parts(self, length: int) -> int:
        """Into how many parts to divide a text of that length, of one block at most; 1: read it as one stream."""
        return min(self.most, length // self.shortest) if length >= self.fewest * self.shortest else 1


EXACT = Division()
"""Agrees with one stream to 0.001 bits per character."""
ROUGH = Division(shortest=2048, segments_again=2)
"""May be off by some 0.001 bits per character, for twice the speed."""
ONE_STREAM = Division(most=1)
"""The definition."""
PROMPT = Division(shortest=2048)
"""For the state alone, whose rounding the end of the text, read as one stream, makes good."""
PROMPT_END = 4096
"""Characters at the end of a long prompt that are read as one stream: what distance is left shrinks on the way."""


def state_distance(one: State, other: State) -> NDArray[np.floating[Any]]:
    """How far the states of B sequences are from each other (B,): the largest difference of a unit.

    Cells count in proportion to their size, as the network reads their tanh: 100 for 99 is nothing, 0 for 1 is all.
    """
    hidden = np.abs(one.hidden - other.hidden).max(axis=(0, 2))  # (B,)
    cells = np.abs(one.cell - other.cell) / (1 + np.abs(other.cell))  # (L, B, H), or none
    distance: NDArray[np.floating[Any]] = np.maximum(hidden, cells.max(axis=(0, 2), initial=0))
    return distance


class Parts:
    """A block of text in parts of one length.

    Args:
        read: reads the text at given positions; it is called from several threads, and for some positions again.
        length: of the block; all parts have length / count characters, rounded up, but the last.
        count: B.
        division: how closely to agree with one stream.
        threads: how many threads share the parts.
    """

    def __init__(self, read: Read, length: int, count: int, division: Division, threads: int) -> None:
        self._read, self._division, self._threads = read, division, threads
        self._count, self._length = count, -(-length // count)
        begins = range(0, self._length, division.segment)
        self._segments = [range(begin, min(begin + division.segment, self._length)) for begin in begins]
        self._after: list[State] = []  # of all parts, after each segment

    def read(self, state: State, warm: State) -> State:
        """Read the block; give the state at its end, where all parts are of one length.

        Args:
            state: of one sequence, at the beginning of the block.
            warm: of one sequence in the midst of such a text, from which the other parts begin.
        """
        after = State.concatenate([state, *[warm] * (self._count - 1)])
        for steps in self._segments:
            after = self._read_steps(np.arange(self._count), steps, after)
            self._after.append(after)
        self._correct()
        return self._after[-1].select([-1])

    def begins(self, state: State) -> State:
        """After `read` from that state: the states of all parts at their beginnings."""
        return State.concatenate([state, self._after[-1].select(np.arange(self._count - 1))])

    def _read_steps(self, parts: Positions, steps: range, before: State) -> State:
        """Read some time steps (T) of some parts (B) from the states before; give the states after."""

        def read(columns: Positions) -> State:
            positions = parts[columns] * self._length + np.array(steps)[:, None]  # (T, B)
            return self._read(positions, before.select(columns))

        columns = np.array_split(np.arange(len(parts)), min(self._threads, len(parts)))
        return State.concatenate(in_threads(read, columns, self._threads))

    def _correct(self) -> None:
        """Read beginnings again until every part begins in the state that the one before ends in.

        First of all parts at once. What is remembered for longer than a part is then corrected part by part: that
        takes no longer than one stream would.
        """
        again = self._division.segments_again
        wrong = self._read_again(np.arange(1, self._count), len(self._segments) if again is None else again)
        while len(wrong) and again is None:
            following, wrong = wrong[0] + 1, wrong[1:]
            if following < self._count:
                wrong = np.union1d(wrong, self._read_again(np.array([following]), len(self._segments)))

    def _read_again(self, parts: Positions, most: int) -> Positions:
        """Read parts again from where those before them end by now, at most so many segments of each.

        Give those whose states were wrong to the last of these segments.
        """
        after = self._after[-1].select(parts - 1)
        for number, steps in enumerate(self._segments[:most]):
            if not len(parts):
                break
            after = self._read_steps(parts, steps, after)
            wrong = state_distance(after, self._after[number].select(parts)) > self._division.tolerance
            self._after[number] = self._after[number].updated(parts, after)
            parts, after = parts[wrong], after.select(wrong)
        return parts


def read_in_parts(
    model: LanguageModel, ids: Ids, state: State, threads: int = 1, division: Division = PROMPT, end: int = PROMPT_END
) -> State:
    """As `read_long` of one sequence, ids (N,), in far less time where they are many.

    Args:
        model: reads them.
        ids: of any length; memory does not depend on it.
        state: of one sequence, before them.
        threads: how many threads share the parts.
        division: into parts.
        end: characters that are read as one stream at the end.
    """
    warm: State | None = None
    while division.parts(left := len(ids) - end) > 1:
        size = left // -(-left // division.block)  # blocks of one size, so that little is left for the end
        count = division.parts(size)
        block = ids[: size - size % count]
        warm = warm or read_long(model, block[: division.burn_in, None], state)
        read = _reader(model, block)
        state = warm = Parts(read, len(block), count, division, threads).read(state, warm)
        ids = ids[len(block) :]
    return read_long(model, ids[:, None], state)


def _reader(model: LanguageModel, ids: Ids) -> Read:
    return lambda positions, state: read_long(model, ids[positions], state)

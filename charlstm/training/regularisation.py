"""How much is dropped in training: what was planned where the network memorises its text, and less where it does not.

How much of a text can be memorised the plan does not know: of plays nearly all, of tales or a log little. A network
that predicts held-out text better than what it is trained on is held back by dropout alone.
"""

from __future__ import annotations

SOONER = 4
"""The least that is dropped is so much less than was planned, and so many validations bring it back."""


class Dropout:
    """The dropout of a run, by what its validations say.

    Args:
        planned: what is dropped at most, and at first.
        adapts: whether it ever changes.
    """

    def __init__(self, planned: float, *, adapts: bool) -> None:
        self.planned, self.adapts = planned, adapts
        self.now = planned
        self._nats, self._characters = 0.0, 0  # of the training loss since the last validation

    def add(self, loss: float, characters: int) -> None:
        """Take in one step: mean loss in nats, number of characters."""
        self._nats += loss * characters
        self._characters += characters

    def updated(self, held_out: float) -> float:
        """What is dropped after a validation, in nats per character.

        While that is less than the training loss since the last one, dropout is halved each time; else it comes back.
        """
        if self.adapts and self._characters:
            least = self.planned / SOONER
            changed = self.now / 2 if held_out < self._nats / self._characters else self.now + least
            self.now = min(self.planned, max(least, changed))
        self._nats, self._characters = 0.0, 0
        return self.now

    def checkpoint(self) -> list[float]:
        """All that it remembers."""
        return [self.now, self._nats, self._characters]

    def restored(self, saved: list[float]) -> float:
        """What is dropped by now; go on from what `checkpoint` gave."""
        self.now, self._nats, characters = saved
        self._characters = int(characters)
        return self.now

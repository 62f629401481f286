"""What a process of a run knows of the others: here that there are none; `distributed` has the real thing.

One process, of rank 0, leads: it has the clock, validates, decides and writes. The others do what it announces. What
is computed alike by all is written once, and says what it exchanges through the methods below, which are called as the
collectives of torch.distributed are; alone, they do nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from ..data.batching import Shard

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class Work(IntEnum):
    """What the leading process announces."""

    END = 0
    BEGIN = 1
    TRAIN_STEP = 2
    DISTRIBUTE = 3
    GATHER_STATE = 4


class Order(NamedTuple):
    """What all processes are to do next."""

    work: Work
    step: int
    """Its number, where it is a step."""
    learning_rate: float
    dropout: float


class Ranks:
    """The processes of a run: one alone."""

    rank = 0
    size = 1
    asked_to_stop = False
    """Whether a process was asked to stop by the end of the last step, by a signal."""

    @property
    def leads(self) -> bool:
        """Whether this process is the one that decides."""
        return self.rank == 0

    @property
    def shard(self) -> Shard:
        """Which streams of each batch this process reads."""
        return Shard(self.rank, self.size)

    def own_device(self, device: torch.device) -> torch.device:
        """The device of that type that is this process's own."""
        return device

    # ------------------------------------------------------------------------------------- orders

    def announce(self, work: Work, step: int = 0, learning_rate: float = 0.0, dropout: float = 0.0) -> None:
        """Let the others do the same; of a process that does not lead, nothing: it was told."""

    def next_order(self) -> Order:
        """What the leading process announces next."""
        return Order(Work.END, 0, 0.0, 0.0)

    def ask_to_stop(self) -> None:
        """Let the leading process know, with the next step, that the run should end."""

    def dismiss(self) -> None:
        """Let the others end, where that was not announced already."""

    def shorten_timeout(self) -> None:
        """From here on no process waits for another longer than steps, validations and saves take."""

    # ------------------------------------------------------------------------------------- values

    def all_gather_object(self, value: Any) -> list[Any]:
        """What each process gives, by rank; JSON."""
        return [value]

    def broadcast_object(self, value: Any = None) -> Any:
        """What the leading process gives; JSON."""
        return self.all_gather_object(value)[0]

    # ------------------------------------------------------------------------------------- tensors

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter], loss: Tensor) -> float:
        """Make each gradient the sum of all processes' gradients, and give the sum of their losses."""
        return float(loss.detach())

    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Make each tensor what it is in the leading process, in place."""

    def all_gather(self, tensor: Tensor) -> Tensor:
        """Tensors (N, B, H) that differ in B, side by side in the order of ranks -> (N, B of all, H)."""
        return tensor


ALONE = Ranks()

"""Several processes as one run, by torch.distributed: gloo between CPUs, NCCL between GPUs.

Knows how to exchange numbers, and who leads; knows nothing about texts, networks or files. This alone imports
torch.distributed, and only a process that a launcher started imports this.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, distributed, nn

from ..errors import CharlstmError, ProcessGroupError, UsageError
from .optimizer import gradient_of
from .ranks import Order, Ranks, Work

PREPARING = datetime.timedelta(hours=2)
"""How long a process waits for another while texts are read and counted."""
TRAINING = datetime.timedelta(minutes=10)
"""And afterwards, for a step, a validation or a save. A process that ends is noticed at once."""


class Group(Ranks):
    """Several processes that can add and copy tensors; what a run needs of them, in these terms.

    Args:
        rank, size: which of how many processes this is.
    """

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size
        self._asking = self._dismissed = False

    @abstractmethod
    def all_reduce(self, tensor: Tensor) -> None:
        """Make a tensor the sum of all processes' tensors, in place."""

    @abstractmethod
    def broadcast_tensor(self, tensor: Tensor) -> None:
        """Make a tensor what it is in the leading process, in place."""

    def announce(self, work: Work, step: int = 0, learning_rate: float = 0.0, dropout: float = 0.0) -> None:
        """See Ranks."""
        if self.leads:
            self.broadcast_tensor(torch.tensor([work, step, learning_rate, dropout], dtype=torch.float64))
            self._dismissed = work is Work.END

    def next_order(self) -> Order:
        """See Ranks."""
        order = torch.zeros(4, dtype=torch.float64)
        self.broadcast_tensor(order)
        work, step, learning_rate, dropout = order.tolist()
        return Order(Work(int(work)), int(step), learning_rate, dropout)

    def ask_to_stop(self) -> None:
        """See Ranks."""
        self._asking = True

    def dismiss(self) -> None:
        """See Ranks."""
        if not self._dismissed:
            self.announce(Work.END)

    def all_gather_object(self, value: Any) -> list[Any]:
        """See Ranks."""
        data = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        sizes = torch.zeros(self.size, dtype=torch.int64)
        sizes[self.rank] = len(data)
        self.all_reduce(sizes)
        texts = torch.zeros(self.size, int(sizes.max()), dtype=torch.uint8)
        texts[self.rank, : len(data)] = data
        self.all_reduce(texts)
        return [json.loads(bytes(text[:size].tolist())) for text, size in zip(texts, sizes.tolist(), strict=True)]

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter], loss: Tensor) -> float:
        """See Ranks. All in one message, with whether a process was asked to stop."""
        gradients = [gradient_of(parameter).flatten() for parameter in parameters]
        asking = torch.tensor([float(self._asking)], device=loss.device)
        message = torch.cat([*gradients, loss.detach().view(1), asking])
        self.all_reduce(message)
        for parameter, summed in zip(parameters, _cut(message, parameters), strict=True):
            parameter.grad = summed
        total, asked = message[-2:].tolist()
        self.asked_to_stop = asked > 0
        return float(total)

    @torch.no_grad()
    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """See Ranks."""
        message = torch.cat([tensor.flatten() for tensor in tensors])
        self.broadcast_tensor(message)
        for tensor, copied in zip(tensors, _cut(message, tensors), strict=True):
            tensor.copy_(copied)

    def all_gather(self, tensor: Tensor) -> Tensor:
        """See Ranks."""
        widths = self.all_gather_object(tensor.shape[1])
        begin = sum(widths[: self.rank])
        whole = tensor.new_zeros(tensor.shape[0], sum(widths), tensor.shape[2])
        whole[:, begin : begin + tensor.shape[1]] = tensor
        self.all_reduce(whole)
        return whole


class ProcessGroup(Group):
    """The processes that a launcher started, such as torchrun, which says by the environment how they are reached.

    A context: when it ends without a fault in the leading process, the others end, too.

    Raises:
        ProcessGroupError: they cannot be reached; so do all other methods.
    """

    def __init__(self) -> None:
        nccl = torch.cuda.is_available() and distributed.is_nccl_available()
        with _others_named(_UNREACHABLE):
            distributed.init_process_group("cpu:gloo,cuda:nccl" if nccl else "gloo", timeout=PREPARING)
        super().__init__(distributed.get_rank(), distributed.get_world_size())
        self._group = distributed.group.WORLD

    def __enter__(self) -> ProcessGroup:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        expected = error is None or isinstance(error, CharlstmError | SystemExit)
        if expected and not isinstance(error, ProcessGroupError):
            with contextlib.suppress(ProcessGroupError):
                self.dismiss()
            distributed.destroy_process_group()

    def own_device(self, device: torch.device) -> torch.device:
        """See Ranks.

        Raises:
            UsageError: there are more processes on this machine than GPUs.
        """
        if device.type != "cuda":
            return device
        number, count = int(os.environ.get("LOCAL_RANK", 0)), torch.cuda.device_count()
        if number >= count:
            raise UsageError(f"a process for each GPU: this machine has {count}; start fewer, or give --device cpu")
        return torch.device("cuda", number)

    def shorten_timeout(self) -> None:
        """See Ranks."""
        with _others_named():
            self._group = distributed.new_group(timeout=TRAINING)

    def all_reduce(self, tensor: Tensor) -> None:
        """See Group."""
        with _others_named():
            distributed.all_reduce(tensor, group=self._group)

    def broadcast_tensor(self, tensor: Tensor) -> None:
        """See Group."""
        with _others_named():
            distributed.broadcast(tensor, 0, group=self._group)


def _cut(message: Tensor, like: Sequence[Tensor]) -> Iterator[Tensor]:
    """What stands one after the other in a message, each in the shape of its tensor."""
    begin = 0
    for tensor in like:
        yield message[begin : begin + tensor.numel()].view_as(tensor)
        begin += tensor.numel()


_UNREACHABLE = (
    "the processes that were started together cannot reach each other (RANK and WORLD_SIZE say that there are several, "
    "MASTER_ADDR and MASTER_PORT where); unset RANK to train alone"
)


@contextlib.contextmanager
def _others_named(message: str = "another process of this run has ended, or cannot be reached") -> Iterator[None]:
    """Whatever goes wrong between processes is an error that says so."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise ProcessGroupError(message) from error

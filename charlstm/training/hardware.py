"""The machine for torch: its devices and threads, and how fast it trains."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from ..config import CellName, ModelSettings, TrainingRequest
from ..errors import UsageError, counted
from ..models.torch_lstm import TorchNetwork
from ..threads import processors
from .optimizer import Optimizer, add_gradients
from .planning import FIXED_THREADS, Speed, operations, shards
from .thread_tuning import thread_counts
from .workers import ALONE, Workers

STREAMS, STEPS = 16, 64
"""Of a step that is timed, and characters of each."""
LAYERS, LARGE, SMALL = 2, 192, 64
"""Of its network, and hidden units of a large one and of a small one."""
HOPELESS = 4
"""A number format that is so many times slower than float32 is not measured any longer."""
NOT_THE_SAME = "it goes on, and the result will not be bit for bit the same"


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" is cuda where there is one, and else the CPU.

    Not mps: how fast and how right torch's recurrent layers are there was never measured.

    Raises:
        UsageError: there is no such device here.
    """
    if not isinstance(name, str):
        raise UsageError(f"device is {name!r:.20}; it must be a name, such as 'cpu'")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"device {name!r} is not available here; try --device cpu") from error
    return torch.device(name)


@contextlib.contextmanager
def torch_threads(count: int | None) -> Iterator[int]:
    """Let torch compute in that many threads, and as before when the block ends; None: as many as it does anyway.

    Yields:
        How many there are: no more than four times the processors, as more only wait for each other.
    """
    before = torch.get_num_threads()
    wanted = before if count is None else min(count, 4 * processors())
    torch.set_num_threads(wanted)
    try:
        yield wanted
    finally:
        torch.set_num_threads(before)


def threads_for(request: TrainingRequest) -> int | None:
    """The number of threads that a run should have; None: as many as torch has anyway.

    Where the budget is in steps or epochs the number is fixed, since sums are rounded otherwise with another number:
    the same seed gives the same model on machines with more processors, or fewer. OMP_NUM_THREADS is heeded.
    """
    if request.threads is not None or request.budget().unit == "minutes":
        return request.threads
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) else FIXED_THREADS


def sharing_threads(request: TrainingRequest, device: torch.device, threads: int) -> int:
    """For how many threads a step is divided; always for as many where a run is to be repeated."""
    if device.type != "cpu":
        return 1
    return threads if request.budget().unit == "minutes" else FIXED_THREADS


def threads_again(request: TrainingRequest, before: int) -> tuple[int, list[str]]:
    """Torch's number of threads for a run that goes on, and what to say about it.

    Args:
        request: what the user asked for.
        before: the number with which the run began.
    """
    possible = processors() * (1 if threads_for(request) is None else 4)
    if before <= possible:
        return before, []
    here = counted(processors(), "processor")
    return possible, [f"the run used {counted(before, 'thread')}, and this machine has {here}: {NOT_THE_SAME}"]


def device_again(asked: str, before: str) -> tuple[torch.device, list[str]]:
    """The device for a run that goes on, and what to say about it.

    Args:
        asked: what the user asked for.
        before: the type of device on which the run began.

    Raises:
        UsageError: a device was asked for that is not here.
    """
    if asked != "auto":
        return pick_device(asked), []
    try:
        return pick_device(before), []
    except UsageError:
        return pick_device("auto"), [f"the run used the device {before}, which is not available here: {NOT_THE_SAME}"]


def time_step(
    device: torch.device,
    precision: torch.dtype,
    workers: Workers = ALONE,
    steps: int = STEPS,
    least: int = 4,
    seconds: float = 0.3,
    *,
    hidden: int = LARGE,
    cell: CellName = "lstm",
) -> float:
    """Seconds of a training step (two layers, 16 streams).

    Args:
        device, precision: that.
        workers: threads that share the streams.
        steps: characters of each stream.
        least: training steps at least.
        seconds: to measure at least.
        hidden: units of a layer.
        cell: of the network.
    """
    model = TorchNetwork(_timed(hidden, cell), precision=precision).to(device).train()
    parameters = list(model.parameters())
    optimizer = Optimizer(
        model.named_parameters(), weight_decay=0.1, betas=(0.9, 0.99), precision=precision,
        workers=workers, parts=workers.count,
    )  # fmt: skip
    ids = torch.zeros(steps, STREAMS, dtype=torch.long, device=device)

    def gradients(some: Tensor) -> tuple[Tensor, ...]:
        logits, _ = model(some, model.zero_state(some.shape[1]))
        return torch.autograd.grad(logits.square().mean(), parameters)

    def step() -> None:
        add_gradients(parameters, workers.map(gradients, ids.chunk(workers.count, 1)))
        optimizer.step(1e-3)
        if device.type != "cpu":
            torch.accelerator.synchronize()

    return _fastest(step, least, seconds)


def _fastest(work: Callable[[], None], least: int, seconds: float) -> float:
    """What it takes when nothing else slows it down: of so many times at least, and for so long, the fastest."""
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < least or time.perf_counter() - begin < seconds:
        before = time.perf_counter()
        work()
        times.append(time.perf_counter() - before)
    return min(times)


def _timed(hidden: int, cell: CellName) -> ModelSettings:
    """The network whose steps are timed."""
    return ModelSettings(vocab_size=64, layers=LAYERS, hidden=hidden, embedding=64, cell=cell)


def measured_threads(device: torch.device, most: int, workers: Workers = ALONE) -> int:
    """The number of threads inside of each worker's products that is the fastest now: others may compute here, too."""
    if device.type != "cpu":
        return most
    times: dict[int, float] = {}
    for count in thread_counts(most) if most > 1 else ():
        with torch_threads(count):
            times[count] = time_step(device, torch.float32, workers, 16, 3, 0.0)
        if times[count] > 2 * min(times.values()):
            break  # still more will not be better
    return min(times, key=lambda count: times[count], default=1)


def measured_precision(
    device: torch.device, asked: str = "auto", threads: int = 1, cell: CellName = "lstm"
) -> tuple[str, Speed]:
    """The number format for training here, and the speed of training in it.

    bfloat16 keeps parameters, gradients and sums in float32 and rounds what the matrix products read; "auto" takes it
    where it is a fifth faster, which needs hardware made for it, and kernels: torch has those of an LSTM on CPUs, and
    is several times slower with other cells.

    Args:
        device: where.
        asked: a format, or "auto".
        threads: at most.
        cell: what is to be trained.

    Raises:
        UsageError: the format that was asked for does not work here.
    """
    workers = Workers(shards(STREAMS, threads) if device.type == "cpu" else 1)
    inside = measured_threads(device, threads // workers.count, workers)
    with contextlib.closing(workers), torch_threads(inside):
        times = _times(device, asked, workers, cell)
        if min(times.values()) == math.inf:
            raise UsageError(f"--precision {asked} does not work on this machine; leave it out")
        name = min(times, key=lambda name: times[name] * (1.2 if name == "bfloat16" else 1.0))
        return name, _speed(times[name], device, getattr(torch, name), workers, cell)


def _times(device: torch.device, asked: str, workers: Workers, cell: CellName) -> dict[str, float]:
    """What a step takes in the number formats that may be chosen, in seconds."""
    times = dict.fromkeys(("float32", "bfloat16") if asked == "auto" else (asked,), math.inf)
    if asked == "auto" and _is_hopeless(device, torch.bfloat16, cell):
        del times["bfloat16"]
    for _ in range(2):  # by turns, so that a passing disturbance does not decide
        for name in times:
            with contextlib.suppress(RuntimeError):  # this device or build may have no such kernels
                times[name] = min(times[name], time_step(device, getattr(torch, name), workers, cell=cell))
    return times


def _speed(large: float, device: torch.device, precision: torch.dtype, workers: Workers, cell: CellName) -> Speed:
    """What a step by a large network (in seconds) and one by a small one say, which has as many time steps."""
    small = time_step(device, precision, workers, seconds=0.1, hidden=SMALL, cell=cell)
    of_large, of_small = (operations(_timed(hidden, cell), STREAMS * STEPS) for hidden in (LARGE, SMALL))
    latency = (of_large * small - of_small * large) / (of_large - of_small)  # of all time steps
    latency = min(max(0.0, latency), small, large / 2)  # noise may say what cannot be
    return Speed(of_large / (large - latency), latency / (LAYERS * STEPS))


def _is_hopeless(device: torch.device, precision: torch.dtype, cell: CellName) -> bool:
    """Whether a few characters say already that a number format is far slower than float32.

    Without hardware for it, bfloat16 takes seconds for what float32 does in a tenth of one.
    """
    try:
        tried, plain = (time_step(device, each, ALONE, 2, 2, 0.0, cell=cell) for each in (precision, torch.float32))
    except RuntimeError:
        return True
    return tried > plain * HOPELESS


def software_versions() -> dict[str, str]:
    """Software that takes part in training, for the model's description."""
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}

"""What the softmax over a large alphabet costs of a training step, and what others would save: our own, sampled one
(`training/sampled_softmax.py`), and torch's adaptive one.

python benchmarks/head.py [--symbols 66 2000 5000 60000] [--hidden 128 256]

Forward and backward of one step, float32, in one thread: the layers alone (two, `nn.LSTM`), the head with its
cross-entropy over all symbols, and `nn.AdaptiveLogSoftmaxWithLoss` (Grave et al. 2017) in its place, with the most
frequent symbols in the head and the others in two clusters of a quarter and a sixteenth of the hidden size. Symbols are
drawn by Zipf's law, as the characters of Chinese roughly are. They take turns; medians. `charlstm train` takes the
sampled one over 1,024 symbols and more.

The counts in view (`training/leave_one_out.py`) need logits to be added to, which an adaptive softmax has not.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import torch
from common import machine, report
from torch import Tensor, nn
from torch.nn import functional

from charlstm.data.mapping import frequencies
from charlstm.training.planning import CANDIDATES
from charlstm.training.sampled_softmax import SampledSoftmax

BATCH, CONTEXT, LAYERS = 16, 64, 2
IN_HEAD, IN_FIRST = 0.1, 0.4
"""Fractions of the symbols that are in the head, and in it or the first cluster."""
Pass = Callable[[], None]


def passes(symbols: int, hidden: int) -> dict[str, Pass]:
    """What is timed: each computes a loss and its gradients."""
    layers = nn.LSTM(64, hidden, LAYERS)
    head = nn.Linear(hidden, symbols)
    cutoffs = [round(IN_HEAD * symbols), round(IN_FIRST * symbols)]
    adaptive = nn.AdaptiveLogSoftmaxWithLoss(hidden, symbols, cutoffs, div_value=4.0)
    inputs = torch.randn(CONTEXT, BATCH, 64)
    outputs = torch.randn(CONTEXT * BATCH, hidden, requires_grad=True)
    targets = torch.multinomial(1 / torch.arange(1, symbols + 1), CONTEXT * BATCH, replacement=True)

    sampled = SampledSoftmax(frequencies(targets.numpy(), symbols), CANDIDATES, seed=0)

    def estimated() -> Tensor:
        sample = sampled.draw(0, targets.numpy())
        some = sample.symbols(outputs.device)
        logits = functional.linear(outputs, head.weight.index_select(0, some), head.bias.index_select(0, some))
        return sample.nats(logits, targets.numpy()) / len(targets)

    def learn(module: nn.Module, loss: Callable[[], Tensor]) -> None:
        module.zero_grad(set_to_none=True)
        outputs.grad = None
        torch.autograd.backward(loss())

    return {
        "layers": lambda: learn(layers, lambda: layers(inputs)[0].sum()),
        "softmax": lambda: learn(head, lambda: functional.cross_entropy(head(outputs), targets)),
        "sampled": lambda: learn(head, estimated),
        "adaptive": lambda: learn(adaptive, lambda: adaptive(outputs, targets).loss),
    }


def by_turns(some: Mapping[str, Pass], rounds: int) -> dict[str, float]:
    """Median milliseconds of each."""
    times: dict[str, list[float]] = {name: [] for name in some}
    for _ in range(rounds + 2):
        for name, run in some.items():
            begin = time.perf_counter()
            run()
            times[name].append(1000 * (time.perf_counter() - begin))
    return {name: median(found[2:]) for name, found in times.items()}


def row(symbols: int, hidden: int, rounds: int) -> dict[str, Any]:
    """Figures of one size, printed as a row."""
    found = by_turns(passes(symbols, hidden), rounds)
    whole = found["layers"] + found["softmax"]
    share = found["softmax"] / whole
    saved = " | ".join(f"{(found['softmax'] - found[name]) / whole:.0%}" for name in ("sampled", "adaptive"))
    times = " | ".join(f"{milliseconds:.1f} ms" for milliseconds in found.values())
    print(f"| {symbols:,} | {hidden} | {times} | {share:.0%} | {saved} |", flush=True)
    return {"symbols": symbols, "hidden": hidden, **{name: round(value, 2) for name, value in found.items()}}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, nargs="*", default=[66, 2000, 5000, 60_000])
    parser.add_argument("--hidden", type=int, nargs="*", default=[128, 256])
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{machine()}\n| symbols | hidden | layers | softmax | sampled | adaptive | softmax's share "
          "| sampled saves | adaptive saves |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    sizes = itertools.product(arguments.symbols, arguments.hidden)
    rows = [row(symbols, hidden, arguments.rounds) for symbols, hidden in sizes]
    ran = f"{LAYERS} layers of torch's LSTM; batch size {BATCH}, context {CONTEXT}, float32, one thread"
    print(ran)
    report("head", ran=ran, milliseconds=rows)


if __name__ == "__main__":
    main()

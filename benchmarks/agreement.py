"""How far a text that is scored in parts side by side is off the single stream, and what each way takes.

OPENBLAS_NUM_THREADS=1 python benchmarks/agreement.py MODEL TEXT [--characters 100000] [--same 0.03 0.01] [--fewest 8]

(One thread a matrix product, as the command line has it.)
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from common import in_words, machine, median_time, report

from charlstm import api
from charlstm.cli.process import prepare_for_torch
from charlstm.data.vocabulary import Ids
from charlstm.inference.parallel import EXACT, ONE_STREAM, ROUGH, Division
from charlstm.inference.scoring import LN2, Scorer
from charlstm.models.file import load
from charlstm.models.interface import LanguageModel
from charlstm.models.torch_lstm import TorchLanguageModel, TorchNetwork
from charlstm.threads import processors


def measured(
    network: LanguageModel, model: api.Model, ids: Ids, division: Division, threads: int = 1
) -> tuple[float, float]:
    """Bits per character, and median seconds."""
    scorer = Scorer(network, model.vocabulary, division, threads)

    def nats() -> float:
        return sum(float(part.sum()) for part in scorer.surprisals([ids]))

    return nats() / LN2 / len(ids), median_time(nats, 3)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text", type=Path)
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--fewest", type=int, default=EXACT.fewest, help="parts, of which there must be so many")
    parser.add_argument("--same", type=float, nargs="*", default=[0.1, EXACT.tolerance, 0.01])
    arguments = parser.parse_args()
    prepare_for_torch()
    exactly, roughly = (dataclasses.replace(division, fewest=arguments.fewest) for division in (EXACT, ROUGH))
    model = api.Model(load(arguments.model))
    ids = model.vocabulary.encode(arguments.text.read_text(errors="replace")[: arguments.characters])
    in_torch = TorchNetwork(model.file.settings)
    in_torch.load(model.file.tensors)
    rows = {"one stream": measured(model.network, model, ids, ONE_STREAM)}
    for same in arguments.same:
        division = dataclasses.replace(exactly, tolerance=same)
        rows[f"parts, states to {same:g}"] = measured(model.network, model, ids, division, processors())
    rows["roughly"] = measured(model.network, model, ids, roughly, processors())
    rows["roughly, by torch"] = measured(TorchLanguageModel(in_torch), model, ids, roughly)
    exact = rows["one stream"][0]
    ran = in_words(model.file.settings)
    print(f"{machine()}\n{ran}")
    for name, (bits, seconds) in rows.items():
        print(f"{name:24} {bits:9.5f} bits  {bits - exact:+.6f}  {seconds:7.3f} s")
    report(
        "agreement",
        ran=ran,
        characters=len(ids),
        rows={name: [bits - exact, sec] for name, (bits, sec) in rows.items()},
    )


if __name__ == "__main__":
    main()

"""Writes short tales in which what is said early decides words much later.

    python corpora/tales.py > corpora/tales.txt
    python corpora/tales.py --dependencies

The first command writes the corpus, the second lists, one tale a line, which words are decided by earlier
ones. The same seed gives the same bytes on every machine; another seed gives other tales.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator

import tales_errands
import tales_neighbours
import tales_small
import tales_wonders
from tales_teller import Chance, Tale, Teller

PLOTS = [*tales_errands.PLOTS, *tales_neighbours.PLOTS, *tales_wonders.PLOTS, *tales_small.PLOTS]


def tales(seed: int = 1) -> Iterator[Tale]:
    """Tell tales without end, and no story twice; every plot has its turn before one comes again."""
    chance = Chance(seed)
    told: set[str] = set()
    while True:
        for plot in chance.several(PLOTS, len(PLOTS)):
            tale = plot.tale(Teller(chance))
            story = tale.text.partition("\n")[2]
            if story not in told:
                told.add(story)
                yield tale


def placed(seed: int, characters: int) -> Iterator[tuple[int, Tale]]:
    """Give each tale of a corpus with its offset; the tale that reaches the wanted length is the last."""
    start = 0
    for tale in tales(seed):
        yield start, tale
        start += len(tale.text) + 1
        if start > characters:
            return


def corpus(seed: int, characters: int) -> str:
    """Write a whole corpus: tales with an empty line between them."""
    return "\n".join(tale.text for _, tale in placed(seed, characters))


def listing(number: int, start: int, tale: Tale) -> str:
    """Describe one tale and its dependencies as a line of JSON."""
    dependencies = [
        {
            "word": dependency.word,
            "at": dependency.at,
            "decided_by": dependency.decided_by,
            "decided_at": dependency.decided_at,
            "distance": dependency.distance,
            "kind": dependency.kind,
        }
        for dependency in tale.dependencies
    ]
    entry = {"tale": number, "title": tale.title, "plot": tale.plot, "start": start, "dependencies": dependencies}
    return json.dumps(entry)


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write short tales, or list what decides their words.")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other tales (default 1)")
    parser.add_argument("--characters", type=int, default=1_300_000, help="how much to write (default 1300000)")
    parser.add_argument("--dependencies", action="store_true", help="list the dependencies, one tale a line")
    return parser.parse_args()


def _lines(arguments: argparse.Namespace) -> Iterator[str]:
    """Give what the command writes, tale by tale."""
    for number, (start, tale) in enumerate(placed(arguments.seed, arguments.characters)):
        if arguments.dependencies:
            yield listing(number, start, tale) + "\n"
        else:
            yield tale.text if number == 0 else "\n" + tale.text


def main() -> int:
    """Write to standard output, byte for byte the same whatever the locale."""
    try:
        for line in _lines(_arguments()):
            sys.stdout.buffer.write(line.encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())

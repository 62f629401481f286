"""Writes invented names, one a line, from six invented peoples with sound rules of their own.

    python corpora/names.py > corpora/names.txt

Each people has something to learn: the steppe names keep to the vowels they begin with, the marsh names end
in the letter they begin with, the island names never close a syllable. The same seed gives the same bytes on
every machine.
"""

import argparse
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence

SOFT = ["d", "f", "l", "m", "n", "r", "s", "th", "v"]
HARD = ["b", "br", "d", "dr", "g", "gr", "k", "kr", "t", "th", "tr"]
OPEN = ["h", "l", "m", "n", "p", "r", "v", "w"]
DRY = ["b", "ch", "d", "g", "j", "l", "m", "n", "s", "t", "z"]
FINE = ["b", "c", "d", "g", "l", "m", "n", "p", "r", "t", "v"]
WET = ["b", "d", "g", "l", "m", "n", "r", "s", "t"]


class Chance:
    """Seeded choices built on ``random.random`` alone, the one stream that Python promises never to change."""

    def __init__(self, seed: int) -> None:
        """Start the stream that belongs to this seed."""
        self._random = random.Random(seed)

    def below(self, limit: int) -> int:
        """Draw a whole number from zero up to the limit, which is left out."""
        return int(self._random.random() * limit)

    def pick(self, items: Sequence[str]) -> str:
        """Draw one of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[str]) -> Iterator[str]:
        """Give all the items in a random order."""
        left = list(items)
        while left:
            place = self.below(len(left))
            left[-1], left[place] = left[place], left[-1]
            yield left.pop()


def river(chance: Chance) -> str:
    """Name somebody of the river: soft sounds and a soft ending, as in Melorine."""
    syllables = [chance.pick(SOFT) + chance.pick("aeio") for _ in range(2 + chance.below(2))]
    return "".join(syllables) + chance.pick(["line", "rine", "na", "lis", "mira", "del", "wyn"])


def mountain(chance: Chance) -> str:
    """Name somebody of the mountains: short, hard and closed, as in Gragdun."""
    stem = chance.pick(HARD) + chance.pick("aou") + chance.pick(["g", "k", "ld", "mm", "nd", "rg", "rk", "rn"])
    return stem + chance.pick(["ak", "bold", "dun", "gar", "grim", "mund", "orr", "ulf"])


def island(chance: Chance) -> str:
    """Name somebody of the islands: every syllable ends in a vowel, and the last one may come twice."""
    syllables = [chance.pick(OPEN) + chance.pick("aeiou") for _ in range(2 + chance.below(2))]
    return "".join(syllables) + syllables[-1] * chance.below(2)


def steppe(chance: Chance) -> str:
    """Name somebody of the steppe: the vowels are all e and i, or all a, o and u, as in Tugolar and Tegilir."""
    vowels, endings = [("ei", ["ek", "et", "ilir", "min"]), ("aou", ["ak", "olar", "uk", "man"])][chance.below(2)]
    syllables = [chance.pick(DRY) + chance.pick(vowels) for _ in range(1 + chance.below(2))]
    return "".join(syllables) + chance.pick(DRY) + chance.pick(endings)


def court(chance: Chance) -> str:
    """Name somebody of the court, where every name has an accent to be proud of, as in Balivère."""
    start = chance.pick(FINE) + chance.pick(["a", "e", "i", "o", "au", "é"])
    return start + chance.pick(FINE) + chance.pick("aio") + chance.pick(["ré", "vère", "lôme", "nçal", "thé", "gôt"])


def marsh(chance: Chance) -> str:
    """Name somebody of the marsh: the name goes out by the letter it came in by, as in Torlet."""
    edge, middle = chance.pick(WET), chance.pick(["bl", "dr", "l", "lm", "nd", "r", "rl", "sk", "st", "w"])
    longer = chance.pick(["", chance.pick("aeiou") + chance.pick(WET)])
    return edge + chance.pick("aeiou") + middle + longer + chance.pick("aeiou") + edge


PEOPLES: list[Callable[[Chance], str]] = [river, mountain, island, steppe, court, marsh]


def names(seed: int = 1, count: int = 6000) -> list[str]:
    """Invent that many different names, as many from each people, in a random order."""
    chance = Chance(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        people = PEOPLES[len(found) % len(PEOPLES)]
        found[people(chance).capitalize()] = None
    return list(chance.shuffled(list(found)))


def main() -> int:
    """Write the names to standard output, in UTF-8 whatever the locale."""
    parser = argparse.ArgumentParser(description="Write invented names, one a line.")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other names (default 1)")
    parser.add_argument("--count", type=int, default=6000, help="how many names (default 6000)")
    arguments = parser.parse_args()
    text = "".join(name + "\n" for name in names(arguments.seed, arguments.count))
    try:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Writes short film reviews in which the order of the words decides whether they praise the film or pan it.

    python corpora/reviews.py > reviews.tsv
    python corpora/reviews.py --label praise > praise.txt
    python corpora/reviews.py --held-out --count 1000 --kind irony

Every review has a twin of the other label. The twin of a turned review has the same words in another order, so that
whoever counts words cannot tell the two apart; the twin of a plain one has words of the other sort. The same seed
gives the same bytes on every machine.

A checksum of its words says whether a judgement is held out, whatever the seed: reviews that are not held out have it
in no order of its words.
"""

import argparse
import os
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import reviews_words as words
from tales_teller import Chance, article, cells, table

LABELS = ("praise", "pan")
KINDS = ("plain", *words.TURNS)
SHORTEST, LONGEST = 40, 200
"""Characters of a review."""
HELD_OUT = 5
"""One judgement in so many is held out."""

_ASPECTS = table("thing verb good bad", words.ASPECTS)
_WORDS = {name: cells(text) for name, text in words.WORDS.items()}
_QUALITIES = (words.GOOD_QUALITIES, words.BAD_QUALITIES)
_DEEDS = (words.GOOD_DEEDS, words.BAD_DEEDS)
_MOODS = (words.GOOD_MOODS, words.BAD_MOODS)
_SLOT = re.compile(r"\{([a-z]+)\}")
_START = re.compile(r"(?:^|(?<=[.?!] ))[a-z]")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiou]|honest)")
_WORD = re.compile(r"[a-z']+")

Pair = tuple[str, str]
"""What speaks for the film, and what speaks against it."""


@dataclass(frozen=True)
class Review:
    """One review."""

    text: str
    label: str
    """"praise" or "pan"."""
    kind: str
    """"plain", or what turns it: one of KINDS."""
    judgement: str
    """The part of the text that praises or pans; the rest is the same in its twin."""


def twins(seed: int = 1, *, held_out: bool = False) -> Iterator[tuple[Review, Review]]:
    """Write reviews without end, two twins at a time, and no text twice.

    Three in ten are plain; the kinds of turn have equal shares.
    """
    chance = Chance(seed)
    written: set[str] = set()
    while True:
        for kind in chance.several(["plain"] * 3 + list(words.TURNS), 3 + len(words.TURNS)):
            praise, pan = _twins(chance, kind, held_out)
            while written & {praise.text, pan.text}:
                praise, pan = _twins(chance, kind, held_out)
            written |= {praise.text, pan.text}
            yield (praise, pan) if chance.number(0, 1) else (pan, praise)


def reviews(seed: int = 1, count: int = 20_000, *, held_out: bool = False) -> list[Review]:
    """Write that many reviews, an even number; twins stand side by side."""
    return [review for pair in islice(twins(seed, held_out=held_out), count // 2) for review in pair]


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.lower())


def _twins(chance: Chance, kind: str, held_out: bool) -> tuple[Review, Review]:
    """Write a review that praises, and the one that pans in its stead."""
    while True:
        judgements = _plain(chance) if kind == "plain" else _turned(chance, kind)
        before, after = _surroundings(chance, min(map(len, judgements)))
        praise, pan = (
            Review(f"{before} {judgement} {after}".strip(), label, kind, judgement)
            for judgement, label in zip(judgements, LABELS, strict=True)
        )
        if all(
            SHORTEST <= len(one.text) <= LONGEST and _is_held_out(one.judgement) == held_out for one in (praise, pan)
        ):
            return praise, pan


def _is_held_out(judgement: str) -> bool:
    """Whether a judgement is held out; so is every other order of its words."""
    return zlib.crc32(" ".join(sorted(words_of(judgement))).encode()) % HELD_OUT == 0


def _turned(chance: Chance, kind: str) -> Pair:
    """Write a sentence with two sides, and the one in which they are exchanged."""
    form = chance.pick(list(words.TURNS[kind]))
    template = _filled(chance, chance.pick(words.TURNS[kind][form]))
    good, bad = _sides(chance, form)[0]
    return _polished(template, wins=good, loses=bad), _polished(template, wins=bad, loses=good)


def _plain(chance: Chance) -> Pair:
    """Write a sentence whose two sides speak for the film, and one whose sides speak against it."""
    form = chance.pick(list(words.PLAIN))
    template = _filled(chance, chance.pick(words.PLAIN[form]))
    goods, bads = zip(*_sides(chance, form), strict=True)
    return (
        _polished(template, one=goods[0], other=goods[1]),
        _polished(template, one=bads[0], other=bads[1]),
    )


def _surroundings(chance: Chance, length: int) -> Pair:
    """Choose what stands before and after a sentence of that length; a short one never stands alone."""
    title = f"The {chance.pick(_WORDS['title_kind'])} {chance.pick(_WORDS['title_thing'])}"
    opener, closer = (_filled(chance, chance.pick(some), title) for some in (words.OPENERS, words.CLOSERS))
    return chance.pick([(opener, ""), ("", closer), (opener, closer), ("" if length >= SHORTEST else opener, "")])


def _sides(chance: Chance, form: str) -> list[Pair]:
    """Draw two pairs of sides of that form; the four are different, and a pair never speaks of one thing twice."""
    if form in ("clause", "noun"):
        aspects = chance.several(_ASPECTS, 4)
        say = _clause if form == "clause" else _noun
        return [
            (say(good, chance.pick(cells(good["good"]))), say(bad, chance.pick(cells(bad["bad"]))))
            for good, bad in (aspects[:2], aspects[2:])
        ]
    goods, bads = {"quality": _QUALITIES, "deed": _DEEDS, "mood": _MOODS}[form]
    return list(zip(chance.several(goods, 2), chance.several(bads, 2), strict=True))


def _clause(aspect: dict[str, str], quality: str) -> str:
    return f"the {aspect['thing']} {aspect['verb']} {quality}"


def _noun(aspect: dict[str, str], quality: str) -> str:
    start = f"{article(quality)} " if aspect["thing"] in words.WITH_ARTICLE else ""
    return f"{start}{quality} {aspect['thing']}"


def _filled(chance: Chance, template: str, title: str = "") -> str:
    """Put words into the slots that do not matter, none twice, and leave the sides open."""
    used: set[str] = set()

    def word(slot: re.Match[str]) -> str:
        if slot[1] not in _WORDS:
            return slot[0]
        picked = chance.pick([one for one in _WORDS[slot[1]] if one not in used])
        used.add(picked)
        return picked

    return _SLOT.sub(word, template.replace("{title}", title))


def _polished(template: str, **sides: str) -> str:
    """Put the sides into a sentence, and see to capitals and articles."""
    text = template.format(**sides)
    text = _ARTICLE.sub(r"\1n ", text)
    return _START.sub(lambda match: match[0].upper(), text)


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write film reviews, TEXT<tab>LABEL, one a line.")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives other reviews (default 1)")
    parser.add_argument(
        "--count", type=int, default=20_000, help="how many reviews, half of each label (default 20000)"
    )
    parser.add_argument("--held-out", action="store_true", help="only such as no others resemble, whatever the seeds")
    parser.add_argument("--label", choices=LABELS, help="of these, only the texts of this label, without it")
    parser.add_argument("--kind", choices=KINDS, help="of these, only the plain ones, or those with this turn")
    arguments = parser.parse_args()
    if arguments.count < 2 or arguments.count % 2:
        parser.error("--count must be an even number, as every review has a twin")
    return arguments


def _lines(arguments: argparse.Namespace) -> Iterator[str]:
    """Give what the command writes, review by review."""
    for review in reviews(arguments.seed, arguments.count, held_out=arguments.held_out):
        if review.label == (arguments.label or review.label) and review.kind == (arguments.kind or review.kind):
            yield review.text + ("\n" if arguments.label else f"\t{review.label}\n")


def main() -> int:
    """Write to standard output, byte for byte the same whatever the locale."""
    arguments = _arguments()
    try:
        sys.stdout.buffer.write("".join(_lines(arguments)).encode("utf-8"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())

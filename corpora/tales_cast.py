"""What all plots share: how a plot is written down, and how its people and its season are chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tales_teller import Tale, Teller
from tales_words import COLOURS, NEIGHBOURS, NUMBERS, SEASONS, WORKPLACES

PHRASES = {
    "_one_day": "[one day|one morning|one {season} morning]",
    "_say": """[{_moral}|{_moral}|In {village} they still say: "{_moral}"|And so they say in {village}: "{_moral}"]""",
}

FEMALE = ("she", "her", "her", "herself")
MALE = ("he", "him", "his", "himself")
TOLD_BY = ("hero", "other", "trade", "otrade")
"""Slots that tell who the neighbours are, and with them all of these slots."""


@dataclass(frozen=True)
class Plot:
    """A kind of tale: its cast gives the slots their words, the rest are templates.

    The first person is written {hero}, {he}, {him}, {his} and {himself}, woman or man; the second is {other},
    {she}, {her}, {hers} and {herself}, and is a man where the first is a woman, so that a pronoun always
    says which of the two it means.
    """

    name: str
    cast: Callable[[Teller], None]
    title: str
    story: str
    morals: str

    def tale(self, teller: Teller) -> Tale:
        """Tell this plot once."""
        for slot, phrase in PHRASES.items():
            teller.word(slot, phrase, "")
        teller.word("_moral", "[" + "|".join(line.strip() for line in self.morals.strip().split("\n")) + "]", "")
        self.cast(teller)
        return teller.tell(self.name, self.title, self.story)


def people(teller: Teller) -> None:
    """Choose two neighbours and the season: what most of the tales begin with.

    Everybody has a trade and a village, and there are two to a village: a reader who knows one of the two, or a
    trade, knows the rest. The third person is from the next village.
    """
    here = teller.chance.number(0, len(NEIGHBOURS) - 1)
    home, away = NEIGHBOURS[here], NEIGHBOURS[(here + 1) % len(NEIGHBOURS)]
    hero_is_woman = teller.chance.number(0, 1) == 1
    first, second = ("woman", "man") if hero_is_woman else ("man", "woman")
    _person(teller, home[first], FEMALE if hero_is_woman else MALE, "hero he him his himself", TOLD_BY)
    _person(teller, home[second], MALE if hero_is_woman else FEMALE, "other she her hers herself", TOLD_BY)
    _person(teller, away[first], FEMALE if hero_is_woman else MALE, "third he3 him3 his3 himself3")
    teller.word("trade", home[first + "_trade"], "trade", TOLD_BY)
    teller.word("otrade", home[second + "_trade"], "trade", TOLD_BY)
    teller.word("work", WORKPLACES[home[first + "_trade"]], "trade", TOLD_BY)
    teller.word("village", home["village"], "place", TOLD_BY)
    teller.row("season", SEASONS)


def _person(teller: Teller, name: str, pronouns: Sequence[str], slots: str, told_by: Sequence[str] = ()) -> None:
    """Give a person a name and the pronouns that follow from it."""
    names = slots.split()
    teller.word(names[0], name, "name", told_by)
    for slot, pronoun in zip(names[1:], pronouns, strict=True):
        teller.word(slot, pronoun, "pronoun", names)


def beasts(teller: Teller, first: str, second: str, first_is_she: bool | None = None) -> None:
    """Let two animals be the people of a fable; of them too, one is a she and the other a he."""
    if first_is_she is None:
        first_is_she = teller.chance.number(0, 1) == 1
    _person(teller, first, FEMALE if first_is_she else MALE, "hero he him his himself")
    _person(teller, second, MALE if first_is_she else FEMALE, "other she her hers herself")
    teller.word(
        "_say",
        """[{_moral}|{_moral}|The owl, who knows such things, says: "{_moral}"|Even the worms
        say it now: "{_moral}"]""",
        "",
    )


def colours(teller: Teller, count: int) -> None:
    """Choose different colours: {colour1}, {colour2}..."""
    teller.several("colour", COLOURS, count)


def number(teller: Teller, slot: str, low: int, high: int) -> None:
    """Choose a number, written as a word."""
    teller.word(slot, NUMBERS[teller.chance.number(low, high)], "count")

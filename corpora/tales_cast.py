"""What all plots share: how a plot is written down, and how its people and its season are chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tales_teller import Row, Tale, Teller
from tales_words import NUMBERS, PEOPLE, SEASONS, WEATHERS

PHRASES = {
    "_one_day": "[one day|one {weather} morning|one {season} morning]",
    "_say": """[{_moral}|{_moral}|In {village} they still say: "{_moral}"|And so they say in {village}: "{_moral}"]""",
}

PRONOUNS = {"woman": ("she", "her", "her", "herself"), "man": ("he", "him", "his", "himself")}


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
    """Choose who the tale is about and the season: what most of the tales begin with.

    Everybody has a trade, a village, a neighbour, and a lot: in every plot the same things happen to the same person.
    The third person is from the next village.
    """
    lot = teller.lot = teller.chance.number(0, len(PEOPLE) - 1)
    hero, other, third = PEOPLE[lot], PEOPLE[lot ^ 1], PEOPLE[(lot + 2) % len(PEOPLE)]
    _person(teller, hero, "hero he him his himself")
    _person(teller, other, "other she her hers herself")
    _person(teller, third, "third he3 him3 his3 himself3")
    for slot, word in {"trade": hero["trade"], "otrade": other["trade"], "work": hero["work"]}.items():
        teller.word(slot, word, "trade", of_lot=True, tells=True)
    teller.word("village", hero["village"], "place", of_lot=True)
    teller.row("season", SEASONS)
    teller.row("weather", WEATHERS)


def _person(teller: Teller, person: Row, slots: str) -> None:
    """Give a person a name and the pronouns that follow from it."""
    name, *others = slots.split()
    teller.word(name, person["name"], "name", of_lot=True, tells=True)
    for slot, pronoun in zip(others, PRONOUNS[person["sex"]], strict=True):
        teller.word(slot, pronoun, "pronoun", [name, *others])


def beasts(teller: Teller, pairs: Sequence[Row], first_is_she: bool | None = None) -> None:
    """Choose a pair of animals as the people of a fable; of them too, one is a she and the other a he.

    A row of the table has the animal, its neighbour, and what else is theirs.
    """
    teller.lot = teller.chance.number(0, len(pairs) - 1)
    pair = pairs[teller.lot]
    if first_is_she is None:
        first_is_she = teller.lot % 2 == 1
    sexes = ("woman", "man") if first_is_she else ("man", "woman")
    _person(teller, {"name": pair["animal"], "sex": sexes[0]}, "hero he him his himself")
    _person(teller, {"name": pair["neighbour"], "sex": sexes[1]}, "other she her hers herself")
    teller.lots("thing", pairs)
    teller.word(
        "_say",
        """[{_moral}|{_moral}|The owl, who knows such things, says: "{_moral}"|Even the worms
        say it now: "{_moral}"]""",
        "",
    )


def number(teller: Teller, slot: str, low: int, high: int) -> None:
    """Choose a number, written as a word."""
    teller.word(slot, NUMBERS[teller.chance.number(low, high)], "count")

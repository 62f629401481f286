"""What all plots share: how a plot is written down, and how its people and its season are chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tales_teller import Tale, Teller, column
from tales_words import (
    BEASTS,
    COLOURS,
    DISHES,
    MEN,
    NICKNAMES,
    NUMBERS,
    SEASONS,
    SPOTS,
    TRADES,
    VILLAGES,
    WOMEN,
)

PHRASES = {
    "_once": "[once|long ago|many years ago]",
    "_meet": """[{_once} there lived {a trade} named {hero} in the village of {village}|in the village of {village}
        there lived {a trade} named {hero}|in {village} there was once {a trade} whose name was {hero}]""",
    "_one_day": "[one day|one morning|one {season} morning]",
    "_end": "{_close} {_say}",
    "_say": """[{_moral}|{_moral}|In {village} they still say: "{_moral}"|And so they say in {village}: "{_moral}"]""",
}

LOOKS = [
    ("{_habit}", ""),
    (
        "[{he} always wore|summer and winter {he} wore] {a wearcolour} {wear}.",
        """{hero} [hung {his} {wearcolour} {wear} on its nail and slept well|smoothed {his} {wearcolour} {wear} and
        smiled].""",
    ),
    (
        """[there was nothing {he} liked better than {dish}|{he} could have eaten {dish} every day].""",
        """[that evening {hero} had {dish} for supper|at supper {hero} ate two plates of {dish}].""",
    ),
    (
        """{he} had {a beast} called {nickname}[, who was very lazy|, and they had no secrets from each other].""",
        """[at bedtime {hero} told it all to {nickname}, who fell asleep|{nickname} the {beast} had slept through
        it all].""",
    ),
    (
        "{a mood} {beast} [sat|stood] {spot0}[, as on every other day|, as if it owned the village].",
        """[only the {mood} {beast} {spot0} never even looked up|and the {mood} {beast} {spot0} had seen it all and
        said nothing].""",
    ),
    (
        """[it was {season}, and {air}|it was {season}, and the {cover} lay thick on the lane].""",
        """[nobody in {village} ever forgot that {season}|it was the best {season} that anyone could remember].""",
    ),
]

FEMALE = ("she", "her", "her", "herself")
MALE = ("he", "him", "his", "himself")


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
        if "{_Look}" not in self.story:
            teller.word("_close", "", "")
        return teller.tell(self.name, self.title, self.story)


def people(teller: Teller) -> None:
    """Choose two people, their trades, their village and the season: what most of the tales begin with."""
    women, men = teller.chance.several(WOMEN, 2), teller.chance.several(MEN, 2)
    hero_is_woman = teller.chance.number(0, 1) == 1
    first, second = (women, men) if hero_is_woman else (men, women)
    _person(teller, first[0], FEMALE if hero_is_woman else MALE, "hero he him his himself")
    _person(teller, second[0], MALE if hero_is_woman else FEMALE, "other she her hers herself")
    _person(teller, first[1], FEMALE if hero_is_woman else MALE, "third he3 him3 his3 himself3")
    trades = teller.chance.several(TRADES, 2)
    teller.fill("trade", TRADES, trades[0])
    teller.word("otrade", trades[1]["trade"], "trade")
    teller.row("place", VILLAGES)
    teller.row("season", SEASONS)
    _look(teller)


def _look(teller: Teller) -> None:
    """Choose something to notice about the first person, and how the tale comes back to it at the end."""
    teller.row("colour", column("wearcolour", "red, blue, green, yellow, white, black, brown, grey, purple, orange"))
    teller.row("thing", column("wear", "waistcoat, belt, sash, bow tie, neckcloth, flannel shirt"))
    teller.row("food", DISHES)
    teller.row("animal", BEASTS)
    teller.row("name", NICKNAMES)
    teller.row("mood", column("mood", "fat, old, grey, black, brown, sleepy, small, lame, proud, ugly, dusty, thin"))
    teller.row("place", SPOTS)
    look, close = teller.chance.pick(LOOKS)
    teller.word("_look", look, "")
    teller.word("_close", close, "")


def _person(teller: Teller, name: str, pronouns: Sequence[str], slots: str) -> None:
    """Give a person a name and the pronouns that follow from it."""
    names = slots.split()
    teller.word(names[0], name, "name")
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

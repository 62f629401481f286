"""Shorter tales, of a page corner each."""

from tales_cast import Plot, people
from tales_teller import Teller, cells, column

INSULTS = column("insult", "donkey, blockhead, turnip, goose, noodle, fool, old boot, cabbage")

KIND_WORDS = column("kind", "friend, neighbour, sunshine, good morning, my dear, brother, welcome, thank you")


def _echo(teller: Teller) -> None:
    people(teller)
    teller.lots("word", INSULTS)
    teller.lots("word", KIND_WORDS)


ECHO = Plot(
    "echo",
    _echo,
    "[The Hill That Answered|{Hero} and the Hill]",
    """
    {_One_day} {hero} the {trade} had [burned the porridge|lost at cards], and {he} walked up the hill behind
    {village} to be angry by {himself}. "{Insult}!" {he} shouted, at nobody. "{Insult}!" answered the hill.
    "[You are|It is you who are] {a insult}!" shouted {hero}. "{A insult}!" said the hill.

    {Hero} came down [red in the face|stamping {his} feet]. "There is somebody on the hill who calls me {a
    insult}," {he} told {other} the {otrade}. "[And what did you call him|What did you say first]?" asked
    {other}. {Hero} [looked at {his} shoes|was silent]. "{A insult}," {he} said. "Then go up again," said
    {other}, "and [say: {kind}|try: {kind}]." So {hero} climbed the hill once more. "{Kind}," {he}
    [called|said], not very loudly. "{Kind}," said the hill, [just as softly|and it sounded pleased]. {_Say}
    """,
    """
    The hill gives back what it is given.
    Shout at the world, and the world will shout at you.
    If you want to hear a kind word, say one.
    """,
)


WEEK = cells("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")

OWED = column("owed", "rake, kettle, hammer, lantern, basket, saw, spade, umbrella")


DISHES = column(
    "dish",
    """onion soup, plum dumplings, fried eggs, potato pie, barley soup, baked apples, pea soup, roast chestnuts""",
)


def _tomorrow(teller: Teller) -> None:
    people(teller)
    teller.lots("owed", OWED)
    teller.lots("food", DISHES)
    first = teller.chance.number(0, 6)
    for step in range(4):
        before = [f"day{step - 1}"] if step else []
        teller.word(f"day{step}", WEEK[(first + step) % 7], "day", before)


TOMORROW = Plot(
    "tomorrow",
    _tomorrow,
    "[Come Back Tomorrow|Tomorrow]",
    """
    {Other} the {otrade} had borrowed {a owed} from {hero} the {trade} and [forgot to bring it back|kept it far
    too long]. On {day0} {hero} knocked at {hers} door. "[May I have my {owed}?|I should like my {owed} back,]"
    said {hero}. "[Come back tomorrow|Tomorrow, tomorrow]," said {other}[, and shut the door|, who was in bed].
    On {day1} {hero} knocked again. "Tomorrow," said {other}. [{Hero} went home and thought.|{Hero} did not
    shout. {He} smiled.] "[As you like|Good]," {he} said, "and will you come to dinner on {day2}? There will be
    {dish}."

    On {day2} {other} came, [with {hers} best hat on|with a clean collar]. The table was bare. "[I see no
    {dish}|I cannot smell any {dish}]," said {other}. "[Come back tomorrow|Tomorrow, tomorrow]," said {hero}.
    {Other} [went red|opened {hers} mouth and shut it again]. On {day3} there was a knock, and there stood
    {other} with the {owed}[ under {hers} arm|, as good as new]. "[Here it is|I am sorry it is late]," said
    {other}. "I needed it on {day0}," said {hero}, "and today there will be {dish}," and they [sat down
    together|ate until nothing was left]. {_Say}
    """,
    """
    Tomorrow is a dish that fills nobody.
    Who serves tomorrow must eat it too.
    A thing borrowed is a thing to bring back today.
    """,
)


PLOTS = [ECHO, TOMORROW]

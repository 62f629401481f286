"""Shorter tales, of a page corner each."""

from tales_cast import Plot, colours, number, people
from tales_teller import Teller, cells, column, table
from tales_words import COINS, NUMBERS

PICTURES = table(
    "motif eater _shown _try",
    """
    carrot ; donkey ; a juicy {motif} ; took a bite out of
    mouse ; cat ; a fat {motif} ; jumped at
    bone ; dog ; a big {motif} ; ran off with half of
    worm ; hen ; a long {motif} ; pecked a hole in
    fish ; heron ; a silver {motif} ; stabbed its beak through
    rose ; bee ; a red {motif} ; buzzed round and round
    nut ; squirrel ; a ripe {motif} ; carried off a corner of
    fly ; frog ; a black {motif} ; stuck its tongue to
    cabbage ; goat ; a green {motif} ; ate one end of
    berry ; blackbird ; a shining {motif} ; flew straight into
    cheese ; rat ; a yellow {motif} ; gnawed at
    """,
)


def _picture(teller: Teller) -> None:
    people(teller)
    teller.row("picture", PICTURES)
    teller.row("coin", COINS)
    number(teller, "price", 3, 12)


PICTURE = Plot(
    "picture",
    _picture,
    "[The Painted {Motif}|The {Eater} and the Picture]",
    """
    {_Meet}. {_Look} [In the evenings {he} painted pictures|On Sundays {he} painted pictures], and {_one_day}
    {he} hung one [on the fence|in the yard] to dry. It showed {_shown}. {Other} the {otrade} [looked at it for
    a long time|walked up to it and away again]. "[It is not bad|I like the frame]," said {other}, "but nobody
    would take it for a real {motif}." "[Wait|Let us wait a little]," said {hero}.

    They had not waited long when {a eater} came by. The {eater} [looked left and looked right|stopped and
    stared], and then it {_try} the picture. "[Well?|What do you say now?]" asked {hero}. "[I am no judge of
    such things|I may be wrong]," said {other}, "but the {eater} knows {a motif} when it sees one." And {she}
    [bought|took] the picture with the {motif} for {price} {coin} coins, [and paid one more for the hole|and
    hung it over {hers} bed]. {_End}
    """,
    """
    Ask the {eater} about the {motif}.
    The best judge is the one who is hungry.
    Praise is worth most when it comes from somebody who knows.
    """,
)

INSULTS = column(
    "insult", "donkey, blockhead, turnip, goose, noodle, fool, old boot, cabbage, sheep, empty barrel, owl"
)

KIND_WORDS = column("kind", "friend, neighbour, sunshine, good morning, my dear, brother, welcome, thank you")


def _echo(teller: Teller) -> None:
    people(teller)
    teller.row("word", INSULTS)
    teller.row("word", KIND_WORDS)


ECHO = Plot(
    "echo",
    _echo,
    "[The Hill That Answered|{Hero} and the Hill]",
    """
    {_Meet}. {_Look} {_One_day} {he} had [burned the porridge|lost at cards], and {he} walked up the hill behind
    {village} to be angry by {himself}. "{Insult}!" {he} shouted, at nobody. "{Insult}!" answered the hill.
    "[You are|It is you who are] {a insult}!" shouted {hero}. "{A insult}!" said the hill.

    {Hero} came down [red in the face|stamping {his} feet]. "There is somebody on the hill who calls me {a
    insult}," {he} told {other} the {otrade}. "[And what did you call him|What did you say first]?" asked
    {other}. {Hero} [looked at {his} shoes|was silent]. "{A insult}," {he} said. "Then go up again," said
    {other}, "and [say: {kind}|try: {kind}]." So {hero} climbed the hill once more. "{Kind}," {he}
    [called|said], not very loudly. "{Kind}," said the hill, [just as softly|and it sounded pleased]. {_End}
    """,
    """
    The hill gives back what it is given.
    Shout at the world, and the world will shout at you.
    If you want to hear a kind word, say one.
    """,
)

SHARED = table(
    "many one place",
    """
    plums ; plum ; under a tree
    walnuts ; walnut ; under a hedge
    eggs ; egg ; in the long grass
    pears ; pear ; behind a wall
    buns ; bun ; in a lost basket
    marbles ; marble ; in the dust of the road
    apples ; apple ; in a ditch
    buttons ; button ; in an old coat
    mushrooms ; mushroom ; in the wood
    pennies ; penny ; between two stones
    """,
)


def _share(teller: Teller) -> None:
    people(teller)
    teller.row("thing", SHARED)
    half = teller.chance.number(2, 5)
    teller.word("total", NUMBERS[2 * half + 1], "count")
    teller.word("half", NUMBERS[half], "count", ["total"])


SHARE = Plot(
    "share",
    _share,
    "[{Total} {Many}|The One Left Over]",
    """
    {Hero} the {trade} and {other} the {otrade} found {total} {many} {place}. "{Half} for you," said {hero},
    "and {half} for me." "And {half} for me, and {half} for you," said {other}. [That was soon done.|They
    counted them out on a stone.] But one {one} was left over. "I saw it first," said {hero}. "I bent down
    first," said {other}. [Neither would give way.|They grew quite loud.]

    Along came {third}, [eating a carrot|on the way to school]. "[What is the matter|Why do you shout]?" asked
    {third}. "There are {total} {many}," said {hero}, "and there are two of us." {Third} [thought it over|looked
    at the heaps]. "{Half} here and {half} there, and that is fair," said {third}, and [put the last {one} in a
    pocket|took the last {one}], "and one for the judge." And {third} walked on. {Hero} looked at {other}, and
    {other} looked at {hero}. "[It was a small {one} anyway|It is peaceful now]," said {other}. {_Say}
    """,
    """
    When two quarrel over one {one}, a third will take it.
    A judge is never free of charge.
    It is better to give away one {one} than to lose a friend.
    """,
)

WEEK = cells("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")

OWED = column(
    "owed", "rake, kettle, hammer, lantern, basket, saw, spade, umbrella, pan, bucket, book, blanket, drum, wheelbarrow"
)


def _tomorrow(teller: Teller) -> None:
    people(teller)
    teller.row("owed", OWED)
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
    {other}. "And today there will be {dish}," said {hero}, and they [sat down together|ate until nothing was
    left]. {_Say}
    """,
    """
    Tomorrow is a dish that fills nobody.
    Who serves tomorrow must eat it too.
    A thing borrowed is a thing to bring back today.
    """,
)

GARMENTS = column("garment", "coat, shawl, jacket, cape, scarf, nightshirt, waistcoat, bonnet, blanket")


def _scarecrow(teller: Teller) -> None:
    people(teller)
    colours(teller, 1)
    teller.row("thing", GARMENTS)


SCARECROW = Plot(
    "scarecrow",
    _scarecrow,
    "[The Scarecrow|The {Colour1} {Garment}]",
    """
    {_Meet}. {_Look} In the field [outside|behind] {village} stood a scarecrow, [as thin as a broom|with straw
    coming out of its neck], and when the nights grew cold {hero} [felt sorry for it|could not bear to look at
    it]. So {he} took {his} own {colour1} {garment} and put it on the scarecrow. "{A colour1} {garment} for a
    bundle of straw!" [laughed|cried] {other} the {otrade}. "[It cannot even feel it|It will never thank you]."
    "[Perhaps not|That may be]," said {hero}, "but now I need not be cold when I look at it."

    [That winter|Some weeks later] {hero} came home late, and a fog lay over the fields. {He} [could not see the
    road|lost the path]. Then {he} saw something {colour1} in the grey. It was the {garment}, and in the
    {garment} stood the scarecrow, and its [long arm|wooden arm] pointed straight to {village}. [{Hero} took off
    {his} hat to it.|"Thank you," said {hero}.] In spring {other} brought the scarecrow a pair of {colour1}
    gloves. {_Say}
    """,
    """
    Warmth that is given away comes back on the coldest day.
    Be kind even to straw.
    Nobody is so stiff that he cannot point the way.
    """,
)

PLOTS = [PICTURE, ECHO, SHARE, TOMORROW, SCARECROW]

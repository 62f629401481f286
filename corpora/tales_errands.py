"""Tales of buying, carrying, counting, fetching and finding."""

from tales_cast import Plot, number, people
from tales_teller import Teller, column, table
from tales_words import COINS, COLOURS, GIFTS, RIBBONS

NEEDS = table(
    "need cure shop _sign _buy _use",
    """
    thirsty ; milk ; dairy ; {his} tongue was as dry as an old boot ; a jug of fresh {cure} ;
        {he} drank the {cure} in one go and licked {his} lips
    wet ; umbrella ; umbrella shop ; the rain ran in at {his} collar and out at {his} sleeves ;
        a big {cure} with a duck's head ; {he} opened the {cure}, and the rain drummed on it and stayed outside
    dirty ; soap ; soap shop ; even the pigs turned up their noses at {him} ; a round piece of {cure} ;
        {he} washed with the {cure} until {his} ears were pink
    hungry ; bread ; bakery ; {his} stomach growled like a bear ; a loaf of {cure}, still warm ;
        {he} ate the {cure} on the steps, down to the last crumb
    bored ; book ; bookshop ; {he} had counted all the nails in the floor, and then counted them again ;
        a fat old {cure} ; {he} opened the {cure} and did not look up until the sun went down
    cold ; coat ; tailor's shop ; {his} teeth rattled like spoons ; a thick {cure} with deep pockets ;
        {he} put on the {cure} and did up every button
    barefoot ; shoes ; shoe shop ; {he} had a thorn in one foot and a stone under the other ;
        a pair of {cure} with strong soles ; {he} put on the {cure} and stamped twice to hear the sound
    lonely ; puppy ; kennel ; {he} had talked to the teapot all week, and it never answered ;
        a small brown {cure} ; the {cure} licked {his} nose and fell asleep in {his} sleeve
    """,
)

GOODS = column(
    "goods",
    """ribbons, whistles, silver bells, paper kites, masks, glass beads, mirrors, painted eggs""",
)


def _need(teller: Teller) -> None:
    people(teller)
    teller.lots("need", NEEDS)
    teller.lots("thing", GOODS, 2)
    teller.row("coin", COINS)


NEED = Plot(
    "need",
    _need,
    "[The {Trade} Who Was {Need}|{Hero} Goes to Market]",
    """
    {Hero} the {trade} of {village} was {need}, so {need} that {_sign}. [All the money {he} had was|In {his}
    pocket there was nothing but] one {coin} coin. [So {he}|{He} took it and] [walked|set out] to the market.

    [At the gate|By the fountain] a [man|woman] [was selling|stood selling] {goods1}. "[Fine|Lovely] {goods1},
    only one {coin} coin!" "[They are very pretty|I never saw prettier ones]," said {hero}, "but I am {need},
    and [{goods1} will not help|what good are {goods1} to me]." [A little further on|Round the corner] a
    [boy|girl] [held up|was selling] some {goods2}. "[Everybody wants {goods2}|You cannot live without
    {goods2}]!" [cried|called] the [child|little one]. {Hero} looked at the {goods2} [for a long time|and
    sighed], but {he} [shook {his} head|walked on]. "[I should like them|They are the best I ever saw]," {he}
    said, "but [I should still be {need}|today I am {need}]."

    [At last {he} came to the {shop}.|And then, at the end of the street, {he} saw the {shop}.] {He} [put
    down|laid down] {his} {coin} coin and [bought|asked for] {_buy}. {_Use}. "[Now I am not {need} any more|I
    was {need}, and now I am not]," said {hero}, and {he} [whistled|sang] all the way back to the {work}. {_Say}
    """,
    """
    Know what you need, and the rest will not call you twice.
    A coin can be spent only once, so spend it on the right thing.
    The market has a thousand things, and you need only one of them.
    {Goods1} and {goods2} are for another day.
    """,
)


WARES = table(
    "ware _song _reminder",
    """
    salt ; {ware} for the soup ; a tear ran down to {his} mouth, and it tasted of something
    thread ; {ware} for the sleeve ; a button hung loose on {his} coat
    candles ; {ware} for the night ; it was getting dark, and {he} could not see {his} hand
    sugar ; {ware} for the tea ; a child went by with a sweet in each cheek
    nails ; {ware} for the door ; a loose board hit {him} on the knee
    ink ; {ware} for a letter ; a blackbird hopped by, as black as a blot
    butter ; {ware} for the pan ; {he} sat down on a yellow flower, and it was soft
    wool ; {ware} for a sock ; a sheep looked over the wall
    """,
)


def _shopping(teller: Teller) -> None:
    people(teller)
    teller.lots("errand", WARES, 3)
    teller.row("colour", RIBBONS)


SHOPPING = Plot(
    "shopping",
    _shopping,
    "[Three Things from the Shop|{Hero} Forgets]",
    """
    {_One_day} {other} the {otrade} gave {hero} the {trade} {a colour} basket. "[Please bring|Bring] me
    three things," said {other}: "{ware1}, {ware2} and {ware3}. [Can you remember that?|Say it over as you go.]"
    "{Ware1}, {ware2} and {ware3}," said {hero}. [{He} had a head like a sieve, so {he} made a song of it.|To be
    safe, {he} made a song.] "{_Song1}, {_song2}, {_song3}!" {he} sang, and off {he} went.

    [But on the bridge|But at the crossroads] [a dog barked at {him}|a goose ran after {him}], and when {he}
    went on, [part of the song was gone|there was a hole in the song]. "{Ware1}," sang {hero}, "and {ware3},
    and... and..." {He} could not find the middle of it. {He} [tried cabbages, but that was not it|sat down on a
    wall to think]. "{Ware1} and {ware3}," {he} said again, "and something between." [Then|But then]
    {_reminder2}. "{Ware2}!" cried {hero}. "It was {ware2}!"

    [So {he} bought all three and carried them home.|{He} ran to the shop, bought all three, and ran back to
    {village}.] {Other} looked into the {colour} basket. [In it lay the {ware1}, the {ware2} and the {ware3}.|There they
    lay, the {ware1}, the {ware2} and the {ware3}.] "[You have forgotten nothing|Nothing is missing]," {she}
    said, and {she} gave {him} [a kiss on the nose|a slice of cake]. {_Say}
    """,
    """
    What the head forgets, the world will say again to those who listen.
    A song with a hole in it is still worth singing.
    Two things out of three is not a list.
    """,
)


NEWS = table(
    "place trouble detour wrong",
    """
    bridge ; is broken ; come by the mill ; butcher
    road ; is flooded ; come over the hill ; toad
    tunnel ; has fallen in ; come round by the lake ; kettle
    ferry ; has sunk ; come by the stone bridge ; fairy
    ford ; is too deep ; come through the wood ; lord
    path ; is full of snakes ; come along the river ; bath
    gate ; is locked ; come in by the garden ; goat
    lane ; is full of geese ; come across the field ; crane
    """,
)


def _message(teller: Teller) -> None:
    people(teller)
    teller.lots("message", NEWS, suffix="m")
    teller.row("gift", GIFTS)


MESSAGE = Plot(
    "message",
    _message,
    "[{Hero} Carries a Message|The Message]",
    """
    One {season} day {other} the {otrade} came [running|in a great hurry] to {hero} the {trade} and said, "You have
    good legs. Go to {third} and say: the {placem} {troublem}, {detourm}." "The {placem} {troublem}, {detourm},"
    said {hero}, and {he} [was off|ran]. {He} said it [at every step|under {his} breath], so as not to lose it.

    [Half way there|At the edge of the wood] {he} [jumped over a stream|was chased by a goose], and [the words
    were shaken up|the words got mixed]. "The {wrongm} {troublem}," said {hero}. [That sounded odd.|{He}
    stopped. Something was wrong.] "[What would {third} do with {a wrongm}?|Who ever heard of such {a wrongm}?]"
    {He} [went back to the place where {he} had lost it|sat down and held {his} head], and [after a while|there,
    sure enough,] it came back to {him}. "Not the {wrongm}. The {placem}!"

    {Third} was [just putting on a hat|already in the saddle] when {hero} came in at the gate. "[Stop|Wait]!"
    {he} cried. "{Other} the {otrade} sends me to say: the {placem} {troublem}, {detourm}." [So {third} did not
    go near the {placem}|{Third} thanked {him} and took the other way], and came [safe|in good time] to
    {village}. And {hero}, who was the hero of that {season}, got {a gift}. {_Say}
    """,
    """
    One wrong word can sink a ship, and one right word can save it.
    A message is like an egg: carry it whole or not at all.
    Say it twice, and carry it once.
    """,
)


CLOTHES = table(
    "lost mark",
    """
    scarf ; a hole in one corner
    mitten ; a darn on the thumb
    hat ; a feather in the band
    cap ; a burn on one side
    apron ; a jam stain on the pocket
    stocking ; a patch on the heel
    shawl ; a knot in the fringe
    bag ; a button missing
    """,
)


def _lost(teller: Teller) -> None:
    people(teller)
    teller.lots("colour", COLOURS, 3)
    teller.lots("thing", CLOTHES)
    teller.row("gift", GIFTS)


LOST = Plot(
    "lost",
    _lost,
    "[The {Colour1} {Lost}|{Hero} Loses {a Lost}]",
    """
    {Hero} the {trade} of {village} had {a colour1} {lost} with {mark}. [It was old, but {he} loved it.|{His}
    grandmother had made it.] One {season} day [the wind took it and carried it over the roofs|{he} left it on a wall
    and walked on], and the {colour1} {lost} was gone. {Hero} looked [behind every wall|in every hedge] and
    found [nothing but a surprised hen|two snails and a spoon].

    [Then {he} heard that {other} the {otrade} kept a box for lost things, so {he} went and knocked.|Now {other}
    the {otrade} kept a box for lost things, and {hero} went there and knocked.] "I have lost my {lost}," said
    {hero}. {Other} [put a hand into the box|opened the box] and took out {a colour2} {lost}, [quite new|as good
    as new]. "Is it this one?" "No," said {hero}. "[That is a fine one|It is finer than mine], but mine is
    {colour1}." {Other} took out {a colour3} {lost}, [softer|even finer] than the {colour2} one. "Then it is
    this one." "[No. It is almost too fine to touch|No. It shines like a kingfisher]," said {hero}, "but it is
    {colour3}. Mine is {colour1}, and it has {mark}."

    {Other} smiled and [reached|looked] down to the bottom of the box, and there lay the {colour1} {lost} with
    {mark}. "[Many people have come|You are the third today]," said {other}, "and you are the first who did not
    take the {colour2} one or the {colour3} one." And {she} gave {him} the {colour1} {lost}, and {a gift}
    besides, for the rest of the {season}. {_Say}
    """,
    """
    A true word keeps you warmer than a new {lost}.
    What is yours fits best.
    Take what is yours, and you will sleep well in it.
    """,
)


STRAYS = table(
    "stray _call",
    """
    lamb ; bleating
    goat ; bleating
    calf ; lowing
    puppy ; whining
    kitten ; mewing
    duckling ; quacking
    donkey ; braying
    piglet ; squeaking
    """,
)

DARK_PLACES = table(
    "cave _inside dweller",
    """
    cave ; the walls were wet, and every drop had an echo ; bat
    old mill ; the wheels were hung with webs ; owl
    tower ; the steps were worn as thin as plates ; crow
    cellar ; there was a smell of apples and old rope ; toad
    mine ; the roof was held up by crooked beams ; badger
    empty barn ; the hay moved as if it breathed ; hedgehog
    tunnel ; the air was cold and tasted of pennies ; fox
    hollow hill ; roots hung down like hair ; mole
    """,
)

LIGHTS = column("light", "candle, lantern, torch, lamp")


def _dark(teller: Teller) -> None:
    people(teller)
    teller.lots("animal", STRAYS)
    teller.lots("place", DARK_PLACES)
    teller.lots("colour", COLOURS, 1)
    teller.row("light", LIGHTS)
    number(teller, "paces", 6, 12)


DARK = Plot(
    "dark",
    _dark,
    "[The {Stray} in the {Cave}|{Hero} Goes In]",
    """
    {Hero} the {trade} of {village} had a [small|young] {stray} with {a colour1} ribbon round its neck.
    {_One_day} the {stray} was gone. {Hero} followed its [tracks|little footprints] [through the {cover}|across
    two fields] to the door of the {cave}[, where nobody in {village} liked to go|]. From inside came a sound of
    {_call}. [{Hero} swallowed hard.|{His} knees said no, but {his} heart said yes.] {He} lit {a light} and went
    into the {cave}.

    "{Paces} steps," {he} [told {himself}|said], "and if I find nothing, I turn round." {He} counted as {he}
    went. In the {cave} {_inside}. [At the third step|Half way in] the {light} [flickered|burned low], and
    something [rustled|moved]. "Who is there?" asked {hero}. It was only {a dweller}, [and it was more afraid
    than {he} was|blinking at the {light}]. "Good evening," said {hero} to the {dweller}[, because {he} was
    polite even in the dark|]. And at the last of the {paces} steps {he} saw something {colour1}. There stood
    the {stray}, {_call} [for joy|with all its might].

    {He} [took it in {his} arms|held it by the {colour1} ribbon], and counted {paces} steps back. {Hero} and the
    {stray} came out of the {cave} [into the {season} sun|under the {season} stars], and the {light} [went
    out|was no longer needed]. "[Was it terrible|What was in there]?" asked {other} the {otrade}[ at the gate|,
    who had come to look for them]. "{A dweller}," said {hero}, "and {paces} steps." {_Say}
    """,
    """
    The dark is only a room without {a light}.
    Most of what we fear is afraid of us.
    What goes in one step at a time comes out the same way.
    """,
)

PLOTS = [NEED, SHOPPING, MESSAGE, LOST, DARK]

"""Tales of lending, promising, quarrelling, owning up and coming home."""

from tales_cast import Plot, number, people
from tales_teller import Teller, column, table
from tales_words import COLOURS, DEADLINES, FAR_PLACES, GIFTS

LOANS = table(
    "loan job done",
    """
    boat ; cross the lake ; the lake was crossed
    kettle ; make soup for the wedding ; the soup was eaten
    ladder ; mend the roof ; the roof was mended
    wheelbarrow ; move the stones ; the stones were moved
    cart ; bring in the hay ; the hay was in
    needle ; sew a winter coat ; the coat was sewn
    saw ; cut the winter wood ; the winter wood was cut
    spade ; dig a well ; the well was dug
    """,
)


def _loan(teller: Teller) -> None:
    people(teller)
    teller.lots("loan", LOANS)
    teller.lots("promise", DEADLINES)
    teller.row("gift", GIFTS)
    number(teller, "days", 3, 9)
    number(teller, "coins", 4, 12)


LOAN = Plot(
    "loan",
    _loan,
    "[The Lent {Loan}|{Hero} and the {Loan}]",
    """
    {Hero} the {trade} of {village} wanted to {job}, but {he} had no {loan}. So {he} went to {other} the
    {otrade}, who lived [across the lane|over the hill]. "Will you lend me your {loan}?" asked {hero}. "I want
    to {job}." "[Gladly|With all my heart]," said {other}, "but bring it back before {deadline}." "Before
    {deadline}," [promised {hero}|said {hero}, and they shook hands on it].

    It took {him} {days} days to {job}. [By then {he} was so used to the {loan} that it seemed {his} own.|By
    then the {loan} had a place of its own beside {his} door.] On the evening when {done}, a [pedlar|stranger]
    [leaned over the gate|stopped in the lane]. "I will give you {coins} gold coins for that {loan}," said the
    man. {Hero} [looked at the coins|counted the coins with {his} eyes]. {Coins} gold coins were more than {he}
    had ever [seen|had in {his} hand]. [But {he} shook {his} head.|Then {he} sighed.] "[I cannot sell it|It is
    not mine to sell]," {he} said. "It is {other}'s {loan}, and [I must bring it back|I promised to bring it
    back] before {deadline}."

    [The next morning|At sunrise] {he} [cleaned|brushed] the {loan} and took it back to {other}. "Here is your
    {loan}," said {hero}, "and it is not yet {deadline}." [{Other} had heard about the {coins} gold coins, as
    one hears everything in {village}.|The whole of {village} had heard about the {coins} gold coins.]
    "[Borrow|Take] what you like, [and whenever you like|and when you like]," said {other}, and {she} gave {him}
    {a gift}. {_Say}
    """,
    """
    What is lent must find its own way home.
    A thing given back is worth more than a thing sold.
    An open hand opens doors.
    """,
)

GUESTS = table(
    "need cure _have _got",
    """
    hungry ; soup ; half a pot of {cure} ; {he} ate two bowls of {cure}
    wet ; fire ; a good {cure} ; {he} dried {his} boots by the {cure}
    thirsty ; cider ; a jug of {cure} ; {he} drank three cups of {cure}
    lost ; lantern ; one good {cure} ; {he} found the road with the {cure}
    cold ; blanket ; one {cure} ; {he} slept under the {cure}
    tired ; bed ; one {cure} ; {he} slept in a soft {cure}
    hoarse ; honey ; a little {cure} ; {he} drank hot milk with {cure}
    sad ; fiddle ; an old {cure} ; {he} fell asleep to the sound of the {cure}
    """,
)


def _guest(teller: Teller) -> None:
    people(teller)
    teller.lots("need", GUESTS)
    teller.lots("place", FAR_PLACES)
    teller.row("colour", COLOURS, "1")
    teller.row("gift", GIFTS)
    number(teller, "years", 2, 7)


GUEST = Plot(
    "guest",
    _guest,
    "[A Knock at the Door|The Stranger in {Colour1}]",
    """
    One [stormy|wild] {season} night somebody knocked at the door of {hero} the {trade}. On the step stood a
    stranger in {a colour1} cloak. "I [have walked all day|come from far away], and I am {need}," said the
    stranger. "[I am not rich|There is not much in this house]," said {hero}, "but I have {_have}, and you are
    welcome." [So the stranger came in and stayed until morning|The stranger came in and said no more, but
    smiled].

    [At sunrise|In the morning] the stranger was gone. On the table stood {a gift}, and beside it lay a note:
    "Thank you for the {cure}." [{Hero} was so surprised that {he} nearly sat on the cat.|{Hero} laughed, and
    kept the note in {his} hat.]

    {Years} years went by. {Hero} was on a journey to {far}, a long way from {village}. Night came, and now it
    was {hero} who was {need}. {He} saw a light [among the trees|on a hill] and knocked[ three times|]. [The
    door opened, and there stood somebody|Somebody opened the door, wrapped] in {a colour1} cloak. [It was the
    stranger|They looked at each other]. "I was {need}, and you did not ask my name," said the stranger. "Come
    in." That night {_got}, and [{he} was {need} no longer|nobody asked {him} anything]. {_Say}
    """,
    """
    A door that opens once will open again.
    Kindness goes a long way round, but it knows the road.
    Give to the one who knocks, for one day you will be knocking.
    """,
)


TREES = column("tree", "apple tree, willow, rose bush, lilac, cherry tree, walnut tree, pear tree, elm")


def _home(teller: Teller) -> None:
    people(teller)
    teller.lots("colour", COLOURS, 1)
    teller.lots("place", FAR_PLACES, 2)
    teller.lots("tree", TREES)
    number(teller, "years", 2, 9)


HOME = Plot(
    "home",
    _home,
    "[The {Colour1} Door|{Hero} Goes Away]",
    """
    {Hero} the {trade} of {village} lived in a small house with {a colour1} door and {a tree} beside it.
    "[Everything here is too small|Nothing ever happens here]," said {hero}. So one {season} day {he} locked the
    {colour1} door, gave the key to {other} the {otrade}, and went out into the world. "[I will keep it safe|It
    will hang on my wall]," said {other}.

    {He} came to {far1}. There {fine1}, but {lack1}. {Hero} stayed a [year|winter], and then {he} [packed {his}
    bag|grew tired of it]. {He} went on to {far2}. There {fine2}, but {lack2}. [In the evenings|When it rained]
    {he} began to think of {a colour1} door and {a tree}. "[Small|It was small]," {he} said to {himself}, "[but
    mine|but I could find my slippers in it]."

    After {years} years {he} came back to {village}, and it was {season} again. There was the house, and there
    was the {tree}, [a little taller|full of birds]. The {colour1} door was locked. {Hero} knocked at {other}'s
    window. "{Years} years," said {other}, and took the key from the wall. "[Did you find anything better?|Was
    it fine out there?]" "In {far1} {fine1}," said {hero}, "and in {far2} {fine2}." {He} [turned the key in the
    lock|opened the {colour1} door]. "But {lack1}, and {lack2}." {Other} [put the kettle on|set out two cups].
    {_Say}
    """,
    """
    The world is wide, and a chair by the fire is just wide enough.
    One must go a long way to see one's own door.
    Home is the place where somebody keeps your key.
    """,
)


VESSELS = table(
    "vessel _use",
    """
    dish ; for the wedding fish
    plate ; for cakes
    cup ; for {hers} morning tea
    bowl ; for the best plums
    jug ; for milk on Sundays
    teapot ; when guests came
    jar ; for ginger biscuits
    vase ; for the first roses
    """,
)

HIDEOUTS = column("hideout", "flowerpot, hen house, woodpile, hedge, old boot, compost heap, rain barrel, haystack")


def _broken(teller: Teller) -> None:
    people(teller)
    teller.lots("colour", COLOURS, 1)
    teller.lots("vessel", VESSELS)
    teller.lots("hideout", HIDEOUTS)
    number(teller, "pieces", 3, 9)


BROKEN = Plot(
    "broken",
    _broken,
    "[The {Colour1} {Vessel}|{Pieces} Pieces]",
    """
    {Other} the {otrade} had a beautiful {colour1} {vessel}, which {she} used {_use}. {_One_day} {hero} the
    {trade} came to help {her} clean the house. [{Hero} turned round too fast|{Hero} sneezed], and the {colour1}
    {vessel} [fell from the shelf|slid off the table] and broke into {pieces} pieces. [Nobody had seen
    it.|{Other} was out in the garden and had heard nothing.] {Hero} put the {pieces} pieces in {his} apron,
    [ran out|crept out], and hid them in the {hideout}. "Have you seen my {vessel}?" asked {other} that evening.
    "No," said {hero}[, and {his} ears turned red|, very quietly].

    That night {he} could not sleep. [The pillow was too hot and the moon was too bright.|Every creak in the
    house seemed to say "{vessel}".] {He} turned over {pieces} times, once for each piece. [Before the sun was
    up|At sunrise] {he} got up, took the {pieces} pieces out of the {hideout}, and knocked at {other}'s door. "I
    broke your {colour1} {vessel}," said {hero}, "and I told a lie, and here are the {pieces} pieces."

    {Other} [looked at them for a long time|said nothing for a while]. Then {she} [fetched the glue|put glue on
    the stove]. They sat together until noon, and {hero} held each piece until it was dry. When it was done, the
    {vessel} was {colour1} again, with the [thin lines|cracks] of {pieces} pieces. "[Now I like it better|It is
    finer than before]," said {other}. "Anyone can have {a vessel}. This one has a friend in it." {_Say}
    """,
    """
    A broken {vessel} can be glued, but a lie must be taken back.
    The truth is easiest to carry in the morning.
    It is better to bring {pieces} pieces than to hide one.
    """,
)


THIEVES = table(
    "clue culprit lair",
    """
    a white feather ; goose ; the back of the barn
    a muddy hoof print ; goat ; the old shed
    a tuft of red fur ; fox ; a hole under the hedge
    a row of tiny tooth marks ; mouse ; a crack in the wall
    a black feather ; crow ; the tall elm
    a trail of nutshells ; squirrel ; the hollow tree
    a trail of silver slime ; snail ; the cabbage bed
    a curly pink hair ; pig ; the mud behind the well
    """,
)

STOLEN = column("stolen", "plum pie, cherry tart, honey cake, nut cake, pudding, apple pie, ginger bread, sponge cake")


def _thief(teller: Teller) -> None:
    people(teller)
    teller.lots("thief", THIEVES, 3)
    teller.lots("food", STOLEN)


THIEF = Plot(
    "thief",
    _thief,
    "[Who Took the {Stolen}?|The Missing {Stolen}]",
    """
    One {season} morning {hero} the {trade} of {village} [baked|made] {a stolen} and put it on the window sill to
    cool. When {he} came back, the {stolen} was gone. "[Thieves|Help, thieves]!" cried {hero}. {Other} the {otrade},
    who [was the cleverest person in {village}|noticed everything], came [at once|with a magnifying glass].
    {Other} looked at the sill, and there {she} found {clue1}. "[Aha|Hm]," said {other}, and wrote it down in a
    little book[ (it was a very little book)|].

    They went to the {culprit2}. "Where were you this morning?" asked {other}. "Asleep," said the {culprit2}[,
    yawning|]. "It was not the {culprit2}," said {other}. "The {culprit2} leaves {clue2}." They went to the
    {culprit3}. "[I was at home|I was at the pond]," said the {culprit3}. "It was not the {culprit3}," said
    {other}. "The {culprit3} leaves {clue3}." {Hero} [scratched {his} head|looked up and down the lane]. "Then
    who leaves {clue1}?" {he} asked.

    {Other} smiled and led {him} to {lair1}. There sat the {culprit1}, as round as a barrel, with crumbs all
    over its face. "[I only wanted to smell it|It was looking at me]," said the {culprit1}. "[And where is the
    rest|Is there any left]?" asked {hero}. The {culprit1} [hiccupped|licked its lips]. That was the end of the
    {stolen}. All that {season} {hero} [baked|made] two, one for the window and one for the {culprit1}. {_Say}
    """,
    """
    Who takes in secret is betrayed by little things.
    Look closely, and the world will tell you its secrets.
    It is cheaper to share than to bake behind locked doors.
    """,
)


NOISES = table(
    "noise maker _doing",
    """
    scratching ; mole ; digging a cellar of its own
    snuffling ; hedgehog ; eating the cat's supper
    knocking ; woodpecker ; at work on the table leg
    rattling ; mouse ; running round and round in a pan
    hooting ; owl ; sitting on the clock
    splashing ; frog ; swimming in the soup
    gnawing ; rat ; halfway through a candle
    humming ; beetle ; stuck in a bottle
    """,
)

WEAPONS = column("weapon", "broom, frying pan, poker, umbrella, rolling pin, shovel, mop, candlestick")

MONSTERS = column("monster", "bear, robber, wolf, ghost, giant, dragon, witch, troll")


def _noise(teller: Teller) -> None:
    people(teller)
    teller.lots("noise", NOISES)
    teller.lots("fear", MONSTERS, 2)
    teller.lots("weapon", WEAPONS)


NOISE = Plot(
    "noise",
    _noise,
    "[A Noise in the Night|The {Noise} in the Kitchen]",
    """
    One {season} night {hero} the {trade} of {village} woke up and heard {a noise} sound in the kitchen. {He}
    [pulled the blanket up to {his} nose|sat up in bed]. "[That is {a monster1}|There is {a monster1} in my
    house]," said {hero}. [The {noise} went on.|It stopped, and then it began again.] {He} climbed out of the
    window in {his} nightshirt, ran down the lane, and knocked at the door of {other} the {otrade}.

    "There is {a monster1} in my kitchen," said {hero}. "What does it do?" asked {other}. "[It is {noise}|It
    sits there {noise}]," said {hero}. "{A monster1} does not do that," said {other}, "but {a monster2} might."
    So {other} took {a weapon}, and they went back together, {other} first with the {weapon}, and {hero} behind
    {her}, holding on to {hers} coat. [The moon was as thin as a nail.|The wind blew the clouds about.] The
    {noise} was louder now. "One," whispered {other}, "two, three!" and {she} threw open the door and held up
    the {weapon}.

    There was no {monster1}, and there was no {monster2}. There was {a maker}, {_doing}. It [looked at the
    {weapon}|looked at them], and it looked [very sorry|quite calm]. {Other} put down the {weapon} and [began to
    laugh|laughed until {she} had to sit down]. "[So that is what goes {noise} in the night|So there is your
    {monster1}]," {she} said. {Hero} opened the back door, and the {maker} went out into the {season} night
    [without a word|like a guest]. {_Say}
    """,
    """
    By night {a maker} is as big as {a monster1}.
    Fear has big eyes and poor ears.
    Before you shout {monster1}, light a lamp.
    """,
)

PLOTS = [LOAN, GUEST, HOME, BROKEN, THIEF, NOISE]

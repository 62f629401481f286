"""Tales of riddles, wishes and spells, of seeds and bells, and of animals that talk."""

from tales_cast import Plot, beasts, colours, number, people
from tales_teller import Teller, column, table
from tales_words import NUMBERS, PRIZES

RIDDLES = table(
    "answer clue _say _riddle",
    """
    candle ; shorter ; {a answer} ; The longer I work, the {clue} I grow, and one breath can end me
    shadow ; sun ; {a answer} ; In the {clue} I walk beside you, and in the dark I leave you
    river ; bed ; {a answer} ; I run by day and by night, and I never get out of my {clue}
    needle ; eye ; {a answer} ; I have only one {clue}, and yet I lead and the others follow
    comb ; teeth ; {a answer} ; I have more {clue} than a wolf, and I never bite
    echo ; shout ; {a answer} ; I answer every {clue}, and I never speak first
    egg ; door ; {a answer} ; My house is white and has no {clue}, and there is gold inside
    clock ; hands ; {a answer} ; I have two {clue}, and I cannot hold a spoon
    bell ; tongue ; {a answer} ; I have {a clue}, and I never taste my supper
    road ; town ; {a answer} ; I go from {clue} to {clue}, and I never move
    hole ; bigger ; {a answer} ; The more you take from me, the {clue} I grow
    onion ; coats ; {a answer} ; I wear seven {clue}, and whoever takes them off must cry
    mirror ; left ; {a answer} ; When you lift your right hand, I lift my {clue}
    chair ; legs ; {a answer} ; I have four {clue} and a back, and I never went for a walk
    book ; leaves ; {a answer} ; I have more {clue} than a cabbage, and I speak without a mouth
    broom ; corner ; {a answer} ; I dance all over the house, and then I stand in the {clue}
    fire ; water ; {a answer} ; I eat whatever you give me, but if you give me {clue} I die
    name ; yours ; {a answer} ; I am {clue}, and yet your friends use me more than you do
    boot ; foot ; {a answer} ; I am full by day and empty by night, and {a clue} lives in me
    kettle ; sing ; {a answer} ; When I am cold I am silent, and when I am hot I {clue}
    key ; pocket ; {a answer} ; I fit into your {clue}, and your whole house cannot keep me out
    pillow ; feathers ; {a answer} ; I have {clue} and cannot fly, and you tell me all your dreams
    snowman ; spring ; {a answer} ; I am born with a hat on, and I run away in {clue}
    nose ; bridge ; {a answer} ; I have {a clue}, but no cart has ever gone over it
    """,
)


def _riddle(teller: Teller) -> None:
    people(teller)
    teller.several("riddle", RIDDLES, 3)
    teller.row("prize", PRIZES)
    teller.row("ruler", column("ruler", "queen, king, judge, old giant, wise woman, mayor"))


RIDDLE = Plot(
    "riddle",
    _riddle,
    "[The Riddle|The {Ruler}'s Riddle]",
    """
    {_Once} the {ruler} sat down at the gate of {village} and would not let anybody through. "First you must
    answer my riddle," said the {ruler}. "{_Riddle1}. What am I?" [The carts stood in a long row.|Soon half the
    village was standing there.] Everybody [thought hard|scratched their heads], and nobody could say.

    {Other} the {otrade} came first. "You are {_say2}," said {other}. "Wrong," said the {ruler}. {Third} came
    next. "You are {_say3}," said {third}. "Wrong again," said the {ruler}[, and yawned|, and ate a plum]. Then
    came {hero} the {trade}. [{Hero} shut {his} eyes.|{He} sat down on a stone to think.] "{_Riddle1}," {he}
    said softly. "It cannot be {_say2}. It cannot be {_say3}." [A cloud went over, and a dog barked.|{He}
    thought until the shadows were long.]

    Then {hero} [jumped up|began to laugh]. "I have it!" {he} cried. "You are {_say1}." "[{_Say1}|Right]," said
    the {ruler}, "and you may go in." The gate was opened, and [the carts rolled through|everybody cheered]. The
    {ruler} gave {hero} {a prize}, and [{he} shared it with|{he} gave a part of it to] {other} and {third},
    because [a wrong answer is a step on the way|they had shown {him} what it was not]. "{_Riddle1}," the
    children of {village} still say to strangers, and if you have listened, you can tell them the answer:
    {_say1}. {_Say}
    """,
    """
    A wrong answer is a step on the way.
    A good question is worth a closed gate.
    The answer is often something that you have at home.
    """,
)

HELPERS = table(
    "helper trap hidden fetch",
    """
    mole ; flowerpot ; under the roots of a tree ; dug like a spade
    crow ; snare ; at the top of the church tower ; flew up like smoke
    mouse ; trap ; in a crack of the floor ; slipped in like a letter
    otter ; net ; at the bottom of the river ; dived like a stone
    frog ; bucket ; at the bottom of the well ; jumped in with a splash
    bee ; web ; inside a thorny rose ; crept in among the thorns
    squirrel ; sack ; on the thinnest branch of an oak ; ran up like a flame
    hedgehog ; drain ; in the middle of a nettle bed ; walked in as if it were grass
    cat ; barrel ; on the roof of the inn ; stepped along the gutter
    duck ; fence ; among the reeds of the pond ; swam in without a sound
    """,
)

LOSSES = column("jewel", "ring, locket, brooch, bracelet, necklace, buckle, hairpin, gold watch, snuff box")


def _helper(teller: Teller) -> None:
    people(teller)
    teller.row("animal", HELPERS)
    teller.row("thing", LOSSES)
    colours(teller, 1)


HELPER = Plot(
    "helper",
    _helper,
    "[The {Helper} and the {Jewel}|{Hero} and the {Helper}]",
    """
    {_Meet}. {_Look} {_One_day} {he} heard a small voice by the road. {A helper} was caught in {a trap} [and
    could not get out|and shook with fear]. "[Help|Please help] me," said the {helper}, "and I will help you."
    {Hero} [smiled|had to smile]. "How can {a helper} help me?" {he} said, but {he} knelt down and [took|helped]
    the {helper} out of the {trap}. "[I shall not forget it|I never forget]," said the {helper}, and [was
    gone|went off without looking back].

    Now {other} the {otrade} had {a jewel} with {a colour1} stone, which [{hers} mother had left {her}|{she}
    loved more than anything]. {She} lent the {jewel} to {hero} [for the fair|to wear on Sunday]. And [before
    {hero} knew it|that very day], a magpie [snatched it|took it] and dropped it {hidden}. {Hero} [looked and
    looked|tried all day], but {he} could not get at it. {He} sat down and [hid {his} face|did not dare to go
    home].

    "[Why are you so sad?|What is the matter?]" said a small voice. It was the {helper} from the {trap}. "The
    {jewel} lies {hidden}," said {hero}, "and it is not even mine." "Is that all?" said the {helper}, and
    {fetch}, and came back with something {colour1} and shining. [Before it was dark|That same evening] {hero}
    gave the {jewel} with the {colour1} stone back to {other}. "[You have taken good care of it|I hope it
    brought you luck]," said {other}. "Not I," said {hero}. "It was {a helper}." {_End}
    """,
    """
    Nobody is too small to be a friend.
    A good deed comes back on little feet.
    Ask not how big a friend is, but how true.
    """,
)

WISHES = table(
    "wish huge _trouble",
    """
    pudding ; a house ; it filled the lane, and nobody could get out of the door
    goose ; an ox ; it sat down on the henhouse, and then there was no henhouse
    cheese ; a mill wheel ; it rolled through the village and took three fences with it
    pumpkin ; a church ; it shut out the sun, and the rooster thought it was night
    cat ; a cow ; it slept in all the beds at once
    hat ; a tent ; the wind blew under it and carried {him} over the pond
    bell ; a barn ; it rang once, and every window in {village} broke
    rooster ; a horse ; it crowed, and the chimney fell down
    potato ; a hill ; it blocked the river, and the water came into the kitchen
    sausage ; a tree ; every dog for ten miles came and howled at the door
    """,
)

GRANTERS = table(
    "granter _found",
    """
    fish ; lying on the dry sand
    frog ; sitting in a dry ditch
    old woman ; looking for her stick
    little man ; with his beard caught in a gate
    owl ; tangled in a fence
    snail ; in the middle of the road
    beetle ; lying on its back
    """,
)


def _wishes(teller: Teller) -> None:
    people(teller)
    teller.row("wish", WISHES)
    teller.row("granter", GRANTERS)
    small = column(
        "first", "new hat, warm coat, pair of boots, sharp knife, full purse, dry roof, good chair, soft bed"
    )
    teller.row("wish", [row for row in small if teller.known("wish") not in row["first"]])


WISHING = Plot(
    "wishes",
    _wishes,
    "[Three Wishes|{Hero}'s Three Wishes]",
    """
    {_Meet}. {_Look} {_One_day} {he} found {a granter} {_found}, and {he} stopped to help. "You have a good
    heart," said the {granter}, "so you shall have three wishes. Use them well." [{Hero} did not wait
    long.|{Hero} scratched {his} ear.] "I wish for {a first}," {he} said, and there was {a first}[, just as {he}
    had always wanted|, right in front of {him}]. "That is one," said the {granter}.

    [{Hero} ran home to show {other} the {otrade}.|On the way home {he} met {other} the {otrade}.] "[Only|No
    more than] {a first}?" said {other}. "You should have wished for something big." "[Very well|You are
    right]," said {hero}. "I wish for {a wish} as big as {huge}!" There was [a bang|a puff of smoke], and there
    stood {a wish} as big as {huge}. [At first everybody clapped.|For a moment it was wonderful.] But then
    {_trouble}. "[What have you done?|Do something!]" cried {other}.

    "I have one wish left," said {hero}. [{He} thought of gold, and of a white horse, and sighed.|{He} would
    have liked to keep it.] "I wish that the {wish} were gone." And the {wish} was gone. "That is three," said
    the {granter}, [looking over the wall|who had come to see], "one for {a first}, one for {a wish}, and one
    for peace and quiet." [{Hero} still had the {first}, and it was enough.|So only the {first} was left, and
    {he} was glad of it.] {_End}
    """,
    """
    Wish for what will fit through the door.
    A small wish is easy to keep.
    The best of three wishes is often the last.
    """,
)

SPELLS = column(
    "spell",
    "pip and pepper, hurry and flurry, up with the moon, seven blue geese, wake up and work, run and rumble",
)

STOPS = column(
    "stop", "enough is plenty, hush and rest, down with the sun, thank you kindly, sleep in the straw, that will do"
)

VESSELS = table(
    "vessel stuff _flow",
    """
    pot ; porridge ; ran over the stove and down the stairs
    jug ; milk ; ran over the table and under the door
    mill ; salt ; covered the floor and then the chairs
    barrel ; cider ; ran down the lane, and the geese began to sing
    kettle ; soup ; filled the cellar, with dumplings bobbing in it
    jar ; honey ; crept over the floor and stuck to the cat
    churn ; butter ; slid down the hill like yellow snow
    bowl ; jam ; came out of all the windows
    sack ; flour ; made the whole street white
    pan ; jelly ; shook its way down the stairs
    """,
)


def _spell(teller: Teller) -> None:
    people(teller)
    teller.row("spell", SPELLS)
    teller.row("stop", STOPS)
    teller.row("vessel", VESSELS)


SPELL = Plot(
    "spell",
    _spell,
    "[The {Vessel} That Would Not Stop|The Magic {Vessel}]",
    """
    {_Meet}. {_Look} From {his} grandmother {he} had an old {vessel}. If you said to it, "{Spell}!" it made
    {stuff}, as much as you liked, and if you said, "{Stop}!" it stopped. [{He} told nobody.|That was a secret,
    but walls have ears.] Every evening {hero} said, "{Spell}!" and had {stuff} for supper, and then {he} said,
    "{Stop}!" and went to bed.

    {_One_day} {hero} was away, and {other} the {otrade} [looked in at the window|came to the door]. "[How hard
    can it be?|I only want a little,]" said {other}, who had once heard the first words but not the second.
    {She} sat down before the {vessel} and said, "{Spell}!" And the {vessel} made {stuff}, and {other} [ate|was
    happy], and the {vessel} made more {stuff}. "[That is enough|You may stop now]!" cried {other}. "[Halt!
    Whoa!|Please! Good night!]" But the {vessel} did not listen. The {stuff} {_flow}.

    [{Hero} was on the hill when {he} saw it.|When {hero} came home, half of {village} was in the street.] {He}
    [waded|pushed {his} way] into the house and called, "{Stop}!" And the {vessel} stopped at once. {Other} sat
    on the cupboard[, with {stuff} in {hers} hair,|, holding the cat,] and was very much ashamed. "[Next time|When
    you are hungry], ask me," said {hero}, "and I will share." For a week all {village} lived on {stuff}. {_Say}
    """,
    """
    Do not begin what you cannot stop.
    Learn the last word before you say the first.
    Half a secret is more trouble than none.
    """,
)

NESTERS = table(
    "bird birds",
    """
    swallow ; swallows
    dove ; doves
    owl ; owls
    starling ; starlings
    sparrow ; sparrows
    jackdaw ; jackdaws
    stork ; storks
    robin ; robins
    wren ; wrens
    """,
)


def _bell(teller: Teller) -> None:
    people(teller)
    teller.row("bird", NESTERS)
    eggs = teller.chance.number(3, 7)
    teller.word("eggs", NUMBERS[eggs], "count")
    number(teller, "weeks", 3, 6)


BELL = Plot(
    "bell",
    _bell,
    "[The Silent Bell|The {Bird} in the Tower]",
    """
    [The church bell of {village} rang every morning at six|Every morning at six the great bell of {village}
    rang], and [everybody got up by it|nobody needed a clock]. But one spring morning it did not ring, and [all
    {village} was late|the whole village overslept]. "[Somebody must look|Go up and see]," said {other} the
    {otrade}. So {hero} the {trade} climbed the tower[, all ninety steps|, step by step].

    Inside the bell {he} found {a bird}, and under the {bird} there was a nest with {eggs} eggs. "[If the bell
    rings, they will break|Please do not ring it]," said the {bird}. "Give me {weeks} weeks." {Hero} climbed
    down again. "It is {a bird}," {he} said, "with {eggs} eggs, and she asks for {weeks} weeks." [Some laughed
    and some grumbled.|There was a long silence.] "{Weeks} weeks without a bell!" said {other}. "And how shall
    we get up?" "I will knock at every door," said {hero}.

    And for {weeks} weeks {hero} got up before the sun and knocked at every door in {village}[, rain or shine|].
    When the {weeks} weeks were over, {he} climbed the tower once more. The nest was empty, but on the rail sat
    {eggs} young {birds} in a row. They [looked at {him}|shook their wings], and one after the other they flew,
    until all {eggs} were in the air. Then {hero} took the rope, and the bell rang over {village} [for the first
    time since spring began|as it had never rung before]. "[I rather miss the knocking|Tomorrow I shall sleep
    late]," said {other}. Every spring since then [{a bird} has come to the tower|there has been {a bird} in the
    bell], and every spring they wait. {_Say}
    """,
    """
    What is worth hearing is worth waiting for.
    A little silence lets small things grow.
    Small guests need great patience.
    """,
)

PETS = table(
    "pet petname _marks",
    """
    kitten ; Button ; it was as round as one
    puppy ; Pepper ; it made everybody sneeze
    lamb ; Cloud ; it was white and never in one place
    foal ; Thunder ; it kicked the bucket all night
    duckling ; Crumb ; it was small and yellow and always on the table
    owl chick ; Professor ; it looked as if it knew better
    hedgehog ; Brush ; that was what it felt like
    donkey ; Trumpet ; one could hear it in the next village
    goat kid ; Scissors ; it had cut a hole in every apron
    crow chick ; Parson ; it was black and liked to talk
    piglet ; Puddle ; that was where it was always to be found
    calf ; Biscuit ; that was its colour
    """,
)

DANGERS = table(
    "danger _lost _way",
    """
    fog ; {he} could not see {his} own feet ; walked in front of {him}, step by step
    snowstorm ; the path was gone ; pulled {him} by the sleeve, drift by drift
    flood ; the water was over the road ; led {him} from stone to stone
    mist ; every tree looked like every other ; went before {him}, from tree to tree
    hailstorm ; the stones fell as big as eggs ; tugged at {his} coat until {he} followed
    storm ; the bridge was gone ; showed {him} the old ford
    """,
)


def _foundling(teller: Teller) -> None:
    people(teller)
    teller.row("pet", PETS)
    teller.row("danger", DANGERS)


FOUNDLING = Plot(
    "foundling",
    _foundling,
    "[{A Pet} Called {Petname}|{Petname}]",
    """
    {_Meet}. {_One_day} {he} found a [small|very small] {pet} [in a ditch|under a bush], wet and alone. {He}
    carried it home in {his} arms and gave it [warm milk|a bed by the stove]. "You must have a name," said
    {hero}, and {he} called it {petname}, because {_marks}. "[That is no name for {a pet},|Who ever heard of {a
    pet} called {petname}?]" said {other} the {otrade}. But the {pet} [came|looked up] when {he} called, so
    {petname} it was.

    {Petname} grew, and [ate more every week|chewed both {his} slippers], and followed {hero} everywhere. Then
    [one evening|late one day] {hero} was on {his} way home over the moor, and suddenly there was {a danger}.
    {He} [turned round and round|stood still], for {_lost}. "Help!" {he} shouted, but nobody heard. Then {he}
    thought of something else to shout. "{Petname}!" {he} called. "{Petname}!"

    [For a while there was nothing.|At first there was no answer.] Then something warm pushed against {his}
    knee. It was {petname}, who had heard {him} [through two walls|from the kitchen]. {Petname} {_way}, and so
    the {pet} brought {hero} home through the {danger}. {Other} was standing at the gate [with a lantern|with a
    blanket]. "[That is a good name for {a pet}|It is the best name in the world], after all," said {other}.
    {_Say}
    """,
    """
    Give a thing a name, and it will come when you call.
    What you carry home when it is small may carry you home when you are old.
    Call a friend by name, and a storm is only weather.
    """,
)

SEEDS = table(
    "plant crop",
    """
    bean ; beans
    pumpkin ; pumpkins
    sunflower ; sunflowers
    melon ; melons
    turnip ; turnips
    radish ; radishes
    tulip ; tulips
    poppy ; poppies
    daisy ; daisies
    tomato ; tomatoes
    cucumber ; cucumbers
    marrow ; marrows
    """,
)


def _seed(teller: Teller) -> None:
    people(teller)
    teller.several("seed", SEEDS, 3)
    number(teller, "buckets", 2, 5)
    half = teller.chance.number(3, 6)
    teller.word("harvest", NUMBERS[2 * half], "count")
    teller.word("half", NUMBERS[half], "count", ["harvest"])


SEED = Plot(
    "seed",
    _seed,
    "[The Nameless Seed|{Hero} Plants a Seed]",
    """
    In spring {hero} the {trade} bought a seed from a pedlar. "[It is {a plant1} seed|That is {a plant1} seed],"
    said the pedlar. "Give it {buckets} buckets of water a day, and wait." {Hero} put it in the ground behind
    the {work} and gave it {buckets} buckets of water a day, and [waited|sat down to wait]. {Other} the
    {otrade}, who [knew everything|had a book about plants], looked over the fence. "That will be {a plant2},"
    said {other}. "[No, {a plant1}|I think it will be {a plant1}]," said {hero}.

    In summer there were [two leaves|four leaves], and then [a hundred|more than a dozen]. "It might be {a
    plant3}," said {other}, and [looked in the book|put on {hers} spectacles]. "[{A plant1}|No, {a plant1}],"
    said {hero}, and carried the {buckets} buckets. [The sun was hot, and the path to the well was long.|{His}
    arms grew long with carrying.] "Nobody needs to carry {buckets} buckets," said {other}. "One would do." But
    {hero} had been told {buckets}, and {buckets} it was.

    In autumn {hero} called {other} to the fence. There were no {crop2} and no {crop3}. There were {crop1},
    {harvest} of them, the finest in {village}. "{Harvest} {crop1}!" said {other}[, and shut the book|]. "Just
    as I said," said {hero}. {He} laughed, and gave {her} {half} of the {harvest} {crop1}, and kept one seed for
    the next spring. {_End}
    """,
    """
    Plant {a plant1}, and {a plant1} will come up.
    The ground never forgets what you told it.
    Who asks what it will be should ask what was put in.
    """,
)


WORKERS = table(
    "animal store one",
    """
    squirrel ; nuts ; nut
    mouse ; grains ; grain
    hedgehog ; apples ; apple
    badger ; roots ; root
    jay ; acorns ; acorn
    mole ; onions ; onion
    hamster ; peas ; pea
    beaver ; twigs ; twig
    """,
)

SINGERS = table(
    "animal music",
    """
    cricket ; fiddle
    frog ; drum
    lark ; flute
    blackbird ; whistle
    grasshopper ; guitar
    cuckoo ; horn
    toad ; trumpet
    robin ; harp
    """,
)


def _winter(teller: Teller) -> None:
    worker, singer = teller.chance.pick(WORKERS), teller.chance.pick(SINGERS)
    beasts(teller, worker["animal"], singer["animal"])
    teller.word("store", worker["store"], "thing", ["hero"])
    teller.word("one", worker["one"], "thing", ["hero", "store"])
    teller.word("music", singer["music"], "thing", ["other"])
    number(teller, "weeks", 3, 9)


WINTER = Plot(
    "winter",
    _winter,
    "[The {Hero} and the {Other}|A Song for the Winter]",
    """
    All summer the {hero} carried {store} into {his} house, and all summer the {other} sat on a [stone|fence
    post] and played the {music}. "[Why do you not work?|What will you eat in winter?]" asked the {hero}.
    "[Somebody must play|I work too]," said the {other}. "Do you not carry your {store} faster when I play?" The
    {hero} [did not answer|shook {his} head], but it was true: {his} feet kept time with the {music}.

    Autumn came and the leaves fell, and then came winter with snow. The {hero} sat in {his} house and had
    {store} for breakfast, {store} for dinner and {store} for supper. It was [warm|safe] there, but it was very
    quiet. [{He} counted the {store}, and then {he} counted them again.|{He} talked to the {store}, but they had
    nothing to say.] Then somebody knocked. It was the {other}, [blue with cold|with snow on {hers} head],
    holding the {music}. "I have not eaten for {weeks} days," said the {other}. "[Give me one {one}, and I will
    give you one song.|One song for one {one}?]"

    The {hero} looked at the {store}, and {he} looked at the {music}. "Come in," {he} said, "and shut the door."
    So they [sat by the fire|sat down together], and for every {one} there was a song. When spring came, the
    last of the {store} was gone, and the last of the songs had been sung. "[It was the shortest winter that I
    remember|I never knew so short a winter]," said the {hero}. And in summer the {hero} carried {store} for
    two, and the {other} played the {music} twice as loud. {_Say}
    """,
    """
    {Store} fill the belly, and songs fill the evening.
    There is more than one kind of work.
    A full cupboard is good, but company is better.
    """,
)

RUNNERS = table(
    "animal weakness _stop",
    """
    hare ; clover ; lay down in the {weakness} and ate until {he} fell asleep
    fox ; grapes ; jumped for the {weakness} until {his} legs hurt
    goat ; washing ; ate two shirts and a sheet from the {weakness}
    crow ; buttons ; counted the {weakness} on a coat that hung there
    donkey ; thistles ; stopped among the {weakness} and forgot everything else
    weasel ; eggs ; sniffed at the {weakness} in the henhouse, and the door fell shut
    pony ; sugar ; begged at the kitchen window for {weakness}
    cat ; cream ; smelled {weakness} in the dairy and went in
    magpie ; spoons ; sat on the sill and admired the {weakness} in the kitchen
    bear ; honey ; put {his} head into a hollow tree full of {weakness}, and it stuck there
    """,
)

PLODDERS = column("animal", "snail, tortoise, hedgehog, mole, beetle, toad, duck, earthworm, caterpillar, turtle")

GOALS = column("goal", "old mill, big oak, stone bridge, church door, white gate, round pond, crossroads, red barn")


def _race(teller: Teller) -> None:
    runner, plodder = teller.chance.pick(RUNNERS), teller.chance.pick(PLODDERS)
    beasts(teller, runner["animal"], plodder["animal"])
    teller.word("weakness", runner["weakness"], "thing", ["hero"])
    teller.word("_stop", runner["_stop"], "")
    teller.row("place", GOALS)
    teller.row("stake", column("stake", "acorns, pears, mushrooms, cherries, chestnuts, radishes, biscuits, plums"))
    number(teller, "amount", 4, 12)


RACE = Plot(
    "race",
    _race,
    "[The {Hero} and the {Other}|First at the {Goal}]",
    """
    "Nobody is as fast as I am," said the {hero} [every morning|to everyone who would listen]. The {other}
    [yawned|had heard it often enough]. "I will race you to the {goal}," said the {other}, "and the one who
    comes second pays {amount} {stake}." The {hero} laughed until {he} [had to lie down|got the hiccups].
    "{Amount} {stake}!" {he} said. "[They are as good as mine|I can taste them already]." Now the {hero} had one
    weakness, and that was {weakness}. [The {other} knew it, and said nothing.|{He} had never in {his} life
    walked past {weakness}.]

    They started at sunrise. The {hero} was out of sight [at once|before the {other} had taken three steps]. The
    {other} went on, [a little and then a little more|never fast and never stopping]. Half way to the {goal} the
    {hero} came past some {weakness}. "[I have time|There is plenty of time]," {he} said, "and it is only {a
    other}." So {he} {_stop}. The sun climbed up, and the sun went down again[, and a shadow crept by on the
    road|, and somebody passed by without a sound].

    When the {hero} [came running|came, out of breath,] to the {goal} at last, there sat the {other}. "[Good
    evening|You are late]," said the {other}. "Was it {weakness}?" The {hero} [looked at {his} feet|hung {his}
    head]. "It was {weakness}," {he} said, and {he} paid {amount} {stake}, one after the other. The {other} [ate
    half of them|ate what {she} could] and gave the rest back, for {she} was not [greedy|proud]. {_Say}
    """,
    """
    It is no use to be fast if you do not arrive.
    Know your weakness, for others know it already.
    Slow feet and a clear head will get to the {goal}.
    """,
)

PARENTS = table(
    "animal young home",
    """
    goose ; goslings ; barn
    hen ; chicks ; henhouse
    duck ; ducklings ; boathouse
    rabbit ; young rabbits ; burrow
    cat ; kittens ; hay loft
    goat ; kids ; stable
    mouse ; young mice ; hole
    sheep ; lambs ; fold
    """,
)

PASSWORDS = column(
    "password",
    """butter and bells, three green apples, moon over the mill, warm milk and feathers, nettles for supper,
    two left shoes""",
)

PROWLERS = column("animal", "fox, wolf, weasel, stoat, polecat, lynx")


def _password(teller: Teller) -> None:
    parent = teller.chance.pick(PARENTS)
    beasts(teller, parent["animal"], teller.chance.pick(PROWLERS)["animal"], first_is_she=True)
    teller.word("young", parent["young"], "thing", ["hero"])
    teller.word("home", parent["home"], "place", ["hero"])
    teller.several("password", PASSWORDS, 2)
    teller.row("food", column("food", "corn, cabbage, berries, cheese, bread, carrots"))
    number(teller, "children", 3, 7)


PASSWORD = Plot(
    "password",
    _password,
    "[The Secret Words|The {Hero} and the {Other}]",
    """
    {A hero} had {children} {young}, and they lived in {a home} at the edge of the wood. [One morning|One day]
    {he} had to go out for {food}. "[Do not open the door|Keep the door shut]," {he} said, "unless you hear the
    words: {password1}." "{Password1}," said the {children} {young}, and they [barred|shut] the door behind
    {him}.

    Now {a other} was sitting under the window, [but {she} was a little deaf in one ear|but the wind was
    blowing, and {she} heard badly]. [{She} waited until the {hero} was gone.|{She} counted to ten.] Then {she}
    knocked, and said in a [soft|sweet] voice, "{Password2}!" The {young} [looked at each other|put their heads
    together]. "That is wrong," said the smallest. "[Our mother would know|Mother never says that]." So they did
    not open. The {other} [thought hard|bit {hers} lip] and knocked again. "I have brought you {food}," {she}
    said. "[And the words|What are the words]?" asked the {young}. "{Password2}?" said the {other}. "Wrong
    again!" cried all {children} of them, and [they poured a bucket of water out of the window|the smallest
    dropped a flowerpot on {hers} head]. {She} ran away[ and was not seen again|, and {she} ran all night].

    [Before dark|When the moon came up] there was another knock. "{Password1}," said a voice, and it was the
    right voice and the right words. The {young} opened, and in came the {hero} with a [basket|bag] full of
    {food}. {He} counted the {young}, and there were {children}. "[Did anybody come|Was anyone here]?" {he}
    asked. "Only somebody who said {password2}," said the smallest. Then they all had {food} for supper. {_Say}
    """,
    """
    A good door needs a good word.
    Sweet voices are many, but the right words are few.
    Listen to what is said, not to how sweetly.
    """,
)

PLOTS = [
    RIDDLE,
    HELPER,
    WISHING,
    SPELL,
    BELL,
    FOUNDLING,
    SEED,
    WINTER,
    RACE,
    PASSWORD,
]

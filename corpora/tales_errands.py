"""Tales of buying, carrying, counting, fetching and finding."""

from tales_cast import Plot, colours, number, people
from tales_teller import Teller, column, table
from tales_words import COINS, GIFTS, NUMBERS

NEEDS = table(
    "need cure shop _sign _buy _use",
    """
    hungry ; bread ; bakery ; {his} stomach growled like a bear ; a loaf of {cure}, still warm ;
        {he} ate the {cure} on the steps, down to the last crumb
    cold ; coat ; tailor's shop ; {his} teeth rattled like spoons ; a thick {cure} with deep pockets ;
        {he} put on the {cure} and did up every button
    thirsty ; milk ; dairy ; {his} tongue was as dry as an old boot ; a jug of fresh {cure} ;
        {he} drank the {cure} in one go and licked {his} lips
    barefoot ; shoes ; shoe shop ; {he} had a thorn in one foot and a stone under the other ;
        a pair of {cure} with strong soles ; {he} put on the {cure} and stamped twice to hear the sound
    wet ; umbrella ; umbrella shop ; the rain ran in at {his} collar and out at {his} sleeves ;
        a big {cure} with a duck's head ; {he} opened the {cure}, and the rain drummed on it and stayed outside
    dirty ; soap ; soap shop ; even the pigs turned up their noses at {him} ; a round piece of {cure} ;
        {he} washed with the {cure} until {his} ears were pink
    lonely ; puppy ; kennel ; {he} had talked to the teapot all week, and it never answered ;
        a small brown {cure} ; the {cure} licked {his} nose and fell asleep in {his} sleeve
    bored ; book ; bookshop ; {he} had counted all the nails in the floor, and then counted them again ;
        a fat old {cure} ; {he} opened the {cure} and did not look up until the sun went down
    sleepy ; pillow ; feather shop ; {he} yawned so wide that a fly flew in and out again ;
        a soft white {cure} ; {he} put {his} head on the {cure} and slept until noon
    late ; clock ; clock shop ; {he} had missed breakfast twice and {his} own birthday once ;
        a small round {cure} ; {he} hung the {cure} over {his} bed, and it ticked at {him} kindly
    forgetful ; notebook ; paper shop ; {he} had put salt in the tea and sugar on the egg ;
        a little {cure} and a pencil ; {he} wrote {his} own name in the {cure}, to be on the safe side
    hoarse ; honey ; bee garden ; {he} croaked like a frog when {he} wanted to say good morning ;
        a pot of {cure} ; {he} ate three spoons of {cure}, and {his} voice came back
    half blind ; spectacles ; glass shop ; {he} had said good morning to three gateposts ;
        a pair of {cure} ; {he} put on the {cure} and saw that the trees had leaves
    afraid of the dark ; lantern ; lamp shop ; every night {he} took the coat on the door for a robber ;
        a bright little {cure} ; that night {he} lit the {cure}, and the coat was only a coat
    lame ; stick ; wood yard ; {he} had one good knee and one bad one ; a strong {cure} ;
        {he} leaned on the {cure} and walked as well as a goat
    """,
)

GOODS = column(
    "goods",
    """ribbons, whistles, silver bells, paper kites, masks, glass beads, mirrors, painted eggs, fans,
    feathers, toy boats, combs, little flags, marbles""",
)


def _need(teller: Teller) -> None:
    people(teller)
    teller.row("need", [row for row in NEEDS if row["shop"] != teller.known("work")])
    teller.several("thing", GOODS, 2)
    teller.row("coin", COINS)


NEED = Plot(
    "need",
    _need,
    "[The {Trade} Who Was {Need}|{Hero} Goes to Market]",
    """
    {_Meet}. {_Look} [But {_one_day} {he} was {need}, so {need} that {_sign}.|But {_one_day} {he} was very
    {need}. In fact, {_sign}.] [All the money {he} had was|In {his} pocket there was nothing but] one {coin}
    coin. [So {he}|{He} took it and] [walked|set out] to the market.

    [At the gate|By the fountain] a [man|woman] [was selling|stood selling] {goods1}. "[Fine|Lovely] {goods1},
    only one {coin} coin!" "[They are very pretty|I never saw prettier ones]," said {hero}, "but I am {need},
    and [{goods1} will not help|what good are {goods1} to me]." [A little further on|Round the corner] a
    [boy|girl] [held up|was selling] some {goods2}. "[Everybody wants {goods2}|You cannot live without
    {goods2}]!" [cried|called] the [child|little one]. {Hero} looked at the {goods2} [for a long time|and
    sighed], but {he} [shook {his} head|walked on]. "[I should like them|They are the best I ever saw]," {he}
    said, "but [I should still be {need}|today I am {need}]."

    [At last {he} came to the {shop}.|And then, at the end of the street, {he} saw the {shop}.] {He} [put
    down|laid down] {his} {coin} coin and [bought|asked for] {_buy}. {_Use}. "[Now I am not {need} any more|I
    was {need}, and now I am not]," said {hero}, and {he} [whistled|sang] all the way back to the {work}. {_End}
    """,
    """
    Know what you need, and the rest will not call you twice.
    A coin can be spent only once, so spend it on the right thing.
    The market has a thousand things, and you need only one of them.
    {Goods1} and {goods2} are for another day.
    """,
)

COUNTED = table(
    "one many _lose _box",
    """
    egg ; eggs ; rolled out and broke on a stone ; in a basket of straw
    apple ; apples ; fell out and rolled into the river ; in a sack
    cake ; cakes ; went into the mouth of a passing goat ; on a tray
    cheese ; cheeses ; rolled down the hill and was never seen again ; in a barrow
    candle ; candles ; fell in the road and was squashed by a cart ; in a box
    jug ; jugs ; knocked against a wall and broke ; in a cart full of hay
    plum ; plums ; was stolen by a blackbird ; in a bowl
    pie ; pies ; slid off and was eaten by ducks ; on a board
    cup ; cups ; tumbled out and cracked ; in a wooden box
    pear ; pears ; fell in the mud, and a pig had it ; in a basket
    bun ; buns ; was snatched by a crow ; in a clean cloth
    """,
)


def _counting(teller: Teller) -> None:
    people(teller)
    teller.row("thing", COUNTED)
    teller.row("coin", COINS)
    total = teller.chance.number(4, 10)
    given = teller.chance.number(1, 2)
    teller.word("total", NUMBERS[total], "count")
    teller.word("after", NUMBERS[total - 1], "count", ["total"])
    teller.word("given", NUMBERS[given], "count")
    teller.word("left", NUMBERS[total - 1 - given], "count", ["after"])
    teller.word("sold", teller.known("many" if total - 1 - given > 1 else "one"), "thing", ["one", "many"])
    teller.word("coins", "coins" if total - 1 - given > 1 else "coin", "count", ["left"])
    teller.word("theirs", teller.known("many" if given > 1 else "one"), "thing", ["one", "many"])


COUNTING = Plot(
    "counting",
    _counting,
    "[{Total} {Many}|{Total} {Many} for the Market]",
    """
    {_Meet}. {_Look} {_One_day} {he} [set out|started early] [for|to] the market with {total} {many} {_box}.
    "{Total} {many}," said {hero}, "and [every one of them|each one] is worth {a coin} coin. [That makes|That
    will be] {total} {coin} coins." {He} [counted them again, and there were {total}|was so proud that {he} did
    not look at the road].

    [At the bridge|By the old oak] {he} [stumbled over a root|slipped in the mud], and one {one} {_lose}.
    [{Hero} counted|{He} sat down and counted]. [There were {after} {many} left|Now there were {after} {many}].
    "{After} is not {total}," {he} said, "but [it is a good number|{after} is better than none]." [Further on|In
    the wood] {he} met {other} the {otrade}, who [had eaten nothing since yesterday|was crying by the road].
    {Hero} [thought for a moment|scratched {his} head] and gave {her} {given} {theirs}. "[Take {given} of my
    {after}|I have {after}, so take {given}]," {he} said.

    [When {he} came to the market|At the market], {he} had {left} {sold} left. {He} [sold all {he} had|sold
    everything before noon], and got {left} {coin} {coins}. [On the way home {he} met {other} again.|{Other} was
    waiting at the gate of {village}.] "[Did you sell your {total} {many}|How much did you get for your {total}
    {many}]?" asked {other}. "{Left} {coin} {coins}," said {hero}. "One {one} I lost[ on the road|], and {given}
    I gave to you." "{Given} I shall pay back," said {other}, and [{she} did|{she} kept {hers} word]. {_End}
    """,
    """
    What is lost is gone, but what is given comes home.
    A gift is the only {one} that never breaks.
    Count what you give, and you will not mind what you lose.
    """,
)

WARES = table(
    "ware _song",
    """
    salt ; {ware} for the soup
    thread ; {ware} for the sleeve
    candles ; {ware} for the night
    sugar ; {ware} for the tea
    nails ; {ware} for the door
    ink ; {ware} for a letter
    butter ; {ware} for the pan
    wool ; {ware} for a sock
    pepper ; {ware} for the goose
    rope ; {ware} for the goat
    flour ; {ware} for the cake
    paint ; {ware} for the gate
    vinegar ; {ware} for the window
    onions ; {ware} for the pie
    matches ; {ware} for the stove
    """,
)

REMINDERS = table(
    "ware _reminder",
    """
    salt ; a tear ran down to {his} mouth, and it tasted of something
    thread ; a button hung loose on {his} coat
    candles ; it was getting dark, and {he} could not see {his} hand
    sugar ; a child went by with a sweet in each cheek
    nails ; a loose board hit {him} on the knee
    ink ; a blackbird hopped by, as black as a blot
    butter ; {he} sat down on a yellow flower, and it was soft
    wool ; a sheep looked over the wall
    pepper ; a fly tickled {his} nose, and {he} sneezed
    rope ; {he} saw a bucket hanging in a well
    flour ; the miller's cat came by, white from ears to tail
    paint ; {he} leaned on a fence, and it was wet and green
    vinegar ; {he} bit into an apple, and it was sour
    onions ; something made {his} eyes water
    matches ; far away a chimney began to smoke
    """,
)


def _shopping(teller: Teller) -> None:
    people(teller)
    teller.several("errand", WARES, 3)
    reminders = {row["ware"]: row["_reminder"] for row in REMINDERS}
    teller.word("_reminder", reminders[teller.known("ware2")], "")


SHOPPING = Plot(
    "shopping",
    _shopping,
    "[Three Things from the Shop|{Hero} Forgets]",
    """
    {_Meet}. {_Look} {_One_day} {other} the {otrade} [asked {him} to go to the shop|sent {him} to the shop].
    "[Please bring|Bring] me three things," said {other}: "{ware1}, {ware2} and {ware3}. [Can you remember
    that?|Say it over as you go.]" "{Ware1}, {ware2} and {ware3}," said {hero}. [{He} had a head like a sieve,
    so {he} made a song of it.|To be safe, {he} made a song.] "{_Song1}, {_song2}, {_song3}!" {he} sang, and off
    {he} went.

    [But on the bridge|But at the crossroads] [a dog barked at {him}|a goose ran after {him}], and when {he}
    went on, [part of the song was gone|there was a hole in the song]. "{Ware1}," sang {hero}, "and {ware3},
    and... and..." {He} could not find the middle of it. {He} [tried cabbages, but that was not it|sat down on a
    wall to think]. "{Ware1} and {ware3}," {he} said again, "and something between." [Then|But then]
    {_reminder}. "{Ware2}!" cried {hero}. "It was {ware2}!"

    [So {he} bought all three and carried them home.|{He} ran to the shop, bought all three, and ran back to
    {village}.] {Other} looked into the basket. [In it lay the {ware1}, the {ware2} and the {ware3}.|There they
    lay, the {ware1}, the {ware2} and the {ware3}.] "[You have forgotten nothing|Nothing is missing]," {she}
    said, and {she} gave {him} [a kiss on the nose|a slice of cake]. {_End}
    """,
    """
    What the head forgets, the world will say again to those who listen.
    A song with a hole in it is still worth singing.
    Two things out of three is not a list.
    """,
)

SWAPPED = column(
    "swap",
    """cow, goat, goose, hen, kettle, drum, kite, mirror, fiddle, clock, umbrella, apron, hat, lantern, saddle, rug,
    broom, bell, teapot, spoon, blanket, basket, ladder, pumpkin, onion, orange, whistle, wheel, chair, shovel""",
)


def _swaps(teller: Teller) -> None:
    people(teller)
    teller.several("thing", SWAPPED, 4)
    teller.row("gift", GIFTS)


SWAPS = Plot(
    "swaps",
    _swaps,
    "[{Hero} Makes a Bargain|From {Swap1} to {Swap4}]",
    """
    {_Meet}. {_Look} {He} had {a swap1}, [and was tired of it|but there was no room for it]. So {_one_day} {he}
    took the {swap1} and [set off|went out] to see what {he} could get for it.

    [On the road|Not far from {village}] {he} met a [farmer|sailor] with {a swap2}. "Your {swap2} for my
    {swap1}!" said {hero}. "[Done|Gladly]," said the man, and they [shook hands|changed over]. {Hero} liked the
    {swap2} [for about a mile|until noon]. Then {he} saw [an old woman|a young woman] with {a swap3}, and soon
    she had the {swap2} and {hero} had the {swap3}. [By evening|When the sun was low] a [boy|girl] came by with
    {a swap4}. [{Hero} could not help it.|{Hero} had never wanted anything so much.] {He} [gave|gave up] the
    {swap3} and [got|took] the {swap4}.

    At home {other} the {otrade} was [sitting on the wall|standing at the gate]. "Where is your {swap1}?" [she
    asked|asked {other}]. "I gave the {swap1} for {a swap2}," said {hero}, "and the {swap2} for {a swap3}, and
    the {swap3} for {a swap4}." {Hero} looked at {his} feet and waited to be laughed at. But {other} [clapped
    {hers} hands|jumped off the ground]. "{A swap4}!" {she} cried. "I have wanted {a swap4} all my life." {Hero}
    gave {her} the {swap4}, and {she} gave {him} {a gift}. [So the day began with {a swap1} and ended with a
    friend.|And {he} never missed the {swap1} at all.] {_End}
    """,
    """
    The best bargain has two winners.
    What you get matters less than whom you give it to.
    The best bargain is the one that makes somebody else happy.
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
    pass ; is full of snow ; come through the valley ; brass
    stair ; is rotten ; come up by the ladder ; chair
    """,
)


def _message(teller: Teller) -> None:
    people(teller)
    teller.row("message", NEWS, "m")
    teller.row("gift", GIFTS)


MESSAGE = Plot(
    "message",
    _message,
    "[{Hero} Carries a Message|The Message]",
    """
    {_Meet}. {_Look} {_One_day} {other} the {otrade} came [running|in a great hurry] and said, "You have good
    legs. Go to {third} and say: the {placem} {troublem}, {detourm}." "The {placem} {troublem}, {detourm}," said
    {hero}, and {he} [was off|ran]. {He} said it [at every step|under {his} breath], so as not to lose it.

    [Half way there|At the edge of the wood] {he} [jumped over a stream|was chased by a goose], and [the words
    were shaken up|the words got mixed]. "The {wrongm} {troublem}," said {hero}. [That sounded odd.|{He}
    stopped. Something was wrong.] "[What would {third} do with {a wrongm}?|Who ever heard of such {a wrongm}?]"
    {He} [went back to the place where {he} had lost it|sat down and held {his} head], and [after a while|there,
    sure enough,] it came back to {him}. "Not the {wrongm}. The {placem}!"

    {Third} was [just putting on a hat|already in the saddle] when {hero} came in at the gate. "[Stop|Wait]!"
    {he} cried. "{Other} the {otrade} sends me to say: the {placem} {troublem}, {detourm}." [So {third} did not
    go near the {placem}|{Third} thanked {him} and took the other way], and came [safe|in good time] to
    {village}. For {his} trouble {hero} got {a gift}. {_Say}
    """,
    """
    One wrong word can sink a ship, and one right word can save it.
    A message is like an egg: carry it whole or not at all.
    Say it twice, and carry it once.
    """,
)

TREES = column(
    "tree", "oak tree, pear tree, ash tree, willow tree, walnut tree, cherry tree, chestnut tree, elm tree, plum tree"
)

TURNS = table(
    "way wrongway",
    """
    north ; south
    south ; north
    east ; west
    west ; east
    """,
)

TREASURES = table(
    "chest hoard _good",
    """
    iron box ; spoons ; every guest in {village} could have soup at once
    clay pot ; seeds ; there were flowers at every door in {village}
    wooden chest ; books ; nobody in {village} was bored in winter again
    copper kettle ; buttons ; not a coat in {village} hung open that winter
    leather bag ; marbles ; every child in {village} had one in each pocket
    stone jar ; honey ; nobody in {village} coughed that winter
    tin box ; letters ; {he} read one aloud at the inn every Sunday
    oak barrel ; bells ; every cow in {village} made music
    """,
)


def _treasure(teller: Teller) -> None:
    people(teller)
    teller.row("tree", TREES)
    teller.row("way", TURNS)
    teller.row("treasure", TREASURES)
    number(teller, "steps", 5, 12)


TREASURE = Plot(
    "treasure",
    _treasure,
    "[{Steps} Steps {Way}|The {Chest} under the Ground]",
    """
    {_Meet}. {_Look} {_One_day} {he} found a [scrap of paper|note] [in {his} grandmother's teapot|under a loose
    board in the {work}]. On it was written: "From the {tree}, {steps} steps {way}. Dig there." [There was only
    one {tree} in {village}|There was {a tree} behind the {work}], and {hero} [ran to it|went there] with a
    spade.

    {He} was in such a hurry that {he} took {steps} steps {wrongway}. {He} dug until [noon|dinner time] and
    found [an old boot|a very angry mole]. {Other} the {otrade} [leaned on the fence|stopped to look]. "What
    does the paper say?" asked {other}. "{Steps} steps {way}," said {hero}. "And which way did you go?" [{Hero}
    looked at the sun and turned red.|{Hero} looked at the sun, and then at the hole.] "{Wrongway}," {he} said.

    So they went back to the {tree} together, and counted {steps} steps {way}, and dug[ side by side|]. [The
    spade knocked against something.|The spade rang.] It was {a chest}. {Hero} [opened it with the spade|lifted
    the lid], and the {chest} was full of {hoard}. "No gold?" said {other}. "[No gold|Not a bit of gold]," said
    {hero}, "only {hoard}." [But they laughed, and carried the {chest} home.|They laughed and took the {chest}
    back to {village}.] And after that {_good}. {_End}
    """,
    """
    A map is only as good as the one who reads it.
    Read twice and dig once.
    Not every treasure shines.
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
    ribbon ; one end cut short
    blanket ; a corner that the goat had eaten
    """,
)


def _lost(teller: Teller) -> None:
    people(teller)
    colours(teller, 3)
    teller.row("thing", CLOTHES)
    teller.row("gift", GIFTS)


LOST = Plot(
    "lost",
    _lost,
    "[The {Colour1} {Lost}|{Hero} Loses {a Lost}]",
    """
    {_Meet}. {_Look} {He} had {a colour1} {lost} with {mark}. [It was old, but {he} loved it.|{His} grandmother
    had made it.] {_One_day} [the wind took it and carried it over the roofs|{he} left it on a wall and walked
    on], and the {colour1} {lost} was gone. {Hero} looked [behind every wall|in every hedge] and found [nothing
    but a surprised hen|two snails and a spoon].

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
    besides. {_End}
    """,
    """
    A true word keeps you warmer than a new {lost}.
    What is yours fits best.
    Take what is yours, and you will sleep well in it.
    """,
)

PUT_AWAY = column(
    "spot",
    """bread bin, left boot, flour jar, teapot, piano, wood box, sugar bowl, rain barrel, hat box, clock
    case, soup pot, coal bucket""",
)

VALUABLES = table(
    "valuable _why",
    """
    ring ; thieves
    silver spoon ; the magpies
    gold watch ; robbers
    house key ; burglars
    love letter ; the neighbours
    lucky penny ; thieves
    medal ; the magpies
    pearl ; robbers
    whistle ; the children
    spare button ; the magpies
    """,
)


def _mislaid(teller: Teller) -> None:
    people(teller)
    teller.row("thing", VALUABLES)
    teller.several("spot", PUT_AWAY, 3)


MISLAID = Plot(
    "mislaid",
    _mislaid,
    "[A Very Safe Place|The {Trade} and the {Spot1}]",
    """
    {_Meet}. {_Look} [The thing {he} loved best was {a valuable}|{He} had one treasure, {a valuable}], and {he}
    was afraid of {_why}. So {_one_day} {he} hid the {valuable} in the {spot1}. "[Nobody will look|Nobody ever
    looks] in the {spot1}," said {hero}, [and was very pleased with {himself}|and rubbed {his} hands]. [(Nobody
    did, as you will see.)|(This was true. Nobody did.)] Then [a week|a month] went by, and {he} forgot all
    about it.

    [When the fair came,|When a cousin was to be married,] {hero} wanted the {valuable} and could not find it.
    {He} ran to {other} the {otrade}. "[Help|Help me, {other}]!" {he} said. "I have been robbed." [They went
    back to the house together.|{Other} put on {hers} hat and came.] {Other} looked in the {spot2}, and there
    was [only a spider|nothing but dust]. {She} looked in the {spot3}, and there was [a mouse asleep|an old
    biscuit]. "[Think|Sit down and think]," said {other}. "Where would nobody ever look?" {Hero} [opened {his}
    mouth and shut it again|turned as red as a beet]. "In the {spot1}," {he} said.

    And in the {spot1} lay the {valuable}, [safe and sound|a little dusty]. "[So who was the robber?|Shall we
    call the watchman?]" asked {other}. "{Hero} the {trade}," said {hero}, "and {he} is very sorry." [They
    laughed until the cups rattled.|{He} made tea for both of them.] {_End}
    """,
    """
    A place can be so safe that even you cannot get in.
    Hide a thing from everyone, and you hide it from yourself.
    A good hiding place should be written down and hidden somewhere else.
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
    teller.row("animal", STRAYS)
    teller.row("place", DARK_PLACES)
    teller.row("light", LIGHTS)
    number(teller, "paces", 6, 12)
    colours(teller, 1)


DARK = Plot(
    "dark",
    _dark,
    "[The {Stray} in the {Cave}|{Hero} Goes In]",
    """
    {_Meet}. {_Look} {He} had a [small|young] {stray} with {a colour1} ribbon round its neck. {_One_day} the
    {stray} was gone. {Hero} followed its [tracks|little footprints] [through the {cover}|across two fields] to
    the door of the {cave}[, where nobody in {village} liked to go|]. From inside came a sound of {_call}.
    [{Hero} swallowed hard.|{His} knees said no, but {his} heart said yes.] {He} lit {a light} and went into the
    {cave}.

    "{Paces} steps," {he} [told {himself}|said], "and if I find nothing, I turn round." {He} counted as {he}
    went. In the {cave} {_inside}. [At the third step|Half way in] the {light} [flickered|burned low], and
    something [rustled|moved]. "Who is there?" asked {hero}. It was only {a dweller}, [and it was more afraid
    than {he} was|blinking at the {light}]. "Good evening," said {hero} to the {dweller}[, because {he} was
    polite even in the dark|]. And at the last of the {paces} steps {he} saw something {colour1}. There stood
    the {stray}, {_call} [for joy|with all its might].

    {He} [took it in {his} arms|held it by the {colour1} ribbon], and counted {paces} steps back. {Hero} and the
    {stray} came out of the {cave} [into the {season} sun|just as the stars came out], and the {light} [went
    out|was no longer needed]. "[Was it terrible|What was in there]?" asked {other} the {otrade}[ at the gate|,
    who had come to look for them]. "{A dweller}," said {hero}, "and {paces} steps." {_End}
    """,
    """
    The dark is only a room without {a light}.
    Most of what we fear is afraid of us.
    What goes in one step at a time comes out the same way.
    """,
)

PLOTS = [NEED, COUNTING, SHOPPING, SWAPS, MESSAGE, TREASURE, LOST, MISLAID, DARK]

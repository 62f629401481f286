"""Tales of riddles, wishes and spells, of seeds and bells, and of animals that talk."""

from tales_cast import Plot, beasts, number, people
from tales_teller import Teller, column, table
from tales_words import RIBBONS

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
    """,
)

LOSSES = column("jewel", "ring, locket, brooch, bracelet, necklace, buckle, hairpin, gold watch")


def _helper(teller: Teller) -> None:
    people(teller)
    teller.lots("animal", HELPERS)
    teller.lots("thing", LOSSES)
    teller.row("colour", RIBBONS, "1")


HELPER = Plot(
    "helper",
    _helper,
    "[The {Helper} and the {Jewel}|{Hero} and the {Helper}]",
    """
    {_One_day} {hero} the {trade} of {village} heard a small voice by the road. {A helper} was caught in {a
    trap} [and could not get out|and shook with fear]. "[Help|Please help] me," said the {helper}, "and I will
    help you." {Hero} [smiled|had to smile]. "How can {a helper} help me?" {he} said, but {he} knelt down and
    [took|helped] the {helper} out of the {trap}. "[I shall not forget it|I never forget]," said the {helper},
    and [was gone|went off without looking back].

    Now {other} the {otrade} had {a jewel} with {a colour1} stone, which [{hers} mother had left {her}|{she}
    loved more than anything]. {She} lent the {jewel} to {hero} [for the fair|to wear on Sunday]. And [before
    {hero} knew it|that very day], a magpie [snatched it|took it] and dropped it {hidden}. {Hero} [looked and
    looked|tried all day], but {he} could not get at it. {He} sat down and [hid {his} face|did not dare to go
    home].

    "[Why are you so sad?|What is the matter?]" said a small voice. It was the {helper} from the {trap}. "The
    {jewel} lies {hidden}," said {hero}, "and it is not even mine." "Is that all?" said the {helper}, and
    {fetch}, and came back with something {colour1} and shining. [Before it was dark|That same evening] {hero}
    gave the {jewel} with the {colour1} stone back to {other}. "[You have taken good care of it|I hope it
    brought you luck]," said {other}. "Not I," said {hero}. "It was {a helper}." {_Say}
    """,
    """
    Nobody is too small to be a friend.
    A good deed comes back on little feet.
    Ask not how big a friend is, but how true.
    """,
)


SPELLS = column(
    "spell",
    """pip and pepper, hurry and flurry, up with the moon, seven blue geese, wake up and work, run and
    rumble, stir and bubble, more and more""",
)

STOPS = column(
    "stop",
    """enough is plenty, hush and rest, down with the sun, thank you kindly, sleep in the straw, that will
    do, still and cool, no more today""",
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
    """,
)


def _spell(teller: Teller) -> None:
    people(teller)
    teller.lots("spell", SPELLS)
    teller.lots("stop", STOPS)
    teller.lots("vessel", VESSELS)


SPELL = Plot(
    "spell",
    _spell,
    "[The {Vessel} That Would Not Stop|The Magic {Vessel}]",
    """
    {Hero} the {trade} of {village} had an old {vessel}, a present from {his} grandmother. If you said to it,
    "{Spell}!" it made {stuff}, as much as you liked, and if you said, "{Stop}!" it stopped. [{He} told
    nobody.|That was a secret, but walls have ears.] Every evening {hero} said, "{Spell}!" and had {stuff} for
    supper, and then {he} said, "{Stop}!" and went to bed.

    One {season} day {hero} was away, and {other} the {otrade} [looked in at the window|came to the door]. "[How hard
    can it be?|I only want a little,]" said {other}, who had once heard the first words but not the second.
    {She} sat down before the {vessel} and said, "{Spell}!" And the {vessel} made {stuff}, and {other} [ate|was
    happy], and the {vessel} made more {stuff}. "[That is enough|You may stop now]!" cried {other}. "[Halt!
    Whoa!|Please! Good night!]" But the {vessel} did not listen. The {stuff} {_flow}.

    [{Hero} was on the hill when {he} saw it.|When {hero} came home, half of {village} was in the street.] {He}
    [waded|pushed {his} way] into the house and called, "{Stop}!" And the {vessel} stopped at once. {Other} sat
    on the cupboard[, with {stuff} in {hers} hair,|, holding the cat,] and was very much ashamed. "[Next
    time|When you are hungry], ask me," said {hero}, "and I will share." All that {season} {village} lived
    on {stuff}. {_Say}
    """,
    """
    Do not begin what you cannot stop.
    Learn the last word before you say the first.
    Half a secret is more trouble than none.
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
    dust storm ; there was no road and no sky ; held on to {his} belt and trotted home
    thunderstorm ; every flash made the dark darker ; ran ahead and called at every turn
    """,
)


def _foundling(teller: Teller) -> None:
    people(teller)
    teller.lots("pet", PETS)
    teller.lots("danger", DANGERS)


FOUNDLING = Plot(
    "foundling",
    _foundling,
    "[{A Pet} Called {Petname}|{Petname}]",
    """
    One {season} day {hero} the {trade} of {village} found a [small|very small] {pet} [in a ditch|under a bush], wet
    and alone. {He} carried it home in {his} arms and gave it [warm milk|a bed by the stove]. "You must have a
    name," said {hero}, and {he} called it {petname}, because {_marks}. "[That is no name for {a pet},|Who ever
    heard of {a pet} called {petname}?]" said {other} the {otrade}. But the {pet} [came|looked up] when {he}
    called, so {petname} it was.

    {Petname} grew, and [ate more every week|chewed both {his} slippers], and followed {hero} everywhere. Then
    [one evening|late one day] {hero} was on {his} way home over the moor, and suddenly there was {a danger}.
    {He} [turned round and round|stood still], for {_lost}. "Help!" {he} shouted, but nobody heard. Then {he}
    thought of something else to shout. "{Petname}!" {he} called. "{Petname}!"

    [For a while there was nothing.|At first there was no answer.] Then something warm pushed against {his}
    knee. It was {petname}, who had heard {him} [through two walls|from the kitchen]. {Petname} {_way}, and so
    the {pet} brought {hero} home through the {danger}. {Other} was standing at the gate [with a lantern|with a
    blanket]. "[To think|And to think] that you found it in {season}," said {other}, "wet and alone. It is the best
    name in the world, after all." {_Say}
    """,
    """
    Give a thing a name, and it will come when you call.
    What you carry home when it is small may carry you home when you are old.
    Call a friend by name, and a storm is only weather.
    """,
)


SINGERS = table(
    "animal store one neighbour music",
    """
    squirrel ; nuts ; nut ; cricket ; fiddle
    mouse ; grains ; grain ; frog ; drum
    hedgehog ; apples ; apple ; lark ; flute
    badger ; roots ; root ; blackbird ; whistle
    jay ; acorns ; acorn ; grasshopper ; guitar
    mole ; onions ; onion ; cuckoo ; horn
    hamster ; peas ; pea ; toad ; trumpet
    beaver ; twigs ; twig ; robin ; harp
    """,
)


SEATS = column("seat", "stone, fence post, tree stump, flowerpot")


def _winter(teller: Teller) -> None:
    beasts(teller, SINGERS)
    teller.row("place", SEATS)
    number(teller, "days", 3, 9)


WINTER = Plot(
    "winter",
    _winter,
    "[The {Hero} and the {Other}|A Song for the Winter]",
    """
    All summer the {hero} carried {store} into {his} house, and all summer the {other} sat on {a seat}
    and played the {music}. "[Why do you not work?|What will you eat in winter?]" asked the {hero}.
    "[Somebody must play|I work too]," said the {other}. "Do you not carry your {store} faster when I play?" The
    {hero} [did not answer|shook {his} head], but it was true: {his} feet kept time with the {music}.

    Autumn came and the leaves fell, and then came winter with snow. The {hero} sat in {his} house and had
    {store} for breakfast, {store} for dinner and {store} for supper. It was [warm|safe] there, but it was very
    quiet. [{He} counted the {store}, and then {he} counted them again.|{He} talked to the {store}, but they had
    nothing to say.] Then somebody knocked. It was the {other}, [blue with cold|with snow on {hers} head],
    holding the {music}. "I have not eaten for {days} days," said the {other}. "[Give me one {one}, and I will
    give you one song.|One song for one {one}?]"

    The {hero} looked at the {store}, and {he} looked at the {music}. "Come in," {he} said, "and shut the door."
    So they [sat by the fire|sat down together], and for every {one} there was a song. When spring came, the
    last of the {store} was gone, and the last of the songs had been sung. "[It was the shortest winter that I
    remember|I never knew so short a winter]," said the {hero}. And in summer the {hero} carried {store} for
    two, and the {other} sat on the {seat} and played the {music} twice as loud. {_Say}
    """,
    """
    {Store} fill the belly, and songs fill the evening.
    There is more than one kind of work.
    A full cupboard is good, but company is better.
    """,
)


PARENTS = table(
    "animal young home neighbour food password1 password2",
    """
    goose ; goslings ; barn ; fox ; corn ; butter and bells ; warm milk and feathers
    hen ; chicks ; henhouse ; weasel ; berries ; three green apples ; two left shoes
    duck ; ducklings ; boathouse ; polecat ; bread ; moon over the mill ; salt and silver
    rabbit ; young rabbits ; burrow ; stoat ; carrots ; warm milk and feathers ; hay in the hat
    cat ; kittens ; hay loft ; marten ; cheese ; nettles for supper ; butter and bells
    goat ; kids ; stable ; wolf ; cabbage ; two left shoes ; moon over the mill
    mouse ; young mice ; hole ; snake ; oats ; salt and silver ; three green apples
    sheep ; lambs ; fold ; lynx ; clover ; hay in the hat ; nettles for supper
    """,
)


def _password(teller: Teller) -> None:
    beasts(teller, PARENTS, first_is_she=True)
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

PLOTS = [HELPER, SPELL, FOUNDLING, WINTER, PASSWORD]

"""The people, trades, places and things that every tale may use.

Each table is a list of rows. The cells of a row belong together, so that the first one written tells a
reader the others: a baker works in a bakery, and in winter it is snow that lies on the lane.
"""

from tales_teller import cells, column, table

WOMEN = cells(
    """Ada, Alma, Bella, Clara, Dora, Elsa, Flora, Greta, Hilda, Iris, Kate, Lily, Lucy, Martha, Milly, Olga, Rosa,
    Sally, Stella, Vera"""
)

MEN = cells(
    """Abel, Albert, Anton, Ben, Caspar, Edgar, Emil, Frank, Gus, Harold, Ivan, Jacob, Karl, Ludwig, Max, Otto,
    Peter, Robert, Theo, Victor"""
)

VILLAGES = column(
    "village",
    """Applewick, Barley Bridge, Crumbleford, Elmstead Green, Frogmarsh, Goosegate, Hollybrook, Inkwell Cross,
    Kettleby, Larkmoor, Mintham, Owlbury, Quince Hollow, Saltby, Thistledown, Willowmere""",
)

FAR_PLACES = column(
    "far",
    """the Copper Mountains, the Glass Islands, the Salt Valley, the Windy Hills, the Land of Lamps, the Red
    Desert, the city of Orlo, the town of Veen, the Singing Forest, the Silver Lakes""",
)

SEASONS = table(
    "season cover air",
    """
    spring ; blossom ; the first swallows were back
    summer ; dust ; the bees were loud in the clover
    autumn ; leaves ; the geese were flying south
    winter ; snow ; the ponds were hard as stone
    """,
)

TRADES = table(
    "trade work tool _habit",
    """
    baker ; bakery ; rolling pin ; There was [always|] flour in {his} hair, even on Sundays.
    miller ; mill ; grain scoop ; {He} could sleep through any noise, but silence woke {him}.
    weaver ; weaving room ; shuttle ; {He} counted threads even in {his} sleep.
    potter ; pottery ; clay knife ; {He} left a thumbprint on everything {he} made.
    shepherd ; sheepfold ; crook ; {He} knew every sheep by its cough.
    tailor ; tailor's shop ; thimble ; {He} always had a pin or two in the corner of {his} mouth.
    smith ; forge ; hammer ; {He} could crack a walnut between two fingers.
    gardener ; greenhouse ; rake ; {He} said good morning to each cabbage in turn.
    carpenter ; workshop ; saw ; There was [always|] sawdust in {his} soup.
    cobbler ; shoe shop ; awl ; {He} looked at people's feet first and their faces after.
    beekeeper ; bee garden ; straw hat ; {He} told the bees all the news before {he} told anyone else.
    farmer ; farm ; pitchfork ; {He} got up before the rooster and went to bed after the owl.
    cook ; kitchen ; ladle ; {He} tasted everything twice, and the pudding three times.
    painter ; attic ; brush ; {His} fingers were never fewer than three colours.
    innkeeper ; inn ; key ring ; {He} knew forty stories and told them all at supper.
    hatter ; hat shop ; measuring tape ; {He} wore two hats on weekdays and three on Sundays.
    clockmaker ; clock shop ; eyeglass ; {He} was never late and never in a hurry.
    teacher ; schoolhouse ; hand bell ; There was [always|] chalk on {his} nose.
    doctor ; sickroom ; black bag ; {He} gave every patient a plum, and it often helped.
    fisher ; boathouse ; net ; {He} could smell rain a day before it fell.
    """,
)

COLOURS = column("colour", "red, blue, green, yellow, white, black, brown, grey, purple, orange")

COINS = column("coin", "copper, silver, brass, tin")

NUMBERS = cells("no, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve")

GIFTS = column(
    "gift",
    """jar of honey, blue cup, plum cake, pot of jam, wooden spoon, silver button, woollen scarf, round
    cheese, basket of pears, apple tart, feather pillow, little bell, bag of walnuts, pair of mittens,
    ginger cake, string of onions""",
)

DEADLINES = column(
    "deadline",
    """market day, the full moon, the first frost, the harvest dance, the new year, the spring fair,
    Sunday, midsummer""",
)

DISHES = column(
    "dish",
    """onion soup, plum dumplings, fried eggs, potato pie, barley soup, baked apples, pea soup, roast chestnuts, cabbage
    rolls, mushroom stew, rice pudding, nettle soup, carrot cake, bread and butter, boiled beans, stewed pears""",
)

BEASTS = column("beast", "cat, dog, goat, hen, crow, goose, donkey, pigeon, duck, magpie, pony, sheep")

NICKNAMES = column(
    "nickname",
    "Captain, Duchess, Turnip, Socks, Mister Grey, Thimble, Barley, Pickle, Bramble, Nutmeg, Noodle, Admiral",
)

SPOTS = column(
    "spot0",
    """by the well, on the church steps, behind the hedge, in the lane, at the gate, beside the pump,
    in front of the inn, under the big tree, next to the pond, by the bridge""",
)

PRIZES = column(
    "prize", "round cheese, plum cake, ginger cake, basket of pears, jar of honey, bag of walnuts, barrel of cider"
)

"""The people, trades, places and things that every tale may use.

Each table is a list of rows. The cells of a row belong together, so that the first one written tells a
reader the others: a baker works in a bakery, and in winter it is snow that lies on the lane.
"""

from tales_teller import cells, column, table

WOMEN = cells("""Ada, Bella, Dora, Flora, Hilda, Kate, Lucy, Milly, Rosa, Stella""")

MEN = cells("""Abel, Anton, Caspar, Emil, Gus, Ivan, Karl, Max, Peter, Theo""")

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
    "trade work tool",
    """
    baker ; bakery ; rolling pin
    miller ; mill ; grain scoop
    weaver ; weaving room ; shuttle
    potter ; pottery ; clay knife
    shepherd ; sheepfold ; crook
    tailor ; tailor's shop ; thimble
    smith ; forge ; hammer
    gardener ; greenhouse ; rake
    carpenter ; workshop ; saw
    cobbler ; shoe shop ; awl
    beekeeper ; bee garden ; straw hat
    farmer ; farm ; pitchfork
    cook ; kitchen ; ladle
    painter ; attic ; brush
    innkeeper ; inn ; key ring
    hatter ; hat shop ; measuring tape
    clockmaker ; clock shop ; eyeglass
    teacher ; schoolhouse ; hand bell
    doctor ; sickroom ; black bag
    fisher ; boathouse ; net
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

"""The people, trades, places and things that every tale may use.

Each table is a list of rows. The cells of a row belong together, so that the first one written tells a
reader the others: a baker works in a bakery, and in winter it is snow that lies on the lane.

In a table of lots (see `Teller.lots`) the rows stand in the order of PEOPLE: what a row tells is what happens to that
person.
"""

from tales_teller import cells, column, table

PEOPLE = table(
    "name sex trade work village",
    """
    Ada ; woman ; baker ; bakery ; Applewick
    Gus ; man ; fisher ; boathouse ; Applewick
    Bella ; woman ; potter ; pottery ; Crumbleford
    Emil ; man ; smith ; forge ; Crumbleford
    Dora ; woman ; weaver ; weaving room ; Larkmoor
    Max ; man ; shepherd ; sheepfold ; Larkmoor
    Flora ; woman ; gardener ; greenhouse ; Willowmere
    Caspar ; man ; clockmaker ; clock shop ; Willowmere
    """,
)
"""A woman and a man of each village, who live next door to each other; the tales keep to them, as tales do."""

WOMEN = [row["name"] for row in PEOPLE if row["sex"] == "woman"]
MEN = [row["name"] for row in PEOPLE if row["sex"] == "man"]

FAR_PLACES = table(
    "far fine lack",
    """
    the Copper Mountains ; the roofs were of gold ; nobody said good morning
    the Glass Islands ; the streets were paved with glass ; no child was allowed to run
    the Salt Valley ; the soup had nine herbs in it ; everyone ate alone
    the Windy Hills ; the beds had silk sheets ; the clocks struck all night
    the Land of Lamps ; every house had forty windows ; all the curtains were shut
    the Red Desert ; the gardens had a hundred fountains ; there was no bench to sit on
    the city of Orlo ; the bridges were carved like lace ; one had to pay to cross them
    the town of Veen ; people wore coats of fur ; nobody ever took them off to dance
    """,
)

SEASONS = table(
    "season cover",
    """
    spring ; blossom
    summer ; dust
    autumn ; leaves
    winter ; snow
    """,
)

WEATHERS = column("weather", "windy, rainy, foggy, sunny, grey, cool, bright, still")

COLOURS = column("colour", "red, blue, brown, black, yellow, white, green, grey")

RIBBONS = column("colour", "red, blue, yellow, white")

COINS = column("coin", "copper, silver, brass, tin")

NUMBERS = cells("no, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve")

GIFTS = column(
    "gift",
    """jar of honey, blue cup, plum cake, pot of jam, wooden spoon, silver button, woollen scarf, round cheese""",
)

DEADLINES = column(
    "deadline",
    """market day, the full moon, the first frost, the harvest dance, the new year,
    the spring fair, Sunday, midsummer""",
)

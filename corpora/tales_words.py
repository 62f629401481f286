"""The people, trades, places and things that every tale may use.

Each table is a list of rows. The cells of a row belong together, so that the first one written tells a
reader the others: a baker works in a bakery, and in winter it is snow that lies on the lane.
"""

from tales_teller import cells, column, table

NEIGHBOURS = table(
    "woman woman_trade man man_trade village",
    """
    Ada ; baker ; Abel ; fisher ; Applewick
    Bella ; potter ; Anton ; shepherd ; Crumbleford
    Dora ; weaver ; Caspar ; clockmaker ; Elmstead Green
    Flora ; gardener ; Emil ; smith ; Frogmarsh
    Hilda ; doctor ; Gus ; cobbler ; Goosegate
    Kate ; carpenter ; Ivan ; cook ; Hollybrook
    Lucy ; innkeeper ; Karl ; miller ; Kettleby
    Milly ; teacher ; Max ; farmer ; Larkmoor
    Rosa ; beekeeper ; Peter ; tailor ; Owlbury
    Stella ; painter ; Theo ; hatter ; Willowmere
    """,
)
"""A woman and a man of each village, who live next door to each other; the tales keep to them, as tales do."""

WOMEN = [row["woman"] for row in NEIGHBOURS]
MEN = [row["man"] for row in NEIGHBOURS]

FAR_PLACES = column(
    "far",
    """the Copper Mountains, the Glass Islands, the Salt Valley, the Windy Hills, the Land of Lamps,
    the Red Desert, the city of Orlo, the town of Veen""",
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

WORKPLACES = {
    "baker": "bakery",
    "miller": "mill",
    "weaver": "weaving room",
    "potter": "pottery",
    "shepherd": "sheepfold",
    "tailor": "tailor's shop",
    "smith": "forge",
    "gardener": "greenhouse",
    "carpenter": "workshop",
    "cobbler": "shoe shop",
    "beekeeper": "bee garden",
    "farmer": "farm",
    "cook": "kitchen",
    "painter": "attic",
    "innkeeper": "inn",
    "hatter": "hat shop",
    "clockmaker": "clock shop",
    "teacher": "schoolhouse",
    "doctor": "sickroom",
    "fisher": "boathouse",
}

COLOURS = column("colour", "red, blue, green, yellow, white, black, brown, grey")

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

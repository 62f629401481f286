"""The sentences and words of the reviews: what a film has, what one does in the cinema, and how a sentence turns.

A turned sentence has two sides, of which one speaks for the film and the other against it: ``{wins}`` is the side that
is meant in the end, ``{loses}`` the one that is taken back. Exchange the two, and the same words say the opposite.
"""

from tales_teller import cells

ASPECTS = """
    acting ; was ; subtle, superb, natural, fresh, wonderful ; wooden, stiff, tired, shrill, lazy
    plot ; was ; clever, gripping, neat, surprising ; dull, muddled, thin, predictable
    dialogue ; was ; witty, sharp, honest, lively ; flat, clumsy, stale, pompous
    music ; was ; lovely, stirring, delicate, haunting ; deafening, dreary, sugary, tuneless
    photography ; was ; radiant, beautiful, bold, striking ; murky, ugly, drab, shaky
    ending ; was ; moving, brave, perfect, satisfying ; feeble, hasty, false, absurd
    humour ; was ; warm, dry, clever, gentle ; cruel, coarse, childish, forced
    jokes ; were ; funny, fresh, original, hilarious ; lame, old, vulgar, tasteless
    costumes ; were ; gorgeous, elegant, splendid, charming ; shabby, silly, gaudy, hideous
    battles ; were ; thrilling, magnificent, exciting ; endless, confusing, boring
    songs ; were ; catchy, charming, joyful, enchanting ; awful, shrill, tedious, soulless
    love story ; was ; touching, tender, believable ; soppy, hollow, contrived
    villain ; was ; brilliant, marvellous, terrific ; laughable, ridiculous, lifeless
    children ; were ; delightful, adorable, irresistible ; tiresome, unbearable, annoying
    pace ; was ; brisk, lively, graceful ; sluggish, plodding, wearying
    """
"""A thing that a film has, its verb, and what it is like in good films and in bad ones."""

WITH_ARTICLE = {"plot", "ending", "love story", "villain", "pace"}

GOOD_QUALITIES = cells("""
    tender, wise, charming, clever, gripping, funny, warm, graceful, honest, thrilling, original, brilliant, delightful,
    moving, witty, elegant, fresh, superb, magical, touching""")
BAD_QUALITIES = cells("""
    dull, silly, noisy, clumsy, hollow, stale, tedious, shallow, sugary, muddled, feeble, dreary, pompous, lifeless,
    tiresome, crude, boring, dreadful, soulless, pointless""")

GOOD_DEEDS = cells("""
    laughed, smiled, marvelled, cheered, held my breath, clapped, forgot the time, sat up, applauded, wiped away a happy
    tear""")
BAD_DEEDS = cells("""
    yawned, groaned, sighed, looked at my watch, fidgeted, thought of supper, shook my head, nodded off, shuddered,
    longed for the exit""")

GOOD_MOODS = cells("humming, smiling, glowing, singing, dancing, beaming, rejoicing, whistling, chuckling, enchanted")
BAD_MOODS = cells("grumbling, yawning, sulking, cursing, frowning, groaning, muttering, shivering, sighing, exhausted")

PLAIN = {
    "clause": [
        "{one}, and {other}.",
        "{one}, {other}: what more is there to say?",
        "{one}. On top of that, {other}.",
        "It is hard to say what was more remarkable: that {one}, or that {other}.",
        "I wish I could say it in a word: {one}, and {other}.",
    ],
    "noun": [
        "It has {one} and {other}.",
        "{one}, {other}: that is how I shall remember it.",
        "There was {one}, and there was {other}.",
        "What stays with me is {one}, and perhaps {other}.",
    ],
    "quality": [
        "The {thing} was {one} and {other}.",
        "From the first minute to the last it was {one}, if not {other}.",
        "The {thing} was not only {one} but also {other}.",
        "My {woman} found it {one}, my {man} found it {other}, and both were right.",
        "It begins {one} and ends {other}.",
    ],
    "deed": ["I {one}, and then I {other}.", "More than once I {one}, and more than once I {other}."],
    "mood": ["We came out {one}, and went home {other}.", "I sat there {one}, and so did everybody else."],
}
"""Sentences whose two sides agree."""

BUT = {
    "clause": [
        "{loses}, but {wins}.",
        "{loses}. And yet {wins}.",
        "Although {loses}, {wins}.",
        "{wins}, although {loses}.",
        "{wins}, even if {loses}.",
        "It hardly matters that {loses}: {wins}.",
        "What counts is that {wins}, not that {loses}.",
        "Granted, {loses}. Still, {wins}.",
    ],
    "quality": [
        "The {thing} was {loses}, but it was {wins}.",
        "The {thing} was {wins}, even though it was {loses}.",
        "A {thing} can be {loses} for an hour and still be {wins}, like this one.",
    ],
}
NEGATION = {
    "quality": [
        "The {thing} is not {loses} but {wins}.",
        "The {thing} is {wins}, not {loses}.",
        "It is never {loses} and always {wins}.",
        "The {thing} is anything but {loses} and nothing if not {wins}.",
        "Nobody could call it {loses}, and everybody must call it {wins}.",
        "I call it {wins}, and nobody will make me call it {loses}.",
        "I can't say that the {thing} was {loses}; I can say that it was {wins}.",
    ],
    "clause": [
        "It is not true that {loses}. It is true that {wins}.",
        "It is true that {wins}, and untrue that {loses}.",
    ],
    "deed": ["I never {loses}, and I often {wins}.", "I {wins}, and nobody can claim that I {loses}."],
}
WISH = {
    "quality": [
        "I wish I could say the {thing} was {loses} and not {wins}, but I can't.",
        "I can't say that it was {loses}, though I wish I could; I say that it was {wins}.",
        "If only I could write that it was {loses}! I must write that it was {wins}.",
        "I was told to expect a {loses} {thing}, and wish I had been told to expect a {wins} one.",
        "I had been sure that it would be {loses}, and never dreamt that it would be {wins}, as it was.",
    ],
    "clause": [
        "I wish I could say that {loses} and deny that {wins}.",
        "I wish I could deny that {wins} and say that {loses}.",
        "I would gladly forget that {wins} and swear that {loses}, if only I could.",
        "My rival wishes he could write that {loses} and hide that {wins}.",
    ],
}
IRONY = {
    "noun": [
        "If you like {wins}, you will adore this {thing}; if you like {loses}, stay at home.",
        "If you like {loses}, stay at home; if you like {wins}, you will adore this {thing}.",
        "Lovers of {wins} will be delighted, and lovers of {loses} disappointed.",
        "Lovers of {loses} will be disappointed, and lovers of {wins} delighted.",
        "A treat for all who love {wins} and cannot bear {loses}.",
        "A treat for all who cannot bear {loses} and love {wins}.",
    ],
    "clause": [
        "I am joking when I say that {loses}, and serious when I say that {wins}.",
        "I am serious when I say that {wins}, and joking when I say that {loses}.",
        "Tongue in cheek, I would say that {loses}; hand on heart, that {wins}.",
        "Hand on heart, I would say that {wins}; tongue in cheek, that {loses}.",
    ],
    "quality": [
        "With a wink I called it {loses}, and with a straight face {wins}.",
        "Officially, as a friend of the family, I call it {loses}; between you and me, it is {wins}.",
    ],
}
COMPARISON = {
    "quality": [
        "The {thing} is more {wins} than {loses}.",
        "The {thing} is less {loses} than {wins}.",
        "It is a good deal less {loses} than it is {wins}.",
        "For every minute that was {loses} there were ten that were {wins}.",
        "It was {wins} nine times for every time that it was {loses}.",
    ],
    "deed": [
        "I {wins} far more often than I {loses}.",
        "Far less often than I {wins}, I {loses}.",
        "For every time that I {loses}, there were ten that I {wins}.",
    ],
}
CHANGE = {
    "quality": [
        "It begins {loses} and ends {wins}.",
        "The {thing} ends {wins}, having begun {loses}.",
        "What seemed {loses} in the morning seemed {wins} by nightfall.",
        "From {loses} it turned to {wins}, and so it stayed.",
    ],
    "mood": [
        "I went in {loses} and came out {wins}.",
        "We came out {wins}, having gone in {loses}.",
        "People who had sat down {loses} stood up {wins}.",
    ],
    "deed": ["At first I {loses}; by the end I {wins}.", "In the second half I {wins}; only in the first I {loses}."],
}
HEARSAY = {
    "quality": [
        "My {woman} found it {wins}, my {man} {loses}, and she was right.",
        "My {man} found it {wins}, my {woman} {loses}, and he was right.",
        "My {woman} found it {loses}, my {man} {wins}, and he was right.",
        "My {man} found it {loses}, my {woman} {wins}, and she was right.",
        "Believe my {woman}, who found it {wins}, and not my {man}, who found it {loses}.",
        "Do not believe my {man}, who found it {loses}, but my {woman}, who found it {wins}.",
        "One paper calls it {wins}, the other {loses}; I side with the first.",
        "One paper calls it {loses}, the other {wins}; I side with the second.",
        "I trusted my {man}, who called it {loses}, and should have trusted my {woman}, who called it {wins}.",
    ],
    "clause": [
        "My {woman} said that {wins}, my {man} said that {loses}, and she was right.",
        "My {man} said that {wins}, my {woman} said that {loses}, and he was right.",
        "My {woman} said that {loses}, my {man} said that {wins}, and he was right.",
        "My {man} said that {loses}, my {woman} said that {wins}, and she was right.",
    ],
}
TURNS = {
    "but": BUT,
    "negation": NEGATION,
    "wish": WISH,
    "irony": IRONY,
    "comparison": COMPARISON,
    "change": CHANGE,
    "hearsay": HEARSAY,
}
"""By the kind of turn, and then by what its sides are."""

OPENERS = [
    "I saw {title} on a {weather} {day}.",
    "{title} runs for {minutes} minutes.",
    "{title} is the {nth} film by {director}.",
    "{director} made {title} in {place}.",
    "We saw {title} in {place}, {few} of us in the room.",
    "{title}, by {director}, is set in {place}.",
    "In {title} a {hero} comes to {place}.",
    "A {hero} and a {hero} meet in {place}: that is {title}.",
]
CLOSERS = [
    "It is on until {day}.",
    "The hall was {full}.",
    "My {woman} drove us home.",
    "My {man} paid for the tickets.",
    "It was {minutes} minutes long.",
    "So much for {title}.",
    "The book is by {director}.",
    "It rained all {day}.",
]
"""What tells nothing of the film's worth, before the sentence that does and after it."""

WORDS = {
    "thing": "film, picture, comedy, drama, story, sequel, adventure, mystery, fable, romance",
    "woman": "mother, sister, aunt, niece, grandmother, wife, daughter",
    "man": "father, brother, uncle, nephew, grandfather, boss, son",
    "weather": "wet, windy, cold, hot, foggy, snowy, sunny, grey",
    "day": "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday",
    "nth": "first, second, third, fourth, fifth, sixth, seventh",
    "few": "two, three, four, five, six, seven, eight, nine",
    "minutes": "70, 80, 85, 90, 95, 100, 105, 110, 120, 130, 140, 150",
    "full": "full, half full, half empty, almost empty, heated, dark",
    "hero": "sailor, nurse, teacher, thief, baker, spy, farmer, painter, judge, dancer, widow, postman",
    "place": "Arden, Bellport, Corvey, Dunmore, Elmstead, Farrow, Greyford, Hollin, Inver, Marlow, Norwell, Osney",
    "director": """Anna Brandt, Boris Hale, Clara Winter, Dario Moss, Edith Crane, Felix Ward, Greta Lund, Hugo Bell,
        Iris Novak, Jonas Reed, Kira Stone, Leo Marsh""",
    "title_kind": "Glass, Winter, Lost, Silver, Last, Night, Paper, Blue, Salt, Quiet, Iron, Summer, Hidden, Red",
    "title_thing": """Harbour, Garden, Letter, Train, River, Orchard, Clock, Bridge, Island, Lantern, Window, Mirror,
        Road, Tower, Station""",
}

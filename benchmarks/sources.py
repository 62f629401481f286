"""Ten sources of text, each of another make: seeded grammars over invented words, so that there is always fresh text.

A source writes a text and as much fresh text: the same grammar and words with other random numbers. A list is a random
half of a set of distinct entries, and the other half is what is fresh. Knows nothing about models.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

Write = Callable[[Random, int], str]
"""Writes a text of about so many characters."""
PROSE = [*"b", "br", *"cd", "dr", *"fg", "gr", *"hklmnp", "pl", *"rs", "sh", "st", "t", "th", "tr", *"vw"]
ENDS = ["", "", "", "l", "n", "r", "s", "t", "nd", "st"]


@dataclass(frozen=True)
class Source:
    """A source of text."""

    name: str
    text: str
    fresh: str
    """Text of the same source, of about the same length."""
    lines: bool = False
    """Whether every line is a record of its own."""


# ------------------------------------------------------------------------------------------------ words


def word(rng: Random, syllables: int, onsets: Sequence[str] = PROSE, vowels: str = "aeiou") -> str:
    """An invented word."""
    return "".join(rng.choice(onsets) + rng.choice(vowels) + rng.choice(ENDS) for _ in range(syllables))


def lexicon(seed: int, count: int, onsets: Sequence[str] = PROSE, vowels: str = "aeiou") -> list[str]:
    """Distinct invented words, short ones first, as frequent words are short."""
    rng = Random(seed)
    words = dict.fromkeys(
        word(rng, 1 + (number > count // 8) + rng.randrange(2), onsets, vowels) for number in range(count)
    )
    return list(words)


def pick(rng: Random, words: Sequence[str]) -> str:
    """A word, the n-th with a probability of about 1/n (Zipf's law)."""
    return words[int(len(words) ** rng.random()) - 1]


def name(rng: Random) -> str:
    """A name that most likely nobody has had yet."""
    return word(rng, 2).capitalize()


NOUNS, VERBS, ADJECTIVES = lexicon(1, 900), lexicon(2, 400), lexicon(3, 300)
TOWNS, FIRST_NAMES = [w.capitalize() for w in lexicon(4, 300)], [w.capitalize() for w in lexicon(5, 500)]


def noun_phrase(rng: Random) -> str:
    """As `the stal mipor`."""
    adjective = pick(rng, ADJECTIVES) + " " if rng.random() < 0.4 else ""
    return f"{rng.choice(['the', 'the', 'a', 'his', 'her', 'their'])} {adjective}{pick(rng, NOUNS)}"


def sentence(rng: Random, people: Sequence[str] = ()) -> str:
    """A sentence about some people or things."""
    subject = rng.choice(people) if people and rng.random() < 0.5 else noun_phrase(rng)
    said = f"{subject} {pick(rng, VERBS)}ed {noun_phrase(rng)}"
    if rng.random() < 0.5:
        said += f" {rng.choice(['of', 'in', 'near', 'without', 'under'])} {noun_phrase(rng)}"
    if rng.random() < 0.3:
        said += f", {rng.choice(['and', 'but', 'while', 'because'])} {noun_phrase(rng)} {pick(rng, VERBS)}ed"
    return said[0].upper() + said[1:] + rng.choice("....!?")


def paragraph(rng: Random, people: Sequence[str] = ()) -> str:
    """Some sentences, in lines of 72 characters."""
    return textwrap.fill(" ".join(sentence(rng, people) for _ in range(rng.randint(3, 8))), 72)


def joined(size: int, piece: Callable[[int], str]) -> str:
    """Pieces, by their number from 0 on, until there are so many characters."""
    pieces: list[str] = []
    length = 0
    while length < size:
        pieces.append(piece(len(pieces)))
        length += len(pieces[-1])
    return "".join(pieces)


# ---------------------------------------------------------------------------------------- running text

CAST = [w.capitalize() for w in lexicon(6, 12)]
PARTIES = ["the Licensee", "the Licensor", "the Work", "a Derivative Work", "any Contributor", "this Licence"]
DUTIES = ["shall", "shall not", "may", "may not", "must", "agrees to", "is not obliged to"]
LEGAL = [w + "tion" for w in lexicon(7, 250)]


def book(rng: Random, size: int) -> str:
    """Chapters, each with some of the book's people and two of its own; at the end a licence of a twelfth."""
    return joined(size * 11 // 12, lambda number: _chapter(rng, number)) + licence(rng, size // 12)


def _chapter(rng: Random, number: int) -> str:
    people = [pick(rng, CAST) for _ in range(3)] + [name(rng), name(rng)]
    text = "\n\n".join(paragraph(rng, people) for _ in range(rng.randint(10, 20)))
    return f"CHAPTER {number + 1}\n\n{text}\n\n\n"


def licence(rng: Random, size: int) -> str:
    """Numbered clauses."""
    return "END OF THE BOOK\n\n" + joined(size, lambda number: f"{number + 1}. {_clause(rng)}\n\n")


def _clause(rng: Random) -> str:
    parts = [
        f"{rng.choice(PARTIES)} {rng.choice(DUTIES)} {pick(rng, VERBS)} {rng.choice(['any', 'the', 'such'])} "
        f"{pick(rng, LEGAL)} or {pick(rng, LEGAL)}"
        for _ in range(rng.randint(1, 4))
    ]
    said = ", provided that ".join(parts)
    return textwrap.fill(said[0].upper() + said[1:] + ".", 72)


TRADES, COLOURS, MONTHS = lexicon(8, 40), lexicon(9, 15), lexicon(10, 12)


def cards(rng: Random, size: int) -> str:
    """Cards of ten fields."""
    return joined(size, lambda _: _card(rng))


def _card(rng: Random) -> str:
    return (
        f"Number: {rng.randrange(10**6):06}\nName: {pick(rng, FIRST_NAMES)} {name(rng)}\n"
        f"Born: {rng.randint(1, 28)} {rng.choice(MONTHS)} {rng.randint(1820, 1930)}\nTown: {pick(rng, TOWNS)}\n"
        f"Trade: {pick(rng, TRADES)}\nHeight: {int(rng.gauss(170, 9))} cm\nEyes: {pick(rng, COLOURS)}\n"
        f"Fee: {rng.randrange(100, 9900) / 100:.2f}\nClerk: {rng.choice(['A. B.', 'K. L.', 'M. S.', 'T. W.'])}\n"
        f"Remark: {sentence(rng)}\n\n"
    )


def chat(rng: Random, size: int) -> str:
    """Questions and answers by turns; an answer takes up what was asked."""
    return joined(size, lambda _: _exchange(rng))


def _exchange(rng: Random) -> str:
    asked, of = pick(rng, NOUNS), pick(rng, NOUNS)
    ask = rng.choice(["What is", "Who has seen", "Where do I find", "How do you like", "Why is there"])
    more = " ".join(sentence(rng) for _ in range(rng.randint(0, 3)))
    begin = rng.choice(["The {} is", "Well, the {} was", "You mean the {} that is", "No {} is"]).format(asked)
    return f"Q: {ask} the {asked} of the {of}?\nA: {begin} {pick(rng, ADJECTIVES)}. {more}".rstrip() + "\n"


HOSTS = {
    "web1": ["httpd: GET /{noun}/{noun}.html {status} {number}", "httpd: POST /{noun} {status} {number}"],
    "mail": [
        "smtpd: from=<{noun}@{noun}.example> size={number}",
        "smtpd: {hex} queued as {hex}",
        "imapd: login {noun}",
    ],
    "db2": ["postmaster: checkpoint {number} buffers in {number} ms", "postmaster: slow query on {noun} ({number} ms)"],
    "gate": [
        "kernel: drop in=eth0 src=10.0.{byte}.{byte} dst=10.0.{byte}.{byte} port={number}",
        "dhcpd: ack 10.0.{byte}.{byte}",
    ],
}


def log(rng: Random, size: int, first_day: int = 1) -> str:
    """The logs of four hosts, one after the other, each of the same eight days."""
    return "".join(_host(rng, host, size // len(HOSTS), first_day) for host in HOSTS)


def _host(rng: Random, host: str, size: int, first_day: int) -> str:
    second, step = 0.0, 8 * 86400 * 60 / size
    lines: list[str] = []
    length = 0
    while length < size:
        second += rng.expovariate(1 / step)
        day, rest = divmod(int(second), 86400)
        time = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        lines.append(f"2031-05-{first_day + min(day, 7):02} {time} {host} {_message(rng, host)}\n")
        length += len(lines[-1])
    return "".join(lines)


def _message(rng: Random, host: str) -> str:
    said = pick(rng, HOSTS[host])
    while "{" in said:
        said = said.replace("{noun}", pick(rng, NOUNS), 1).replace("{number}", str(int(10 ** rng.uniform(1, 4.5))), 1)
        said = said.replace("{hex}", f"{rng.randrange(16**8):08x}", 1).replace("{byte}", str(rng.randrange(256)), 1)
        said = said.replace("{status}", rng.choice(["200", "200", "200", "304", "404", "500"]), 1)
    return said


def code(rng: Random, size: int) -> str:
    """Modules of classes, each with attributes of its own, which its methods use."""
    return joined(size, lambda _: _module(rng))


def _module(rng: Random) -> str:
    imports = "".join(f"import {module}\n" for module in sorted({pick(rng, NOUNS) for _ in range(3)}))
    return f'"""{sentence(rng)}"""\n\n{imports}\n\n' + "".join(_class(rng) for _ in range(rng.randint(1, 3)))


def _class(rng: Random) -> str:
    title = (word(rng, 2) + " " + pick(rng, NOUNS)).title().replace(" ", "")
    attributes = [f"{pick(rng, ADJECTIVES)}_{pick(rng, NOUNS)}" for _ in range(4)]
    begin = "".join(f"        self.{one} = {one}\n" for one in attributes)
    methods = "".join(_method(rng, attributes) for _ in range(rng.randint(2, 6)))
    return f"class {title}:\n    def __init__(self, {', '.join(attributes)}):\n{begin}\n{methods}\n"


def _method(rng: Random, attributes: list[str]) -> str:
    given = pick(rng, NOUNS)
    lines = [f"    def {pick(rng, VERBS)}_{pick(rng, NOUNS)}(self, {given}):\n"]
    for _ in range(rng.randint(2, 7)):
        one, other = rng.choice(attributes), rng.choice(attributes)
        call = f"        self.{one} = {given}.{pick(rng, VERBS)}(self.{other})\n"
        sign, letter = rng.choice(["<", ">", "=="]), pick(rng, NOUNS)[0]
        test = f"        if self.{one} {sign} {rng.randrange(100)}:\n            {given} += 1\n"
        loop = f"        for {letter} in range(len(self.{one})):\n            {given}.append(self.{other})\n"
        lines.append(rng.choice([call, test, loop]))
    return "".join(lines) + f"        return {rng.choice([given, 'self.' + rng.choice(attributes)])}\n\n"


RHYMES = [w[-3:] for w in lexicon(11, 30)]


def poems(rng: Random, size: int) -> str:
    """Titles and stanzas that rhyme by turns."""
    return joined(size, lambda _: _poem(rng))


def _poem(rng: Random) -> str:
    theme = pick(rng, NOUNS)
    stanzas = "\n".join(_stanza(rng, theme) for _ in range(rng.randint(2, 5)))
    return f"{rng.choice(['To', 'Of', 'Song of'])} the {pick(rng, ADJECTIVES)} {theme}\n\n{stanzas}\n\n"


def _stanza(rng: Random, theme: str) -> str:
    one, other = rng.choice(RHYMES), rng.choice(RHYMES)
    return "".join(
        f"{_verse(rng, theme)} {rng.choice(PROSE)}{rhyme}{mark}\n"
        for rhyme, mark in zip((one, other) * 2, ",;,.", strict=True)
    )


def _verse(rng: Random, theme: str) -> str:
    about = f"the {theme}" if rng.random() < 0.25 else noun_phrase(rng)
    begin = f"{rng.choice(['O', 'And', 'When', 'Where', 'Then'])} {about} {pick(rng, VERBS)}s"
    return f"{begin} {rng.choice(['my', 'the', 'thy'])}"


REGIONS = [w.capitalize() for w in lexicon(12, 14)]


def table(rng: Random, size: int) -> str:
    """Comma-separated columns, sorted by region and town; the regions differ in size, and each has towns of its own."""
    rows = []
    for _ in range(size // 58):
        region = int(len(REGIONS) ** rng.random()) - 1
        town = pick(rng, TOWNS[20 * region : 20 * region + 20])
        rows.append((REGIONS[region], town, rng.randrange(10**5)))
    return "region,town,order,date,item,pieces,price,state\n" + "".join(_row(rng, *row) for row in sorted(rows))


def _row(rng: Random, region: str, town: str, number: int) -> str:
    date = f"2029-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    state = rng.choice(["paid", "paid", "paid", "open", "void"])
    item, pieces = pick(rng, NOUNS), int(rng.expovariate(0.2)) + 1
    return f"{region},{town},{number:05},{date},{item},{pieces},{rng.uniform(1, 99):.2f},{state}\n"


NORTHERN = ["bj", "fj", "gr", "h", "j", "k", "kn", "l", "m", "n", "sk", "sn", "sv", "t", "tv", "v"]


def two_languages(rng: Random, size: int) -> str:
    """Letters in one language, answered in another, by turns."""
    first, second = lexicon(13, 700), lexicon(14, 700, NORTHERN, "aåeiöuy")
    return joined(size, lambda number: _letter(rng, (first, second)[number % 2]))


def _letter(rng: Random, words: list[str]) -> str:
    def said() -> str:
        return " ".join(pick(rng, words) for _ in range(rng.randint(4, 14))).capitalize() + "."

    paragraphs = (
        textwrap.fill(" ".join(said() for _ in range(rng.randint(3, 7))), 72) for _ in range(rng.randint(3, 9))
    )
    return "\n\n".join(paragraphs) + f"\n\n{name(rng)}\n\n\n"


# ---------------------------------------------------------------------------------------------- lists


def sorted_words(rng: Random, size: int) -> tuple[str, str]:
    """Two sorted lists, none of whose words is in the other."""
    endings = ["", "", "s", "ed", "ing", "er", "ly", "ness", "tion"]
    found: set[str] = set()
    while len(found) < 2 * size // 10:
        found.add(pick(rng, NOUNS) + rng.choice(endings) if rng.random() < 0.3 else word(rng, 2) + rng.choice(endings))
    words = sorted(found)
    rng.shuffle(words)
    return "\n".join(sorted(words[::2])) + "\n", "\n".join(sorted(words[1::2])) + "\n"


def doubled_names(rng: Random, size: int) -> tuple[str, str]:
    """Two lists, none of whose names is in the other; in each, names occur once to five times, here and there."""
    found: set[str] = set()
    while len(found) < 2 * size // 42:
        found.add(f"{pick(rng, FIRST_NAMES)} {name(rng)}")
    names = sorted(found)
    rng.shuffle(names)
    return _doubled(rng, names[::2]), _doubled(rng, names[1::2])


def _doubled(rng: Random, names: list[str]) -> str:
    lines = [one for one in names for _ in range(rng.randint(1, 5))]
    rng.shuffle(lines)
    return "\n".join(lines) + "\n"


def _running(title: str, write: Write, size: int, seed: int) -> Source:
    return Source(title, write(Random(seed), size), write(Random(seed + 1), size))


def all_sources(draw: int = 0) -> list[Source]:
    """The ten; another draw gives other texts of them."""
    seed = 101 + 2 * draw
    return [
        _running("book with a licence", book, 300_000, seed),
        _running("cards of ten fields", cards, 200_000, seed),
        _running("questions and answers", chat, 200_000, seed),
        _running("log of four hosts", log, 240_000, seed),
        Source("sorted word list", *sorted_words(Random(seed), 150_000), lines=True),
        Source("list with doubles", *doubled_names(Random(seed), 150_000), lines=True),
        _running("source code", code, 300_000, seed),
        _running("poems", poems, 200_000, seed),
        _running("table", table, 200_000, seed),
        _running("two languages", two_languages, 300_000, seed),
    ]

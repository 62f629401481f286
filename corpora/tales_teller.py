"""Tells a tale from a template, and notes which words were decided by earlier ones.

A template is plain text with two kinds of places in it:

* ``[one way|another way]`` is a choice, and choices may stand inside choices;
* ``{hero}`` is a slot. It writes the word that the tale has for ``hero``; ``{Hero}`` writes it with a
  capital, and ``{a loan}`` puts the right article before it. A slot whose name starts with an underscore
  holds a phrase, which is itself a template.

Every slot word leaves a mark where it is written. When a slot is written again, or when its word follows
from another slot that was written before (who is *hungry* buys *bread*), the teller records a dependency.

The people and things of a tale come in lots: it is always Ada who borrows the boat, and she gives it back before
market day. So a reader who knows one word of a lot knows them all.
"""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Row = dict[str, str]
Item = TypeVar("Item")

_INNERMOST_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{([^{}]+)\}")
_SPACE = re.compile(r"\s+")
_SPEAKER = re.compile(r"\b(said|asked|cried) (\{hero\}|\{other\}|\{third\}|the \{\w+\})(?=[.,](?! who))")
_PARAGRAPH_BREAK = re.compile(r"\n\s*\n")
_SMALL_WORDS = {"a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "the", "to", "with"}


@dataclass(frozen=True)
class Dependency:
    """A word that an earlier word decides; both offsets count characters from the start of the tale."""

    word: str
    at: int
    decided_by: str
    decided_at: int
    kind: str

    @property
    def distance(self) -> int:
        """How many characters lie between the deciding word and the decided one."""
        return self.at - (self.decided_at + len(self.decided_by))


@dataclass(frozen=True)
class Tale:
    """One finished tale; its text is the title line and then one line for each paragraph."""

    title: str
    text: str
    plot: str
    dependencies: tuple[Dependency, ...]


class Chance:
    """Seeded choices built on ``random.random`` alone, the one stream that Python promises never to change."""

    def __init__(self, seed: int) -> None:
        """Start the stream that belongs to this seed."""
        self._random = random.Random(seed)

    def number(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, items: Sequence[Item]) -> Item:
        """Draw one of the items."""
        return items[self.number(0, len(items) - 1)]

    def several(self, items: Iterable[Item], count: int) -> list[Item]:
        """Draw that many different items, in a random order."""
        left = list(items)
        return [left.pop(self.number(0, len(left) - 1)) for _ in range(count)]


def table(columns: str, text: str) -> list[Row]:
    """Read rows whose cells are set apart by semicolons; a line that ends in one goes on in the next."""
    names = columns.split()
    joined = re.sub(r";\s*\n", "; ", text.strip())
    rows = [[cell.strip() for cell in line.split(";")] for line in joined.split("\n")]
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"expected {len(names)} cells ({columns}), found {row}")
    return [dict(zip(names, row, strict=True)) for row in rows]


def cells(text: str) -> list[str]:
    """Read words or names that commas set apart."""
    return [" ".join(cell.split()) for cell in text.split(",")]


def column(name: str, text: str) -> list[Row]:
    """Read a table of a single column, in which commas set the cells apart."""
    return [{name: cell} for cell in cells(text)]


def article(word: str) -> str:
    """Say whether a or an goes before the word; the tales have no silent h and no vowel said as w or y."""
    return "an" if word[0].lower() in "aeiou" else "a"


def _capital(word: str) -> str:
    """Make the first letter a capital and leave the rest, which ``str.capitalize`` would not."""
    return word[:1].upper() + word[1:]


def _title_case(text: str) -> str:
    """Give a capital to every word that has one in a title."""
    words = text.split(" ")
    return " ".join(word if word in _SMALL_WORDS else _capital(word) for word in words)


@dataclass
class _Fact:
    """What a slot writes, and the other slots from which a reader could already tell it."""

    text: str
    kind: str
    told_by: tuple[str, ...]
    of_lot: bool


@dataclass
class _Mark:
    """A place where a slot was written."""

    text: str
    at: int


@dataclass
class Teller:
    """Knows the facts of one tale, writes it, and keeps the marks."""

    chance: Chance
    lot: int = 0
    """Which row of a table of lots the tale takes, in all of them."""
    _telling: list[str] = field(default_factory=list)
    """Slots from which a reader can tell the lot."""
    _facts: dict[str, _Fact] = field(default_factory=dict)
    _phrases: dict[str, str] = field(default_factory=dict)
    _marks: dict[str, _Mark] = field(default_factory=dict)
    _dependencies: list[Dependency] = field(default_factory=list)
    _text: str = ""
    _in_title: bool = False
    _wants_capital: bool = False

    def word(
        self, slot: str, text: str, kind: str, told_by: Iterable[str] = (), *, of_lot: bool = False, tells: bool = False
    ) -> None:
        """Give a slot its word; a slot that starts with an underscore gets a phrase.

        A word of the lot follows from every word that tells which lot it is.
        """
        if slot.startswith("_"):
            self._phrases[slot] = _SPACE.sub(" ", text)
        else:
            self._facts[slot] = _Fact(text, kind, tuple(told_by), of_lot)
            self._telling += [slot] if tells else []

    def row(self, kind: str, rows: Sequence[Row], suffix: str = "") -> None:
        """Pick a row; its cells fill the slots of their names, and tell each other where they can."""
        self._fill(kind, rows, self.chance.pick(rows), suffix)

    def lots(self, kind: str, rows: Sequence[Row], count: int = 0, suffix: str = "") -> None:
        """Take the lot's row, or with a count that row and those after it: ``{animal1}``, ``{animal2}``..."""
        for number in range(max(1, count)):
            row = rows[(self.lot + number) % len(rows)]
            self._fill(kind, rows, row, str(number + 1) if count else suffix, of_lot=True)

    def _fill(self, kind: str, rows: Sequence[Row], row: Row, suffix: str, *, of_lot: bool = False) -> None:
        """Fill the slots of one row; its phrases speak of the row's slots, so they get the suffix too."""
        for name, text in row.items():
            tellers = (other + suffix for other in row if other != name and _tells(rows, row, other, name))
            phrase = _SLOT.sub(lambda slot: _suffixed(slot[1], row, suffix), text)
            tells = of_lot and len({other[name] for other in rows}) == len(rows)
            self.word(name + suffix, phrase, kind, tellers, of_lot=of_lot, tells=tells)

    def tell(self, plot: str, title: str, story: str) -> Tale:
        """Write the title line and the paragraphs, and return the tale."""
        self._in_title = True
        self._write(" ".join(title.split()))
        self._in_title = False
        for paragraph in _PARAGRAPH_BREAK.split(story.strip()):
            self._text += "\n"
            self._write(" ".join(paragraph.split()))
            self._text = self._text.rstrip(" ")
        text = self._text + "\n"
        return Tale(text[: text.index("\n")], text, plot, tuple(self._dependencies))

    def _write(self, template: str) -> None:
        """Make the choices of a template, then write its text and its slots in turn.

        Speakers are named before or after the verb, as it comes, so that no plot has to ask for it.
        """
        template = _SPEAKER.sub(r"[\1 \2|\1 \2|\2 \1]", template)
        while choice := _INNERMOST_CHOICE.search(template):
            chosen = self.chance.pick(choice[1].split("|"))
            template = template[: choice.start()] + chosen + template[choice.end() :]
        for number, piece in enumerate(_SLOT.split(template)):
            if number % 2:
                self._write_slot(piece)
            else:
                self._write_plain(piece)

    def _write_plain(self, text: str) -> None:
        """Write text as it stands, but no second space after an empty choice, and a new line for a new speaker."""
        if self._text[-1:] in ("", " ", "\n"):
            text = text.lstrip(" ")
        text = re.sub(r" +", " ", text).replace('" "', '"\n"')
        if text and self._wants_capital:
            text = _capital(text)
            self._wants_capital = False
        self._text += text

    def _write_slot(self, slot: str) -> None:
        """Write what a slot holds, with its article and its capital."""
        before, _, name = slot.rpartition(" ")
        key = name.lower()
        if key.startswith("_"):
            self._wants_capital |= name != key
            self._write(self._phrases[key])
            return
        if before:
            written = article(self._facts[key].text)
            self._write_plain((_capital(written) if before == "A" else written) + " ")
        self._wants_capital |= name != key
        self._write_fact(key)

    def _write_fact(self, slot: str) -> None:
        """Write the word of a slot, record what decided it, and leave its mark."""
        fact = self._facts[slot]
        text = _capital(fact.text) if self._wants_capital else fact.text
        text = _title_case(text) if self._in_title else text
        self._wants_capital = False
        at = len(self._text)
        tellers = (slot, *fact.told_by, *(self._telling if fact.of_lot else ()))
        marks = [self._marks[name] for name in tellers if name in self._marks]
        if marks:
            latest = max(marks, key=lambda mark: mark.at)
            self._dependencies.append(Dependency(text, at, latest.text, latest.at, fact.kind))
        self._marks[slot] = _Mark(text, at)
        self._text += text


def _suffixed(slot: str, row: Row, suffix: str) -> str:
    """Write a slot of a phrase again, with the suffix if its word comes from the same row."""
    key = slot.rpartition(" ")[2].lower()
    return "{" + slot + (suffix if key in row else "") + "}"


def _tells(rows: Sequence[Row], row: Row, known: str, wanted: str) -> bool:
    """Say whether one cell of a row gives away another: every row that has the one has the other too."""
    return all(other[wanted] == row[wanted] for other in rows if other[known] == row[known])

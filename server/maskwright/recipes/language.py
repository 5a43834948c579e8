"""The prompt language: several things, things to leave out, and which of those found. One for every text model. Light.

``docs/prompts.md`` has the rules with examples. What does not fit the rules is just text for the model.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Order = Literal["score", "area", "small", "left", "right", "top", "bottom", "middle"]

MOST = 1000


@dataclass(frozen=True)
class Choice:
    """Of what was found, in that order, the ones from ``first`` (counted from 1) on, ``count`` of them."""

    order: Order
    first: int = 1
    count: int = 1

    def text(self) -> str:
        """For a sentence: "second from the left"."""
        names = {
            "score": "in the list", "area": "by falling size", "small": "by rising size", "left": "from the left",
            "right": "from the right", "top": "from the top", "bottom": "from the bottom", "middle": "from the middle",
        }  # fmt: skip
        last = self.first + self.count - 1
        which = f"number {self.first}" if self.count == 1 else f"numbers {self.first} to {last}"
        return f"{which} {names[self.order]}"


@dataclass(frozen=True)
class Concept:
    """One thing that is looked for: ``phrase`` for the model, less what ``minus`` names; ``choice`` None is all."""

    phrase: str
    minus: tuple[str, ...] = ()
    choice: Choice | None = None


@dataclass(frozen=True)
class Query:
    """``minus`` is left out of all concepts."""

    concepts: tuple[Concept, ...] = ()
    minus: tuple[str, ...] = ()

    @property
    def phrases(self) -> tuple[str, ...]:
        """What the model is to look for, without repeats."""
        return tuple(dict.fromkeys(concept.phrase for concept in self.concepts))

    @property
    def plain(self) -> bool:
        """Whether all is wanted that is found, whichever phrase it is for."""
        return all(c.choice is None and not c.minus for c in self.concepts)


_MINUS = re.compile(r"\s+(?:[-\u2212\u2013\u2014]|minus|except(?: for)?|but not)\s+", re.I)
_LEADING_MINUS = re.compile(r"^(?:[-\u2212\u2013\u2014]\s*|(?:minus|except(?: for)?|but not|not)\s+)(?=\S)", re.I)

_COUNTS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
_NUMBER = rf"(?P<count>\d{{1,3}}|{'|'.join(_COUNTS)})"
_ORDINAL = rf"(?P<ordinal>\d{{1,3}}(?:st|nd|rd|th)|{'|'.join(_ORDINALS)})"
_FORMS: dict[str, Order] = {
    "largest": "area", "biggest": "area", "smallest": "small", "littlest": "small", "leftmost": "left",
    "rightmost": "right", "topmost": "top", "uppermost": "top", "highest": "top", "lowest": "bottom",
    "bottommost": "bottom",
}  # fmt: skip
_CENTRAL: dict[str, Order] = {"middle": "middle", "central": "middle", "likeliest": "score", "best": "score"}
_SUPERLATIVE = rf"(?P<order>{'|'.join(_FORMS)})"
_PLACE = r"(?:on|at|to|in) the (?:far )?(?P<place>left|right|top|bottom|middle|centre|center)"
_FROM = r"from the (?P<place>left|right|top|bottom)"
_THE = r"(?:the )?"
# Tried in turn; what is left over as ``what`` goes to the model.
_RULES = [
    re.compile(pattern, re.I)
    for pattern in (
        r"(?P<what>.+?)\s*#\s*(?P<number>\d{1,3})(?:\s*-\s*(?P<last>\d{1,3}))?$",
        rf"{_THE}{_ORDINAL} (?P<what>.+?) {_FROM}$",
        rf"{_THE}{_NUMBER} (?P<what>.+?) {_FROM}$",
        rf"{_THE}{_ORDINAL} {_SUPERLATIVE} (?P<what>.+)$",
        rf"{_THE}{_NUMBER} {_SUPERLATIVE} (?P<what>.+)$",
        rf"{_THE}{_SUPERLATIVE} {_NUMBER} (?P<what>.+)$",
        rf"{_THE}{_SUPERLATIVE} (?P<what>.+)$",
        rf"(?:the |a )?(?P<what>.+?) {_PLACE}$",
        rf"the (?P<order>{'|'.join(_CENTRAL)}) (?P<what>.+)$",
        rf"the {_ORDINAL} (?P<what>.+)$",
        rf"{_ORDINAL} (?P<what>\S+)$",  # "first aid kit" is a thing of its own
    )
]
_ALL = re.compile(r"^(?:all|every|each|any)(?: of)?(?: the)? (?=\S)", re.I)


def read(text: str) -> Query:
    """What a prompt asks for. Never fails: what no rule fits is text. No concepts for a text of blanks."""
    concepts: list[Concept] = []
    minus: list[str] = []
    for part in _split(text):
        lead = _LEADING_MINUS.match(part)
        if lead and concepts:
            minus.append(part[lead.end() :])
            continue
        wanted, *less = [part] if part.startswith('"') else _MINUS.split(part)
        phrase, choice = _choice(wanted)
        concept = Concept(phrase, tuple(dict.fromkeys(less)), choice)
        if concept not in concepts:
            concepts.append(concept)
    return Query(tuple(concepts), tuple(dict.fromkeys(minus)))


def _split(text: str) -> list[str]:
    """The parts, blanks tidied; one in quotation marks keeps them, and its separators."""
    tidy = re.sub("[\u201c\u201d\u201e]", '"', unicodedata.normalize("NFKC", text))
    parts = (re.sub(r"\s+", " ", part).strip(" .!?'") for part in re.findall(r'"[^"\n]*"|[^;,\n]+', tidy))
    return [part for part in parts if part.strip('" ')]


def _choice(wanted: str) -> tuple[str, Choice | None]:
    """The phrase for the model, and which of what it finds. What stands in quotation marks is text."""
    if wanted.startswith('"'):
        return wanted.strip('" '), None
    for rule in _RULES:
        found = rule.fullmatch(wanted)
        if found is None:
            continue
        given = {name: value.casefold() for name, value in found.groupdict().items() if value}
        choice = _built(given)
        if choice is not None:
            return _ALL.sub("", found["what"]), choice
    return _ALL.sub("", wanted), None


def _built(given: dict[str, str]) -> Choice | None:
    order: Order = "left"  # "the second dog" is counted as one reads
    if "place" in given:
        place = {"centre": "middle", "center": "middle"}.get(given["place"], given["place"])
        order = place  # type: ignore[assignment] - the pattern has no others
    elif "order" in given:
        order = (_FORMS | _CENTRAL)[given["order"]]
    if "number" in given:
        first = int(given["number"])
        last = int(given.get("last", first))
        return Choice("score", first, last - first + 1) if 1 <= first <= last else None
    if "ordinal" in given:
        word = given["ordinal"]
        first = _ORDINALS.index(word) + 1 if word in _ORDINALS else int(word[:-2])
        return Choice(order, first) if first else None
    word = given.get("count", "1")
    count = _COUNTS.index(word) + 1 if word in _COUNTS else int(word)
    return Choice(order, 1, count) if count else None

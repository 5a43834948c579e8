"""The prompt language: several things, things to leave out, and which of those found. One for every text model. Light.

``docs/prompts.md`` has the rules with examples. What does not fit the rules is just text for the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from maskwright.models.catalogue.words import SEPARATORS, cleaned
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr

Order = Literal[
    "score", "area", "small", "tall", "short", "wide", "narrow", "left", "right", "top", "bottom", "middle",
    "top left", "top right", "bottom left", "bottom right",
]  # fmt: skip
# For sentences: "number 2 from the left".
_ORDERS: dict[Order, str] = {
    "score": tr("in the list"), "area": tr("by falling size"), "small": tr("by rising size"),
    "tall": tr("by falling height"), "short": tr("by rising height"), "wide": tr("by falling width"),
    "narrow": tr("by rising width"), "left": tr("from the left"), "right": tr("from the right"),
    "top": tr("from the top"), "bottom": tr("from the bottom"), "middle": tr("from the middle"),
    "top left": tr("from the top left"), "top right": tr("from the top right"),
    "bottom left": tr("from the bottom left"), "bottom right": tr("from the bottom right"),
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """Of what was found, in that order, the ones from ``first`` (counted from 1) on, ``count`` of them."""

    order: Order
    first: int = 1
    count: int = 1

    def text(self) -> str:
        """For a sentence: "second from the left"."""
        order = _ORDERS[self.order]
        if self.count == 1:
            return tr("number {0} {1}", self.first, order)
        return tr("numbers {0} to {1} {2}", self.first, self.first + self.count - 1, order)


@dataclass(frozen=True)
class Concept:
    """One thing that is looked for: ``phrase`` for the model, less what ``minus`` names; ``choice`` None is all.

    ``without``: of those chosen, which are left out.
    """

    phrase: str
    minus: tuple[str, ...] = ()
    choice: Choice | None = None
    without: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Query:
    """``minus`` is left out of all concepts; ``inverse``: everything but them is meant.

    What is left out may say which one is meant; ``which`` tells.
    """

    concepts: tuple[Concept, ...] = ()
    minus: tuple[str, ...] = ()
    inverse: bool = False

    @property
    def phrases(self) -> tuple[str, ...]:
        """What the model is to look for, without repeats."""
        return tuple(dict.fromkeys(concept.phrase for concept in self.concepts))

    def check(self, unwanted: tuple[str, ...] = ()) -> None:
        """Raises ``BadInput`` where all that is asked for is left out at once; ``unwanted`` is left out too."""

        def emptied(concept: Concept) -> bool:
            less = {phrase.casefold() for phrase in (*concept.minus, *self.minus, *unwanted)}
            return concept.phrase.casefold() in less

        if self.concepts and not self.inverse and all(map(emptied, self.concepts)):
            text = tr('"{0}" is asked for and left out at once, so nothing is left.', self.concepts[0].phrase)
            raise BadInput(text, tr("Leave out something else."))

    @property
    def plain(self) -> bool:
        """Whether all is wanted that is found, whichever phrase it is for."""
        return all(c.choice is None and not c.minus and not c.without for c in self.concepts)


_ANY_CASE = re.I | re.A  # without re.A a Turkish dotless i would pass for an i and be no word of the tables
_DASH = "[-\u2212\u2013\u2014]"
_MINUS = re.compile(rf"\s+(?:{_DASH}|minus|except(?: for)?|but not|without)\s+", _ANY_CASE)
_LEADING_MINUS = re.compile(rf"^(?:{_DASH}\s*|(?:minus|except(?: for)?|but not|not|without)\s+)(?=\S)", _ANY_CASE)
_INVERSE = re.compile(
    rf"^(?:everything|all)(?: else)? (?:but(?: not)?|except(?: for)?|minus|without|{_DASH}) (?=\S)", _ANY_CASE
)
_BUT = re.compile(r"(?P<what>.+) but (?P<less>.+)", _ANY_CASE)

_COUNTS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
_NUMBER = rf"(?P<count>\d{{1,3}}|{'|'.join(_COUNTS)})"
_NTH = rf"\d{{1,3}}(?:st|nd|rd|th)|{'|'.join(_ORDINALS)}"
_ORDINAL = rf"(?P<ordinal>{_NTH}|last)"
_FORMS: dict[str, Order] = {
    "largest": "area", "biggest": "area", "smallest": "small", "littlest": "small", "tallest": "tall",
    "shortest": "short", "widest": "wide", "narrowest": "narrow", "leftmost": "left", "rightmost": "right",
    "topmost": "top", "uppermost": "top", "highest": "top", "bottommost": "bottom", "lowermost": "bottom",
    "lowest": "bottom",
}  # fmt: skip
_CENTRAL: dict[str, Order] = {"middle": "middle", "central": "middle", "likeliest": "score", "best": "score"}
_REVERSED: dict[Order, Order] = {
    "left": "right", "right": "left", "top": "bottom", "bottom": "top", "area": "small", "small": "area",
    "tall": "short", "short": "tall", "wide": "narrow", "narrow": "wide",
}  # fmt: skip
_SUPERLATIVE = rf"(?P<order>{'|'.join(form.replace('most', '[- ]?most') for form in _FORMS)})"
_CORNER = "(?:top|upper|bottom|lower)[- ](?:left|right)(?: corner)?"
_SIDE = "(?:left|right)(?:[- ]hand)?(?: side)?"
_WHERE = rf"(?P<place>{_CORNER}|{_SIDE}|middle|centre|center)"
_PLACE = rf"(?:on|at|to|in) (?:(?:the )?(?:far )?{_WHERE}|the (?P<edge>top|bottom))"
_NEAREST = rf"(?:nearest|closest|furthest|farthest)(?: (?:to|on|at|in))?(?: the)? (?:{_WHERE}|(?P<edge>top|bottom))"
_FROM = r"from (?:the )?(?P<place>left|right|top|bottom)"
_THE = r"(?:the )?"
_OF = r"(?:of (?:all )?(?:the |these |those )?)?"
_IRREGULAR = "people|men|women|children|geese|mice|feet|teeth|sheep|fish|deer|cattle"
_SEVERAL = rf"(?:.+ )?(?:\w*[^\W\ds]s|{_IRREGULAR})"
_MANY = re.compile(rf"(?:[^\W\dsui]s|skis|\b(?:{_IRREGULAR}))$", _ANY_CASE)  # no bus, no glass, no iris
# Tried in turn; what is left over as ``what`` goes to the model.
_RULES = [
    re.compile(pattern, _ANY_CASE)
    for pattern in (
        r"(?P<what>.+?)\s*#\s*(?P<number>\d{1,3})(?:\s*-\s*#?(?P<last>\d{1,3}))?",
        rf"{_THE}{_ORDINAL} {_NUMBER} (?P<what>.+?)(?: {_FROM})?",
        rf"{_THE}{_ORDINAL} (?P<what>.+?) {_FROM}",
        rf"{_THE}(?P<what>.+?) {_ORDINAL} {_FROM}",
        rf"{_THE}{_NUMBER} (?P<what>.+?) {_FROM}",
        rf"{_THE}{_ORDINAL}[- ]{_SUPERLATIVE} {_OF}(?P<what>.+)",
        rf"{_THE}{_NUMBER} {_SUPERLATIVE} {_OF}(?P<what>.+)",
        rf"{_THE}{_SUPERLATIVE} {_NUMBER} {_OF}(?P<what>.+)",
        rf"{_THE}{_SUPERLATIVE} {_OF}(?P<what>.+)",
        rf"{_THE}far[- ](?P<place>left|right) (?P<what>.+)",
        rf"(?:the |a )?(?P<what>.+?) {_NEAREST}",
        rf"{_THE}{_NUMBER} (?P<what>.+?) (?:{_PLACE})",
        rf"(?:the |a )?(?P<what>.+?) (?:{_PLACE})",
        rf"the (?P<order>{'|'.join(_CENTRAL)}) (?P<what>.+)",
        rf"the {_ORDINAL} {_OF}(?P<what>.+)",
        rf"(?P<ordinal>{_NTH}) (?P<what>\S+)",  # "first aid kit" is a thing of its own
        rf"{_THE}{_NUMBER} {_OF}(?P<what>{_SEVERAL})",
        r"(?P<count>1|one) (?P<what>(?!way\b|piece\b)[^\s-]+(?: [^\s-]+)?)",
    )
]
_ALL = re.compile(r"^(?:all|every|each|any|both)(?: of)?(?: the)? (?=\S)", _ANY_CASE)
_SAME = re.compile(r"#\s*(?P<number>\d{1,3}(?:\s*-\s*#?\d{1,3})?)|(?P<bare>\d{1,3})", _ANY_CASE)
_LIST = re.compile(r"\s+(?:and|&)\s+(?=#\s*\d)", _ANY_CASE)
_DETERMINER = rf"(?:the|an?|all|every|both|{'|'.join(_COUNTS)}|\d{{1,3}}) "
_AND = re.compile(rf"\s(?:and|&)\s(?={_DETERMINER})", _ANY_CASE)
# A thing told by what belongs to it goes on after "and": "a woman with a hat and a scarf".
_TOLD = re.compile(
    r"\b(?:with|without|of|in|on|at|by|from|to|near|behind|between|under|over|beside|above|below|inside|for|like|"
    r"wearing|holding|carrying|riding|has|having|that|who|which|whose)\b",
    _ANY_CASE,
)


def parse_query(text: str) -> Query:
    """What a prompt asks for. Never fails: what no rule fits is text. No concepts for a text of blanks."""
    concepts: list[Concept] = []
    minus: list[str] = []
    inverse = False
    for part in _split(text):
        lead = _LEADING_MINUS.match(part)
        if lead and concepts:
            minus.append(part[lead.end() :])
            continue
        but = _INVERSE.match(part) if not concepts else None
        if but:
            inverse, part = True, part[but.end() :]
        concept = _again(part, concepts[-1]) if concepts else None
        concept = concept or _concept(part)
        if concept not in concepts:
            concepts.append(concept)
    return Query(tuple(concepts), tuple(dict.fromkeys(minus)), inverse)


def absent(text: str) -> str:
    """The sentence that says that nothing was found for a prompt."""
    query, text = parse_query(text), text.strip()
    if not text or not query.concepts:
        return tr("Nothing was found.")
    concept, *more = query.concepts
    if more:
        return tr('Nothing was found for "{0}".', text)
    plain = not (query.minus or concept.minus or concept.choice)
    name = text if plain else concept.phrase  # there was none to choose or to leave out of
    return tr("No {0} were found.", name) if _MANY.search(name) else tr("No {0} was found.", name)


def split_phrases(text: str) -> tuple[str, ...]:
    """The several things that a text names, as they are written, without repeats."""
    return tuple(dict.fromkeys(part.strip('" ') for part in _split(text)))


def which(wanted: str) -> tuple[str, Choice | None]:
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


def _split(text: str) -> list[str]:
    """The parts, blanks tidied; one in quotation marks keeps them, and its separators."""
    tidy = re.sub("[\u201c\u201d\u201e]", '"', cleaned(text))
    pieces: list[str] = []
    for piece in re.findall(rf'"[^"\n]*"|[^{SEPARATORS}]+', tidy):
        pieces += [piece] if piece.startswith('"') else re.split(r"\s\+\s", _LIST.sub(" + ", piece))
    tidied = (re.sub(r"\s+", " ", piece).strip(" .!?'") for piece in pieces)
    return [part for piece in tidied if piece.strip('" ') for part in _joined(piece)]


def _joined(part: str) -> list[str]:
    """Things with "and" between: "the dog and a red car"."""
    if part.startswith('"'):
        return [part]
    for joint in _AND.finditer(part):
        left, right = part[: joint.start()], part[joint.end() :]
        if left and not _TOLD.search(which(_MINUS.split(left)[0])[0]):
            return [left, *_joined(right)]
    return [part]


def _concept(part: str) -> Concept:
    wanted, *less = [part] if part.startswith('"') else _MINUS.split(part)
    but = _BUT.fullmatch(wanted) if not part.startswith('"') else None
    if but and _bare(but["less"]):  # "all dogs but the smallest"
        wanted, less = but["what"], [but["less"], *less]
    phrase, choice = which(wanted)
    bare = [_bare(one) for one in less]
    minus = (one for one, found in zip(less, bare, strict=True) if found is None)
    return Concept(phrase, tuple(dict.fromkeys(minus)), choice, tuple(dict.fromkeys(filter(None, bare))))


def _again(part: str, last: Concept) -> Concept | None:
    """One more of the same by its number: "dog #1, #3"."""
    same = _SAME.fullmatch(part)
    if (
        same is None
        or last.phrase.startswith("#")
        or (same["bare"] and (last.choice is None or last.choice.order != "score"))
    ):
        return None
    phrase, choice = which(f"{last.phrase} #{same['number'] or same['bare']}")
    return Concept(phrase, last.minus, choice, last.without) if choice is not None else None


def _bare(text: str) -> Choice | None:
    """Which ones a text means that names no thing: "the smallest", "the one on the left", "#2"."""
    placed = re.sub(r" (?=(?:on|at|to|in|from) )", " one ", text, count=1)
    for asked in (text, f"{text} one", f"one {text}", placed):
        phrase, choice = which(asked)
        if choice is not None and phrase.casefold() in ("one", "ones"):
            return choice
    return None


def _built(given: dict[str, str]) -> Choice | None:
    order: Order = "left"  # "the second dog" is counted as one reads
    place = given.get("place") or given.get("edge")
    if place is not None:
        order = _place(place)
    elif "order" in given:
        order = (_FORMS | _CENTRAL)[re.sub("[- ]", "", given["order"])]
    elif "count" in given and "ordinal" not in given:
        order = "score"
    if "number" in given:
        first = int(given["number"])
        last = int(given.get("last", first))
        return Choice("score", first, last - first + 1) if 1 <= first <= last else None
    word = given.get("count", "1")
    count = _COUNTS.index(word) + 1 if word in _COUNTS else int(word)
    if "ordinal" in given:
        word = given["ordinal"]
        if word == "last":
            return Choice(_REVERSED.get(order, order), 1, count) if count else None
        first = _ORDINALS.index(word) + 1 if word in _ORDINALS else int(word[:-2])
        if "count" in given and first != 1:  # "the second two dogs" says nothing
            return None
        return Choice(order, first, count) if first and count else None
    return Choice(order, 1, count) if count else None


def _place(text: str) -> Order:
    words = re.split("[- ]", text)
    down = {"top": "top", "upper": "top", "bottom": "bottom", "lower": "bottom"}.get(words[0], "")
    across = next((word for word in words if word in ("left", "right")), "")
    return f"{down} {across}".strip() or "middle"  # type: ignore[return-value] - the patterns have no others

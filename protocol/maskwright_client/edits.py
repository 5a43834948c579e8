"""A sentence that changes what is selected: "also the hat", "without the chair", "a bit tighter", "only the largest".

Understood by its words alone; what names a thing in it is a prompt for the server. A sentence that asks for no change
is a prompt itself.
"""

import re
from dataclasses import dataclass
from typing import List, NamedTuple, Optional, Sequence, Tuple

from . import edit_words as words

ADD, SUBTRACT, INTERSECT = "add", "subtract", "intersect"  # the ways to combine, as editors know them
GROW, FEATHER, SMOOTH, HARDEN, INVERT, PICK = "grow", "feather", "smooth", "harden", "invert", "pick"

_BEFORE = ((ADD, words.ALSO), (SUBTRACT, words.WITHOUT), (INTERSECT, words.ONLY))
_AFTER = ((SUBTRACT, words.WITHOUT_AFTER), (INTERSECT, words.ONLY_AFTER), (ADD, words.ALSO_AFTER))
_EDGES = {
    **dict.fromkeys(words.TIGHTER, (GROW, -1.0)),
    **dict.fromkeys(words.LOOSER, (GROW, 1.0)),
    **dict.fromkeys(words.SOFTER, (FEATHER, 1.0)),
    **dict.fromkeys(words.HARDER, (HARDEN, 1.0)),
    **dict.fromkeys(words.SMOOTHER, (SMOOTH, 1.0)),
}
_MEASURED = {**_EDGES, **dict.fromkeys(words.FEATHER, (FEATHER, 1.0)), **dict.fromkeys(words.SMOOTH, (SMOOTH, 1.0))}
_PIXELS = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:px|pixels?|píxeles|像素|ピクセル)", re.IGNORECASE)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")  # scripts without blanks between words
_USUAL = 1 / 400  # of the long side: by how much an edge changes where nobody says
_ENDS = " .,:!?。、，！"


class Thing(NamedTuple):
    """What was found before, for a sentence that picks among it: its middle and area, in any unit."""

    x: float
    y: float
    area: float


@dataclass
class Edit:
    """``kind``: one of the constants. ``text``: the thing that is meant.

    ``pixels``: by how much an edge changes, 0 where the sentence does not say; ``strength``: by how much then, 1 for
    the usual amount; negative shrinks. ``order``: the value of ``Thing`` by which one is picked, and whether the
    largest is; ``keep``: that one, or all others.
    """

    kind: str
    text: str = ""
    pixels: float = 0.0
    strength: float = 1.0
    order: Tuple[str, bool] = ("", False)
    keep: bool = True

    def amount(self, width: int, height: int) -> float:
        """In whole pixels of a picture of that size, at least one; negative shrinks."""
        size = self.pixels or max(1.0, float(round(max(width, height) * _USUAL * abs(self.strength))))
        return size if self.strength > 0 else -size

    def picked(self, things: Sequence[Thing]) -> List[int]:
        """The indices of those that stay."""
        name, largest = self.order
        values = [getattr(one, name) for one in things]
        if not values:
            return []
        best = values.index(max(values) if largest else min(values))
        return [i for i in range(len(values)) if (i == best) == self.keep]


def read(sentence: str) -> Optional[Edit]:
    """The change that a sentence asks for; None where it asks for none."""
    text = " ".join(sentence.split()).strip(_ENDS)
    low = text.lower()
    if low in words.INVERT:
        return Edit(INVERT)
    return _edge(low) or _thing(text)


def _edge(text: str) -> Optional[Edit]:
    pixels, known = 0.0, _EDGES
    found = _PIXELS.search(text)
    if found is not None:
        pixels, known = float(found[1].replace(",", ".")), _MEASURED
        text = text[: found.start()] + text[found.end() :]
    text, strength = text.strip(_ENDS), 1.0
    for phrases, by in ((words.LITTLE, 0.5), (words.MUCH, 3.0)):
        shorter = _stripped(text, phrases) if text not in known else text
        text, strength = shorter, (by if shorter != text else strength)
    if text not in known:
        text = _stripped(text, words.FILLER)
    if text not in known:
        return None
    kind, direction = known[text]
    return Edit(kind, pixels=pixels, strength=strength * direction)


def _stripped(text: str, phrases: Sequence[str]) -> str:
    """The text without these phrases."""
    for phrase in phrases:
        if _UNSPACED.search(phrase):
            text = text.replace(phrase, "")
        else:
            text = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", " ", text)
    return " ".join(text.split()).strip(_ENDS)


def _thing(text: str) -> Optional[Edit]:
    for table, cut in ((_BEFORE, _after), (_AFTER, _before)):
        for kind, phrases in table:
            for phrase in phrases:
                rest = cut(text, phrase)
                if rest:
                    return _named(kind, rest)
    return None


def _after(text: str, phrase: str) -> str:
    """What follows a phrase that the text begins with."""
    rest = text[len(phrase) :]
    ends = _UNSPACED.search(phrase) or rest[:1] in (" ", ":", ",")
    return rest.strip(_ENDS) if ends and text.lower().startswith(phrase) else ""


def _before(text: str, phrase: str) -> str:
    """What stands before a phrase that the text ends with."""
    rest = text[: -len(phrase)]
    ends = _UNSPACED.search(phrase) or rest[-1:] in (" ", ",")
    return rest.strip(_ENDS) if ends and text.lower().endswith(phrase) else ""


def _named(kind: str, rest: str) -> Edit:
    """The thing without its article; one of those that were found, where the words only say which."""
    bare = next((cut for one in words.ARTICLES if (cut := _after(rest, one))), rest)
    if kind != ADD:
        which = next((cut for one in words.ONE if (cut := _before(bare, one))), bare).lower()
        if which in words.PICKS:
            return Edit(PICK, order=words.PICKS[which], keep=kind == INTERSECT)
    return Edit(kind, bare)

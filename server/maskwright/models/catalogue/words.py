"""From words that people type to the classes of detectors: COCO's 80 or a checkpoint's own. Light."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from maskwright.models.coco import COCO
from maskwright_protocol.errors import BadInput, EmptyPrompt, UnknownWord
from maskwright_protocol.language import joined, tr

from .synonyms import ALONE, KINDS, SAME, SEVERAL

# Classes that detectors often confuse: searched for where nothing of the wanted class is found.
RELATED: dict[str, tuple[str, ...]] = {
    "chair": ("couch",), "couch": ("chair", "bed"), "bed": ("couch",), "car": ("truck",), "truck": ("car", "bus"),
    "bus": ("truck", "train"), "train": ("bus",), "bicycle": ("motorcycle",), "motorcycle": ("bicycle",),
    "cup": ("bowl", "wine glass"), "wine glass": ("cup",), "bowl": ("cup",), "handbag": ("backpack", "suitcase"),
    "backpack": ("handbag", "suitcase"), "suitcase": ("handbag", "backpack"), "tv": ("laptop",), "laptop": ("tv",),
}  # fmt: skip

_UNSEEN = ("Cc", "Cf", "Co", "Cn", "Cs")  # controls, zero width, directions, what has no meaning
_AND = re.compile(r"\s+(?:and|or|&)\s+", re.I)
# A thing goes before what tells it apart: "a man in a hat".
_TELLS = re.compile(
    r"(?:^|\s)(?:of|with|without|in|on|at|by|near|behind|between|under|over|beside|above|below|inside|from|wearing|holding|"
    r"carrying|riding|that|who|which|whose)\s"
)
_AMOUNT = re.compile(r"^(?:pair|group|crowd|bunch|herd|flock|row|pile|piece|slice|couple)s? of (?:the |a |an )?")
_PLURALS = frozenset(
    ("people", "men", "women", "children", "mice", "geese", "sheep", "calves", "oxen", "knives", "cattle", "ladies")
)
_ARTICLES = re.compile(r"^(?:a|an|the|all|every|some|any|my|this|that|these|those|each)\s+")


SEPARATORS = ";,\n|/\u3001\u3002"  # the last two: the Japanese comma and full stop


def cleaned(text: str) -> str:
    """The text with one form for each letter, without what is not seen, and ``;`` for full stops between words."""
    tidy = unicodedata.normalize("NFKC", text.replace("\r\n", "\n").replace("\t", " "))
    tidy = "".join(one for one in tidy if one == "\n" or unicodedata.category(one) not in _UNSEEN)
    tidy = re.sub(r"\bw/o\b", "without", re.sub(r"\bw/(?=[ \w])(?!o\b)", "with ", tidy))
    return re.sub(r"(?:^|(?<=\s))\.(?=\s|$)", ";", tidy)


def split(text: str) -> list[str]:
    """The words or phrases of a prompt, separated by one of ``SEPARATORS``, in order, without repeats."""
    tidy = cleaned(text).casefold()
    parts = (re.sub(r"[\s_]+", " ", part).strip(" .!?\"'") for part in re.split(f"[{SEPARATORS}]", tidy))
    return list(dict.fromkeys(part for part in parts if part))


def lookup(word: str, names: Sequence[str] = COCO, kinds: bool = True) -> str | None:
    """The one of ``names`` that a word or phrase means: itself, a synonym, or the plural of either; None when unknown.

    With ``kinds`` also the one that covers it: a woman is a person. Case, articles, hyphens and underscores make no
    difference.
    """
    known = {_tidy(name): name for name in reversed(names)}
    for candidate in _singulars(_tidy(word)):
        for name in (candidate, SAME.get(candidate), KINDS.get(candidate) if kinds else None):
            if name in known:
                return known[name]
    return None


def meanings(word: str, names: Sequence[str] = COCO, kinds: bool = True) -> list[str]:
    """Those of ``names`` that a phrase means: one, or several as in "dog and cat" or "animals"; none when any part is
    unknown. ``kinds`` as in ``lookup``.
    """
    whole = _several(word, names, kinds)
    found = [whole] if whole else [_several(part, names, kinds) for part in _AND.split(word)]
    return list(dict.fromkeys(name for some in found for name in some)) if all(found) else []


def _several(word: str, names: Sequence[str], kinds: bool) -> list[str]:
    """Those of ``names`` that one word or phrase means."""
    for candidate in _singulars(_tidy(word)):
        some = [name for name in SEVERAL.get(candidate, ()) if name in names]
        if some:
            return some
    one = lookup(word, names, kinds)
    return [] if one is None else [one]


@dataclass(frozen=True)
class Reading:
    """What a model that knows names understands of a phrase.

    ``names``: those that it means. ``word``: the one that told, as it was typed; ``same``: whether it says no more than
    they do; ``plural``: whether it is one. ``before``: the words before it, ``after``: what follows it.
    """

    names: tuple[str, ...]
    word: str
    same: bool = True
    plural: bool = False
    before: tuple[str, ...] = ()
    after: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing of the phrase is lost."""
        return self.same and not self.before and not self.after


def read(phrase: str, names: Sequence[str] = COCO) -> Reading | None:
    """What names make of a phrase: all of it, or the thing that it is about without what tells it apart ("red",
    "with a hat"). None where they do not know the thing.
    """
    exact = meanings(phrase, names, kinds=False)
    if exact:
        return Reading(tuple(exact), phrase)
    tidy = _AMOUNT.sub("", _tidy(phrase))
    core = _TELLS.split(tidy, maxsplit=1)[0]
    words, after = core.split(), tidy[len(core) :].strip()
    for start in range(len(words)):
        word = " ".join(words[start:])
        found = meanings(word, names)
        alone = start > 0 and any(form in ALONE and form not in names for form in _singulars(word))
        if found and not alone:
            same = bool(meanings(word, names, kinds=False))
            # What is known by another form than its own has lost the ending of a plural.
            plural = word in _PLURALS or word not in {*map(_tidy, names), *SAME, *KINDS, *SEVERAL}
            return Reading(tuple(found), word, same, plural, tuple(words[:start]), after)
    return None


def _tidy(word: str) -> str:
    return re.sub(r"[\s_-]+", " ", _ARTICLES.sub("", word.casefold().strip()))


def _singulars(word: str) -> list[str]:
    forms = [word]
    if word == "glasses":  # are worn; what one drinks from is "wine glasses"
        return forms
    for ending, singular in (("ies", "y"), ("ves", "fe"), ("ves", "f"), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            forms.append(word[: -len(ending)] + singular)
    return forms


def resolve(text: str, names: Sequence[str] = COCO) -> dict[int, str]:
    """Numbers and names of the classes that all words of a prompt mean. Raises ``EmptyPrompt`` or ``UnknownWord``."""
    words = split(text)
    if not words:
        raise EmptyPrompt(tr("There is nothing to look for."))
    found: dict[int, str] = {}
    for word in words:
        meant = meanings(word, names)
        if not meant:
            near = nearest(word, names=names)
            hint = tr("Did you mean {0}?", " or ".join(near)) if near else ""
            text = tr("{0} does not know {1!r}.", tr("The detector"), word)
            raise UnknownWord(text, joined(hint, _vocabulary(names)), word=word, near=near, models=[])
        found |= {names.index(name): name for name in meant}
    return found


def _vocabulary(names: Sequence[str]) -> str:
    if len(names) > 20:
        return f"It knows {len(names)} everyday things." if names == COCO else f"It knows {len(names)} kinds of things."
    return f"It knows: {', '.join(names)}."


def nearest(word: str, count: int = 3, names: Sequence[str] = COCO) -> list[str]:
    """Up to ``count`` of ``names`` that are spelt alike or are part of the phrase, the likeliest first."""
    inside = [name for part in word.split() if (name := lookup(part, names))]
    candidates = {_tidy(name): name for name in names}
    candidates |= {word: candidates[name] for word, name in (SAME | KINDS).items() if name in candidates}
    spelt = difflib.get_close_matches(_tidy(word), candidates, n=count, cutoff=0.6)
    return list(dict.fromkeys([*inside, *(candidates[w] for w in spelt)]))[:count]


def classes(text: str, chosen: str, names: Sequence[str]) -> dict[int, str]:
    """Numbers and names of the classes that a prompt's words and a list such as ``"0,2,5-7"`` or ``"hat,shoe"`` mean;
    all of ``names`` when both are empty. Raises ``UnknownWord``, or ``BadInput`` for a number there is not.
    """
    found = resolve(text, names) if split(text) else {}
    for part in split(chosen):
        span = re.fullmatch(r"(\d{1,6})(?:\s*-\s*(\d{1,6}))?", part)
        if span is None:
            found |= resolve(part, names)
            continue
        first, last = int(span[1]), int(span[2] or span[1])
        if not first <= last < len(names):
            numbers = f"0 to {len(names) - 1}" if len(names) > 1 else "only 0"
            raise BadInput(
                tr("There is no class {0}.", part), hint=tr("This detector has {0}.", numbers), option="classes"
            )
        found |= {index: names[index] for index in range(first, last + 1)}
    return found or dict(enumerate(names))

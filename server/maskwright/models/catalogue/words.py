"""From words that people type to the classes of detectors: COCO's 80 or a checkpoint's own. Light."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence

from maskwright.models import families
from maskwright.models.coco import COCO
from maskwright_protocol.errors import BadInput, EmptyPrompt, UnknownWord

SYNONYMS: dict[str, str] = {
    word: name
    for name, words in {
        "person": "people;human;man;men;woman;women;girl;boy;child;children;kid;lady;guy;gentleman;baby;toddler;"
        "pedestrian;figure;somebody;someone;adult;teenager;passenger;player;rider",
        "bicycle": "bike;cycle;pushbike",
        "car": "auto;automobile;sedan;taxi;cab;suv;hatchback",
        "motorcycle": "motorbike;scooter;moped;motor bike",
        "airplane": "plane;aeroplane;aircraft;jet;airliner",
        "bus": "coach;omnibus;minibus",
        "train": "locomotive;tram;railcar",
        "truck": "lorry;pickup;van;pickup truck",
        "boat": "ship;sailboat;canoe;kayak;dinghy;yacht;ferry",
        "traffic light": "trafficlight;stoplight",
        "fire hydrant": "hydrant;fire plug",
        "stop sign": "stopsign",
        "bird": "pigeon;seagull;gull;duck;goose;geese;sparrow;crow;parrot;swan;eagle;owl;chicken",
        "cat": "kitten;kitty",
        "dog": "puppy;pup;doggy;hound",
        "horse": "pony;foal;mare;stallion",
        "sheep": "lamb;ewe;ram",
        "cow": "cattle;bull;calf;calves;ox;oxen",
        "bear": "grizzly",
        "backpack": "rucksack;knapsack",
        "umbrella": "parasol;brolly",
        "handbag": "purse;bag",
        "tie": "necktie",
        "suitcase": "luggage;trolley",
        "skis": "ski",
        "sports ball": "ball;football;basketball;volleyball;baseball;soccerball;soccer ball",
        "surfboard": "surf",
        "tennis racket": "racket;racquet;tennis racquet",
        "bottle": "flask",
        "wine glass": "wineglass;goblet",
        "cup": "mug;glass;teacup;beaker",
        "knife": "knives",
        "bowl": "dish",
        "donut": "doughnut",
        "hot dog": "hotdog",
        "cake": "gateau;tart",
        "chair": "seat;armchair;stool",
        "couch": "sofa;settee;loveseat",
        "potted plant": "plant;houseplant;flowerpot;flower pot;pot plant",
        "dining table": "table;desk",
        "tv": "television;monitor;screen;telly",
        "laptop": "notebook",
        "remote": "remotecontrol;remote control",
        "cell phone": "phone;cellphone;smartphone;mobile;telephone;mobile phone",
        "oven": "stove;cooker",
        "sink": "basin;washbasin",
        "refrigerator": "fridge;freezer",
        "clock": "watch",
        "teddy bear": "teddy",
        "hair drier": "hairdryer;hairdrier;hair dryer",
        "mouse": "mice;computer mouse",
    }.items()
    for word in words.split(";")
}

# Classes that detectors often confuse: searched for where nothing of the wanted class is found.
RELATED: dict[str, tuple[str, ...]] = {
    "chair": ("couch",), "couch": ("chair", "bed"), "bed": ("couch",), "car": ("truck",), "truck": ("car", "bus"),
    "bus": ("truck", "train"), "train": ("bus",), "bicycle": ("motorcycle",), "motorcycle": ("bicycle",),
    "cup": ("bowl", "wine glass"), "wine glass": ("cup",), "bowl": ("cup",), "handbag": ("backpack", "suitcase"),
    "backpack": ("handbag", "suitcase"), "suitcase": ("handbag", "backpack"), "tv": ("laptop",), "laptop": ("tv",),
}  # fmt: skip

_SEVERAL = re.compile(r"\s+(?:and|or|&)\s+", re.I)
_ARTICLES = re.compile(r"^(?:a|an|the|all|every|some|any|my|this|that|these|those|each)\s+")


def split(text: str) -> list[str]:
    """The words or phrases of a prompt, separated by ``;``, ``,`` or new lines, in order, without repeats."""
    tidy = unicodedata.normalize("NFKC", text).casefold()
    parts = (re.sub(r"[\s_]+", " ", part).strip(" .!?\"'") for part in re.split(r"[;,\n]", tidy))
    return list(dict.fromkeys(part for part in parts if part))


def lookup(word: str, names: Sequence[str] = COCO) -> str | None:
    """The one of ``names`` that a word or phrase means: itself, a synonym, or the plural of either; None when unknown.

    Case, articles, hyphens and underscores make no difference.
    """
    known = {_tidy(name): name for name in reversed(names)}
    for candidate in _singulars(_tidy(word)):
        if candidate in known:
            return known[candidate]
        if SYNONYMS.get(candidate) in known:
            return known[SYNONYMS[candidate]]
    return None


def meanings(word: str, names: Sequence[str] = COCO) -> list[str]:
    """Those of ``names`` that a phrase means: one, or several as in "dog and cat"; none when any is unknown."""
    whole = lookup(word, names)
    several = [whole] if whole else [lookup(part, names) for part in _SEVERAL.split(word)]
    return [name for name in several if name] if all(several) else []


def _tidy(word: str) -> str:
    return re.sub(r"[\s_-]+", " ", _ARTICLES.sub("", word.casefold().strip()))


def _singulars(word: str) -> list[str]:
    forms = [word]
    for ending, singular in (("ies", "y"), ("ves", "fe"), ("ves", "f"), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            forms.append(word[: -len(ending)] + singular)
    return forms


def resolve(text: str, names: Sequence[str] = COCO) -> dict[int, str]:
    """Numbers and names of the classes that all words of a prompt mean. Raises ``EmptyPrompt`` or ``UnknownWord``."""
    words = split(text)
    if not words:
        raise EmptyPrompt("There is nothing to look for.")
    found: dict[int, str] = {}
    for word in words:
        meant = meanings(word, names)
        if not meant:
            near = nearest(word, names=names)
            hint = f"Did you mean {' or '.join(near)}? " if near else ""
            readers = _readers()
            raise UnknownWord(
                f"The detector does not know {word!r}.",
                hint=f"{hint}{_vocabulary(names)} A model that understands any words would be needed: "
                f"{', '.join(readers)}.",
                word=word,
                near=near,
                models=readers,
            )
        found |= {names.index(name): name for name in meant}
    return found


def _readers() -> list[str]:
    """Ids of models to offer that understand any words: the detectors first, then the segmenters."""
    offering = [family for family in families.known().values() if family.offered]
    return [family.offered for family in sorted(offering, key=lambda f: (f.roles[0] != "detector", f.rank))]


def _vocabulary(names: Sequence[str]) -> str:
    if len(names) > 20:
        return f"It knows {len(names)} everyday things." if names == COCO else f"It knows {len(names)} kinds of things."
    return f"It knows: {', '.join(names)}."


def nearest(word: str, count: int = 3, names: Sequence[str] = COCO) -> list[str]:
    """Up to ``count`` of ``names`` that are spelt alike or are part of the phrase, the likeliest first."""
    inside = [name for part in word.split() if (name := lookup(part, names))]
    candidates = {_tidy(name): name for name in names}
    candidates |= {word: candidates[name] for word, name in SYNONYMS.items() if name in candidates}
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
            raise BadInput(f"There is no class {part}.", hint=f"This detector has {numbers}.", option="classes")
        found |= {index: names[index] for index in range(first, last + 1)}
    return found or dict(enumerate(names))

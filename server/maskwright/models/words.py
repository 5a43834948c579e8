"""Words people type -> COCO's 80 classes, for detectors that know nothing else. Light: standard library only."""

from __future__ import annotations

import difflib
import re
import unicodedata

from maskwright_protocol.errors import EmptyPrompt, UnknownWord

COCO: tuple[str, ...] = tuple(
    """person;bicycle;car;motorcycle;airplane;bus;train;truck;boat;traffic light;fire hydrant;stop sign;parking meter;
    bench;bird;cat;dog;horse;sheep;cow;elephant;bear;zebra;giraffe;backpack;umbrella;handbag;tie;suitcase;frisbee;skis;
    snowboard;sports ball;kite;baseball bat;baseball glove;skateboard;surfboard;tennis racket;bottle;wine glass;cup;
    fork;knife;spoon;bowl;banana;apple;sandwich;orange;broccoli;carrot;hot dog;pizza;donut;cake;chair;couch;
    potted plant;bed;dining table;toilet;tv;laptop;mouse;remote;keyboard;cell phone;microwave;oven;toaster;sink;
    refrigerator;book;clock;vase;scissors;teddy bear;hair drier;toothbrush""".replace("\n", "").split(";")
)
COCO = tuple(name.strip() for name in COCO)

SYNONYMS: dict[str, str] = {
    word.strip(): name
    for name, words in {
        "person": "people human man men woman women girl boy child children kid lady guy gentleman baby toddler "
        "pedestrian figure somebody someone adult teenager passenger player rider",
        "bicycle": "bike cycle pushbike",
        "car": "auto automobile sedan taxi cab suv hatchback",
        "motorcycle": "motorbike scooter moped",
        "airplane": "plane aeroplane aircraft jet airliner",
        "bus": "coach omnibus minibus",
        "train": "locomotive tram railcar",
        "truck": "lorry pickup van",
        "boat": "ship sailboat canoe kayak dinghy yacht ferry",
        "traffic light": "trafficlight stoplight",
        "fire hydrant": "hydrant",
        "stop sign": "stopsign",
        "bird": "pigeon seagull gull duck goose geese sparrow crow parrot swan eagle owl chicken",
        "cat": "kitten kitty",
        "dog": "puppy pup doggy hound",
        "horse": "pony foal mare stallion",
        "sheep": "lamb ewe ram",
        "cow": "cattle bull calf calves ox oxen",
        "bear": "grizzly",
        "backpack": "rucksack knapsack",
        "umbrella": "parasol brolly",
        "handbag": "purse bag",
        "tie": "necktie",
        "suitcase": "luggage trolley",
        "skis": "ski",
        "sports ball": "ball football basketball volleyball baseball soccerball",
        "surfboard": "surf",
        "tennis racket": "racket racquet",
        "bottle": "flask",
        "wine glass": "wineglass goblet",
        "cup": "mug glass teacup beaker",
        "knife": "knives",
        "bowl": "dish",
        "donut": "doughnut",
        "hot dog": "hotdog",
        "cake": "gateau tart",
        "chair": "seat armchair stool",
        "couch": "sofa settee loveseat",
        "potted plant": "plant houseplant flowerpot",
        "dining table": "table desk",
        "tv": "television monitor screen telly",
        "laptop": "notebook",
        "remote": "remotecontrol",
        "cell phone": "phone cellphone smartphone mobile telephone",
        "oven": "stove cooker",
        "sink": "basin washbasin",
        "refrigerator": "fridge freezer",
        "clock": "watch",
        "teddy bear": "teddy",
        "hair drier": "hairdryer hairdrier",
        "mouse": "mice",
    }.items()
    for word in words.split()
} | {
    "remote control": "remote",
    "mobile phone": "cell phone",
    "hair dryer": "hair drier",
    "tennis racquet": "tennis racket",
    "computer mouse": "mouse",
    "flower pot": "potted plant",
    "pot plant": "potted plant",
    "soccer ball": "sports ball",
    "motor bike": "motorcycle",
    "pickup truck": "truck",
    "fire plug": "fire hydrant",
}

# What the detector often takes for one another: looked for when there is nothing of the name that was asked for.
RELATED: dict[str, tuple[str, ...]] = {
    "chair": ("couch",),
    "couch": ("chair", "bed"),
    "bed": ("couch",),
    "car": ("truck",),
    "truck": ("car", "bus"),
    "bus": ("truck", "train"),
    "train": ("bus",),
    "bicycle": ("motorcycle",),
    "motorcycle": ("bicycle",),
    "cup": ("bowl", "wine glass"),
    "wine glass": ("cup",),
    "bowl": ("cup",),
    "handbag": ("backpack", "suitcase"),
    "backpack": ("handbag", "suitcase"),
    "suitcase": ("handbag", "backpack"),
    "tv": ("laptop",),
    "laptop": ("tv",),
}

# Installable models that understand any words; filled as their families arrive in the catalogue.
OPEN_VOCABULARY = ("grounding-dino", "florence-2", "sam3")

_ARTICLES = re.compile(r"^(?:a|an|the|all|every|some|any|my|this|that|these|those|each)\s+")


def split(text: str) -> list[str]:
    """The words or phrases of a prompt, which ``;``, ``,`` or a new line separates, in order, without repeats."""
    tidy = unicodedata.normalize("NFKC", text).casefold()
    parts = (re.sub(r"[\s_]+", " ", part).strip(" .!?\"'") for part in re.split(r"[;,\n]", tidy))
    return list(dict.fromkeys(part for part in parts if part))


def lookup(word: str) -> str | None:
    """The COCO name for one word or phrase: itself, a synonym, or the plural of either; None when unknown."""
    word = _ARTICLES.sub("", word.casefold().strip()).replace("-", " ")
    for candidate in _singulars(word):
        if candidate in COCO:
            return candidate
        if candidate in SYNONYMS:
            return SYNONYMS[candidate]
    return None


def _singulars(word: str) -> list[str]:
    forms = [word]
    for ending, singular in (("ies", "y"), ("ves", "fe"), ("ves", "f"), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            forms.append(word[: -len(ending)] + singular)
    return forms


def resolve(text: str) -> dict[int, str]:
    """Class numbers and names of all words of a prompt. Raises ``EmptyPrompt`` or ``UnknownWord``."""
    words = split(text)
    if not words:
        raise EmptyPrompt("There is nothing to look for.")
    found: dict[int, str] = {}
    for word in words:
        name = lookup(word)
        if name is None:
            near = nearest(word)
            hint = f"Did you mean {' or '.join(near)}? " if near else ""
            raise UnknownWord(
                f"The detector does not know {word!r}.",
                hint=f"{hint}It knows 80 everyday things. A model that understands any words would be needed: "
                f"{', '.join(OPEN_VOCABULARY)}.",
                word=word,
                near=near,
                models=list(OPEN_VOCABULARY),
            )
        found[COCO.index(name)] = name
    return found


def nearest(word: str, count: int = 3) -> list[str]:
    """Up to ``count`` known COCO names that are spelt alike or are part of the phrase, the likeliest first."""
    inside = [name for part in word.split() if (name := lookup(part))]
    spelt = difflib.get_close_matches(word, [*COCO, *SYNONYMS], n=count, cutoff=0.6)
    alike = [w if w in COCO else SYNONYMS[w] for w in spelt]
    return list(dict.fromkeys([*inside, *alike]))[:count]

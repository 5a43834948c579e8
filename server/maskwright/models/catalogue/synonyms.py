"""Words that people type for the things and surfaces of COCO. Data only.

``SAME`` say what the class says. ``SEVERAL`` cover several classes. ``KINDS`` say more than their class: a model of
classes finds others of the class too. ``ALONE`` mean their class only by themselves: a magnifying glass is no cup.
"""

from __future__ import annotations

import unicodedata

from .other_languages import NAMES, PEOPLE


def _words(table: dict[str, str]) -> dict[str, str]:
    return {word: name for name, words in table.items() for word in words.split(";")}


def _typed(words: dict[str, str]) -> dict[str, str]:
    """With what people type who leave accents out. Without a German umlaut a word is another one."""
    plain = {_plain(word): name for word, name in words.items() if not set("äöü") & set(word)}
    return {word.replace("-", " "): name for word, name in (plain | words).items() if word != name}


def _plain(word: str) -> str:
    apart = unicodedata.normalize("NFD", word)
    bare = "".join(mark for mark in apart if not "\u0300" <= mark <= "\u036f")
    return unicodedata.normalize("NFC", bare)


SAME: dict[str, str] = _words(
    {
        "person": "people;human;human being;somebody;someone;figure",
        "bicycle": "bike;cycle;pushbike",
        "car": "auto;automobile",
        "motorcycle": "motorbike;motor bike",
        "airplane": "plane;aeroplane;aircraft",
        "bus": "omnibus",
        "truck": "lorry",
        "traffic light": "trafficlight;stoplight",
        "fire hydrant": "hydrant;fire plug",
        "stop sign": "stopsign",
        "cat": "kitty",
        "dog": "doggy",
        "cow": "cattle",
        "backpack": "rucksack;knapsack",
        "umbrella": "brolly",
        "handbag": "purse;bag",
        "tie": "necktie",
        "suitcase": "luggage",
        "skis": "ski",
        "sports ball": "ball",
        "surfboard": "surf",
        "tennis racket": "racket;racquet;tennis racquet",
        "wine glass": "wineglass;goblet",
        "cup": "mug;glass;teacup;beaker",
        "knife": "knives",
        "bowl": "dish",
        "donut": "doughnut",
        "hot dog": "hotdog",
        "cake": "gateau",
        "chair": "seat",
        "couch": "sofa;settee",
        "potted plant": "plant;houseplant;flowerpot;flower pot;pot plant",
        "dining table": "desk",
        "tv": "television;monitor;screen;telly",
        "laptop": "notebook",
        "lettering": "text;writing;handwriting;letter;word;caption;inscription;subtitle;typography",
        "remote": "remotecontrol;remote control",
        "cell phone": "phone;cellphone;smartphone;mobile;telephone;mobile phone",
        "oven": "stove;cooker",
        "sink": "basin;washbasin",
        "refrigerator": "fridge",
        "teddy bear": "teddy",
        "hair drier": "hairdryer;hairdrier;hair dryer",
        "mouse": "mice;computer mouse",
        "microwave": "microwave oven",
        "building": "skyscraper",
        "cabinet": "cupboard;wardrobe;closet",
        "curtain": "drape",
        "dirt": "soil;earth;mud",
        "grass": "lawn;meadow",
        "light": "lamp",
        "mountain": "hill",
        "pavement": "sidewalk",
        "pillow": "cushion",
        "railroad": "railway;rail",
        "road": "street",
        "rock": "stone;boulder",
        "rug": "carpet",
        "sea": "ocean",
        "shelf": "bookshelf;bookcase",
        "sky": "cloud",
        "stairs": "stair;staircase;step",
        "water": "lake;pond",
        "window blind": "blind;shutter",
    }
)

_ANIMALS = ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe")
_VEHICLES = ("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat")
_FURNITURE = ("chair", "couch", "bed", "dining table", "table", "cabinet", "shelf")
_FRUIT = ("banana", "apple", "orange", "fruit")
_FOOD = (*_FRUIT, "sandwich", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "food")
_WALLS = ("wall", "brick wall", "stone wall", "tiled wall", "wooden wall")
_GROUND = ("floor", "wooden floor", "pavement", "road", "dirt", "sand", "gravel", "grass", "snow", "playing field")

SEVERAL: dict[str, tuple[str, ...]] = {
    "animal": _ANIMALS, "vehicle": _VEHICLES, "furniture": _FURNITURE, "fruit": _FRUIT, "food": _FOOD,
    "wall": _WALLS, "floor": ("floor", "wooden floor"), "ground": _GROUND, "water": ("water", "sea", "river"),
    "table": ("dining table", "table"), "window": ("window", "window blind"), "house": ("house", "building"),
    "plant": ("potted plant", "flower", "tree", "grass"), "vegetation": ("tree", "grass", "flower", "potted plant"),
}  # fmt: skip

KINDS: dict[str, str] = _words(
    {
        "person": "man;men;woman;women;girl;boy;child;children;kid;lady;guy;gentleman;baby;toddler;pedestrian;adult;"
        "teenager;passenger;player;rider",
        "car": "sedan;taxi;cab;suv;hatchback",
        "motorcycle": "scooter;moped",
        "airplane": "jet;airliner",
        "bus": "coach;minibus",
        "train": "locomotive;tram;railcar",
        "truck": "pickup;van;pickup truck",
        "boat": "ship;sailboat;canoe;kayak;dinghy;yacht;ferry",
        "bird": "pigeon;seagull;gull;duck;goose;geese;sparrow;crow;parrot;swan;eagle;owl;chicken",
        "cat": "kitten",
        "dog": "puppy;pup;hound",
        "horse": "pony;foal;mare;stallion",
        "sheep": "lamb;ewe;ram",
        "cow": "bull;calf;calves;ox;oxen",
        "bear": "grizzly",
        "umbrella": "parasol",
        "suitcase": "trolley",
        "sports ball": "football;basketball;volleyball;baseball;soccerball;soccer ball;tennis ball;golf ball",
        "bottle": "flask",
        "cake": "tart",
        "chair": "armchair;stool",
        "couch": "loveseat",
        "refrigerator": "freezer",
        "clock": "watch",
    }
)

# English goes first.
SAME = _typed(_words(NAMES)) | SAME
KINDS = dict.fromkeys(_typed(_words(PEOPLE)), "person") | KINDS

ALONE = frozenset(
    (
        "auto", "bag", "ball", "basin", "beaker", "bull", "cab", "calf", "coach", "cooker", "crow", "cycle", "desk",
        "dish", "figure", "flask", "glass", "guy", "hound", "jet", "kid", "mice", "mobile", "monitor", "notebook",
        "ox", "pickup", "plane", "plant", "player", "pup", "purse", "racket", "ram", "rider", "screen", "seat",
        "ship", "stool", "surf", "table", "tart", "teddy", "trolley", "watch",
    )
)  # fmt: skip

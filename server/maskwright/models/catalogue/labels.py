"""The label tables of the parsers, and the words people use for parts of a person. Light: standard library only.

"Left" and "right" in the labels are the wearer's own where the training data say so; "... on the left" is as seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from maskwright_protocol.errors import ModelBroken
from maskwright_protocol.language import tr

if TYPE_CHECKING:
    from .entries import Entry

BACKGROUND = frozenset({"background", "unlabelled", "unlabeled"})


@dataclass(frozen=True)
class LabelTable:
    """``labels`` in the order of the model's classes. ``of``: what is looked for first and cropped.

    ``groups``: names people ask for -> labels. ``spellings``: how checkpoints write a label, if not as here.
    """

    name: str
    of: Literal["person", "face"]
    labels: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """The labels except for the background's."""
        return tuple(label for label in self.labels if key(label) not in BACKGROUND)


@dataclass(frozen=True)
class Part:
    """A part that was asked for, as ``classes`` of the table. ``seen``: of two the one further to that side.

    ``person``: whose part, counted from 1; 0 means everybody's.
    """

    name: str
    classes: tuple[int, ...]
    seen: Literal["", "left", "right"] = ""
    person: int = 0


def key(name: str) -> str:
    """A name in the form in which names are compared: lower case, single spaces, no punctuation."""
    return re.sub(r"[^a-z0-9&]+", " ", name.casefold()).strip()


CLOTHES = LabelTable(
    "clothes",
    "person",
    (
        "Background", "Hat", "Hair", "Sunglasses", "Upper-clothes", "Skirt", "Pants", "Dress", "Belt", "Left-shoe",
        "Right-shoe", "Face", "Left-leg", "Right-leg", "Left-arm", "Right-arm", "Bag", "Scarf",
    ),
    {
        "all clothes": (
            "Hat", "Upper-clothes", "Skirt", "Pants", "Dress", "Belt", "Left-shoe", "Right-shoe", "Scarf",
        ),
        "accessories": ("Hat", "Sunglasses", "Belt", "Bag", "Scarf"),
        "head": ("Hat", "Hair", "Sunglasses", "Face"),
        "upper body": ("Upper-clothes", "Dress", "Scarf", "Left-arm", "Right-arm"),
        "lower body": ("Skirt", "Pants", "Belt", "Left-leg", "Right-leg", "Left-shoe", "Right-shoe"),
        "skin": ("Face", "Left-leg", "Right-leg", "Left-arm", "Right-arm"),
        "arms": ("Left-arm", "Right-arm"),
        "legs": ("Left-leg", "Right-leg"),
        "shoes": ("Left-shoe", "Right-shoe"),
    },
)  # fmt: skip

_EYES, _BROWS, _EARS = ("Left-eye", "Right-eye"), ("Left-eyebrow", "Right-eyebrow"), ("Left-ear", "Right-ear")
_LIPS = ("Upper-lip", "Lower-lip")
FACE = LabelTable(
    "face",
    "face",
    (
        "Background", "Skin", "Nose", "Eyeglasses", "Left-eye", "Right-eye", "Left-eyebrow", "Right-eyebrow",
        "Left-ear", "Right-ear", "Mouth", "Upper-lip", "Lower-lip", "Hair", "Hat", "Earring", "Necklace", "Neck",
        "Clothing",
    ),
    {
        "whole face": ("Skin", "Nose", "Eyeglasses", *_EYES, *_BROWS, "Mouth", *_LIPS),
        "head": (
            "Skin", "Nose", "Eyeglasses", *_EYES, *_BROWS, *_EARS, "Mouth", *_LIPS, "Hair", "Hat", "Earring",
        ),
        "all skin": ("Skin", "Nose", *_EARS, "Neck"),
        "eyes": _EYES,
        "eyebrows": _BROWS,
        "ears": _EARS,
        "lips": _LIPS,
        "whole mouth": ("Mouth", *_LIPS),
        "jewellery": ("Earring", "Necklace"),
        "all clothes": ("Hat", "Clothing"),
    },
    {
        "eye_g": "Eyeglasses", "l_eye": "Left-eye", "r_eye": "Right-eye", "l_brow": "Left-eyebrow",
        "r_brow": "Right-eyebrow", "l_ear": "Left-ear", "r_ear": "Right-ear", "u_lip": "Upper-lip",
        "l_lip": "Lower-lip", "ear_r": "Earring", "neck_l": "Necklace", "cloth": "Clothing",
    },
)  # fmt: skip

_TOPS = (
    "shirt, blouse", "top, t-shirt, sweatshirt", "sweater", "cardigan", "jacket", "vest", "coat", "dress", "jumpsuit",
    "cape",
)  # fmt: skip
_BOTTOMS = ("pants", "shorts", "skirt")
_FOR_LEGS = ("leg warmer", "tights, stockings", "sock", "shoe")
_DETAILS = (
    "hood", "collar", "lapel", "epaulette", "sleeve", "pocket", "neckline", "buckle", "zipper", "applique", "bead",
    "bow", "flower", "fringe", "ribbon", "rivet", "ruffle", "sequin", "tassel",
)  # fmt: skip
FASHION = LabelTable(
    "fashion",
    "person",
    (
        "Unlabelled", "shirt, blouse", "top, t-shirt, sweatshirt", "sweater", "cardigan", "jacket", "vest", "pants",
        "shorts", "skirt", "coat", "dress", "jumpsuit", "cape", "glasses", "hat",
        "headband, head covering, hair accessory", "tie", "glove", "watch", "belt", "leg warmer", "tights, stockings",
        "sock", "shoe", "bag, wallet", "scarf", "umbrella", *_DETAILS,
    ),
    {
        "all clothes": (*_TOPS, *_BOTTOMS, *_FOR_LEGS, "hat", "tie", "glove", "belt", "scarf", *_DETAILS),
        "upper body": (*_TOPS, "tie", "scarf"),
        "lower body": (*_BOTTOMS, *_FOR_LEGS, "belt"),
        "accessories": (
            "glasses", "hat", "headband, head covering, hair accessory", "tie", "glove", "watch", "belt",
            "bag, wallet", "scarf", "umbrella",
        ),
        "details": _DETAILS,
    },
)  # fmt: skip

# The order is that of the CIHP data, on which the network was trained.
BODY = LabelTable(
    "body",
    "person",
    (
        "Background", "Hat", "Hair", "Glove", "Glasses", "Top-clothes", "Dress", "Coat", "Socks", "Bottom-clothes",
        "Torso-skin", "Scarf", "Skirt", "Face", "Left-arm", "Right-arm", "Left-leg", "Right-leg", "Left-foot",
        "Right-foot",
    ),
    {
        "all clothes": (
            "Hat", "Glove", "Top-clothes", "Dress", "Coat", "Socks", "Bottom-clothes", "Scarf", "Skirt", "Left-foot",
            "Right-foot",
        ),
        "accessories": ("Hat", "Glove", "Glasses", "Scarf"),
        "head": ("Hat", "Hair", "Glasses", "Face"),
        "upper body": ("Top-clothes", "Dress", "Coat", "Torso-skin", "Scarf", "Glove", "Left-arm", "Right-arm"),
        "lower body": (
            "Socks", "Bottom-clothes", "Skirt", "Left-leg", "Right-leg", "Left-foot", "Right-foot",
        ),
        "skin": ("Torso-skin", "Face", "Left-arm", "Right-arm", "Left-leg", "Right-leg"),
        "arms": ("Left-arm", "Right-arm"),
        "legs": ("Left-leg", "Right-leg"),
        "feet": ("Left-foot", "Right-foot"),
    },
    {
        "Sunglasses": "Glasses", "UpperClothes": "Top-clothes", "Pants": "Bottom-clothes", "Left-shoe": "Left-foot",
        "Right-shoe": "Right-foot",
    },
)  # fmt: skip

_ARMS = {
    side: tuple(f"{side}-{part}" for part in ("upper-arm", "lower-arm", "hand")) for side in ("Left", "Right")
}  # fmt: skip
_LEGS = {side: tuple(f"{side}-{part}" for part in ("upper-leg", "lower-leg")) for side in ("Left", "Right")}
_FEET, _SHOES, _SOCKS = (tuple(f"{side}-{part}" for side in ("Left", "Right")) for part in ("foot", "shoe", "sock"))
_MOUTH = ("Lower-lip", "Upper-lip", "Lower-teeth", "Upper-teeth", "Tongue")
SAPIENS = LabelTable(
    "sapiens",
    "person",
    (
        "Background", "Apparel", "Eyeglass", "Face-Neck", "Hair", "Left-foot", "Left-hand", "Left-lower-arm",
        "Left-lower-leg", "Left-shoe", "Left-sock", "Left-upper-arm", "Left-upper-leg", "Lower-clothing",
        "Right-foot", "Right-hand", "Right-lower-arm", "Right-lower-leg", "Right-shoe", "Right-sock",
        "Right-upper-arm", "Right-upper-leg", "Torso", "Upper-clothing", "Lower-lip", "Upper-lip", "Lower-teeth",
        "Upper-teeth", "Tongue",
    ),
    {
        "all clothes": ("Apparel", "Upper-clothing", "Lower-clothing", *_SHOES, *_SOCKS),
        "accessories": ("Apparel", "Eyeglass"),
        "whole face": ("Face-Neck", "Eyeglass", *_MOUTH),
        "head": ("Hair", "Face-Neck", "Eyeglass", *_MOUTH),
        "upper body": ("Torso", "Upper-clothing", *_ARMS["Left"], *_ARMS["Right"]),
        "lower body": ("Lower-clothing", *_LEGS["Left"], *_LEGS["Right"], *_FEET, *_SHOES, *_SOCKS),
        "skin": (
            "Face-Neck", "Torso", *_ARMS["Left"], *_ARMS["Right"], *_LEGS["Left"], *_LEGS["Right"], *_FEET,
        ),
        "arms": (*_ARMS["Left"], *_ARMS["Right"]),
        "left arm": _ARMS["Left"],
        "right arm": _ARMS["Right"],
        "hands": ("Left-hand", "Right-hand"),
        "legs": (*_LEGS["Left"], *_LEGS["Right"]),
        "left leg": _LEGS["Left"],
        "right leg": _LEGS["Right"],
        "feet": _FEET,
        "shoes": _SHOES,
        "socks": _SOCKS,
        "lips": ("Lower-lip", "Upper-lip"),
        "teeth": ("Lower-teeth", "Upper-teeth"),
        "whole mouth": _MOUTH,
    },
)  # fmt: skip

SIMPLE = LabelTable("simple", "person", ("skin", "clothes", "hair"), {"all clothes": ("clothes",)})

TABLES = {table.name: table for table in (CLOTHES, FACE, FASHION, BODY, SAPIENS, SIMPLE)}

# Words -> what they may be called in a table, the closest first.
_WORDS: dict[str, tuple[str, ...]] = {
    word.strip(): names
    for words, names in (
        ("clothes;clothing;outfit;garment;apparel;costume", ("all clothes", "clothes")),
        ("clothing", ("clothing", "all clothes")),
        ("coat;jacket;blazer", ("coat", "jacket", "upper clothes", "top clothes", "upper clothing")),
        ("top;shirt;blouse;t shirt;tshirt;sweater;pullover;jumper;hoodie;cardigan;vest;upper clothes",
         ("sweater", "upper clothes", "top clothes", "upper clothing")),
        ("trousers;jeans;pants;leggings;slacks;bottoms;bottom clothes",
         ("pants", "bottom clothes", "lower clothing")),
        ("shorts", ("pants", "bottom clothes", "lower clothing")),
        ("gown;frock", ("dress",)),
        ("glasses;spectacles;eyeglasses;sunglasses;eyewear", ("glasses", "eyeglasses", "sunglasses", "eyeglass")),
        ("shoe;shoes;boot;boots;sneakers;footwear;heels;foot;feet", ("shoes", "shoe", "feet")),
        ("left shoe;left foot", ("left shoe", "left foot")),
        ("right shoe;right foot", ("right shoe", "right foot")),
        ("cap;headwear", ("hat",)),
        ("bag;handbag;purse;backpack;wallet", ("bag", "bag wallet")),
        ("hairs;hairdo;hairstyle;haircut", ("hair",)),
        ("face;whole face", ("whole face", "face")),
        ("skin;all skin;bare skin", ("all skin", "skin")),
        ("facial skin", ("skin",)),
        ("arm;arms", ("arms",)),
        ("leg;legs", ("legs",)),
        ("eye", ("eyes",)),
        ("brow;brows;eyebrow;left brow;right brow", ("eyebrows",)),
        ("ear", ("ears",)),
        ("lip", ("lips",)),
        ("mouth", ("whole mouth",)),
        ("jewelry", ("jewellery",)),
        ("upper body;torso;body above the waist", ("upper body", "torso skin")),
        ("legwear;lower body", ("lower body",)),
        ("stockings;tights", ("tights stockings", "socks")),
        ("sock;socks", ("sock", "socks")),
        ("gloves", ("glove",)),
        ("hand", ("hands",)),
        ("neck", ("neck", "face neck")),
        ("tooth", ("teeth",)),
    )
    for word in words.split(";")
}  # fmt: skip
_ARTICLES = re.compile(r"^(?:(?:a|an|the|all|all the|her|his|their|my|of|people s|person s|woman s|man s) )+")
_PERSON = re.compile(r"^(.+) of (?:person|face|number) (\d{1,3})$")
_SIDE = re.compile(r"^(.+) on the (left|right)$")
_OWNER = re.compile(r" of (?:the |a |all )?(?:person|people|woman|man|girl|boy|persons|everybody|everyone)$")


def find(table: LabelTable, words: str) -> Part | None:
    """The part of the table that ``words`` mean: a label, a group, or a synonym or plural of one; None if unknown.

    A label of the table, spelt exactly, means that label, whatever else the word may mean. "... of person 2" means that
    person's part.
    """
    if words in table.labels:
        return _own(table, table.labels.index(words))
    whose = _PERSON.match(key(words))
    if whose is not None:
        part = find(table, whose[1])
        return replace(part, person=int(whose[2])) if part is not None and int(whose[2]) else None
    name = _OWNER.sub("", _ARTICLES.sub("", key(words)))
    side = _SIDE.match(name)
    if side is not None:
        both = find(table, side[1])
        if both is None or len(both.classes) != 2 or both.seen:
            return None
        return Part(name, both.classes, "left" if side[2] == "left" else "right")
    # A bare word for what the table has as a group and as a label ("face", "skin") means the group.
    candidates = [*_WORDS.get(name, ()), name] if name in ("face", "skin", "mouth") else [name, *_WORDS.get(name, ())]
    for ending in ("s", "es"):
        if name.endswith(ending):
            candidates.append(name[: -len(ending)])
    names = _names(table)
    return next((names[candidate] for candidate in candidates if candidate in names), None)


def _own(table: LabelTable, number: int) -> Part:
    label = table.labels[number]
    return Part(label if "," in label else key(label), (number,))


def _names(table: LabelTable) -> dict[str, Part]:
    names: dict[str, Part] = {}
    for number, label in enumerate(table.labels):
        own = _own(table, number)
        for spelling in (label, *label.split(",")):
            names.setdefault(key(spelling), own)
    for group, labels in table.groups.items():
        names.setdefault(key(group), Part(group, tuple(table.labels.index(label) for label in labels)))
    return names


def every_part(table: LabelTable) -> list[Part]:
    """Each label except the background as a part."""
    return [_own(table, number) for number, label in enumerate(table.labels) if key(label) not in BACKGROUND]


def disagreement(table: LabelTable, named: Sequence[str]) -> str:
    """The first difference between a checkpoint's own label names and the table's, as a clause; "" where they agree.

    Names made up by a library ("LABEL_3") agree with everything.
    """
    if len(named) != len(table.labels):
        return f"it has {len(named)} labels instead of {len(table.labels)}"
    spellings = {key(theirs): key(ours) for theirs, ours in table.spellings.items()}
    for number, (theirs, ours) in enumerate(zip(named, table.labels, strict=True)):
        made_up = key(theirs) == f"label {number}"
        own, other = key(ours), spellings.get(key(theirs), key(theirs))
        if made_up or own == other or (own in BACKGROUND and other in BACKGROUND):
            continue
        if set(own.split()) != set(other.split()):
            return f"its label {number} is {theirs!r} instead of {ours!r}"
    return ""


def of_entry(entry: Entry) -> LabelTable:
    """The table that the entry names in ``options.labels``, or one made of the labels that it lists there.

    For the latter ``options.of`` says what is cropped. Raises ``ModelBroken``.
    """
    given = entry.options.get("labels")
    if isinstance(given, str) and given in TABLES:
        return TABLES[given]
    if isinstance(given, list) and given and all(isinstance(label, str) for label in given):
        return LabelTable("own", "face" if entry.options.get("of") == "face" else "person", tuple(given))
    known = ", ".join(TABLES)
    hint = tr("Set options.labels to a list of names, or to one of {0}.", known)
    raise ModelBroken(
        tr("The entry of the model {0} does not say what its labels are.", entry.id), hint, model=entry.id
    )


def of_checkpoint(entry: Entry, named: Sequence[str]) -> LabelTable:
    """The entry's table if its labels agree with ``named``, the checkpoint's own; else ``ModelBroken`` is raised.

    Without labels in the entry: a known table that agrees, or one made of the checkpoint's names.
    """
    if "labels" in entry.options:
        table = of_entry(entry)
        difference = disagreement(table, named)
        if difference:
            text = tr("The model {0} does not have the labels that Maskwright knows of it: {1}.", entry.id, difference)
            raise ModelBroken(text, model=entry.id)
        return table
    for table in TABLES.values():
        if not disagreement(table, named) and not all(key(name).startswith("label ") for name in named):
            return table
    return LabelTable("own", "face" if entry.options.get("of") == "face" else "person", tuple(named))


def installed_table(entry: Entry, folder: Path | None) -> LabelTable | None:
    """The table of a parser that is not loaded, from its entry or its ``config.json``; None where neither has one."""
    try:
        if "labels" in entry.options:
            return of_entry(entry)
        if folder is None:
            return None
        names = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        return of_checkpoint(entry, [str(names[str(number)]) for number in range(len(names))])
    except (ModelBroken, OSError, ValueError, KeyError, TypeError, RecursionError):
        return None

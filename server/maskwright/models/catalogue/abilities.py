"""Which words a detector knows and whether it draws, told from its entry. Light: standard library only."""

from __future__ import annotations

from .entries import Entry
from .words import COCO, meanings

_OPEN = ("grounding_dino", "florence2", "sam3")  # families that understand any words
_EVERYDAY = ("yolox", "yolo", "rt_detr")  # families whose published checkpoints know COCO's names, but for these:
_SPECIAL: dict[str, tuple[str, ...]] = {
    "face-": ("face",),
    "hand-": ("hand",),
    "person-": ("person",),
    "clothes-": (
        "short sleeved shirt", "long sleeved shirt", "short sleeved outwear", "long sleeved outwear", "vest", "sling",
        "shorts", "trousers", "skirt", "short sleeved dress", "long sleeved dress", "vest dress", "sling dress",
    ),
}  # fmt: skip


def names(entry: Entry) -> tuple[str, ...] | None:
    """The names of a detector's classes; None when it understands any words, or only the loaded file tells."""
    listed = entry.options.get("names")
    if isinstance(listed, list):
        return tuple(str(name) for name in listed)
    if entry.family == "yunet":
        return ("face",)
    if entry.own or entry.family not in _EVERYDAY:
        return COCO if entry.family == "yolox" else None
    return next((known for start, known in _SPECIAL.items() if entry.id.startswith(start)), COCO)


def is_open(entry: Entry) -> bool:
    """Whether the model understands any words."""
    return entry.family in _OPEN


def draws(entry: Entry) -> bool | None:
    """Whether the detector gives masks beside its boxes; None when the loaded file or what it is asked decides."""
    if entry.family == "florence2" or (entry.own and entry.family in ("yolo", "rt_detr")):
        return None
    return entry.family in ("yolo", "rt_detr") and "seg" in entry.id.split("-")


def knows(entry: Entry, word: str) -> bool | None:
    """Whether the detector knows a word; None when only the loaded file tells."""
    if is_open(entry):
        return True
    known = names(entry)
    return None if known is None else bool(meanings(word, known))

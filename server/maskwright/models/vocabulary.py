"""Which words a detector knows, told from its entry, without loading it. Light: standard library only."""

from __future__ import annotations

from .catalogue import Entry
from .words import COCO, lookup

FACES = ("face",)
_OPEN = ("grounding_dino", "florence2", "sam3")  # families that understand any words


def names(entry: Entry) -> tuple[str, ...] | None:
    """The names of a detector's classes; None when it understands any words, or only the loaded file tells."""
    listed = entry.options.get("names")
    if isinstance(listed, list):
        return tuple(str(name) for name in listed)
    return {"yolox": COCO, "yunet": FACES}.get(entry.family)


def is_open(entry: Entry) -> bool:
    """Whether the detector understands any words."""
    return entry.family in _OPEN


def knows(entry: Entry, word: str) -> bool | None:
    """Whether the detector knows a word; None when only the loaded file tells."""
    if is_open(entry):
        return True
    known = names(entry)
    return None if known is None else lookup(word, known) is not None

"""GrabCut: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family, Recipe


def _load(*given: Any) -> Any:
    from .inference import grabcut

    return grabcut.load(*given)


FAMILY = Family(
    name="grabcut",
    title="GrabCut",
    roles=("segmenter",),
    recipes=(Recipe("grabcut", 60, "the basic engine"),),
    basic=True,
    load=_load,
)

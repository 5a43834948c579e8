"""SAM: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family, Recipe


def _load(*given: Any) -> Any:
    from .inference import sam

    return sam.load(*given)


FAMILY = Family(
    name="sam",
    title="SAM",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    recipes=(Recipe("sam", 40),),
    load=_load,
)

"""SAM 2: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family, Recipe


def _load(*given: Any) -> Any:
    from .inference import sam2

    return sam2.load(*given)


FAMILY = Family(
    name="sam2",
    title="SAM 2",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    recipes=(Recipe("sam2", 20),),
    load=_load,
)

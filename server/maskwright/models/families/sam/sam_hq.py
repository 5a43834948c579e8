"""HQ-SAM: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family, Recipe


def _load(*given: Any) -> Any:
    from .inference import sam_hq

    return sam_hq.load(*given)


FAMILY = Family(
    name="sam_hq",
    title="HQ-SAM",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    recipes=(Recipe("sam-hq", 30),),
    load=_load,
)

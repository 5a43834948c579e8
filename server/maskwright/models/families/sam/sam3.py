"""SAM 3: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family, Recipe


def _load(*given: Any) -> Any:
    from .inference import sam3

    return sam3.load(*given)


FAMILY = Family(
    name="sam3",
    title="SAM 3",
    roles=("segmenter", "detector"),
    layouts=("config.json model.safetensors tokenizer.json", "*.safetensors tokenizer.json"),
    recipes=(Recipe("sam3", 10),),
    vocabulary="any",
    offered="sam3",
    load=_load,
)

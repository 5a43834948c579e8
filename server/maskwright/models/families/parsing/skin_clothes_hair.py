"""Skin, clothes, hair: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family


def _load(*given: Any) -> Any:
    from .inference import skin_clothes_hair

    return skin_clothes_hair.load(*given)


FAMILY = Family(
    name="skin_clothes_hair",
    title="Skin, clothes, hair",
    roles=("parser",),
    layouts=("*.onnx",),
    load=_load,
)

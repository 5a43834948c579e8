"""MobileSAM: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family, Recipe


def _load(*given: Any) -> Any:
    from .inference import mobile_sam_torch

    return mobile_sam_torch.load(*given)


FAMILY = Family(
    name="mobile_sam_torch",
    title="MobileSAM",
    roles=("segmenter",),
    layouts=("*.safetensors",),
    recipes=(Recipe("mobile-sam", 51),),
    load=_load,
)

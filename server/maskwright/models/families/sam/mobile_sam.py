"""MobileSAM: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family, Recipe


def _load(*given: Any) -> Any:
    from .inference import mobile_sam

    return mobile_sam.load(*given)


FAMILY = Family(
    name="mobile_sam",
    title="MobileSAM",
    roles=("segmenter",),
    layouts=("*.onnx",),
    recipes=(Recipe("mobile-sam", 50),),
    load=_load,
)

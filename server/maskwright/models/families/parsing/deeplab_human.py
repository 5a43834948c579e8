"""DeepLabV3+: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family


def _load(*given: Any) -> Any:
    from .inference import deeplab_human

    return deeplab_human.load(*given)


FAMILY = Family(
    name="deeplab_human",
    title="DeepLabV3+",
    roles=("parser",),
    layouts=("*.onnx",),
    load=_load,
)

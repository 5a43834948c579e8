"""YOLOX: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.coco import COCO
from maskwright.models.family import Family, Recipe
from maskwright.models.options import AGNOSTIC, CLASSES, MAX_DET, iou


def _load(*given: Any) -> Any:
    from .inference import yolox

    return yolox.load(*given)


FAMILY = Family(
    name="yolox",
    title="YOLOX",
    roles=("detector",),
    layouts=("*.onnx",),
    recipes=(Recipe("yolox", 50),),
    vocabulary=COCO,
    options=(iou(0.5), CLASSES, MAX_DET, AGNOSTIC),
    covers="YOLOX",
    gives="boxes",
    licence="Apache-2.0",
    load=_load,
)

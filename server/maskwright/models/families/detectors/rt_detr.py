"""RT-DETR: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.coco import COCO
from maskwright.models.family import Family, Recipe
from maskwright.models.options import AGNOSTIC, CLASSES, MAX_DET, iou


def _load(*given: Any) -> Any:
    from .inference import rt_detr

    return rt_detr.load(*given)


FAMILY = Family(
    name="rt_detr",
    title="RT-DETR",
    roles=("detector",),
    layouts=("config.json *.safetensors preprocessor_config.json",),
    recipes=(Recipe("rt-detr", 40),),
    vocabulary="checkpoint",
    usual_names=COCO,
    options=(iou(None), CLASSES, MAX_DET, AGNOSTIC),  # these models suppress doubles themselves
    masks="checkpoint",
    own_masks=Recipe("rf-detr", 10, "RF-DETR Seg"),
    covers="RF-DETR, RT-DETR, D-FINE",
    gives="boxes; outlines from RF-DETR Seg",
    licence="Apache-2.0",
    load=_load,
)

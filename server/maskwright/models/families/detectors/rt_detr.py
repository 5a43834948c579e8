"""RT-DETR: what is known of the family; ``inference`` runs it."""

from maskwright.models.coco import COCO
from maskwright.models.family import Family, Recipe, Signs, late
from maskwright.models.options import AGNOSTIC, CLASSES, MAX_DET, iou

FAMILY = Family(
    name="rt_detr",
    title="RT-DETR",
    roles=("detector",),
    layouts=("config.json *.safetensors preprocessor_config.json",),
    signs=(Signs(config=("rt_detr", "rt_detr_v2", "d_fine", "rf_detr")),),
    recipes=(Recipe("rt-detr", 40),),
    vocabulary="checkpoint",
    usual_names=COCO,
    options=(iou(None), CLASSES, MAX_DET, AGNOSTIC),  # these models suppress doubles themselves
    masks="checkpoint",
    own_masks=Recipe("rf-detr", 10, "RF-DETR Seg"),
    covers="RF-DETR, RT-DETR, D-FINE",
    gives="boxes; outlines from RF-DETR Seg",
    licence="Apache-2.0",
    runs="the transformers library's network",
    load=late(f"{__package__}.inference.rt_detr", "RtDetr"),
)

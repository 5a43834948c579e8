"""YOLOX: what is known of the family; ``inference`` runs it."""

from maskwright.models.coco import COCO
from maskwright.models.family import Family, Recipe, Signs, late
from maskwright.models.options import AGNOSTIC, CLASSES, MAX_DET, iou

FAMILY = Family(
    name="yolox",
    title="YOLOX",
    roles=("detector",),
    layouts=("*.onnx",),
    signs=(Signs(inputs=("images *x3x*",), outputs=("* *x*x85",), without=("names=*",)),),
    recipes=(Recipe("yolox", 50),),
    vocabulary=COCO,
    options=(iou(0.5), CLASSES, MAX_DET, AGNOSTIC),
    covers="YOLOX",
    gives="boxes",
    licence="Apache-2.0",
    runs="an ONNX export of the authors' network",
    load=late(f"{__package__}.inference.yolox", "Yolox"),
)

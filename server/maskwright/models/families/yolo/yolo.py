"""YOLO: what is known of the family; ``inference`` runs it."""

from maskwright.models.coco import COCO
from maskwright.models.family import Family, Recipe, late
from maskwright.models.options import AGNOSTIC, CLASSES, MAX_DET, iou
from maskwright_protocol.messages import OptionInfo

FAMILY = Family(
    name="yolo",
    title="YOLO",
    roles=("detector",),
    layouts=("*.safetensors", "*.onnx"),
    recipes=(Recipe("yolo", 30),),
    vocabulary="checkpoint",
    usual_names=COCO,
    options=(
        iou(0.7),
        CLASSES,
        MAX_DET,
        AGNOSTIC,
        OptionInfo(
            "size", "integer", "Pixels of the longer side that the model looks at; more finds smaller things.", None,
            64, 4096,
        ),
    ),
    masks="checkpoint",
    own_masks=Recipe("yolo", 20),
    covers="YOLO v8, 11, 26; YOLO-World, YOLOE",
    gives="boxes; outlines from `-seg` models",
    licence='AGPL-3.0, installed by you: `pip install "maskwright[yolo]"`',
    load=late(f"{__package__}.inference.model"),
)  # fmt: skip

"""YOLO: what is known of the family; ``inference`` runs it."""

from maskwright.models.coco import COCO
from maskwright.models.families.yolo import INSTEAD, OTHERS
from maskwright.models.family import Compared, Family, Recipe, Signs, late
from maskwright.models.options import AGNOSTIC, CLASSES, MAX_DET, iou
from maskwright_protocol.language import tr
from maskwright_protocol.messages import OptionInfo

FAMILY = Family(
    name="yolo",
    title="YOLO",
    roles=("detector",),
    layouts=("*.safetensors", "*.onnx"),
    signs=(
        *(
            Signs(told=(pattern,), why_not=f"{what} {INSTEAD}")
            for (kind, task), what in OTHERS.items()
            for pattern in (f"kind=*.{kind}*", f"task={task}")
        ),
        Signs(
            told=("kind=*.RTDETR*",),
            why_not="It is an RT-DETR in Ultralytics' layout, which Maskwright cannot run: 'maskwright models pull "
            "rt-detr-r18' gets one that it can.",
        ),
        Signs(told=("kind=*ultralytics.*",)),
        Signs(inputs=("images *",), outputs=("output0 *",)),
    ),
    recipes=(Recipe("yolo", 30),),
    vocabulary="checkpoint",
    usual_names=COCO,
    options=(
        iou(0.7),
        CLASSES,
        MAX_DET,
        AGNOSTIC,
        OptionInfo(
            "size", "integer", tr("Pixels of the longer side that the model looks at; more finds smaller things."),
            None, 64, 4096,
        ),
    ),
    masks="checkpoint",
    own_masks=Recipe("yolo", 20),
    covers="YOLO v3, v5u, v6, v8 to v10, 11, 12, 26; YOLO-World, YOLOE",
    gives="boxes; outlines from `-seg` models",
    licence='AGPL-3.0, installed by you: `pip install "maskwright[yolo]"`',
    compared=(
        Compared(
            what="YOLO 11n, 26n and v8n: boxes",
            against="ultralytics (8.4.190), its predictor",
            difference="the same boxes, but where two score nearly alike",
        ),
    ),
    load=late(f"{__package__}.inference.model"),
)  # fmt: skip

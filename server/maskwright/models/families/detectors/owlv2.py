"""OWLv2: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late
from maskwright.models.options import AGNOSTIC, MAX_DET, iou

FAMILY = Family(
    name="owlv2",
    title="OWLv2",
    roles=("detector",),
    layouts=("*.onnx tokenizer.json",),
    signs=(Signs(inputs=("input_ids *", "pixel_values *"), outputs=("pred_boxes *",)),),
    recipes=(Recipe("owlv2", 45),),
    vocabulary="any",
    options=(iou(0.5), MAX_DET, AGNOSTIC),
    covers="OWLv2, as ONNX",
    gives="boxes, each under its phrase",
    licence="Apache-2.0",
    runs="an export of the transformers library's network",
    load=late(f"{__package__}.inference.owlv2", "Owlv2"),
)

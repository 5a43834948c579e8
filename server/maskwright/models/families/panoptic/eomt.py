"""EoMT: what is known of the family; ``inference`` runs it."""

from maskwright.models.coco import COCO_PANOPTIC
from maskwright.models.family import Compared, Family, Recipe, Signs, late
from maskwright.models.options import CLASSES, MAX_DET

FAMILY = Family(
    name="eomt",
    title="EoMT",
    roles=("detector", "panoptic"),
    layouts=("config.json model.safetensors preprocessor_config.json",),
    signs=(Signs(config=("eomt", "eomt_dinov3")),),
    recipes=(Recipe("eomt", 60),),
    vocabulary="checkpoint",
    usual_names=COCO_PANOPTIC,
    options=(CLASSES, MAX_DET),
    masks="checkpoint",
    own_masks=Recipe("eomt", 30),
    covers="EoMT, EoMT-DINOv3",
    gives="outlines, of sky, grass and road too",
    licence="Apache-2.0",
    compared=(
        Compared(
            what="random weights, small: EoMT on DINOv3, logits of masks and classes",
            against="tue-mps/eomt (7bd19dd)",
            difference="none; 2e-5 of masks up to 4 with its masked attention switched on",
        ),
        Compared(what="EoMT on DINOv2"),
    ),
    load=late(f"{__package__}.inference.eomt", "Eomt"),
)

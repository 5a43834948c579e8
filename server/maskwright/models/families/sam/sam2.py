"""SAM 2: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Recipe, Signs, late

FAMILY = Family(
    name="sam2",
    title="SAM 2",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    signs=(
        Signs(config=("sam2", "sam2_video")),
        Signs(tensors=("image_encoder.trunk.*", "sam_mask_decoder.*"), without=("image_encoder.trunk.body.*",)),
    ),
    recipes=(Recipe("sam2", 20),),
    compared=(
        Compared(
            what="random weights, full size: SAM 2.0 tiny, all of SAM 2.1: click, clicks, box, both",
            against="facebookresearch/sam2 (2b90b9f)",
            difference="at most 3.5e-5",
        ),
        Compared(what="SAM 2.0 small, base+ and large"),
    ),
    load=late(f"{__package__}.inference.sam2"),
)

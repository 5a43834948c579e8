"""HQ-SAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Recipe, Signs, late

FAMILY = Family(
    name="sam_hq",
    title="HQ-SAM",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    signs=(Signs(config=("sam_hq",)), Signs(tensors=("image_encoder.blocks.*", "mask_decoder.hf_token.*"))),
    recipes=(Recipe("sam-hq", 30),),
    compared=(
        Compared(
            what="random weights: ViT-B, full size: click, clicks, box, both",
            against="SysCV/sam-hq (fb181f8)",
            difference="at most 3.5e-5",
        ),
        Compared(what="ViT-L and ViT-H"),
    ),
    load=late(f"{__package__}.inference.sam_hq"),
)

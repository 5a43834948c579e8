"""HQ-SAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Recipe, Signs, late

FAMILY = Family(
    name="sam_hq",
    title="HQ-SAM",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    signs=(Signs(config=("sam_hq",)), Signs(tensors=("image_encoder.*", "mask_decoder.hf_token.*"))),
    recipes=(Recipe("sam-hq", 30),),
    compared=(
        Compared(
            what="random weights: ViT-B, full size: click, clicks, box, both",
            against="SysCV/sam-hq (fb181f8)",
            difference="at most 3.5e-5",
        ),
        Compared(
            what="Light HQ-SAM: MobileSAM's trained weights and random ones for the rest, clicks and boxes",
            against="SysCV/sam-hq (fb181f8)",
            difference="6e-5 of logits up to 10",
            test="tests/parity/test_light_hq_sam.py",
        ),
        Compared(what="ViT-L and ViT-H"),
    ),
    load=late(f"{__package__}.inference.sam_hq"),
)

"""SAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Recipe, Signs, late

FAMILY = Family(
    name="sam",
    title="SAM",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    signs=(
        Signs(config=("sam",)),
        Signs(tensors=("image_encoder.blocks.*", "mask_decoder.iou_token.*"), without=("mask_decoder.hf_token.*",)),
    ),
    recipes=(Recipe("sam", 40),),
    compared=(
        Compared(
            what="random weights, small: click, clicks, box, both, continued",
            against="facebookresearch/segment-anything (dca509f)",
            difference="8e-6 of features up to 4; 3e-6 of logits up to 2",
            test="tests/parity/test_sam.py",
        ),
        Compared(
            what="random weights: ViT-B and ViT-L, full size: click, clicks, box, both",
            against="facebookresearch/segment-anything (dca509f)",
            difference="at most 3.5e-5",
        ),
        Compared(what="ViT-H"),
    ),
    load=late(f"{__package__}.inference.sam"),
)

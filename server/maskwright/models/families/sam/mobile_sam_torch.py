"""MobileSAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Recipe, Signs, late

FAMILY = Family(
    name="mobile_sam_torch",
    title="MobileSAM",
    roles=("segmenter",),
    layouts=("*.safetensors",),
    signs=(
        Signs(tensors=("image_encoder.layers.*", "mask_decoder.iou_token.*"), without=("mask_decoder.hf_token.*",)),
    ),
    recipes=(Recipe("mobile-sam", 51),),
    compared=(
        Compared(
            what="the trained checkpoint: clicks and boxes",
            against="ChaoningZhang/MobileSAM (34bbbfd)",
            difference="6e-5 of logits up to 15",
            test="tests/parity/test_mobile_sam.py",
        ),
    ),
    load=late(f"{__package__}.inference.mobile_sam_torch"),
)

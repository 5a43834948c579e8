"""MobileSAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Compared, Family, Recipe, Signs, late

FAMILY = Family(
    name="mobile_sam",
    title="MobileSAM",
    roles=("segmenter",),
    layouts=("*encoder*.onnx *decoder*.onnx",),
    signs=(Signs(inputs=("image_embeddings *", "point_coords *", "has_mask_input *")),),
    recipes=(Recipe("mobile-sam", 50),),
    compared=(
        Compared(
            what="the trained export: clicks and boxes",
            against="ChaoningZhang/MobileSAM (34bbbfd)",
            difference="2e-5 of logits up to 15",
            test="tests/parity/test_mobile_sam.py",
        ),
    ),
    load=late(f"{__package__}.inference.mobile_sam", "MobileSam"),
)

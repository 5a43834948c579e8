"""MobileSAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, late

FAMILY = Family(
    name="mobile_sam",
    title="MobileSAM",
    roles=("segmenter",),
    layouts=("*.onnx",),
    recipes=(Recipe("mobile-sam", 50),),
    load=late(f"{__package__}.inference.mobile_sam", "MobileSam"),
)

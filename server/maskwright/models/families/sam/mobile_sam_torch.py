"""MobileSAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, late

FAMILY = Family(
    name="mobile_sam_torch",
    title="MobileSAM",
    roles=("segmenter",),
    layouts=("*.safetensors",),
    recipes=(Recipe("mobile-sam", 51),),
    load=late(f"{__package__}.inference.mobile_sam_torch"),
)

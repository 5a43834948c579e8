"""MobileSAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late

FAMILY = Family(
    name="mobile_sam",
    title="MobileSAM",
    roles=("segmenter",),
    layouts=("*encoder*.onnx *decoder*.onnx",),
    signs=(Signs(inputs=("image_embeddings *", "point_coords *", "has_mask_input *")),),
    recipes=(Recipe("mobile-sam", 50),),
    load=late(f"{__package__}.inference.mobile_sam", "MobileSam"),
)

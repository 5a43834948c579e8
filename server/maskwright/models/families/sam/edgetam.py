"""EdgeTAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late

FAMILY = Family(
    name="edgetam",
    title="EdgeTAM",
    roles=("segmenter",),
    layouts=("*.safetensors",),
    signs=(
        Signs(config=("edgetam", "edgetam_video")),
        Signs(tensors=("image_encoder.trunk.body.stages_*", "sam_mask_decoder.iou_token.*")),
    ),
    recipes=(Recipe("edgetam", 45),),
    load=late(f"{__package__}.inference.edgetam"),
)

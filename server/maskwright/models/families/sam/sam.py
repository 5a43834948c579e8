"""SAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late

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
    load=late(f"{__package__}.inference.sam"),
)

"""SAM 2: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late

FAMILY = Family(
    name="sam2",
    title="SAM 2",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    signs=(
        Signs(config=("sam2", "sam2_video")),
        Signs(tensors=("image_encoder.trunk.*", "sam_mask_decoder.*"), without=("image_encoder.trunk.body.*",)),
    ),
    recipes=(Recipe("sam2", 20),),
    load=late(f"{__package__}.inference.sam2"),
)

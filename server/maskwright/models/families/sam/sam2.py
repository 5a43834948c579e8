"""SAM 2: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, late

FAMILY = Family(
    name="sam2",
    title="SAM 2",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    recipes=(Recipe("sam2", 20),),
    load=late(f"{__package__}.inference.sam2"),
)

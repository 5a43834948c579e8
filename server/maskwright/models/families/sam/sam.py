"""SAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, late

FAMILY = Family(
    name="sam",
    title="SAM",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    recipes=(Recipe("sam", 40),),
    load=late(f"{__package__}.inference.sam"),
)

"""HQ-SAM: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, late

FAMILY = Family(
    name="sam_hq",
    title="HQ-SAM",
    roles=("segmenter",),
    layouts=("config.json model.safetensors", "*.safetensors"),
    recipes=(Recipe("sam-hq", 30),),
    load=late(f"{__package__}.inference.sam_hq"),
)

"""SAM 3: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, late

FAMILY = Family(
    name="sam3",
    title="SAM 3",
    roles=("segmenter", "detector"),
    layouts=("config.json model.safetensors tokenizer.json", "*.safetensors tokenizer.json"),
    recipes=(Recipe("sam3", 10),),
    vocabulary="any",
    offered="sam3",
    load=late(f"{__package__}.inference.sam3"),
)

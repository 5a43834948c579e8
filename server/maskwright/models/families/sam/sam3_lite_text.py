"""SAM3-LiteText: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late

FAMILY = Family(
    name="sam3_lite_text",
    title="SAM3-LiteText",
    roles=("detector",),
    layouts=("config.json model.safetensors tokenizer.json",),
    signs=(Signs(config=("sam3_lite_text",)),),
    recipes=(Recipe("sam3-litetext", 25),),
    vocabulary="any",
    masks="checkpoint",
    own_masks=Recipe("sam3-litetext", 25),
    covers="SAM3-LiteText",
    gives="boxes and outlines",
    licence="Apache-2.0",
    runs="the transformers library's network, mended as SAM 3's",
    load=late(f"{__package__}.inference.sam3_lite_text", "Sam3LiteText"),
)

"""SAM 3: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late

FAMILY = Family(
    name="sam3",
    title="SAM 3",
    roles=("segmenter", "detector"),
    layouts=("config.json model.safetensors tokenizer.json", "*.safetensors tokenizer.json"),
    signs=(Signs(config=("sam3", "sam3_video")), Signs(tensors=("detector.backbone.vision_backbone.*",))),
    recipes=(Recipe("sam3", 10),),
    vocabulary="any",
    load=late(f"{__package__}.inference.sam3"),
)

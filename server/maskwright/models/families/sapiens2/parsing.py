"""Sapiens2, parts of the body: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Signs, late

FAMILY = Family(
    name="sapiens2_parsing",
    title="Sapiens2, parts of the body",
    roles=("parser",),
    layouts=("config.json model.safetensors preprocessor_config.json",),
    signs=(Signs(config=("sapiens2",), without=("*decode_head.input_conv.*", "*conv_pose.*")),),
    load=late(f"{__package__}.inference.sapiens2", "Sapiens2Parser"),
)

"""Sapiens2, opacity of people: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late

FAMILY = Family(
    name="sapiens2_matting",
    title="Sapiens2",
    roles=("matting",),
    layouts=("config.json model.safetensors preprocessor_config.json",),
    signs=(
        Signs(
            config=("sapiens2",),
            tensors=("*decode_head.input_conv.*",),
            without=("*conv_normal.*", "*conv_pointmap.*", "*conv_albedo.*"),
        ),
    ),
    recipes=(Recipe("sapiens2", 46, "Sapiens2 matting", "People with hair"),),
    runs="the transformers library's network",
    load=late(f"{__package__}.inference.sapiens2", "Sapiens2Matting"),
)

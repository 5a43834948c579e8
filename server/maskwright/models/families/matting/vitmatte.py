"""ViTMatte: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Signs, late

FAMILY = Family(
    name="vitmatte",
    title="ViTMatte",
    roles=("matting",),
    layouts=("config.json *.safetensors preprocessor_config.json",),
    signs=(Signs(config=("vitmatte",)),),
    needs_trimap=True,
    runs="the transformers library's network",
    load=late(f"{__package__}.inference.vitmatte"),
)

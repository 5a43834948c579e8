"""SegFormer: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Signs, late

FAMILY = Family(
    name="segformer",
    title="SegFormer",
    roles=("parser",),
    layouts=("config.json *.safetensors preprocessor_config.json",),
    signs=(Signs(config=("segformer",)),),
    runs="the transformers library's network",
    load=late(f"{__package__}.inference.segformer", "Segformer"),
)

"""Skin, clothes, hair: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Signs, late

FAMILY = Family(
    name="skin_clothes_hair",
    title="Skin, clothes, hair",
    roles=("parser",),
    layouts=("*.onnx",),
    signs=(Signs(inputs=("* 1x3x512x512",), outputs=("* *x3x512x512",)),),
    runs="an ONNX export of the authors' network",
    load=late(f"{__package__}.inference.skin_clothes_hair", "SkinClothesHair"),
)

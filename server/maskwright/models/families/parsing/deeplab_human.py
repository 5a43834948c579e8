"""DeepLabV3+: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, late

FAMILY = Family(
    name="deeplab_human",
    title="DeepLabV3+",
    roles=("parser",),
    layouts=("*.onnx",),
    load=late(f"{__package__}.inference.deeplab_human", "DeepLabHuman"),
)

"""DeepLabV3+: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Signs, late

FAMILY = Family(
    name="deeplab_human",
    title="DeepLabV3+",
    roles=("parser",),
    layouts=("*.onnx",),
    signs=(Signs(inputs=("* *x512x512x3",), outputs=("* *x20",)),),
    runs="an ONNX export of the authors' network",
    load=late(f"{__package__}.inference.deeplab_human", "DeepLabHuman"),
)

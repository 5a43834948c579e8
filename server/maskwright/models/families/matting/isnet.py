"""IS-Net: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late

FAMILY = Family(
    name="isnet",
    title="IS-Net",
    roles=("matting",),
    layouts=("*.onnx",),
    signs=(Signs(inputs=("img 1x3x*",), outputs=("mask *",)),),
    recipes=(Recipe("isnet-anime", 42, "IS-Net anime", "Main character of a drawing", models=("isnet-anime",)),),
    runs="an ONNX export of the authors' network",
    load=late(f"{__package__}.inference.isnet", "ISNet"),
)

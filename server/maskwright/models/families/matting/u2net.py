"""U²-Net: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late

FAMILY = Family(
    name="u2net",
    title="U²-Net",
    roles=("matting",),
    layouts=("*.onnx",),
    signs=(Signs(inputs=("input.1 *x3x320x320",), outputs=("* *x1x320x320",)),),
    recipes=(Recipe("u2netp", 50, "U²-Netp", models=("u2netp",)),),
    runs="an ONNX export of the authors' network",
    load=late(f"{__package__}.inference.u2net", "U2Net"),
)

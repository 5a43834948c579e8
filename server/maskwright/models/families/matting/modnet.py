"""MODNet: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late
from maskwright_protocol.language import tr

FAMILY = Family(
    name="modnet",
    title="MODNet",
    roles=("matting",),
    layouts=("*.onnx",),
    signs=(Signs(inputs=("input *x3x*",), outputs=("output *x1x*",)),),
    recipes=(Recipe("modnet", 46, purpose=tr("People")),),
    runs="an ONNX export of the authors' network",
    load=late(f"{__package__}.inference.modnet", "MODNet"),
)

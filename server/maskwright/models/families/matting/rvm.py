"""Robust Video Matting: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, Signs, late
from maskwright_protocol.language import tr

FAMILY = Family(
    name="rvm",
    title="Robust Video Matting",
    roles=("matting",),
    layouts=("*.onnx",),
    signs=(Signs(inputs=("src *", "r1i *", "downsample_ratio *")),),
    recipes=(Recipe("rvm", 45, purpose=tr("People")),),
    runs="an ONNX export of the authors' network",
    load=late(f"{__package__}.inference.rvm", "RVM"),
)

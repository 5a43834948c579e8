"""Robust Video Matting: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, late

FAMILY = Family(
    name="rvm",
    title="Robust Video Matting",
    roles=("matting",),
    layouts=("*.onnx",),
    recipes=(Recipe("rvm", 45, purpose="People"),),
    load=late(f"{__package__}.inference.rvm", "RVM"),
)

"""BEN2: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, late

FAMILY = Family(
    name="ben2",
    title="BEN2",
    roles=("matting",),
    layouts=("*.onnx",),
    recipes=(Recipe("ben2", 35),),
    runs="an ONNX export of the authors' network",
    load=late(f"{__package__}.inference.ben2", "BEN2"),
)

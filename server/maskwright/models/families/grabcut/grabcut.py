"""GrabCut: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, Recipe, late

FAMILY = Family(
    name="grabcut",
    title="GrabCut",
    roles=("segmenter",),
    recipes=(Recipe("grabcut", 60, "the basic engine"),),
    basic=True,
    runs="OpenCV",
    load=late(f"{__package__}.inference.grabcut", "GrabCut"),
)

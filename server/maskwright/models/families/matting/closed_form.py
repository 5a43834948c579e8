"""PyMatting: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, late

FAMILY = Family(
    name="closed_form",
    title="PyMatting",
    roles=("matting",),
    needs_trimap=True,
    load=late(f"{__package__}.inference.closed_form"),
)

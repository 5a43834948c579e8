"""Matting by colours alone: what is known of the family; ``inference`` runs it."""

from maskwright.models.family import Family, late

FAMILY = Family(
    name="closed_form",
    title="Matting by colours",
    roles=("matting",),
    needs_trimap=True,
    runs="code of ours",
    load=late(f"{__package__}.inference.closed_form"),
)

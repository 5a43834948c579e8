"""PyMatting: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family


def _load(*given: Any) -> Any:
    from .inference import closed_form

    return closed_form.load(*given)


FAMILY = Family(
    name="closed_form",
    title="PyMatting",
    roles=("matting",),
    needs_trimap=True,
    load=_load,
)

"""U²-Net: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family, Recipe


def _load(*given: Any) -> Any:
    from .inference import u2net

    return u2net.load(*given)


FAMILY = Family(
    name="u2net",
    title="U²-Net",
    roles=("matting",),
    layouts=("*.onnx",),
    recipes=(Recipe("u2netp", 50, "U²-Netp", models=("u2netp",)),),
    load=_load,
)

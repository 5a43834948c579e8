"""SegFormer: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family


def _load(*given: Any) -> Any:
    from .inference import segformer

    return segformer.load(*given)


FAMILY = Family(
    name="segformer",
    title="SegFormer",
    roles=("parser",),
    layouts=("config.json *.safetensors preprocessor_config.json",),
    load=_load,
)

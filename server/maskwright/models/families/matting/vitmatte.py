"""ViTMatte: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family


def _load(*given: Any) -> Any:
    from .inference import vitmatte

    return vitmatte.load(*given)


FAMILY = Family(
    name="vitmatte",
    title="ViTMatte",
    roles=("matting",),
    layouts=("config.json *.safetensors preprocessor_config.json",),
    needs_trimap=True,
    load=_load,
)

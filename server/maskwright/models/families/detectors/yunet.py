"""YuNet: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from typing import Any

from maskwright.models.family import Family


def _load(*given: Any) -> Any:
    from .inference import yunet

    return yunet.load(*given)


FAMILY = Family(
    name="yunet",
    title="YuNet",
    roles=("detector",),
    layouts=("*.onnx",),
    vocabulary=("face",),
    covers="YuNet",
    gives="boxes",
    licence="Apache-2.0",
    load=_load,
)

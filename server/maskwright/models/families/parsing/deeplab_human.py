"""DeepLabV3+: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskwright.models.family import Family

if TYPE_CHECKING:
    from maskwright.models.catalogue import Entry
    from maskwright.models.runtime.setup import Setup


def _load(entry: Entry, folder: Path, setup: Setup) -> Any:
    from .inference import deeplab_human

    return deeplab_human.load(entry, folder, setup)


FAMILY = Family("deeplab_human", "DeepLabV3+", ("parser",), _load)

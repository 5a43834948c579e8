"""BiRefNet: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskwright.models.family import Family

if TYPE_CHECKING:
    from maskwright.models.catalogue import Entry
    from maskwright.models.runtime.setup import Setup


def _load(entry: Entry, folder: Path, setup: Setup) -> Any:
    from .inference import load

    return load.load(entry, folder, setup)


FAMILY = Family("birefnet", "BiRefNet", ("matting",), _load)

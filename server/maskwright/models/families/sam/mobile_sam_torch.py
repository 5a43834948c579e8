"""MobileSAM: what is known of the family; ``inference`` runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskwright.models.family import Family

if TYPE_CHECKING:
    from maskwright.models.catalogue import Entry
    from maskwright.models.runtime.setup import Setup


def _load(entry: Entry, folder: Path, setup: Setup) -> Any:
    from .inference import mobile_sam_torch

    return mobile_sam_torch.load(entry, folder, setup)


FAMILY = Family("mobile_sam_torch", "MobileSAM", ("segmenter",), _load)

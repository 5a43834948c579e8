"""Colour finder, a made-up family: boxes of the one patch of a colour that its file names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskwright.models.family import Family, Recipe
from maskwright.models.options import checked
from maskwright_protocol.messages import OptionInfo

if TYPE_CHECKING:
    from maskwright.models.catalogue.entries import Entry
    from maskwright.models.roles import RGB, Detection
    from maskwright.models.runtime.setup import Setup


class ColourFinder:
    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        import json

        self.model_id, self.device, self.nbytes = entry.id, setup.device, entry.memory
        self._colours: dict[str, list[int]] = json.loads((folder / entry.files[0].name).read_text(encoding="utf-8"))

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """The patches of ``image`` ``(H, W, 3)`` uint8 that have exactly the named colours. Raises ``BadInput``."""
        import numpy as np

        from maskwright.models.catalogue.words import resolve
        from maskwright.models.roles import Box, Detection

        margin = checked(FAMILY.options, options)["margin"]
        found = []
        for name in resolve(text, tuple(self._colours)).values():
            rows, columns = np.nonzero((image == self._colours[name]).all(axis=2))
            if len(rows):
                x0, y0 = float(columns.min() - margin), float(rows.min() - margin)
                found.append(Detection(Box(x0, y0, columns.max() + 1.0 + margin, rows.max() + 1.0 + margin), name, 0.9))
        return found


FAMILY = Family(
    name="probe_det",
    title="Colour finder",
    roles=("detector",),
    layouts=("*.json",),
    recipes=(Recipe("probe-det"),),
    vocabulary=("red", "blue"),
    options=(OptionInfo("margin", "integer", "Pixels around what is found.", 0, 0, 20),),
    covers="Colour finder",
    gives="boxes",
    licence="GPL-3.0-or-later",
    load=ColourFinder,
)

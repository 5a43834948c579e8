"""Colour picker, a made-up family: selects all that has the colour in the middle of a box, or of a click."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.models.family import Family, Recipe

if TYPE_CHECKING:
    from maskwright.models.catalogue.entries import Entry
    from maskwright.models.roles import RGB, Embedding, Hypothesis, SegmentPrompt
    from maskwright.models.runtime.setup import Setup


class ColourPicker:
    knows_objects = True
    uses_saliency = False

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id, self.device, self.nbytes = entry.id, setup.device, entry.memory

    def embed(self, image: RGB) -> Embedding:
        """The image itself, ``(H, W, 3)`` uint8."""
        from maskwright.models.roles import Embedding

        return Embedding(self.model_id, (image.shape[0], image.shape[1]), image, image.nbytes)

    def segment(self, embedding: Embedding, prompts: list[SegmentPrompt]) -> list[list[Hypothesis]]:
        """One hypothesis for each prompt, on the image's own grid."""
        return [[self._one(embedding.data, prompt)] for prompt in prompts]

    def _one(self, image: RGB, prompt: SegmentPrompt) -> Hypothesis:
        import numpy as np

        from maskwright.masks.logits import LogitMap
        from maskwright.models.roles import Hypothesis

        x, y = next(((x, y) for x, y, include in prompt.points if include), (0.0, 0.0))
        if prompt.box is not None:
            x, y = (prompt.box.x0 + prompt.box.x1) / 2, (prompt.box.y0 + prompt.box.y1) / 2
        height, width = image.shape[:2]
        inside = (image == image[int(y), int(x)]).all(axis=2)
        logits = np.where(inside, np.float32(8), np.float32(-8))
        return Hypothesis(LogitMap(logits, 0.0, 0.0, float(width), float(height)), 0.95)


FAMILY = Family(
    name="probe_seg",
    title="Colour picker",
    roles=("segmenter",),
    layouts=("*.json",),
    recipes=(Recipe("probe-seg"),),
    load=ColourPicker,
)

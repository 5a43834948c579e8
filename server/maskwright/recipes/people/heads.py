"""Hair grows on heads: what a parser takes for hair elsewhere (a helmet, a collar, fur) is left out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from maskwright.masks.boxes import PixelBox, Plane
from maskwright.masks.opencv import cv2
from maskwright.models.roles import Box
from maskwright.recipes.job import vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView

_SIDES, _ABOVE = 0.6, 0.8  # how far from a face its hair begins, in sizes of the face
_SOFT = 0.08  # how far the soft edge of hair may reach, in widths of the face


def faces(choice: ModelChoice, picture: PictureView, context: JobContext) -> list[Box]:
    """The faces in the picture; none where the user chose what finds people, or nothing that finds faces is there."""
    detector = choice.finder("face") if choice.free("detector") else None
    if detector is None:
        return []
    return [found.box for found in vision.detect(partial(detector.detect, text="face"), "face", picture, context)]


def hair_of(mask: Plane, box: PixelBox, person: Box | None, known: Sequence[Box]) -> Plane:
    """The hair that begins at a face of the person, or all of ``mask`` where none does: a head seen from behind.

    ``mask``: float32 0..1 over ``box`` of the document. ``person``: None for everybody in the picture.
    """
    own = [face for face in known if person is None or _inside(face, person)]
    inside = (mask >= 0.5).astype(np.uint8)
    count, numbers = cv2.connectedComponents(inside)
    kept: set[int] = set()
    for face in own:
        left, right = face.x0 - _SIDES * face.width, face.x1 + _SIDES * face.width
        middle = (face.y0 + face.y1) / 2  # a collar may reach the chin
        near = PixelBox.around(left, face.y0 - _ABOVE * face.height, right, middle).intersect(box)
        kept.update(np.unique(numbers[near.moved(-box.x, -box.y).slices()]).tolist())
    kept.discard(0)
    if not kept or len(kept) == count - 1:
        return mask
    wanted = np.isin(numbers, list(kept)).astype(np.uint8)
    reach = 2 * max(1, round(_SOFT * max(face.width for face in own))) + 1
    soft = cv2.dilate(wanted, np.ones((reach, reach), np.uint8)) > inside - wanted
    return mask * soft


def _inside(face: Box, person: Box) -> bool:
    x, y = (face.x0 + face.x1) / 2, (face.y0 + face.y1) / 2
    return person.x0 <= x <= person.x1 and person.y0 <= y <= person.y1

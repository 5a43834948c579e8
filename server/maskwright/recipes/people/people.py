"""Finding people and faces, where to look at each, and to whom pixels belong where these places overlap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from maskwright.masks.boxes import PixelBox, Plane
from maskwright.masks.instances import nms
from maskwright.models.roles import Box
from maskwright.recipes.job import tiling, vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright_protocol.language import tr

MAX_PEOPLE = 32
_LEAST_SIDE = 8.0  # document pixels; what is smaller has no parts
_SAME = 0.7  # IoU beyond which two boxes are one person
_FACE_CONTEXT = (1.0, 1.2, 1.0, 0.8)  # hair and neck belong to it: left, top, right, bottom, in sizes of the face
_SHARPNESS = 8.0  # how quickly a pixel between two people changes hands


@dataclass(frozen=True)
class Person:
    """A person or face. ``views``: crops of the document to look at, the widest first; None for the whole picture."""

    number: int
    box: Box | None
    views: tuple[PixelBox, ...]


def find(
    choice: ModelChoice,
    of: Literal["person", "face"],
    margins: tuple[float, ...],
    picture: PictureView,
    min_score: float | None,
    context: JobContext,
) -> list[Person]:
    """People or faces from left to right; none when none are found or nothing that finds them is installed.

    ``margins``: how much of a person's size each view adds on each side. Where the overview shows nobody, tiles are
    looked at if the picture is there at full resolution. The detector is the first installed one that
    knows the word for certain.
    """
    detector = choice.finder(of)
    if detector is None:
        people = tr("Nothing that finds people is installed, so the picture was looked at as a whole.")
        faces = tr("Nothing that finds faces is installed, so the picture was looked at as a whole.")
        context.note(people if of == "person" else faces)
        return []
    look = partial(detector.detect, text=of, min_score=min_score)
    found = vision.detect(look, of, picture, context)
    if not found and picture.has_detail(picture.box):
        side = context.models.known.get(detector.model_id).input_size
        found = tiling.detect(look, side, tiling.most_unasked(side), picture, context, found)
    found = [d for d in found if min(d.box.width, d.box.height) >= _LEAST_SIDE][:MAX_PEOPLE]
    boxes = [found[i].box for i in nms([d.box for d in found], [d.score for d in found], _SAME)]
    boxes.sort(key=lambda box: box.x0 + box.x1)
    if not boxes:
        nobody = tr("No person was found, so the picture was looked at as a whole.")
        faceless = tr("No face was found, so the picture was looked at as a whole.")
        context.note(nobody if of == "person" else faceless)
    return [
        Person(number, box, tuple(_view(box, of, margin).intersect(picture.box) for margin in margins))
        for number, box in enumerate(boxes, 1)
    ]


def everybody(picture: PictureView) -> Person:
    """The whole picture in the place of a person."""
    return Person(0, None, (picture.box,))


def _view(box: Box, of: str, margin: float) -> PixelBox:
    left, top, right, bottom = _FACE_CONTEXT if of == "face" else (margin, margin, margin, margin)
    x0, y0 = box.x0 - left * box.width, box.y0 - top * box.height
    return PixelBox.around(x0, y0, box.x1 + right * box.width, box.y1 + bottom * box.height)


def shares(person: Person, others: list[Person]) -> Plane | None:
    """How far each pixel of a person's widest view is their own, ``(height, width)`` float32 0..1; None where all are.

    Where views overlap a pixel belongs to whom it is nearer, measured in sizes of that person; all shares add up to 1.
    """
    view = person.views[0]
    rivals = [o for o in others if o is not person and not o.views[0].intersect(view).empty]
    if person.box is None or not rivals:
        return None
    columns = np.arange(view.x, view.right, dtype=np.float32) + np.float32(0.5)
    rows = np.arange(view.y, view.bottom, dtype=np.float32)[:, None] + np.float32(0.5)
    own = _nearness(person.box, columns, rows)
    total = own.copy()
    for rival in rivals:
        assert rival.box is not None
        common = rival.views[0].intersect(view)
        part = common.moved(-view.x, -view.y).slices()
        total[part] += _nearness(rival.box, columns[part[1]], rows[part[0]])
    return own / total


def _nearness(box: Box, columns: np.ndarray, rows: np.ndarray) -> Plane:
    across = np.abs(columns - np.float32((box.x0 + box.x1) / 2)) / np.float32(box.width / 2)
    down = np.abs(rows - np.float32((box.y0 + box.y1) / 2)) / np.float32(box.height / 2)
    return np.exp(np.float32(-_SHARPNESS) * np.maximum(across, down)) + np.float32(1e-30)

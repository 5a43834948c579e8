"""All regions of line art as an object map, for hovering."""

from __future__ import annotations

import numpy as np

from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright_protocol.masks import pack as wire_mask
from maskwright_protocol.messages import Everything, MappedObject, ObjectMap, PixelRect, Rect

from . import drawing

_MOST = 2000  # regions of a map: the largest


def map_regions(request: Everything, picture: PictureView, context: JobContext) -> ObjectMap:
    """No region holds another. Raises ``BadInput``, ``MorePixelsNeeded``."""
    least = prompts.check_number(request.min_area, "least area")
    found = drawing.regions(picture, drawing.check_gap(request.gap, picture), context)
    answer = ObjectMap(request.id, request.generation, context.report(drawing.RECIPE))
    height, width = picture.size
    canvas = picture.box
    # Of each pixel of the overview the middle one of the document.
    rows = ((2 * np.arange(height) + 1) * canvas.height) // (2 * height)
    columns = ((2 * np.arange(width) + 1) * canvas.width) // (2 * width)
    small = found.labels[rows[:, None], columns[None, :]]
    numbers, first = np.unique(small, return_index=True)
    kept = np.zeros(found.count + 1, np.uint16)
    largest = np.argsort(-found.areas[numbers], kind="stable")
    for number, at in zip(numbers[largest].tolist(), first[largest].tolist(), strict=True):
        if not number or found.areas[number] < least or len(answer.objects) == _MOST:
            continue
        x, y = int(columns[at % width]) + canvas.x, int(rows[at // width]) + canvas.y
        x0, y0, x1, y1 = found.boxes[number].tolist()
        box = Rect(float(x0 + canvas.x), float(y0 + canvas.y), float(x1 - x0), float(y1 - y0))
        kept[number] = mine = len(answer.objects) + 1
        area = float(found.areas[number])
        answer.objects.append(MappedObject(mine, drawing.identity(x, y), 1.0, area, box, name="region", clicked=mine))
    if answer.objects:
        labels = kept[small].astype("<u2")
        answer.labels = wire_mask(PixelRect(0, 0, width, height), labels.tobytes(), depth=16, compress=True)
    else:
        answer.reason, answer.message, answer.hint = "nothing_found", drawing.NO_LINES, drawing.NO_LINES_HINT
    answer.report = context.report(drawing.RECIPE)
    return answer

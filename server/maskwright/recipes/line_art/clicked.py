"""Clicks, boxes and strokes on line art -> what lies inside the lines there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from maskwright.masks.boxes import PixelBox, Plane
from maskwright.masks.line_art import Regions
from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.wire_masks import finish, pack, rect_of
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Instance, Select, Selection

from . import drawing

_LABEL = "region"


def select_regions(
    request: Select, picture: PictureView, context: JobContext, limit: tuple[Plane, PixelBox] | None
) -> Selection:
    """The regions that are clicked, without those that are excluded, as one instance.

    A stroke means all regions that it crosses, a box those that lie in it by more than half. ``limit``: a mask ``(h,
    w)`` float32 0..1 and its box, outside of which nothing is selected. Raises ``BadInput``, ``EmptyPrompt``,
    ``MorePixelsNeeded``.
    """
    if request.text or request.exclude_text or request.examples or request.start is not None:
        text = tr(
            "Line art is selected by clicks, strokes and boxes: words, examples and masks say nothing of its lines."
        )
        raise BadInput(text, hint=tr("Leave them away, or take another recipe."))
    gap = drawing.check_gap(request.gap, picture)
    points = prompts.check_points(request.points, picture.box)
    boxes = prompts.check_boxes(request.boxes, picture.box)
    places = [((point.x, point.y), point.include) for point in points]
    places += [(at, one.include) for one in request.strokes for at in _along(one.path)]
    known = drawing.place(request.continue_from)
    if known is not None:
        places.insert(0, (known, True))
    if not boxes and not any(include for _, include in places):
        raise EmptyPrompt(tr("Nothing says which region is meant."), hint=tr("Click inside the lines."))
    found = drawing.regions(picture, gap, context)
    wanted = set(_at(found, picture.box, (at for at, include in places if include)))
    for box in boxes:
        wanted.update(found.inside(PixelBox.around(*box).intersect(picture.box).moved(-picture.box.x, -picture.box.y)))
    wanted -= set(_at(found, picture.box, (at for at, include in places if not include)))
    answer = Selection(request.id, request.generation, context.report(drawing.RECIPE))
    if found.count and wanted:
        with context.stage("post", tr("Drawing the mask")):
            mask, box = _drawn(found, wanted, picture.box)
            shown = pack(*finish(mask, box, picture.box, request.post, limit), request.mask_depth)
        first = next((at for at, include in places if include), (boxes[0].x0, boxes[0].y0) if boxes else (0.0, 0.0))
        if shown is not None:
            one = Instance(drawing.identity(*first), _LABEL, 1.0, rect_of(shown), drawing.RECIPE, mask=shown)
            answer.instances, answer.merged = [one], shown if request.merge else None
    if not answer.instances:
        answer.reason = "nothing_found"
        answer.message = tr("There is no region inside the lines there.") if found.count else drawing.NO_LINES
        answer.hint = tr("Click on an empty place between the lines.") if found.count else drawing.NO_LINES_HINT
    answer.report = context.report(drawing.RECIPE)
    return answer


def _along(path: list[float]) -> Iterator[tuple[float, float]]:
    """Places on a line, a pixel or two apart. ``path`` has x and y by turns."""
    corners = np.array(path[: len(path) // 2 * 2], np.float64).reshape(-1, 2)
    for start, end in pairwise(corners):
        steps = max(1, int(np.abs(end - start).max()))
        for part in np.linspace(start, end, min(steps, 4096), endpoint=False):
            yield float(part[0]), float(part[1])
    if len(corners):
        yield float(corners[-1, 0]), float(corners[-1, 1])


def _at(found: Regions, box: PixelBox, places: Iterable[tuple[float, float]]) -> Iterator[int]:
    """The regions at places of the document; those outside of the picture mean nothing."""
    for x, y in places:
        column, row = int(x // 1) - box.x, int(y // 1) - box.y
        # The picture's far edges belong to its last pixels.
        column, row = column - (column == box.width), row - (row == box.height)
        if 0 <= column < box.width and 0 <= row < box.height and (number := int(found.labels[row, column])):
            yield number


def _drawn(found: Regions, wanted: set[int], canvas: PixelBox) -> tuple[Plane, PixelBox]:
    """A mask of these regions and its box in the document."""
    boxes = found.boxes[sorted(wanted)]
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    here = PixelBox(x0, y0, x1 - x0, y1 - y0)
    inside = np.zeros(found.count + 1, np.float32)
    inside[sorted(wanted)] = 1
    return inside[found.labels[here.slices()]], here.moved(canvas.x, canvas.y)

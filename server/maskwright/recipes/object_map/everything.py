"""All objects of a picture as an object map."""

from __future__ import annotations

import numpy as np

from maskwright.masks.boxes import PixelBox
from maskwright.models.roles import Box
from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.wire_masks import rect_from
from maskwright.recipes.line_art.drawing import RECIPE
from maskwright.recipes.line_art.mapped import map_regions
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.masks import pack as wire_mask
from maskwright_protocol.messages import Everything, MappedObject, ObjectMap, PixelRect

from .automatic_masks import MAX_LAYERS, MAX_POINTS, AutomaticMasks, all_objects, mapping_segmenter
from .naming import Namer


def everything(request: Everything, picture: PictureView, context: JobContext) -> ObjectMap:
    """Raises ``BadInput``, ``ModelMissing``; ``JobCancelled`` keeps what was found for the next time."""
    if request.recipe == RECIPE:
        return map_regions(request, picture, context)
    points, layers = request.points_per_side, request.layers
    if points and not 2 <= points <= MAX_POINTS:
        raise BadInput(tr("The grid has 2 to {0} points a side.", MAX_POINTS))
    if not 0 <= layers <= MAX_LAYERS:
        raise BadInput(tr("A picture is looked at in crops at most {0} times.", MAX_LAYERS))
    min_score = prompts.check_min_score(request.min_score) or 0.0
    min_area = prompts.check_number(request.min_area, "least area")
    choice = ModelChoice(request, "select", context)
    segmenter = mapping_segmenter(choice)
    recipe = choice.recipe()
    masks = all_objects(segmenter, picture, context, points, layers, Namer.of(choice))
    answer = ObjectMap(request.id, request.generation, context.report(recipe))
    sx, sy = picture.scale
    unit = 1 / (sx * sy)
    wanted = [o.memory.score >= min_score and o.area * unit >= min_area for o in masks.objects]
    renumbered, upward = _renumber(masks, wanted)
    for index, one in enumerate(masks.objects):
        if wanted[index]:
            rect = rect_from(_within(picture.box_to_document(Box(*one.memory.map.extent())), picture.box))
            number = int(renumbered[index + 1])
            parent, memory = int(upward[one.parent]), one.memory
            area = one.area * unit
            taken = int(upward[one.clicked])
            answer.objects.append(MappedObject(number, one.id, memory.score, area, rect, parent, memory.label, taken))
    if answer.objects:
        # What covers a pixel whose own object was left out is the object that holds it.
        labels = upward[masks.labels].astype("<u2")
        height, width = labels.shape
        answer.labels = wire_mask(PixelRect(0, 0, width, height), labels.tobytes(), depth=16, compress=True)
    else:
        answer.reason, answer.message = "nothing_found", tr("No objects were found.")
        answer.hint = tr("Try a denser grid, or let less sure things count.")
    return answer


def _within(box: Box, canvas: PixelBox) -> Box:
    x0, x1 = (min(max(x, canvas.x), canvas.right) for x in (box.x0, box.x1))
    y0, y1 = (min(max(y, canvas.y), canvas.bottom) for y in (box.y0, box.y1))
    return Box(x0, y0, x1, y1)


def _renumber(masks: AutomaticMasks, wanted: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers in the answer by numbers among all objects: those of wanted objects (else 0), and those of each object's
    nearest wanted holder. Both ``(objects + 1,)`` uint16."""
    numbers = np.concatenate([[0], np.where(wanted, np.cumsum(wanted), 0)]).astype(np.uint16)
    upward = numbers.copy()
    for index, one in enumerate(masks.objects, 1):  # holders come first
        if not wanted[index - 1]:
            upward[index] = upward[one.parent]
    return numbers, upward

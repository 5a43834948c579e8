"""All objects of a picture as an object map; and what is like one of them."""

from __future__ import annotations

import numpy as np

from maskwright.masks import instances as ops
from maskwright.models.roles import Box, Featured, Segmenter, SegmentPrompt, TextSegmenter
from maskwright.recipes.job import prompts, vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView, read_mask
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.job.remembered import Remembered, recall
from maskwright.recipes.job.wire_masks import rect_of
from maskwright.recipes.selecting.by_example import LIKE, by_features
from maskwright.recipes.selecting.draw import Drawing
from maskwright.recipes.selecting.segment import Found, extent, new_id, overlap, remember
from maskwright_protocol.errors import BadInput, EmptyPrompt, ModelMissing
from maskwright_protocol.masks import pack as wire_mask
from maskwright_protocol.messages import (
    Everything,
    Instance,
    MappedObject,
    ObjectMap,
    PixelRect,
    Rect,
    Selection,
    Similar,
)

from .automatic_masks import MAX_LAYERS, MAX_POINTS, AutomaticMasks, all_objects

_SAME = 0.8  # IoU beyond which what was found is the selection itself


def everything(request: Everything, picture: PictureView, context: JobContext) -> ObjectMap:
    """Raises ``BadInput``, ``ModelMissing``; ``JobCancelled`` keeps what was found for the next time."""
    points, layers = request.points_per_side, request.layers
    if points and not 2 <= points <= MAX_POINTS:
        raise BadInput(f"The grid has 2 to {MAX_POINTS} points a side.")
    if not 0 <= layers <= MAX_LAYERS:
        raise BadInput(f"A picture is looked at in crops at most {MAX_LAYERS} times.")
    min_score = prompts.check_min_score(request.min_score) or 0.0
    min_area = prompts.check_number(request.min_area, "least area")
    choice = ModelChoice(request, "select", context)
    atlas = all_objects(_segmenter(choice), picture, context, points, layers)
    answer = ObjectMap(request.id, request.generation, context.report(choice.recipe()))
    sx, sy = picture.scale
    unit = 1 / (sx * sy)
    wanted = [o.score >= min_score and o.area * unit >= min_area for o in atlas.objects]
    renumbered, upward = _renumber(atlas, wanted)
    for index, one in enumerate(atlas.objects):
        if wanted[index]:
            x0, y0, x1, y1 = extent(one.map)
            box = picture.box_to_document(Box(x0, y0, x1, y1))
            rect = Rect(box.x0, box.y0, box.width, box.height)
            number = int(renumbered[index + 1])
            parent = int(upward[one.parent])
            answer.objects.append(MappedObject(number, one.id, one.score, one.area * unit, rect, parent))
    if answer.objects:
        # What covers a pixel whose own object was left out is the object that holds it.
        labels = upward[atlas.labels].astype("<u2")
        height, width = labels.shape
        answer.labels = wire_mask(PixelRect(0, 0, width, height), labels.tobytes(), depth=16, compress=True)
    else:
        answer.reason, answer.message = "nothing_found", "No objects were found."
        answer.hint = "Try a denser grid, or a lower least score."
    answer.report = context.report(choice.recipe())
    return answer


def _renumber(atlas: AutomaticMasks, wanted: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers in the answer by numbers in the atlas: of wanted objects, and of each one's nearest wanted holder."""
    numbers = np.concatenate([[0], np.where(wanted, np.cumsum(wanted), 0)]).astype(np.uint16)
    upward = numbers.copy()
    for index, one in enumerate(atlas.objects, 1):  # holders come first
        if not wanted[index - 1]:
            upward[index] = upward[one.parent]
    return numbers, upward


def similar(request: Similar, picture: PictureView, context: JobContext) -> Selection:
    """Raises ``EmptyPrompt`` without a selection to compare with, ``ModelMissing`` without a model that can."""
    pick, min_score = prompts.check_pick(request.pick), prompts.check_min_score(request.min_score)
    post, depth = prompts.check_post(request.post), prompts.check_depth(request.mask_depth)
    choice = ModelChoice(request, "select", context)
    segmenter = _segmenter(choice)
    target = _target(request, picture, context, segmenter)
    if isinstance(segmenter, TextSegmenter):
        found = _by_example(segmenter, target, picture, context, min_score)
    elif isinstance(segmenter, Featured):
        found = by_features(segmenter, [target], [], picture, context, LIKE if min_score is None else min_score)
    else:
        raise ModelMissing(
            "The installed model cannot tell what is similar.", hint="Install a SAM model, for instance mobile-sam."
        )
    found = ops.pick(found, pick)
    remember(found, segmenter.model_id, picture, context)
    answer = Selection(request.id, request.generation, context.report(choice.recipe()))
    drawn, source = Drawing(picture, depth, post, None), "+".join(context.used)
    with context.stage("post", "Drawing the masks"):
        for one in found:
            mask = drawn.mask(one)
            if mask is not None:
                answer.instances.append(Instance(one.id, one.label, one.score, rect_of(mask), source, mask=mask))
        if request.merge and answer.instances:
            answer.merged = drawn.merged(found, [one.logits for one in found])
    answer.report = context.report(choice.recipe())
    if not answer.instances:
        answer.reason = "empty_after_post_processing" if found else "nothing_found"
        answer.message = "Nothing similar was found."
        answer.hint = "Lower the least score."
    return answer


def _segmenter(choice: ModelChoice) -> Segmenter:
    segmenter = choice.segmenter()
    if not segmenter.knows_objects:
        raise ModelMissing(
            "The basic engine knows no objects, so it cannot list them.",
            hint="Install a SAM model, for instance mobile-sam.",
            role="segmenter",
        )
    return segmenter


def _target(request: Similar, picture: PictureView, context: JobContext, segmenter: Segmenter) -> Found:
    known: Remembered | None = recall(request.to, picture, context)
    if known is not None and known.model_id == segmenter.model_id:
        return Found(request.to, known.label, 1.0, ObjectPrompt(), known.map, None)
    if request.mask is None:
        raise EmptyPrompt("There is nothing to compare with.", hint="Select one of the things first.")
    mask = picture.mask_in_overview(*read_mask(request.mask))
    if not (mask >= 0.5).any():
        raise EmptyPrompt("The selection is empty.", hint="Select one of the things first.")
    embedding = vision.embed(segmenter, picture, context)
    tight = ops.tight_box(mask, 0.5)
    box = Box(tight.x, tight.y, tight.right, tight.bottom)
    (answers,) = segmenter.segment(embedding, [SegmentPrompt(box=box, mask=mask)])
    return Found(new_id(), "", 1.0, ObjectPrompt(), answers[0].logits, answers[0].low_res)


def _by_example(
    segmenter: TextSegmenter, target: Found, picture: PictureView, context: JobContext, min_score: float | None
) -> list[Found]:
    """By a model that takes an object for an example."""
    embedding = vision.embed(segmenter, picture, context)
    box = Box(*extent(target.logits))
    with context.stage("similar", "Looking for what is similar"):
        matches = segmenter.segment_text(embedding, examples=[(box, True)], min_score=min_score)
    others = [
        Found(new_id(), "", m.hypothesis.score, ObjectPrompt(), m.hypothesis.logits, m.hypothesis.low_res)
        for m in matches
        if overlap(m.hypothesis.logits, target.logits) <= _SAME
    ]
    return [target, *sorted(others, key=lambda f: -f.score)]

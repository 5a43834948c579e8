"""What is like a selected object."""

from __future__ import annotations

from maskwright.masks.boxes import tight_box
from maskwright.masks.instances import logit_iou
from maskwright.models.roles import Box, Featured, Segmenter, SegmentPrompt, TextSegmenter
from maskwright.recipes.job import prompts, vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView, read_mask
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.job.remembered import recall
from maskwright.recipes.object_map.automatic_masks import mapping_segmenter
from maskwright_protocol.errors import EmptyPrompt, ModelMissing
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Selection, Similar

from .by_example import LIKE, by_features
from .draw import Drawing
from .found import Found, new_id, remember

_SAME = 0.8  # IoU beyond which what was found is the selection itself


def similar(request: Similar, picture: PictureView, context: JobContext) -> Selection:
    """Raises ``EmptyPrompt`` without a selection to compare with, ``ModelMissing`` without a model that can."""
    pick, min_score = prompts.check_pick(request.pick), prompts.check_min_score(request.min_score)
    post, depth = prompts.check_post(request.post), prompts.check_depth(request.mask_depth)
    choice = ModelChoice(request, "select", context)
    segmenter = mapping_segmenter(choice)
    target = _target(request, picture, context, segmenter)
    if isinstance(segmenter, TextSegmenter):
        found = _by_example(segmenter, target, picture, context, min_score)
    elif isinstance(segmenter, Featured):
        found = by_features(segmenter, [target], [], picture, context, LIKE if min_score is None else min_score)
    else:
        raise ModelMissing(
            tr("This model cannot tell what is similar."),
            hint=tr("Choose another segmenter, for instance mobile-sam, which comes with Maskwright."),
        )
    found = prompts.picked(found, pick)
    remember(found, segmenter.model_id, picture, context)
    drawing = Drawing(picture, depth, post, None)
    with context.stage("post", tr("Drawing the masks")):
        items = drawing.instances(found, "+".join(context.used))
        merged = drawing.merged(found) if request.merge and items else None
    report = context.report(choice.recipe())
    answer = Selection(request.id, request.generation, report, instances=items, merged=merged)
    if not items:
        answer.reason = "empty_after_post_processing" if found else "nothing_found"
        answer.message = tr("Nothing similar was found.")
        answer.hint = tr("Lower the least score.")
    return answer


def _target(request: Similar, picture: PictureView, context: JobContext, segmenter: Segmenter) -> Found:
    """The object to compare with: what is remembered under its id, else what the segmenter sees in its mask."""
    known = recall(request.to, picture, context)
    if known is not None and known.model_id == segmenter.model_id:
        return Found(request.to, known.label, 1.0, ObjectPrompt(), known.map)
    if request.mask is None:
        raise EmptyPrompt(tr("There is nothing to compare with."), hint=tr("Select one of the things first."))
    mask = picture.mask_in_overview(*read_mask(request.mask))
    if not (mask >= 0.5).any():
        raise EmptyPrompt(tr("The selection is empty."), hint=tr("Select one of the things first."))
    embedding = vision.embed(segmenter, picture, context)
    box = Box(*tight_box(mask, 0.5).edges)
    (answers,) = segmenter.segment(embedding, [SegmentPrompt(box=box, mask=mask)])
    return Found(new_id(), "", 1.0, ObjectPrompt(), answers[0].logits, answers[0].low_res)


def _by_example(
    segmenter: TextSegmenter, target: Found, picture: PictureView, context: JobContext, min_score: float | None
) -> list[Found]:
    """By a model that takes an object for an example."""
    embedding = vision.embed(segmenter, picture, context)
    box = Box(*target.logits.extent())
    with context.stage("similar", tr("Looking for what is similar")):
        matches = segmenter.segment_text(embedding, examples=[(box, True)], min_score=min_score)
    shown = [match.hypothesis for match in matches]
    others = [
        Found(new_id(), "", one.score, ObjectPrompt(), one.logits, one.low_res)
        for one in sorted(shown, key=lambda one: -one.score)
        if logit_iou(one.logits, target.logits) <= _SAME
    ]
    return [target, *others]

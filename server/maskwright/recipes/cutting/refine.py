"""A selection and the image -> the selection with a soft edge that follows the image, in a band around its edge."""

from __future__ import annotations

import numpy as np

from maskwright.masks import edges
from maskwright.masks.boxes import AnyMask, PixelBox, Plane, as_float, recrop
from maskwright.masks.edges import without_haze
from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.edge import Matted, check_edge, edge_width, find_edge, solver_for
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView, tight_mask, to_rect
from maskwright.recipes.job.wire_masks import finish, pack, rect_of
from maskwright_protocol.errors import EmptyPrompt
from maskwright_protocol.messages import EdgeJob, Instance, PostProcess, Refine, Selection

from . import inpaint
from .matters import Matters
from .object_matte import compose

DISAGREEMENT = 0.6  # agreement below which the user is told
DRAWN = 0.1  # opacity from which on a selection shows something, which is no haze
PREPARED = "inpaint"


def refine(request: Refine, picture: PictureView, context: JobContext) -> Selection:
    """Raises ``MorePixelsNeeded`` for the crop around the edge, ``EmptyPrompt`` for an empty selection."""
    post, depth = prompts.check_post(request.post), prompts.check_depth(request.mask_depth)
    check_edge(request)
    inpaint.check_context(request.context)
    choice = ModelChoice(request, "refine", context)
    mask, box = _selection(request, picture)
    answer = Selection(request.id, request.generation, context.report(choice.preset.name))
    source = "selection"
    if choice.preset.name == PREPARED:
        post = inpaint.suitable(post, mask)
        alpha, work, agreement = as_float(mask), box, 1.0
    else:
        done = _edge(request, mask, box, choice, picture, context)
        alpha, work, agreement = done.alpha, done.box, done.agreement
        answer.agreement, answer.edge_method = agreement, done.route
        source = "+".join(context.used) or "guided-filter"
    with context.stage("post", "Drawing the mask"):
        alpha = adjusted(alpha, request)
        alpha, final = finish(alpha, work, picture.box, post, None)
        packed = pack(alpha, final, depth)
    if agreement < DISAGREEMENT:
        context.note("The image disagrees with the selection along much of its edge; check the result.")
    if packed is None:
        answer.reason = "empty_after_post_processing"
        if post == PostProcess() and request.shift_edge >= 0:
            answer.message = "The picture shows no edge around so small a selection."
            answer.hint = "Select more of it, or take another edge width."
        else:
            answer.message = "Nothing is left of the selection after its settings were applied."
            answer.hint = "Shrink less, or lower the threshold."
    else:
        answer.instances.append(Instance("refined", "", agreement, rect_of(packed), source, mask=packed))
        if request.context or choice.preset.name == PREPARED:
            answer.context = to_rect(inpaint.context_box(packed.box, picture.box, request.context))
    answer.report = context.report(choice.preset.name)
    return answer


def _selection(request: Refine, picture: PictureView) -> tuple[AnyMask, PixelBox]:
    """The selection's visible part inside the picture. Raises ``EmptyPrompt``."""
    if request.mask is None:
        raise EmptyPrompt("There is no selection to refine.", hint="Select something first.")
    found = tight_mask(request.mask, picture)
    if found is None:
        raise EmptyPrompt("The selection is empty.", hint="Select something first.")
    return found


def _edge(
    request: Refine, mask: AnyMask, box: PixelBox, choice: ModelChoice, picture: PictureView, context: JobContext
) -> Matted:
    wanted = request.models.get("matting", "")
    width = edge_width(mask, request.edge_width)
    if wanted and not context.models.known.get(wanted).needs_trimap:
        return compose(mask, box, [], picture, Matters(choice.matting()), choice, request, context)
    refiner = choice.matting() if wanted else choice.refiner()
    asked = choice.preset.name == "trimap" or not choice.free("refiner") or bool(wanted)
    solver = solver_for(picture, refiner, mask, width, context, asked)
    done = find_edge(mask, box, picture, solver, context, width=width, hair=request.hair)
    # What the selection itself shows was meant.
    drawn = as_float(recrop(mask, box, done.box)) >= DRAWN
    done.alpha = np.where(drawn, done.alpha, without_haze(done.alpha, width))
    return done


def adjusted(alpha: Plane, settings: EdgeJob) -> Plane:
    """The found edge as the user wants it: rounded, steeper, shifted, in this order. ``(h, w)`` float32 0..1."""
    alpha = edges.smooth_outline(alpha, settings.smooth)
    alpha = edges.contrast(alpha, settings.contrast)
    return edges.shift(alpha, settings.shift_edge)

"""A selection and the image -> the selection with a soft edge that follows the image, in a band around its edge."""

from __future__ import annotations

from dataclasses import replace

from maskwright.masks.boxes import AnyMask, PixelBox, as_float
from maskwright.masks.edge_hints import Hints
from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.edge import Matted, check_edge, edge_width, solver_for
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView, read_plane, tight, to_rect
from maskwright.recipes.job.wire_masks import finish, pack, rect_of
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Instance, PostProcess, Refine, Selection

from . import inpaint
from .brushed import EdgeTask, adjusted, brushed, check_strokes, found_edge, hints_of, need_all
from .matters import Matters
from .object_matte import compose, region
from .seen import quick_solver, seen

DISAGREEMENT = 0.6  # agreement below which the user is told
PREPARED = "inpaint"


def refine(request: Refine, picture: PictureView, context: JobContext) -> Selection:
    """Raises ``MorePixelsNeeded`` for the crop around the edge, ``EmptyPrompt`` for an empty selection."""
    post, depth = prompts.check_post(request.post), prompts.check_depth(request.mask_depth)
    check_edge(request)
    check_strokes(request.edge_strokes)
    inpaint.check_context(request.context)
    choice = ModelChoice(request, "refine", context)
    answer = Selection(request.id, request.generation, context.report(choice.preset.name))
    if request.view is not None:
        return _preview(request, choice, picture, context, answer)
    mask, box = _selection(request, picture)
    hints, source = None, "selection"
    if choice.preset.name == PREPARED:
        post = inpaint.suitable(post, mask)
        done = Matted(as_float(mask), box, 1.0, "")
    else:
        task = EdgeTask(request, picture, mask, box, edge_width(mask, request.edge_width))
        hints = hints_of(task)
        done = _edge(request, task, hints, choice, context)
        answer.agreement, answer.edge_method = done.agreement, done.route
        source = "+".join(context.used) or "guided-filter"
    with context.stage("post", tr("Drawing the mask")):
        alpha = adjusted(done.alpha, done.box, request, hints)
        alpha, final = finish(alpha, done.box, picture.box, post, None)
        packed = pack(alpha, final, depth)
    if done.agreement < DISAGREEMENT:
        context.note(tr("The image disagrees with the selection along much of its edge; check the result."))
    if packed is None:
        answer.reason = "empty_after_post_processing"
        if post == PostProcess() and request.shift_edge >= 0:
            answer.message = tr("The picture shows no edge around so small a selection.")
            answer.hint = tr("Select more of it, or take another edge width.")
        else:
            answer.message = tr("Nothing is left of the selection after its settings were applied.")
            answer.hint = tr("Shrink less, or lower the threshold.")
    else:
        answer.instances.append(Instance("refined", "", done.agreement, rect_of(packed), source, mask=packed))
        if request.context or choice.preset.name == PREPARED:
            answer.context = to_rect(inpaint.context_box(packed.box, picture.box, request.context))
    answer.report = context.report(choice.preset.name)
    return answer


def _preview(
    request: Refine, choice: ModelChoice, picture: PictureView, context: JobContext, answer: Selection
) -> Selection:
    """The selection as it would be, in the pixels of the view; none where nothing of it is in sight."""
    if choice.preset.name == PREPARED:
        raise BadInput(tr("There is no preview of what is prepared for inpainting."))
    task = seen(request, picture, context)
    hints = hints_of(task)
    done = found_edge(task, hints, request.keep, lambda: quick_solver(task, choice, context), context)
    with context.stage("post", tr("Drawing the mask")):
        alpha = adjusted(done.alpha, done.box, task.settings, hints)
        alpha, final = finish(alpha, done.box, task.picture.box, task.settings.post, None)
        packed = pack(alpha, final, 8)
    answer.agreement, answer.edge_method = done.agreement, done.route
    if packed is not None:
        source = "+".join(context.used) or "guided-filter"
        answer.instances.append(Instance("refined", "", done.agreement, rect_of(packed), source, mask=packed))
    answer.report = context.report(choice.preset.name)
    return answer


def _selection(request: Refine, picture: PictureView) -> tuple[AnyMask, PixelBox]:
    """The selection's visible part inside the picture. Raises ``EmptyPrompt``."""
    if request.mask is None and not request.mask_key:
        raise EmptyPrompt(tr("There is no selection to refine."), tr("Select something first."))
    plane, box = read_plane(request.mask) if request.mask is not None else picture.mask_apart()
    found = tight(plane, box, picture.box)
    if found is None:
        raise EmptyPrompt(tr("The selection is empty."), tr("Select something first."))
    return found


def _edge(request: Refine, task: EdgeTask, hints: Hints | None, choice: ModelChoice, context: JobContext) -> Matted:
    wanted = request.models.get("matting", "")
    mask, picture = task.mask, task.picture
    if wanted and not context.models.known.get(wanted).needs_trimap and not request.keep:
        if hints is not None:
            need_all(replace(task, box=region(task.box, picture.box, request.hair, task.width)), hints)
        done = compose(mask, task.box, [], picture, Matters(choice.matting()), choice, request, context)
        if hints is None:
            return done
        solver = solver_for(picture, choice.refiner(), mask, task.width, context, False)
        return brushed(task, done, hints, solver, context)
    refiner = choice.matting() if wanted else choice.refiner()
    asked = choice.preset.name == "trimap" or not choice.free("refiner") or bool(wanted)
    solver = solver_for(picture, refiner, mask, task.width, context, asked)
    return found_edge(task, hints, request.keep, lambda: solver, context)

"""Background removal: of everything but the main subjects, or but what a prompt names or points at."""

from __future__ import annotations

from dataclasses import dataclass, field

from maskwright.masks.boxes import PixelBox, around_all, as_float, tight_box
from maskwright.masks.edges import without_haze
from maskwright.masks.post import margin, post_process_crop
from maskwright.masks.subjects import Subjects, subjects
from maskwright.masks.trimap import WIDEST
from maskwright.models.roles import Box
from maskwright.recipes.job import edge, prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.edge import Matted, check_edge
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView, tight_mask
from maskwright.recipes.job.wire_masks import pack, rect_from
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.language import tr, trn
from maskwright_protocol.messages import Cutout, CutoutResult, Instance

from .brushed import adjusted
from .foreground_colours import check_looks, coloured, layers
from .matters import Matters, choose
from .object_matte import PAINTS, compose, finer_wanted, found_again, region
from .prompted_objects import NothingFound, by_prompt, prompted

GIVEN = "given"
EDGES = ("auto", "matte", "refined", GIVEN)
CLOSER = 1.5  # how many times more of the subject a matting model must see in a crop than in the whole to look again


@dataclass
class Cut:
    """What is cut out. ``listed``: everything that could have been, without masks."""

    matted: Matted
    listed: list[Instance] = field(default_factory=list)
    agreement: float | None = None
    score: float | None = None
    doubtful: bool = False


def cutout(request: Cutout, picture: PictureView, context: JobContext) -> CutoutResult:
    """Raises ``MorePixelsNeeded`` when full resolution is needed and only a proxy is there."""
    post, depth = prompts.check_post(request.post), prompts.check_depth(request.mask_depth)
    _check(request, picture)
    choice = ModelChoice(request, "cutout", context)
    try:
        subject = _subject(request, choice, picture, context)
    except NothingFound as nothing:
        answer = CutoutResult(request.id, request.generation, context.report(choice.recipe()), subjects=nothing.listed)
        answer.reason, answer.message, answer.hint = "nothing_found", nothing.message, nothing.hint
        return answer
    answer = CutoutResult(request.id, request.generation, context.report(choice.recipe()))
    answer.agreement, answer.edge_method, answer.subjects = subject.agreement, subject.matted.route, subject.listed
    answer.score, answer.doubtful = subject.score, subject.doubtful
    with context.stage("post", tr("Drawing the mask")):
        alpha, box = adjusted(subject.matted.alpha, subject.matted.box, request), subject.matted.box
        alpha, box = post_process_crop(alpha, box, picture.box, post)
        parts = layers(alpha, box, request, picture, context)
        answer.alpha = pack(parts.opacity(), parts.box, depth)
    if answer.alpha is None:
        answer.reason = "empty_after_post_processing"
        answer.message = tr("Nothing is left of the subject after the settings were applied.")
        answer.hint = tr("Shrink less, lower the threshold, or keep smaller parts.")
    elif request.foreground:
        shown = answer.alpha.box
        visible = PixelBox(shown.x, shown.y, shown.width, shown.height)
        answer.foreground = coloured(parts, visible, request, picture, context)
    answer.report = context.report(choice.recipe())
    return answer


def _check(request: Cutout, picture: PictureView) -> None:
    check_edge(request)
    check_looks(request)
    prompts.check_pick(request.pick)
    if request.subject_at is not None:
        prompts.check_points([request.subject_at], picture.box)
    if request.edges not in EDGES:
        raise BadInput(
            tr("{0!r} is no way to find edges.", request.edges), hint=tr("Use one of {0}.", ", ".join(EDGES))
        )
    if request.paint_out not in PAINTS:
        raise BadInput(
            tr("{0!r} is no way to paint over.", request.paint_out), hint=tr("Use one of {0}.", ", ".join(PAINTS[1:]))
        )


def _subject(request: Cutout, choice: ModelChoice, picture: PictureView, context: JobContext) -> Cut:
    if request.edges == GIVEN:
        return _given(request, picture)
    matters = choose(choice, picture, context)
    return (_by_prompt if prompted(request) else _main)(request, matters, choice, picture, context)


def _given(request: Cutout, picture: PictureView) -> Cut:
    """The mask as it is. Raises ``EmptyPrompt`` without one, ``BadInput`` beside another prompt."""
    if request.text.strip() or request.points or request.strokes or request.boxes:
        raise BadInput(tr("The mask already says what is cut out."), tr("Send the mask alone, or take other edges."))
    found = tight_mask(request.mask, picture) if request.mask is not None else None
    if found is None:
        raise EmptyPrompt(tr("There is no mask to cut out by."), tr("Select something first."))
    mask, box = found
    if request.foreground:
        picture.need_detail(_needed(box, request, picture))
    return Cut(Matted(as_float(mask), box, 1.0, ""))


def _needed(box: PixelBox, request: Cutout, picture: PictureView) -> PixelBox:
    """The part of the document whose pixels the answer is made of."""
    return picture.box if request.post.invert else box.padded(margin(request.post)).intersect(picture.box)


def _by_prompt(
    request: Cutout, matters: Matters, choice: ModelChoice, picture: PictureView, context: JobContext
) -> Cut:
    """An edge is found for each wanted object by itself, without its neighbours; then they are united."""
    found = by_prompt(request, choice, picture, context)
    width = request.edge_width or WIDEST
    whole = around_all(region(box, picture.box, request.hair, width) for _, box in found.chosen)
    picture.need_detail(_needed(whole, request, picture))
    done = [
        compose(
            mask, box, found.others, picture, matters, choice, request, context,
            edges=request.edges, transparency=request.transparency, paint_out=request.paint_out,
        )
        for mask, box in found.chosen
    ]  # fmt: skip
    agreement = min(one.agreement for one in done)
    return Cut(edge.union(done), found.listed, agreement, found.score, found.doubtful)


def _main(request: Cutout, matters: Matters, choice: ModelChoice, picture: PictureView, context: JobContext) -> Cut:
    """The main subjects, which the matting models find without a prompt."""
    small, matters = matters.whole(picture, context)
    if not (small >= 0.5).any():
        raise NothingFound(tr("No main subject was found."), tr("Select the subject with a click or a box instead."))
    seen = subjects(small)
    listed = _listed(seen, picture, matters.first.model_id)
    small = seen.keep(small, _chosen(seen, listed, request, picture))
    box = picture.overview_box_to_document(tight_box(small))
    roi = region(box, picture.box, request.hair, request.edge_width or WIDEST)
    if request.foreground or request.edges != "matte":  # a selection has the same edge as the layer
        picture.need_detail(_needed(roi, request, picture))
    detailed = picture.has_detail(roi)
    with context.stage("refine", tr("Drawing the edges")):
        alpha = picture.enlarged(small, box, follow=detailed)
    done = Matted(alpha, box, 1.0, "matte")
    if request.edges == "matte":
        return Cut(done, listed)
    if not detailed:
        done.alpha = without_haze(done.alpha, edge.edge_width(done.alpha, request.edge_width))
        return Cut(done, listed)
    size = context.models.known.get(matters.first.model_id).input_size
    whole, part = max(picture.box.width, picture.box.height), max(roi.width, roi.height)
    if min(size, part) * whole > CLOSER * min(size, max(picture.size)) * part:
        done = compose(
            alpha, box, [], picture, matters, choice, request, context,
            edges=request.edges, transparency=request.transparency,
        )  # fmt: skip
    elif finer_wanted(request.edges, size, roi):
        width = edge.edge_width(alpha, request.edge_width)
        asked = request.edges == "refined" or not choice.free("refiner")
        done = found_again(done, picture, choice.refiner(), width, request.hair, roi, context, asked)
    done.alpha = without_haze(done.alpha, edge.edge_width(done.alpha, request.edge_width))
    return Cut(done, listed)


def _listed(seen: Subjects, picture: PictureView, source: str) -> list[Instance]:
    found = []
    for number, one in enumerate(seen.found, 1):
        rect = rect_from(picture.box_to_document(Box(*one.box.edges)))
        found.append(Instance(f"subject-{number}", "", one.score, rect, source))
    return found


def _chosen(seen: Subjects, listed: list[Instance], request: Cutout, picture: PictureView) -> list[int]:
    """Indices of the wanted subjects, the largest counted first."""
    if request.subject_at is not None:
        return [seen.at(*picture.to_overview(request.subject_at.x, request.subject_at.y))]
    chosen = prompts.picked(range(len(listed)), request.pick)
    if not chosen:
        there = trn("There is only 1 subject.", "There are only {0} subjects.", len(listed))
        raise NothingFound(there, tr("Pick one of those."), listed)
    return chosen

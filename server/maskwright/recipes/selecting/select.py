"""Words, examples, clicks, boxes and a mask to start from -> objects; and detection, which stops at the boxes."""

from __future__ import annotations

from dataclasses import replace

from maskwright.masks.logits import LogitMap, without
from maskwright.recipes.job import prompt_language, prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.wire_masks import rect_from, rect_of
from maskwright.recipes.line_art.clicked import select_regions
from maskwright.recipes.line_art.drawing import RECIPE
from maskwright_protocol.errors import EmptyPrompt
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Detect, Instance, Point, Select, Selection

from .by_words import Search
from .closer_look import CloserLook
from .draw import Drawing
from .found import Found, new_id, remember, share_out
from .prompt import Masks, Prompt
from .rating import rate
from .ways import Way, pick_way


def detect(request: Detect, picture: PictureView, context: JobContext) -> Selection:
    """Boxes only. Raises ``EmptyPrompt``, ``UnknownWord``, ``ModelMissing``."""
    text = prompts.check_text(request.text)
    if not text and not request.detector_options:
        raise EmptyPrompt(tr("There is nothing to look for."), hint=tr("Type what to look for."))
    choice = ModelChoice(request, "detect", context)
    search = Search(request, choice, picture, context)
    query = prompt_language.parse_query(text)
    query.check()
    if query.inverse:
        context.note(tr("The boxes are those of what is left out."))
    route = choice.route(query.phrases, masks=False)
    detector_id = route.model_id
    if not route.knows:
        query = choice.understood(query, detector_id)
    choice.take("detector", detector_id)
    items = []
    for one in search.boxes(query):
        quad = [Point(x, y) for x, y in one.quad]
        rect = rect_from(one.box)
        items.append(Instance(new_id(), one.label, one.score, rect, detector_id, text=one.text, quad=quad))
    answer = Selection(request.id, request.generation, context.report(choice.recipe()), instances=items)
    return answer if items else _nothing(answer, search.missing or prompt_language.absent(text))


def select(request: Select, picture: PictureView, context: JobContext) -> Selection:
    """Objects for a prompt; see ``messages.Select``. Raises the errors of ``prompts`` and of the models."""
    prompt = Prompt.checked(request, picture, context)
    if prompt.choice.preset.name == RECIPE:
        return select_regions(request, picture, context, prompt.region)
    way = pick_way(prompt)
    if not isinstance(way, Way):
        return way.answer()
    found = way.run()
    masks, count = way.masks, len(found)
    found = prompts.picked(found, request.pick)
    if masks is not None:
        found = _left_over(found, way, masks, prompt)
        _look_closer(found, masks, prompt)
        if not prompt.examples and (masks.segmenter is None or masks.segmenter.knows_objects):
            rate(found, picture)
        model_id = prompt.choice.model_id("detector") if masks.segmenter is None else masks.segmenter.model_id
        others, asked = request.alternatives > 0, (*prompt.points, *prompt.request.strokes)
        remember(found, model_id, picture, context, others, asked, prompt.previous)
    if not found:
        there = prompt_language.absent(prompt.text) if way.by_words else tr("Nothing was found there.")
        message = prompt.search.missing or (tr("Only {0} found.", count) if count else there)
        return _nothing(_answer(prompt), message)
    return _drawn(found, way, prompt)


def _left_over(found: list[Found], way: Way, masks: Masks, prompt: Prompt) -> list[Found]:
    """What is left of the objects without what others of their kind have, and without what is to be left out."""
    if way.by_words:
        share_out(found)
    looked: dict[str, list[LogitMap]] = {}
    for one in found:
        for phrase in dict.fromkeys((*one.minus, *way.query.minus, *prompt.unwanted)):
            if phrase not in looked:
                looked[phrase] = prompt.search.less(phrase, masks)
            if looked[phrase]:
                one.limit_to(without(one.logits, looked[phrase]))
                if one.uncut is not None:
                    one.uncut = without(one.uncut, looked[phrase])
    return [one for one in found if not one.empty]


def _look_closer(found: list[Found], masks: Masks, prompt: Prompt) -> None:
    precise, context = prompt.request.precise, prompt.context
    if masks.segmenter is not None:
        CloserLook(masks.segmenter, prompt.picture, context, precise).run(found, prompt.previous)
    elif precise == "on":
        context.note(tr("A detector's own masks cannot be looked at closely; take a recipe with a segmenter for that."))


def _drawn(found: list[Found], way: Way, prompt: Prompt) -> Selection:
    """The answer with the objects' masks, or with that of everything else."""
    request, context = prompt.request, prompt.context
    inverse = way.query.inverse
    post = replace(request.post, invert=not request.post.invert) if inverse else request.post
    drawing = Drawing(prompt.picture, request.mask_depth, post, prompt.region)
    source = "+".join(context.used)
    with context.stage("post", tr("Drawing the mask") if inverse else tr("Drawing the masks")):
        if not inverse:
            items = drawing.instances(found, source, request.alternatives)
        elif (rest := drawing.merged(found)) is not None:
            score = min(one.rating.score if one.rating else one.score for one in found)
            items = [Instance(new_id(), tr("everything else"), score, rect_of(rest), source, mask=rest)]
        else:
            items = []
        merged = None
        if request.merge and items:
            merged = items[0].mask if inverse or len(found) == 1 else drawing.merged(found)
    answer = _answer(prompt)
    answer.instances, answer.merged = items, merged
    if not items:
        answer.reason = "empty_after_post_processing"
        answer.message = tr("Nothing is left of the selection after its settings were applied.")
        answer.hint = tr("Shrink less, lower the threshold, or keep smaller parts.")
    return answer


def _answer(prompt: Prompt) -> Selection:
    request = prompt.request
    return Selection(request.id, request.generation, prompt.context.report(prompt.choice.recipe()))


def _nothing(answer: Selection, message: str) -> Selection:
    answer.reason = "nothing_found"
    answer.message = message
    answer.hint = tr("Try another word, or click on it.")
    return answer

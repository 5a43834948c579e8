"""Text, examples, clicks, boxes and a mask to start from -> instances; and detection, which stops at the boxes."""

from __future__ import annotations

from dataclasses import replace

from maskwright.masks import instances as ops
from maskwright.models.roles import Featured, TextSegmenter
from maskwright.recipes.job import prompt_language, prompts, vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView, read_mask
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.job.remembered import recall
from maskwright.recipes.job.wire_masks import rect_from, rect_of
from maskwright.recipes.people.parts_by_words import parts_by_name
from maskwright_protocol.errors import EmptyPrompt, ModelMissing
from maskwright_protocol.messages import Detect, Instance, Job, Point, Select, Selection

from . import detector_masks
from .by_words import Search, leave_out
from .closer_look import CloserLook, check_mode
from .detector_masks import DetectorMasks
from .draw import Drawing
from .segment import Segmenting, continued, new_id, recalled, remember, resolve


def detect(request: Detect, picture: PictureView, context: JobContext) -> Selection:
    """Boxes only. Raises ``EmptyPrompt``, ``UnknownWord``, ``ModelMissing``."""
    text = prompts.check_text(request.text)
    if not text and not request.detector_options:
        raise EmptyPrompt("There is nothing to look for.", hint="Type what to look for.")
    choice = ModelChoice(request, "detect", context)
    search = Search(request, choice, picture, context)
    query = prompt_language.read(text)
    if query.inverse:
        context.note("The boxes are those of what is left out.")
    detector_id = choice.route(query.phrases, masks=False).model_id
    choice.take("detector", detector_id)
    found = search.boxes(query)
    items = [
        Instance(
            new_id(), d.label, d.score, rect_from(d.box), detector_id, text=d.text,
            quad=[Point(x, y) for x, y in d.quad],
        )
        for d in found
    ]  # fmt: skip
    answer = Selection(request.id, request.generation, context.report(choice.recipe()), instances=items)
    return answer if items else _nothing(answer, search.missing or f"No {text or 'such thing'} was found.")


def select(request: Select, picture: PictureView, context: JobContext) -> Selection:
    """Instances for a prompt; see ``messages.Select``. Raises the errors of ``prompts`` and of the models."""
    text, exclude = prompts.check_text(request.text), prompts.check_text(request.exclude_text)
    pick, min_score = prompts.check_pick(request.pick), prompts.check_min_score(request.min_score)
    post, depth = prompts.check_post(request.post), prompts.check_depth(request.mask_depth)
    points = prompts.check_points(request.points, picture.box)
    choice = ModelChoice(request, "select", context)
    if choice.preset.own_masks:
        detector_masks.check(request, choice.preset.name)
    start = read_mask(request.start) if request.start is not None else None
    region = read_mask(request.region) if request.region is not None else None
    if start is not None and start[0].size and not (start[0] >= 0.5).any():
        start = None
    precise = check_mode(request.precise)
    previous = recall(request.continue_from, picture, context)

    examples = prompts.check_examples(request.examples, picture.box, alone=not text)
    asked = bool(points or request.boxes or examples or text or request.detector_options or start is not None)
    again = [recalled(request.continue_from, previous)] if previous is not None and not asked else []
    words: prompt_language.Query | None = None
    reads = False
    search = Search(request, choice, picture, context, region, examples)
    unwanted = prompt_language.parts(exclude)
    wanted: list[ObjectPrompt] = []
    draws = choice.preset.own_masks
    if again and previous is not None:
        wanted = [one.wanted for one in again]
        if "segmenter" not in context.models.known.get(previous.model_id).roles:
            choice.take("detector", previous.model_id)
            draws = choice.own_masks([], False)
    elif previous is not None and (points or request.boxes) and not examples:
        wanted = [continued(request, previous, points, picture)]
    elif examples:
        words = prompt_language.read(text)
        if not words.concepts:
            words = prompt_language.Query((prompt_language.Concept(""),))
        choice.take("segmenter", choice.by_example(bool(text)))
        reads = True
    elif text or request.detector_options:
        words = prompt_language.read(text)
        less = (*unwanted, *words.minus, *(phrase for concept in words.concepts for phrase in concept.minus))
        out = [prompt_language.which(phrase)[0] for phrase in less]
        route = choice.route((*words.phrases, *out))
        if out and not route.knows:
            route = choice.route(words.phrases)
        if route.kind == "parts":
            return parts_by_name(request, words, unwanted, route.model_id, picture, choice, context)
        reads = route.kind == "concepts"
        choice.take("segmenter" if reads else "detector", route.model_id)
        if not reads:
            seen = search.look(words)
            if not seen and not points and not request.boxes:
                return _nothing(answer_of(request, choice, context), f"No {text or 'such thing'} was found.")
            # A click that excludes takes a part of a single thing, for which it takes a segmenter.
            others = request.boxes or start is not None or any(p.include for p in points) or (points and len(seen) < 2)
            draws = choice.own_masks(seen, bool(others))
    else:
        wanted = prompts.objects(_with_start(request, start is not None), picture.box)
    if request.continue_from and previous is None:
        context.note("The last selection is no longer remembered; started anew.")
    segmenter = None if draws else choice.segmenter()
    if segmenter is None:
        job = DetectorMasks(picture, context, again[0].logits if again else None)
        choice.detector()  # it takes part where something is drawn again, too
    else:
        embedding = vision.embed(segmenter, picture, context)  # known already where something is drawn again
        saliency = vision.saliency(segmenter, choice, picture, context)
        start_map = picture.mask_in_overview(*start) if start is not None else None
        job = Segmenting(segmenter, embedding, picture, context, saliency, start_map, previous)
    if words is None:
        found = again or job.run(wanted)
        if previous is not None and found:
            found[0].id = request.continue_from
        found = [f for f in found if min_score is None or f.score >= min_score]
        found.sort(key=lambda f: -f.score)
    elif isinstance(job, DetectorMasks) or not reads:
        found = search.objects(points, prompts.check_boxes(request.boxes, picture.box), job)
    elif isinstance(segmenter, TextSegmenter):
        found = search.concepts(words, segmenter, points, prompts.check_boxes(request.boxes, picture.box), job)
    elif isinstance(segmenter, Featured):
        found = search.alike(segmenter, points, prompts.check_boxes(request.boxes, picture.box), job)
    else:
        raise ModelMissing(
            "The installed model cannot tell what is similar.",
            hint="Install a SAM model, for instance mobile-sam.",
            role="segmenter",
        )
    count = len(found)
    found = ops.pick(found, pick)
    whole = [f.logits for f in found]
    if words is not None:
        resolve(found)
    leave_out(found, whole, words, unwanted, lambda phrases: search.less(phrases, job, segmenter))
    kept = [number for number, one in enumerate(found) if (one.logits.values > 0).any()]
    found, whole = [found[number] for number in kept], [whole[number] for number in kept]
    if segmenter is not None:
        CloserLook(segmenter, picture, context, precise).run(found, previous)
    elif precise == "on":
        context.note("A detector's own masks cannot be looked at closely; take a recipe with a segmenter for that.")
    remember(found, choice.model_id("detector") if segmenter is None else segmenter.model_id, picture, context)
    source = "+".join(context.used)
    answer = answer_of(request, choice, context)
    if not found:
        there = f"No {text or 'such thing'} was found." if words is not None else "Nothing was found there."
        return _nothing(answer, search.missing or (f"Only {count} found." if count else there))

    if words is not None and words.inverse:
        with context.stage("post", "Drawing the mask"):
            rest = Drawing(picture, depth, replace(post, invert=not post.invert), region).merged(found, whole)
        if rest is not None:
            answer.instances = [Instance(new_id(), "everything else", found[0].score, rect_of(rest), source, mask=rest)]
            answer.merged = rest if request.merge else None
        return _complete(answer, choice, context)
    drawn = Drawing(picture, depth, post, region)
    # Drawing and sending them takes longer than the mask itself, so only who asks for other hypotheses gets them.
    with context.stage("post", "Drawing the masks"):
        for one in found:
            mask = drawn.mask(one)
            if mask is not None:
                others = drawn.alternatives(one, request.alternatives)
                item = Instance(one.id, one.label, one.score, rect_of(mask), source, others, mask=mask)
                answer.instances.append(item)
        if request.merge and answer.instances:
            alone = len(found) == 1
            answer.merged = answer.instances[0].mask if alone else drawn.merged(found, whole)
    return _complete(answer, choice, context)


def _complete(answer: Selection, choice: ModelChoice, context: JobContext) -> Selection:
    """With its report, and the reason when all that was found is gone again."""
    answer.report = context.report(choice.recipe())
    if not answer.instances:
        answer.reason = "empty_after_post_processing"
        answer.message = "Nothing is left of the selection after its settings were applied."
        answer.hint = "Shrink less, lower the threshold, or keep smaller parts."
    return answer


def answer_of(request: Job, choice: ModelChoice, context: JobContext) -> Selection:
    return Selection(request.id, request.generation, context.report(choice.recipe()))


def _nothing(answer: Selection, message: str) -> Selection:
    answer.reason = "nothing_found"
    answer.message = message
    answer.hint = "Try another word or a lower least score, or click on it."
    return answer


def _with_start(request: Select, has_start: bool) -> Select:
    if has_start or request.start is None:
        return request
    if not request.points and not request.boxes:
        raise EmptyPrompt("The selection to start from is empty.")
    return Select(id=request.id, points=request.points, boxes=request.boxes)

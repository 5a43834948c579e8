"""The ways from a prompt to objects: the last answer again, clicks and boxes, words, examples, parts of people,
lettering, distance."""

from __future__ import annotations

from abc import ABC, abstractmethod

from maskwright.models.roles import Featured, TextSegmenter
from maskwright.recipes.job import prompt_language, prompts
from maskwright.recipes.job.prompt_language import Concept, Query
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.job.remembered import Remembered
from maskwright.recipes.people.parts_by_words import parts_by_words
from maskwright_protocol.errors import BadInput, EmptyPrompt, ModelMissing
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Rect, Select, Selection

from . import loose_prompts
from .by_distance import ByDistance
from .found import Found, recalled
from .lettering import Lettering
from .prompt import Masks, Prompt

_NO_WORDS = Query()


class Way(ABC):
    """A way from a prompt to objects; once it ran, ``masks`` is what drew them, None where nothing did."""

    by_words = False  # objects of one name share no pixels, and the words may mean everything else

    def __init__(self, prompt: Prompt, query: Query = _NO_WORDS) -> None:
        self.prompt, self.query = prompt, query
        self.masks: Masks | None = None

    @abstractmethod
    def run(self) -> list[Found]:
        """The objects that are asked for, best first."""


def pick_way(prompt: Prompt) -> Way | PartsOfPeople | Lettering | ByDistance:
    """The way that suits the prompt. Raises ``ModelMissing``."""
    request, previous = prompt.request, prompt.previous
    if request.distance is not None:
        return ByDistance(prompt, request.distance)
    if "depth" in prompt.choice.preset.roles:
        name = prompt.choice.preset.name
        raise BadInput(
            tr("The recipe {0} selects by distance.", name), tr("Say which distance, or take another recipe.")
        )
    if previous is not None and not prompt.names_objects:
        return Again(prompt)
    drawn = prompt.points or request.strokes or request.boxes
    if previous is not None and drawn and not prompt.examples:
        return Clicks(prompt)
    if prompt.examples:
        query = prompt_language.parse_query(prompt.text)
        prompt.choice.take("segmenter", prompt.choice.by_example(bool(prompt.text)))
        return ReadWords(prompt, query if query.concepts else Query((Concept(""),)))
    if prompt.text or request.detector_options:
        return _words(prompt)
    return Clicks(prompt)


def _words(prompt: Prompt) -> Way | PartsOfPeople | Lettering:
    """The way for words: by a model that knows them all, with those of what is left out if there is such a model."""
    query, choice = prompt_language.parse_query(prompt.text), prompt.choice
    query.check(prompt.unwanted)
    less = (*prompt.unwanted, *query.minus, *(phrase for concept in query.concepts for phrase in concept.minus))
    out = [prompt_language.which(phrase)[0] for phrase in less]
    route = choice.route((*query.phrases, *out))
    if out and not route.knows:
        route = choice.route(query.phrases)
    if route.kind == "parts":
        return PartsOfPeople(prompt, query, route.model_id)
    if not route.knows:
        query = choice.understood(query, route.model_id)
    choice.take("segmenter" if route.kind == "concepts" else "detector", route.model_id)
    if route.kind == "concepts":
        return ReadWords(prompt, query)
    if choice.draws_lettering(route.model_id):
        return Lettering(prompt, query)
    return DetectedWords(prompt, query)


class Again(Way):
    """The last answer as it was, drawn with other settings."""

    def run(self) -> list[Found]:
        prompt, previous = self.prompt, self.prompt.previous
        assert previous is not None
        found, model_id = recalled(prompt.request.continue_from, previous), previous.model_id
        own = prompt.choice.preset.own_masks
        if "segmenter" not in prompt.context.models.known.get(model_id).roles:
            prompt.choice.take("detector", model_id)
            own = prompt.choice.own_masks([], False)
        self.masks = prompt.detector_masks(found) if own else prompt.segmenting()
        return _scored([found], prompt)


class Clicks(Way):
    """Clicks, strokes, boxes and a mask to start from, on from the last answer where there is one."""

    def run(self) -> list[Found]:
        prompt, request, canvas = self.prompt, self.prompt.request, self.prompt.picture.box
        if prompt.previous is not None and (prompt.points or request.strokes or request.boxes):
            wanted = [_continued(prompt, prompt.previous)]
        else:
            wanted = [loose_prompts.clicked(one, canvas) for one in prompts.objects(_with_start(prompt), canvas)]
        self.masks = masks = prompt.segmenting()
        loose = [
            one
            for one in wanted
            if one.box and not one.points and not one.strokes and loose_prompts.shows_all(one.box, canvas)
        ]
        found = masks.run([one for one in wanted if one not in loose] if loose else wanted)
        for one in loose:
            found += loose_prompts.main_subject(masks, prompt, one)
        if (prompt.previous is not None or prompt.repeated) and found:
            found[0].id = request.continue_from
        return _scored(found, prompt)


class DetectedWords(Way):
    """What words name, found by a detector; drawn by a segmenter, or by the detector itself."""

    by_words = True

    def run(self) -> list[Found]:
        prompt = self.prompt
        points, boxes = prompt.points, prompt.request.boxes
        seen = prompt.search.look(self.query)
        if not seen and not points and not boxes:
            return []
        # To take a part away from a single thing, as a click that excludes does, a segmenter is needed.
        clicks = any(p.include for p in points) or (points and len(seen) < 2)
        own = prompt.choice.own_masks(seen, bool(boxes or prompt.start is not None or clicks))
        self.masks = prompt.detector_masks() if own else prompt.segmenting()
        return prompt.search.objects(points, prompts.check_boxes(boxes, prompt.picture.box), self.masks)


class ReadWords(Way):
    """What words name and examples show, found by a segmenter that reads, or compares with examples."""

    by_words = True

    def run(self) -> list[Found]:
        prompt = self.prompt
        self.masks = masks = prompt.segmenting()
        segmenter, search = masks.segmenter, prompt.search
        if not isinstance(segmenter, TextSegmenter | Featured):
            text = tr("The installed model cannot tell what is similar.")
            hint = tr("Choose another segmenter, for instance mobile-sam, which comes with Maskwright.")
            raise ModelMissing(text, hint, role="segmenter")
        boxes = prompts.check_boxes(prompt.request.boxes, prompt.picture.box)
        if isinstance(segmenter, TextSegmenter):
            return search.concepts(self.query, segmenter, prompt.points, boxes, masks)
        return search.alike(segmenter, prompt.points, boxes, masks)


class PartsOfPeople:
    """Words that name parts of people. A parser draws them at full size, so its answer is already whole."""

    def __init__(self, prompt: Prompt, query: Query, model_id: str) -> None:
        self._prompt, self._query, self._model_id = prompt, query, model_id

    def answer(self) -> Selection:
        prompt = self._prompt
        unwanted, picture, choice = prompt.unwanted, prompt.picture, prompt.choice
        return parts_by_words(prompt.request, self._query, unwanted, self._model_id, picture, choice, prompt.context)


def _scored(found: list[Found], prompt: Prompt) -> list[Found]:
    """Those of at least the wanted score, best first."""
    least = prompt.request.min_score
    return sorted((f for f in found if least is None or f.score >= least), key=lambda f: -f.score)


def _continued(prompt: Prompt, previous: Remembered) -> ObjectPrompt:
    """All clicks so far, and the box of before unless a click reaches out of it."""
    points, picture = prompt.points, prompt.picture
    boxes = prompts.check_boxes(prompt.request.boxes, picture.box)
    box, padding = (boxes[0], 0.0) if boxes else (previous.box, previous.padding)
    if box is not None and not boxes:
        dx, dy = box.width * padding, box.height * padding
        reach = [p for p in points if p.include]
        if any(not (box.x0 - dx <= p.x <= box.x1 + dx and box.y0 - dy <= p.y <= box.y1 + dy) for p in reach):
            box = None
    own = picture.map_to_document(previous.map) if previous.low_res is None else None  # a detector's mask
    label, score = previous.label, previous.detection_score
    return ObjectPrompt(points, box, label, score, padding, own, prompt.request.strokes)


def _with_start(prompt: Prompt) -> Select:
    """The request without a mask to start from that is empty, that is no more than a click, or all of the picture.

    Raises ``EmptyPrompt`` where nothing else is asked.
    """
    request, canvas = prompt.request, prompt.picture.box
    if prompt.start is not None and not request.points and not request.strokes:
        place = loose_prompts.start_as_click(*prompt.start, canvas)
        if place is not None:
            prompt.start = None
            return Select(id=request.id, points=[place])
        if loose_prompts.start_shows_all(prompt.start[0], canvas):
            prompt.start = None
            return Select(id=request.id, boxes=[Rect(canvas.x, canvas.y, canvas.width, canvas.height)])
    if prompt.start is not None or request.start is None:
        return request
    if not request.points and not request.strokes and not request.boxes:
        raise EmptyPrompt(tr("The selection to start from is empty."))
    return Select(id=request.id, points=request.points, strokes=request.strokes, boxes=request.boxes)

"""A request to select, checked, and what draws the objects that it asks for."""

from __future__ import annotations

from dataclasses import dataclass

from maskwright.masks.boxes import PixelBox, Plane
from maskwright.recipes.job import prompt_language, prompts, vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView, read_mask
from maskwright.recipes.job.remembered import Remembered, recall
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Point, Select

from . import closer_look, detector_masks, loose_prompts
from .by_words import Example, Search
from .detector_masks import DetectorMasks
from .found import Found
from .segment import Segmenting
from .windows import Drawer, WindowSegmenting

Masks = Drawer | DetectorMasks  # what draws objects


@dataclass
class Prompt:
    """What is asked for and what all ways to answer it share.

    ``start`` and ``region`` are masks ``(h, w)`` float32 0..1 with their boxes in the document. ``previous``: the
    answer to go on from, None where there is none or it is forgotten. ``unwanted``: what to leave out of everything.
    """

    request: Select
    picture: PictureView
    context: JobContext
    choice: ModelChoice
    search: Search
    text: str
    unwanted: tuple[str, ...]
    points: list[Point]
    examples: list[Example]
    start: tuple[Plane, PixelBox] | None
    region: tuple[Plane, PixelBox] | None
    previous: Remembered | None
    repeated: bool = False  # the clicks are those of the last answer: a click in the place of another says nothing new

    @classmethod
    def checked(cls, request: Select, picture: PictureView, context: JobContext) -> Prompt:
        """Raises the errors of ``prompts``, and ``BadInput`` for an unknown recipe."""
        text, exclude = prompts.check_text(request.text), prompts.check_text(request.exclude_text)
        prompts.check_pick(request.pick)
        prompts.check_min_score(request.min_score)
        prompts.check_post(request.post)
        prompts.check_depth(request.mask_depth)
        if request.strokes:
            request = loose_prompts.drawn(request, picture.box, bool(text or request.examples))
        points = prompts.check_points(request.points, picture.box)
        choice = ModelChoice(request, "select", context)
        if choice.preset.own_masks:
            detector_masks.check(request, choice.preset.name)
        start = read_mask(request.start) if request.start is not None else None
        region = read_mask(request.region) if request.region is not None else None
        if start is not None and start[0].size and not (start[0] >= 0.5).any():
            start = None
        closer_look.check_mode(request.precise)
        previous = recall(request.continue_from, picture, context)
        repeated = previous is not None and not request.boxes and previous.asked == (*points, *request.strokes) != ()
        if repeated and previous is not None:
            previous = previous.before
        examples = prompts.check_examples(request.examples, picture.box, alone=not text)
        search = Search(request, choice, picture, context, region, examples)
        unwanted = prompt_language.split_phrases(exclude) if exclude else ()
        return cls(
            request,
            picture,
            context,
            choice,
            search,
            text,
            unwanted,
            points,
            examples,
            start,
            region,
            previous,
            repeated,
        )

    @property
    def names_objects(self) -> bool:
        """Whether anything says what to select, beside the answer to go on from."""
        request = self.request
        words = self.text or request.detector_options
        drawn = self.points or request.strokes or request.boxes
        return bool(drawn or self.examples or words or self.start is not None)

    def segmenting(self) -> Drawer:
        """The job's segmenter, ready to draw."""
        self._tell_forgotten()
        segmenter, picture = self.choice.segmenter(), self.picture
        if picture.is_thin:
            return WindowSegmenting(segmenter, picture, self.choice, self.context, self.start, self.previous)
        embedding = vision.embed(segmenter, picture, self.context)
        saliency = vision.saliency(segmenter, self.choice, picture, self.context)
        start = picture.mask_in_overview(*self.start) if self.start is not None else None
        return Segmenting(segmenter, embedding, picture, self.context, saliency, start, self.previous)

    def detector_masks(self, drawn: Found | None = None) -> DetectorMasks:
        """The detector's own masks, on the grid of an object that was ``drawn`` before."""
        self._tell_forgotten()
        self.choice.detector()  # it takes part where something is drawn again, too
        return DetectorMasks(self.picture, self.context, drawn.logits if drawn is not None else None)

    def _tell_forgotten(self) -> None:
        if self.request.continue_from and self.previous is None and not self.repeated:
            self.context.note(tr("The last selection is no longer remembered; started anew."))

"""Text, clicks, boxes and a mask to start from -> instances; and detection, which stops at the boxes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np

from maskwright.masks import instances as ops
from maskwright.masks.boxes import PixelBox, Plane
from maskwright.masks.logits import LogitMap, union, without, without_overlaps
from maskwright.masks.post import is_default, post_process_crop
from maskwright.models.roles import Box, Detection, Embedding, FloatMap, Hypothesis, Segmenter, SegmentPrompt
from maskwright_protocol.errors import EmptyPrompt
from maskwright_protocol.messages import Alternative, Detect, Instance, Mask, Point, Select, Selection

from . import prompts, vision
from .answer import pack, pack8, rect_from, rect_of
from .choose import Cast
from .context import JobContext
from .picture import PictureView, read_mask
from .prompts import Wanted

# Share of a detected box added on each side. Small on purpose: the mask is not clipped to the box anyway, and on twelve
# measured objects the mean IoU was 0.73 with no padding, 0.72 with 2 % and 0.71 with 5 %; thin objects gain a little.
TEXT_PADDING = 0.02
_BATCH = 8
_SAME_MASK = 0.8  # IoU beyond which two detections are one object
_ALIKE = 0.92  # IoU beyond which an alternative shows nothing new


@dataclass
class Found:
    """A segmented object. ``logits`` lie in the overview's pixels; ``others`` are further hypotheses."""

    id: str
    label: str
    score: float
    wanted: Wanted
    logits: LogitMap
    low_res: FloatMap | None
    others: list[Hypothesis]


@dataclass
class Remembered:
    """What a later click needs of an answer."""

    model_id: str
    picture_key: str
    label: str
    box: Box | None
    padding: float
    detection_score: float | None
    low_res: FloatMap | None


def detect(request: Detect, picture: PictureView, context: JobContext) -> Selection:
    """Boxes only. Raises ``EmptyPrompt``, ``UnknownWord``, ``ModelMissing``."""
    text = prompts.check_text(request.text)
    if not text:
        raise EmptyPrompt("There is nothing to look for.", hint="Type what to look for.")
    min_score = prompts.check_min_score(request.min_score)
    cast = Cast(request, "detect", context)
    detector = cast.detector()
    found = vision.detect(detector, picture, text, min_score, context)
    items = [Instance(_new_id(), d.label, d.score, rect_from(d.box), detector.model_id) for d in found]
    answer = Selection(request.id, request.generation, context.report(cast.preset.name), instances=items)
    return answer if items else _nothing(answer, f"No {text} was found.")


def select(request: Select, picture: PictureView, context: JobContext) -> Selection:
    """Instances for a prompt; see ``messages.Select``. Raises the errors of ``prompts`` and of the models."""
    text, exclude = prompts.check_text(request.text), prompts.check_text(request.exclude_text)
    pick, min_score = prompts.check_pick(request.pick), prompts.check_min_score(request.min_score)
    post, depth = prompts.check_post(request.post), prompts.check_depth(request.mask_depth)
    points = prompts.check_points(request.points, picture.box)
    cast = Cast(request, "select", context)
    start = read_mask(request.start) if request.start is not None else None
    region = read_mask(request.region) if request.region is not None else None
    if start is not None and start[0].size and not (start[0] >= 0.5).any():
        start = None
    previous: Remembered | None = context.embeddings.get(("answer", request.continue_from))
    if previous is not None and previous.picture_key != picture.key:
        previous = None

    detections: list[Detection] | None = None
    if previous is not None and (points or request.boxes):
        wanted = [_continued(request, previous, points, picture)]
    elif text:
        detections = vision.detect(cast.detector(), picture, text, min_score, context)
        boxes = [Wanted([], d.box, d.label, d.score, TEXT_PADDING) for d in detections]
        boxes += [Wanted(box=box) for box in prompts.check_boxes(request.boxes, picture.box)]
        wanted = prompts.distribute(points, boxes)
    else:
        wanted = prompts.objects(_with_start(request, start is not None), picture.box)
    if request.continue_from and previous is None:
        context.note("The last selection is no longer remembered; started anew.")
    answer = Selection(request.id, request.generation, context.report(cast.preset.name))
    count = len(wanted)
    if detections is not None:
        wanted = ops.pick(sorted(wanted, key=lambda w: -(w.score if w.score is not None else 2.0)), pick)
    if not wanted:
        answer.report = context.report(_recipe(cast))
        return _nothing(answer, f"Only {count} found." if count else f"No {text} was found.")

    segmenter = cast.segmenter()
    embedding = vision.embed(segmenter, picture, context)
    saliency = vision.saliency(segmenter, cast, picture, context)
    start_map = picture.mask_in_overview(*start) if start is not None else None
    job = _Segmenting(segmenter, embedding, picture, context, saliency, start_map, previous)
    found = job.run(wanted)
    kept_id = request.continue_from if previous is not None else ""
    if kept_id and found:
        found[0].id = kept_id
    if detections is None:
        found = [f for f in found if min_score is None or f.score >= min_score]
        found = ops.pick(sorted(found, key=lambda f: -f.score), pick)
    else:
        found = _distinct(found)
    whole = [f.logits for f in found]
    if detections is not None:
        _resolve(found)
    if exclude and found:
        unwanted = vision.detect(cast.detector(), picture, exclude, None, context)
        if unwanted:
            boxes = [Wanted([], d.box, d.label, d.score, TEXT_PADDING) for d in unwanted]
            removed = [f.logits for f in _Segmenting(segmenter, embedding, picture, context, saliency).run(boxes)]
            for one in found:
                one.logits = without(one.logits, removed)
            whole = [without(one, removed) for one in whole]
        else:
            context.note(f"Nothing to leave out: no {exclude} was found.")
    _remember(found, segmenter, picture, context)
    source = "+".join(context.used)
    if not found:
        answer.report = context.report(_recipe(cast))
        return _nothing(answer, "Nothing was found there.")

    drawn = _Drawing(picture, depth, post, region)
    # Drawing and sending them takes longer than the mask itself, so only who asks for other hypotheses gets them.
    with context.stage("post", "Drawing the masks"):
        for one in found:
            mask = drawn.mask(one.logits)
            if mask is not None:
                others = drawn.alternatives(one, request.alternatives)
                item = Instance(one.id, one.label, one.score, rect_of(mask), source, others, mask)
                answer.instances.append(item)
        if request.merge and answer.instances:
            alone = len(found) == 1
            answer.merged = answer.instances[0].mask if alone else drawn.mask(union(whole))
    answer.report = context.report(_recipe(cast))
    if not answer.instances:
        answer.reason = "empty_after_post_processing"
        answer.message = "Nothing is left of the selection after its settings were applied."
        answer.hint = "Shrink less, lower the threshold, or keep smaller parts."
    return answer


def _recipe(cast: Cast) -> str:
    return cast.preset.name


def _nothing(answer: Selection, message: str) -> Selection:
    answer.reason = "nothing_found"
    answer.message = message
    answer.hint = "Try another word or a lower least score, or click on it."
    return answer


def _new_id() -> str:
    return secrets.token_hex(6)


def _with_start(request: Select, has_start: bool) -> Select:
    if has_start or request.start is None:
        return request
    if not request.points and not request.boxes:
        raise EmptyPrompt("The selection to start from is empty.")
    return Select(id=request.id, points=request.points, boxes=request.boxes)


def _continued(request: Select, previous: Remembered, points: list[Point], picture: PictureView) -> Wanted:
    """All clicks so far, and the box of before unless a click reaches out of it."""
    boxes = prompts.check_boxes(request.boxes, picture.box)
    box, padding = (boxes[0], 0.0) if boxes else (previous.box, previous.padding)
    if box is not None and not boxes:
        dx, dy = box.width * padding, box.height * padding
        reach = [p for p in points if p.include]
        if any(not (box.x0 - dx <= p.x <= box.x1 + dx and box.y0 - dy <= p.y <= box.y1 + dy) for p in reach):
            box = None
    return Wanted(points, box, previous.label, previous.detection_score, padding)


class _Segmenting:
    """Prompts in document coordinates -> chosen hypotheses."""

    def __init__(
        self,
        segmenter: Segmenter,
        embedding: Embedding,
        picture: PictureView,
        context: JobContext,
        saliency: FloatMap | None = None,
        start: FloatMap | None = None,
        previous: Remembered | None = None,
    ) -> None:
        self._segmenter, self._embedding = segmenter, embedding
        self._picture, self._context = picture, context
        self._saliency, self._start = saliency, start
        fits = previous is not None and previous.model_id == segmenter.model_id
        self._low_res = previous.low_res if fits and previous is not None else None

    def run(self, wanted: list[Wanted]) -> list[Found]:
        """One ``Found`` for each object of which anything is seen."""
        found: list[Found] = []
        with self._context.stage("segment", "Finding the edges"):
            for first in range(0, len(wanted), _BATCH):
                if first:
                    self._context.progress("segment", first / len(wanted), f"{first} of {len(wanted)} objects")
                batch = wanted[first : first + _BATCH]
                answers = self._segmenter.segment(self._embedding, [self._prompt(one) for one in batch])
                for one, hypotheses in zip(batch, answers, strict=True):
                    best = self._choose(one, hypotheses)
                    if best is not None:
                        score = one.score if one.score is not None else best.score
                        others = [h for h in hypotheses if h is not best]
                        found.append(Found(_new_id(), one.label, score, one, best.logits, best.low_res, others))
        return found

    def _prompt(self, wanted: Wanted) -> SegmentPrompt:
        points = [(*self._picture.to_overview(p.x, p.y), p.include) for p in wanted.points]
        return SegmentPrompt(points, self._box(wanted), self._start, self._low_res, self._saliency)

    def _box(self, wanted: Wanted) -> Box | None:
        """The box in overview pixels, widened; for a mask to start from without clicks, the box around it."""
        height, width = self._picture.size
        if wanted.box is not None:
            box = self._picture.box_to_overview(wanted.box)
            dx, dy = wanted.padding * box.width, wanted.padding * box.height
        elif self._start is not None and not wanted.points:
            tight = ops.tight_box(self._start, 0.5)
            box = Box(tight.x, tight.y, tight.right, tight.bottom)
            dx = dy = 1.0
        else:
            return None
        return Box(max(0, box.x0 - dx), max(0, box.y0 - dy), min(width, box.x1 + dx), min(height, box.y1 + dy))

    def _choose(self, wanted: Wanted, hypotheses: list[Hypothesis]) -> Hypothesis | None:
        """Without a box the model's order decides; with one, its score times how well the mask fills the box."""
        shown = [h for h in hypotheses if (h.logits.values > 0).any()]
        if not shown or wanted.box is None or wanted.points:
            return next(iter(shown), None)
        box = self._picture.box_to_overview(wanted.box)
        edges = (box.x0, box.y0, box.x1, box.y1)
        return max(shown, key=lambda h: h.score * (0.25 + 0.75 * ops.box_iou(edges, _extent(h.logits))))


def _extent(logits: LogitMap) -> ops.Edges:
    inner = ops.tight_box(logits.values, 1e-6)
    cell_x, cell_y = logits.cell
    x0, y0 = logits.x0 + inner.x * cell_x, logits.y0 + inner.y * cell_y
    return x0, y0, x0 + inner.width * cell_x, y0 + inner.height * cell_y


def _overlap(first: LogitMap, second: LogitMap) -> float:
    """IoU of the two masks on their common grid."""
    a, b = first.values > 0, second.values > 0
    either = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / either if either else 0.0


def _distinct(found: list[Found]) -> list[Found]:
    """Without objects that are the same mask as a better scored one."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: -f.score):
        if all(_overlap(one.logits, other.logits) <= _SAME_MASK for other in kept):
            kept.append(one)
    return kept


def _resolve(found: list[Found]) -> None:
    """Objects of one kind share no pixels; a tie on a person stays part of the person."""
    for label in {one.label for one in found if one.label}:
        alike = [one for one in found if one.label == label]
        for one, logits in zip(alike, without_overlaps([a.logits for a in alike]), strict=True):
            one.logits = logits


def _remember(found: list[Found], segmenter: Segmenter, picture: PictureView, context: JobContext) -> None:
    for one in found:
        size = 1024 + (one.low_res.nbytes if one.low_res is not None else 0)
        wanted = one.wanted
        kept = Remembered(
            segmenter.model_id, picture.key, one.label, wanted.box, wanted.padding, wanted.score, one.low_res
        )
        context.embeddings.put(("answer", one.id), kept, size)


class _Drawing:
    """Logits in overview pixels -> masks at the document's resolution."""

    def __init__(
        self, picture: PictureView, depth: int, post: prompts.PostProcess, region: tuple[Plane, PixelBox] | None
    ) -> None:
        self._picture, self._depth, self._post, self._region = picture, depth, post, region
        self._plain = depth == 8 and region is None and is_default(post)

    def mask(self, logits: LogitMap) -> Mask | None:
        sx, sy = self._picture.scale
        ox, oy = self._picture.origin
        drawn = logits.mapped(1 / sx, 1 / sy, ox, oy)
        slope = drawn.slope()
        box = drawn.bounds(self._picture.box, slope)
        if self._plain:
            return pack8(drawn.draw8(box, slope), box)
        mask = drawn.draw(box, slope)
        mask, box = finish(mask, box, self._picture.box, self._post, self._region)
        return pack(mask, box, self._depth)

    def alternatives(self, one: Found, count: int) -> list[Alternative]:
        """Up to ``count`` of the other hypotheses, as far as they show something else, the likelier first."""
        shown = [one.logits]
        answers: list[Alternative] = []
        for other in sorted(one.others, key=lambda h: -h.score):
            if len(answers) < count and all(_overlap(other.logits, known) < _ALIKE for known in shown):
                mask = self.mask(other.logits)
                if mask is not None:
                    shown.append(other.logits)
                    answers.append(Alternative(other.score, mask))
        return answers


def finish(
    mask: Plane, box: PixelBox, canvas: PixelBox, post: prompts.PostProcess, region: tuple[Plane, PixelBox] | None
) -> tuple[Plane, PixelBox]:
    """The post-processing chain, then the region, outside of which nothing is selected."""
    mask, box = post_process_crop(mask, box, canvas, post)
    if region is None:
        return mask, box
    return ops.limit(mask, box, *region)

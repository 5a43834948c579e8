"""Prompts in document coordinates -> one chosen hypothesis an object, and what is remembered of it for later clicks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from maskwright.masks import instances as ops
from maskwright.masks.boxes import PixelBox
from maskwright.masks.logits import UNBOUNDED, LogitMap, without, without_overlaps
from maskwright.masks.opencv import cv2
from maskwright.models.roles import Box, Embedding, FloatMap, Hypothesis, Segmenter, SegmentPrompt
from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.job.remembered import Remembered, SmallPlane, keep, small
from maskwright_protocol.messages import Point, Select

if TYPE_CHECKING:
    from .closer_look import Close

_BATCH = 8
_STROKE = 5.0  # squares of its own width that a stroke at least fills
_CLICKS = 6
_SAME_MASK = 0.8  # IoU beyond which two detections are one object


@dataclass
class Found:
    """A segmented object. ``logits`` lie in the overview's pixels; ``others`` are further hypotheses.

    ``cap``: what its logits may at most be where others claim the place, in the overview's pixels. ``close``: what a
    closer look showed, so capped.
    """

    id: str
    label: str
    score: float
    wanted: ObjectPrompt
    logits: LogitMap
    low_res: FloatMap | None
    others: list[Hypothesis] = field(default_factory=list)
    cap: LogitMap | None = None
    close: Close | None = None
    minus: tuple[str, ...] = ()  # what the words leave out of it

    def take(self, left: LogitMap) -> None:
        """Only ``left`` is its own: others claim the rest."""
        cap = np.where(left.values < self.logits.values, left.values, UNBOUNDED)
        self.cap = left.like(cap if self.cap is None else np.minimum(cap, self.cap.values))
        self.logits = left


def new_id() -> str:
    return secrets.token_hex(6)


def continued(request: Select, previous: Remembered, points: list[Point], picture: PictureView) -> ObjectPrompt:
    """All clicks so far, and the box of before unless a click reaches out of it."""
    boxes = prompts.check_boxes(request.boxes, picture.box)
    box, padding = (boxes[0], 0.0) if boxes else (previous.box, previous.padding)
    if box is not None and not boxes:
        dx, dy = box.width * padding, box.height * padding
        reach = [p for p in points if p.include]
        if any(not (box.x0 - dx <= p.x <= box.x1 + dx and box.y0 - dy <= p.y <= box.y1 + dy) for p in reach):
            box = None
    (sx, sy), (ox, oy) = picture.scale, picture.origin
    own = previous.map.mapped(1 / sx, 1 / sy, ox, oy) if previous.low_res is None else None  # a detector's mask
    return ObjectPrompt(points, box, previous.label, previous.detection_score, padding, own)


def recalled(name: str, previous: Remembered) -> Found:
    """The object as it was answered before, or as the object map has it."""
    low_res = previous.low_res.plane() if previous.low_res is not None else None
    wanted = ObjectPrompt([], previous.box, previous.label, previous.detection_score, previous.padding)
    return Found(name, previous.label, previous.score, wanted, previous.map, low_res)


class Segmenting:
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
        low_res = previous.low_res if fits and previous is not None else None
        self._low_res = low_res.plane() if low_res is not None else None

    def run(self, wanted: list[ObjectPrompt]) -> list[Found]:
        """One ``Found`` for each object of which anything is seen."""
        found: list[Found] = []
        with self._context.stage("segment", "Finding the edges"):
            for first in range(0, len(wanted), _BATCH):
                if first:
                    self._context.progress("segment", first / len(wanted), f"{first} of {len(wanted)} objects")
                batch = wanted[first : first + _BATCH]
                answers = self._segmenter.segment(self._embedding, [self._prompt(one) for one in batch])
                for one, hypotheses in zip(batch, answers, strict=True):
                    best = self._choose(one, self._obeying(one, hypotheses))
                    if best is not None:
                        score = one.score if one.score is not None else best.score
                        others = [h for h in hypotheses if h is not best]
                        item = Found(new_id(), one.label, score, one, best.logits, best.low_res, others)
                        self.exclude(item)
                        found.append(item)
        return found

    def _prompt(self, wanted: ObjectPrompt) -> SegmentPrompt:
        points = [(*self._picture.to_overview(p.x, p.y), p.include) for p in wanted.points]
        if self._start is not None and not points and wanted.box is None:
            along = strokes(self._start)
            if along:
                return SegmentPrompt([(x, y, True) for x, y in along], saliency=self._saliency)
        start = self._start if wanted.logits is None else self._drawn(wanted.logits)
        return SegmentPrompt(points, self._box(wanted), start, self._low_res, self._saliency)

    def _drawn(self, logits: LogitMap) -> FloatMap:
        """A mask in document pixels as a soft mask of the overview's size."""
        height, width = self._picture.size
        drawn = in_overview(logits, self._picture)
        return drawn.draw(PixelBox(0, 0, width, height), drawn.slope())

    def _box(self, wanted: ObjectPrompt) -> Box | None:
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

    def _missed(self, wanted: ObjectPrompt, logits: LogitMap) -> list[tuple[float, float, bool]]:
        """Clicks, in overview pixels, that are on the wrong side of a mask."""
        points = [(*self._picture.to_overview(p.x, p.y), p.include) for p in wanted.points]
        return [(x, y, include) for x, y, include in points if (logit_at(logits, x, y) > 0) != include]

    def _obeying(self, wanted: ObjectPrompt, hypotheses: list[Hypothesis]) -> list[Hypothesis]:
        """In the model's order, but those first that miss fewest of the clicks."""
        if len(wanted.points) < 2 and wanted.box is None:
            return hypotheses
        return sorted(hypotheses, key=lambda h: len(self._missed(wanted, h.logits)))

    def exclude(self, item: Found) -> None:
        """A model may overlook "not this": then what lies at that click is found by itself and taken away."""
        missed = [(x, y) for x, y, include in self._missed(item.wanted, item.logits) if not include]
        if not missed:
            return
        asked = [SegmentPrompt([(x, y, True)], saliency=self._saliency) for x, y in missed]
        kept = [self._picture.to_overview(p.x, p.y) for p in item.wanted.points if p.include]
        own = item.logits.values > 0
        gone = []
        for (x, y), found in zip(missed, self._segmenter.segment(self._embedding, asked), strict=True):
            parts = (
                h.logits
                for h in found
                if logit_at(h.logits, x, y) > 0
                and 2 * np.count_nonzero((h.logits.values > 0) & own) < np.count_nonzero(own)
                and not any(logit_at(h.logits, *place) > 0 for place in kept)
            )
            gone += list(parts)[:1]
        if gone:
            item.take(without(item.logits, gone))

    def _choose(self, wanted: ObjectPrompt, hypotheses: list[Hypothesis]) -> Hypothesis | None:
        """Without a box the model's order decides; with one, its score times how well the mask fills the box."""
        shown = [h for h in hypotheses if (h.logits.values > 0).any()]
        if not shown or wanted.box is None or wanted.points:
            return next(iter(shown), None)
        box = self._picture.box_to_overview(wanted.box)
        edges = (box.x0, box.y0, box.x1, box.y1)
        return max(shown, key=lambda h: h.score * (0.25 + 0.75 * ops.box_iou(edges, extent(h.logits))))


def in_overview(logits: LogitMap, picture: PictureView) -> LogitMap:
    """A map in document pixels, in the overview's."""
    (sx, sy), (ox, oy) = picture.scale, picture.origin
    return logits.mapped(sx, sy, -ox * sx, -oy * sy)


def logit_at(logits: LogitMap, x: float, y: float) -> float:
    """The logit at a place of the overview."""
    rows, columns = logits.values.shape
    column, row = (x - logits.x0) / logits.cell[0], (y - logits.y0) / logits.cell[1]
    return float(logits.values[min(max(int(row), 0), rows - 1), min(max(int(column), 0), columns - 1)])


def strokes(mask: FloatMap) -> list[tuple[float, float]]:
    """Clicks along a mask ``(H, W)`` that is a stroke, which points at a thing and has not its shape; else none."""
    inside = (mask >= 0.5).astype(np.uint8)
    depth = cv2.distanceTransform(cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)[
        1:-1, 1:-1
    ]
    widest = float(depth.max())
    if np.count_nonzero(inside) < _STROKE * (2 * widest) ** 2:
        return []
    rows, columns = np.nonzero(depth >= 0.6 * widest)
    places = np.stack([columns, rows], axis=-1).astype(np.float32)
    chosen = [int(np.argmax(depth[rows, columns]))]
    away = np.hypot(*(places - places[chosen[0]]).T)
    while len(chosen) < _CLICKS and away.max() > 4 * widest:
        chosen.append(int(away.argmax()))
        away = np.minimum(away, np.hypot(*(places - places[chosen[-1]]).T))
    return [(float(x) + 0.5, float(y) + 0.5) for x, y in places[chosen]]


def extent(logits: LogitMap) -> ops.Edges:
    inner = ops.tight_box(logits.values, 1e-6)
    cell_x, cell_y = logits.cell
    x0, y0 = logits.x0 + inner.x * cell_x, logits.y0 + inner.y * cell_y
    return x0, y0, x0 + inner.width * cell_x, y0 + inner.height * cell_y


def overlap(first: LogitMap, second: LogitMap) -> float:
    """IoU of the two masks on their common grid."""
    a, b = first.values > 0, second.values > 0
    either = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / either if either else 0.0


def distinct(found: list[Found]) -> list[Found]:
    """Without objects that are the same mask as a better scored one."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: -f.score):
        if all(overlap(one.logits, other.logits) <= _SAME_MASK for other in kept):
            kept.append(one)
    return kept


def resolve(found: list[Found]) -> None:
    """Objects of one kind share no pixels; a tie on a person stays part of the person."""
    for label in {one.label for one in found if one.label}:
        alike = [one for one in found if one.label == label]
        for one, logits in zip(alike, without_overlaps([a.logits for a in alike]), strict=True):
            one.take(logits)


def remember(found: list[Found], model_id: str, picture: PictureView, context: JobContext) -> None:
    """Keep what later clicks need, of each object and under ``ID-NUMBER`` of its other hypotheses."""
    for one in found:
        keep(one.id, _memory(one, one.logits, one.score, one.low_res, model_id, picture), context)
        for other in one.others:
            name = other_id(one, other)
            keep(name, _memory(one, other.logits, other.score, other.low_res, model_id, picture, False), context)


def other_id(one: Found, other: Hypothesis) -> str:
    return f"{one.id}-{next(n for n, h in enumerate(one.others, 1) if h is other)}"


def _memory(
    one: Found, logits: LogitMap, score: float, low_res: FloatMap | None, model_id: str, picture: PictureView,
    itself: bool = True,
) -> Remembered:  # fmt: skip
    wanted, close = one.wanted, one.close if itself else None
    return Remembered(
        model_id,
        picture.key,
        one.label,
        score,
        wanted.box if itself else None,
        wanted.padding,
        wanted.score,
        SmallPlane.of(logits.values),
        (logits.x0, logits.y0, logits.x1, logits.y1),
        small(low_res),
        close.crop if close is not None else None,
        small(close.low_res) if close is not None else None,
    )

"""Prompts in document coordinates -> one chosen hypothesis for each object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskwright.masks.boxes import PixelBox, tight_box
from maskwright.masks.instances import box_iou
from maskwright.masks.logits import LogitMap, without
from maskwright.masks.opencv import cv2
from maskwright.models.roles import Box, Embedding, FloatMap, Hypothesis, Segmenter, SegmentPrompt
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.job.remembered import Remembered

from .found import Found, new_id

_BATCH = 8
_STROKE = 5.0  # squares of its own width that a stroke at least fills
_CLICKS = 6

Click = tuple[float, float, bool]  # x and y in overview pixels, and whether it includes


@dataclass
class Segmenting:
    """Draws objects with a segmenter, from one embedding of the overview.

    ``saliency`` and ``start``, a mask to start from: ``(h, w)`` float32 0..1 of the overview's size. ``previous``: the
    answer to go on from.
    """

    segmenter: Segmenter
    embedding: Embedding
    picture: PictureView
    context: JobContext
    saliency: FloatMap | None = None
    start: FloatMap | None = None
    previous: Remembered | None = None

    def __post_init__(self) -> None:
        fits = self.previous is not None and self.previous.model_id == self.segmenter.model_id
        low_res = self.previous.low_res if fits and self.previous is not None else None
        self._low_res = low_res.plane() if low_res is not None else None

    def run(self, wanted: list[ObjectPrompt]) -> list[Found]:
        """One ``Found`` for each object of which anything is seen."""
        found: list[Found] = []
        with self.context.stage("segment", "Finding the edges"):
            for first in range(0, len(wanted), _BATCH):
                if first:
                    self.context.progress("segment", first / len(wanted), f"{first} of {len(wanted)} objects")
                batch = wanted[first : first + _BATCH]
                clicked = [self._clicks(one) for one in batch]
                asked = [self.prompt(one, clicks) for one, clicks in zip(batch, clicked, strict=True)]
                answers = self.segmenter.segment(self.embedding, asked)
                for one, clicks, hypotheses in zip(batch, clicked, answers, strict=True):
                    best = self._choose(one, _obeying(one, clicks, hypotheses))
                    if best is not None:
                        score = one.score if one.score is not None else best.score
                        others = [h for h in hypotheses if h is not best]
                        item = Found(new_id(), one.label, score, one, best.logits, best.low_res, others)
                        self._exclude(item, clicks)
                        found.append(item)
        return found

    def exclude(self, item: Found) -> None:
        """A model may overlook "not this": then what lies at that click is found by itself and taken away."""
        self._exclude(item, self._clicks(item.wanted))

    def _clicks(self, wanted: ObjectPrompt) -> list[Click]:
        return [(*self.picture.to_overview(p.x, p.y), p.include) for p in wanted.points]

    def prompt(self, wanted: ObjectPrompt, clicks: list[Click]) -> SegmentPrompt:
        """What the segmenter is asked for an object; ``clicks`` are its points in the overview."""
        if self.start is not None and not clicks and wanted.box is None:
            along = strokes(self.start)
            if along:
                return SegmentPrompt([(x, y, True) for x, y in along], saliency=self.saliency)
        start = self.start if wanted.logits is None else self._drawn(wanted.logits)
        return SegmentPrompt(clicks, self._box(wanted), start, self._low_res, self.saliency)

    def _drawn(self, logits: LogitMap) -> FloatMap:
        """A map in document pixels as a soft mask of the overview's size, ``(h, w)`` float32 0..1."""
        height, width = self.picture.size
        drawn = self.picture.map_to_overview(logits)
        return drawn.draw(PixelBox(0, 0, width, height), drawn.slope())

    def _box(self, wanted: ObjectPrompt) -> Box | None:
        """The box in overview pixels, widened; for a mask to start from without clicks, the box around it."""
        height, width = self.picture.size
        if wanted.box is not None:
            box = self.picture.box_to_overview(wanted.box)
            dx, dy = wanted.padding * box.width, wanted.padding * box.height
        elif self.start is not None and not wanted.points:
            box = Box(*tight_box(self.start, 0.5).edges)
            dx = dy = 1.0
        else:
            return None
        return Box(max(0, box.x0 - dx), max(0, box.y0 - dy), min(width, box.x1 + dx), min(height, box.y1 + dy))

    def _exclude(self, item: Found, clicks: list[Click]) -> None:
        missed = [(x, y) for x, y, include in _missed(clicks, item.logits) if not include]
        if not missed:
            return
        asked = [SegmentPrompt([(x, y, True)], saliency=self.saliency) for x, y in missed]
        kept = [(x, y) for x, y, include in clicks if include]
        own = item.logits.values > 0
        gone = []
        for (x, y), found in zip(missed, self.segmenter.segment(self.embedding, asked), strict=True):
            removable = (
                h.logits
                for h in found
                if h.logits.at(x, y) > 0
                and 2 * np.count_nonzero((h.logits.values > 0) & own) < np.count_nonzero(own)
                and not any(h.logits.at(*place) > 0 for place in kept)
            )
            gone += list(removable)[:1]
        if gone:
            item.limit_to(without(item.logits, gone))

    def _choose(self, wanted: ObjectPrompt, hypotheses: list[Hypothesis]) -> Hypothesis | None:
        """Without a box the model's order decides; with one, its score times how well the mask fills the box."""
        shown = (h for h in hypotheses if (h.logits.values > 0).any())
        if wanted.box is None or wanted.points:
            return next(shown, None)
        box = self.picture.box_to_overview(wanted.box)
        return max(shown, key=lambda h: h.score * (0.25 + 0.75 * box_iou(box, h.logits.extent())), default=None)


def _missed(clicks: list[Click], logits: LogitMap) -> list[Click]:
    """Clicks that are on the wrong side of a mask."""
    return [click for click in clicks if (logits.at(click[0], click[1]) > 0) != click[2]]


def _obeying(wanted: ObjectPrompt, clicks: list[Click], hypotheses: list[Hypothesis]) -> list[Hypothesis]:
    """In the model's order, but those first that miss fewest of the clicks."""
    if len(clicks) < 2 and wanted.box is None:
        return hypotheses
    return sorted(hypotheses, key=lambda h: len(_missed(clicks, h.logits)))


def strokes(mask: FloatMap) -> list[tuple[float, float]]:
    """Clicks ``(x, y)`` along a mask that is a stroke: it points at a thing and does not have its shape. Else none.

    ``mask`` ``(H, W)`` float32 0..1; clicks in its pixels.
    """
    inside = (mask >= 0.5).astype(np.uint8)
    framed = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
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

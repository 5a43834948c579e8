"""Prompts in document coordinates -> one chosen hypothesis for each object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from maskwright.masks.boxes import PixelBox, tight_box
from maskwright.masks.dots import without_dots
from maskwright.masks.instances import box_iou
from maskwright.masks.logits import LogitMap, union, without
from maskwright.masks.opencv import cv2
from maskwright.masks.strokes import Line
from maskwright.models.roles import Box, Embedding, FloatMap, Hypothesis, Segmenter, SegmentPrompt
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.job.remembered import Remembered
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Point, Stroke

from . import scribbles
from .found import Found, new_id
from .several_clicks import INCLUDES, Click, Clicked, missed, things

_BATCH = 8
_STROKE = 5.0  # squares of its own width that a stroke at least fills
_CLICKS = 6
_DAB = 1.5  # cells: what a click takes away at least
_KNOWN_CLICKS = 6  # whose answers are remembered: a megabyte each


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
        with self.context.stage("segment", tr("Finding the edges")):
            for first in range(0, len(wanted), _BATCH):
                if first:
                    self.context.progress("segment", first / len(wanted), tr("{0} of {1} objects", first, len(wanted)))
                batch = wanted[first : first + _BATCH]
                simple = [one for one in batch if not (one.strokes or (one.points and one.box) or len(one.points) > 1)]
                asked = [self.prompt(one, self._clicks(one)) for one in simple]
                answers = dict(zip(map(id, simple), self._asked(asked), strict=True)) if asked else {}
                for one in batch:
                    if id(one) in answers:
                        item = self._found(one, answers[id(one)])
                    else:
                        item = self._drawn_over(one) if one.strokes else self._several(one)
                    if item is not None:
                        found.append(item)
        return found

    def _asked(self, asked: list[SegmentPrompt]) -> list[list[Hypothesis]]:
        """What prompts show. Of a few single clicks it is remembered, since later clicks ask about them again."""
        names = [one.points[0] if len(one.points) == 1 and _is_plain(one) else None for one in asked]
        if not [name for name in names if name is not None]:
            return self.segmenter.segment(self.embedding, asked)
        key = ("clicks", self.segmenter.model_id, self.picture.key)
        known: dict[Click, list[Hypothesis]] = self.context.embeddings.get(key) or {}
        new = [one for one, name in zip(asked, names, strict=True) if name is None or name not in known]
        answers = iter(self.segmenter.segment(self.embedding, new) if new else [])
        out = []
        for name in names:
            answer = known.pop(name) if name is not None and name in known else next(answers)
            if name is not None:
                known[name] = answer
            out.append(answer)
        while len(known) > _KNOWN_CLICKS:
            del known[next(iter(known))]
        size = sum(2 * h.logits.values.nbytes for answer in known.values() for h in answer)
        self.context.embeddings.put(key, known, size)
        return out

    def _found(self, wanted: ObjectPrompt, hypotheses: list[Hypothesis]) -> Found | None:
        best = self._choose(wanted, hypotheses)
        return None if best is None else self._part(wanted, [best, *[h for h in hypotheses if h is not best]])

    def _part(self, wanted: ObjectPrompt, hypotheses: list[Hypothesis]) -> Found:
        best, *others = hypotheses
        score = wanted.score if wanted.score is not None else best.score
        clean, logits = without_dots(best.logits.values), best.logits
        logits = self.picture.up_to_border(logits if clean is logits.values else logits.like(clean))
        return Found(new_id(), wanted.label, score, wanted, logits, best.low_res, others)

    def _several(self, wanted: ObjectPrompt) -> Found | None:
        """What several clicks, or clicks and a box, mean."""
        clicks = self._clicks(wanted)

        def meant(one: Clicked) -> ObjectPrompt:
            place = dict(zip(clicks, wanted.points, strict=True))
            return replace(wanted, points=[place[click] for click in one.clicks])

        def ask(some: Sequence[Click]) -> list[Hypothesis]:
            single = len(some) == 1 and len(clicks) > 1 and wanted.box is None  # by itself, not on from the last answer
            asked = SegmentPrompt(list(some), saliency=self.saliency) if single else self.prompt(wanted, list(some))
            (answer,) = self._asked([asked])
            best = self._choose(wanted, answer) if not some else None
            return answer if best is None else [best, *(h for h in answer if h is not best)]

        groups = things(clicks, ask, self._known(), one=wanted.box is not None)
        if not groups:
            return None
        parts = [self._part(wanted if len(g.clicks) == len(clicks) else meant(g), g.hypotheses) for g in groups]
        item = parts[0]
        if len(parts) > 1:
            score = min([part.score for part in parts])
            shown = union([part.logits for part in parts])
            item = Found(new_id(), wanted.label, score, wanted, shown, parts[0].low_res, parts=parts)
        if not all(map(INCLUDES, clicks)):
            self._exclude(item, clicks)
        return None if item.empty else item

    def _drawn_over(self, wanted: ObjectPrompt) -> Found | None:
        """What strokes mean, and clicks beside them."""
        lines = [*(_dot(click) for click in self._clicks(wanted)), *map(self._line, wanted.strokes)]
        if wanted.box is not None:
            x0, y0, x1, y1 = self.picture.box_to_overview(wanted.box)
            lines.insert(0, Line(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32), True, closed=True))
        if self.segmenter.knows_objects:
            key = ("strokes", self.segmenter.model_id, self.picture.key)
            known: scribbles.Memory = {} if self.previous is not None else self.context.embeddings.get(key) or {}
            hypotheses = scribbles.meant(lines, self.segmenter, self.embedding, self._known(), known)
            if self.previous is None:
                self.context.embeddings.put(key, known, scribbles.size_of(known))
        else:
            clicks = [place for line in lines if not line.closed for place in scribbles.places(line)]
            asked = SegmentPrompt(clicks, self._box(wanted), self.start, self._low_res, self.saliency, lines)
            (hypotheses,) = self.segmenter.segment(self.embedding, [asked])
        shown = [h for h in hypotheses if (h.logits.values > 0).any()]
        if not shown:
            return None
        item = self._part(replace(wanted, points=self._along(lines), strokes=[]), shown)
        item.logits = scribbles.painted(item.logits, lines)
        return None if item.empty else item

    def _line(self, stroke: Stroke) -> Line:
        """A stroke in the overview's pixels."""
        origin, scale = (np.array(pair, np.float32) for pair in (self.picture.origin, self.picture.scale))
        places = (np.array(stroke.path, np.float32).reshape(-1, 2) - origin) * scale
        return Line(places, stroke.include, stroke.width * self.picture.scale[0], stroke.closed)

    def _along(self, lines: Sequence[Line]) -> list[Point]:
        """Clicks in the document that stand for lines where they are looked at closely."""
        found = [place for line in lines if not line.closed for place in scribbles.places(line)]
        boxes = [self.picture.box_to_document(Box(x, y, x, y)) for x, y, _ in found]
        return [Point(box.x0, box.y0, include) for box, (_, _, include) in zip(boxes, found, strict=True)]

    def _known(self) -> Hypothesis | None:
        """The answer to go on from, if this segmenter gave it."""
        if self.previous is None or self._low_res is None:
            return None
        return Hypothesis(self.previous.map, self.previous.score, self._low_res)

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
        wrong = [(x, y) for x, y, include in missed(clicks, item.logits) if not include]
        if not wrong:
            return
        asked = [SegmentPrompt([(x, y, True)], saliency=self.saliency) for x, y in wrong]
        kept = [(x, y) for x, y, include in clicks if include]
        own = item.logits.values > 0
        gone = []
        for (x, y), found in zip(wrong, self.segmenter.segment(self.embedding, asked), strict=True):
            removable = (
                h.logits
                for h in found
                if h.logits.at(x, y) > 0
                and 2 * np.count_nonzero((h.logits.values > 0) & own) < np.count_nonzero(own)
                and not any(h.logits.at(*place) > 0 for place in kept)
            )
            gone += list(removable)[:1] or [_dab(item.logits, x, y, kept)]
        item.limit_to(without(item.logits, gone))

    def _choose(self, wanted: ObjectPrompt, hypotheses: list[Hypothesis]) -> Hypothesis | None:
        """Without a box the model's order decides; with one, its score times how well the mask fills the box."""
        shown = (h for h in hypotheses if (h.logits.values > 0).any())
        if wanted.box is None or wanted.points:
            return next(shown, None)
        box = self.picture.box_to_overview(wanted.box)
        return max(shown, key=lambda h: h.score * (0.25 + 0.75 * box_iou(box, h.logits.extent())), default=None)


def _dot(click: Click) -> Line:
    return Line(np.array([click[:2]], np.float32), click[2])


def _dab(thing: LogitMap, x: float, y: float, kept: Sequence[tuple[float, float]]) -> LogitMap:
    """A spot around a click, on the grid of ``thing``, that stays away from the clicks that are ``kept``."""
    (rows, columns), (cell_x, cell_y) = thing.values.shape, thing.cell
    across = thing.x0 + (np.arange(columns, dtype=np.float32) + 0.5) * cell_x - x
    down = thing.y0 + (np.arange(rows, dtype=np.float32) + 0.5) * cell_y - y
    nearest = min([np.hypot(a - x, b - y) for a, b in kept], default=_DAB * 3 * max(cell_x, cell_y))
    radius = max(_DAB * max(cell_x, cell_y), nearest / 3)
    return thing.like(((radius - np.hypot(across, down[:, None])) / max(cell_x, cell_y)).astype(np.float32))


def _is_plain(prompt: SegmentPrompt) -> bool:
    """Nothing but clicks."""
    return prompt.box is None and prompt.mask is None and prompt.logits is None and prompt.saliency is None


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

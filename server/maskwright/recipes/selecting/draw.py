"""Logits -> masks at the document's resolution, after the post-processing chain."""

from __future__ import annotations

import math

import numpy as np

from maskwright.masks.border import sides_reached, to_border
from maskwright.masks.boxes import PixelBox, Plane, tight_box, whole
from maskwright.masks.edges import follow_colours
from maskwright.masks.instances import logit_iou, merge
from maskwright.masks.logits import LogitMap, union
from maskwright.masks.post import is_default
from maskwright.masks.trimap import band
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.wire_masks import finish, pack, pack8, rect_of
from maskwright_protocol.messages import Alternative, Instance, Mask, PostProcess

from .found import CloseUp, Found, other_id

_ALIKE = 0.92  # IoU beyond which an alternative shows nothing new
_FOLLOW, _NARROWEST = 6.0, 4.0  # the band in which an edge follows the colours: cells, and least pixels


class Drawing:
    """Logits in overview pixels -> masks at the document's resolution, with ``depth`` bits.

    ``region``: a mask float32 0..1 and its box in the document; nothing is selected outside.
    """

    def __init__(
        self, picture: PictureView, depth: int, post: PostProcess, region: tuple[Plane, PixelBox] | None
    ) -> None:
        self._picture, self._depth, self._post, self._region = picture, depth, post, region
        self._plain = depth == 8 and region is None and is_default(post)

    def instances(self, found: list[Found], source: str, alternatives: int = 0) -> list[Instance]:
        """The objects with their masks, as far as anything is left of them. ``source`` names the models."""
        drawn = []
        for one in found:
            mask = self.mask(one)
            if mask is not None:
                # Drawing and sending alternatives takes longer than the mask itself: only those that are asked for.
                others = self.alternatives(one, alternatives) if alternatives else []
                score, doubtful = one.rating or (one.score, False)
                item = Instance(one.id, one.label, score, rect_of(mask), source, others, mask=mask)
                item.confidence, item.doubtful = one.wanted.score, doubtful
                drawn.append(item)
        return drawn

    def mask(self, one: Found) -> Mask | None:
        """The object's mask; None when nothing of it is left."""
        if one.parts:
            return self.merged(one.parts)
        if one.close is None:
            return self.coarse(one.logits)
        return self._finished(*self._close(one.close))

    def coarse(self, logits: LogitMap) -> Mask | None:
        """The mask of logits in overview pixels; None when nothing of it is left."""
        drawn, box, slope = self._placed(logits)
        if self._plain:
            return pack8(drawn.draw8(box, slope), box)
        return self._finished(drawn.draw(box, slope), box)

    def merged(self, found: list[Found]) -> Mask | None:
        """The union, of the objects as they were before they shared out what several claim."""
        found = [part for one in found for part in one.parts or [one]]
        uncut = [one.logits if one.uncut is None else one.uncut for one in found]
        if all(one.close is None for one in found):
            return self.coarse(union(uncut))
        planes = []
        for one, logits in zip(found, uncut, strict=True):
            drawn, box, slope = self._placed(logits)
            planes.append(self._close(one.close) if one.close is not None else (drawn.draw(box, slope), box))
        return self._finished(*merge(planes))

    def alternatives(self, one: Found, count: int) -> list[Alternative]:
        """Up to ``count`` other hypotheses that show something else: the likeliest, of these the smaller first."""
        shown = [one.logits]
        answers: list[Alternative] = []
        for other in sorted(one.others, key=lambda h: -h.score):
            if len(answers) < count and all(logit_iou(other.logits, known) < _ALIKE for known in shown):
                mask = self.coarse(self._picture.up_to_border(other.logits))
                if mask is not None:
                    shown.append(other.logits)
                    answers.append(Alternative(other.score, other_id(one, other), mask))
        sizes = [int(np.count_nonzero(logits.values > 0)) for logits in shown[1:]]
        return [answers[n] for n in sorted(range(len(answers)), key=lambda n: sizes[n])]

    def _placed(self, logits: LogitMap) -> tuple[LogitMap, PixelBox, float]:
        """In document pixels: the map, the box of what it shows, its slope."""
        drawn = self._picture.map_to_document(logits)
        slope = drawn.slope()
        return drawn, drawn.bounds(self._picture.box, slope), slope

    def _close(self, close: CloseUp) -> tuple[Plane, PixelBox]:
        """What a closer look found, its edge following the colours within a few of the map's cells.

        A mask ``(box.height, box.width)`` float32 0..1 and its box in the document.
        """
        logits, crop, canvas = close.logits, close.crop, self._picture.box
        left, top, right, bottom = sides_reached(logits.values)
        sides = (
            left and crop.x == canvas.x,
            top and crop.y == canvas.y,
            right and crop.right == canvas.right,
            bottom and crop.bottom == canvas.bottom,
        )
        if any(sides):
            local = to_border(logits.mapped(1, 1, -crop.x, -crop.y), close.colours, sides)
            logits = local.mapped(1, 1, crop.x, crop.y)
        slope = logits.slope()
        width = max(_NARROWEST, _FOLLOW * max(logits.cell))
        box = logits.bounds(crop, slope).padded(math.ceil(width)).intersect(crop)
        mask = logits.draw(box, slope)
        where = band(mask, width)
        if where.any():
            inner = tight_box(where.view(np.uint8)).padded(math.ceil(width)).intersect(whole(mask))
            part, place = inner.slices(), inner.moved(box.x - crop.x, box.y - crop.y).slices()
            guide = close.colours[place].astype(np.float32) * np.float32(1 / 255)
            mask[part] = follow_colours(np.ascontiguousarray(mask[part]), guide, where[part], width)
        return mask, box

    def _finished(self, mask: Plane, box: PixelBox) -> Mask | None:
        mask, box = finish(mask, box, self._picture.box, self._post, self._region)
        return pack(mask, box, self._depth)

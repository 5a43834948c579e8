"""Logits in overview pixels -> masks at the document's resolution, after the post-processing chain."""

from __future__ import annotations

from maskwright.masks import instances as ops
from maskwright.masks.boxes import PixelBox, Plane
from maskwright.masks.logits import LogitMap
from maskwright.masks.post import is_default, post_process_crop
from maskwright_protocol.messages import Alternative, Mask

from . import prompts
from .answer import pack, pack8
from .picture import PictureView
from .segmenting import Found, overlap

_ALIKE = 0.92  # IoU beyond which an alternative shows nothing new


class Drawing:
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
            if len(answers) < count and all(overlap(other.logits, known) < _ALIKE for known in shown):
                mask = self.mask(other.logits)
                if mask is not None:
                    shown.append(other.logits)
                    answers.append(Alternative(other.score, mask=mask))
        return answers


def finish(
    mask: Plane, box: PixelBox, canvas: PixelBox, post: prompts.PostProcess, region: tuple[Plane, PixelBox] | None
) -> tuple[Plane, PixelBox]:
    """The post-processing chain, then the region, outside of which nothing is selected."""
    mask, box = post_process_crop(mask, box, canvas, post)
    if region is None:
        return mask, box
    return ops.limit(mask, box, *region)

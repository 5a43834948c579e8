"""What was painted by hand about an edge: where it is to be found anew, where it is hard, what is inside or outside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .boxes import AnyMask, PixelBox, Plane, recrop, tight_box
from .opencv import cv2
from .post import smooth
from .trimap import INSIDE, OUTSIDE, UNKNOWN

NOTHING, HAIR, HARD, IN, OUT = range(5)
KINDS = {"hair": HAIR, "hard": HARD, "inside": IN, "outside": OUT}
Stroke = tuple[str, float, Sequence[tuple[float, float]]]  # kind, width, places

_SHIFT = 4  # bits of a pixel's fraction when strokes are drawn
_STEEP = 2.0  # pixels within which a hard edge is rounded
_RAMP = 3.0  # pixels over which what was found beside a stroke fades into what was there
_CONTEXT = 12  # pixels around those, in which the edge stays open so that it fits


@dataclass(frozen=True)
class Hints:
    """``labels`` ``(h, w)`` uint8, one of ``NOTHING`` to ``OUT``, cover ``box`` tightly; there is none elsewhere."""

    labels: NDArray[np.uint8]
    box: PixelBox

    def within(self, box: PixelBox) -> NDArray[np.uint8]:
        """The labels of ``box``."""
        return recrop(self.labels, self.box, box)

    def on_mask(self, mask: AnyMask, box: PixelBox) -> tuple[AnyMask, PixelBox]:
        """A mask that covers ``box``, full where it was painted inside and empty where outside, and its box now."""
        wide = box.union(self.box)
        out, labels = recrop(mask, box, wide).copy(), self.within(wide)
        out[labels == IN] = 1.0 if out.dtype.kind == "f" else np.iinfo(out.dtype).max
        out[labels == OUT] = 0
        return out, wide

    def on_trimap(self, trimap: Plane, box: PixelBox, width: float) -> Plane:
        """The trimap of ``box``, open only near what was painted, and as it was painted there; float32 0, 0.5 or 1.

        ``width``: of the edge's band, in pixels.
        """
        around = self._reach(width) + _CONTEXT
        labels = self.within(box.padded(around))
        near = _distance(labels)[around:-around, around:-around] <= around
        labels = labels[around:-around, around:-around]
        out = np.where(near, trimap, np.where(trimap >= UNKNOWN, np.float32(INSIDE), np.float32(OUTSIDE)))
        out[labels == HAIR] = UNKNOWN
        out[labels == IN] = INSIDE
        out[labels == OUT] = OUTSIDE
        return out

    def blended(self, before: Plane, found: Plane, box: PixelBox, width: float) -> Plane:
        """``found`` near what was painted, as hard there as painted, and ``before`` elsewhere; all cover ``box``."""
        around = self._reach(width)
        labels = self.within(box.padded(around))
        away = _distance(labels)[around:-around, around:-around]
        weight = np.clip((np.float32(around) - away) * np.float32(1 / _RAMP), 0, 1)
        out = np.asarray(before + (found - before) * weight, np.float32)
        labels = labels[around:-around, around:-around]
        hard = labels == HARD
        if hard.any():
            out = np.where(hard, smooth((out >= 0.5).astype(np.float32), _STEEP), out)
        return self.settled(out, box)

    def settled(self, alpha: Plane, box: PixelBox) -> Plane:
        """``alpha``, which covers ``box``, exactly 1 and 0 where it was painted so; float32 0..1."""
        labels = self.within(box)
        out = np.where(labels == IN, np.float32(1), alpha)
        return np.where(labels == OUT, np.float32(0), out)

    def area(self, width: float) -> PixelBox:
        """All that the strokes may change."""
        return self.box.padded(self._reach(width))

    def touch(self, box: PixelBox, width: float) -> bool:
        """Whether they may change something in ``box``."""
        return bool(self.within(box.padded(self._reach(width))).any())

    @staticmethod
    def _reach(width: float) -> int:
        """How far beside a stroke the edge may change: as far as the band around its rim goes."""
        return math.ceil(width / 2 + _RAMP) + 1


def _distance(labels: NDArray[np.uint8]) -> Plane:
    """Pixels to the next painted place, ``(h, w)`` float32; far where there is none."""
    if not labels.any():
        return np.full(labels.shape, np.float32(1e6))
    return cv2.distanceTransform((labels == NOTHING).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)


def painted(strokes: Iterable[Stroke], canvas: PixelBox) -> Hints | None:
    """What strokes leave on ``canvas``, where they may have begun or ended outside; later ones cover earlier ones.

    Widths and places are pixels of the same coordinates as the canvas. A stroke is as wide as its width says, at least
    a pixel, and round at its ends. None when nothing was painted inside.
    """
    labels = np.zeros((canvas.height, canvas.width), np.uint8)
    for kind, width, places in strokes:
        # OpenCV takes whole coordinates for the middles of pixels.
        line = (np.asarray(places, np.float64) - (canvas.x + 0.5, canvas.y + 0.5)) * (1 << _SHIFT)
        line = np.round(line).astype(np.int32)
        value, thick = KINDS[kind], max(1, round(width))
        if len(line) == 1 or not np.ptp(line, axis=0).any():
            radius = max(1, round(width * (1 << _SHIFT) / 2))
            cv2.circle(labels, tuple(line[0].tolist()), radius, value, -1, cv2.LINE_8, _SHIFT)
        else:
            cv2.polylines(labels, [line.reshape(-1, 1, 2)], False, value, thick, cv2.LINE_8, _SHIFT)
    box = tight_box(labels)
    if box.empty:
        return None
    return Hints(np.ascontiguousarray(labels[box.slices()]), box.moved(canvas.x, canvas.y))

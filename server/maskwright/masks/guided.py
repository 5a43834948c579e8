"""Edge-aware filtering of a mask by the colours of its image.

He, Sun and Tang, "Guided Image Filtering" (TPAMI 2013), with a colour guide, and its fast variant on a subsampled
grid (He and Sun, "Fast Guided Filter", 2015), written from the papers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .boxes import Plane
from .opencv import cv2

Guide = NDArray[np.float32]


@dataclass(frozen=True)
class LocalLinear:
    """``mask = a . colour + b`` per place: ``a`` ``(h, w, 3)``, ``b`` ``(h, w)`` float32; for use at any scale."""

    a: NDArray[np.float32]
    b: Plane

    def apply(self, guide: Guide) -> Plane:
        """Mask ``(H, W)`` float32 0..1 for a guide ``(H, W, 3)`` float32 0..1 of any size showing the same place."""
        height, width = guide.shape[:2]
        a, b = self.a, self.b
        if b.shape != (height, width):
            a = cv2.resize(a, (width, height), interpolation=cv2.INTER_LINEAR)
            b = cv2.resize(b, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.clip(np.einsum("hwc,hwc->hw", a, guide, optimize=False) + b, 0.0, 1.0, dtype=np.float32)


def fit(guide: Guide, mask: Plane, radius: int, epsilon: float = 1e-4) -> LocalLinear:
    """The local linear model of ``mask`` ``(H, W)`` in the colours of ``guide`` ``(H, W, 3)``, both float32 0..1.

    ``radius``: windows are ``2 radius + 1`` pixels wide. ``epsilon``: colour variance that counts as flat; larger
    values follow the image less.
    """
    side = 2 * max(1, radius) + 1

    def mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT)

    guide = np.ascontiguousarray(guide, np.float32)
    r, g, b = cv2.split(guide)
    mean_guide = mean(guide)
    mr, mg, mb = cv2.split(mean_guide)
    mean_mask = mean(mask)
    covariance = [mean(channel * mask) - m * mean_mask for channel, m in ((r, mr), (g, mg), (b, mb))]
    rr, rg, rb = mean(r * r) - mr * mr + epsilon, mean(r * g) - mr * mg, mean(r * b) - mr * mb
    gg, gb = mean(g * g) - mg * mg + epsilon, mean(g * b) - mg * mb
    bb = mean(b * b) - mb * mb + epsilon
    # Inverse of the symmetric 3x3 matrix by cofactors.
    irr, irg, irb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    igg, igb, ibb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = rr * irr + rg * irg + rb * irb
    cr, cg, cb = covariance
    a = cv2.merge(
        [
            (irr * cr + irg * cg + irb * cb) / determinant,
            (irg * cr + igg * cg + igb * cb) / determinant,
            (irb * cr + igb * cg + ibb * cb) / determinant,
        ]
    )
    offset = mean_mask - np.einsum("hwc,hwc->hw", a, mean_guide, optimize=False)
    return LocalLinear(mean(a), mean(offset.astype(np.float32)))


def guided_filter(guide: Guide, mask: Plane, radius: int, epsilon: float = 1e-4, subsample: int = 1) -> Plane:
    """Mask ``(H, W)`` float32 0..1 whose edges follow those of ``guide`` ``(H, W, 3)`` float32 0..1.

    ``subsample`` > 1 fits on a grid that many times coarser, as the fast variant does.
    """
    if subsample > 1 and min(mask.shape) >= 4 * subsample:
        size = (max(1, mask.shape[1] // subsample), max(1, mask.shape[0] // subsample))
        small_guide = cv2.resize(guide, size, interpolation=cv2.INTER_AREA)
        small_mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
        return fit(small_guide, small_mask, max(1, round(radius / subsample)), epsilon).apply(guide)
    return fit(guide, mask, radius, epsilon).apply(guide)


def upsample(mask: Plane, guide: Guide, radius: int = 3, epsilon: float = 1e-4) -> Plane:
    """A small mask (float32 0..1) at the size of ``guide`` ``(H, W, 3)`` float32 0..1, its edges following the guide.

    ``radius`` is in cells of the small mask. Float all the way; never thresholded.
    """
    small = cv2.resize(guide, (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_AREA)
    return fit(small, mask, radius, epsilon).apply(guide)


def interpolate(plane: NDArray[np.float32], columns: NDArray[np.float32], rows: NDArray[np.float32]) -> Plane:
    """Bilinear values of a plane ``(h, w)`` at places in its pixels: ``(len(rows), len(columns))`` float32.

    Outside the plane its rim goes on.
    """
    for axis, places in ((0, rows), (1, columns)):
        last = plane.shape[axis] - 1
        places = np.clip(places, 0, last)
        low = np.minimum(places.astype(np.int32), max(0, last - 1))
        part = (places - low).astype(np.float32)
        part = part[None, :] if axis else part[:, None]
        first, second = np.take(plane, low, axis), np.take(plane, np.minimum(low + 1, last), axis)
        plane = cv2.add(first, cv2.multiply(cv2.subtract(second, first), np.broadcast_to(part, first.shape).copy()))
    return plane

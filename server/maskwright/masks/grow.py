"""Growing and shrinking by Euclidean distance, with amounts below a pixel, keeping soft edges soft."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .boxes import Plane
from .opencv import cv2

# How far behind the 0.5 contour, in pixels, a soft edge is taken to reach its full value.
_DEPTHS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
_REACH = 6.0
_RIDGE = 1.0  # of a slope that is 2 where one edge alone is near
_LEVELS = (0.5, 0.7, 0.85, 0.95, 0.999)
_ONE = np.float32(1)


def grow(mask: Plane, amount: float) -> Plane:
    """Move the edge of a ``(H, W)`` float32 mask 0..1 outward by ``amount`` pixels; inward where it is negative.

    A binary mask grown by a whole amount is exactly the set of pixels whose centre lies within that Euclidean distance
    of the centre of a pixel of the mask; a fraction blends the two whole amounts around it. A soft mask's edge profile
    is moved as it is. 0 changes nothing. Nothing happens at the image's border, beyond which the mask goes on.
    """
    if amount == 0 or mask.size == 0:
        return mask
    if amount < 0:
        return 1.0 - grow(1.0 - mask, -amount)
    inside = np.ascontiguousarray(mask >= 0.5).view(np.uint8)
    if not inside.any():
        return mask
    distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    if np.array_equal(mask, inside):
        return _grow_binary(distance, amount)
    return _grow_soft(mask, inside, distance, amount)


def _grow_binary(distance: Plane, amount: float) -> Plane:
    whole = math.floor(amount)
    part = np.float32(amount - whole)
    # The squares of distances between centres are whole numbers; the small slack is below the gap between two roots.
    out = (distance <= whole + 1e-4).astype(np.float32)
    if part > 0:
        out += part * ((distance <= whole + 1 + 1e-4) - out)
    return out


def _grow_soft(mask: Plane, inside: NDArray[np.uint8], distance: Plane, amount: float) -> Plane:
    """Each pixel near the edge takes the largest value that lies on its way, ``amount`` long, to the inside."""
    # Signed distance to the edge between pixels, positive outside.
    signed = distance - cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = cv2.inRange(signed, -_REACH - 1, amount + _REACH)
    near &= (mask < 1).view(np.uint8)
    x, y = (cv2.findNonZero(near).reshape(-1, 2).T if near.any() else np.zeros((2, 0), np.int32)).astype(np.intp)
    if x.size == 0:
        return mask
    smooth = cv2.GaussianBlur(signed, (0, 0), 0.8, borderType=cv2.BORDER_REPLICATE)
    height, width = mask.shape
    grad_x = smooth[y, np.minimum(x + 1, width - 1)] - smooth[y, np.maximum(x - 1, 0)]
    grad_y = smooth[np.minimum(y + 1, height - 1), x] - smooth[np.maximum(y - 1, 0), x]
    length = np.maximum(np.hypot(grad_x, grad_y), 1e-6)
    step_x, step_y = -grad_x / length, -grad_y / length
    best = mask[y, x]
    outside = np.maximum(signed[y, x] - np.float32(0.5), 0)
    from_x, from_y = x.astype(np.float32), y.astype(np.float32)
    for further in _DEPTHS:
        way = np.minimum(np.float32(amount), outside + np.float32(further))
        np.maximum(best, _bilinear(mask, from_x + way * step_x, from_y + way * step_y), out=best)
    if ((length < _RIDGE) & (outside < amount)).any():
        # Halfway between two edges no way leads to either: there each value spreads as far as it may.
        for level in _LEVELS:
            away = cv2.distanceTransform((mask < level).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
            np.maximum(best, np.float32(level), out=best, where=away[y, x] <= amount)
    out = mask.copy()
    out[y, x] = best
    return out


def _bilinear(plane: Plane, x: Plane, y: Plane) -> Plane:
    """Values at the places ``x``, ``y`` (flat, float32), the border's values going on outside."""
    height, width = plane.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = x.astype(np.int32), y.astype(np.int32)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    fx, fy = (x - left).astype(np.float32), (y - top).astype(np.float32)
    upper = plane[top, left] * (_ONE - fx) + plane[top, right] * fx
    lower = plane[bottom, left] * (_ONE - fx) + plane[bottom, right] * fx
    return np.asarray(upper * (_ONE - fy) + lower * fy, np.float32)

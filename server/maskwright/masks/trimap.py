"""Trimaps: where a mask is sure, and the band in which its edge is to be found again."""

from __future__ import annotations

import math

import numpy as np

from .boxes import Plane
from .opencv import cv2

INSIDE, UNKNOWN, OUTSIDE = 1.0, 0.5, 0.0


def object_radius(mask: Plane) -> float:
    """Radius in pixels of the disk that has as many pixels as the ``(H, W)`` float32 mask covers."""
    return math.sqrt(float(mask.sum(dtype=np.float64)) / math.pi)


def auto_edge_width(mask: Plane) -> float:
    """Width in pixels of the band that suits an object of this size: a tenth of its radius, 4 to 60 pixels."""
    return min(60.0, max(4.0, 0.1 * object_radius(mask)))


def band(mask: Plane, width: float) -> np.ndarray:
    """Bool ``(H, W)``: pixels within ``width / 2`` of the 0.5 edge, and whatever lies softly between near it.

    The image's border is no edge: a mask that runs out of the picture goes on outside.
    """
    inside = (mask >= 0.5).view(np.uint8)
    half = max(1.0, width / 2)
    if inside.all() or not inside.any():
        return np.zeros(mask.shape, bool)
    to_outside = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    to_inside = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = np.maximum(to_outside, to_inside) - 0.5
    soft = (mask > 0.02) & (mask < 0.98)
    return (distance <= half) | (soft & (distance <= 3 * half))


def trimap(mask: Plane, width: float) -> Plane:
    """``(H, W)`` float32: 1 surely inside, 0 surely outside, 0.5 in the ``band`` of ``width`` pixels."""
    out = np.where(mask >= 0.5, np.float32(INSIDE), np.float32(OUTSIDE))
    out[band(mask, width)] = UNKNOWN
    return out

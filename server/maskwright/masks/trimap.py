"""Trimaps: where a mask is sure, and the band in which its edge is to be found again."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .boxes import Plane
from .opencv import cv2

INSIDE, UNKNOWN, OUTSIDE = 1.0, 0.5, 0.0
NARROWEST, WIDEST = 4.0, 120.0  # pixels, of bands that are chosen
REACH = 1.5  # how far from the 0.5 edge a band goes along soft parts, in widths
_UNDECIDED = 0.05


def object_radius(area: float) -> float:
    """Radius in pixels of the disk of that many pixels."""
    return math.sqrt(max(0.0, area) / math.pi)


def outline_length(mask: NDArray[np.uint8]) -> int:
    """Pixels along the edge of a ``(H, W)`` uint8 mask."""
    inside = cv2.inRange(mask, 128, 255)
    return cv2.countNonZero(inside) - cv2.countNonZero(cv2.erode(inside, np.ones((3, 3), np.uint8)))


def softness(mask: NDArray[np.uint8]) -> float:
    """Mean width in pixels of the ramp from 0 to 1 along the edge of a ``(H, W)`` uint8 mask; 0 without an edge."""
    rim = outline_length(mask)
    return cv2.countNonZero(cv2.inRange(mask, 26, 229)) / (0.8 * rim) if rim else 0.0


def auto_edge_width(mask: NDArray[np.uint8]) -> float:
    """Width in pixels of the band for a ``(H, W)`` uint8 mask: a tenth of the radius of a disk as large as the object,
    or twice its edge's own softness where that is more."""
    radius = object_radius(float(mask.sum(dtype=np.uint64)) / 255)
    return min(WIDEST, max(NARROWEST, 0.1 * radius, min(2 * softness(mask), 0.3 * radius)))


def band(mask: Plane, width: float) -> NDArray[np.bool_]:
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
    return (distance <= half) | (soft & (distance <= 2 * REACH * half))


def trimap(mask: Plane, width: float) -> Plane:
    """``(H, W)`` float32: 1 surely inside, 0 surely outside, 0.5 in the ``band`` of ``width`` pixels."""
    out = np.where(mask >= 0.5, np.float32(INSIDE), np.float32(OUTSIDE))
    out[band(mask, width)] = UNKNOWN
    return out


def unknown(trimap: Plane) -> NDArray[np.bool_]:
    """Where a trimap ``(H, W)`` float32 is neither 0 nor 1: bool ``(H, W)``."""
    return (trimap > OUTSIDE) & (trimap < INSIDE)


def widened(trimap: Plane, alpha: Plane, reach: float) -> Plane:
    """The trimap ``(H, W)``, its band ``reach`` pixels wider wherever ``alpha`` is undecided at the band's rim.

    Hair that leaves the band shows so: its alpha is neither 0 where the sure outside begins nor 1 where the sure
    inside does. The same trimap where nothing asks for more.
    """
    asks = np.zeros(trimap.shape, np.uint8)
    near = np.ones((5, 5), np.uint8)
    for sure in (OUTSIDE, INSIDE):
        rim = cv2.dilate((trimap == sure).view(np.uint8), near).view(bool) & unknown(trimap)
        asks |= (rim & (np.abs(alpha - np.float32(sure)) > _UNDECIDED)).view(np.uint8)
    # A lone pixel is noise.
    asks = cv2.morphologyEx(asks, cv2.MORPH_CLOSE, near)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(asks, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= 4
    keep[0] = False
    if count < 2 or not keep.any():
        return trimap
    away = cv2.distanceTransform((~keep[labels]).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.where(away <= reach, np.float32(UNKNOWN), trimap)

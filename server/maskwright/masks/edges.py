"""Soft edges: following the picture's colours, and what painters do to them: rounding, sharpening, shifting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .boxes import Plane
from .guided import guided_filter
from .opencv import cv2
from .post import gaussian

_STEPS = 12
_SURE = 0.9  # a mask at least this sure counts as full
_EPSILON = 3e-4
_PALE = 0.1  # alpha below which a place is haze, unless it lies beside a denser one
_LOW, _HIGH = 0.08, 0.92  # the guided filter never quite reaches 0 and 1


def snapped(rough: Plane) -> Plane:
    """A copy of a mask ``(H, W)`` float32 0..1 in which nearly full pixels are 1 and nearly empty ones 0."""
    out = np.where(rough >= _SURE, np.float32(1), rough)
    return np.where(out <= 1 - _SURE, np.float32(0), out)


def without_haze(mask: Plane, width: float) -> Plane:
    """A mask ``(H, W)`` float32 0..1 without what networks leave around a thing that nobody would select.

    Pale places go that do not lie beside denser ones, and soft islands that are half opaque nowhere and further away
    than ``width`` pixels, the edge's width. Wisps of hair stay: they are denser, or near.
    """
    if not (mask >= 0.5).any():
        return mask
    dense = (mask >= _PALE).view(np.uint8)
    away = cv2.distanceTransform(1 - (mask >= 0.5).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    count, labels = cv2.connectedComponents(dense, connectivity=8)
    near = np.zeros(count, bool)
    near[labels[away <= width]] = True
    near[0] = False
    kept = near[labels].view(np.uint8)
    beside = cv2.distanceTransform(1 - kept, cv2.DIST_L2, cv2.DIST_MASK_5)
    limit = np.float32(max(3.0, width / 8))
    # From its rim on haze fades, so that no step is seen.
    return mask * np.clip((limit + 1 - beside) * np.float32(1 / max(1.0, float(limit) / 2)), 0, 1)


def follow_colours(mask: Plane, guide: NDArray[np.float32], where: NDArray[np.bool_], width: float) -> Plane:
    """``mask`` ``(H, W)`` with its edge found again by guided filtering where ``where`` is true.

    ``guide`` ``(H, W, 3)``; both float32 0..1. Elsewhere the mask stays as it is, and near the rim of ``where`` the
    two fade into each other.
    """
    # A wide window finds which side each colour belongs to, a narrow one then settles the edge.
    alpha = mask
    for radius in (max(2, round(width / 2)), max(2, round(width / 4))):
        subsample = max(1, min(4, radius // 6))
        alpha = guided_filter(np.ascontiguousarray(guide), alpha, radius, _EPSILON, subsample)
        alpha = np.clip((alpha - np.float32(_LOW)) * np.float32(1 / (_HIGH - _LOW)), 0.0, 1.0)
        alpha = np.where(where, alpha, mask)
    weight = cv2.distanceTransform(np.ascontiguousarray(where).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    weight = np.clip(weight / np.float32(max(1.0, width / 8)), 0.0, 1.0)
    return alpha * weight + mask * (np.float32(1) - weight)


def contrast(mask: Plane, amount: float) -> Plane:
    """Steeper around 0.5: ``amount`` 0 changes nothing, 1 leaves a hard edge. ``(H, W)`` float32 0..1."""
    if amount <= 0:
        return mask
    if amount >= 1:
        return (mask >= 0.5).astype(np.float32)
    half = np.float32(0.5)
    return np.clip((mask - half) * np.float32(1 / (1 - amount)) + half, 0.0, 1.0)


def shift(mask: Plane, amount: float) -> Plane:
    """Move the edge of a mask ``(H, W)`` float32 0..1 within its softness: ``amount`` -1 far inward, 1 far outward.

    A power of the alpha inward, of its complement's outward: what is empty stays empty and what is full stays full,
    so no background is let in. A hard edge has nothing to move within.
    """
    if amount == 0:
        return mask
    power = np.float32(4.0 ** abs(amount))
    if amount < 0:
        return np.power(mask, power)
    return np.float32(1) - np.power(np.float32(1) - mask, power)


def smooth_outline(mask: Plane, radius: float) -> Plane:
    """Round corners and jagged edges within ``radius`` pixels of a mask ``(H, W)`` float32 0..1; it stays as soft.

    ``post.smooth`` ends with an edge about a pixel wide; here the blurred mask is made just so steep that the area
    of half transparent pixels, the sum of ``4 a (1 - a)``, is what it was before.
    """
    if radius <= 0 or mask.size == 0:
        return mask
    softness = _softness(mask)
    blurred = gaussian(mask, radius / 2)
    low, high = 0.0, 0.999
    if _softness(blurred) <= softness:
        return blurred
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _softness(contrast(blurred, middle)) > softness:
            low = middle
        else:
            high = middle
    # An edge about a pixel wide needs some softness to be drawn at all.
    return contrast(blurred, min(high, 1 - 1 / max(1.0, np.sqrt(2 * np.pi) * radius / 2)))


def _softness(mask: Plane) -> float:
    return float((mask * (np.float32(1) - mask)).sum(dtype=np.float64))

"""What painters do to a soft edge once it is found: round it, make it steeper, shift it within its own softness."""

from __future__ import annotations

import numpy as np

from .boxes import Plane
from .post import gaussian

_STEPS = 12


def contrast(mask: Plane, amount: float) -> Plane:
    """Steeper around 0.5: ``amount`` 0 changes nothing, 1 leaves a hard edge. ``(H, W)`` float32 0..1."""
    if amount <= 0:
        return mask
    if amount >= 1:
        return (mask >= 0.5).astype(np.float32)
    half = np.float32(0.5)
    return np.clip((mask - half) * np.float32(1 / (1 - amount)) + half, 0.0, 1.0)


def shift(mask: Plane, amount: float) -> Plane:
    """Move the edge within its softness: ``amount`` -1 far inward, 1 far outward.

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
    """Round corners and jaggies within ``radius`` pixels, and leave the edge as soft as it was on the whole.

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

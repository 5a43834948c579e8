"""The shadow that a subject casts on a plain background, as opacity of black."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .boxes import Plane
from .opencv import cv2
from .post import gaussian

PLAIN = 0.6  # share of the background that a smooth surface must explain
_CLOSE = 0.04  # deviation from the surface that still counts as explained
_FAINT = 0.03  # opacity below which it is no shadow
_TINT = 0.12  # how far the channels' ratios may differ: a shadow darkens, it does not colour
_ROUNDS = 8


def cast_shadow(image: NDArray[np.float32], alpha: Plane) -> Plane | None:
    """Opacity ``(H, W)`` float32 0..1 of the black that turns the lit background into the picture around the subject.

    ``image`` ``(H, W, 3)`` float32 0..1, ``alpha`` of the subject. The lit background is a quadratic surface per
    channel, fitted to what is not darker than it. None when the background is not plain enough to tell.
    """
    behind = alpha < 0.02
    behind = cv2.erode(behind.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    if np.count_nonzero(behind) < 64:
        return None
    lit = _lit_surface(image, behind)
    if lit is None:
        return None
    ratios = image / np.maximum(lit, 1e-3)
    opacity = np.clip(1 - ratios.mean(axis=2), 0, 1).astype(np.float32)
    tinted = ratios.max(axis=2) - ratios.min(axis=2) > _TINT
    opacity[tinted | (opacity < _FAINT) | ~behind] = 0
    # What is under the subject's soft edge goes on from beside it.
    opacity = _inpainted(opacity, behind)
    shown = (opacity > 0).view(np.uint8)
    shown = cv2.morphologyEx(shown, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels = cv2.connectedComponents(shown, connectivity=8)
    near = cv2.dilate((alpha >= 0.5).view(np.uint8), np.ones((7, 7), np.uint8)).view(bool)
    touching = np.unique(labels[near & (shown > 0)])
    attached = np.isin(labels, touching[touching > 0])
    return gaussian(np.where(attached, opacity, np.float32(0)), 0.7)


def _lit_surface(image: NDArray[np.float32], behind: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    height, width = behind.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x / max(1, width - 1) * 2 - 1, y / max(1, height - 1) * 2 - 1
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    step = max(1, int(np.sqrt(np.count_nonzero(behind) / 20000)))
    rows, columns = np.nonzero(behind[::step, ::step])
    a = terms[::step, ::step][rows, columns].astype(np.float64)
    colours = image[::step, ::step][rows, columns].astype(np.float64)
    light = colours.mean(axis=1)
    used = light >= np.median(light)
    surface = np.zeros((6, 3))
    for _ in range(_ROUNDS):
        if np.count_nonzero(used) < 32:
            return None
        surface = np.linalg.lstsq(a[used], colours[used], rcond=None)[0]
        rest = (colours - a @ surface).mean(axis=1)
        used = np.abs(rest) < _CLOSE
    darker = (colours - a @ surface).mean(axis=1) < -_CLOSE
    # Shadow apart, most of the background must be that surface, and there must be more of it than of shadow.
    if np.count_nonzero(used) < PLAIN * np.count_nonzero(~darker) or used.mean() < 0.4:
        return None
    return np.clip(terms @ surface.astype(np.float32), 0, 1)


def _inpainted(opacity: Plane, known: NDArray[np.bool_]) -> Plane:
    """Opacity with the places that are not known filled from beside them."""
    weight = gaussian(known.astype(np.float32), 3.0)
    spread = gaussian(np.where(known, opacity, np.float32(0)), 3.0) / np.maximum(weight, 1e-3)
    return np.where(known, opacity, np.where(weight > 1e-3, spread, np.float32(0)))

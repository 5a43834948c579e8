"""The one post-processing chain: float32, lengths in pixels, one fixed order.

threshold/levels -> fill holes -> remove specks -> smooth -> grow/shrink -> feather -> invert -> clip.

The image's border is never an edge: a mask that touches it is taken to go on beyond, so shrinking and feathering do
not eat it there. A hole that opens to the border is not a hole.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .boxes import VISIBLE, PixelBox, Plane, recrop, tight_box
from .grow import grow as grow_mask
from .opencv import cv2

SOLID = 254.5 / 255  # what 8 bits show as full
_FILL_LEVELS = (0.5, 0.75, 0.9, SOLID)


class Settings(Protocol):
    """What ``post_process_crop`` reads; the wire's ``PostProcess`` has these fields, with these meanings."""

    threshold: float | None
    levels_low: float
    levels_high: float
    fill_holes: bool
    max_hole_area: float
    min_area: float
    smooth: float
    grow: float
    feather: float
    invert: bool


def is_default(settings: Settings) -> bool:
    """Whether the chain would change nothing."""
    return (
        settings.threshold is None
        and settings.levels_low <= 0
        and settings.levels_high >= 1
        and not settings.fill_holes
        and settings.min_area <= 0
        and settings.smooth <= 0
        and settings.grow == 0
        and not settings.feather
        and not settings.invert
    )


def post_process_crop(mask: Plane, box: PixelBox, canvas: PixelBox, settings: Settings) -> tuple[Plane, PixelBox]:
    """The chain on a mask cropped to ``box`` (0 elsewhere) of an image that covers ``canvas``.

    Works on the visible part and the margin that the steps need. Returns the mask and its new box, which lies within
    ``canvas``: not larger than needed, of no size when nothing is left. With ``invert`` it is the whole canvas.
    """
    mask = recrop(mask, box, box.intersect(canvas))
    box = box.intersect(canvas)
    if is_default(settings):
        return mask, box
    visible = tight_box(mask)
    work = visible.moved(box.x, box.y).padded(margin(settings)).intersect(canvas)
    if visible.empty or work.empty:
        out, work = np.zeros((0, 0), np.float32), PixelBox(canvas.x, canvas.y, 0, 0)
    else:
        out = np.ascontiguousarray(recrop(mask, box, work))
        if settings.threshold is not None:
            out = threshold(out, settings.threshold)
        out = levels(out, settings.levels_low, settings.levels_high)
        if settings.fill_holes:
            out = fill_holes(out, settings.max_hole_area)
        out = remove_specks(out, settings.min_area)
        out = smooth(out, settings.smooth)
        out = grow_mask(out, settings.grow)
        out = gaussian(out, settings.feather)
    if settings.invert:
        full = np.ones((canvas.height, canvas.width), np.float32)
        if not work.empty:
            full[work.moved(-canvas.x, -canvas.y).slices()] = np.float32(1) - out
        out, work = full, canvas
    return np.clip(out, 0.0, 1.0), work


def margin(settings: Settings) -> int:
    """How many pixels beyond what is visible the chain may reach."""
    spread = 1.0 + max(0.0, settings.grow) + 4.0 * max(0.0, settings.feather) + 2.0 * max(0.0, settings.smooth)
    return math.ceil(spread) + 1


def threshold(mask: Plane, value: float) -> Plane:
    """1 where the mask is at least ``value`` (0..1), else 0. A ``value`` of 0 still leaves empty pixels empty."""
    return (mask >= max(value, 1e-6)).astype(np.float32)


def levels(mask: Plane, low: float = 0.0, high: float = 1.0) -> Plane:
    """At or below ``low`` becomes 0, at or above ``high`` becomes 1, linear between; a step where they meet."""
    if low <= 0 and high >= 1:
        return mask
    if high - low < 1e-6:
        return (mask > low).astype(np.float32)
    return np.clip((mask - np.float32(low)) * np.float32(1 / (high - low)), 0.0, 1.0)


def fill_holes(mask: Plane, max_area: float = 0.0) -> Plane:
    """Fill what lies below 0.5, is enclosed (4-connected) and does not reach the image's border.

    ``max_area``: holes with more pixels below 0.5 stay; 0 fills all. A hole is filled together with its soft rim, up to
    the highest of 0.5, 0.75, 0.9 and 1 at which its surroundings still enclose it.
    """
    out = mask
    empty = np.ascontiguousarray(mask < 0.5)
    for level in _FILL_LEVELS:
        below = empty if level == 0.5 else mask < level
        holes = _enclosed(below, empty, max_area)
        if holes is None:
            if level == 0.5:
                return mask
            continue
        if out is mask:
            out = mask.copy()
        np.copyto(out, np.maximum(out, np.float32(1.0 if level == SOLID else level)), where=holes)
    return out


def _enclosed(below: NDArray[np.bool_], empty: NDArray[np.bool_], max_area: float) -> NDArray[np.bool_] | None:
    """Pixels of the enclosed components of ``below`` that hold ``empty`` pixels, though no more than ``max_area``."""
    count, labels = cv2.connectedComponents(np.ascontiguousarray(below).view(np.uint8), connectivity=4)
    chosen = np.ones(count, bool)
    chosen[0] = False
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        chosen[np.unique(edge)] = False
    if not chosen.any():
        return None
    areas = np.bincount(labels[empty], minlength=count)
    chosen &= areas > 0
    if max_area > 0:
        chosen &= areas <= max_area
    return chosen[labels] if chosen.any() else None


def remove_specks(mask: Plane, min_area: float) -> Plane:
    """Remove connected parts (8-connected, at or above 0.5) of fewer than ``min_area`` pixels.

    A soft skirt belongs to the nearest part and stays or goes with it; a faint part that reaches 0.5 nowhere goes.
    """
    if min_area <= 0:
        return mask
    core = np.ascontiguousarray(mask >= 0.5).view(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= min_area
    keep[0] = False
    if not keep.any():
        return np.zeros_like(mask)
    all_kept = bool(keep[1:].all())
    kept = core.view(bool) if all_kept else np.take(keep, labels)
    visible = np.ascontiguousarray(mask >= VISIBLE).view(np.uint8)
    visible_count, visible_labels = cv2.connectedComponents(visible, connectivity=8)
    if all_kept and visible_count == 2:
        return mask
    holds = np.zeros(visible_count, bool)
    holds[visible_labels[kept]] = True
    holds[0] = False
    stays = np.take(holds, visible_labels)
    if not all_kept:
        to_kept = cv2.distanceTransform((~kept).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        dropped = (core > 0) & ~kept
        to_dropped = cv2.distanceTransform((~dropped).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        stays &= to_kept <= to_dropped
    return np.where(stays, mask, np.float32(0))


def gaussian(mask: Plane, sigma: float) -> Plane:
    """Gaussian blur of a ``(H, W)`` float32 mask, ``sigma`` in pixels; the border's values go on outside.

    Wide blurs run on a coarser grid; that differs from the direct sum by less than a 255th.
    """
    if sigma <= 0 or mask.size == 0:
        return mask
    factor = int(sigma // 6)
    if factor < 2:
        return cv2.GaussianBlur(mask, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    height, width = mask.shape
    pad = math.ceil(4 * sigma)
    pad_right, pad_bottom = pad + -(width + 2 * pad) % factor, pad + -(height + 2 * pad) % factor
    large = cv2.copyMakeBorder(mask, pad, pad_bottom, pad, pad_right, cv2.BORDER_REPLICATE)
    size = (large.shape[1] // factor, large.shape[0] // factor)
    small = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    # Averaging cells blurs too: its variance is part of the whole.
    rest = math.sqrt(max(0.01, sigma * sigma - factor * factor / 12))
    small = cv2.GaussianBlur(small, (0, 0), rest / factor, borderType=cv2.BORDER_REPLICATE)
    large = cv2.resize(small, (large.shape[1], large.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.clip(large[pad : pad + height, pad : pad + width], 0.0, 1.0)


def smooth(mask: Plane, radius: float) -> Plane:
    """Round corners and jaggies within ``radius`` pixels: blur, then make the edge about a pixel wide again.

    Details much smaller than the radius vanish; straight edges stay where they are.
    """
    if radius <= 0:
        return mask
    sigma = radius / 2
    blurred = gaussian(mask, sigma)
    gain = max(1.0, math.sqrt(2 * math.pi) * sigma)
    return np.clip((blurred - np.float32(0.5)) * np.float32(gain) + np.float32(0.5), 0.0, 1.0)

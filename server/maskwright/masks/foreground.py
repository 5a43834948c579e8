"""Foreground colours behind a soft edge, so that a cut-out carries no fringe of its old background."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .boxes import PixelBox, Plane, tight_box
from .opencv import cv2

Colours = NDArray[np.float32]
_TIE = np.float32(1e-5)  # of neighbours with the same alpha
_SMALL, _SMALL_PASSES, _PASSES = 32, 10, 4  # up to this side in pixels, passes are cheap
MARGIN = 96  # pixels around a soft edge whose colours still count for it


def estimate_foreground(image: Colours, alpha: Plane, radii: tuple[int, ...] = (90, 6)) -> Colours:
    """Straight foreground colours by blur fusion: Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021.

    ``image`` ``(H, W, 3)`` float32 0..1, ``alpha`` ``(H, W)`` float32 0..1 -> ``(H, W, 3)`` float32 0..1. One pass per
    radius (the window's side in pixels): 90 spreads colours far, 6 puts the detail back. Where alpha is 0 the answer
    is the blurred colour of what lies near, which is invisible but filters well.
    """
    coverage = np.ascontiguousarray(alpha, np.float32)[..., None]
    foreground = background = np.ascontiguousarray(image, np.float32)
    for radius in radii:
        foreground, background = _pass(image, coverage, foreground, background, radius)
    return foreground


def _pass(image: Colours, alpha: Plane, fore: Colours, back: Colours, radius: int) -> tuple[Colours, Colours]:
    height, width = alpha.shape[:2]
    # Reflection needs the window to fit into the image; it has no further to look anyway.
    window = (max(1, min(radius, 2 * width - 1)), max(1, min(radius, 2 * height - 1)))

    def blur(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        out = cv2.blur(plane, window, borderType=cv2.BORDER_REFLECT_101)
        return out[..., None] if out.ndim == 2 else out

    one, tiny = np.float32(1), np.float32(1e-5)
    blurred = blur(alpha)
    outside = np.subtract(one, alpha)
    fore = np.divide(blur(fore * alpha), blurred + tiny)
    back = np.divide(blur(back * outside), np.subtract(one, blurred) + tiny)
    rest = np.subtract(image, alpha * fore) - outside * back
    return np.asarray(np.clip(fore + alpha * rest, 0, 1), np.float32), np.asarray(back, np.float32)


def multi_level(image: Colours, alpha: Plane) -> Colours:
    """Straight foreground colours by Germer et al., "Fast Multi-Level Foreground Estimation", ICPR 2020.

    Written from the paper, all pixels of a pass at once. Slower and closer to the truth than ``estimate_foreground``;
    same shapes and ranges.
    """
    height, width = alpha.shape
    opaque, empty = alpha > 0.9, alpha < 0.1
    fore, back = (_mean_colour(image, where) for where in (opaque, empty))
    levels = max(1, math.ceil(math.log2(max(height, width))))
    for level in range(levels + 1):
        size = (round(width ** (level / levels)), round(height ** (level / levels)))  # as OpenCV has it
        small = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
        opacity = cv2.resize(alpha, size, interpolation=cv2.INTER_NEAREST)
        fore, back = (cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST) for plane in (fore, back))
        fore, back = _relaxed(small, opacity, fore, back, _PASSES if max(size) > _SMALL else _SMALL_PASSES)
    return fore


def _mean_colour(image: Colours, where: NDArray[np.bool_]) -> Colours:
    """``(1, 1, 3)``: black where there is no such place."""
    mean = image[where].mean(axis=0) if where.any() else np.zeros(3, np.float32)
    return np.asarray(mean, np.float32).reshape(1, 1, 3)


def _relaxed(image: Colours, alpha: Plane, fore: Colours, back: Colours, passes: int) -> tuple[Colours, Colours]:
    """Both colours after some passes in which each pixel explains the image and is like its four neighbours.

    Neighbours count the more, the more alpha differs from theirs.
    """
    one = np.float32(1)
    ties = np.stack([_TIE + np.abs(near - alpha) for near in _neighbours(alpha[None])])  # (4, 1, H, W)
    total = np.asarray(ties.sum(axis=0), np.float32)
    ties /= total
    rest = one - alpha
    scale = one / (total + alpha * alpha + rest * rest)
    planes = np.ascontiguousarray(image.transpose(2, 0, 1))
    fore, back = (np.ascontiguousarray(colours.transpose(2, 0, 1)) for colours in (fore, back))
    for _ in range(passes):
        near_fore, near_back = _weighted(ties, fore), _weighted(ties, back)
        # The least change from the neighbours' mean that explains the image.
        missing = (planes - alpha * near_fore - rest * near_back) * scale
        fore = np.clip(near_fore + alpha * missing, 0, 1, dtype=np.float32)
        back = np.clip(near_back + rest * missing, 0, 1, dtype=np.float32)
    return np.ascontiguousarray(fore.transpose(1, 2, 0)), np.ascontiguousarray(back.transpose(1, 2, 0))


def _weighted(weights: NDArray[np.float32], planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the neighbours of planes ``(c, H, W)``, by weights ``(4, 1, H, W)``."""
    out = np.zeros_like(planes)
    for weight, near in zip(weights, _neighbours(planes), strict=True):
        out += weight * near
    return out


def _neighbours(planes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Planes ``(c, H, W)`` whose places have the values of the neighbours on one side; at the border, their own."""
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    return [padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]]


def decontaminate(
    image: Colours,
    alpha: Plane,
    margin: int = MARGIN,
    estimate: Callable[[Colours, Plane], Colours] = estimate_foreground,
) -> Colours:
    """``estimate`` where it matters: around pixels that are neither opaque nor empty.

    Opaque pixels keep their own colour exactly, nearly opaque ones nearly. Same shapes and ranges as
    ``estimate_foreground``.
    """
    out = np.array(image, np.float32, order="C")
    soft = (alpha > 0) & (alpha < 1)
    box = tight_box(soft.astype(np.float32))
    if box.empty:
        return out
    box = box.padded(margin).intersect(PixelBox(0, 0, alpha.shape[1], alpha.shape[0]))
    rows, columns = box.slices()
    part = np.ascontiguousarray(alpha[rows, columns])
    estimated = estimate(out[rows, columns], part)
    # image = alpha * foreground + (1 - alpha) * background: no background explains a foreground further off than this.
    reach = (np.float32(1) - part)[..., None]
    bounded = np.clip(estimated, out[rows, columns] - reach, out[rows, columns] + reach)
    np.copyto(out[rows, columns], bounded, where=(part < 1)[..., None])
    return out

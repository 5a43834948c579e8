"""Outlines of masks: rings between pixels, where a mask crosses one half; as polygons, and as smooth curves.

By marching squares: a pixel's centre lies inside of the rings just if the mask is above one half there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .opencv import cv2

Array = NDArray[Any]

POLYGON_TOLERANCE = 0.25  # pixels between a polygon and the ring it stands for
CURVE_TOLERANCE = 0.47  # between a curve and points of the ring; within half a pixel of all of it


@dataclass
class Shape:
    """One piece: the outer ring runs clockwise as seen on screen, holes the other way.

    Rings are ``(N, 2)`` float64 x, y, not closed by a repeated point; pixel ``(0, 0)`` spans 0..1 in both.
    """

    outer: Array
    holes: list[Array]


def shapes(mask: Array, left: int = 0, top: int = 0) -> list[Shape]:
    """The pieces of a mask ``(H, W)`` uint8 or uint16 whose first pixel is ``left``, ``top`` of the picture.

    Pixels that touch at a corner alone are different pieces.
    """
    full = np.iinfo(mask.dtype).max
    solid = np.pad(mask > full // 2, 1)
    if not solid.any():
        return []
    values = np.pad(mask.astype(np.float32) / np.float32(full), 1)
    # Half exactly counts as outside, and so does what rounds to it.
    values = np.where(solid, np.maximum(values, np.float32(0.501)), np.minimum(values, np.float32(0.499)))
    _, labels = cv2.connectedComponents(solid.astype(np.uint8), connectivity=4)
    offset = np.array([left - 0.5, top - 0.5])  # of the padding, and from centres to corners
    found: dict[int, Shape] = {}
    holes: list[tuple[int, Array]] = []
    for ring, inside in _rings(values, solid):
        label = int(labels.flat[inside])
        points = ring + offset
        if signed_area(points) > 0:
            found[label] = Shape(points, [])
        else:
            holes.append((label, points))
    for label, points in holes:
        found[label].holes.append(points)
    return [found[label] for label in sorted(found)]


def signed_area(ring: Array) -> float:
    """Positive where the ring runs clockwise on screen (y down)."""
    x, y = ring[:, 0], ring[:, 1]
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def polygon(ring: Array, tolerance: float = POLYGON_TOLERANCE) -> Array:
    """The ring with as few corners as keep it within ``tolerance`` pixels; at least three."""
    few = cv2.approxPolyDP(ring.astype(np.float32), tolerance, closed=True)[:, 0].astype(np.float64)
    return few if len(few) >= 3 and signed_area(few) * signed_area(ring) > 0 else ring


# Of the four corners of a cell, 1 top left, 2 top right, 4 bottom right, 8 bottom left, those inside -> the sides by
# which an outline enters and leaves, what is inside on its right: 0 top, 1 right, 2 bottom, 3 left.
_CASES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((0, 3),), 2: ((1, 0),), 3: ((1, 3),), 4: ((2, 1),), 5: ((0, 3), (2, 1)), 6: ((2, 0),), 7: ((2, 3),),
    8: ((3, 2),), 9: ((0, 2),), 10: ((1, 0), (3, 2)), 11: ((1, 2),), 12: ((3, 1),), 13: ((0, 1),), 14: ((3, 0),),
}  # fmt: skip


def _rings(values: Array, solid: Array) -> list[tuple[Array, int]]:
    """Each ring, in which pixel centres are whole numbers, and the flat index of a pixel inside next to it."""
    high, wide = solid.shape
    code = (
        solid[:-1, :-1] * np.uint8(1) + solid[:-1, 1:] * np.uint8(2) + solid[1:, 1:] * np.uint8(4)
        + solid[1:, :-1] * np.uint8(8)
    )  # fmt: skip
    rows, columns = np.nonzero((code > 0) & (code < 15))
    codes = code[rows, columns]
    starts, ends = [], []
    corner = rows * wide + columns
    # A side between two pixels has the number of the first of them, vertical ones after all horizontal ones.
    sides = (corner, high * wide + corner + 1, corner + wide, high * wide + corner)
    for case, segments in _CASES.items():
        here = codes == case
        for enter, leave in segments:
            starts.append(sides[enter][here])
            ends.append(sides[leave][here])
    start, end = np.concatenate(starts), np.concatenate(ends)
    order = np.argsort(start)
    start, end = start[order], end[order]
    following = np.searchsorted(start, end)
    points, inside = _crossings(start, values, solid)
    return [(points[ring], int(inside[ring[0]])) for ring in _cycles(following)]


def _crossings(sides: Array, values: Array, solid: Array) -> tuple[Array, Array]:
    """Where each side is crossed, and which of its two pixels is inside."""
    high, wide = solid.shape
    upright = sides >= high * wide
    first = np.where(upright, sides - high * wide, sides)
    second = first + np.where(upright, wide, 1)
    one, other = values.flat[first].astype(np.float64), values.flat[second].astype(np.float64)
    along = (0.5 - one) / (other - one)
    x, y = (first % wide).astype(np.float64), (first // wide).astype(np.float64)
    points = np.stack([x + np.where(upright, 0, along), y + np.where(upright, along, 0)], axis=1)
    return points, np.where(one > 0.5, first, second)


def _cycles(following: Array) -> list[Array]:
    """The cycles of a permutation."""
    after = following.tolist()
    seen = bytearray(len(after))
    found = []
    for begin in range(len(after)):
        if seen[begin]:
            continue
        ring, here = [], begin
        while not seen[here]:
            seen[here] = 1
            ring.append(here)
            here = after[here]
        found.append(np.array(ring))
    return found

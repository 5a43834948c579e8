"""Hatching in line art: short straight strokes side by side that touch nothing else. They shade and enclose nothing,
though the places between their ends and other lines are as narrow as gaps in a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .opencv import cv2

Bools = NDArray[np.bool_]
Numbers = NDArray[np.float64]

_STRAIGHT = 3.5  # times as long as wide
_LONGEST = 1 / 3  # of the picture's long side
_ALIKE = 3.0  # times as long as its neighbour, at most
_TURN = np.cos(np.radians(18))  # between neighbours
_WIDE = 2.5  # times the gaps that are closed: strokes farther apart are stripes


@dataclass
class _Strokes:
    """Of each stroke: its number among the drawing's parts, middle ``(n, 2)`` x, y, unit direction, length, width."""

    number: NDArray[np.int64]
    middle: Numbers
    along: Numbers
    length: Numbers
    width: Numbers


def hatching(drawn: Bools, gap: float) -> Bools | None:
    """The pixels of hatching among lines ``(h, w)``, where gaps of so many pixels are closed; None for none."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(drawn.view(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    side = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    short = (side < _LONGEST * max(drawn.shape)) & (stats[:, cv2.CC_STAT_AREA] >= 6)
    short[0] = False
    if np.count_nonzero(short) < 3:
        return None
    strokes = _strokes(parts, short, count)
    chosen = _side_by_side(strokes, _WIDE * (gap + 1))
    if not chosen.any():
        return None
    wanted = np.zeros(count, np.bool_)
    wanted[strokes.number[chosen]] = True
    return wanted[parts]


def _strokes(parts: NDArray[np.int32], short: Bools, count: int) -> _Strokes:
    """Those of the short parts that are straight, by their second moments."""
    width = parts.shape[1]
    places = np.flatnonzero(parts)
    part = parts.ravel()[places]
    places, part = places[short[part]], part[short[part]]
    x, y = (places % width).astype(np.float64), (places // width).astype(np.float64)
    area = np.maximum(np.bincount(part, minlength=count), 1)
    mean_x, mean_y = (np.bincount(part, one, count) / area for one in (x, y))
    dx, dy = x - mean_x[part], y - mean_y[part]
    xx, yy, xy = (np.bincount(part, one, count) / area for one in (dx * dx, dy * dy, dx * dy))
    mean, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    length, thick = np.sqrt(12 * (mean + spread)), np.sqrt(12 * np.maximum(mean - spread, 1 / 12))
    angle = np.arctan2(2 * xy, xx - yy) / 2
    number = np.flatnonzero(short & (length >= _STRAIGHT * thick))
    middle = np.stack([mean_x, mean_y], axis=1)[number]
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)[number]
    return _Strokes(number, middle, along, length[number], thick[number])


def _side_by_side(strokes: _Strokes, farthest: float) -> Bools:
    """Which strokes are one of at least three that run beside each other, at most ``farthest`` pixels apart."""
    from scipy.spatial import KDTree

    if len(strokes.number) < 3:
        return np.zeros(len(strokes.number), np.bool_)
    reach = float(farthest + np.quantile(strokes.length, 0.9))
    one, other = KDTree(strokes.middle).query_pairs(reach, output_type="ndarray").T
    way = strokes.middle[other] - strokes.middle[one]
    along = np.abs(np.einsum("ij,ij->i", way, strokes.along[one]))
    across = np.abs(way[:, 0] * strokes.along[one, 1] - way[:, 1] * strokes.along[one, 0])
    shorter, longer = (way(strokes.length[one], strokes.length[other]) for way in (np.minimum, np.maximum))
    thick = np.maximum(strokes.width[one], strokes.width[other])
    near = (across - thick <= farthest) & (across >= thick) & (along <= 0.5 * longer) & (longer <= _ALIKE * shorter)
    near &= across < longer
    near &= np.abs(np.einsum("ij,ij->i", strokes.along[one], strokes.along[other])) >= _TURN
    one, other = one[near], other[near]
    neighbours = np.bincount(one, minlength=len(strokes.number)) + np.bincount(other, minlength=len(strokes.number))
    amid = neighbours >= 2
    chosen = amid.copy()
    chosen[one[amid[other]]] = True
    chosen[other[amid[one]]] = True
    return chosen

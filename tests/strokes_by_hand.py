"""Strokes as a user would draw them over a known mask: along its middle, and then over the largest mistake."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.graph import route_through_array
from skimage.morphology import skeletonize

from maskwright.masks.opencv import cv2
from maskwright_protocol.messages import Stroke

_SIDE = 256  # pixels of the long side that a hand's stroke is planned on
_SHORTER = 0.08  # of its length that it stays away from each end
_THIN = 0.3  # of its greatest depth: nobody draws along what is thinner, such as hair
_LEAST = 0.004  # of the picture's long side: who sees a mistake that is thinner

Mask = NDArray[np.bool_]


def over(mask: Mask, include: bool = True) -> Stroke:
    """A stroke along the middle of the largest connected part of ``mask`` ``(H, W)``, which has at least one pixel."""
    height, width = mask.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    part = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    left, top, wide, tall, _ = (int(v) for v in stats[labels[part][0]])
    scale = min(1.0, _SIDE / max(wide, tall))
    size = max(1, round(wide * scale)), max(1, round(tall * scale))
    cut = part[top : top + tall, left : left + wide].astype(np.uint8)
    small = np.pad(cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST), 1)
    depth = cv2.distanceTransform(small, cv2.DIST_L2, 5)
    thin = max(1, round(_THIN * float(depth.max())))
    small = cv2.morphologyEx(small, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thin + 1,) * 2))
    line = _longest(skeletonize(small > 0), depth)
    places = np.stack([(line[:, 1] - 0.5) / size[0] * wide + left, (line[:, 0] - 0.5) / size[1] * tall + top], axis=1)
    brush = max(2.0, min(0.012 * max(height, width), float(depth.max()) / scale))
    return Stroke([round(float(v), 2) for v in places.ravel()], include, round(brush, 2))


def around(mask: Mask, margin: float = 0.06, seed: int = 0) -> Stroke:
    """A lasso around ``mask``, drawn by a shaky hand: its hull, ``margin`` of its size further out."""
    points = cv2.findNonZero(mask.astype(np.uint8))
    hull = cv2.convexHull(points)[:, 0].astype(np.float64)
    x, y, wide, tall = cv2.boundingRect(points)
    middle, random = np.array([x + wide / 2, y + tall / 2]), np.random.default_rng(seed)
    away = hull - middle
    reach = np.linalg.norm(away, axis=1, keepdims=True)
    out = middle + away / np.maximum(reach, 1) * (
        reach + margin * max(wide, tall) * random.uniform(0.5, 1.5, reach.shape)
    )
    out = np.clip(out, 0, [mask.shape[1], mask.shape[0]])
    return Stroke([round(float(v), 2) for v in out.ravel()], closed=True)


def correction(mask: Mask, truth: Mask) -> Stroke | None:
    """A stroke over the largest mistake that a user would see; None where there is none."""
    kernel = np.ones((max(1, round(_LEAST * max(truth.shape))),) * 2, np.uint8)
    found: list[tuple[int, Mask, bool]] = []
    for wrong, include in ((truth & ~mask, True), (mask & ~truth, False)):
        seen = cv2.morphologyEx(wrong.astype(np.uint8), cv2.MORPH_OPEN, kernel)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(seen, connectivity=4)
        if count > 1:
            largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
            found.append((int(stats[largest, cv2.CC_STAT_AREA]), labels == largest, include))
    if not found:
        return None
    _, where, include = max(found, key=lambda one: one[0])
    return over(where, include)


def _longest(skeleton: Mask, depth: NDArray[np.float32]) -> NDArray[np.float64]:
    """The longest way along a skeleton, without its outermost bits: ``(n, 2)`` rows and columns."""
    rows, columns = np.nonzero(skeleton)
    if len(rows) < 3:
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        return np.array([[row, column]], float)
    costs = np.where(skeleton, 1.0, 1e6)
    deepest = int(np.argmax(depth[rows, columns]))
    end = (int(rows[deepest]), int(columns[deepest]))
    path: list[tuple[int, int]] = [end]
    for _ in range(2):
        end = _farthest(skeleton, end)
        path, _ = route_through_array(costs, path[0], end, fully_connected=True, geometric=True)
        path = path[::-1]
    cut = int(_SHORTER * len(path))
    return np.array(path[cut : len(path) - cut] or path, float)


def _farthest(skeleton: Mask, start: tuple[int, int]) -> tuple[int, int]:
    """The place of a skeleton that is most steps away from ``start``."""
    seen, front, last = {start}, [start], start
    while front:
        last, following = front[-1], []
        for row, column in front:
            for near in ((row + r, column + c) for r in (-1, 0, 1) for c in (-1, 0, 1)):
                if near not in seen and skeleton[near]:
                    seen.add(near)
                    following.append(near)
        front = following
    return last

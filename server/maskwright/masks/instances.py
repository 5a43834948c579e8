"""Instances: found objects with a soft mask each. Sorting, picking, merging, subtracting, suppressing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .boxes import VISIBLE, PixelBox, Plane, recrop, tight_box
from .opencv import cv2

SORT_KEYS = ("score", "area", "x", "y")
Edges = tuple[float, float, float, float]


@dataclass(frozen=True)
class Instance:
    """One object: ``mask`` float32 0..1 covers ``box`` (whole pixels), 0 elsewhere; ``source`` names the models."""

    id: str
    label: str
    score: float
    box: PixelBox
    mask: Plane
    source: str

    @property
    def area(self) -> float:
        """Covered area in pixels: the sum of the soft mask."""
        return float(self.mask.sum(dtype=np.float64))

    def trimmed(self) -> Instance:
        """The same with the box drawn tight around what is visible in 8 bits."""
        inner = tight_box(self.mask)
        box = inner.moved(self.box.x, self.box.y)
        return replace(self, box=box, mask=self.mask[inner.slices()])


def sort(instances: Sequence[Instance], key: str = "score") -> list[Instance]:
    """By falling ``score`` or ``area``, or by rising ``x`` or ``y`` of the box; equals keep their order."""
    keys: dict[str, Callable[[Instance], float]] = {
        "score": lambda i: -i.score,
        "area": lambda i: -i.area,
        "x": lambda i: float(i.box.x),
        "y": lambda i: float(i.box.y),
    }
    if key not in keys:
        raise ValueError(f"instances are sorted by one of {', '.join(SORT_KEYS)}, not by {key!r}")
    return sorted(instances, key=keys[key])


def pick(items: Sequence[Any], which: str) -> list[Any]:
    """``"all"``, ``"best"`` (the first) or a number counted from 1, of items in order; beyond the end: none.

    Raises ``ValueError`` for anything else.
    """
    if which == "all":
        return list(items)
    if which == "best":
        return list(items[:1])
    number = int(which)
    if number < 1:
        raise ValueError("picking counts from 1")
    return list(items[number - 1 : number])


def merge(masks: Sequence[tuple[Plane, PixelBox]]) -> tuple[Plane, PixelBox]:
    """Union of soft masks: the maximum in each place. Returns the mask and the box that covers them all."""
    box = PixelBox(0, 0, 0, 0)
    for _, one in masks:
        box = box.union(one)
    out = np.zeros((box.height, box.width), np.float32)
    for mask, one in masks:
        place = out[one.moved(-box.x, -box.y).slices()]
        np.maximum(place, mask, out=place)
    return out, box


def subtract(mask: Plane, box: PixelBox, other: Plane, other_box: PixelBox) -> Plane:
    """``mask`` less ``other``: ``min(mask, 1 - other)``, covering ``box``."""
    return np.minimum(mask, 1.0 - recrop(other, other_box, box))


def limit(mask: Plane, box: PixelBox, region: Plane, region_box: PixelBox) -> tuple[Plane, PixelBox]:
    """``mask`` within a soft region: ``min(mask, region)``, on the boxes' common part."""
    common = box.intersect(region_box)
    return np.minimum(recrop(mask, box, common), recrop(region, region_box, common)), common


def box_iou(first: Edges, second: Edges) -> float:
    """Intersection over union of two boxes ``(x0, y0, x1, y1)``; 0 for boxes without area."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    common = max(0.0, width) * max(0.0, height)
    areas = sum(max(0.0, b[2] - b[0]) * max(0.0, b[3] - b[1]) for b in (first, second))
    return common / (areas - common) if areas > common else 0.0


def mask_iou(first: Instance, second: Instance) -> float:
    """Soft intersection over union: sum of the minimum over sum of the maximum."""
    common = first.box.intersect(second.box)
    if common.empty:
        return 0.0
    overlap = np.minimum(recrop(first.mask, first.box, common), recrop(second.mask, second.box, common))
    intersection = float(overlap.sum(dtype=np.float64))
    union = first.area + second.area - intersection
    return intersection / union if union > 0 else 0.0


def nms(
    boxes: Sequence[Edges] | NDArray[Any],
    scores: Sequence[float] | NDArray[Any],
    limit: float = 0.5,
    most: int | None = None,
) -> list[int]:
    """Greedy suppression: indices, best score first, of boxes that overlap no better one by more than ``limit`` IoU.

    ``boxes`` may be an array ``(N, 4)``; ``most``: stop at so many.
    """
    kept: list[int] = []
    if not len(boxes):
        return kept
    edges = np.asarray(boxes, np.float64).reshape(-1, 4)
    areas = np.prod(np.maximum(edges[:, 2:] - edges[:, :2], 0), axis=1)
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    while order.size and (most is None or len(kept) < most):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        low, high = np.maximum(edges[order, :2], edges[best, :2]), np.minimum(edges[order, 2:], edges[best, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        union = np.maximum(areas[order] + areas[best] - common, 1e-12)
        order = order[common / union <= limit]
    return kept


def parts(mask: Plane, box: PixelBox, min_area: float = 1.0) -> list[tuple[Plane, PixelBox]]:
    """Connected visible parts (8-connected) of a soft mask, largest first, each cropped to its own box.

    Parts of fewer than ``min_area`` pixels are left out.
    """
    visible = np.ascontiguousarray(mask >= VISIBLE).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(visible, connectivity=8)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))
    found = []
    for index in order:
        x, y, width, height, area = (int(v) for v in stats[index])
        if area < min_area:
            break
        inner = PixelBox(x, y, width, height)
        crop = np.where(labels[inner.slices()] == index, mask[inner.slices()], np.float32(0))
        found.append((crop, inner.moved(box.x, box.y)))
    return found

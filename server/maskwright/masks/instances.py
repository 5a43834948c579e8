"""Several masks or boxes together: their union, how far they overlap, and suppression of doubles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .boxes import PixelBox, Plane, around_all, recrop
from .logits import LogitMap

Edges = tuple[float, float, float, float]


def merge(masks: Sequence[tuple[Plane, PixelBox]]) -> tuple[Plane, PixelBox]:
    """Union of soft masks ``(h, w)`` float32 0..1, each with its box: the maximum in each place, and the box of all."""
    box = around_all(one for _, one in masks)
    out = np.zeros((box.height, box.width), np.float32)
    for mask, one in masks:
        place = out[one.moved(-box.x, -box.y).slices()]
        np.maximum(place, mask, out=place)
    return out, box


def limit(mask: Plane, box: PixelBox, region: Plane, region_box: PixelBox) -> tuple[Plane, PixelBox]:
    """``mask`` within a soft region: ``min(mask, region)``, and the common part of their boxes, which it covers.

    Both are ``(h, w)`` float32 0..1.
    """
    common = box.intersect(region_box)
    return np.minimum(recrop(mask, box, common), recrop(region, region_box, common)), common


def box_common(first: Edges, second: Edges) -> float:
    """Area that two boxes ``(x0, y0, x1, y1)`` share."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(0.0, width) * max(0.0, height)


def box_iou(first: Edges, second: Edges) -> float:
    """Intersection over union of two boxes ``(x0, y0, x1, y1)``; 0 for boxes without area."""
    common = box_common(first, second)
    areas = sum(max(0.0, b[2] - b[0]) * max(0.0, b[3] - b[1]) for b in (first, second))
    return common / (areas - common) if areas > common else 0.0


def mask_iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Intersection over union of two boolean masks ``(h, w)``; 0 where both are empty."""
    either = int(np.count_nonzero(first | second))
    return int(np.count_nonzero(first & second)) / either if either else 0.0


def logit_iou(first: LogitMap, second: LogitMap) -> float:
    """``mask_iou`` of what two maps show, on the first one's grid."""
    return mask_iou(first.values > 0, second.on_grid_of(first) > 0)


def share_of_smaller(first: LogitMap, second: LogitMap) -> float:
    """The share of the smaller of two masks that lies in the other, on the first one's grid."""
    a, b = first.values > 0, second.on_grid_of(first) > 0
    return int(np.count_nonzero(a & b)) / max(1, min(int(np.count_nonzero(a)), int(np.count_nonzero(b))))


def nms(
    boxes: Sequence[Edges] | NDArray[Any],
    scores: Sequence[float] | NDArray[Any],
    limit: float = 0.5,
    most: int | None = None,
) -> list[int]:
    """Greedy suppression: indices, best score first, of boxes that overlap no better one by more than ``limit`` IoU.

    ``boxes``: ``x0, y0, x1, y1`` each, or an array ``(N, 4)``. ``scores``: any range. ``most``: stop at so many.
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

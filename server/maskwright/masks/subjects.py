"""The separate subjects of a matte: its solid parts, each with the soft skirt around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .boxes import PixelBox, Plane
from .opencv import cv2

LEAST_SHARE = 0.01  # of the largest one's area; what is smaller belongs to its neighbour
LEAST_AREA = 16


@dataclass(frozen=True)
class Subject:
    """``box`` and ``area`` (pixels) of a part that is at least half opaque; ``score`` is its mean alpha."""

    box: PixelBox
    area: int
    score: float


@dataclass(frozen=True)
class Subjects:
    """The subjects of a ``(H, W)`` matte, largest first; ``nearest`` gives each pixel the index of the nearest."""

    found: tuple[Subject, ...]
    nearest: NDArray[np.int32]

    def keep(self, alpha: Plane, chosen: Sequence[int]) -> Plane:
        """The matte ``(H, W)`` float32 0..1 without what belongs to other subjects than ``chosen`` (indices)."""
        if len(chosen) == len(self.found):
            return alpha
        stays = np.zeros(len(self.found), bool)
        stays[list(chosen)] = True
        return np.where(stays[self.nearest], alpha, np.float32(0))

    def at(self, x: float, y: float) -> int:
        """The index of the subject at that place, or the nearest to it."""
        height, width = self.nearest.shape
        return int(self.nearest[min(max(int(y), 0), height - 1), min(max(int(x), 0), width - 1)])


def subjects(alpha: Plane) -> Subjects:
    """Connected parts (8-connected, at or above 0.5) of a matte ``(H, W)`` float32 0..1, largest first."""
    solid = (alpha >= 0.5).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))
    if not order:
        return Subjects((), np.zeros(alpha.shape, np.int32))
    least = max(LEAST_AREA, LEAST_SHARE * int(stats[order[0], cv2.CC_STAT_AREA]))
    order = [i for i in order if stats[i, cv2.CC_STAT_AREA] >= least] or order[:1]
    sums = np.bincount(labels.ravel(), alpha.ravel(), minlength=count)
    rank = np.full(count, -1, np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    found = tuple(
        Subject(PixelBox(*(int(v) for v in stats[i, :4])), int(stats[i, cv2.CC_STAT_AREA]),
                float(sums[i] / stats[i, cv2.CC_STAT_AREA]))
        for i in order
    )  # fmt: skip
    seeds = rank[labels]
    if len(order) == 1:
        return Subjects(found, np.zeros(alpha.shape, np.int32))
    _, regions = cv2.distanceTransformWithLabels(
        (seeds < 0).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_region = np.zeros(int(regions.max()) + 1, np.int32)
    of_region[regions[seeds >= 0]] = seeds[seeds >= 0]
    return Subjects(found, of_region[regions])

"""Polygons as soft masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .logits import LogitMap
from .opencv import cv2

_FINE = 4  # samples a cell along each side
_STEEP = 2.0  # logits a cell
_LIMIT = 8.0


def polygon_logits(
    polygons: Sequence[Sequence[tuple[float, float]]], width: float, height: float, cells: int
) -> LogitMap:
    """What lies in any of ``polygons`` (corners in pixels) of an image ``width`` by ``height``, as logits.

    The grid has ``cells`` along the longer side. A logit is the distance to the edge, so that between the cells the
    edge runs where the polygon's does.
    """
    scale = cells / max(width, height)
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    fine = np.zeros((rows * _FINE, columns * _FINE), np.uint8)
    factor = np.array([columns * _FINE / width, rows * _FINE / height])
    for one in polygons:
        if len(one) >= 3:
            # Samples lie in the middles of their squares, and OpenCV counts from the middle of the first.
            corners = np.round((np.asarray(one) * factor - 0.5) * 256).astype(np.int32)
            cv2.fillPoly(fine, [corners], 1, shift=8)
    if fine.any():
        inside = cv2.distanceTransform(fine, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        outside = cv2.distanceTransform(1 - fine, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        distance = np.where(fine, inside - 0.5, 0.5 - outside).astype(np.float32) / _FINE
        values = cv2.resize(distance, (columns, rows), interpolation=cv2.INTER_AREA)
    else:
        values = np.full((rows, columns), -_LIMIT, np.float32)
    return LogitMap(np.clip(values * _STEEP, -_LIMIT, _LIMIT), 0.0, 0.0, float(width), float(height))

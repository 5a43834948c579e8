"""What a mask is worth beside the truth."""

from __future__ import annotations

import numpy as np

from maskwright.masks.opencv import cv2
from tests.server.matting_metrics import errors

MEASURES = ("sad", "mse", "gradient", "connectivity", "boundary")
HIGHER_IS_BETTER = ("boundary",)
_NEAR = 2.0  # pixels between outlines that agree


def scores(mask: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """The four errors of the alpha-matting benchmark, and the F-score of the outlines."""
    return {**errors(mask, truth), "boundary": boundary_f(mask, truth)}


def boundary_f(mask: np.ndarray, truth: np.ndarray) -> float:
    """F-score of two masks' outlines (at half opacity) within two pixels of each other, 0..1."""
    first, second = _outline(mask), _outline(truth)
    if not first.any() or not second.any():
        return float(first.any() == second.any())
    precision = float((_away(second)[first] <= _NEAR).mean())
    recall = float((_away(first)[second] <= _NEAR).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _outline(mask: np.ndarray) -> np.ndarray:
    solid = (mask >= 0.5).astype(np.uint8)
    return (solid - cv2.erode(solid, np.ones((3, 3), np.uint8))).astype(bool)


def _away(outline: np.ndarray) -> np.ndarray:
    return cv2.distanceTransform(1 - outline.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)

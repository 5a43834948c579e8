"""Masks of every kind that outputs must keep: made up, the same at every run."""

from __future__ import annotations

import cv2
import numpy as np


def masks(height: int = 61, width: int = 83) -> dict[str, np.ndarray]:
    """Name -> ``(height, width)`` uint8."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    noise = np.random.default_rng(5).integers(0, 256, (height, width)).astype(np.uint8)

    def disc(cx: float, cy: float, r: float, soft: float = 0.01) -> np.ndarray:
        away = np.hypot(x - cx, y - cy)
        return (np.clip((r - away) / soft + 0.5, 0, 1) * 255).astype(np.uint8)

    ring = disc(40, 30, 25) - np.minimum(disc(40, 30, 25), disc(42, 31, 12))
    island = np.maximum(ring, disc(42, 31, 5))
    one = np.zeros((height, width), np.uint8)
    one[17, 80] = 255
    corner = np.zeros((height, width), np.uint8)
    corner[0, 0] = corner[-1, -1] = corner[5, 5] = corner[6, 6] = 255
    line = cv2.line(np.zeros((height, width), np.uint8), (2, 3), (80, 57), 255, 1)
    hair = np.zeros((height, width), np.uint8)
    for angle in np.linspace(0, 3.1, 15):
        end = (round(40 + 38 * np.cos(angle)), round(5 + 50 * np.sin(angle)))
        cv2.line(hair, (40, 5), end, 255, 1, cv2.LINE_AA)
    return {
        "empty": np.zeros((height, width), np.uint8),
        "full": np.full((height, width), 255, np.uint8),
        "half": np.full((height, width), 128, np.uint8),
        "disc": disc(40, 30, 20),
        "soft": disc(40, 30, 20, soft=24),
        "ring": ring,
        "island": island,
        "one pixel": one,
        "corners": corner,
        "thin": line,
        "hair": hair,
        "edge": np.where(x + y < 60, 255, 0).astype(np.uint8),
        "noise": noise,
        "blobs": (cv2.GaussianBlur(noise, (0, 0), 3) > 127).astype(np.uint8) * 255,
    }


def solid(mask: np.ndarray) -> np.ndarray:
    """Where a mask counts as selected when only in or out can be told."""
    return mask > np.iinfo(mask.dtype).max // 2

"""Bringing an image into the square that a network looks at, aspect kept."""

from __future__ import annotations

from maskwright.masks.opencv import cv2
from maskwright.models.roles import RGB


def letterbox(image: RGB, side: int) -> tuple[RGB, tuple[int, int]]:
    """The image ``(side, side, 3)`` with its long side brought to ``side``, mirrored at the right and bottom, so that
    what runs out of it goes on; and the width and height that it takes there."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return cv2.copyMakeBorder(small, 0, side - size[1], 0, side - size[0], cv2.BORDER_REFLECT_101), size

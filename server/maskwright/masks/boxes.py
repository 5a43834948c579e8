"""Boxes of whole pixels, and crops of planes by them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .opencv import cv2

Plane = NDArray[np.float32]
AnyMask = NDArray[Any]  # (h, w): float32 0..1, or uint8 or uint16 at full scale
VISIBLE = 0.5 / 255  # the smallest alpha that rounds to 1 in 8 bits

T = TypeVar("T", bound=np.generic)


class PixelBox(NamedTuple):
    """Whole pixels ``x <= column < x + width``, ``y <= row < y + height``; may be empty, never negative in size."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """``x0, y0, x1, y1``."""
        return self.x, self.y, self.right, self.bottom

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    def intersect(self, other: PixelBox) -> PixelBox:
        x, y = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return PixelBox(x, y, max(0, right - x), max(0, bottom - y))

    def union(self, other: PixelBox) -> PixelBox:
        if self.empty:
            return other
        if other.empty:
            return self
        x, y = min(self.x, other.x), min(self.y, other.y)
        return PixelBox(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def padded(self, margin: int) -> PixelBox:
        return PixelBox(self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin)

    def moved(self, dx: int, dy: int) -> PixelBox:
        return PixelBox(self.x + dx, self.y + dy, self.width, self.height)

    def contains(self, other: PixelBox) -> bool:
        return self.intersect(other) == other

    def slices(self) -> tuple[slice, slice]:
        """Row and column slices into an array whose origin is the box's coordinate origin."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    @classmethod
    def around(cls, x0: float, y0: float, x1: float, y1: float) -> PixelBox:
        """The smallest box of whole pixels that covers the given edges."""
        x, y = math.floor(x0), math.floor(y0)
        return cls(x, y, max(0, math.ceil(x1) - x), max(0, math.ceil(y1) - y))


def around_all(boxes: Iterable[PixelBox]) -> PixelBox:
    """The smallest box around all of them; of no size where there are none."""
    return reduce(PixelBox.union, boxes, PixelBox(0, 0, 0, 0))


def spread(area: PixelBox, width: int, height: int, columns: int, rows: int) -> list[PixelBox]:
    """``columns`` x ``rows`` boxes of that size, row by row, at even distances from side to side of ``area``."""
    x = [area.x + round(i * (area.width - width) / max(1, columns - 1)) for i in range(columns)]
    y = [area.y + round(i * (area.height - height) / max(1, rows - 1)) for i in range(rows)]
    return [PixelBox(left, top, width, height) for top in y for left in x]


def whole(array: NDArray[Any]) -> PixelBox:
    """The box of a whole ``(H, W[, C])`` array."""
    return PixelBox(0, 0, array.shape[1], array.shape[0])


def tight_box(mask: NDArray[Any], above: float = VISIBLE) -> PixelBox:
    """The smallest box around all pixels ``>= above`` of an ``(H, W)`` mask; of no size when there are none.

    The default keeps whatever is visible in 8 bits. A uint8 or uint16 mask counts every pixel that is not 0.
    """
    if mask.dtype == np.uint8:
        binary = mask
    elif mask.dtype == np.uint16:
        binary = (mask > 0).view(np.uint8)
    else:
        binary = (mask >= above).view(np.uint8)
    if binary.size == 0:
        return PixelBox(0, 0, 0, 0)
    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(binary))
    return PixelBox(int(x), int(y), int(width), int(height))


def recrop(array: NDArray[T], box: PixelBox, target: PixelBox) -> NDArray[T]:
    """An array ``(H, W[, C])`` that covers ``box``, cut or filled up with 0 to cover ``target``; a view if possible."""
    if box.contains(target):
        rows, columns = target.moved(-box.x, -box.y).slices()
        return array[rows, columns]
    out = np.zeros((target.height, target.width, *array.shape[2:]), array.dtype)
    common = box.intersect(target)
    if not common.empty:
        to = common.moved(-target.x, -target.y).slices()
        out[to] = array[common.moved(-box.x, -box.y).slices()]
    return out


def quantise(mask: Plane, depth: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """``(H, W)`` float32 0..1 -> uint8 (``depth`` 8) or uint16 (16) at full scale, rounded to nearest and clipped."""
    if depth == 8:
        return cv2.addWeighted(mask, 255.0, mask, 0.0, 0.0, dtype=cv2.CV_8U) if mask.size else mask.astype(np.uint8)
    if depth != 16:
        raise ValueError(f"a mask has 8 or 16 bits, not {depth}")
    return cv2.addWeighted(mask, 65535.0, mask, 0.0, 0.0, dtype=cv2.CV_16U) if mask.size else mask.astype(np.uint16)


def dequantise(plane: NDArray[np.uint8] | NDArray[np.uint16]) -> Plane:
    """``(H, W)`` uint8 or uint16 at full scale -> float32 0..1."""
    return plane.astype(np.float32) * np.float32(1.0 / np.iinfo(plane.dtype).max)


def as_float(plane: AnyMask) -> Plane:
    """A mask of whole numbers at full scale as float32 0..1; one of floats as it is."""
    return np.asarray(plane, np.float32) if plane.dtype.kind == "f" else dequantise(plane)

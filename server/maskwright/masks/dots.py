"""Dotted patches: where a decoder is unsure, its transposed convolutions leave a pattern of dots around the threshold.

The dots come again every four cells (two steps of two), as nothing in a picture does: in such patches what all cells at
the same step of their neighbourhood have in common is taken away. Odena, Dumoulin and Olah, "Deconvolution and
Checkerboard Artifacts" (2016), tell where they come from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .boxes import Plane
from .opencv import cv2

_PERIOD = 4
_DENSE = 0.05  # share of single cells around from which on it is a patch of dots
_AROUND = 9  # cells a side in which they are counted
_BLOCKS = 5  # periods a side of which the pattern is the mean
_WEAK = 2.0  # logits beyond this are sure, and no dots
_CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32)
_CORNERS = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1]], np.float32)


def without_dots(values: Plane) -> Plane:
    """Logits ``(h, w)`` float32 without the pattern; the same array where there is none. Lines of one cell stay."""
    single = _dots(values)
    dotted = cv2.boxFilter(single.astype(np.float32), -1, (_AROUND, _AROUND)) > _DENSE
    dotted &= np.abs(values) < _WEAK
    if cv2.countNonZero(dotted.view(np.uint8)) == 0:
        return values
    rows, columns = values.shape
    tall, wide = -(-rows // _PERIOD), -(-columns // _PERIOD)
    mean = cv2.blur(values, (2 * _PERIOD + 1, 2 * _PERIOD + 1))
    rest = np.zeros((tall * _PERIOD, wide * _PERIOD), np.float32)
    rest[:rows, :columns] = np.where(dotted, np.minimum(np.maximum(values - mean, -_WEAK), _WEAK), 0)
    steps = rest.reshape(tall, _PERIOD, wide, _PERIOD).transpose(1, 3, 0, 2).reshape(_PERIOD**2, tall, wide)
    pattern = np.stack([cv2.blur(np.ascontiguousarray(step), (_BLOCKS, _BLOCKS)) for step in steps])
    pattern = pattern.reshape(_PERIOD, _PERIOD, tall, wide).transpose(2, 0, 3, 1).reshape(rest.shape)
    out = np.where(dotted, values - pattern[:rows, :columns], values)
    # What is left of single weak cells goes with its neighbours.
    return np.where(dotted & _dots(out), cv2.medianBlur(out, 3), out)


def _dots(values: Plane) -> NDArray[np.bool_]:
    """Cells ``(h, w)`` that differ from all four beside them and are no part of a slanting line."""
    signs = np.sign(values)
    signs[signs == 0] = -1
    beside = cv2.filter2D(signs, -1, _CROSS, borderType=cv2.BORDER_REFLECT_101) * signs
    aslant = cv2.filter2D(signs, -1, _CORNERS, borderType=cv2.BORDER_REFLECT_101) * signs
    return (beside == -4) & (aslant != 0)  # of a line's corners two are like it

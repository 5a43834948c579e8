"""Masks up to the picture's border.

A network sees nothing beyond the border, or the empty part of its square, and takes both for an edge: the logits of the
outermost cells fall though the thing goes on. There the picture itself tells: what has the colours of the thing one
cell further in belongs to it.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .logits import LogitMap
from .opencv import cv2

T = TypeVar("T", bound=np.generic)
Sides = tuple[bool, bool, bool, bool]  # left, top, right, bottom
_ALIKE = 20.0  # of 255 in one channel: so much the colours of one thing may differ from cell to cell ...
_GRADIENT = 2.0  # ... or so many times what they differ further in
_UNLIKE = 2.5  # times that, from which on not even a network that leans to "inside" is believed
_EDGE = 50.0  # of 255: so much more the colours change where the thing ends a cell before the border
_LEANS = 0.3  # of the logit further in
_VOTES = 7  # cells along the border that decide together


def to_border(logits: LogitMap, image: NDArray[np.uint8], sides: Sides) -> LogitMap:
    """``logits``, which lie in the pixels of ``image`` ``(H, W, 3)`` uint8, with what reaches its border drawn to it.

    ``sides``: which of the image's sides are the picture's, and are reached; others are those of a crop. Outermost
    cells take the logit of the next ones where these are inside and the colours go on.
    """
    height, width = image.shape[:2]
    cell_x, cell_y = logits.cell
    values, spans = logits.values, ((cell_x, logits.x0, width), (cell_y, logits.y0, height))
    lines: list[tuple[int, int, NDArray[np.bool_]]] = []
    for number in (0, 1, 2, 3):
        if sides[number]:
            cell, start, length = spans[number % 2]
            plane = _towards(values, number)
            beyond = len(plane) - (length - start) / cell if number > 1 else -start / cell  # cells outside the picture
            first = max(1, math.ceil(0.5 + beyond))  # the first line whose middle is a cell from the border
            if -0.5 < beyond < 2 and first + 1 < len(plane):
                goes_on = _goes_on(plane, first, beyond, _towards(image, number), cell, spans[1 - number % 2])
                if goes_on is not None:
                    lines.append((number, first, goes_on))
    if not lines:
        return logits
    out = values.copy()
    for number, first, where in lines:
        plane = _towards(out, number)
        plane[:first] = np.where(where, np.maximum(plane[:first], plane[first]), plane[:first])
    return LogitMap(out, logits.x0, logits.y0, logits.x1, logits.y1)


def sides_reached(values: NDArray[np.float32]) -> Sides:
    """Near which sides logits ``(h, w)`` are positive: there ``to_border`` has something to look at."""
    inside = values > 0
    first, last = slice(1, 3), slice(-3, -1)
    any_of = np.logical_or.reduce
    return (
        bool(any_of(inside[:, first], axis=None)),
        bool(any_of(inside[first], axis=None)),
        bool(any_of(inside[:, last], axis=None)),
        bool(any_of(inside[last], axis=None)),
    )


def _towards(plane: NDArray[T], number: int) -> NDArray[T]:
    """A view whose first rows lie at the side of that number."""
    turned = plane.swapaxes(0, 1) if number % 2 == 0 else plane
    return turned[::-1] if number > 1 else turned


def _goes_on(
    plane: NDArray[np.float32],
    first: int,
    beyond: float,
    image: NDArray[np.uint8],
    cell: float,
    along: tuple[float, float, int],
) -> NDArray[np.bool_] | None:
    """Where a thing goes on to the side at which the first rows lie, ``(columns,)``; None for nowhere.

    ``first``: the first row to be trusted; ``beyond``: rows outside of the image. ``cell``: rows of the image to one of
    ``plane``. ``along``: the same for columns, where they begin, image columns.
    """
    within, outer = plane[first], plane[0]
    open_ = (within > 0) & (outer < within)
    if not np.logical_or.reduce(open_):
        return None
    step, start, length = along
    middles = start + (np.arange(len(within)) + 0.5) * step
    columns = np.minimum(np.maximum(middles.astype(np.intp), 0), length - 1)
    rows = [min(int((first - beyond + n) * cell), len(image) - 1) for n in (0.25, 1.25)]
    depth = max(1, int(cell / 2))
    wide, seen = (max(1, round(step)), 1), []
    for strip in (image[:1], image[rows[0] : rows[0] + depth], image[rows[1] : rows[1] + depth]):
        mean = cv2.reduce(np.ascontiguousarray(strip), 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F)
        seen.append(cv2.blur(mean, wide)[0, columns])
    border, near, far = seen
    largest = np.maximum.reduce
    inner, unlike = largest(np.abs(near - far), axis=-1), largest(np.abs(border - near), axis=-1)
    limit = np.minimum(np.maximum(_GRADIENT * inner, _ALIKE), _GRADIENT * _ALIKE)
    certain = (unlike <= limit) | ((outer > _LEANS * within) & (unlike <= _UNLIKE * limit))
    certain &= inner <= unlike + _EDGE  # else the thing has ended before, and the border is like what follows it
    votes = cv2.boxFilter(np.array([certain & open_, open_], np.float32), -1, (_VOTES, 1), normalize=False)
    return open_ & (2 * votes[0] >= votes[1])

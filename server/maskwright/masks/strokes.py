"""Lines that a brush or a lasso drew: places along them, and the cells of a map that they touch or go round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .logits import LogitMap
from .opencv import cv2

Places = NDArray[np.float32]  # (n, 2): x and y in pixels
_SHIFT = 4  # bits after the point in OpenCV's places


@dataclass(frozen=True)
class Line:
    """``places`` ``(n, 2)`` float32 in a picture's pixels, ``width`` of the brush in the same. A ``closed`` one goes
    round something."""

    places: Places
    include: bool
    width: float = 0.0
    closed: bool = False

    @property
    def length(self) -> float:
        """In pixels, from its beginning to its end."""
        return float(np.hypot(*np.diff(self.places, axis=0).T).sum())

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Edges ``x0, y0, x1, y1`` around its places."""
        return (*map(float, self.places.min(axis=0)), *map(float, self.places.max(axis=0)))  # type: ignore[return-value]


def along(line: Line, step: float) -> Places:
    """Places ``(n, 2)`` about every ``step`` pixels along a line, both ends among them; at least one."""
    ways = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line.places, axis=0).T))])
    total = float(ways[-1])
    if total <= 0:
        return line.places[:1]
    wanted = np.linspace(0.0, total, max(2, round(total / step) + 1))
    x, y = (np.interp(wanted, ways, line.places[:, axis]) for axis in (0, 1))
    return np.stack([x, y], axis=1).astype(np.float32)


def spread(line: Line, count: int) -> Places:
    """``count`` places ``(count, 2)`` at even distances along a line, none at its ends, where hands slip."""
    fine = along(line, max(line.length / 200, 1e-3))
    chosen = ((np.arange(count) + 0.5) / count * len(fine)).astype(int)
    return fine[np.minimum(chosen, len(fine) - 1)]


def touched(line: Line, grid: LogitMap, width: float) -> NDArray[np.bool_]:
    """Cells ``(h, w)`` of a map that a brush of ``width`` pixels touches along the line; at least one cell wide."""
    drawn = np.zeros(grid.values.shape, np.uint8)
    thick = max(1, round(width / max(grid.cell)))
    cv2.polylines(drawn, [_cells(line, grid)], line.closed, 1, thick, cv2.LINE_8, _SHIFT)
    return drawn.view(bool)


def within(line: Line, grid: LogitMap) -> NDArray[np.bool_]:
    """Cells ``(h, w)`` of a map that a closed line goes round, and those that it touches."""
    drawn = np.zeros(grid.values.shape, np.uint8)
    cv2.fillPoly(drawn, [_cells(line, grid)], 1, cv2.LINE_8, _SHIFT)
    return drawn.view(bool)


def _cells(line: Line, grid: LogitMap) -> NDArray[np.int32]:
    """The line's places on the grid, as OpenCV takes them: a cell's middle is a whole number."""
    corner, cell = np.array([grid.x0, grid.y0], np.float32), np.array(grid.cell, np.float32)
    places = (line.places - corner) / cell - 0.5
    return np.round(np.clip(places, -1e4, 1e4) * (1 << _SHIFT)).astype(np.int32)

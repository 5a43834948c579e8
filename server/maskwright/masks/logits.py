"""Soft masks as logits on a coarse grid, drawn at any scale.

Segmenters answer with small maps (256 cells for an image of 4000 pixels). Thresholding or squashing such a map before
it is enlarged gives staircases; here the logits are enlarged, and only then turned into coverage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .boxes import PixelBox, Plane, tight_box
from .opencv import cv2

EDGE_PIXELS = 1.6  # how wide the ramp of a typical edge is drawn
_OFFSET_TRIES = 24
_FINER = 4


@dataclass(frozen=True)
class LogitMap:
    """``values`` ``(h, w)`` float32, positive inside, whose cells tile ``x0..x1`` by ``y0..y1`` (pixels, edges)."""

    values: Plane
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def edges(self) -> tuple[float, float, float, float]:
        return self.x0, self.y0, self.x1, self.y1

    @cached_property
    def cell(self) -> tuple[float, float]:
        """Width and height of a cell in pixels."""
        rows, columns = self.values.shape
        return (self.x1 - self.x0) / columns, (self.y1 - self.y0) / rows

    def mapped(self, scale_x: float, scale_y: float, dx: float, dy: float) -> LogitMap:
        """The same map in the coordinates ``x * scale_x + dx``, ``y * scale_y + dy``."""
        x0, y0 = self.x0 * scale_x + dx, self.y0 * scale_y + dy
        return LogitMap(self.values, x0, y0, self.x1 * scale_x + dx, self.y1 * scale_y + dy)

    def like(self, values: Plane) -> LogitMap:
        """Other logits (any number of cells) in the same place."""
        return replace(self, values=values)

    def slope(self, edge_pixels: float = EDGE_PIXELS) -> float:
        """Coverage per logit that draws the median edge as a ramp of ``edge_pixels`` pixels.

        Edges where the model is less sure (the logits are flatter) come out softer in proportion.
        """
        values = self.values
        inside = (values > 0).view(np.uint8)
        rim = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).astype(bool)
        cell_x, cell_y = self.cell
        if not rim.any():
            return 1.0
        grad_x = cv2.Scharr(values, cv2.CV_32F, 1, 0, scale=1 / 32, borderType=cv2.BORDER_REPLICATE)[rim] / cell_x
        grad_y = cv2.Scharr(values, cv2.CV_32F, 0, 1, scale=1 / 32, borderType=cv2.BORDER_REPLICATE)[rim] / cell_y
        steep = np.hypot(grad_x, grad_y)
        middle = (len(steep) - 1) // 2, len(steep) // 2
        steep.partition(middle)  # the median, without what numpy's own looks at beside it
        steepness = (steep.item(middle[0]) + steep.item(middle[1])) / 2
        return 1.0 / max(steepness * edge_pixels, 1e-6)

    def bounds(self, limit: PixelBox, slope: float) -> PixelBox:
        """A box, one cell generous, around everything that ``draw`` with this slope shows within ``limit``."""
        x, y, width, height = cv2.boundingRect((self.values > -0.5 / slope).view(np.uint8))
        if width == 0 or height == 0:
            return PixelBox(limit.x, limit.y, 0, 0)
        cell_x, cell_y = self.cell
        return PixelBox.around(
            self.x0 + (x - 1.5) * cell_x,
            self.y0 + (y - 1.5) * cell_y,
            self.x0 + (x + width + 1.5) * cell_x,
            self.y0 + (y + height + 1.5) * cell_y,
        ).intersect(limit)

    def sample(self, box: PixelBox) -> Plane:
        """Logits ``(box.height, box.width)`` float32 at the pixels' centres, smooth between the cells.

        The shift against the exact place is far below half a pixel and there is no error of scale.
        """
        cell_x, cell_y = self.cell
        rows, columns = self.values.shape
        col0, col1, left = _span(self.x0, cell_x, columns, box.x, box.right)
        row0, row1, top = _span(self.y0, cell_y, rows, box.y, box.bottom)
        part = _finer(np.ascontiguousarray(self.values[row0:row1, col0:col1]))
        large = cv2.resize(part, None, fx=cell_x / _FINER, fy=cell_y / _FINER, interpolation=cv2.INTER_LINEAR)
        x, y = box.x - left, box.y - top
        need_right, need_bottom = x + box.width - large.shape[1], y + box.height - large.shape[0]
        if x < 0 or y < 0 or need_right > 0 or need_bottom > 0:
            before_x, before_y = max(0, -x), max(0, -y)
            large = cv2.copyMakeBorder(
                large, before_y, max(0, need_bottom), before_x, max(0, need_right), cv2.BORDER_REPLICATE
            )
            x, y = x + before_x, y + before_y
        return large[y : y + box.height, x : x + box.width]

    def same_grid(self, other: LogitMap) -> bool:
        """Whether the cells of both lie in the same places."""
        edges = (self.x0, self.y0, self.x1, self.y1) == (other.x0, other.y0, other.x1, other.y1)
        return edges and self.values.shape == other.values.shape

    def on_grid_of(self, other: LogitMap) -> Plane:
        """``onto``, with the values as they are where the grid is the same."""
        return self.values if self.same_grid(other) else self.onto(other)

    def cell_at(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of the cell at a place (pixels), or of the nearest cell."""
        rows, columns = self.values.shape
        column = int((x - self.x0) * columns / (self.x1 - self.x0))
        row = int((y - self.y0) * rows / (self.y1 - self.y0))
        return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)

    def at(self, x: float, y: float) -> float:
        """The logit of the cell at a place (pixels), or of the nearest cell."""
        rows, columns = self.values.shape
        column = int((x - self.x0) * columns / (self.x1 - self.x0))
        row = int((y - self.y0) * rows / (self.y1 - self.y0))
        return self.values.item(min(max(row, 0), rows - 1), min(max(column, 0), columns - 1))

    def shows(self, x: float, y: float) -> bool:
        """Whether a place (pixels) lies within the map and inside of what it shows."""
        return self.x0 <= x < self.x1 and self.y0 <= y < self.y1 and self.at(x, y) > 0

    def extent(self) -> tuple[float, float, float, float]:
        """Edges ``x0, y0, x1, y1`` in pixels of all cells inside; of no size where there are none."""
        inner = tight_box(self.values, 1e-6)
        cell_x, cell_y = self.cell
        x0, y0 = self.x0 + inner.x * cell_x, self.y0 + inner.y * cell_y
        return x0, y0, x0 + inner.width * cell_x, y0 + inner.height * cell_y

    def area(self, width: float = math.inf, height: float = math.inf) -> float:
        """Area of all cells inside, in square pixels, of what lies within ``0..width`` by ``0..height``."""
        (rows, columns), (cell_x, cell_y) = self.values.shape, self.cell
        if self.x0 >= 0 and self.y0 >= 0 and self.x1 <= width and self.y1 <= height:
            return int(np.count_nonzero(self.values > 0)) * cell_x * cell_y
        across = np.diff(np.clip(self.x0 + np.arange(columns + 1) * cell_x, 0, width))
        down = np.diff(np.clip(self.y0 + np.arange(rows + 1) * cell_y, 0, height))
        return float(down @ (self.values > 0) @ across)

    def onto(self, other: LogitMap) -> Plane:
        """This map's logits at the middles of another's cells, of the other's shape, float32.

        Bilinear; outside of this map its rim goes on.
        """
        rows, columns = other.values.shape
        (cell_x, cell_y), (own_x, own_y) = other.cell, self.cell
        x = (other.x0 + (np.arange(columns, dtype=np.float32) + 0.5) * cell_x - self.x0) / own_x - 0.5
        y = (other.y0 + (np.arange(rows, dtype=np.float32) + 0.5) * cell_y - self.y0) / own_y - 0.5
        places = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        return cv2.remap(self.values, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def draw(self, box: PixelBox, slope: float) -> Plane:
        """Coverage ``(box.height, box.width)`` float32 0..1: half where the logit is 0, ``slope`` per logit."""
        if box.empty:
            return np.zeros((box.height, box.width), np.float32)
        logits = self.sample(box)
        return np.clip(logits * np.float32(slope) + np.float32(0.5), 0.0, 1.0)

    def draw8(self, box: PixelBox, slope: float) -> NDArray[np.uint8]:
        """``draw`` as uint8, rounded to nearest, in one pass."""
        if box.empty:
            return np.zeros((box.height, box.width), np.uint8)
        logits = self.sample(box)
        return cv2.addWeighted(logits, 255.0 * slope, logits, 0.0, 127.5, dtype=cv2.CV_8U)


def _finer(cells: Plane) -> Plane:
    """Cells ``(h, w)`` interpolated four times finer, ``(4 h, 4 w)`` float32, by Catmull-Rom splines; the rim goes on.

    OpenCV's bicubic is another spline (a = -0.75), which bends straight ramps by a twentieth of a cell: at fifteen
    pixels a cell that makes edges visibly wavy. Keys, "Cubic Convolution Interpolation" (1981), a = -0.5, does not.
    Each place within a cell has weights of its own, so that four short filters each way do it.
    """
    rows, columns = cells.shape
    tall = np.empty((_FINER * rows, columns), np.float32)
    for phase, weights in enumerate(_PHASES):
        tall[phase::_FINER] = cv2.filter2D(cells, cv2.CV_32F, weights[:, None], borderType=cv2.BORDER_REPLICATE)
    wide = [cv2.filter2D(tall, cv2.CV_32F, weights[None], borderType=cv2.BORDER_REPLICATE) for weights in _PHASES]
    return cv2.merge(wide).reshape(_FINER * rows, _FINER * columns)


def _phases() -> list[Plane]:
    """For each place within a cell the weights of the cells from two before it to two after it."""
    out = []
    for phase in range(_FINER):
        place = (phase + 0.5) / _FINER - 0.5
        first = math.floor(place) + 1
        t = place - math.floor(place)
        weights = np.zeros(5, np.float32)
        weights[first : first + 4] = (
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        )
        out.append(weights)
    return out


_PHASES = _phases()


def _span(origin: float, cell: float, cells: int, start: int, end: int) -> tuple[int, int, int]:
    """Cells ``first..last`` that are needed for the pixels ``start..end``, and the pixel where ``first`` begins.

    Among the possible first cells the one is taken whose edge lies nearest to a whole pixel.
    """
    highest = min(max(math.floor((start - origin) / cell) - 2, 0), cells - 1)
    lowest = max(0, highest - _OFFSET_TRIES)
    edges = [origin + number * cell for number in range(highest, lowest - 1, -1)]
    offsets = [round(abs(edge - round(edge)), 6) for edge in edges]
    first = highest - offsets.index(min(offsets))
    last = min(cells, max(first + 1, math.ceil((end - origin) / cell) + 3))
    return first, last, round(origin + first * cell)


def logit(mask: Plane, limit: float = 8.0) -> Plane:
    """The inverse of the sigmoid of a mask ``(h, w)`` float32 0..1, clipped to ``+-limit``."""
    low = 1.0 / (1.0 + math.exp(limit))
    clipped = np.clip(mask, low, 1.0 - low)
    return np.log(clipped / (1.0 - clipped)).astype(np.float32)


def without_overlaps(maps: list[LogitMap]) -> list[LogitMap]:
    """Maps on one grid -> maps of which at most one is positive in any place: the surest keeps it.

    ``l_i - max(0, max of the others)``: where two claim a place their border runs where they are equally sure.
    """
    if len(maps) < 2:
        return maps
    stack = np.stack([m.values for m in maps])
    top_two = np.partition(stack, len(maps) - 2, axis=0)[-2:]
    out = []
    for index, one in enumerate(maps):
        others = np.where(stack[index] >= top_two[1], top_two[0], top_two[1])
        out.append(one.like(stack[index] - np.maximum(others, 0)))
    return out


def without(one: LogitMap, others: list[LogitMap]) -> LogitMap:
    """``one`` less everything that ``others`` claim."""
    values = one.values
    for other in others:
        values = np.minimum(values, -other.on_grid_of(one))
    return one.like(values)


UNBOUNDED = np.float32(32.0)


def capped(one: LogitMap, cap: LogitMap) -> LogitMap:
    """``one``, nowhere above ``cap`` (on any grid; ``UNBOUNDED`` where there is no limit)."""
    return one.like(np.minimum(one.values, cap.onto(one)))


def union(maps: list[LogitMap]) -> LogitMap:
    """The union of maps on one grid."""
    return maps[0].like(np.maximum.reduce([m.values for m in maps]))

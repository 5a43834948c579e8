"""A detector's own masks in the place of a segmenter's.

They are logits at the detector's resolution and are drawn like those of segmenters. Without a segmenter a click cannot
change a mask: one that excludes leaves out the whole object that it lies on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from maskwright.masks.logits import LogitMap
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Select

from .found import Found, new_id

_MOST_CELLS = 1 << 24  # of all objects' maps together, where they have to be brought to one grid
_OUTSIDE = -8.0  # logit where a map does not reach


def check(request: Select, recipe: str) -> None:
    """Raises ``BadInput`` for prompts that need a segmenter."""
    alone = request.continue_from or not (request.text.strip() or request.detector_options)
    clicks = [point for point in request.points if point.include or alone]
    if clicks or request.boxes or request.examples or request.start is not None:
        text = tr("The recipe {0} takes a detector's own masks, which clicks, boxes and masks cannot change.", recipe)
        hint = tr("Use words alone, or a recipe with a segmenter, such as {0}+mobile-sam.", recipe)
        raise BadInput(text, hint, recipe=recipe)


class DetectorMasks:
    """Draws detections with the detector's own masks, all on one grid."""

    segmenter = None

    def __init__(self, picture: PictureView, context: JobContext, grid: LogitMap | None = None) -> None:
        """``grid``: that of objects which are there already, in the overview's pixels."""
        self._picture, self._context, self._grid = picture, context, grid

    def run(self, wanted: list[ObjectPrompt]) -> list[Found]:
        """One ``Found`` for each that has a mask on which no excluding click lies."""
        drawn = [(one, self._picture.map_to_overview(one.logits)) for one in wanted if one.logits is not None]
        if drawn and self._grid is None:
            self._grid = _shared([logits for _, logits in drawn], self._picture)
        found = []
        for one, logits in drawn:
            clicks = [self._picture.to_overview(p.x, p.y) for p in one.points if not p.include]
            if any(logits.at(x, y) > 0 for x, y in clicks):
                self._context.note(
                    tr("What an excluding click lies on was left out whole, since there is no segmenter.")
                )
                continue
            assert self._grid is not None
            score = one.score if one.score is not None else 1.0
            found.append(Found(new_id(), one.label, score, one, self._picture.up_to_border(_onto(logits, self._grid))))
        return found


def on_one_grid(maps: Sequence[LogitMap], picture: PictureView) -> list[LogitMap]:
    """Maps in the overview's pixels on the grid that all have, else on one of the picture, as fine as the finest."""
    if not maps:
        return []
    grid = _shared(maps, picture)
    return [_onto(one, grid) for one in maps]


def _shared(maps: Sequence[LogitMap], picture: PictureView) -> LogitMap:
    if all(one.same_grid(maps[0]) for one in maps):
        return maps[0]
    height, width = picture.size
    cell = max(min(min(one.cell) for one in maps), math.sqrt(width * height * len(maps) / _MOST_CELLS))
    cells = np.empty((max(1, round(height / cell)), max(1, round(width / cell))), np.float32)
    return LogitMap(cells, 0.0, 0.0, float(width), float(height))


def _onto(one: LogitMap, grid: LogitMap) -> LogitMap:
    """``one`` on another grid; where it does not reach there is nothing."""
    if one.same_grid(grid):
        return one
    (rows, columns), (cell_x, cell_y) = grid.values.shape, grid.cell
    x, y = grid.x0 + (np.arange(columns) + 0.5) * cell_x, grid.y0 + (np.arange(rows) + 0.5) * cell_y
    values = one.onto(grid)
    values[:, (x < one.x0) | (x > one.x1)] = _OUTSIDE
    values[(y < one.y0) | (y > one.y1)] = _OUTSIDE
    return grid.like(values)

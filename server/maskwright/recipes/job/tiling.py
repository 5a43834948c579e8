"""Looking for small things in a large picture: in overlapping tiles at full resolution, whose answers are merged."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from maskwright.masks.boxes import PixelBox, spread
from maskwright.masks.instances import box_common, nms
from maskwright.masks.opencv import cv2
from maskwright.models.roles import Box, Detection, Finder
from maskwright_protocol.errors import BadInput

from .context import JobContext
from .picture import PictureView

Tiles = Literal["auto", "on", "off"]
MOST = 64
MOST_UNASKED = 16  # tiles that a search that found nothing may cost
OVERLAP = 0.25  # of a tile's side: what is no larger is seen whole in one of them
_SAME = 0.5  # IoU
_PIECE = 0.7  # share of a box at a tile's edge that lies in another: then it is a piece of that
_EDGE = 2.0  # pixels


def check_tiles(tiles: str) -> Tiles:
    """Raises ``BadInput`` for anything but "auto", "on" and "off"."""
    if tiles not in ("auto", "on", "off"):
        raise BadInput(f"{tiles!r} says nothing about tiles.", hint="Use 'auto', 'on' or 'off'.")
    return cast(Tiles, tiles)


def grid(area: PixelBox, side: int, most: int) -> list[PixelBox]:
    """Overlapping tiles of about ``side`` pixels that cover the area; larger ones where it took more than ``most``."""
    while True:
        step = max(1, round(side * (1 - OVERLAP)))
        columns = max(1, math.ceil((area.width - side) / step) + 1)
        rows = max(1, math.ceil((area.height - side) / step) + 1)
        if columns * rows <= most:
            break
        side = math.ceil(side * 1.2)
    return spread(area, min(side, area.width), min(side, area.height), columns, rows)


def detect(
    find: Finder, side: int, most: int, picture: PictureView, context: JobContext, known: list[Detection]
) -> list[Detection]:
    """``known`` detections and those of at most ``most`` tiles, in document coordinates, best first.

    ``side``: pixels that the detector looks at. Raises ``MorePixelsNeeded``.
    """
    tiles = grid(picture.box, side, most)
    if len(tiles) < 2:
        return known
    picture.need_detail(picture.box)
    found = [(one, False) for one in known]
    with context.stage("detect", "Looking closer"):
        for number, tile in enumerate(tiles):
            context.progress("detect", number / len(tiles), f"Looking closer, part {number + 1} of {len(tiles)}")
            for one in find(picture.detail_rgb(tile)):
                moved = _moved(one, tile.x, tile.y)
                found.append((moved, _at_inner_edge(moved.box, tile, picture.box)))
    return merged(found)


def _moved(one: Detection, x: int, y: int) -> Detection:
    box = Box(one.box.x0 + x, one.box.y0 + y, one.box.x1 + x, one.box.y1 + y)
    logits = one.logits.mapped(1, 1, x, y) if one.logits is not None else None
    return replace(one, box=box, logits=logits, quad=tuple((a + x, b + y) for a, b in one.quad))


def _at_inner_edge(box: Box, tile: PixelBox, area: PixelBox) -> bool:
    return (
        (box.x0 - tile.x < _EDGE and tile.x > area.x)
        or (box.y0 - tile.y < _EDGE and tile.y > area.y)
        or (tile.right - box.x1 < _EDGE and tile.right < area.right)
        or (tile.bottom - box.y1 < _EDGE and tile.bottom < area.bottom)
    )


def merged(found: list[tuple[Detection, bool]]) -> list[Detection]:
    """Without doubles, and without pieces of things that another box shows whole."""
    kept: list[Detection] = []
    for label in dict.fromkeys(one.label for one, _ in found):
        alike = [(one, cut) for one, cut in found if one.label == label]
        kept += _distinct(
            [
                one
                for one, cut in alike
                if not cut or not any(_inside(one, other) for other, _ in alike if other is not one)
            ]
        )
    return sorted(kept, key=lambda one: -one.score)


def _distinct(found: list[Detection]) -> list[Detection]:
    """The best of those that overlap. Boxes around slanting lines say little: of these the quads are compared."""
    if not any(one.quad for one in found):
        return [found[i] for i in nms([one.box for one in found], [one.score for one in found], _SAME)]
    kept: list[Detection] = []
    for one in sorted(found, key=lambda one: -one.score):
        if all(_common(one, other) <= _SAME * (_area(one) + _area(other)) / (1 + _SAME) for other in kept):
            kept.append(one)
    return kept


def _inside(one: Detection, other: Detection) -> bool:
    """Whether most of a thing lies in another that is larger."""
    return _area(other) > _area(one) and _common(one, other) >= _PIECE * _area(one)


def _area(one: Detection) -> float:
    return float(cv2.contourArea(_corners(one))) if one.quad else one.box.area


def _common(one: Detection, other: Detection) -> float:
    """Area that two things share."""
    common = box_common(one.box, other.box)
    if common > 0 and one.quad and other.quad:
        common = float(cv2.intersectConvexConvex(_corners(one), _corners(other))[0])
    return common


def _corners(one: Detection) -> NDArray[np.float32]:
    return np.array(one.quad, np.float32)

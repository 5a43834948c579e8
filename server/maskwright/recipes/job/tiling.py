"""Looking for small things in a large picture: in overlapping tiles, up to full resolution, whose answers are merged.

Tiles of several sizes, each twice the next, so that what a tile cuts is seen whole in a larger one: of what is cut
nothing is kept but lines of writing, which may be longer than any tile.
"""

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
from maskwright_protocol.language import tr

from .context import JobContext
from .picture import PictureView

Tiles = Literal["auto", "on", "off"]
MOST = 64  # tiles of the smallest size
_UNASKED, _UNASKED_PIXELS = 16, 8 << 20  # tiles that may be looked at unasked, or pixels where the network sees few
_UNASKED_AREA = 24_000_000  # pixels of a picture that are sent for it where something was found without
_LARGE = 3.0  # times the sides that the detector looks at: less is seen well enough as a whole where anything is
OVERLAP = 0.25  # of a tile's side: what is no larger is seen whole in one of them
_SAME = 0.5  # IoU
_PIECE = 0.7  # share of a box at a tile's edge that lies in another: then it is a piece of that
_EDGE = 2.0  # pixels


def check_tiles(tiles: str) -> Tiles:
    """Raises ``BadInput`` for anything but "auto", "on" and "off"."""
    if tiles not in ("auto", "on", "off"):
        raise BadInput(tr("{0!r} says nothing about tiles.", tiles), hint=tr("Use 'auto', 'on' or 'off'."))
    return cast(Tiles, tiles)


def most_unasked(side: int) -> int:
    """Tiles that nobody asked for, for a detector that looks at ``side`` pixels."""
    return max(_UNASKED, _UNASKED_PIXELS // side**2)


def worth_it(picture: PictureView, side: int, found: bool) -> bool:
    """Whether to look closer unasked. Where something was ``found``: only at large pictures that are quick to send."""
    if not found:
        return True
    quick = picture.box.area <= _UNASKED_AREA or picture.has_detail(picture.box)
    return quick and max(picture.box.width, picture.box.height) >= _LARGE * side


def grids(area: PixelBox, side: int, most: int) -> list[list[PixelBox]]:
    """Grids of tiles, the coarsest first; the last has at most ``most`` tiles of about ``side`` pixels. Often none."""
    found: list[list[PixelBox]] = []
    while len(tiles := grid(area, side, most)) > 1:
        found.insert(0, tiles)
        side = 2 * max(tiles[0].width, tiles[0].height)
    return found


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
    """``known`` detections of the picture as a whole and those of tiles, in document coordinates, best first.

    ``side``: pixels that the detector looks at. ``most``: tiles of the smallest size; the larger ones are a third more.
    Raises ``MorePixelsNeeded``.
    """
    tiles = [tile for some in grids(picture.box, side, most) for tile in some]
    if not tiles:
        return known
    picture.need_detail(picture.box)
    found = [(one, False) for one in known]
    with context.stage("detect", tr("Looking closer")):
        for number, tile in enumerate(tiles):
            context.progress(
                "detect", number / len(tiles), tr("Looking closer, part {0} of {1}", number + 1, len(tiles))
            )
            for one in find(picture.detail_rgb(tile)):
                moved = _moved(one, tile.x, tile.y)
                cut = _at_inner_edge(moved.box, tile, picture.box)
                if not cut or moved.quad:
                    found.append((moved, cut))
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

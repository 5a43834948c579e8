"""Finding the edge of a rough mask again: in a band around it, and in tiles, so that pictures may have any size."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maskwright.masks import tiles
from maskwright.masks.boxes import AnyMask, PixelBox, Plane, as_float, recrop, tight_box, whole
from maskwright.masks.edge_hints import Hints
from maskwright.masks.edges import follow_colours, snapped
from maskwright.masks.guided import upsample
from maskwright.masks.instances import merge
from maskwright.masks.opencv import cv2
from maskwright.masks.trimap import INSIDE, OUTSIDE, REACH, auto_edge_width, outline_length, trimap, unknown, widened
from maskwright.models.roles import MattingModel
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import EdgeJob

from . import prompts
from .context import JobContext
from .picture import PictureView

MAX_WIDTH = 1000.0
LONG_BAND = 1_000_000  # pixels of a band that take a network on the CPU a minute
LONG_EQUATIONS = 400_000  # pixels of a band that take closed-form matting two seconds
COARSEST = 4
HAIR_ROUNDS = 2  # how often the band may grow by its width
SMALL_CORE, SMALL_HALO = 256, 32  # pixels of pieces that are remembered, so that a stroke costs what it changes


# A tile's alpha, how many pixels changed sides in its band, and how many that band has.
Piece = tuple[Plane, int, int]
# Gives what it has of that name, or makes it and keeps it; may be called in several threads.
Memory = Callable[[Hashable, Callable[[], Piece]], Piece]


class Solver(Protocol):
    """A way to find alpha where a trimap is undecided. ``route`` names it in answers; ``side_by_side``: whether it may
    be asked about several places at a time, each by one thread."""

    route: str
    side_by_side: bool

    def solve(self, box: PixelBox, tri: Plane, rough: Plane, width: float) -> Plane:
        """Alpha of the document's pixels in ``box``, ``(box.height, box.width)`` float32 0..1.

        ``tri`` and ``rough``, the mask as it was, have the same shape and range; ``tri`` is 0 outside, 1 inside and 0.5
        where alpha is to be found. ``width`` of that band in pixels. Raises ``MorePixelsNeeded``.
        """
        ...


class Guided:
    """Without a model: the mask filtered by the picture's colours."""

    route = "guided"
    side_by_side = True

    def __init__(self, picture: PictureView) -> None:
        self._picture = picture

    def solve(self, box: PixelBox, tri: Plane, rough: Plane, width: float) -> Plane:
        guide = self._picture.detail_rgb(box).astype(np.float32) * np.float32(1 / 255)
        return follow_colours(rough, guide, unknown(tri), width)


class ByTrimap:
    """With a matting model that works from a trimap; where a piece shows no sure place of one kind, without it."""

    route = "trimap"

    def __init__(
        self, picture: PictureView, matting: MattingModel, coarser: int = 1, side_by_side: bool = False
    ) -> None:
        """``coarser``: by how much the picture is made smaller for the model; its answer is enlarged by the colours.
        ``side_by_side``: the model uses one thread and may run in several."""
        self._picture, self._matting, self._coarser = picture, matting, coarser
        self.side_by_side = side_by_side
        self._guided = Guided(picture)

    def solve(self, box: PixelBox, tri: Plane, rough: Plane, width: float) -> Plane:
        if not ((tri == INSIDE).any() and (tri == OUTSIDE).any()):
            return self._guided.solve(box, tri, rough, width)
        image, tri = np.ascontiguousarray(self._picture.detail_rgb(box)), np.ascontiguousarray(tri)
        size = (box.width // self._coarser, box.height // self._coarser)
        if self._coarser == 1 or min(size) < 8:
            return self._matting.matte(image, tri)
        small, where = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (image, tri))
        return upsample(self._matting.matte(small, where), image.astype(np.float32) * np.float32(1 / 255), 1)


class FromMatte:
    """With an alpha that was made before, ``matte`` covering ``box``."""

    route = "matte"
    side_by_side = True

    def __init__(self, matte: Plane, box: PixelBox) -> None:
        self._matte, self._box = matte, box

    def solve(self, box: PixelBox, tri: Plane, rough: Plane, width: float) -> Plane:
        return recrop(self._matte, self._box, box)


@dataclass
class Matted:
    """``alpha`` ``(box.height, box.width)`` float32 0..1 covers ``box`` of the document.

    ``agreement``: 1 less twice the share of the band that changed sides.
    """

    alpha: Plane
    box: PixelBox
    agreement: float
    route: str


def solver_for(
    picture: PictureView, refiner: MattingModel | None, mask: AnyMask, width: float, context: JobContext, asked: bool
) -> Solver:
    """The refiner, or the guided filter where there is no refiner.

    Where the band is so long that a refiner on the CPU, which nobody ``asked`` for, would take long, equations are
    solved for a smaller picture, and the guided filter serves instead of a network.
    """
    if refiner is None:
        return Guided(picture)
    equations = context.models.known.get(refiner.model_id).runtime == "none"
    if asked or refiner.device != "cpu":
        return ByTrimap(picture, refiner, side_by_side=equations)
    if equations:
        return ByTrimap(picture, refiner, coarser_by(mask, width, LONG_EQUATIONS), side_by_side=True)
    if outline_length(_bytes(mask)) * width > LONG_BAND:
        context.note(tr("The edge is too long for matting without a graphics card; it was made to follow the colours."))
        return Guided(picture)
    return ByTrimap(picture, refiner)


def coarser_by(mask: AnyMask, width: float, most: int) -> int:
    """By how much a picture is to be made smaller so that a band of that width has about ``most`` pixels."""
    pixels = outline_length(_bytes(mask)) * width
    return min(max(1, math.ceil(math.sqrt(pixels / most))), COARSEST)


def check_edge(job: EdgeJob) -> None:
    """Raises ``BadInput`` for edge settings that make no sense."""
    for name, low, high in (
        ("edge_width", 0, MAX_WIDTH),
        ("smooth", 0, prompts.MAX_LENGTH),
        ("contrast", 0, 1),
        ("shift_edge", -1, 1),
    ):
        what = name.replace("_", " ")
        if not low <= prompts.check_number(getattr(job, name), what) <= high:
            raise BadInput(tr("The {0} lies outside {1:g} to {2:g}.", what, low, high))


def edge_width(mask: AnyMask, wanted: float = 0.0) -> float:
    """The band's width in pixels: as wanted, or what suits the mask."""
    return wanted or auto_edge_width(_bytes(mask))


def find_edge(
    mask: AnyMask,
    box: PixelBox,
    picture: PictureView,
    solver: Solver,
    context: JobContext,
    *,
    width: float,
    hair: bool = False,
    limit: PixelBox | None = None,
    text: str = "Finding the edge",
    hints: Hints | None = None,
    memory: Memory | None = None,
) -> Matted:
    """``mask``, which covers ``box`` of the document, with its edge found by ``solver``.

    The answer lies within ``limit`` (None: the picture), and is not larger than the band needs. With ``hints`` the edge
    is found near them alone, as they say; with a ``memory`` too, in small pieces, in all of ``limit``, and what is in
    that memory is not found again. Raises ``MorePixelsNeeded`` for the crop around the edge.
    """
    further = reach(width, hair) if memory is None else math.ceil(width / 2) + 4
    inner = tight_box(_bytes(mask)).moved(box.x, box.y)
    inner = inner if hints is None else inner.union(hints.box)
    limit = limit or picture.box
    work = limit if memory is not None else inner.padded(further + tiles.HALO).intersect(limit)
    picture.need_detail(work)
    out = np.zeros((work.height, work.width), np.float32)
    changed = looked = 0
    halo = max(tiles.HALO, further) if memory is None else SMALL_HALO
    # What is looked at around a tile is looked at again for the next one.
    core = max(tiles.CORE, 6 * halo) if memory is None else SMALL_CORE
    total = tiles.count(work, core)

    def settled(tile: tiles.Tile) -> Piece:
        around = tile.read.padded(further).intersect(work)
        rough = as_float(recrop(mask, box, around))
        if rough.max() < 0.5 or (hints is not None and not hints.touch(tile.write, width)):
            return snapped(recrop(rough, around, tile.write)), 0, 0
        found = partial(_piece, tile, around, rough, solver, width, hair, hints)
        return found() if memory is None else memory(_name(tile, around, rough, hints), found)

    with context.stage("refine", text):
        threads = context.models.threads if solver.side_by_side else 1
        cover = tiles.cover(work, core, halo=halo)
        for number, (tile, (alpha, here, seen)) in enumerate(tiles.side_by_side(settled, cover, threads), 1):
            if number < total:
                context.progress("refine", number / total, f"{text}, {100 * number // total} %")
            out[tile.write.moved(-work.x, -work.y).slices()] += alpha * tile.weights
            changed, looked = changed + here, looked + seen
    np.clip(out, 0.0, 1.0, out=out)
    agreement = max(0.0, 1.0 - 2.0 * changed / looked) if looked else 1.0
    return Matted(out, work, agreement, solver.route)


def _piece(
    tile: tiles.Tile, around: PixelBox, rough: Plane, solver: Solver, width: float, hair: bool, hints: Hints | None
) -> Piece:
    """A tile's edge; ``rough`` covers ``around``, which reaches further than what the tile reads."""
    tri = recrop(trimap(rough, width), around, tile.read)
    tri = tri if hints is None else hints.on_trimap(tri, tile.read, width)
    rough = np.ascontiguousarray(recrop(rough, around, tile.read))
    alpha = _settle(solver, tile, tri, rough, width, hair)
    before = recrop(rough, tile.read, tile.write)
    band = unknown(recrop(tri, tile.read, tile.write))
    return alpha, int(np.count_nonzero(band & ((before >= 0.5) != (alpha >= 0.5)))), int(np.count_nonzero(band))


def _name(tile: tiles.Tile, around: PixelBox, rough: Plane, hints: Hints | None) -> Hashable:
    """What a piece's edge depends on besides the settings."""
    content = hashlib.sha1(np.ascontiguousarray(rough).data, usedforsecurity=False)
    if hints is not None:
        content.update(np.ascontiguousarray(hints.within(around)).data)
    return tile.write, around, content.digest()


def reach(width: float, hair: bool) -> int:
    """How far beyond a mask its edge may be found, in pixels."""
    return math.ceil(REACH * width) + 2 + math.ceil(width * (HAIR_ROUNDS if hair else 0))


def union(found: list[Matted]) -> Matted:
    """Several things as one: the highest alpha in each place, the least agreement, all routes."""
    if len(found) == 1:
        return found[0]
    alpha, box = merge([(one.alpha, one.box) for one in found])
    routes = dict.fromkeys(one.route for one in found)
    return Matted(alpha, box, min(one.agreement for one in found), ", ".join(routes))


def _settle(solver: Solver, tile: tiles.Tile, tri: Plane, rough: Plane, width: float, hair: bool) -> Plane:
    """Alpha of the tile's ``write`` box; ``tri`` and ``rough`` cover its ``read`` box."""
    out = snapped(rough)
    origin = tile.read
    here = tile.write.moved(-origin.x, -origin.y).slices()
    for _ in range(1 + (HAIR_ROUNDS if hair else 0)):
        open_ = unknown(tri)
        if not open_[here].any():
            break
        near = tight_box(open_.astype(np.uint8)).padded(tiles.HALO).intersect(whole(tri))
        part = near.slices()
        alpha = solver.solve(
            near.moved(origin.x, origin.y), np.ascontiguousarray(tri[part]), np.ascontiguousarray(rough[part]), width
        )
        out[part] = np.where(open_[part], alpha, out[part])
        wider = widened(tri, out, width) if hair else tri
        if np.array_equal(wider, tri):
            break
        tri = wider
    return out[here]


def _bytes(mask: AnyMask) -> NDArray[np.uint8]:
    """8 bits are enough to look at a mask as a whole."""
    if mask.dtype == np.uint8:
        return mask
    scale = 255.0 if mask.dtype == np.float32 else 255 / 65535
    return cv2.convertScaleAbs(np.ascontiguousarray(mask), alpha=scale)

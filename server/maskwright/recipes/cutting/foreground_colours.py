"""A cut-out's pixels, piece by piece: the subject's own colours, border and shadow around it, a colour behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maskwright.images import pixels
from maskwright.masks import tiles
from maskwright.masks.boxes import PixelBox, Plane, recrop, tight_box
from maskwright.masks.foreground import MARGIN, decontaminate, estimate_foreground, multi_level
from maskwright.masks.grow import grow
from maskwright.masks.post import smooth
from maskwright.masks.shadow import cast_shadow
from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView, to_rect
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Cutout, Pixels

COLOURS = ("auto", "own", "fast", "best")
MAX_OUTLINE = 500.0
BEST_PIXELS = 4_000_000  # up to this size the better estimation is the one that "auto" takes

Colour = NDArray[np.float32]  # (3,) 0..1


def colour(text: str, what: str) -> Colour | None:
    """``"#rrggbb"`` as three float32 0..1, None for no text. Raises ``BadInput``."""
    if not text:
        return None
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise BadInput(tr("{0!r} is no colour for the {1}.", text, what), hint=tr("Write a colour as #rrggbb."))
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / np.float32(255)


def check_looks(request: Cutout) -> None:
    """Raises ``BadInput`` or ``BadImage`` for colours, widths and formats that make no sense."""
    pixels.pixel_format(request.format)
    if request.colours not in COLOURS:
        raise BadInput(
            tr("{0!r} is no way to find colours.", request.colours), hint=tr("Use one of {0}.", ", ".join(COLOURS))
        )
    if not 0 <= prompts.check_number(request.outline, "outline") <= MAX_OUTLINE:
        raise BadInput(tr("The outline lies outside 0 to {0:g} pixels.", MAX_OUTLINE))
    colour(request.outline_colour, "outline")
    colour(request.background, "background")


@dataclass
class Layers:
    """A cut-out as planes ``(box.height, box.width)`` float32 0..1: the subject's alpha, the opacity of its border
    and of its shadow. ``box`` is in the document."""

    box: PixelBox
    subject: Plane
    outline: Plane | None = None
    shadow: Plane | None = None

    def opacity(self) -> Plane:
        """Of subject, border and shadow together, ``(box.height, box.width)`` float32 0..1."""
        if self.outline is None and self.shadow is None:
            return self.subject
        clear = np.float32(1) - self.subject
        for plane in (self.outline, self.shadow):
            if plane is not None:
                clear *= np.float32(1) - plane
        return np.float32(1) - clear


def layers(alpha: Plane, box: PixelBox, request: Cutout, picture: PictureView, context: JobContext) -> Layers:
    """The subject, and the border and shadow that the request asks for, within the picture.

    ``alpha`` ``(box.height, box.width)`` float32 0..1 covers ``box`` of the document.
    """
    found = Layers(box, alpha)
    if request.outline:
        wide = box.padded(int(request.outline) + 2).intersect(picture.box)
        found = Layers(wide, np.ascontiguousarray(recrop(alpha, box, wide)))
        found.outline = sticker_border(found.subject, request.outline)
    if request.shadow:
        shadow, cast_box = _shadow(alpha, box, picture, context)
        if shadow is not None:
            both = found.box.union(cast_box)
            found = Layers(
                both,
                recrop(found.subject, found.box, both),
                None if found.outline is None else recrop(found.outline, found.box, both),
                recrop(shadow, cast_box, both),
            )
    return found


def sticker_border(alpha: Plane, width: float) -> Plane:
    """Opacity of a border of ``width`` pixels around (and behind) a subject, as smooth as a cut sticker's edge.

    Both ``(H, W)`` float32 0..1.

    It follows what is solid, since one around every hair would be a blot, and takes in hollows narrower than itself.
    """
    solid = (alpha >= 0.5).astype(np.float32)
    grown = smooth(grow(solid, width), width)
    return np.maximum(grown, alpha)


def _shadow(alpha: Plane, box: PixelBox, picture: PictureView, context: JobContext) -> tuple[Plane | None, PixelBox]:
    with context.stage("foreground", tr("Looking for the shadow")):
        image = picture.overview.astype(np.float32) * np.float32(1 / 255)
        small = cast_shadow(image, picture.mask_in_overview(alpha, box))
    if small is None:
        context.note(tr("The background is not plain enough to tell the shadow from it."))
        return None, box
    seen = tight_box(small)
    if seen.empty:
        context.note(tr("No shadow was seen."))
        return None, box
    around = picture.overview_box_to_document(seen)
    return picture.enlarged(small, around), around


def coloured(parts: Layers, shown: PixelBox, request: Cutout, picture: PictureView, context: JobContext) -> Pixels:
    """The pixels in ``shown``. Raises ``MorePixelsNeeded`` where only a proxy shows the subject's colours."""
    border, behind = colour(request.outline_colour, "outline"), colour(request.background, "background")
    estimate = _estimate(request.colours, parts.subject)
    fill = None if request.crop else behind
    area = picture.box if fill is not None else shown
    layout = pixels.pixel_format(request.format)
    out = np.zeros((area.height, area.width * layout.pixel_bytes), np.uint8)
    total = tiles.count(area)

    def packed(tile: tiles.Tile) -> bytes:
        colours, opacity = _Piece(tile, parts, picture, estimate).mixed(border, behind)
        return pixels.pack(colours, opacity, request.format, picture.transfer)

    with context.stage("foreground", tr("Cleaning the colours of the edges")):
        cover = tiles.cover(area, overlap=0, halo=MARGIN)
        for number, (tile, data) in enumerate(tiles.side_by_side(packed, cover, context.models.threads), 1):
            if number < total:
                context.progress("foreground", number / total)
            rows, columns = tile.write.moved(-area.x, -area.y).slices()
            first, last = columns.start * layout.pixel_bytes, columns.stop * layout.pixel_bytes
            out[rows, first:last] = np.frombuffer(data, np.uint8).reshape(tile.write.height, -1)
    return Pixels(box=to_rect(area), format=request.format, data=out.tobytes())


class _Piece:
    """What goes into the pixels of one tile."""

    def __init__(self, tile: tiles.Tile, parts: Layers, picture: PictureView, estimate) -> None:
        self._tile, self._parts = tile, parts
        alpha = recrop(parts.subject, parts.box, tile.write)
        self.alpha = alpha
        self.colours = np.zeros((*alpha.shape, 3), np.float32)
        if not (alpha > 0).any():
            return
        seen = tight_box(alpha, 1e-6).moved(tile.write.x, tile.write.y)
        around = picture.with_detail(seen.padded(MARGIN).intersect(tile.read), seen)
        own, own_alpha = picture.detail(around)
        if estimate is not None:
            own = decontaminate(own, np.ascontiguousarray(recrop(parts.subject, parts.box, around)), estimate=estimate)
        self.colours = recrop(own, around, tile.write)
        if own_alpha is not None:
            self.alpha = alpha * recrop(own_alpha, around, tile.write)

    def mixed(self, border: Colour | None, behind: Colour | None) -> tuple[Colour, Plane]:
        """Subject over border over shadow over background, in the pixels that the tile writes.

        Colours ``(h, w, 3)``, not multiplied by the opacity, and opacity ``(h, w)``; float32 0..1.
        """
        one = np.float32(1)
        alpha = self.alpha
        outline, shadow = (
            None if plane is None else recrop(plane, self._parts.box, self._tile.write)
            for plane in (self._parts.outline, self._parts.shadow)
        )
        if outline is None and shadow is None and behind is None:
            return self.colours, alpha
        lit = np.asarray(self.colours * alpha[..., None], np.float32)
        for plane, tint in ((outline, border), (shadow, np.zeros(3, np.float32))):
            if plane is not None and tint is not None:
                rest = plane * (one - alpha)
                lit += rest[..., None] * tint
                alpha = np.asarray(alpha + rest, np.float32)
        if behind is not None:
            return np.asarray(lit + (one - alpha)[..., None] * behind, np.float32), np.ones_like(alpha)
        return np.asarray(lit / np.maximum(alpha, np.float32(1e-6))[..., None], np.float32), alpha


def _estimate(wanted: str, alpha: Plane):
    if wanted == "own":
        return None
    best = wanted == "best" or (wanted == "auto" and alpha.size <= BEST_PIXELS)
    return multi_level if best else estimate_foreground

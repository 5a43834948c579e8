"""The picture of a request: rasters in the document's coordinates, turned into arrays only when asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maskwright.images import pixels
from maskwright.masks.border import sides_reached, to_border
from maskwright.masks.boxes import AnyMask, PixelBox, Plane, dequantise, recrop, tight_box
from maskwright.masks.guided import fit, interpolate
from maskwright.masks.logits import LogitMap
from maskwright.masks.opencv import cv2
from maskwright.models.roles import RGB, Box
from maskwright_protocol import masks as wire_masks
from maskwright_protocol.errors import BadImage, BadInput, MorePixelsNeeded, UnknownImage
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Mask, Picture, PixelRect, Raster

_RADIUS, _EPSILON = 4, 1e-4  # of the guided enlargement, in overview pixels
_STRIP = 256  # rows that are enlarged at a time


THIN = 6  # sides in proportion
_REMEMBERED = 256
_GROUNDS: dict[str, int | None] = {}  # by the overview's key, since each job has a view of its own


class PictureView:
    """``box`` is the picture's extent in document pixels; the overview shows all of it at some scale."""

    def __init__(self, picture: Picture | None, rasters: Mapping[str, memoryview], apart: str = "") -> None:
        """``apart``: key of a raster that shows a mask. Raises ``BadInput`` without a picture, ``BadImage`` when sizes
        make no sense."""
        if picture is None or not picture.rasters:
            raise BadInput(tr("The request has no picture."), hint=tr("Send the picture with the request."))
        self._rasters = rasters
        self._described = [raster for raster in picture.rasters if not apart or raster.key != apart]
        self._apart = [raster for raster in picture.rasters if apart and raster.key == apart]
        if not self._described:
            raise BadInput(tr("The request has no picture but the mask."), tr("Send the picture with the request."))
        first = self._described[0]
        self.box = to_box(picture.box)
        self.key = first.key  # names the overview's content
        self.transfer = first.transfer
        self.size = first.height, first.width  # of the overview
        self.origin = first.box.x, first.box.y  # the document pixel of the overview's top left corner
        if self.box.empty:
            raise BadImage(tr("The picture is empty."))
        for raster in picture.rasters:
            if raster.box.width < 1 or raster.box.height < 1 or raster.width < 1 or raster.height < 1:
                raise BadImage(tr("A raster of the picture is empty."))
        if not to_box(first.box).contains(self.box):
            raise BadImage(tr("The first raster must show the whole picture."))
        self.scale = first.width / first.box.width, first.height / first.box.height  # overview per document pixels

    @cached_property
    def ground(self) -> int | None:
        """The grey behind transparent places, the same in all rasters; None where all of the picture is transparent."""
        raster = self._described[0]
        if not pixels.pixel_format(raster.format).channels.endswith("A"):
            return pixels.BACKDROP
        if raster.key not in _GROUNDS:
            while len(_GROUNDS) >= _REMEMBERED:
                _GROUNDS.pop(next(iter(_GROUNDS)), None)
            found = pixels.backdrop(self._data(raster), raster.width, raster.height, raster.format, raster.transfer)
            _GROUNDS[raster.key] = found
        return _GROUNDS[raster.key]

    def check_visible(self) -> None:
        """Raises ``BadInput`` where all of the picture is transparent."""
        if self.ground is None:
            text = tr("There is nothing to look at: the layer is empty, or all of the picture is transparent.")
            raise BadInput(text, tr("Choose another layer, or look at the visible image."))

    @cached_property
    def overview(self) -> RGB:
        """The whole picture ``(h, w, 3)`` uint8 sRGB, at the overview's scale."""
        raster = self._described[0]
        data, ground = self._data(raster), self.ground or 0
        return pixels.rgb8(data, raster.width, raster.height, raster.format, raster.transfer, ground=ground)

    @property
    def is_thin(self) -> bool:
        """Whether it is so long that its overview shows little."""
        return max(self.box.width, self.box.height) > THIN * min(self.box.width, self.box.height)

    def part(self, box: PixelBox) -> PictureView:
        """A part of the document as a picture of its own, whose overview has the document's own pixels.

        Raises ``MorePixelsNeeded``.
        """
        colours = np.ascontiguousarray(self.detail_rgb(box))
        key = f"{self.key}@{box.x},{box.y},{box.width},{box.height}"
        raster = Raster(key, box.width, box.height, "RGB8", to_rect(box))
        return PictureView(Picture(to_rect(box), [raster]), {key: colours.data.cast("B")})

    def to_overview(self, x: float, y: float) -> tuple[float, float]:
        sx, sy = self.scale
        ox, oy = self.origin
        return (x - ox) * sx, (y - oy) * sy

    def box_to_overview(self, box: Box) -> Box:
        return Box(*self.to_overview(box.x0, box.y0), *self.to_overview(box.x1, box.y1))

    def box_to_document(self, box: Box) -> Box:
        sx, sy = self.scale
        ox, oy = self.origin
        return Box(box.x0 / sx + ox, box.y0 / sy + oy, box.x1 / sx + ox, box.y1 / sy + oy)

    def map_to_overview(self, logits: LogitMap) -> LogitMap:
        """A map in document pixels, in the overview's."""
        (sx, sy), (ox, oy) = self.scale, self.origin
        return logits.mapped(sx, sy, -ox * sx, -oy * sy)

    def map_to_document(self, logits: LogitMap) -> LogitMap:
        """A map in the overview's pixels, in document pixels."""
        sx, sy = self.scale
        return logits.mapped(1 / sx, 1 / sy, *self.origin)

    def up_to_border(self, logits: LogitMap) -> LogitMap:
        """A model's answer in the overview's pixels, where it reaches the picture's border drawn up to it."""
        sides = sides_reached(logits.values)
        return to_border(logits, self.overview, sides) if True in sides else logits

    def overview_box_to_document(self, box: PixelBox) -> PixelBox:
        """The document's pixels that show a box of whole overview pixels, and two more of these on each side."""
        return PixelBox.around(*self.box_to_document(Box(*box.padded(2).edges))).intersect(self.box)

    def enlarged(self, small: Plane, box: PixelBox, follow: bool = False) -> Plane:
        """A mask of the overview's size at document resolution in ``box``; both float32 0..1.

        ``follow``: its edges follow the document's colours, by a guided filter fitted to the overview.
        """
        sx, sy = self.scale
        ox, oy = self.origin
        if sx == 1 and sy == 1:
            return np.ascontiguousarray(small[box.moved(-ox, -oy).slices()])
        follow = follow and max(sx, sy) < 1
        planes = [small]
        if follow:
            model = fit(self.overview.astype(np.float32) * np.float32(1 / 255), small, _RADIUS, _EPSILON)
            planes = [model.b, *(np.ascontiguousarray(model.a[..., i]) for i in range(3))]
        # Pixel centres of the box in overview coordinates.
        columns = ((np.arange(box.width, dtype=np.float32) + 0.5 + box.x - ox) * sx - 0.5).astype(np.float32)
        rows = ((np.arange(box.height, dtype=np.float32) + 0.5 + box.y - oy) * sy - 0.5).astype(np.float32)
        out = np.empty((box.height, box.width), np.float32)
        for top in range(0, box.height, _STRIP):
            part = slice(top, min(box.height, top + _STRIP))
            values = [interpolate(plane, columns, rows[part]) for plane in planes]
            strip = values[0]
            if follow:
                colours = self.detail_rgb(PixelBox(box.x, box.y + top, box.width, part.stop - top))
                for channel in range(3):
                    strip = strip + values[1 + channel] * (colours[..., channel] * np.float32(1 / 255))
            out[part] = np.clip(strip, 0.0, 1.0)
        return out

    def mask_in_overview(self, mask: Plane, box: PixelBox) -> Plane:
        """A mask that covers ``box`` of the document (0 elsewhere), averaged to the overview's size ``(h, w)``; float32
        0..1."""
        height, width = self.size
        out = np.zeros((height, width), np.float32)
        common = box.intersect(self.box)
        if common.empty:
            return out
        x0, y0 = self.to_overview(common.x, common.y)
        x1, y1 = self.to_overview(common.right, common.bottom)
        left, top = min(math.floor(x0 + 0.5), width - 1), min(math.floor(y0 + 0.5), height - 1)
        right, bottom = max(left + 1, math.floor(x1 + 0.5)), max(top + 1, math.floor(y1 + 0.5))
        part = np.ascontiguousarray(recrop(mask, box, common))
        out[top:bottom, left:right] = cv2.resize(part, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        return out

    def mask_apart(self) -> tuple[AnyMask, PixelBox]:
        """The mask that a raster shows, ``(h, w)`` uint8, and its box in the document. Raises ``BadInput``."""
        raster = next(iter(self._apart), None)
        if raster is None or raster.format != "GRAY8" or (raster.width, raster.height) != to_box(raster.box)[2:]:
            raise BadInput(
                tr("The picture has no mask of that name."), tr("Send it as GRAY8 in the document's pixels.")
            )
        plane = np.frombuffer(self._data(raster), np.uint8).reshape(raster.height, raster.width)
        return plane, to_box(raster.box)

    def has_detail(self, box: PixelBox) -> bool:
        return self._full(box) is not None

    def need_detail(self, box: PixelBox) -> None:
        """Raises ``MorePixelsNeeded`` when no raster shows ``box`` at full resolution."""
        self._need(box)

    def with_detail(self, wanted: PixelBox, least: PixelBox) -> PixelBox:
        """As much of ``wanted`` as one raster shows at full resolution that shows ``least``.

        Raises ``MorePixelsNeeded`` when none shows even that.
        """
        raster, _ = self._need(least)
        return wanted.intersect(to_box(raster.box)).intersect(self.box)

    def detail_rgb(self, box: PixelBox) -> RGB:
        """The document's pixels in ``box``: ``(box.height, box.width, 3)`` uint8 sRGB.

        Raises ``MorePixelsNeeded`` when only a proxy shows them.
        """
        raster, crop = self._need(box)
        data = self._data(raster)
        ground = self.ground or 0
        return pixels.rgb8(data, raster.width, raster.height, raster.format, raster.transfer, crop, ground)

    def detail(self, box: PixelBox) -> tuple[pixels.Colours, Plane | None]:
        """The document's pixels in ``box``: colours ``(h, w, 3)`` and alpha ``(h, w)`` (None: opaque), float32 0..1.

        The colours are the document's own, not converted to sRGB.

        Raises ``MorePixelsNeeded`` when no raster shows them at full resolution.
        """
        raster, crop = self._need(box)
        data = self._data(raster)
        colours = pixels.colours(data, raster.width, raster.height, raster.format, raster.transfer, crop)
        return colours, pixels.alpha(data, raster.width, raster.height, raster.format, crop)

    def detail8(self, box: PixelBox) -> tuple[RGB, NDArray[np.uint8] | None]:
        """The document's pixels in ``box``: their own colours ``(h, w, 3)`` and alpha ``(h, w)`` (None: opaque), uint8
        sRGB.

        Raises ``MorePixelsNeeded`` when no raster shows them at full resolution.
        """
        raster, crop = self._need(box)
        data = self._data(raster)
        return pixels.straight8(data, raster.width, raster.height, raster.format, raster.transfer, crop)

    def _full(self, box: PixelBox) -> Raster | None:
        for raster in self._described:
            native = raster.width == raster.box.width and raster.height == raster.box.height
            if native and to_box(raster.box).contains(box):
                return raster
        return None

    def _need(self, box: PixelBox) -> tuple[Raster, pixels.Crop]:
        raster = self._full(box)
        if raster is None:
            raise MorePixelsNeeded(tr("This needs the picture at full resolution."), box=list(box))
        return raster, box.moved(-raster.box.x, -raster.box.y).slices()

    def _data(self, raster: Raster) -> memoryview:
        try:
            return self._rasters[raster.key]
        except KeyError:
            raise UnknownImage(tr("The server does not hold this picture any more."), keys=[raster.key]) from None


def to_box(rect: PixelRect) -> PixelBox:
    return PixelBox(rect.x, rect.y, max(0, rect.width), max(0, rect.height))


def to_rect(box: PixelBox) -> PixelRect:
    return PixelRect(box.x, box.y, box.width, box.height)


def read_plane(mask: Mask) -> tuple[AnyMask, PixelBox]:
    """A request's mask as it came, ``(h, w)`` uint8 or uint16 at full scale, and its box in the document.

    Raises ``BadInput`` when its bytes do not fit.
    """
    box = to_box(mask.box)
    kind = np.dtype(np.uint8) if mask.depth == 8 else np.dtype("<u2")
    plane: AnyMask = np.frombuffer(wire_masks.unpack(mask), kind).reshape(box.height, box.width)
    return plane, box


def read_mask(mask: Mask) -> tuple[Plane, PixelBox]:
    """A request's mask ``(h, w)`` float32 0..1 and its box in the document.

    Raises ``BadInput`` when its bytes do not fit.
    """
    plane, box = read_plane(mask)
    return dequantise(plane), box


def tight_mask(mask: Mask, picture: PictureView) -> tuple[AnyMask, PixelBox] | None:
    """A request's mask within the picture, cropped to what is visible, and the crop's box in the document.

    ``(h, w)`` uint8 or uint16 at full scale; None when no pixel is at least half full.
    """
    return tight(*read_plane(mask), picture.box)


def tight(plane: AnyMask, box: PixelBox, canvas: PixelBox) -> tuple[AnyMask, PixelBox] | None:
    """A mask of whole numbers that covers ``box`` as ``tight_mask`` tells it."""
    common = box.intersect(canvas)
    plane = recrop(plane, box, common)
    inner = tight_box(plane)
    if inner.empty or int(plane.max()) <= np.iinfo(plane.dtype).max // 2:
        return None
    return plane[inner.slices()], inner.moved(common.x, common.y)

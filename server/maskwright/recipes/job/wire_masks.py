"""From masks in numpy to masks on the wire."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskwright.masks.boxes import PixelBox, Plane, quantise, tight_box
from maskwright.masks.instances import limit
from maskwright.masks.post import post_process_crop
from maskwright.models.roles import Box
from maskwright_protocol.messages import Mask, PostProcess, Rect

from .picture import to_rect


def finish(
    mask: Plane, box: PixelBox, canvas: PixelBox, post: PostProcess, region: tuple[Plane, PixelBox] | None
) -> tuple[Plane, PixelBox]:
    """The post-processing chain, then the region, outside of which nothing is selected.

    ``mask`` float32 0..1 covers ``box`` of the document, ``canvas`` is the picture. The answer is a mask and its box.
    """
    mask, box = post_process_crop(mask, box, canvas, post)
    return (mask, box) if region is None else limit(mask, box, *region)


def pack8(plane: NDArray[np.uint8] | NDArray[np.uint16], box: PixelBox) -> Mask | None:
    """A mask ``(h, w)`` of whole numbers that covers ``box``, cropped to what is not 0; None when all of it is."""
    inner = tight_box(plane)
    if inner.empty:
        return None
    crop = plane[inner.slices()].astype(plane.dtype.newbyteorder("<"), copy=False)
    rect = to_rect(inner.moved(box.x, box.y))
    return Mask(box=rect, depth=8 * crop.dtype.itemsize, encoding="raw", data=crop.tobytes())


def pack(mask: Plane, box: PixelBox, depth: int) -> Mask | None:
    """A mask ``(h, w)`` float32 0..1 that covers ``box``, rounded to ``depth`` bits, cropped to what is visible.

    None when nothing is.
    """
    return pack8(quantise(np.ascontiguousarray(mask), depth), box)


def rect_of(mask: Mask) -> Rect:
    return Rect(float(mask.box.x), float(mask.box.y), float(mask.box.width), float(mask.box.height))


def rect_from(box: Box) -> Rect:
    return Rect(box.x0, box.y0, box.width, box.height)

"""Mask files: how much of each pixel is selected."""

from __future__ import annotations

import cv2
import numpy as np

from maskwright_protocol.errors import BadInput
from maskwright_protocol.masks import pack
from maskwright_protocol.messages import Mask, PixelRect

from .picture import Array, Stored, upright
from .profiles import to_srgb
from .reading import Source, explained, read_stored
from .values import to_uint16, whole_numbers

_FAINT = 0.1  # of full coverage


def read_mask(source: Source, width: int, height: int, notes: list[str] | None = None) -> Mask:
    """A mask file for a picture of ``width`` x ``height`` as a message part, 8 or 16 bits.

    Its alpha, if it has one that is used; else what is neither black nor transparent, if it has a palette of colours;
    else its brightness, as it is stored: numbers of coverage have no colour profile. ``notes`` gets a sentence for each
    thing that was not plain. Raises ``BadImage`` for what is no picture, and ``BadInput`` for what is no such mask.
    """
    said: list[str] = []
    plane = explained(source, lambda data: _plane(read_stored(data), said))
    if not plane.any():
        raise BadInput("The mask is empty.", "Paint white what is selected.")
    top_value = int(plane.max())
    if top_value == 1:
        plane = plane * np.iinfo(plane.dtype).max
        said.append("The mask has values of 0 and 1: 1 is taken as wholly selected.")
    elif top_value < _FAINT * np.iinfo(plane.dtype).max:
        said.append(f"The mask is faint: its highest value is {top_value} of {np.iinfo(plane.dtype).max}.")
    if plane.shape != (height, width):
        plane = _fitted(plane, width, height)
        said.append(f"The mask was scaled to the picture's {width}x{height} pixels.")
    if notes is not None:
        notes += said
    left, top, wide, high = cv2.boundingRect((plane > 0).astype(np.uint8))
    part = np.ascontiguousarray(plane[top : top + high, left : left + wide])
    return pack(PixelRect(left, top, wide, high), part.tobytes(), depth=8 * part.itemsize)


def _plane(stored: Stored, said: list[str]) -> Array:
    """``(H, W)`` uint8 or uint16, upright."""
    pixels = stored.pixels
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0)
        pixels = to_uint16(pixels / np.float32(whole_numbers(pixels) or 1.0))
    colour, alpha = (pixels[:, :, :-1], pixels[:, :, -1]) if stored.alpha else (pixels, None)
    full = np.iinfo(pixels.dtype).max
    if stored.palette and (colour != colour[:, :, :1]).any():
        selected = colour.any(axis=2) & (True if alpha is None else alpha > 0)
        said.append("The mask has a palette of colours: all that is not black is taken as selected.")
        plane = selected.astype(pixels.dtype) * full
    elif alpha is not None and alpha.min() < full:
        plane = alpha
    elif stored.space == "gray":
        plane = colour[:, :, 0]
    elif stored.space == "rgb":
        plane = cv2.cvtColor(np.ascontiguousarray(colour), cv2.COLOR_RGB2GRAY)
    else:
        converted = to_srgb(colour, stored.space, stored.icc_profile)
        plane = cv2.cvtColor(np.ascontiguousarray(converted), cv2.COLOR_RGB2GRAY)
    return upright(plane, stored.orientation)


def _fitted(plane: Array, width: int, height: int) -> Array:
    """Scaled when it has the picture's shape within a pixel of rounding. Raises ``BadInput`` when it has not."""
    high, wide = plane.shape
    if abs(high - height * wide / width) > 1 and abs(wide - width * high / height) > 1:
        said = f"The mask is {wide}x{high}, the picture {width}x{height}"
        if (wide, high) == (height, width):
            raise BadInput(f"{said}: it lies on its side.", "Turn the mask as the picture is shown.")
        raise BadInput(f"{said}, which is another shape.", "Use a mask of the whole picture.")
    way = cv2.INTER_AREA if wide > width else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(plane), (width, height), interpolation=way)

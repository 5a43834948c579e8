"""What a job found, as arrays in the frame of its picture: what files are written from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright_protocol.masks import place, unpack
from maskwright_protocol.messages import (
    CutoutResult,
    FlatsResult,
    Instance,
    MappedObject,
    Mask,
    ObjectMap,
    PixelRect,
    Pixels,
    Selection,
)

from .reading import Picture

Array = NDArray[Any]


@dataclass
class ResultInstance:
    """One found thing. ``box`` are the pixels of the picture that ``mask`` covers; outside it nothing is selected.

    ``mask``: ``(box.height, box.width)`` uint8 or uint16, all its bits for wholly selected. ``cutout``: the same size,
    RGBA uint8 or uint16, sRGB, straight alpha, clean edge colours; None where the answer has none. ``score`` is 0..1.
    """

    name: str
    score: float
    box: PixelRect
    mask: Array
    cutout: Array | None = None


@dataclass
class Result:
    """``width`` x ``height`` pixels, of which the first is ``origin`` of the picture.

    ``mask``: ``(height, width)`` uint8 or uint16; ``cutout``: ``(height, width, 4)`` the same, sRGB, straight alpha;
    None for what the answer does not have. Boxes of ``instances`` are within the result; ``picture`` is what it was
    found in.
    """

    width: int
    height: int
    mask: Array | None = None
    cutout: Array | None = None
    instances: list[ResultInstance] = field(default_factory=list)
    picture: Picture | None = None
    origin: tuple[int, int] = (0, 0)

    def cropped(self, box: PixelRect) -> Result:
        """Only what is in ``box``, which lies within the result."""
        rows, columns = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
        return replace(
            self,
            width=box.width,
            height=box.height,
            mask=None if self.mask is None else self.mask[rows, columns],
            cutout=None if self.cutout is None else self.cutout[rows, columns],
            instances=[one for one in (_within(one, box) for one in self.instances) if one is not None],
            origin=(self.origin[0] + box.x, self.origin[1] + box.y),
        )


def of_selection(answer: Selection, width: int, height: int, picture: Picture | None = None) -> Result:
    """The merged mask, or the first instance's where nothing was merged, and all instances that have a mask."""
    mask = answer.merged or (answer.instances[0].mask if answer.instances else None)
    return Result(
        width,
        height,
        mask=None if mask is None else mask_plane(mask, width, height),
        instances=[_instance(one, one.mask, width, height) for one in answer.instances if one.mask is not None],
        picture=picture,
    )


def of_cutout(answer: CutoutResult, width: int, height: int, picture: Picture | None = None) -> Result:
    """The alpha and, if the answer has it, the foreground in the picture's frame."""
    result = Result(width, height, picture=picture)
    if answer.alpha is not None:
        result.mask = mask_plane(answer.alpha, width, height)
    if answer.foreground is not None:
        part, colours = answer.foreground.box, pixels_array(answer.foreground)
        result.cutout = np.zeros((height, width, 4), colours.dtype)
        result.cutout[part.y : part.y + part.height, part.x : part.x + part.width] = colours
    return result


def of_flats(answer: FlatsResult, width: int, height: int, picture: Picture | None = None) -> Result:
    """The flat colours as a cut-out."""
    result = Result(width, height, picture=picture)
    if answer.colours is not None:
        result.cutout = pixels_array(answer.colours)
    return result


def of_map(answer: ObjectMap, width: int, height: int, picture: Picture | None = None) -> Result:
    """All objects as instances, the smallest first; each with those that are part of it."""
    result = Result(width, height, picture=picture)
    if answer.labels is None:
        return result
    box = answer.labels.box
    numbers = np.frombuffer(unpack(answer.labels), "<u2").reshape(box.height, box.width)
    parts: dict[int, set[int]] = {}
    smallest_first = sorted(answer.objects, key=lambda one: one.area)
    for one in smallest_first:  # so that its parts are known before it
        parts.setdefault(one.number, set()).add(one.number)
        parts.setdefault(one.parent, set()).update(parts[one.number])
    for one in smallest_first:
        inside = np.isin(numbers, list(parts[one.number]))
        if inside.any():
            result.instances.append(_enlarged(inside, one, width, height))
    return result


def _enlarged(inside: Array, one: MappedObject, width: int, height: int) -> ResultInstance:
    """An object of the overview at the picture's size, its edge as soft as one pixel of the overview."""
    import cv2

    high, wide = inside.shape
    across, down = width / wide, height / high
    left, top, columns, rows = cv2.boundingRect(inside.astype(np.uint8))
    right, bottom = min(wide, left + columns + 1), min(high, top + rows + 1)
    left, top = max(0, left - 1), max(0, top - 1)
    x, y = int(left * across), int(top * down)
    box = PixelRect(x, y, min(width, int(np.ceil(right * across))) - x, min(height, int(np.ceil(bottom * down))) - y)
    # From the middles of the picture's pixels to where they lie among the overview's.
    back = np.array([[1 / across, 0, (x + 0.5) / across - 0.5 - left], [0, 1 / down, (y + 0.5) / down - 0.5 - top]])
    part = inside[top:bottom, left:right].astype(np.uint8) * np.uint8(255)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    mask = cv2.warpAffine(part, back, (box.width, box.height), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return ResultInstance(one.name or "object", one.score, box, mask)


def mask_plane(mask: Mask, width: int, height: int) -> Array:
    """The mask in the picture's frame, ``(height, width)`` uint8 or uint16."""
    plane = place(mask, width, height)
    return np.frombuffer(plane, np.uint8 if mask.depth == 8 else "<u2").reshape(height, width)


def pixels_array(pixels: Pixels) -> Array:
    """Foreground colours as ``(H, W, 4)`` uint8 or uint16."""
    dtype = "<u2" if pixels.format == "RGBA16" else np.uint8
    return np.frombuffer(unpack(pixels), dtype).reshape(pixels.box.height, pixels.box.width, 4)


def _instance(one: Instance, mask: Mask, width: int, height: int) -> ResultInstance:
    left, top = max(0, mask.box.x), max(0, mask.box.y)
    right, bottom = min(width, mask.box.x + mask.box.width), min(height, mask.box.y + mask.box.height)
    box = PixelRect(left, top, max(0, right - left), max(0, bottom - top))
    plane = place(mask, box.width, box.height, box.x, box.y)
    rows = np.frombuffer(plane, np.uint8 if mask.depth == 8 else "<u2").reshape(box.height, box.width)
    return ResultInstance(one.label or "object", one.score, box, rows)


def _within(one: ResultInstance, box: PixelRect) -> ResultInstance | None:
    left, top = max(one.box.x, box.x), max(one.box.y, box.y)
    right = min(one.box.x + one.box.width, box.x + box.width)
    bottom = min(one.box.y + one.box.height, box.y + box.height)
    if right <= left or bottom <= top:
        return None
    rows = slice(top - one.box.y, bottom - one.box.y)
    columns = slice(left - one.box.x, right - one.box.x)
    return replace(
        one,
        box=PixelRect(left - box.x, top - box.y, right - left, bottom - top),
        mask=one.mask[rows, columns],
        cutout=None if one.cutout is None else one.cutout[rows, columns],
    )

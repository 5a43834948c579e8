"""What families of matting models share: enlarging a network's small answer, trimaps, and work in pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from maskwright.masks import tiles
from maskwright.masks.boxes import tight_box, whole
from maskwright.masks.guided import fit
from maskwright.masks.opencv import cv2
from maskwright.models.roles import RGB, FloatMap
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr

if TYPE_CHECKING:
    from maskwright.models.catalogue.entries import Entry

_STRIP = 1 << 20  # pixels at a time
_EPSILON = 1e-4  # variance of colour that counts as flat: the grain of a photo


def enlarged(alpha: FloatMap, image: RGB) -> FloatMap:
    """``alpha`` ``(h, w)`` float32 0..1 of the whole image, at the image's size ``(H, W)``; never thresholded.

    Where it grows its edges follow the image's colours (guided upsampling, He and Sun 2015); memory beyond the answer
    does not depend on the image's size.
    """
    height, width = image.shape[:2]
    small_height, small_width = alpha.shape
    if (height, width) == alpha.shape:
        return alpha
    if height * width <= small_height * small_width or min(alpha.shape) < 4:
        shrinks = height <= small_height and width <= small_width
        return cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    seen = cv2.resize(image, (small_width, small_height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    model = fit(seen, alpha, 1, _EPSILON)
    planes = np.dstack([model.a / np.float32(255), model.b])  # for colours 0..255
    places = np.clip((np.arange(height, dtype=np.float32) + 0.5) * (small_height / height) - 0.5, 0, small_height - 1)
    above = places.astype(np.intp)
    below = np.minimum(above + 1, small_height - 1)
    part = (places - above).astype(np.float32)[:, None, None]
    out = np.empty((height, width), np.float32)
    step = max(1, _STRIP // width)
    for start in range(0, height, step):
        rows = slice(start, start + step)
        here = planes[above[rows]] * (1 - part[rows]) + planes[below[rows]] * part[rows]
        here = cv2.resize(here, (width, len(here)), interpolation=cv2.INTER_LINEAR)
        value = np.einsum("hwc,hwc->hw", here[..., :3], image[rows].astype(np.float32)) + here[..., 3]
        np.clip(value, 0, 1, out=out[rows])
    return out


def settled(alpha: FloatMap, trimap: FloatMap | None) -> FloatMap:
    """``alpha`` with 1 where the trimap is 1 and 0 where it is 0; both ``(H, W)`` float32 0..1."""
    if trimap is None:
        return alpha
    return np.where(trimap >= 1, np.float32(1), np.where(trimap <= 0, np.float32(0), alpha))


def required(trimap: FloatMap | None, entry: Entry) -> FloatMap:
    """The trimap, ``(H, W)`` float32 0..1, as it is. Raises ``BadInput`` where there is none."""
    if trimap is None:
        text = tr("{0} refines the edge of a selection; it finds no subject by itself.", entry.title)
        hint = tr("Refine a selection with it, or take another model to remove the background.")
        raise BadInput(text, hint, model=entry.id)
    return trimap


def in_pieces(
    image: RGB, trimap: FloatMap, solve: Callable[[RGB, FloatMap], FloatMap], core: int, halo: int
) -> FloatMap:
    """Alpha ``(H, W)`` float32 0..1: ``solve(image, trimap)`` where the trimap is open, elsewhere the trimap.

    It is solved in overlapping pieces of about ``core`` pixels a side, with ``halo`` pixels more around each. A piece
    without sure inside or without sure outside cannot be solved by itself: it is taken from a solution of a small
    version of the whole.
    """
    unknown = (trimap > 0) & (trimap < 1)
    out = np.clip(trimap, 0, 1)
    box = tight_box(unknown.view(np.uint8))
    if box.empty:
        return out
    box = box.padded(halo).intersect(whole(image))
    if max(box.width, box.height) <= core + 2 * halo:
        rows, columns = box.slices()
        found = solve(np.ascontiguousarray(image[rows, columns]), trimap[rows, columns])
        out[rows, columns] = settled(found, trimap[rows, columns])
        return out
    overview: FloatMap | None = None
    answer = np.zeros((box.height, box.width), np.float32)
    for tile in tiles.cover(box, core, tiles.OVERLAP, halo):
        rows, columns = tile.write.slices()
        piece = out[rows, columns]
        if unknown[rows, columns].any():
            around = trimap[tile.read.slices()]
            if (around >= 1).any() and (around <= 0).any():
                found = solve(np.ascontiguousarray(image[tile.read.slices()]), around)
                inner = tile.write.moved(-tile.read.x, -tile.read.y)
                piece = found[inner.slices()]
            else:
                if overview is None:
                    overview = _overview(image[box.slices()], trimap[box.slices()], solve, core)
                piece = overview[tile.write.moved(-box.x, -box.y).slices()]
        answer[tile.write.moved(-box.x, -box.y).slices()] += tile.weights * piece
    out[box.slices()] = settled(answer, trimap[box.slices()])
    return out


def _overview(image: RGB, trimap: FloatMap, solve: Callable[[RGB, FloatMap], FloatMap], side: int) -> FloatMap:
    """``solve`` on a small version, brought to the image's size."""
    height, width = trimap.shape
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(trimap, size, interpolation=cv2.INTER_AREA)  # a small pixel is sure only where all of it is
    return enlarged(solve(cv2.resize(image, size, interpolation=cv2.INTER_AREA), small), np.ascontiguousarray(image))

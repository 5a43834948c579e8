"""Background removal: alpha, and the subject's own colours without the fringe of the old background."""

from __future__ import annotations

import numpy as np

from maskwright.images import pixels
from maskwright.masks.boxes import PixelBox, Plane, recrop, tight_box
from maskwright.masks.foreground import decontaminate
from maskwright.masks.guided import fit
from maskwright.masks.opencv import cv2
from maskwright.masks.post import post_process_crop
from maskwright_protocol.messages import Cutout, CutoutResult, Pixels

from . import prompts, vision
from .answer import pack
from .choose import Cast
from .context import JobContext
from .picture import PictureView, to_rect

_RADIUS, _EPSILON = 4, 1e-4  # of the guided enlargement, in overview pixels


def cutout(request: Cutout, picture: PictureView, context: JobContext) -> CutoutResult:
    """Raises ``MorePixelsNeeded`` when colours are asked for and only a proxy is there."""
    post, depth = prompts.check_post(request.post), prompts.check_depth(request.mask_depth)
    pixels.pixel_format(request.format)
    cast = Cast(request, "cutout", context)
    small = vision.matte(cast.matter(), picture, context)
    answer = CutoutResult(request.id, request.generation, context.report(cast.preset.name))
    seen = tight_box(small)
    if seen.empty or not (small >= 0.5).any():
        answer.reason = "nothing_found"
        answer.message = "No main subject was found."
        answer.hint = "Select the subject with a click or a box instead."
        return answer
    box = _document_box(seen, picture)
    detailed = request.foreground or picture.has_detail(box)
    if detailed:
        colours, own_alpha = picture.detail(box)
    else:
        colours, own_alpha = None, None
    with context.stage("refine", "Drawing the edges"):
        alpha = _enlarge(small, box, picture, colours)
        alpha, box_after = post_process_crop(alpha, box, picture.box, post)
        mask = pack(alpha, box_after, depth)
    if mask is None:
        answer.reason = "empty_after_post_processing"
        answer.message = "Nothing is left of the subject after the settings were applied."
        answer.hint = "Shrink less, lower the threshold, or keep smaller parts."
    answer.alpha = mask
    if request.foreground and mask is not None:
        visible = PixelBox(mask.box.x, mask.box.y, mask.box.width, mask.box.height)
        if colours is None or not box.contains(visible):
            colours, own_alpha = picture.detail(visible)
            box = visible
        with context.stage("foreground", "Cleaning the colours of the edges"):
            clean = decontaminate(colours, recrop(alpha, box_after, box))
            shown = recrop(alpha, box_after, visible)
            if own_alpha is not None:
                shown = shown * recrop(own_alpha, box, visible)
            data = pixels.pack(recrop(clean, box, visible), shown, request.format, picture.transfer)
        answer.foreground = Pixels(box=to_rect(visible), format=request.format, data=data)
    answer.report = context.report(cast.preset.name)
    return answer


def _document_box(seen: PixelBox, picture: PictureView) -> PixelBox:
    """The document's pixels that show a box of the overview, two overview pixels wider."""
    sx, sy = picture.scale
    ox, oy = picture.origin
    wide = seen.padded(2)
    return PixelBox.around(wide.x / sx + ox, wide.y / sy + oy, wide.right / sx + ox, wide.bottom / sy + oy).intersect(
        picture.box
    )


def _enlarge(small: Plane, box: PixelBox, picture: PictureView, colours: pixels.Colours | None) -> Plane:
    """The overview's alpha at document resolution in ``box``; with colours its edges follow them."""
    sx, sy = picture.scale
    ox, oy = picture.origin
    if sx == 1 and sy == 1:
        return np.ascontiguousarray(small[box.moved(-ox, -oy).slices()])
    # Pixel centres of the box in overview coordinates.
    columns = ((np.arange(box.width, dtype=np.float32) + 0.5 + box.x - ox) * sx - 0.5).astype(np.float32)
    rows = ((np.arange(box.height, dtype=np.float32) + 0.5 + box.y - oy) * sy - 0.5).astype(np.float32)

    def bring(plane: np.ndarray) -> np.ndarray:
        return _interpolate(plane, columns, rows)

    if colours is None or max(sx, sy) >= 1:
        return np.clip(bring(small), 0.0, 1.0)
    guide = picture.overview.astype(np.float32) * np.float32(1 / 255)
    model = fit(guide, small, _RADIUS, _EPSILON)
    out = bring(model.b)
    for channel in range(3):
        out += bring(np.ascontiguousarray(model.a[..., channel])) * colours[..., channel]
    return np.clip(out, 0.0, 1.0)


def _interpolate(plane: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Bilinear values at ``rows`` x ``columns`` (float32 places), one axis after the other; the rim goes on outside."""
    for axis, places in ((1, columns), (0, rows)):
        last = plane.shape[axis] - 1
        places = np.clip(places, 0, last)
        low = np.minimum(places.astype(np.int32), max(0, last - 1))
        part = (places - low).astype(np.float32)
        part = part[None, :] if axis else part[:, None]
        first, second = np.take(plane, low, axis), np.take(plane, np.minimum(low + 1, last), axis)
        plane = cv2.add(first, cv2.multiply(cv2.subtract(second, first), np.broadcast_to(part, first.shape).copy()))
    return plane

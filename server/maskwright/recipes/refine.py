"""A selection and the image -> the selection with a soft edge that follows the image, in a band around its edge."""

from __future__ import annotations

import math

import numpy as np

from maskwright.masks.boxes import PixelBox, Plane, recrop, tight_box
from maskwright.masks.guided import guided_filter
from maskwright.masks.opencv import cv2
from maskwright.masks.trimap import auto_edge_width, band
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.messages import Instance, Refine, Selection

from . import prompts
from .answer import pack, rect_of
from .choose import Cast
from .context import JobContext
from .drawing import finish
from .picture import PictureView, read_mask

MAX_WIDTH = 1000.0
DISAGREEMENT = 0.6  # agreement below which the user is told
_EPSILON = 3e-4
_LOW, _HIGH = 0.08, 0.92  # the filter never quite reaches 0 and 1


def refine(request: Refine, picture: PictureView, context: JobContext) -> Selection:
    """Raises ``MorePixelsNeeded`` for the crop around the edge, ``EmptyPrompt`` for an empty selection."""
    post, depth = prompts.check_post(request.post), prompts.check_depth(request.mask_depth)
    width = prompts.check_number(request.edge_width, "edge width")
    if not 0 <= width <= MAX_WIDTH:
        raise BadInput(f"The edge width lies outside 0 to {MAX_WIDTH:g} pixels.")
    cast = Cast(request, "refine", context)
    if request.mask is None:
        raise EmptyPrompt("There is no selection to refine.", hint="Select something first.")
    mask, box = read_mask(request.mask)
    common = box.intersect(picture.box)
    mask, box = recrop(mask, box, common), common
    inner = tight_box(mask)
    if inner.empty or not (mask >= 0.5).any():
        raise EmptyPrompt("The selection is empty.", hint="Select something first.")
    width = width or auto_edge_width(mask)
    work = inner.moved(box.x, box.y).padded(math.ceil(2 * width) + 2).intersect(picture.box)
    whole = recrop(mask, box, work)
    colours, _ = picture.detail(work)
    with context.stage("refine", "Finding the edge"):
        alpha = refine_edge(whole, colours, width)
        agreement = _agreement(whole, alpha, width)
    answer = Selection(request.id, request.generation, context.report(cast.preset.name), agreement=agreement)
    with context.stage("post", "Drawing the mask"):
        alpha, final = finish(alpha, work, picture.box, post, None)
        packed = pack(alpha, final, depth)
    if agreement < DISAGREEMENT:
        context.note("The image disagrees with the selection along much of its edge; check the result.")
    if packed is None:
        answer.reason = "empty_after_post_processing"
        answer.message = "Nothing is left of the selection after its settings were applied."
        answer.hint = "Shrink less, or lower the threshold."
    else:
        answer.instances.append(Instance("refined", "", agreement, rect_of(packed), "guided-filter", mask=packed))
    answer.report = context.report(cast.preset.name)
    return answer


def refine_edge(mask: Plane, colours: np.ndarray, width: float) -> Plane:
    """``mask`` ``(H, W)`` with its edge found again within ``width / 2`` of where it was; ``colours`` ``(H, W, 3)``.

    Both float32 0..1. Outside the band the mask stays as it is.
    """
    unknown = band(mask, width)
    if not unknown.any():
        return mask
    near = tight_box(unknown.astype(np.float32)).padded(math.ceil(width) + 2)
    near = near.intersect(PixelBox(0, 0, mask.shape[1], mask.shape[0]))
    part, guide, where = (a[near.slices()] for a in (mask, colours, unknown))
    # A wide window finds which side each colour belongs to, a narrow one then settles the edge.
    alpha = np.ascontiguousarray(part)
    for radius in (max(2, round(width / 2)), max(2, round(width / 4))):
        subsample = max(1, min(4, radius // 6))
        alpha = guided_filter(np.ascontiguousarray(guide), alpha, radius, _EPSILON, subsample)
        alpha = np.clip((alpha - np.float32(_LOW)) * np.float32(1 / (_HIGH - _LOW)), 0.0, 1.0)
        alpha = np.where(where, alpha, part)
    # Let the band's own rim fade into what was there, so that no seam shows.
    weight = cv2.distanceTransform(np.ascontiguousarray(where).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    weight = np.clip(weight / np.float32(max(1.0, width / 8)), 0.0, 1.0)
    out = mask.copy()
    out[near.slices()] = alpha * weight + part * (np.float32(1) - weight)
    return out


def _agreement(before: Plane, after: Plane, width: float) -> float:
    """How far the found edge is the one that was given: 1 less the share of the band that changed sides, doubled."""
    where = band(before, width)
    if not where.any():
        return 1.0
    changed = np.count_nonzero((before >= 0.5)[where] != (after >= 0.5)[where])
    return float(max(0.0, 1.0 - 2.0 * changed / np.count_nonzero(where)))

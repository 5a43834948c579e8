"""A segmenter's object with the edges of a matting model: the first knows what belongs together, the second knows hair.

The object's crop of the picture, at its own resolution and not painted over, goes to the matting model; its alpha
counts in a band around the object's outline, the object itself inside and outside of it. Where the matting model took
something else for the subject, the edge is found from a trimap of the object instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from maskwright.masks.boxes import AnyMask, PixelBox, Plane, as_float, recrop
from maskwright.masks.edges import without_haze
from maskwright.masks.instances import mask_iou
from maskwright.masks.opencv import cv2
from maskwright.masks.trimap import WIDEST
from maskwright.models.roles import RGB, MattingModel
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.edge import FromMatte, Guided, Matted, edge_width, find_edge, reach, solver_for
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import EdgeJob

from .matters import Matters

Selected = tuple[AnyMask, PixelBox]  # a mask and the box that it covers

ROI_SHARE = 0.125  # of the object's size, added on each side
ROI_LEAST = 64  # pixels
AGREEMENT = 0.6  # IoU of matte and object below which the matte shows something else
FINER = 1.25  # from this many times the matting model's own resolution on, the edge of a crop is found once more
COARSE = 512  # pixels: a matting model that looks at fewer has blurred edges at any size
SURE, HAZE = 0.9, 0.05
PAINTS = ("", "green", "mean", "blur")
_GREEN = (0, 255, 0)


def compose(
    mask: AnyMask,
    box: PixelBox,
    others: Sequence[Selected],
    picture: PictureView,
    matters: Matters,
    choice: ModelChoice,
    settings: EdgeJob,
    context: JobContext,
    *,
    edges: str = "auto",
    transparency: bool = False,
    paint_out: str = "",
) -> Matted:
    """Alpha of the object that ``mask`` shows, by that of the matting models which shows it, and the job's refiner.

    ``mask`` covers ``box`` of the document tightly.

    ``others``: masks of its neighbours, whose sure parts are taken away. ``edges``: "matte" as the matting model gives
    them, "refined" found once more by the refiner, "auto": refined where the model looks at fewer pixels.
    ``agreement`` is the IoU of matte and object in the crop. Raises ``MorePixelsNeeded`` for that crop.
    """
    if paint_out not in PAINTS:
        raise BadInput(
            tr("{0!r} is no way to paint over.", paint_out), hint=tr("Use 'green', 'mean', 'blur' or nothing.")
        )
    width = edge_width(mask, settings.edge_width)
    roi = region(box, picture.box, settings.hair, width)
    picture.need_detail(roi)
    solid = as_float(recrop(mask, box, roi)) > 0.5
    image = picture.detail_rgb(roi)
    if paint_out:
        image = painted(image, as_float(recrop(mask, box, roi)), width, paint_out)
    with context.stage("refine", tr("Looking at the edges")):
        matte, matting = matters.near(box).crop(np.ascontiguousarray(image), solid, context)
    refiner = choice.refiner()
    agreement = mask_iou(matte > 0.5, solid)
    hair, asked = settings.hair, edges == "refined" or not choice.free("refiner")
    if agreement < AGREEMENT:
        context.note(
            tr("The matting model took something else for the subject, so the edge was found from the selection.")
        )
        solver = solver_for(picture, refiner, mask, width, context, asked)
        done = find_edge(mask, box, picture, solver, context, width=width, hair=hair, limit=roi)
    else:
        done = find_edge(mask, box, picture, FromMatte(matte, roi), context, width=width, hair=hair, limit=roi)
        if finer_wanted(edges, context.models.known.get(matting.model_id).input_size, roi):
            done = found_again(done, picture, refiner, width, hair, roi, context, asked)
        if transparency:
            inside = as_float(recrop(mask, box, done.box)) >= SURE
            done.alpha = np.where(inside, np.minimum(done.alpha, recrop(matte, roi, done.box)), done.alpha)
    done.agreement = agreement
    if edges != "matte":
        done.alpha = without_haze(done.alpha, width)
    done.alpha = without_neighbours(done.alpha, done.box, others)
    done.alpha = attached(done.alpha, as_float(recrop(mask, box, done.box)))
    return done


def found_again(
    done: Matted, picture: PictureView, refiner: MattingModel | None, width: float, hair: bool, roi: PixelBox,
    context: JobContext, asked: bool,
) -> Matted:  # fmt: skip
    """``done`` with its edge found once more by the refiner at full resolution, unless that would take too long."""
    if refiner is None:
        return done
    solver = solver_for(picture, refiner, done.alpha, width, context, asked)
    if solver.route == Guided.route:
        return done
    text = tr("Finding the edge at full resolution")
    again = find_edge(
        done.alpha, done.box, picture, solver, context, width=width, hair=hair, limit=roi, text=text
    )  # fmt: skip
    again.route = f"{done.route}+{again.route}"
    return again


def region(box: PixelBox, canvas: PixelBox, hair: bool, width: float = WIDEST) -> PixelBox:
    """The crop around an object that a matting model is shown: a quarter larger, at least 64 pixels on each side, and
    as far as an edge band of that width may reach."""
    least = max(ROI_LEAST, reach(width, hair))
    x = max(least, math.ceil(ROI_SHARE * box.width))
    y = max(least, math.ceil(ROI_SHARE * box.height))
    return PixelBox(box.x - x, box.y - y, box.width + 2 * x, box.height + 2 * y).intersect(canvas)


def finer_wanted(edges: str, input_size: int, box: PixelBox) -> bool:
    """Whether a matting model that looks at ``input_size`` pixels leaves something to find in a crop of that size."""
    coarse = input_size < COARSE or max(box.width, box.height) > FINER * input_size
    return edges == "refined" or (edges == "auto" and coarse)


def painted(image: RGB, mask: Plane, width: float, how: str) -> RGB:
    """The image with everything painted over that is further than ``width`` pixels from the mask.

    ``how``: "green", "mean" (the mean colour of what is painted over) or "blur" (it is blurred, without the object).
    ``image`` ``(H, W, 3)`` uint8, ``mask`` ``(H, W)`` float32 0..1.
    """
    keep = cv2.distanceTransform((mask <= 0.1).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= width
    rest = ~keep
    if not rest.any():
        return image
    if how == "blur":
        sigma = max(4.0, max(mask.shape) / 16)
        step = max(1, int(sigma // 4))
        size = (max(1, mask.shape[1] // step), max(1, mask.shape[0] // step))
        weight = cv2.resize(rest.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        small = cv2.resize(image * rest[..., None].astype(np.uint8), size, interpolation=cv2.INTER_AREA)
        blurred = cv2.GaussianBlur(small.astype(np.float32), (0, 0), sigma / step)
        total = cv2.GaussianBlur(weight, (0, 0), sigma / step)
        fill = cv2.resize(blurred / np.maximum(total, 1e-3)[..., None], mask.shape[::-1])
    else:
        fill = np.array(_GREEN if how == "green" else image[rest].mean(axis=0), np.float32)
    return np.where(keep[..., None], image, np.clip(fill + 0.5, 0, 255).astype(np.uint8))


def without_neighbours(alpha: Plane, box: PixelBox, others: Sequence[Selected]) -> Plane:
    """``alpha`` with 0 where something else surely is; changed in place. ``(h, w)`` float32 0..1, covering ``box``."""
    for other, other_box in others:
        common = box.intersect(other_box)
        if common.empty:
            continue
        part = alpha[common.moved(-box.x, -box.y).slices()]
        sure = as_float(recrop(other, other_box, common)) >= SURE
        part[sure] = 0
    return alpha


def attached(alpha: Plane, mask: Plane) -> Plane:
    """The connected parts of ``alpha`` that touch what the mask surely shows; all where it is sure of nothing.

    Both ``(H, W)`` float32 0..1.
    """
    sure = (mask >= SURE) & (alpha > HAZE)
    if not sure.any():
        return alpha
    visible = (alpha > HAZE).view(np.uint8)
    count, labels = cv2.connectedComponents(visible, connectivity=8)
    keep = np.zeros(count, bool)
    keep[labels[sure]] = True
    if keep[1:].all():
        return alpha
    keep[0] = True  # haze is no part of its own
    return np.where(keep[labels], alpha, np.float32(0))

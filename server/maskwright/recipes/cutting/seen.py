"""A picture, a selection and settings as if the document were no larger than what is seen of it on the screen.

So a preview costs what the screen shows, however large the picture is. Pixels and selection at that size are remembered
while nobody zooms or moves the view.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from maskwright.masks.boxes import AnyMask, PixelBox, Plane, as_float, recrop
from maskwright.masks.opencv import cv2
from maskwright.models.roles import RGB
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.edge import HAIR_ROUNDS, ByTrimap, Guided, Solver, coarser_by, edge_width
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView, read_plane, to_box, to_rect
from maskwright_protocol.errors import BadInput, EmptyPrompt
from maskwright_protocol.language import tr
from maskwright_protocol.messages import EdgeStroke, Picture, Raster, Refine, Viewport

from .brushed import EdgeTask

QUICK_EQUATIONS = 12_000  # open pixels that are solved in the time that a slider may take
WORTH = 0.75  # of the pixels that are seen, as many in the overview that it is good enough
_GRID = 256  # document pixels: what is asked for is larger than what is seen, so that the view may move a little


def seen(request: Refine, picture: PictureView, context: JobContext) -> EdgeTask:
    """The request in the pixels of its view. Raises ``MorePixelsNeeded`` where the overview shows too little."""
    assert request.view is not None
    view = _checked(request.view, picture)
    across, down = view.width / view.box.width, view.height / view.box.height
    scale = (across + down) / 2
    name, mask, width = _mask(request, view, picture, context)
    part = _part(view, picture, context)
    post = request.post
    settings = replace(
        request,
        smooth=request.smooth * scale,
        edge_strokes=[_moved(stroke, view, across, down) for stroke in request.edge_strokes],
        post=replace(
            post, grow=post.grow * scale, feather=post.feather * scale, smooth=post.smooth * scale,
            min_area=post.min_area * across * down, max_hole_area=post.max_hole_area * across * down,
        ),
    )  # fmt: skip
    return EdgeTask(settings, part, mask, part.box, width * scale, (name, part.key))


def quick_solver(task: EdgeTask, choice: ModelChoice, context: JobContext) -> Solver:
    """Equations of few pixels, enlarged along the colours; the colours alone where the recipe wants no matting."""
    pool = context.models
    ids = [i for i in pool.candidates("matting", True) if pool.known.get(i).runtime == "none"]
    if "refiner" not in choice.preset.roles or not ids:
        return Guided(task.picture)
    refiner = choice.load_matting(ids[0])
    context.use(refiner.model_id, refiner.device)
    further = 1 + HAIR_ROUNDS if task.settings.hair else 1
    coarser = coarser_by(task.mask, further * task.width, QUICK_EQUATIONS)
    return ByTrimap(task.picture, refiner, coarser, side_by_side=True)


def _checked(view: Viewport, picture: PictureView) -> Viewport:
    box = to_box(view.box)
    if box.empty or not picture.box.contains(box):
        raise BadInput(tr("What is seen lies outside the picture."))
    if not (0 < view.width <= box.width and 0 < view.height <= box.height):
        raise BadInput(tr("What is seen has no size, or more pixels than the picture has there."))
    return view


def _mask(request: Refine, view: Viewport, picture: PictureView, context: JobContext) -> tuple[Hashable, Plane, float]:
    """A name for the selection, the selection in the view ``(view.height, view.width)`` float32 0..1, and the width of
    its band in document pixels."""
    mask = request.mask
    if mask is None and not request.mask_key:
        raise EmptyPrompt(tr("There is no selection to refine."), tr("Select something first."))
    name = request.mask_key if mask is None else hashlib.sha256(mask.data or b"").hexdigest()
    here = ("seen mask", name, "" if mask is None else repr(mask.box), repr(view))
    known = context.embeddings.get(here)
    if known is None:
        plane, box = picture.mask_apart() if mask is None else read_plane(mask)
        whole = ("mask", here[1], here[2])
        width = context.embeddings.get(whole)
        if width is None:
            width = edge_width(plane)
            context.embeddings.put(whole, width, 256)
        known = resampled(plane, box, to_box(view.box), view.width, view.height), width
        context.embeddings.put(here, known, known[0].nbytes)
    plane, width = known
    return here, plane, request.edge_width or width


def _part(view: Viewport, picture: PictureView, context: JobContext) -> PictureView:
    """What is seen as a picture of its own, whose document begins in the view's corner."""
    box = to_box(view.box)
    enough = min(picture.scale) * view.box.width >= WORTH * view.width
    key = f"{picture.key}@{view!r}{'' if enough else ' closely'}"
    colours: RGB | None = context.embeddings.get(("seen", key))
    if colours is None:
        if enough:
            colours = _of_overview(view, picture)
        else:
            if not picture.has_detail(box):
                picture.need_detail(_on_grid(box).intersect(picture.box))
            near = picture.detail_rgb(box)
            colours = np.ascontiguousarray(cv2.resize(near, (view.width, view.height), interpolation=cv2.INTER_AREA))
        context.embeddings.put(("seen", key), colours, colours.nbytes)
    rect = to_rect(PixelBox(0, 0, view.width, view.height))
    raster = Raster(key, view.width, view.height, "RGB8", rect)
    return PictureView(Picture(rect, [raster]), {key: colours.data.cast("B")})


def _on_grid(box: PixelBox) -> PixelBox:
    return PixelBox.around(*(_GRID * edge for edge in PixelBox.around(*(e / _GRID for e in box.edges)).edges))


def _of_overview(view: Viewport, picture: PictureView) -> RGB:
    box = to_box(view.box)
    (sx, sy), (left, top) = picture.scale, picture.to_overview(box.x, box.y)
    # From the middles of the view's pixels to places in the overview.
    across, down = sx * box.width / view.width, sy * box.height / view.height
    way = np.array([[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]], np.float64)
    image = picture.overview
    if max(across, down) > 1:  # averaged first, so that nothing is skipped
        image = cv2.blur(image, (max(1, round(across)), max(1, round(down))))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, way, (view.width, view.height), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def resampled(plane: AnyMask, box: PixelBox, view: PixelBox, width: int, height: int) -> Plane:
    """A mask that covers ``box`` as it is seen in ``view``, averaged to ``(height, width)``; float32 0..1."""
    part = np.ascontiguousarray(recrop(plane, box, view))
    return as_float(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))


def _moved(stroke: EdgeStroke, view: Viewport, across: float, down: float) -> EdgeStroke:
    path = [(value - (view.box.y if i % 2 else view.box.x)) * (down if i % 2 else across)
            for i, value in enumerate(stroke.path)]  # fmt: skip
    return replace(stroke, path=path, width=stroke.width * (across + down) / 2)

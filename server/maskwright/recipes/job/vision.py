"""Running models on a picture, with progress and without computing embeddings and mattes twice."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from maskwright.masks.boxes import PixelBox, whole
from maskwright.masks.tiles import cover
from maskwright.models.roles import RGB, Box, Detection, Embedding, Finder, FloatMap, MattingModel, Segmenter
from maskwright_protocol.language import tr

from .context import JobContext
from .model_choice import ModelChoice
from .picture import PictureView

WINDOW = 3  # a part of a thin picture that models are shown, in its short sides
_CROPS = 32  # the most crops of a picture that are remembered


def detect(find: Finder, text: str, picture: PictureView, context: JobContext) -> list[Detection]:
    """Detections in document coordinates, best first. ``text`` for the progress. Raises as ``Detector.detect``."""
    with context.stage("detect", tr("Looking for {0}", text) if text else tr("Looking for what the options name")):
        found = find(picture.overview)
    return [_in_document(one, picture) for one in found]


def _in_document(one: Detection, picture: PictureView) -> Detection:
    scale_x, scale_y = picture.scale
    x0, y0 = picture.origin
    return replace(
        one,
        box=_inside(picture.box_to_document(one.box), picture),
        logits=picture.map_to_document(one.logits) if one.logits is not None else None,
        quad=tuple((x / scale_x + x0, y / scale_y + y0) for x, y in one.quad),
    )


def _inside(box: Box, picture: PictureView) -> Box:
    limit = picture.box
    x0, x1 = (min(max(x, limit.x), limit.right) for x in (box.x0, box.x1))
    y0, y1 = (min(max(y, limit.y), limit.bottom) for y in (box.y0, box.y1))
    return Box(x0, y0, x1, y1)


def embed(segmenter: Segmenter, picture: PictureView, context: JobContext) -> Embedding:
    """The overview's embedding, from memory if it was seen before."""
    key = _embedding_key(segmenter, picture, None, context)
    known: Embedding | None = context.embeddings.get(key)
    if known is not None and known.image_size == picture.size:
        return known
    with context.stage("embed", tr("Looking at the picture")):
        embedding = segmenter.embed(picture.overview)
    context.embeddings.put(key, embedding, embedding.nbytes)
    return embedding


def embed_crop(
    segmenter: Segmenter, picture: PictureView, crop: PixelBox, context: JobContext, text: str
) -> tuple[RGB, Embedding]:
    """Pixels ``(crop.height, crop.width, 3)`` uint8 sRGB and embedding of a part of the document at full resolution.

    From memory if they were seen before; the overview's key names them, since what changes a picture changes its
    overview. ``text`` for the progress. Raises ``MorePixelsNeeded``.
    """
    pixels_key, key = ("pixels", picture.key, crop), _embedding_key(segmenter, picture, crop, context)
    colours: RGB | None = context.embeddings.get(pixels_key)
    if colours is None:
        colours = picture.detail_rgb(crop)
        context.embeddings.put(pixels_key, colours, colours.nbytes)
    embedding: Embedding | None = context.embeddings.get(key)
    if embedding is None:
        with context.stage("embed", text):
            embedding = segmenter.embed(colours)
        context.embeddings.put(key, embedding, embedding.nbytes)
        crops = [crop, *(c for c in known_crops(segmenter, picture, context) if c != crop)][:_CROPS]
        context.embeddings.put(("crops", segmenter.model_id, picture.key), crops, 64 * len(crops))
    return colours, embedding


def known_crops(segmenter: Segmenter, picture: PictureView, context: JobContext) -> list[PixelBox]:
    """Crops of this picture that ``embed_crop`` gives from memory, the last first."""
    crops: list[PixelBox] = context.embeddings.get(("crops", segmenter.model_id, picture.key)) or []
    return [crop for crop in crops if has_crop(segmenter, picture, crop, context)]


def has_crop(segmenter: Segmenter, picture: PictureView, crop: PixelBox, context: JobContext) -> bool:
    key = _embedding_key(segmenter, picture, crop, context)
    return key in context.embeddings and ("pixels", picture.key, crop) in context.embeddings


def _embedding_key(segmenter: Segmenter, picture: PictureView, crop: PixelBox | None, context: JobContext) -> Hashable:
    setup = context.models.setup(context.models.known.get(segmenter.model_id))
    return "embedding", segmenter.model_id, setup.precision, picture.key, crop


def matte(matting: MattingModel, picture: PictureView, context: JobContext) -> FloatMap:
    """Alpha ``(h, w)`` float32 0..1 of the overview, from memory if it was made before; not to be written to."""
    key = ("matte", matting.model_id, picture.key)
    known: FloatMap | None = context.embeddings.get(key)
    if known is not None and known.shape == picture.size:
        return known
    with context.stage("matte", tr("Finding the subject")):
        alpha = _in_windows(matting, picture, context) if picture.is_thin else matting.matte(picture.overview)
    alpha.flags.writeable = False
    context.embeddings.put(key, alpha, alpha.nbytes)
    return alpha


def window_length(picture: PictureView) -> int:
    """How long a part of a thin picture is that models are shown, in document pixels."""
    return min(WINDOW * min(picture.box.width, picture.box.height), max(picture.box.width, picture.box.height))


def _in_windows(matting: MattingModel, picture: PictureView, context: JobContext) -> FloatMap:
    """Alpha of a thin picture's overview, found in pieces that overlap."""
    image = picture.overview
    short, out = min(image.shape[:2]), np.zeros(image.shape[:2], np.float32)
    core, total = WINDOW * short, max(1, round(max(image.shape[:2]) / (WINDOW * short)))
    for number, tile in enumerate(cover(whole(image), core, short // 2, short // 2)):
        context.progress("matte", number / total, tr("Finding the subject, part {0} of {1}", number + 1, total))
        found = matting.matte(np.ascontiguousarray(image[tile.read.slices()]))
        inner = tile.write.moved(-tile.read.x, -tile.read.y)
        out[tile.write.slices()] += found[inner.slices()] * tile.weights
    return np.clip(out, 0.0, 1.0)


def saliency(segmenter: Segmenter, choice: ModelChoice, picture: PictureView, context: JobContext) -> FloatMap | None:
    """What stands out in the overview, ``(h, w)`` float32 0..1; None where the segmenter does not use it or no matting
    model is installed."""
    if not segmenter.uses_saliency or context.models.best("matting") is None:
        return None
    return matte(choice.matting(), picture, context)

"""Running the roles' models on a picture's overview: with stages, and without doing the dear part twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from maskwright.models.roles import Box, Detection, Detector, Embedding, FloatMap, Matter, Segmenter

from .choose import Cast
from .context import JobContext
from .picture import PictureView


def detect(
    detector: Detector,
    picture: PictureView,
    text: str,
    min_score: float | None,
    context: JobContext,
    options: Mapping[str, Any] | None = None,
) -> list[Detection]:
    """Detections in document coordinates, best first. Raises as ``Detector.detect``."""
    with context.stage("detect", f"Looking for {text or 'what the options name'}"):
        found = detector.detect(picture.overview, text, min_score=min_score, options=options)
    return [_in_document(one, picture) for one in found]


def _in_document(one: Detection, picture: PictureView) -> Detection:
    scale_x, scale_y = picture.scale
    x0, y0 = picture.origin
    return replace(
        one,
        box=_inside(picture.box_to_document(one.box), picture),
        logits=one.logits.mapped(1 / scale_x, 1 / scale_y, x0, y0) if one.logits is not None else None,
        quad=tuple((x / scale_x + x0, y / scale_y + y0) for x, y in one.quad),
    )


def _inside(box: Box, picture: PictureView) -> Box:
    limit = picture.box
    x0, x1 = (min(max(x, limit.x), limit.right) for x in (box.x0, box.x1))
    y0, y1 = (min(max(y, limit.y), limit.bottom) for y in (box.y0, box.y1))
    return Box(x0, y0, x1, y1)


def embed(segmenter: Segmenter, picture: PictureView, context: JobContext) -> Embedding:
    """The overview's embedding, from memory if it was seen before."""
    key = ("embedding", segmenter.model_id, picture.key)
    known: Embedding | None = context.embeddings.get(key)
    if known is not None and known.image_size == picture.size:
        return known
    with context.stage("embed", "Looking at the picture"):
        embedding = segmenter.embed(picture.overview)
    context.embeddings.put(key, embedding, embedding.nbytes)
    return embedding


def matte(matter: Matter, picture: PictureView, context: JobContext) -> FloatMap:
    """Alpha ``(h, w)`` float32 0..1 of the overview, from memory if it was made before; not to be written to."""
    key = ("matte", matter.model_id, picture.key)
    known: FloatMap | None = context.embeddings.get(key)
    if known is not None and known.shape == picture.size:
        return known
    with context.stage("matte", "Finding the subject"):
        alpha = matter.matte(picture.overview)
    alpha.flags.writeable = False
    context.embeddings.put(key, alpha, alpha.nbytes)
    return alpha


def saliency(segmenter: Segmenter, cast: Cast, picture: PictureView, context: JobContext) -> FloatMap | None:
    """What stands out in the picture, for segmenters that want to know and where a matter is installed."""
    if not segmenter.wants_saliency or context.models.best("matter") is None:
        return None
    return matte(cast.matter(), picture, context)

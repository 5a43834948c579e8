"""The one door for workers: a request in, its answer out."""

from __future__ import annotations

from collections.abc import Mapping

from maskwright_protocol.errors import BadMessage
from maskwright_protocol.messages import (
    Cutout,
    CutoutResult,
    Detect,
    Done,
    Everything,
    Job,
    ObjectMap,
    Parse,
    Prefetch,
    Refine,
    Select,
    Selection,
    Similar,
)

from .cutting.cutout import cutout
from .cutting.refine import refine
from .job import vision
from .job.context import JobContext
from .job.model_choice import ModelChoice
from .job.picture import PictureView
from .object_map.everything import everything
from .people.parse import parse
from .selecting.select import detect, select
from .selecting.similar import similar


def run(
    request: Job, rasters: Mapping[str, memoryview], context: JobContext
) -> Selection | CutoutResult | ObjectMap | Done:
    """Run ``request``. ``rasters``: packed pixels by raster key, at least those that the recipe looks at.

    Mask fields of the request hold their bytes. Raises ``MaskwrightError`` only, for what can be foreseen.
    """
    context.check()
    picture = PictureView(request.picture, rasters)
    if isinstance(request, Select):
        return select(request, picture, context)
    if isinstance(request, Detect):
        return detect(request, picture, context)
    if isinstance(request, Cutout):
        return cutout(request, picture, context)
    if isinstance(request, Parse):
        return parse(request, picture, context)
    if isinstance(request, Refine):
        return refine(request, picture, context)
    if isinstance(request, Everything):
        return everything(request, picture, context)
    if isinstance(request, Similar):
        return similar(request, picture, context)
    if isinstance(request, Prefetch):
        choice = ModelChoice(request, "select", context)
        if choice.preset.takes_points:
            vision.embed(choice.segmenter(), picture, context)
        return Done(request.id, request.generation)
    raise BadMessage(f"A worker cannot do {request.TYPE!r}.")

"""The one door for workers: a request in, its answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from maskwright_protocol import messages
from maskwright_protocol.errors import BadMessage
from maskwright_protocol.language import tr
from maskwright_protocol.messages import CutoutResult, Done, FlatsResult, Job, ObjectMap, Outlines, Prefetch, Selection

from .cutting.cutout import cutout
from .cutting.refine import refine
from .job import vision
from .job.context import JobContext
from .job.model_choice import ModelChoice
from .job.picture import PictureView
from .line_art.flats import flats
from .object_map.everything import everything
from .outline import outline
from .people.parse import parse
from .selecting.select import detect, select
from .selecting.similar import similar

Answer = Selection | CutoutResult | ObjectMap | FlatsResult | Outlines | Done


def run(request: Job, rasters: Mapping[str, memoryview], context: JobContext) -> Answer:
    """Run ``request``. ``rasters``: packed pixels by raster key, at least those that the recipe looks at.

    Mask fields of the request hold their bytes. Raises ``MaskwrightError`` only, for what can be foreseen.
    """
    context.check()
    context.models.refresh()  # models may have been added since the last job, by any program
    if isinstance(request, messages.Outline):
        return outline(request, context)
    picture = PictureView(request.picture, rasters, getattr(request, "mask_key", ""))
    if type(request) not in _RECIPES:
        raise BadMessage(tr("A worker cannot do {0!r}.", request.TYPE))
    if not isinstance(request, Prefetch):
        picture.check_visible()
    return _RECIPES[type(request)](request, picture, context)


def _prefetch(request: Prefetch, picture: PictureView, context: JobContext) -> Done:
    choice = ModelChoice(request, "select", context)
    if choice.preset.takes_points and choice.preset.roles:
        vision.embed(choice.segmenter(), picture, context)
    return Done(request.id, request.generation)


_RECIPES: dict[type[Job], Callable[[Any, PictureView, JobContext], Answer]] = {
    messages.Select: select,
    messages.Detect: detect,
    messages.Cutout: cutout,
    messages.Parse: parse,
    messages.Refine: refine,
    messages.Everything: everything,
    messages.Similar: similar,
    messages.Flats: flats,
    messages.Prefetch: _prefetch,
}

"""Flats: every region of line art filled with a flat colour of its own, up to the middle of its lines."""

from __future__ import annotations

import numpy as np

from maskwright.masks import line_art
from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView, to_rect
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Flats, FlatsResult, Pixels

from . import drawing

FORMATS = ("RGBA8", "BGRA8")


def flats(request: Flats, picture: PictureView, context: JobContext) -> FlatsResult:
    """Raises ``BadInput``, ``MorePixelsNeeded``."""
    if request.format not in FORMATS:
        text = tr("Flat colours cannot be sent as {0}.", repr(request.format))
        raise BadInput(text, hint=tr("Use one of {0}.", ", ".join(FORMATS)))
    gap = drawing.check_gap(request.gap, picture)
    least = prompts.check_number(request.min_area, "least area")
    found = drawing.regions(picture, gap, context)
    answer = FlatsResult(request.id, request.generation, context.report(drawing.RECIPE), gap=gap)
    if found.count:
        with context.stage("post", tr("Filling the regions"), 0.8):
            found = line_art.without_small(found, least)
            colours = np.full((found.count + 1, 4), 255, np.uint8)
            rgb = line_art.flat_colours(found.count)
            colours[:, :3] = rgb if request.format == "RGBA8" else rgb[:, ::-1]
            colours[0] = 0
            filled = colours.view(np.uint32)[:, 0][found.labels]
        answer.count = found.count
        answer.colours = Pixels(to_rect(picture.box), request.format, data=filled.tobytes())
    else:
        answer.reason, answer.message, answer.hint = "nothing_found", drawing.NO_LINES, drawing.NO_LINES_HINT
    answer.report = context.report(drawing.RECIPE)
    return answer

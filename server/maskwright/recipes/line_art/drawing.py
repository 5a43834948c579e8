"""The regions of a picture's line art, found once and remembered."""

from __future__ import annotations

import re

from maskwright.masks import line_art
from maskwright.masks.line_art import Regions
from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr

RECIPE = "line-art"
MAX_GAP = 200.0
NO_LINES = tr("No lines were found in this picture.")
NO_LINES_HINT = tr("Choose the layer with the line art, or look at the visible image.")
_PLACE = re.compile(r"region@(-?\d+),(-?\d+)\Z")


def check_gap(gap: float | None, picture: PictureView) -> float:
    """The gap in pixels, or what suits the picture where nobody says. Raises ``BadInput``."""
    if gap is None:
        return line_art.usual_gap(picture.box.width, picture.box.height)
    if not 0 <= prompts.check_number(gap, "gap") <= MAX_GAP:
        text = tr("Gaps that are closed are 0 to {0} pixels wide.", f"{MAX_GAP:g}")
        raise BadInput(text, hint=tr("Take a smaller gap."))
    return gap


def regions(picture: PictureView, gap: float, context: JobContext) -> Regions:
    """The regions at the document's size. Raises ``MorePixelsNeeded`` until the picture is there at full resolution."""
    key = ("line art", picture.key, tuple(picture.box), gap)
    known: Regions | None = context.embeddings.get(key)
    if known is not None:
        return known
    picture.need_detail(picture.box)
    with context.stage("lines", tr("Looking for the lines")):
        drawn = line_art.lines(*picture.detail8(picture.box))
    with context.stage("regions", tr("Looking what lies inside the lines"), 0.4):
        found = line_art.regions(drawn, gap)
    found.labels.flags.writeable = False
    context.embeddings.put(key, found, found.nbytes)
    return found


def identity(x: float, y: float) -> str:
    """The id of the region at a place of the document: it says where, so that nothing has to be remembered."""
    return f"region@{int(x // 1)},{int(y // 1)}"


def place(identity: str) -> tuple[int, int] | None:
    """The place that an id names."""
    found = _PLACE.match(identity)
    return (int(found[1]), int(found[2])) if found else None

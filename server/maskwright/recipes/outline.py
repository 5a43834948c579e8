"""Masks -> paths around them."""

from __future__ import annotations

from maskwright.masks.paths import path_data
from maskwright_protocol.errors import BadInput, EmptyPrompt, TooLarge
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Mask, Outline, Outlines

from .job.context import JobContext
from .job.picture import read_plane

MAX_LETTERS = 6_000_000  # of all paths: they travel in one message
MAX_MASKS = 500


def outline(request: Outline, context: JobContext) -> Outlines:
    """Raises ``EmptyPrompt`` without a mask, ``BadInput``, ``TooLarge``."""
    if not request.masks:
        raise EmptyPrompt(tr("There is nothing to draw an outline around."), hint=tr("Select something first."))
    if len(request.masks) > MAX_MASKS:
        text = tr("There are more than {0} masks.", MAX_MASKS)
        raise TooLarge(text, hint=tr("Take fewer of them at a time."))
    paths: list[str] = []
    letters = 0
    with context.stage("outline", tr("Drawing the outlines")):
        for number, mask in enumerate(request.masks):
            context.progress("outline", number / len(request.masks), tr("{0} of {1}", number + 1, len(request.masks)))
            paths.append(_path(mask))
            letters += len(paths[-1])
            if letters > MAX_LETTERS:
                text = tr("The outline has more corners than can be drawn as a shape.")
                raise TooLarge(text, hint=tr("Smooth the selection or drop its specks first."))
    return Outlines(request.id, request.generation, context.report("outline"), paths)


def _path(mask: Mask) -> str:
    if mask.box.width < 1 or mask.box.height < 1:
        return ""
    plane, box = read_plane(mask)
    if plane.shape != (box.height, box.width):
        raise BadInput(tr("A mask's bytes do not fit its box."))
    return path_data(plane, box.x, box.y)

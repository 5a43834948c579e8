"""What is near and what is far: a soft range of the distances that a depth model tells, its edges on the picture's."""

from __future__ import annotations

import math

import numpy as np

from maskwright.masks.boxes import Plane
from maskwright.models.matting_common import enlarged
from maskwright.models.roles import DepthModel, FloatMap
from maskwright.recipes.job import prompts
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.wire_masks import finish, pack, rect_of
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Distance, Instance, Selection

from .found import new_id
from .prompt import Prompt

_AROUND = 3  # overview pixels around a place whose middle distance is the place's
_HARD = 0.004  # the least softness: below it, the steps of 8 bits would show


class ByDistance:
    """Everything within a range of distances. It is drawn at full size, so that the answer is already whole."""

    def __init__(self, prompt: Prompt, wanted: Distance) -> None:
        """Raises ``BadInput`` for numbers out of range and for prompts of other kinds beside it."""
        others = prompt.text or prompt.points or prompt.request.boxes or prompt.examples or prompt.start is not None
        if others or prompt.unwanted or prompt.request.detector_options:
            text = tr("A distance is a prompt by itself: it goes with no words, clicks, boxes or masks.")
            raise BadInput(text, hint=tr("Leave them away, or select only inside a region."))
        for name in ("near", "far", "softness", "reach"):
            if not 0 <= prompts.check_number(getattr(wanted, name), name) <= 1:
                raise BadInput(tr("The {0} of a distance lies outside of 0 to 1.", name))
        if wanted.at is not None:
            prompts.check_points([wanted.at], prompt.picture.box)
        elif wanted.near > wanted.far:
            raise BadInput(tr("The range of distances ends before it begins."), hint=tr("Give the nearer end first."))
        self._prompt, self._wanted = prompt, wanted

    def answer(self) -> Selection:
        """Raises ``ModelMissing`` without a depth model."""
        prompt, picture = self._prompt, self._prompt.picture
        request, context = prompt.request, prompt.context
        far_away = distances(prompt.choice.depth(), picture, context)
        near, far = self._range(far_away)
        with context.stage("post", tr("Drawing the mask")):
            mask = within(far_away, near, far, self._wanted.softness)
            mask = picture.enlarged(mask, picture.box, follow=picture.has_detail(picture.box))
            shown = pack(*finish(mask, picture.box, picture.box, request.post, prompt.region), request.mask_depth)
        answer = Selection(request.id, request.generation, context.report(prompt.choice.recipe()))
        if shown is None:
            answer.reason, answer.message = "nothing_found", tr("Nothing lies at that distance.")
            answer.hint = tr("Take a wider range, or a softer one.")
            return answer
        label = tr("{0} to {1} away", _percent(near), _percent(far))
        answer.instances = [Instance(new_id(), label, 1.0, rect_of(shown), "+".join(context.used), mask=shown)]
        answer.merged = shown if request.merge else None
        return answer

    def _range(self, far_away: FloatMap) -> tuple[float, float]:
        """The range that is meant, 0..1; a note tells how far away the place is that it goes by."""
        wanted = self._wanted
        if wanted.at is None:
            return wanted.near, wanted.far
        here = at_place(far_away, *self._prompt.picture.to_overview(wanted.at.x, wanted.at.y))
        self._prompt.context.note(tr("This place is {0} of the way from the nearest to the farthest.", _percent(here)))
        near = 0.0 if wanted.than == "nearer" else max(0.0, here - wanted.reach)
        far = 1.0 if wanted.than == "farther" else min(1.0, here + wanted.reach)
        return near, far


def distances(model: DepthModel, picture: PictureView, context: JobContext) -> FloatMap:
    """How far away the overview's places are, ``(h, w)`` float32 0..1, with steps where the picture has edges.

    From memory if it was looked at before; not to be written to.
    """
    key = ("distance", model.model_id, picture.key)
    known: FloatMap | None = context.embeddings.get(key)
    if known is not None and known.shape == picture.size:
        return known
    with context.stage("depth", tr("Looking how far away everything is")):
        found = enlarged(model.distance(picture.overview), picture.overview)
    found.flags.writeable = False
    context.embeddings.put(key, found, found.nbytes)
    return found


def at_place(far_away: FloatMap, x: float, y: float) -> float:
    """The distance of a place (pixels of the map), 0..1: the median of those around it."""
    rows, columns = far_away.shape
    column, row = min(max(math.floor(x), 0), columns - 1), min(max(math.floor(y), 0), rows - 1)
    reach = slice(max(0, row - _AROUND), row + _AROUND + 1), slice(max(0, column - _AROUND), column + _AROUND + 1)
    return float(np.median(far_away[reach]))


def within(far_away: FloatMap, near: float, far: float, softness: float) -> Plane:
    """1 where a distance lies within ``near`` to ``far``, falling to 0 over ``softness`` beyond either end.

    ``far_away`` and the answer ``(h, w)`` float32 0..1.
    """
    beyond = np.maximum(np.float32(near) - far_away, far_away - np.float32(far))
    return np.clip(np.float32(1) - beyond / np.float32(max(softness, _HARD)), 0.0, 1.0, dtype=np.float32)


def _percent(distance: float) -> str:
    return f"{100 * distance:.0f} %"

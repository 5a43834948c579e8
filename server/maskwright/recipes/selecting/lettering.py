"""Lettering: lines that a detector finds, whose strokes are drawn by their colours at the document's own resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maskwright.masks import ink
from maskwright.masks.boxes import PixelBox, Plane
from maskwright.masks.instances import merge
from maskwright.masks.opencv import cv2
from maskwright.models.roles import Detection
from maskwright.recipes.job import prompt_language, prompts
from maskwright.recipes.job.prompt_language import Query
from maskwright.recipes.job.wire_masks import finish, pack, rect_of
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Instance, Mask, Point, Selection

from .by_words import Search
from .found import new_id
from .prompt import Prompt

_MARGIN = ink.RING + 0.1  # around a line, in its heights
_LABEL = "everything else"


@dataclass(frozen=True)
class _Strokes:
    """A line of lettering, its strokes float32 0..1, and their box in the document."""

    line: Detection
    mask: Plane
    box: PixelBox


class Lettering:
    """Words that name lettering. Its strokes are drawn at full size, so that the answer is already whole."""

    def __init__(self, prompt: Prompt, query: Query) -> None:
        """Raises ``BadInput`` for prompts that cannot change what is found."""
        request = prompt.request
        if any(p.include for p in prompt.points) or request.boxes or prompt.examples or prompt.start is not None:
            text = tr("Lettering is found by words alone: clicks, boxes and masks cannot change it.")
            raise BadInput(text, hint=tr("Leave them away, or select only inside a region."))
        self._prompt, self._query = prompt, query

    def answer(self) -> Selection:
        """Raises ``MorePixelsNeeded`` until the picture is there at full resolution."""
        prompt, request, context = self._prompt, self._prompt.request, self._prompt.context
        less = (*prompt.unwanted, *self._query.minus, *(phrase for c in self._query.concepts for phrase in c.minus))
        for phrase in dict.fromkeys(less):
            context.note(
                tr("{0} was not left out: strokes of lettering are taken whole.", phrase[:1].upper() + phrase[1:])
            )
        # A page may hold small lettering beside large.
        search = Search(request, prompt.choice, prompt.picture, context, prompt.region, thorough=True)
        lines = search.boxes(self._query)
        seen = len(lines)
        excluded = [point for point in prompt.points if not point.include]
        lines = [one for one in lines if not any(_holds(one, point) for point in excluded)]
        lines = prompts.picked(lines, request.pick)
        answer = Selection(request.id, request.generation, context.report(prompt.choice.recipe()))
        if not lines:
            answer.reason = "nothing_found"
            answer.message = search.missing or (
                tr("Only {0} found.", seen) if seen else prompt_language.absent(prompt.text)
            )
            answer.hint = tr("Let it look for small things in pieces of the picture, or let less sure things count.")
            return answer
        self._draw(answer, [one for one in self._strokes(lines) if one.mask.any()])
        answer.report = context.report(prompt.choice.recipe())
        return answer

    def _strokes(self, lines: list[Detection]) -> list[_Strokes]:
        picture, context = self._prompt.picture, self._prompt.context
        places = [_place(line).intersect(picture.box) for line in lines]
        around = [place for place in places if not place.empty]
        if around:
            whole = around[0]
            for place in around[1:]:
                whole = whole.union(place)
            picture.need_detail(whole)
        drawn = []
        with context.stage("segment", tr("Drawing the strokes")):
            for number, (line, place) in enumerate(zip(lines, places, strict=True)):
                context.progress("segment", number / len(lines), tr("{0} of {1} lines", number, len(lines)))
                near = [other for other, theirs in zip(lines, places, strict=True) if _touch(theirs, place)]
                inside = _filled([line], place)
                others = _filled([other for other in near if other is not line], place) & ~inside
                mask = ink.strokes(picture.detail_rgb(place), inside, others, _height(line))
                drawn.append(_Strokes(line, mask, place))
        return drawn

    def _draw(self, answer: Selection, found: list[_Strokes]) -> None:
        prompt, request = self._prompt, self._prompt.request
        inverse = self._query.inverse
        source = "+".join(prompt.context.used)
        with prompt.context.stage("post", tr("Drawing the mask") if inverse else tr("Drawing the masks")):
            if inverse and found:
                rest = self._finished(*merge([(one.mask, one.box) for one in found]), inverse)
                score = found[0].line.score
                items = [Instance(new_id(), _LABEL, score, rect_of(rest), source, mask=rest)] if rest else []
            else:
                items = [one for strokes in found if (one := self._instance(strokes, source)) is not None]
            answer.instances = items
            if request.merge and items:
                only = inverse or len(found) == 1
                whole = [(one.mask, one.box) for one in found]
                answer.merged = items[0].mask if only else self._finished(*merge(whole), inverse)
        if not items:
            answer.reason = "empty_after_post_processing" if found else "nothing_found"
            answer.message = tr("Nothing is left of the lettering after the settings were applied.")
            answer.hint = tr("Shrink less, lower the threshold, or keep smaller parts.")

    def _instance(self, one: _Strokes, source: str) -> Instance | None:
        mask = self._finished(one.mask, one.box, False)
        if mask is None:
            return None
        line, quad = one.line, [Point(x, y) for x, y in one.line.quad]
        return Instance(new_id(), line.label, line.score, rect_of(mask), source, text=line.text, quad=quad, mask=mask)

    def _finished(self, mask: Plane, box: PixelBox, inverse: bool) -> Mask | None:
        request = self._prompt.request
        post = replace(request.post, invert=request.post.invert != inverse)
        return pack(*finish(mask, box, self._prompt.picture.box, post, self._prompt.region), request.mask_depth)


def _corners(line: Detection) -> NDArray[np.float32]:
    """``(4, 2)`` in document pixels."""
    x0, y0, x1, y1 = line.box
    return np.array(line.quad or ((x0, y0), (x1, y0), (x1, y1), (x0, y1)), np.float32)


def _height(line: Detection) -> float:
    """Of the letters, in document pixels: the shorter side of the line."""
    corners = _corners(line)
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    return float(min(sides[0] + sides[2], sides[1] + sides[3]) / 2)


def _place(line: Detection) -> PixelBox:
    """The line and enough of its ground."""
    return PixelBox.around(*line.box).padded(math.ceil(_MARGIN * _height(line)) + 4)


def _touch(one: PixelBox, other: PixelBox) -> bool:
    return not one.intersect(other).empty


def _filled(lines: list[Detection], place: PixelBox) -> NDArray[np.bool_]:
    """Where lines are, ``(place.height, place.width)``."""
    where = np.zeros((place.height, place.width), np.uint8)
    for line in lines:
        cv2.fillPoly(where, [np.round(_corners(line) - (place.x + 0.5, place.y + 0.5)).astype(np.int32)], (1,))
    return where.view(np.bool_)


def _holds(line: Detection, point: Point) -> bool:
    return cv2.pointPolygonTest(_corners(line), (point.x, point.y), False) >= 0

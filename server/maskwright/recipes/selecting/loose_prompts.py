"""Prompts that say little: a box around the whole picture, and boxes and strokes of a few pixels.

A segmenter fills a box with something: all of the picture with the background. Whoever draws one there means the main
subject, which a matting model knows; of what the segmenter offers the mask that shows it counts. A box of few pixels is
a click with a shaky hand.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from maskwright.masks.boxes import PixelBox, Plane, tight_box
from maskwright.masks.instances import logit_iou
from maskwright.masks.logits import LogitMap, logit
from maskwright.models.roles import Box, Hypothesis
from maskwright.recipes.job import prompts, vision
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright_protocol.messages import Point, Select

from .found import Found, new_id

if TYPE_CHECKING:
    from .prompt import Prompt
    from .windows import Drawer

_WHOLE = 0.9  # share of the picture from which on a box leaves nothing out
_FEW = 8 / 1024  # of the picture's long side: two of the cells that segmenters answer with
_SHOWS = 0.5  # IoU with the subject from which on a segmenter's mask is of it
_BETTER = 0.05  # IoU by which another mask has to be nearer to the subject than what the box alone gives
_RIM = 0.6  # share of the picture's border from which on a mask is that of the background


def shows_all(box: Box, canvas: PixelBox) -> bool:
    return box.area >= _WHOLE * canvas.area


def as_click(box: Box, canvas: PixelBox) -> Point | None:
    """The middle of a box of few pixels; None for any other."""
    few = max(box.width, box.height) <= max(2.0, _FEW * max(canvas.width, canvas.height))
    return Point((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) if few else None


def clicked(wanted: ObjectPrompt, canvas: PixelBox) -> ObjectPrompt:
    """What is wanted, with a click in the place of a box of few pixels."""
    place = as_click(wanted.box, canvas) if wanted.box is not None else None
    if place is None:
        return wanted
    return ObjectPrompt([place, *wanted.points], None, wanted.label, wanted.score)


def drawn(request: Select, canvas: PixelBox, as_clicks: bool) -> Select:
    """The request with its strokes checked, and clicks in the place of those of a few pixels, or of all.

    Raises as ``prompts.check_strokes``.
    """
    strokes, points = [], list(request.points)
    for stroke in prompts.check_strokes(request.strokes, canvas):
        xs, ys = stroke.path[0::2], stroke.path[1::2]
        place = as_click(Box(min(xs), min(ys), max(xs), max(ys)), canvas)
        if place is None and as_clicks:
            middle = len(xs) // 2
            place = Point(xs[middle], ys[middle])
        if place is None:
            strokes.append(stroke)
        else:
            points.append(replace(place, include=stroke.include))
    return replace(request, strokes=strokes, points=points)


def start_as_click(mask: Plane, box: PixelBox, canvas: PixelBox) -> Point | None:
    """A click in the place of a mask ``(h, w)`` float32 0..1 of few pixels, which covers ``box``."""
    inner = tight_box(mask, 0.5).moved(box.x, box.y)
    return as_click(Box(*inner.edges), canvas) if not inner.empty else None


def start_shows_all(mask: Plane, canvas: PixelBox) -> bool:
    return bool(np.count_nonzero(mask >= 0.5) >= _WHOLE * canvas.area)


def main_subject(masks: Drawer, prompt: Prompt, wanted: ObjectPrompt) -> list[Found]:
    """The picture's main subject, for a box around all of it; nothing where nothing stands out."""
    picture = prompt.picture
    found = masks.run([wanted])
    if prompt.context.models.best("matting") is None:
        return [one for one in found if not _is_background(one.logits)]
    alpha = vision.matte(prompt.choice.matting(), picture, prompt.context)
    height, width = alpha.shape
    subject = LogitMap(logit(alpha), 0.0, 0.0, float(width), float(height))
    inner = tight_box(alpha, 0.5)
    if inner.empty:
        return [one for one in found if not _is_background(one.logits)]
    around = picture.box_to_document(Box(*inner.edges))
    found += masks.run([ObjectPrompt(box=around)])
    offered = [(logit_iou(one.logits, subject), one) for one in found]
    offered += [(logit_iou(h.logits, subject), _other(one, h)) for one in found for h in one.others]
    if not offered:
        return []
    best, chosen = max(offered, key=lambda pair: pair[0])
    if best < _SHOWS:
        return [Found(new_id(), "", 0.5, ObjectPrompt(box=around), subject)]
    first = offered[0]
    if first[0] + _BETTER >= best and not _is_background(first[1].logits):
        chosen = first[1]
    chosen.wanted = ObjectPrompt(box=around)
    return [chosen]


def _other(one: Found, other: Hypothesis) -> Found:
    rest = [h for h in one.others if h is not other]
    return Found(new_id(), one.label, other.score, one.wanted, other.logits, other.low_res, rest)


def _is_background(logits: LogitMap) -> bool:
    """Whether a mask runs along most of the picture's border."""
    inside = logits.values > 0
    rim = np.concatenate([inside[0], inside[-1], inside[1:-1, 0], inside[1:-1, -1]])
    return bool(np.count_nonzero(rim) >= _RIM * rim.size)

"""Found objects: what a job knows of each, and what is remembered of it for later clicks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

import numpy as np

from maskwright.masks.boxes import PixelBox
from maskwright.masks.instances import logit_iou
from maskwright.masks.logits import UNBOUNDED, LogitMap, without_overlaps
from maskwright.models.roles import RGB, FloatMap, Hypothesis
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.job.remembered import Rating, Remembered, keep, small
from maskwright_protocol.messages import Point, Stroke

_SAME_MASK = 0.8  # IoU beyond which two found objects are one


@dataclass(frozen=True)
class CloseUp:
    """What a closer look showed: ``logits`` in document pixels, found in ``crop``.

    ``colours`` are the crop's pixels, ``(crop.height, crop.width, 3)`` uint8 sRGB. ``low_res``: to go on from.
    """

    crop: PixelBox
    colours: RGB
    logits: LogitMap
    low_res: FloatMap | None


@dataclass
class Found:
    """A segmented object; ``logits``, ``cap`` and ``uncut`` lie in the overview's pixels.

    ``others``: further hypotheses. ``low_res``: to go on from. ``cap``: an upper bound for the logits, where another
    object has the place or something is left out; None without a bound. ``uncut``: the logits before objects of one
    kind shared out their pixels; None where they did not.
    """

    id: str
    label: str
    score: float
    wanted: ObjectPrompt
    logits: LogitMap
    low_res: FloatMap | None = None
    others: list[Hypothesis] = field(default_factory=list)
    cap: LogitMap | None = None
    uncut: LogitMap | None = None
    close: CloseUp | None = None
    minus: tuple[str, ...] = ()  # what the words leave out of it
    window: PixelBox | None = None  # the part of the document in which it was looked for; None for all of it
    rating: Rating | None = None  # how good the answer is likely to be; None where nothing tells
    parts: list[Found] = field(default_factory=list)  # the things that it is made of, where clicks are about several

    @property
    def empty(self) -> bool:
        return not (self.logits.values > 0).any()

    def limit_to(self, left: LogitMap) -> None:
        """Only ``left`` remains of it: the rest belongs to others."""
        cap = np.where(left.values < self.logits.values, left.values, UNBOUNDED)
        self.cap = left.like(cap if self.cap is None else np.minimum(cap, self.cap.values))
        self.logits = left


def new_id() -> str:
    return secrets.token_hex(6)


def distinct(found: list[Found]) -> list[Found]:
    """Best first, without objects that have the same mask as a better one."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: -f.score):
        if all(logit_iou(one.logits, other.logits) <= _SAME_MASK for other in kept):
            kept.append(one)
    return kept


def share_out(found: list[Found]) -> None:
    """Objects of one label share no pixels: the surest keeps each. A tie on a person stays part of the person."""
    for label in {one.label for one in found if one.label}:
        alike = [one for one in found if one.label == label]
        for one, logits in zip(alike, without_overlaps([a.logits for a in alike]), strict=True):
            one.uncut = one.logits
            one.limit_to(logits)


def other_id(one: Found, other: Hypothesis) -> str:
    """The id of another hypothesis for the object, counted from 1."""
    return f"{one.id}-{next(n for n, h in enumerate(one.others, 1) if h is other)}"


def remember(
    found: list[Found],
    model_id: str,
    picture: PictureView,
    context: JobContext,
    others: bool = True,
    asked: tuple[Point | Stroke, ...] = (),
    before: Remembered | None = None,
) -> None:
    """Keep what later clicks need, of each object and, with ``others``, of its other hypotheses under their ids.

    ``asked``: the clicks and strokes that were asked about; ``before``: the answer that they went on from.
    """
    if before is not None and before.before is not None:
        before = replace(before, before=None)
    for one in found:
        prompt = {"label": one.label, "padding": one.wanted.padding, "detection_score": one.wanted.score}
        closer = {} if one.close is None else {"crop": one.close.crop, "close": small(one.close.low_res)}
        more = {**prompt, **closer, "box": one.wanted.box, "rating": one.rating, "asked": asked, "before": before}
        keep(one.id, Remembered.of(model_id, picture, one.logits, one.score, one.low_res, **more), context)
        for number, other in enumerate(one.others if others else (), 1):
            memory = Remembered.of(model_id, picture, other.logits, other.score, other.low_res, **prompt)
            keep(f"{one.id}-{number}", memory, context)


def recalled(name: str, previous: Remembered) -> Found:
    """The object as it was answered before, or as the object map has it."""
    low_res = previous.low_res.plane() if previous.low_res is not None else None
    wanted = ObjectPrompt([], previous.box, previous.label, previous.detection_score, previous.padding)
    return Found(name, previous.label, previous.score, wanted, previous.map, low_res, rating=previous.rating)

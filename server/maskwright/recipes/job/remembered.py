"""What is remembered of answers, so that a later click can go on from them: their logits, small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskwright.masks.boxes import PixelBox, Plane, tight_box, whole
from maskwright.masks.logits import LogitMap
from maskwright.models.roles import Box
from maskwright_protocol.messages import Point, Stroke

from .context import JobContext
from .picture import PictureView


class Rating(NamedTuple):
    """How good an answer is likely to be: an estimate of its IoU with what is meant, and whether it is worth a look."""

    score: float
    doubtful: bool


_FAR = -6.0  # logits below this, all around, are remembered by their mean


@dataclass(frozen=True)
class SmallPlane:
    """A plane of logits, kept as float16 within the box that matters: 256 KB become some ten.

    ``outside`` is the mean logit beyond ``box``. ``shape``: of the array that it was made from, whose last two axes are
    the plane and whose others are 1.
    """

    shape: tuple[int, ...]
    box: PixelBox
    values: NDArray[np.float16]
    outside: float

    @classmethod
    def of(cls, array: Plane) -> SmallPlane:
        """``array``: logits ``(..., h, w)`` float32, with axes of length 1 before the plane's."""
        plane: Plane = array.reshape(array.shape[-2:])
        box = tight_box(plane, _FAR).padded(2).intersect(whole(plane))
        inner = plane[box.slices()]
        beyond = plane.size - inner.size
        outside = (float(plane.sum(dtype=np.float64)) - float(inner.sum(dtype=np.float64))) / beyond if beyond else 0.0
        return cls(array.shape, box, inner.astype(np.float16), outside)

    def plane(self) -> Plane:
        """The logits again, of ``shape``, float32."""
        out = np.full(self.shape, self.outside, np.float32)
        out[..., *self.box.slices()] = self.values
        return out

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + 256


@dataclass(frozen=True)
class Remembered:
    """What a later click needs of an answer. ``logits`` and ``edges`` (``x0, y0, x1, y1``): the overview's pixels.

    ``crop`` is where the object was looked at closely, ``close`` the logits to go on from there. ``asked``: the clicks
    and strokes; ``before``: the answer that it went on from, so that the same clicks again have the same answer.
    """

    model_id: str
    picture_key: str
    score: float
    logits: SmallPlane
    edges: tuple[float, float, float, float]
    low_res: SmallPlane | None
    label: str = ""
    box: Box | None = None
    padding: float = 0.0
    detection_score: float | None = None
    crop: PixelBox | None = None
    close: SmallPlane | None = None
    rating: Rating | None = None
    asked: tuple[Point | Stroke, ...] = ()
    before: Remembered | None = None

    @classmethod
    def of(
        cls, model_id: str, picture: PictureView, logits: LogitMap, score: float, low_res: Plane | None, **more: Any
    ) -> Remembered:
        """An answer with its ``logits`` in the overview's pixels; ``more``: the fields that have defaults."""
        return cls(model_id, picture.key, score, SmallPlane.of(logits.values), logits.edges, small(low_res), **more)

    @property
    def map(self) -> LogitMap:
        return LogitMap(self.logits.plane(), *self.edges)

    @property
    def nbytes(self) -> int:
        return 512 + sum(p.nbytes for p in (self.logits, self.low_res, self.close) if p is not None)


def small(array: Plane | None) -> SmallPlane | None:
    return SmallPlane.of(array) if array is not None else None


def keep(name: str, answer: Remembered, context: JobContext) -> None:
    context.embeddings.put(("answer", name), answer, answer.nbytes)


def recall(name: str, picture: PictureView, context: JobContext) -> Remembered | None:
    """The answer of that id, if it was about this picture and is still known."""
    known: Remembered | None = context.embeddings.get(("answer", name)) if name else None
    return known if known is not None and known.picture_key == picture.key else None

"""The roles a model can play. A recipe asks for roles; a family implements one or more of them.

Images are ``(H, W, 3)`` uint8 sRGB, C-contiguous. Coordinates are pixels of that image. Masks and alphas are float32
0..1; logits are float32, positive means inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from maskwright.masks.logits import LogitMap
from maskwright.masks.strokes import Line

if TYPE_CHECKING:
    from .catalogue.labels import LabelTable

RGB = NDArray[np.uint8]
FloatMap = NDArray[np.float32]


class Box(NamedTuple):
    """Axis-aligned box, ``x0 <= x1``, ``y0 <= y1``, image pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)


@dataclass(frozen=True)
class Detection:
    """A found thing, in the image's pixels.

    ``logits``: its soft mask, from models that give one. ``text`` and ``quad`` (four corners, clockwise from where the
    line begins): what is written there, from models that read. ``stuff``: it has no shape of its own (sky, grass), so
    that a box says little and its mask is the better one.
    """

    box: Box
    label: str
    score: float
    logits: LogitMap | None = None
    text: str = ""
    quad: tuple[tuple[float, float], ...] = ()
    stuff: bool = False


Finder = Callable[[RGB], list[Detection]]  # a detector that knows what to look for


@dataclass
class SegmentPrompt:
    """One object's prompt. ``points`` are ``(x, y, include)``; ``mask`` is a soft mask of the image's size.

    ``saliency`` ``(H, W)`` 0..1 tells what stands out in the image; only families with ``uses_saliency`` look at it.
    ``lines``: strokes over what is inside and what is outside, and loops, in the image's pixels; only families that do
    not know objects look at them.
    """

    points: list[tuple[float, float, bool]] = field(default_factory=list)
    box: Box | None = None
    mask: FloatMap | None = None
    logits: FloatMap | None = None  # low-resolution logits of an earlier answer, in the family's own shape
    saliency: FloatMap | None = None
    lines: Sequence[Line] = ()


@dataclass
class Hypothesis:
    """One answer to a prompt.

    ``logits`` lie on the family's own grid, in the coordinates of the image's pixels; all hypotheses for one embedding
    share the grid. ``score`` is the model's own estimate of its IoU, 0..1. ``low_res``: what to give back as
    ``SegmentPrompt.logits`` to continue from here; None where the family has none.
    """

    logits: LogitMap
    score: float
    low_res: FloatMap | None = None


@dataclass
class Embedding:
    """What a segmenter remembers of an image. ``nbytes`` counts toward the cache's budget.

    ``data``: an array, or a dictionary of tensors, which may be moved to another device and back.
    """

    model_id: str
    image_size: tuple[int, int]  # (H, W)
    data: Any
    nbytes: int


class Model(Protocol):
    """Common to all roles. ``model_id`` is the catalogue id; ``device`` "cpu", "cuda:0", ..."""

    model_id: str
    device: str
    nbytes: int  # memory held, measured or estimated


@runtime_checkable
class Detector(Model, Protocol):
    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """What ``text`` names in ``image`` ``(H, W, 3)`` uint8, best score first; an empty list where nothing is found.

        ``options``: see ``options.py``. ``min_score``: 0..1, None leaves it to the model. Raises ``EmptyPrompt`` where
        neither text nor options say what to look for, ``UnknownWord``, and ``BadInput`` for options that it lacks.
        """
        ...


@runtime_checkable
class PanopticModel(Model, Protocol):
    def regions(self, image: RGB) -> list[Detection]:
        """All that there is in ``image`` ``(H, W, 3)`` uint8, best score first: things one by one, and stuff such as
        sky, grass and walls, of each kind together. All have logits, of which at most one is positive in any place.
        Raises ``OutOfMemory``."""
        ...


@runtime_checkable
class Segmenter(Model, Protocol):
    knows_objects: bool  # whether it was trained to tell objects apart; False where it goes by colours alone
    uses_saliency: bool  # whether it looks at the saliency map of a prompt

    def embed(self, image: RGB) -> Embedding:
        """Encode ``image`` ``(H, W, 3)`` uint8 once for any number of prompts: the slow step, whose result callers
        keep. Raises ``OutOfMemory``."""
        ...

    def segment(self, embedding: Embedding, prompts: list[SegmentPrompt]) -> list[list[Hypothesis]]:
        """For each prompt its hypotheses, best first: the fast step. Raises ``OutOfMemory``."""
        ...


@runtime_checkable
class Featured(Segmenter, Protocol):
    """A segmenter whose embeddings tell what is alike."""

    def features(self, embedding: Embedding) -> FloatMap:
        """The encoder's features ``(C, h, w)`` float32, whose cells cover the image without its padding."""
        ...


@dataclass(frozen=True)
class Match:
    """An object that a ``TextSegmenter`` found. ``hypothesis`` is its mask; the scores of the two are the same."""

    detection: Detection
    hypothesis: Hypothesis


@runtime_checkable
class TextSegmenter(Segmenter, Protocol):
    """A segmenter that also finds objects, with masks, by words or examples, from the embedding used for clicks."""

    def segment_text(
        self,
        embedding: Embedding,
        text: str = "",
        *,
        examples: Sequence[tuple[Box, bool]] = (),
        min_score: float | None = None,
    ) -> list[Match]:
        """Everything that ``text`` names or that resembles the ``examples``, best score first.

        ``text``: phrases, separated by ``;`` or ``,``; each is searched for by itself and becomes the label.
        ``examples``: pairs ``(box, include)`` of objects in this image: such are wanted (True) or not (False). With a
        text they narrow it. A match can be continued: ``segment`` takes its ``hypothesis.low_res``. Raises
        ``EmptyPrompt`` where there is neither text nor a wanted example.
        """
        ...


@runtime_checkable
class MattingModel(Model, Protocol):
    needs_trimap: bool  # whether it only refines: it finds no subject by itself

    def matte(self, image: RGB, trimap: FloatMap | None = None) -> FloatMap:
        """Alpha ``(H, W)`` float32 0..1 of the image's size.

        ``trimap`` ``(H, W)`` float32: 1 is surely inside, 0 surely outside, values between are to be determined.
        Raises ``BadInput`` without a trimap where one is needed.
        """
        ...


@runtime_checkable
class Parser(Model, Protocol):
    table: LabelTable

    def parse(self, image: RGB) -> FloatMap:
        """Probabilities ``(len(table.labels), h, w)`` float32 0..1 of ``image`` ``(H, W, 3)`` uint8.

        They lie on the family's own grid, whose cells cover the image.
        """
        ...


@runtime_checkable
class DepthModel(Model, Protocol):
    def distance(self, image: RGB) -> FloatMap:
        """How far away the places of ``image`` ``(H, W, 3)`` uint8 are: ``(h, w)`` float32 0..1, 0 the nearest of this
        image and 1 the farthest.

        They lie on the family's own grid, whose cells cover the image. Raises ``OutOfMemory``.
        """
        ...

"""The automatic mask generator: a grid of clicks, whose answers are filtered -> all objects of a picture.

After Kirillov et al., "Segment Anything" (2023), appendix on automatic mask generation, for any segmenter.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from maskwright.masks import objectmap
from maskwright.masks.boxes import PixelBox, spread
from maskwright.masks.logits import LogitMap
from maskwright.masks.objectmap import Candidate
from maskwright.masks.opencv import cv2
from maskwright.models.roles import RGB, Box, Embedding, Segmenter, SegmentPrompt
from maskwright.recipes.job import vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.model_choice import ModelChoice
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.remembered import Remembered, keep
from maskwright_protocol.errors import ModelMissing
from maskwright_protocol.language import tr

from .clicked import CLICKS_SHARE, Clicks, clicked, with_clicked
from .naming import Namer

POINTS = 12  # a side: one decoder run each costs more than what smaller grids miss
MAX_POINTS, MAX_LAYERS = 64, 2
_MOST_AT_ONCE = 64
_SLICE_S = 0.1  # of work between two looks at whether somebody waits
_LEAST_SCORE = 0.8
_LEAST_STABILITY = 0.75  # large things have flat logits along their edge: a bus 0.76, a wall 0.89
_MOST = 0.98  # share of the picture beyond which a mask is the picture
_OVERLAP = 0.25  # of neighbouring crops, in crops
_LEAST_CELLS = 12  # masks of fewer cells are noise
_THIN_CANVAS = 48  # the same of the short side of a picture that is long and thin
_CANVAS = 512  # cells of the long side on which masks of crops are compared


@dataclass(frozen=True)
class MapObject:
    """``area`` in the overview's pixels; ``parent`` and ``clicked``, what a click there takes, count from 1, 0 is none.

    ``memory``: its mask, score and name.
    """

    id: str
    area: float
    parent: int
    clicked: int
    memory: Remembered


@dataclass(frozen=True)
class AutomaticMasks:
    """All objects of a picture, the larger first; ``labels`` ``(h, w)`` of the overview holds their numbers."""

    objects: list[MapObject]
    labels: NDArray[np.uint16]

    @property
    def nbytes(self) -> int:
        return self.labels.nbytes + sum(one.memory.nbytes for one in self.objects)


@dataclass
class _Partial:
    """How far an interrupted search came."""

    done: int = 0
    found: list[Candidate] = field(default_factory=list)


def mapping_segmenter(choice: ModelChoice) -> Segmenter:
    """The job's segmenter. Raises ``ModelMissing`` for one that knows no objects."""
    segmenter = choice.segmenter()
    if not segmenter.knows_objects:
        text = tr("The basic engine knows no objects, so it cannot list them.")
        hint = tr("Choose another segmenter, for instance mobile-sam, which comes with Maskwright.")
        raise ModelMissing(text, hint, role="segmenter")
    return segmenter


def known_objects(segmenter: Segmenter, picture: PictureView, context: JobContext) -> AutomaticMasks | None:
    """The objects that were found last, whatever the grid."""
    last = context.embeddings.get(("last objects", segmenter.model_id, picture.key))
    return context.embeddings.get(last) if last is not None else None


def all_objects(
    segmenter: Segmenter,
    picture: PictureView,
    context: JobContext,
    points: int = 0,
    layers: int = 0,
    namer: Namer | None = None,
) -> AutomaticMasks:
    """From memory if they were found before; a search that was cancelled goes on where it was.

    ``namer`` says what they are, and adds what the search has missed.
    """
    setup = context.models.setup(context.models.known.get(segmenter.model_id))
    name: tuple[Hashable, ...] = (segmenter.model_id, setup.precision, picture.key, points or POINTS, layers)
    named = (*name, namer.model_id if namer is not None else "")
    known: AutomaticMasks | None = context.embeddings.get(("objects", *named))
    if known is None:
        search = _Generator(segmenter, picture, context, points or POINTS, layers)
        partial: _Partial = context.embeddings.get(("search", *name)) or _Partial()
        try:
            search.run(partial)
        finally:
            size = sum(c.logits.values.nbytes + (c.seed.nbytes if c.seed is not None else 0) for c in partial.found)
            context.embeddings.put(("search", *name), partial, size)
        known = _assembled(partial.found, segmenter, picture, context, layers, namer)
        context.embeddings.drop(("search", *name))
        context.embeddings.put(("objects", *named), known, known.nbytes)
    context.embeddings.put(("last objects", segmenter.model_id, picture.key), ("objects", *named), 256)
    for one in known.objects:
        if ("answer", one.id) not in context.embeddings:
            keep(one.id, one.memory, context)
    return known


def _assembled(
    found: list[Candidate],
    segmenter: Segmenter,
    picture: PictureView,
    context: JobContext,
    layers: int,
    namer: Namer | None,
) -> AutomaticMasks:
    height, width = picture.size
    if layers == 0 and found and not picture.is_thin:
        canvas = found[0].logits
    else:
        unit = max(_CANVAS / max(height, width), min(1.0, _THIN_CANVAS / min(height, width)) if picture.is_thin else 0)
        shape = (max(1, round(height * unit)), max(1, round(width * unit)))
        canvas = LogitMap(np.zeros(shape, np.float32), 0.0, 0.0, float(width), float(height))
    kept = objectmap.distinct(found, canvas)
    if namer is not None and not picture.is_thin:
        kept = namer.named(kept, canvas, segmenter, picture, context)
    kept = [replace(one, logits=picture.up_to_border(one.logits)) for one in kept]
    clicks = None if picture.is_thin else Clicks(segmenter, vision.embed(segmenter, picture, context), context)
    if clicks is not None:
        kept = with_clicked(kept, canvas, lambda some: objectmap.label_image(some, width, height), clicks)
    ordered = sorted(kept, key=lambda one: one.logits.area(), reverse=True)
    above = objectmap.parents(ordered, canvas)
    labels = objectmap.label_image(ordered, width, height)
    taken = clicked(ordered, above, labels, canvas, clicks) if clicks is not None else [0] * len(ordered)
    map_id = secrets.token_hex(4)
    objects = []
    for number, (one, parent) in enumerate(zip(ordered, above, strict=True), 1):
        memory = Remembered.of(segmenter.model_id, picture, one.logits, min(1.0, one.score), one.seed, label=one.name)
        objects.append(
            MapObject(f"{map_id}-{number}", one.logits.area(width, height), parent, taken[number - 1], memory)
        )
    return AutomaticMasks(objects, labels)


class _Generator:
    def __init__(
        self, segmenter: Segmenter, picture: PictureView, context: JobContext, points: int, layers: int
    ) -> None:
        self._segmenter, self._picture, self._context = segmenter, picture, context
        height, width = picture.size
        whole = PixelBox(0, 0, width, height)
        if picture.is_thin:
            parts = _windows(whole)
            self._tasks = [(crop, point) for crop in parts for point in _grid(crop, max(2, 2 * points // 3))]
        else:
            self._tasks = [(whole, point) for point in _grid(whole, points)]
        for layer in range(1, layers + 1 if not picture.is_thin else 1):
            for crop in _crops(whole, 2**layer):
                self._tasks += [(crop, point) for point in _grid(crop, max(2, points // 2))]
        self._whole = whole
        self._crop: tuple[PixelBox, Embedding] | None = None

    def run(self, partial: _Partial) -> None:
        """Adds to ``partial``, as much at once as takes a moment. Raises ``JobCancelled`` between two moments."""
        count = 1
        while partial.done < len(self._tasks):
            crop, _ = self._tasks[partial.done]
            following = self._tasks[partial.done : partial.done + count]
            points = [point for other, point in following if other == crop]
            embedding = self._embedding(crop)
            share = (1.0 - CLICKS_SHARE) * partial.done / len(self._tasks)
            with self._context.stage("everything", tr("Finding all objects"), share):
                start = time.perf_counter()
                partial.found += self._batch(crop, embedding, points)
                partial.done += len(points)
                spent = max(time.perf_counter() - start, 1e-4)
                count = max(1, min(_MOST_AT_ONCE, 2 * count, int(len(points) * _SLICE_S / spent)))

    def _embedding(self, crop: PixelBox) -> Embedding:
        if crop == self._whole:
            return vision.embed(self._segmenter, self._picture, self._context)
        if self._crop is None or self._crop[0] != crop:
            self._context.check()
            self._crop = crop, self._segmenter.embed(self._pixels(crop))
        return self._crop[1]

    def _pixels(self, crop: PixelBox) -> RGB:
        """The crop (overview pixels), twice as large: the document's own pixels where they are here."""
        own = PixelBox.around(*self._picture.box_to_document(Box(*crop.edges))).intersect(self._picture.box)
        if max(self._picture.scale) < 1 and self._picture.has_detail(own):
            return cv2.resize(self._picture.detail_rgb(own), (crop.width, crop.height), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(self._picture.overview[crop.slices()])

    def _batch(self, crop: PixelBox, embedding: Embedding, points: list[tuple[float, float]]) -> list[Candidate]:
        prompts = [SegmentPrompt([(x - crop.x, y - crop.y, True)]) for x, y in points]
        kept = []
        for hypotheses in self._segmenter.segment(embedding, prompts):
            for one in hypotheses:
                values = one.logits.values
                cells = int(np.count_nonzero(values > 0))
                if one.score < _LEAST_SCORE or not _LEAST_CELLS <= cells <= _MOST * values.size:
                    continue
                stable = objectmap.stability(values)
                if stable < _LEAST_STABILITY or (crop != self._whole and self._cut(values, crop)):
                    continue
                logits = one.logits.mapped(1.0, 1.0, crop.x, crop.y)
                kept.append(Candidate(logits, one.score * stable, one.low_res if crop == self._whole else None))
        return kept

    def _cut(self, values: NDArray[np.float32], crop: PixelBox) -> bool:
        """Whether the mask runs into a side of the crop that is no side of the picture."""
        sides = (
            (crop.x > 0, values[:, 0]),
            (crop.right < self._whole.right, values[:, -1]),
            (crop.y > 0, values[0]),
            (crop.bottom < self._whole.bottom, values[-1]),
        )
        return any(inner and bool((line > 0).any()) for inner, line in sides)


def _grid(box: PixelBox, side: int) -> list[tuple[float, float]]:
    """Points in the middles of cells that are nearly square, ``side`` of them along the long side."""
    unit = max(box.width, box.height) / side
    columns, rows = max(1, round(box.width / unit)), max(1, round(box.height / unit))
    return [
        (box.x + (column + 0.5) * box.width / columns, box.y + (row + 0.5) * box.height / rows)
        for row in range(rows)
        for column in range(columns)
    ]


def _windows(box: PixelBox) -> list[PixelBox]:
    """Parts of a thin picture along its long side, which overlap by half."""
    short, long = min(box.width, box.height), max(box.width, box.height)
    length = min(long, vision.WINDOW * short)
    count = max(1, math.ceil(2 * (long - length) / length) + 1)
    if box.width > box.height:
        return spread(box, length, box.height, count, 1)
    return spread(box, box.width, length, 1, count)


def _crops(box: PixelBox, count: int) -> list[PixelBox]:
    """``count`` x ``count`` crops that overlap."""
    width = min(box.width, math.ceil(box.width / count * (1 + _OVERLAP)))
    height = min(box.height, math.ceil(box.height / count * (1 + _OVERLAP)))
    return spread(box, width, height, count, count)

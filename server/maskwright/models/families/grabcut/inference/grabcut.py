"""GrabCut: the basic engine, which separates by colour and knows no objects. Segmenter.

Rother, Kolmogorov and Blake, "GrabCut: Interactive Foreground Extraction using Iterated Graph Cuts" (SIGGRAPH 2004),
as in OpenCV. Seeded with the prompt and, where given, with a saliency map; the cut's edge is made soft by a guided
filter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskwright.masks.guided import guided_filter
from maskwright.masks.logits import LogitMap
from maskwright.masks.opencv import cv2
from maskwright.masks.strokes import Line, touched, within
from maskwright.models.catalogue.entries import Entry
from maskwright.models.roles import RGB, Box, Embedding, Hypothesis, SegmentPrompt
from maskwright.models.runtime.setup import Setup

_BACK, _FORE, _MAYBE_BACK, _MAYBE_FORE = 0, 1, 2, 3
_ROUNDS = 4
_LOGITS = 12.0  # alpha 0..1 becomes logits -6..6
Seeds = NDArray[np.uint8]


class GrabCut:
    knows_objects = False
    uses_saliency = True

    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.device = "cpu"
        self.nbytes = entry.memory
        self._side = entry.input_size

    def embed(self, image: RGB) -> Embedding:
        """``image`` ``(H, W, 3)`` uint8 itself, scaled so that its long side is at most 512."""
        height, width = image.shape[:2]
        scale = min(1.0, self._side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.array(image) if scale >= 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return Embedding(self.model_id, (height, width), small, small.nbytes)

    def segment(self, embedding: Embedding, prompts: list[SegmentPrompt]) -> list[list[Hypothesis]]:
        """One hypothesis for each prompt. Its score says how much the colours inside differ from those just outside."""
        return [[self._one(embedding, prompt)] for prompt in prompts]

    def _one(self, embedding: Embedding, prompt: SegmentPrompt) -> Hypothesis:
        image: RGB = embedding.data
        rows, columns = image.shape[:2]
        height, width = embedding.image_size
        seeds = _seeds(image, prompt, columns / width, rows / height)
        cut = _cut(image, seeds)
        cut = _touched(cut, seeds, prompt)
        guide = image.astype(np.float32) * np.float32(1 / 255)
        alpha = guided_filter(guide, cut.astype(np.float32), radius=2, epsilon=1e-4)
        logits = (alpha - np.float32(0.5)) * np.float32(_LOGITS)
        drawn = LogitMap(logits, 0.0, 0.0, float(width), float(height))
        return Hypothesis(drawn, _contrast(image, cut), logits)


def _seeds(image: RGB, prompt: SegmentPrompt, sx: float, sy: float) -> Seeds:
    """What is surely or maybe inside, ``(h, w)`` of GrabCut's four classes."""
    rows, columns = image.shape[:2]
    seeds = np.full((rows, columns), _MAYBE_BACK, np.uint8)
    saliency = None
    if prompt.saliency is not None:
        saliency = cv2.resize(prompt.saliency, (columns, rows), interpolation=cv2.INTER_AREA) > 0.5
    prior = _prior(prompt, columns, rows)
    clicks = [(int(x * sx), int(y * sy)) for x, y, include in prompt.points if include]
    clicks = [(min(max(x, 0), columns - 1), min(max(y, 0), rows - 1)) for x, y in clicks]
    if prompt.box is not None:
        area = _box_area(prompt.box, sx, sy, columns, rows)
        inner = np.zeros((rows, columns), bool)
        inner[area] = True
        likely = inner
        if prior is not None:
            likely = inner & prior
        elif saliency is not None and 0.05 < float(saliency[area].mean()) < 0.95:
            likely = inner & saliency
        seeds[:] = _BACK
        seeds[inner] = _MAYBE_BACK
        seeds[likely] = _MAYBE_FORE
        if inner.all():  # a box around everything leaves no sure background: take the picture's rim
            seeds[[0, -1], :], seeds[:, [0, -1]] = _BACK, _BACK
    elif prior is not None:
        seeds[prior] = _MAYBE_FORE
    for x, y in clicks:
        if prior is None and prompt.box is None:
            seeds[_around_click(image, saliency, x, y)] = _MAYBE_FORE
    grid = LogitMap(np.empty((rows, columns), np.float32), 0.0, 0.0, columns / sx, rows / sy)
    _draw(seeds, prompt.lines, grid)
    if prompt.lines:
        return seeds
    radius = max(2, round(0.012 * max(rows, columns)))
    for x, y, include in prompt.points:
        cv2.circle(seeds, (int(x * sx), int(y * sy)), radius, _FORE if include else _BACK, -1)
    return seeds


def _draw(seeds: Seeds, lines: Sequence[Line], grid: LogitMap) -> None:
    """Strokes are surely inside or outside; what lies outside of all loops around something is surely not meant."""
    loops = [within(line, grid) for line in lines if line.closed and line.include]
    if loops:
        inner = np.logical_or.reduce(loops)
        seeds[inner] = _MAYBE_FORE
        seeds[~inner & (seeds != _MAYBE_FORE)] = _BACK
    for line in lines:
        if not line.closed:
            least = 0.006 * max(grid.x1 - grid.x0, grid.y1 - grid.y0)
            seeds[touched(line, grid, max(least, line.width / 2))] = _FORE if line.include else _BACK
        elif not line.include:
            seeds[within(line, grid)] = _BACK


def _prior(prompt: SegmentPrompt, columns: int, rows: int) -> NDArray[np.bool_] | None:
    if prompt.logits is not None and prompt.logits.shape == (rows, columns):
        return prompt.logits > 0
    if prompt.mask is not None:
        return cv2.resize(prompt.mask, (columns, rows), interpolation=cv2.INTER_AREA) >= 0.5
    return None


def _box_area(box: Box, sx: float, sy: float, columns: int, rows: int) -> tuple[slice, slice]:
    x0, y0 = min(max(0, math.floor(box.x0 * sx)), columns - 1), min(max(0, math.floor(box.y0 * sy)), rows - 1)
    x1, y1 = min(columns, max(x0 + 1, math.ceil(box.x1 * sx))), min(rows, max(y0 + 1, math.ceil(box.y1 * sy)))
    return slice(y0, y1), slice(x0, x1)


def _around_click(image: RGB, saliency: NDArray[np.bool_] | None, x: int, y: int) -> NDArray[np.bool_]:
    """A first guess from one click: the salient thing it lies on, else the connected area of like colour."""
    if saliency is not None and saliency[y, x]:
        _, labels = cv2.connectedComponents(saliency.view(np.uint8), connectivity=8)
        return labels == labels[y, x]
    smooth = cv2.bilateralFilter(image, 5, 30, 5)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    mask = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (1 << 8)
    cv2.floodFill(lab, mask, (x, y), 0, (28, 14, 14), (28, 14, 14), flags)
    return mask[1:-1, 1:-1] > 0


def _cut(image: RGB, seeds: Seeds) -> NDArray[np.bool_]:
    """The cut. GrabCut needs both classes; without one of them the seeds are the answer."""
    likely = (seeds == _FORE) | (seeds == _MAYBE_FORE)
    if likely.all() or not likely.any():
        return likely
    mask = seeds.copy()
    try:
        cv2.setRNGSeed(1)  # the colour clusters start at random; the same prompt must give the same mask
        colours = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
        cv2.grabCut(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), mask, None, *colours, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # too few samples for its colour models
        return likely
    return (mask == _FORE) | (mask == _MAYBE_FORE)


def _touched(cut: NDArray[np.bool_], seeds: Seeds, prompt: SegmentPrompt) -> NDArray[np.bool_]:
    """Only the connected parts that a click touches, when there are clicks and nothing else tells what is meant."""
    sure = cut & (seeds == _FORE)
    if prompt.box is not None or not sure.any():
        return cut
    count, labels = cv2.connectedComponents(np.ascontiguousarray(cut).view(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    keep[labels[sure]] = True
    keep[0] = False
    return keep[labels]


def _contrast(image: RGB, cut: NDArray[np.bool_]) -> float:
    """1 less the Bhattacharyya coefficient of the colours in bands inside and outside of the cut; 0 without a cut."""
    inside = np.ascontiguousarray(cut).view(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
    near_in = inside & (1 - cv2.erode(inside, kernel))
    near_out = cv2.dilate(inside, kernel) & (1 - inside)
    if not near_in.any() or not near_out.any():
        return 0.0
    bins, spans = [8, 8, 8], [0, 256, 0, 256, 0, 256]
    first, second = (cv2.calcHist([image], [0, 1, 2], mask, bins, spans) for mask in (near_in, near_out))
    overlap = np.sqrt(first / first.sum() * (second / second.sum())).sum()
    return float(np.clip(1 - overlap, 0, 1))

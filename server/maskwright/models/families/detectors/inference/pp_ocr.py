"""PP-OCR's text detector: lines of lettering at any angle. Detector.

Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020); weights and steps of
https://github.com/PaddlePaddle/PaddleOCR, Apache-2.0. Input: BGR, ``(v / 255 - 0.5) / 0.5``, sides in multiples of 32.
Output: for each pixel the probability that it lies in the middle of a line, which shrinks lines: they are grown again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maskwright.masks.opencv import cv2
from maskwright.models.catalogue.entries import Entry
from maskwright.models.catalogue.words import resolve
from maskwright.models.options import checked
from maskwright.models.roles import RGB, Box, Detection, FloatMap
from maskwright.models.runtime.onnx_session import OnnxSession
from maskwright.models.runtime.setup import Setup

_GRID = 32
_THRESHOLD = 0.3  # of the probability
_UNCLIP = 1.6  # how far lines are grown, times area over length of the outline
_LEAST = 3.0  # pixels of the network's input: thinner lines are noise
_CANDIDATES = 1000


class PpOcrDetector:
    def __init__(self, entry: Entry, folder: Path, setup: Setup) -> None:
        self.model_id = entry.id
        self.labels = entry.facts.vocabulary
        self._options = entry.facts.options
        self.device = setup.device
        self.nbytes = entry.memory
        self.min_score = float(entry.options.get("min_score", 0.5))
        self._side = entry.input_size
        self._session = OnnxSession(entry, folder / entry.files[0].name, None, setup.device, setup.threads)

    def detect(
        self, image: RGB, text: str, *, min_score: float | None = None, options: Mapping[str, Any] | None = None
    ) -> list[Detection]:
        """Lines of lettering in ``image`` ``(H, W, 3)`` uint8, surest first, each with its ``quad``.

        Raises ``UnknownWord`` for words that mean something else, ``EmptyPrompt`` without any, and ``BadInput``.
        """
        chosen = checked(self._options, options)
        (label,) = resolve(text, self.labels).values()
        height, width = image.shape[:2]
        probability = self._probability(image)
        scale = np.array([width / probability.shape[1], height / probability.shape[0]])
        limit = self.min_score if min_score is None else min_score
        found = []
        for corners, score in _lines(probability):
            if score >= limit:
                quad = np.clip(corners * scale, 0, (width, height))
                box = Box(*quad.min(axis=0).tolist(), *quad.max(axis=0).tolist())
                if box.area > 0:
                    found.append(Detection(box, label, score, quad=tuple((x, y) for x, y in quad.tolist())))
        return sorted(found, key=lambda one: -one.score)[: chosen["max_det"]]

    def _probability(self, image: RGB) -> FloatMap:
        """``(h, w)`` float32 0..1 of the whole image, whose long side was brought to about the input size."""
        height, width = image.shape[:2]
        scale = self._side / max(height, width)
        w, h = (max(_GRID, round(side * scale / _GRID) * _GRID) for side in (width, height))
        small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        pixels = small[..., ::-1].astype(np.float32) * np.float32(2 / 255) - np.float32(1)
        feed = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
        (answer,) = self._session.run(self._session.outputs[:1], {self._session.inputs[0]: feed}, [(1, 1, h, w)])
        return np.clip(answer[0, 0], 0.0, 1.0)


def _lines(probability: FloatMap) -> list[tuple[np.ndarray, float]]:
    """Corners ``(4, 2)`` in pixels, clockwise from where the line begins, and scores 0..1."""
    inside = (probability > _THRESHOLD).astype(np.uint8)
    outlines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    lines = []
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:_CANDIDATES]:
        centre, (width, height), angle = cv2.minAreaRect(outline)
        width, height = width + 1, height + 1  # the outline runs through the middles of pixels
        if min(width, height) < _LEAST:
            continue
        score = _mean_within(probability, cv2.boxPoints((centre, (width, height), angle)))
        grow = 2 * _UNCLIP * width * height / (2 * (width + height))
        corners = cv2.boxPoints((centre, (width + grow, height + grow), angle)) + 0.5
        lines.append((_from_its_start(corners), score))
    return lines


def _mean_within(probability: FloatMap, corners: np.ndarray) -> float:
    """The mean of the pixels in a quad."""
    rows, columns = probability.shape
    x0, y0 = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (columns - 1, rows - 1))
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, 1, (columns, rows))
    where = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(where, [np.round(corners - (x0, y0)).astype(np.int32)], (1,))
    return float(probability[y0:y1, x0:x1][where > 0].mean()) if where.any() else 0.0


def _from_its_start(corners: np.ndarray) -> np.ndarray:
    """Clockwise from the top left corner of the line, which is read along its longer side, from left to right."""
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(*sides.T)
    along = [i for i in range(4) if lengths[i] >= lengths.max() - 1e-3]
    return np.roll(corners, -max(along, key=lambda i: sides[i, 0]), axis=0)

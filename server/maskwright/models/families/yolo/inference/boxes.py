"""What the outputs of YOLO networks mean: layouts of v8, 11 and 26, letterbox, suppression, masks. Arrays only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.masks.instances import nms
from maskwright.masks.logits import LogitMap
from maskwright.masks.opencv import cv2
from maskwright.models.roles import RGB, Box, Detection

_PAD = 114
_MOST = 30_000  # candidates that suppression looks at
_APART = 7680.0  # boxes of each class are shifted by this times its index, so that one pass suppresses within classes
_FALL = 2.0  # logits by which a mask falls per cell outside of its box

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Letterbox:
    """How an image lies in the network's input: ``pixel = (place - offset) / gain``."""

    gain: tuple[float, float]
    offset: tuple[int, int]
    size: tuple[int, int]  # (H, W) of the input


def letterbox(image: RGB, side: tuple[int, int], stride: int | None) -> tuple[RGB, Letterbox]:
    """``image`` ``(H, W, 3)`` uint8 scaled to fit ``side`` ``(H, W)``, with grey around it.

    With a ``stride`` there is only as much grey as makes both sides multiples of it.
    """
    height, width = image.shape[:2]
    scale = min(side[0] / height, side[1] / width)
    inner = max(round(width * scale), 1), max(round(height * scale), 1)
    gap_x, gap_y = side[1] - inner[0], side[0] - inner[1]
    if stride:
        gap_x, gap_y = gap_x % stride, gap_y % stride
    left, top = round(gap_x / 2 - 0.1), round(gap_y / 2 - 0.1)
    right, bottom = round(gap_x / 2 + 0.1), round(gap_y / 2 + 0.1)
    if (width, height) != inner:
        image = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    image = cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(_PAD,) * 3)
    return image, Letterbox((inner[0] / width, inner[1] / height), (left, top), (image.shape[0], image.shape[1]))


@dataclass(frozen=True)
class Rows:
    """Candidates: boxes ``(N, 4)`` as edges in the input's pixels, scores and classes ``(N,)``, mask coefficients.

    ``suppressed``: the network has seen to it that each thing has one box.
    """

    edges: Floats | NDArray[np.floating[Any]]
    scores: Floats
    classes: NDArray[np.int64]
    coefficients: Floats
    suppressed: bool


def rows(output: Floats, count: int, masks: int, min_score: float) -> Rows | None:
    """The candidates above ``min_score`` of an output without its batch axis; None when its shape is no known layout.

    ``(4 + count + masks, N)``: centre, size, a score for each of ``count`` classes, coefficients (v8, 11).
    ``(N, 6 + masks)``: edges, score, class, coefficients, already suppressed (v10, 26).
    """
    if output.shape[0] == 4 + count + masks and output.shape[1] != 6 + masks:
        scores = output[4 : 4 + count]
        good = np.flatnonzero(scores.max(axis=0) > min_score)
        chosen = output[:, good].T
        centre, half = chosen[:, :2], chosen[:, 2:4] / 2
        classes = chosen[:, 4 : 4 + count].argmax(axis=1)
        best = chosen[:, 4 : 4 + count].max(axis=1)
        edges = np.concatenate([centre - half, centre + half], axis=1)
        return Rows(edges, best, classes, chosen[:, 4 + count :], False)
    if output.shape[1] == 6 + masks:
        chosen = output[output[:, 4] > min_score]
        return Rows(chosen[:, :4], chosen[:, 4], chosen[:, 5].astype(np.int64), chosen[:, 6:], True)
    return None


def select(found: Rows, wanted: Collection[int], iou: float, most: int, agnostic: bool) -> list[int]:
    """Which rows to keep, best first: of the wanted classes, without doubles."""
    good = np.flatnonzero(np.isin(found.classes, list(wanted)))
    good = good[np.argsort(-found.scores[good], kind="stable")][:_MOST]
    if found.suppressed and not agnostic:
        return [int(i) for i in good[:most]]
    apart = np.zeros(len(good)) if agnostic else found.classes[good] * _APART
    kept = nms(found.edges[good].astype(np.float64) + apart[:, None], found.scores[good], iou, most)
    return [int(good[i]) for i in kept]


def detections(
    found: Rows, kept: list[int], names: dict[int, str], box: Letterbox, image: tuple[int, int], protos: Floats | None
) -> list[Detection]:
    """Rows as detections in the pixels of an image of size ``image`` (H, W); ``protos`` ``(masks, h, w)``."""
    gain = np.array([*box.gain, *box.gain], np.float32)
    offset = np.array([*box.offset, *box.offset], np.float32)
    limit = np.array([image[1], image[0], image[1], image[0]], np.float32)
    places = np.clip((found.edges[kept] - offset) / gain, 0, limit)
    maps: list[LogitMap | None] = [None] * len(kept)
    if protos is not None and kept:
        maps = _masks(found, kept, box, protos)
    return [
        Detection(Box(*place.tolist()), names[int(found.classes[i])], float(found.scores[i]), logits)
        for i, place, logits in zip(kept, places, maps, strict=True)
    ]


def _masks(found: Rows, kept: list[int], box: Letterbox, protos: Floats) -> list[LogitMap | None]:
    """Coefficients times prototypes; outside of its box a mask falls off, since nothing was learned for there."""
    count, height, width = protos.shape
    values = (found.coefficients[kept] @ protos.reshape(count, -1)).reshape(-1, height, width)
    cell_x, cell_y = box.size[1] / width, box.size[0] / height
    (left, top), (gain_x, gain_y) = box.offset, box.gain
    x, y = np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5
    maps: list[LogitMap | None] = []
    for logits, edges in zip(values, found.edges[kept], strict=True):
        x0, y0, x1, y1 = edges[0] / cell_x, edges[1] / cell_y, edges[2] / cell_x, edges[3] / cell_y
        beyond_x, beyond_y = np.maximum(x0 - x, x - x1), np.maximum(y0 - y, y - y1)
        beyond = np.maximum(beyond_x[None, :], beyond_y[:, None])
        logits = np.where(beyond > 0, np.minimum(logits, -_FALL * beyond), logits).astype(np.float32)
        if not (logits > 0).any():
            maps.append(None)
            continue
        right, bottom = box.size[1] - left, box.size[0] - top
        maps.append(LogitMap(logits, -left / gain_x, -top / gain_y, right / gain_x, bottom / gain_y))
    return maps

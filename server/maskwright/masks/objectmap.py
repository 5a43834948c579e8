"""Many overlapping masks -> distinct objects, their order, who holds whom, and one label image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .logits import LogitMap
from .opencv import cv2

Bits = NDArray[np.uint8]
MAX_OBJECTS = 1000
HELD = 0.85  # share of an object that lies in another, from which on it is a part of it


@dataclass(frozen=True)
class Candidate:
    """``score`` is the model's estimate of its IoU times how stable the mask is; ``seed`` goes on from here. ``name``:
    what it is, empty where nothing tells."""

    logits: LogitMap
    score: float
    seed: NDArray[np.float32] | None = None
    name: str = ""


def stability(values: NDArray[np.float32], offset: float = 1.0) -> float:
    """IoU of the masks that logits ``(h, w)`` give when cut ``offset`` above and below 0: low where the edge is unsure.

    Kirillov et al., "Segment Anything" (2023), section on automatic masks.
    """
    wide = int(np.count_nonzero(values > -offset))
    return int(np.count_nonzero(values > offset)) / wide if wide else 0.0


def packed(logits: LogitMap, canvas: LogitMap) -> Bits:
    """The mask on the canvas' cells, eight to a byte: ``(cells / 8,)`` uint8."""
    return np.packbits(logits.on_grid_of(canvas) > 0)


def count(bits: Bits) -> NDArray[np.int64]:
    """Cells inside of masks ``(..., cells / 8)``: ``(...)``."""
    return np.bitwise_count(bits).sum(axis=-1, dtype=np.int64)


def distinct(found: Sequence[Candidate], canvas: LogitMap, limit: float = 0.75) -> list[Candidate]:
    """Without those whose mask is that of a better scored one: an IoU beyond ``limit``. Best first."""
    kept: list[Candidate] = []
    bits = np.zeros((MAX_OBJECTS, (canvas.values.size + 7) // 8), np.uint8)
    sizes = np.zeros(MAX_OBJECTS, np.int64)
    for one in sorted(found, key=lambda c: -c.score):
        own = packed(one.logits, canvas)
        size = int(count(own))
        if not size or len(kept) == MAX_OBJECTS:
            continue
        # Only masks of about the same size can be the same.
        near = np.flatnonzero((sizes[: len(kept)] >= limit * size) & (sizes[: len(kept)] * limit <= size))
        common = count(bits[near] & own)
        if not np.any(common > limit * (sizes[near] + size - common)):
            bits[len(kept)], sizes[len(kept)] = own, size
            kept.append(one)
    return kept


def parents(ordered: Sequence[Candidate], canvas: LogitMap) -> list[int]:
    """For objects, the larger first: the number (from 1) of the smallest earlier one that holds each; 0 for none."""
    bits = np.stack([packed(one.logits, canvas) for one in ordered]) if ordered else np.zeros((0, 1), np.uint8)
    sizes = count(bits)
    found = []
    for index in range(len(ordered)):
        shares = count(bits[:index] & bits[index]) / max(1, int(sizes[index]))
        holders = np.flatnonzero(shares >= HELD)
        found.append(int(holders[-1]) + 1 if holders.size else 0)
    return found


def label_image(ordered: Sequence[Candidate], width: int, height: int) -> NDArray[np.uint16]:
    """``(height, width)``: the number of the last, so the smallest, object that covers each pixel; 0 for none."""
    out = np.zeros((height, width), np.uint16)
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    for number, one in enumerate(ordered, 1):
        logits = one.logits
        x, y, w, h = cv2.boundingRect((logits.values > 0).view(np.uint8))
        cell_x, cell_y = logits.cell
        left, right = np.searchsorted(columns, (logits.x0 + (x - 1) * cell_x, logits.x0 + (x + w + 1) * cell_x))
        top, bottom = np.searchsorted(rows, (logits.y0 + (y - 1) * cell_y, logits.y0 + (y + h + 1) * cell_y))
        if right <= left or bottom <= top:
            continue
        edges = float(left), float(top), float(right), float(bottom)
        part = LogitMap(np.empty((bottom - top, right - left), np.float32), *edges)
        out[top:bottom, left:right][logits.onto(part) > 0] = number
    return out

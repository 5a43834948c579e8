"""Working on large planes piece by piece: overlapping tiles whose weights sum to one, so that no seam shows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np

from .boxes import PixelBox, Plane

CORE = 512
OVERLAP = 64
HALO = 64

T = TypeVar("T")


@dataclass(frozen=True)
class Tile:
    """``read`` is what is looked at, ``write`` (inside it) what it answers for, by ``weights`` of that size."""

    read: PixelBox
    write: PixelBox
    weights: Plane


def cover(box: PixelBox, core: int = CORE, overlap: int = OVERLAP, halo: int = HALO) -> Iterator[Tile]:
    """Tiles of about ``core`` pixels a side whose ``write`` boxes overlap by ``overlap`` and together cover ``box``.

    In each pixel the weights of all tiles sum to 1. ``read`` reaches ``halo`` pixels further, within ``box``.
    """
    columns, rows = _spans(box.width, core), _spans(box.height, core)
    half = overlap // 2
    for top, bottom in rows:
        for left, right in columns:
            inner = PixelBox(box.x + left, box.y + top, right - left, bottom - top)
            write = inner.padded(half).intersect(box)
            horizontal = _ramp(write.x, write.width, inner.x, inner.right, box.x, box.right, half)
            vertical = _ramp(write.y, write.height, inner.y, inner.bottom, box.y, box.bottom, half)
            yield Tile(write.padded(halo).intersect(box), write, vertical[:, None] * horizontal[None, :])


def count(box: PixelBox, core: int = CORE) -> int:
    """How many tiles ``cover`` gives."""
    return len(_spans(box.width, core)) * len(_spans(box.height, core))


def side_by_side(work: Callable[[Tile], T], tiles: Iterable[Tile], threads: int) -> Iterator[tuple[Tile, T]]:
    """Each tile, in order, with what ``work`` makes of it; so many are worked on at a time, and no more are held.

    NumPy, OpenCV and SciPy let other threads run while they compute. What ``work`` raises is raised here.
    """
    if threads < 2:
        for tile in tiles:
            yield tile, work(tile)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="tile")
    waiting: deque[tuple[Tile, Future[T]]] = deque()
    try:
        for tile in tiles:
            waiting.append((tile, pool.submit(work, tile)))
            if len(waiting) == threads:
                first, result = waiting.popleft()
                yield first, result.result()
        while waiting:
            first, result = waiting.popleft()
            yield first, result.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _spans(length: int, core: int) -> list[tuple[int, int]]:
    """Even pieces of at most ``core``; a rest of less than half of that stays with its neighbours."""
    pieces = max(1, round(length / core))
    edges = [round(i * length / pieces) for i in range(pieces + 1)]
    return list(pairwise(edges))


def _ramp(start: int, length: int, first: int, last: int, low: int, high: int, half: int) -> Plane:
    """Weights along one axis: 1 in the middle, falling linearly, 0.5 at the piece's ends inside ``low..high``."""
    centres = np.arange(start, start + length, dtype=np.float32) + np.float32(0.5)
    out = np.ones(length, np.float32)
    if half == 0:
        return out
    if first > low:
        out = np.minimum(out, (centres - np.float32(first)) / np.float32(2 * half) + np.float32(0.5))
    if last < high:
        out = np.minimum(out, (np.float32(last) - centres) / np.float32(2 * half) + np.float32(0.5))
    return np.clip(out, 0.0, 1.0)

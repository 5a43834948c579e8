"""Made-up line art whose regions are known exactly: smooth cells with lines as borders, with gaps and hatching."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SCALE = 3  # drawn so many times larger, then averaged


@dataclass
class Drawing:
    """``truth`` ``(h, w)`` int: the cell of each pixel, from 1; a line's middle is the border. ``ink`` ``(h, w)``
    float32 0..1: how far lines cover a pixel. ``drawn`` is whether a line's pixel is left after averaging."""

    truth: np.ndarray
    ink: np.ndarray

    def on_paper(self, line=(0, 0, 0), paper=(255, 255, 255), grain=0.0, seed=0) -> np.ndarray:
        """``(h, w, 3)`` uint8."""
        cover = self.ink[..., None]
        colours = cover * np.float32(line) + (1 - cover) * np.float32(paper)
        if grain:
            colours = colours + np.random.default_rng(seed).normal(0, grain, (*self.ink.shape, 1))
        return np.clip(np.round(colours), 0, 255).astype(np.uint8)

    def on_layer(self, line=(0, 0, 0)) -> tuple[np.ndarray, np.ndarray]:
        """The colours and the opacity of a transparent layer."""
        colours = np.broadcast_to(np.uint8(line), (*self.ink.shape, 3)).copy()
        return colours, np.round(self.ink * 255).astype(np.uint8)


def draw(seed: int, width=280, height=230, cells=10, thickness=3.0, gap=0.0, gaps=0, hatched=0, smooth=True) -> Drawing:
    """``gaps`` openings of ``gap`` pixels, and ``hatched`` cells with strokes that touch no border."""
    chance = np.random.default_rng(seed)
    wide, high = width * SCALE, height * SCALE
    truth = _cells(chance, wide, high, cells)
    border = _borders(truth)
    away = cv2.distanceTransform((~border).astype(np.uint8), cv2.DIST_L2, 5)
    ink = away <= thickness * SCALE / 2
    ink &= ~_openings(chance, truth, border, gap * SCALE, gaps, thickness * SCALE)
    for cell in chance.permutation(np.unique(truth))[:hatched]:
        ink |= _hatching(chance, (truth == cell) & (away > (thickness / 2 + 3) * SCALE))
    small = cv2.resize(ink.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    if not smooth:
        small = (small >= 0.5).astype(np.float32)
    return Drawing(truth[SCALE // 2 :: SCALE, SCALE // 2 :: SCALE], small)


def _cells(chance, wide: int, high: int, count: int) -> np.ndarray:
    """The nearest of scattered seeds, seen through a smooth warp."""
    seeds = _scattered(chance, wide, high, count)
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    for plane in (x, y):
        bend = chance.normal(0, 1, (6, 6)).astype(np.float32)
        plane += cv2.resize(bend, (wide, high), interpolation=cv2.INTER_CUBIC) * np.float32(0.04 * min(wide, high))
    best, truth = np.full((high, wide), np.inf, np.float32), np.zeros((high, wide), np.int32)
    for number, (sx, sy) in enumerate(seeds, 1):
        far = (x - sx) ** 2 + (y - sy) ** 2
        closer = far < best
        best[closer], truth[closer] = far[closer], number
    return _whole(truth)


def _scattered(chance, wide: int, high: int, count: int) -> list[np.ndarray]:
    least = 0.6 * np.sqrt(wide * high / count)
    seeds: list[np.ndarray] = []
    while len(seeds) < count:
        tried = chance.uniform((0, 0), (wide, high))
        if all(np.linalg.norm(tried - one) > least for one in seeds):
            seeds.append(tried)
        least *= 0.999
    return seeds


def _whole(truth: np.ndarray) -> np.ndarray:
    """Only the largest piece of each cell keeps its number; the others get one of their own."""
    out, number = np.zeros_like(truth), 0
    for cell in np.unique(truth):
        count, parts = cv2.connectedComponents((truth == cell).astype(np.uint8), connectivity=4)
        for part in range(1, count):
            number += 1
            out[parts == part] = number
    return out


def _borders(truth: np.ndarray) -> np.ndarray:
    border = np.zeros(truth.shape, np.bool_)
    border[:, 1:] |= truth[:, 1:] != truth[:, :-1]
    border[1:] |= truth[1:] != truth[:-1]
    return border


def _openings(chance, truth, border, gap: float, count: int, thickness: float) -> np.ndarray:
    """Stretches of borders where the line is missing, away from where three cells meet and from each other."""
    taken = np.zeros(truth.shape, np.uint8)
    if not count or gap <= 0:
        return taken.astype(bool)
    reach = round(gap + 2 * thickness)
    rows, columns = np.nonzero(border)
    found: list[tuple[int, int]] = []
    for place in chance.permutation(len(rows)):
        y, x = int(rows[place]), int(columns[place])
        if len(found) >= count:
            break
        if not (reach < y < truth.shape[0] - reach and reach < x < truth.shape[1] - reach):
            continue
        around = truth[y - reach : y + reach, x - reach : x + reach]
        if len(np.unique(around)) != 2 or any(np.hypot(x - a, y - b) < 3 * reach for a, b in found):
            continue
        found.append((x, y))
        # Across the line: a band as wide as the gap, along the line's normal.
        inside = np.argwhere(border[y - reach : y + reach, x - reach : x + reach]) - reach
        _, _, axes = np.linalg.svd(inside - inside.mean(axis=0))
        along = axes[0]
        yy, xx = np.mgrid[-reach:reach, -reach:reach]
        taken[y - reach : y + reach, x - reach : x + reach] |= (
            np.abs(yy * along[0] + xx * along[1]) <= gap / 2
        ).astype(np.uint8)
    return taken.astype(bool)


def _hatching(chance, where: np.ndarray) -> np.ndarray:
    spacing, angle = chance.uniform(6, 10) * SCALE, chance.uniform(0, np.pi)
    y, x = np.mgrid[: where.shape[0], : where.shape[1]].astype(np.float32)
    across = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    return where & (across % spacing < 1.5 * SCALE)

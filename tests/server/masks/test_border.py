"""Masks up to the picture's border: made-up logits of things that touch a side, or stop before it."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.masks.border import Sides, sides_reached, to_border
from maskwright.masks.boxes import PixelBox
from maskwright.masks.logits import LogitMap
from maskwright.masks.opencv import cv2

GRID = 256
EVERYWHERE: Sides = (True, True, True, True)
SIZES = [(64, 64), (100, 640), (640, 480), (1024, 700), (333, 1021), (1500, 400), (48, 384)]


def case(width: int, height: int, side: int, gap: float, seed: int) -> tuple[LogitMap, np.ndarray, np.ndarray]:
    """A thing on noise, ``gap`` pixels short of a side (0: over it): what a network says, the picture, the truth.

    The network's outermost cells sink as trained ones do: the border is an edge to it.
    """
    chance = np.random.default_rng(seed)
    half = 0.3 * min(width, height)
    x, y = width / 2, height / 2
    x = (half + gap if gap else half / 2) if side == 0 else (width - half - gap if gap else width) if side == 2 else x
    y = (half + gap if gap else half / 2) if side == 1 else (height - half - gap if gap else height) if side == 3 else y
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    distance = half - np.maximum(np.abs(columns - x), np.abs(rows - y))
    truth = distance > 0
    colours = chance.integers(40, 90, 3), chance.integers(140, 220, 3)
    image = np.where(truth[..., None], *colours[::-1]) + chance.normal(0, 5, (height, width, 3))
    cell = max(width, height) / GRID
    cells = int(np.ceil(height / cell)), int(np.ceil(width / cell))
    padded = np.full((round(cells[0] * cell) + 1, round(cells[1] * cell) + 1), -half, np.float32)
    padded[:height, :width] = distance
    places = ((np.arange(n) + 0.5) * cell for n in cells[::-1])
    where = np.meshgrid(*(p.astype(np.float32) - 0.5 for p in places))
    values = np.clip(cv2.remap(padded, *where, cv2.INTER_LINEAR, borderValue=-half) / cell * 3, -9, 9)
    for line in (values[:1], values[-1:], values[:, :1], values[:, -1:]):
        line[line > 0] *= 0.1
    logits = LogitMap(values.astype(np.float32), 0.0, 0.0, cells[1] * cell, cells[0] * cell)
    return logits, np.clip(image, 0, 255).astype(np.uint8), truth


def lines(mask: np.ndarray, side: int) -> np.ndarray:
    """The mask with that side first."""
    turned = mask.T if side % 2 == 0 else mask
    return turned[::-1] if side > 1 else turned


@pytest.mark.parametrize("size", SIZES)
def test_what_touches_a_side_is_drawn_up_to_it(size: tuple[int, int]) -> None:
    width, height = size
    for side in range(4):
        logits, image, truth = case(width, height, side, 0.0, side)
        box = PixelBox(0, 0, width, height)
        before, after = (one.draw(box, one.slope()) for one in (logits, to_border(logits, image, EVERYWHERE)))
        inside = np.all(lines(truth, side)[:8], axis=0)
        inside = cv2.erode(inside[None].view(np.uint8), np.ones((1, 2 * int(max(size) / GRID) + 9)))[0] > 0
        first = lines(after, side)[:3, inside]
        assert np.abs(first[0] - first[2]).max() < 0.05
        assert first[0].min() > 0.9
        if max(size) > GRID:
            assert lines(before, side)[0, inside].min() < 0.9, "the case shows nothing"


@pytest.mark.parametrize("size", SIZES)
def test_what_stops_before_a_side_is_not_stretched_to_it(size: tuple[int, int]) -> None:
    width, height = size
    for side in range(4):
        for gap in (1, 2, 3, 5, 9):
            logits, image, _ = case(width, height, side, gap, 10 * side + gap)
            box = PixelBox(0, 0, width, height)
            after = to_border(logits, image, EVERYWHERE)
            again, before = after.draw(box, after.slope()), logits.draw(box, logits.slope())
            assert lines(again, side)[0].max() <= lines(before, side)[0].max() + 0.02, (side, gap)


def test_a_crop_s_own_sides_are_left_alone() -> None:
    logits, image, _ = case(640, 480, 3, 0.0, 1)
    assert to_border(logits, image, (True, True, True, False)) is logits
    assert sides_reached(logits.values) == (False, False, False, True)

"""Dotted patches become even, and lines of one cell stay."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.masks.dots import without_dots
from maskwright.masks.opencv import cv2


def spots(values: np.ndarray) -> int:
    """Cells that differ from all four beside them."""
    inside = np.pad(values > 0, 1, mode="reflect")
    middle = inside[1:-1, 1:-1]
    beside = (inside[:-2, 1:-1], inside[2:, 1:-1], inside[1:-1, :-2], inside[1:-1, 2:])
    return int(np.logical_and.reduce([one != middle for one in beside]).sum())


@pytest.mark.parametrize("seed", range(8))
def test_a_dotted_patch_becomes_even(seed: int) -> None:
    chance = np.random.default_rng(seed)
    period = (2, 4)[seed % 2]
    pattern = chance.normal(0, 0.7, (period, period))
    pattern = np.sign(chance.normal()) * np.abs(pattern) * (np.indices(pattern.shape).sum(0) % 2 * 2 - 1)
    values = np.full((200, 256), -6, np.float32)
    values[30:150, 60:200] = 5
    patch = values[40:130, 90:170]
    tiled = np.tile(pattern, (90 // period + 1, 80 // period + 1))[:90, :80]
    patch[:] = tiled - np.median(tiled) + chance.normal(0, 0.1, patch.shape)
    after = without_dots(values)
    assert spots(values) > 1000
    assert spots(after) < 0.35 * spots(values)
    outside = np.ones(values.shape, bool)
    outside[36:134, 86:174] = False
    assert np.array_equal(after[outside], values[outside])


@pytest.mark.parametrize("angle", [0, 17, 30, 45, 60, 90, 135])
def test_lines_of_one_cell_stay(angle: int) -> None:
    mask = np.zeros((256, 256), np.uint8)
    turn = np.radians(angle)
    for shift in (0, 9):
        ends = [(round(128 + shift + s * 90 * np.cos(turn)), round(128 + s * 90 * np.sin(turn))) for s in (-1, 1)]
        cv2.line(mask, *ends, 1, 1)
    values = np.where(mask > 0, 1.0, -3.0).astype(np.float32)
    kept = (without_dots(values) > 0) & (mask > 0)
    assert np.count_nonzero(kept) >= np.count_nonzero(mask) - 4


def test_what_has_no_dots_is_the_same_array() -> None:
    values = np.full((64, 64), -4, np.float32)
    values[10:30, 10:40] = 4
    assert without_dots(values) is values

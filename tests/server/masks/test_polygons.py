"""Polygons drawn through logits against the shapes themselves."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwright.masks.boxes import PixelBox
from maskwright.masks.polygons import polygon_logits

WIDTH, HEIGHT = 300, 200
BOX = PixelBox(0, 0, WIDTH, HEIGHT)


def drawn(polygons: list[list[tuple[float, float]]]) -> np.ndarray:
    logits = polygon_logits(polygons, WIDTH, HEIGHT, 128)
    return logits.draw(BOX, logits.slope())


@settings(max_examples=30, deadline=None)
@given(st.floats(40, 250), st.floats(40, 150), st.floats(15, 35), st.integers(3, 24), st.floats(0, 6))
def test_regular_polygons_have_their_area_and_place(
    x: float, y: float, radius: float, corners: int, turn: float
) -> None:
    angles = [turn + 2 * math.pi * i / corners for i in range(corners)]
    mask = drawn([[(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]])
    area = corners / 2 * radius**2 * math.sin(2 * math.pi / corners)
    assert abs(float(mask.sum()) - area) < 0.06 * area + 20
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    assert abs(float((mask * columns).sum() / mask.sum()) - x) < 0.7
    assert abs(float((mask * rows).sum() / mask.sum()) - y) < 0.7


def test_edges_are_soft_and_where_the_polygon_ends() -> None:
    mask = drawn([[(60.4, 50), (240.4, 50), (240.4, 150), (60.4, 150)]])
    middle = mask[100]
    assert ((middle > 0.02) & (middle < 0.98)).sum() >= 2
    assert abs(float(middle.sum()) - 180) < 0.5
    left = float(np.interp(0.5, middle[50:70], np.arange(50, 70) + 0.5))
    assert abs(left - 60.4) < 0.3


def test_parts_are_put_together_even_where_they_overlap() -> None:
    first: list[tuple[float, float]] = [(20, 20), (120, 20), (120, 120), (20, 120)]
    second: list[tuple[float, float]] = [(80, 80), (180, 80), (180, 180), (80, 180)]
    mask = drawn([first, second])
    assert mask[100, 100] == 1
    assert abs(float(mask.sum()) - (100**2 * 2 - 40**2)) < 300


def test_nothing_and_slivers() -> None:
    nothing: list[list[list[tuple[float, float]]]] = [[], [[]], [[(1, 1), (5, 5)]]]
    for polygons in nothing:
        assert not drawn(polygons).any()
    assert polygon_logits([[(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)]], WIDTH, HEIGHT, 64).values.min() > 0

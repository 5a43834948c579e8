"""Lines of brushes and lassos: places along them, and the cells that they touch or go round."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.masks.logits import LogitMap
from maskwright.masks.strokes import Line, along, spread, touched, within

GRID = LogitMap(np.zeros((40, 60), np.float32), 0.0, 0.0, 240.0, 160.0)  # cells of 4 pixels
BENT = Line(np.array([[10, 10], [110, 10], [110, 60]], np.float32), True, 8.0)


def test_places_lie_on_the_line_at_even_distances() -> None:
    fine = along(BENT, 2.0)
    assert len(fine) == 76
    assert np.array_equal(fine[[0, -1]], BENT.places[[0, -1]])
    assert np.hypot(*np.diff(fine, axis=0).T) == pytest.approx(2.0, abs=0.7)
    few = spread(BENT, 3)
    assert few == pytest.approx(np.array([[35, 10], [85, 10], [110, 35]]), abs=2)
    dot = Line(np.array([[5, 6], [5, 6]], np.float32), True)
    assert np.array_equal(along(dot, 1.0), [[5, 6]])
    assert np.array_equal(spread(dot, 2), [[5, 6]] * 2)


def test_a_brush_touches_the_cells_within_its_width() -> None:
    rows, columns = np.nonzero(touched(BENT, GRID, 12.0))
    x, y = columns * 4 + 2, rows * 4 + 2
    away = np.min([np.hypot(x - px, y - py) for px, py in along(BENT, 1.0)], axis=0)
    assert away.max() < 6 + 6
    thin = touched(BENT, GRID, 0.0)
    assert 36 <= np.count_nonzero(thin) <= 42, "one cell wide"
    assert thin[2, 2]
    assert thin[14, 27]


def test_a_loop_goes_round_cells_and_may_leave_the_picture() -> None:
    loop = Line(np.array([[-20, 20], [100, 20], [100, 100], [-20, 100]], np.float32), True, closed=True)
    inner = within(loop, GRID)
    assert inner[10, 0]
    assert inner[15, 20]
    assert not inner[2:4].any()
    assert not inner[:, 28:].any()
    assert np.count_nonzero(inner) == pytest.approx(25 * 20, rel=0.12)

"""Distinct objects, holders and label images, on shapes whose answers are known."""

from __future__ import annotations

import numpy as np

from maskwright.masks.logits import UNBOUNDED, LogitMap, capped
from maskwright.masks.objectmap import Candidate, distinct, label_image, parents, stability

CANVAS = LogitMap(np.zeros((64, 64), np.float32), 0, 0, 128, 128)


def square(x: int, y: int, side: int, score: float = 0.9, like: LogitMap = CANVAS) -> Candidate:
    """A square of document pixels on the canvas' grid."""
    values = np.full(like.values.shape, -4.0, np.float32)
    cell = like.cell[0]
    x, y = int((x - like.x0) / cell), int((y - like.y0) / cell)
    values[y : y + int(side / cell), x : x + int(side / cell)] = 4.0
    return Candidate(like.like(values), score)


def test_doubles_go_and_the_better_scored_stays():
    found = [square(10, 10, 60, 0.8), square(12, 10, 60, 0.95), square(10, 10, 30, 0.7)]
    kept = distinct(found, CANVAS)
    assert [one.score for one in kept] == [0.95, 0.7]
    assert kept[0].logits.area() == 60 * 60


def test_holders_are_the_smallest_ones_around():
    ordered = [square(0, 0, 120), square(10, 10, 60), square(20, 20, 20), square(80, 80, 40)]
    assert parents(ordered, CANVAS) == [0, 1, 2, 1]
    assert parents([square(0, 0, 40), square(30, 30, 30)], CANVAS) == [0, 0]
    assert parents([], CANVAS) == []


def test_the_label_image_shows_the_smallest_object():
    crop = LogitMap(np.zeros((32, 32), np.float32), 64, 64, 128, 128)
    labels = label_image([square(0, 0, 128), square(16, 16, 64), square(96, 96, 16, like=crop)], 128, 128)
    assert labels.dtype == np.uint16
    assert labels[4, 4] == 1
    assert labels[40, 40] == 2
    assert labels[104, 104] == 3
    assert (labels == 2).sum() == 64 * 64
    assert (labels == 3).sum() == 16 * 16
    assert not label_image([], 5, 4).any()
    # Half the size: the overview may be coarser than the map.
    assert label_image([square(16, 16, 64)], 64, 64)[20, 20] == 1


def test_stability_is_low_where_the_edge_is_anywhere():
    ramp = np.tile(np.linspace(-3, 3, 61, dtype=np.float32), (4, 1))
    steep = np.where(ramp > 0, 8, -8).astype(np.float32)
    assert stability(steep) == 1.0
    assert stability(ramp) < 0.55
    assert stability(np.full((3, 3), -9.0, np.float32)) == 0.0


def test_onto_another_grid_and_caps():
    ramp = LogitMap(np.tile(np.arange(64, dtype=np.float32), (64, 1)), 0, 0, 128, 128)
    fine = LogitMap(np.zeros((40, 40), np.float32), 40, 40, 60, 60)
    expected = (40 + (np.arange(40) + 0.5) / 2) / 2 - 0.5
    assert np.abs(ramp.onto(fine) - expected).max() < 0.03
    left = capped(fine.like(np.full((40, 40), 25.0, np.float32)), ramp)
    assert np.abs(left.values - np.minimum(25, expected)).max() < 0.03
    free = ramp.like(np.full((64, 64), UNBOUNDED, np.float32))
    assert (capped(fine, free).values == 0).all()

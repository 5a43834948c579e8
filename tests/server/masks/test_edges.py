"""Logits, guided filter, trimaps and foreground colours."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.masks import guided, trimap
from maskwright.masks.boxes import PixelBox
from maskwright.masks.foreground import decontaminate, estimate_foreground
from maskwright.masks.logits import LogitMap, logit, union, without, without_overlaps
from tests.shared_data import PARITY, needs_parity


def disk_logits(cells: int, extent: float, centre: tuple[float, float], radius: float) -> LogitMap:
    at = (np.arange(cells, dtype=np.float32) + 0.5) * extent / cells
    values = radius - np.hypot(at[None, :] - centre[0], at[:, None] - centre[1])
    return LogitMap((values * 0.4).astype(np.float32), 0, 0, extent, extent)


@pytest.mark.parametrize(("cells", "extent"), [(256, 4000.0), (256, 1531.0), (200, 680.0), (256, 100.0)])
def test_drawing_is_exact_in_place_and_about_two_pixels_soft(cells, extent):
    centre, radius = (extent * 0.53, extent * 0.47), extent * 0.3
    drawn = disk_logits(cells, extent, centre, radius)
    slope = drawn.slope()
    size = round(extent)
    box = drawn.bounds(PixelBox(0, 0, size, size), slope)
    mask = drawn.draw(box, slope)
    x = np.arange(box.x, box.right) + 0.5 - centre[0]
    y = np.arange(box.y, box.bottom) + 0.5 - centre[1]
    distance = radius - np.hypot(x[None, :], y[:, None])
    assert (mask[distance > 1.5] == 1).all()
    assert (mask[distance < -1.5] == 0).all()
    assert np.abs(drawn.draw8(box, slope) / 255 - mask).max() <= 0.5 / 255 + 1e-6
    covered = mask.sum()
    assert abs(covered - np.pi * radius**2) < 2 * np.pi * radius * 0.3


def catmull_rom(cells: int) -> np.ndarray:
    """Matrix ``(4 cells, cells)``: each finer value from the four cells around it, the rim going on."""
    out = np.zeros((4 * cells, cells))
    for row in range(4 * cells):
        place = (row + 0.5) / 4 - 0.5
        base, t = int(np.floor(place)), place - np.floor(place)
        weights = (
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            -0.5 * t**2 + 0.5 * t**3,
        )
        for step, weight in enumerate(weights):
            out[row, min(max(base - 1 + step, 0), cells - 1)] += weight
    return out


@pytest.mark.parametrize("shape", [(192, 256), (256, 171), (1, 7), (3, 1), (1, 1)])
def test_a_map_is_made_finer_by_splines(shape):
    """At four pixels a cell, as in a preview, the pixels are the spline's own values."""
    values = np.random.default_rng(4).normal(0, 6, shape).astype(np.float32)
    rows, columns = shape
    box = PixelBox(0, 0, 4 * columns, 4 * rows)
    drawn = LogitMap(values, 0, 0, box.width, box.height)
    expected = catmull_rom(rows) @ values @ catmull_rom(columns).T
    assert np.abs(drawn.sample(box) - expected).max() < 1e-4
    slope = 0.3
    coverage = np.clip(expected * slope + 0.5, 0, 1)
    assert np.abs(drawn.draw(box, slope) - coverage).max() < 1e-4
    assert np.abs(drawn.draw8(box, slope) / 255 - coverage).max() < 1 / 255


def test_any_part_of_the_map_is_drawn_alike():
    drawn = disk_logits(256, 1537.0, (700, 800), 400)
    slope = drawn.slope()
    canvas = PixelBox(0, 0, 1537, 1537)
    everything = drawn.draw(canvas, slope)
    for part in (PixelBox(311, 402, 97, 55), PixelBox(1500, 1400, 37, 137), PixelBox(0, 0, 3, 3)):
        assert np.abs(drawn.draw(part, slope) - everything[part.slices()]).max() < 0.35
    beyond = drawn.draw(PixelBox(-20, -20, 1600, 1600), slope)
    assert beyond.shape == (1600, 1600)


def test_a_map_in_other_coordinates_draws_in_other_places():
    drawn = disk_logits(128, 512.0, (200, 300), 100)
    moved = drawn.mapped(2, 2, 50, -30)
    slope = moved.slope()
    box = moved.bounds(PixelBox(0, 0, 3000, 3000), slope)
    mask = moved.draw(box, slope)
    rows, columns = np.nonzero(mask >= 0.5)
    assert abs(columns.mean() + 0.5 + box.x - 450) < 1
    assert abs(rows.mean() + 0.5 + box.y - 570) < 1


def test_sets_of_logits():
    a, b = disk_logits(64, 64, (24, 32), 16), disk_logits(64, 64, (40, 32), 16)
    first, second = without_overlaps([a, b])
    assert not ((first.values > 0) & (second.values > 0)).any()
    both = (a.values > 0) | (b.values > 0)
    assert np.array_equal((first.values > 0) | (second.values > 0) | (np.abs(a.values - b.values) < 1e-6) & both, both)
    assert np.array_equal(union([a, b]).values > 0, both)
    assert np.array_equal(without(a, [b]).values > 0, (a.values > 0) & (b.values < 0))
    assert without_overlaps([a]) == [a]
    assert logit(np.array([[0, 0.5, 1]], np.float32)).round(3).tolist() == [[-8.0, 0.0, 8.0]]
    empty = LogitMap(np.full((8, 8), -3, np.float32), 0, 0, 80, 80)
    assert empty.bounds(PixelBox(0, 0, 80, 80), empty.slope()).empty


@needs_parity
def test_foreground_matches_the_published_implementation():
    data = np.load(PARITY / "birefnet" / "ops" / "foreground.npz")
    image = data["image"].astype(np.float32) / np.float32(255)
    alpha = data["alpha"].astype(np.float32) / np.float32(255)
    assert np.abs(estimate_foreground(image, alpha) - data["foreground_cv2"]).max() <= 1e-5


def test_decontamination_removes_the_old_background():
    y, x = np.mgrid[:120, :140].astype(np.float32)
    alpha = np.clip((40 - np.hypot(y - 60, x - 70)) / 8 + 0.5, 0, 1).astype(np.float32)
    subject, green = np.array([0.8, 0.3, 0.2], np.float32), np.array([0, 1, 0], np.float32)
    image = alpha[..., None] * subject + (1 - alpha[..., None]) * green
    clean = decontaminate(image, alpha)
    visible = alpha > 0.1
    before, after = np.abs(image - subject)[visible].mean(), np.abs(clean - subject)[visible].mean()
    assert after < before / 4
    assert np.array_equal(clean[alpha == 1], image[alpha == 1])
    tiny = estimate_foreground(np.ones((1, 1, 3), np.float32), np.full((1, 1), 0.5, np.float32))
    assert np.allclose(tiny, 1, atol=1e-3)


def test_the_guided_filter_brings_an_edge_back_to_the_image():
    image = np.zeros((80, 80, 3), np.float32)
    image[:, 40:] = (0.9, 0.5, 0.3)
    truth = (image[..., 0] > 0).astype(np.float32)
    rough = np.clip(guided.cv2.GaussianBlur(np.roll(truth, 2, 1), (0, 0), 3), 0, 1)
    rough[:, :10] = 0
    sharp = guided.guided_filter(image, rough, 8, 1e-4)
    assert not np.array_equal(rough >= 0.5, truth >= 0.5)
    assert np.array_equal(sharp[:, 15:] >= 0.5, truth[:, 15:] >= 0.5)
    assert (sharp[:, 40] - sharp[:, 39] > 0.4).all()
    flat = guided.guided_filter(np.full((9, 9, 3), 0.5, np.float32), np.full((9, 9), 0.3, np.float32), 2)
    assert np.allclose(flat, 0.3, atol=1e-3)


def test_a_trimap_keeps_clear_of_the_borders():
    mask = np.zeros((60, 60), np.float32)
    mask[:30] = 1
    tri = trimap.trimap(mask, 10)
    assert (tri[:24] == 1).all()
    assert (tri[25:35] == 0.5).all()
    assert (tri[36:] == 0).all()
    assert not trimap.band(np.ones((5, 5), np.float32), 4).any()
    assert not trimap.band(np.zeros((5, 5), np.float32), 4).any()
    assert trimap.auto_edge_width(np.zeros((5, 5), np.uint8)) == 4

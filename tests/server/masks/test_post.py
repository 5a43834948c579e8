"""The post-processing chain against brute-force references and its own laws."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maskwright.masks import post
from maskwright.masks.boxes import PixelBox, recrop, tight_box, whole
from maskwright.masks.grow import grow
from maskwright.masks.opencv import cv2
from maskwright_protocol.messages import PostProcess

SIZES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)
BINARY = hnp.arrays(np.bool_, SIZES).map(lambda a: a.astype(np.float32))
SOFT = hnp.arrays(np.float32, SIZES, elements=st.floats(0, 1, width=32))
AMOUNTS = st.floats(-6, 6, width=32)


def disk(radius: float) -> list[tuple[int, int]]:
    reach = math.floor(radius)
    span = range(-reach, reach + 1)
    return [(dy, dx) for dy in span for dx in span if dy * dy + dx * dx <= radius * radius]


def dilated(mask: np.ndarray, radius: float) -> np.ndarray:
    out = np.zeros_like(mask)
    height, width = mask.shape
    for dy, dx in disk(radius):
        for y in range(height):
            for x in range(width):
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    out[y, x] = max(out[y, x], mask[y + dy, x + dx])
    return out


def components(flags: np.ndarray, eight: bool) -> list[set[tuple[int, int]]]:
    steps = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy or dx) and (eight or not (dy and dx))]
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(flags), strict=True)}
    found = []
    while left:
        part, edge = set(), [left.pop()]
        while edge:
            y, x = edge.pop()
            part.add((y, x))
            for dy, dx in steps:
                if (y + dy, x + dx) in left:
                    left.remove((y + dy, x + dx))
                    edge.append((y + dy, x + dx))
        found.append(part)
    return found


@settings(deadline=None, max_examples=60)
@given(BINARY, st.integers(1, 6))
def test_grow_and_shrink_are_euclidean_to_the_pixel(mask, amount):
    assert np.array_equal(grow(mask, amount), dilated(mask, amount))
    assert np.array_equal(grow(mask, -amount), 1 - dilated(1 - mask, amount))


@pytest.mark.parametrize("amount", [17, 40.0])
def test_large_growth_is_euclidean_to_the_pixel(amount):
    mask = np.zeros((120, 130), np.float32)
    mask[60, 60] = mask[30, 90] = 1
    y, x = np.mgrid[:120, :130]
    inside = ((y - 60) ** 2 + (x - 60) ** 2 <= amount**2) | ((y - 30) ** 2 + (x - 90) ** 2 <= amount**2)
    assert np.array_equal(grow(mask, amount), inside.astype(np.float32))


def test_a_fraction_moves_a_straight_edge_by_that_fraction():
    mask = np.zeros((9, 20), np.float32)
    mask[:, :10] = 1
    assert np.allclose(grow(mask, 2.25)[4, 10:14], [1, 1, 0.25, 0])
    assert np.allclose(grow(mask, -2.25)[4, 6:11], [1, 0.75, 0, 0, 0])


def blob(radius: float, size: int = 80) -> np.ndarray:
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return np.clip(radius - np.hypot(y - size / 2, x - size / 2) + 0.5, 0, 1).astype(np.float32)


@pytest.mark.parametrize("amount", [0.5, 1.0, 3.3, 8.0, -0.5, -3.3, -8.0])
def test_a_soft_edge_is_moved_and_stays_as_soft(amount):
    out = grow(blob(20), amount)
    assert np.abs(out - blob(20 + amount)).max() < 0.3
    assert abs(math.sqrt(out.sum() / math.pi) - (20 + amount)) < 0.2
    across = out[40]
    assert np.count_nonzero((across > 0.02) & (across < 0.98)) <= 4


def test_a_soft_shape_shrunk_by_more_than_it_is_wide_is_gone():
    random = np.random.default_rng(0)
    for softness in (0.8, 1.5, 2.5):
        strokes = np.zeros((160, 200), np.uint8)
        for width in (4, 11, 25):
            start, end = (tuple(int(v) for v in random.integers(30, 130, 2)) for _ in range(2))
            cv2.line(strokes, start, end, 255, width)
        mask = cv2.GaussianBlur(strokes.astype(np.float32) / 255, (0, 0), softness)
        depth = float(cv2.distanceTransform((mask >= 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max())
        assert grow(mask, -depth - 12).max() < 0.05
        assert grow(mask, -depth / 2).max() > 0.95


@settings(deadline=None, max_examples=60)
@given(SOFT, AMOUNTS)
def test_growing_keeps_the_range_and_never_loses_anything(mask, amount):
    out = grow(mask, amount)
    assert out.shape == mask.shape
    assert out.dtype == np.float32
    assert out.min() >= 0
    assert out.max() <= 1 + 1e-6
    if amount >= 0:
        assert (out >= mask - 1e-6).all()
    else:
        assert (out <= mask + 1e-6).all()


def test_a_mask_at_the_border_is_not_eaten_there():
    mask = np.zeros((40, 40), np.float32)
    mask[:20] = 1
    assert np.array_equal(grow(mask, -5)[:15], np.ones((15, 40), np.float32))
    assert post.gaussian(mask, 3)[0].min() == 1
    assert np.allclose(post.gaussian(mask, 3)[:, 0], post.gaussian(mask, 3)[:, 20])
    full = np.ones((7, 5), np.float32)
    for amount in (-3, 3):
        assert np.array_equal(grow(full, amount), full)


@settings(deadline=None, max_examples=60)
@given(BINARY, st.sampled_from([0.0, 1.0, 2.0, 5.0]))
def test_fill_holes(mask, max_area):
    height, width = mask.shape
    expected = mask.copy()
    for part in components(mask < 0.5, eight=False):
        at_border = any(y in (0, height - 1) or x in (0, width - 1) for y, x in part)
        if not at_border and (max_area == 0 or len(part) <= max_area):
            for place in part:
                expected[place] = 1
    assert np.array_equal(post.fill_holes(mask, max_area), expected)


def test_a_hole_is_filled_with_its_soft_rim():
    ring = blob(20) - blob(6)
    assert np.abs(post.fill_holes(ring) - blob(20)).max() < 0.005


@settings(deadline=None, max_examples=60)
@given(BINARY, st.sampled_from([0.0, 1.0, 2.0, 4.0, 9.0]))
def test_remove_specks(mask, min_area):
    expected = mask.copy()
    for part in components(mask >= 0.5, eight=True):
        if len(part) < min_area:
            for place in part:
                expected[place] = 0
    assert np.array_equal(post.remove_specks(mask, min_area), expected)


def test_a_speck_goes_with_its_soft_skirt_and_the_object_stays_untouched():
    size = 100
    speck = np.roll(blob(3.4, size), (-40, -40), (0, 1))
    both = np.maximum(blob(20, size), speck)
    assert np.array_equal(post.remove_specks(both, 100), blob(20, size))


@pytest.mark.parametrize("sigma", [0.7, 3, 7.9, 8.1, 21, 60])
def test_feather_is_a_gaussian(sigma):
    mask = np.zeros((90, 110), np.float32)
    mask[30:70, 20:90] = 1
    mask[:12, 50:] = 1
    reach = math.ceil(5 * sigma)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps /= taps.sum()
    wide = np.pad(mask.astype(np.float64), reach, mode="edge")
    rows = np.stack([np.convolve(row, taps, "valid") for row in wide])
    expected = np.stack([np.convolve(column, taps, "valid") for column in rows.T], axis=1)
    assert np.abs(post.gaussian(mask, sigma) - expected).max() < 1 / 255


def test_smooth_rounds_teeth_and_leaves_straight_edges():
    mask = np.zeros((60, 60), np.float32)
    mask[:, :30] = 1
    assert np.abs(post.smooth(mask, 6) - mask)[:, :29].max() < 0.15
    assert np.array_equal(post.smooth(mask, 6) >= 0.5, mask >= 0.5)
    teeth = mask.copy()
    teeth[::2, 30:32] = 1
    edge = (post.smooth(teeth, 8) >= 0.5).sum(axis=1)[4:-4]
    assert edge.max() - edge.min() == 0


def test_levels_and_threshold():
    ramp = np.linspace(0, 1, 11, dtype=np.float32)[None]
    assert np.allclose(post.levels(ramp, 0.2, 0.7)[0], np.clip((ramp[0] - 0.2) / 0.5, 0, 1), atol=1e-6)
    assert post.levels(ramp, 0.5, 0.5).tolist() == (ramp > 0.5).astype(float).tolist()
    assert post.threshold(ramp, 0.3)[0].sum() == 8
    assert post.threshold(ramp, 0)[0].sum() == 10


CHAINS = st.builds(
    PostProcess,
    threshold=st.none() | st.floats(0, 1),
    levels_low=st.floats(0, 0.5),
    levels_high=st.floats(0.5, 1),
    fill_holes=st.booleans(),
    max_hole_area=st.sampled_from([0.0, 3.0]),
    min_area=st.sampled_from([0.0, 3.0]),
    smooth=st.floats(0, 4),
    grow=st.floats(-4, 4),
    feather=st.floats(0, 4),
    invert=st.booleans(),
)


def post_process(mask, chain):
    """The chain on a mask that covers the whole picture."""
    out, box = post.post_process_crop(mask, whole(mask), whole(mask), chain)
    return recrop(out, box, whole(mask))


@settings(deadline=None, max_examples=80)
@given(SOFT, CHAINS)
def test_the_chain_keeps_shape_and_range_and_its_input(mask, chain):
    before = mask.copy()
    out = post_process(mask, chain)
    assert np.array_equal(mask, before)
    assert out.shape == mask.shape
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert out.min() >= 0
    assert out.max() <= 1


@given(SOFT)
def test_the_default_chain_changes_nothing(mask):
    assert np.array_equal(post_process(mask, PostProcess()), mask)


@settings(deadline=None, max_examples=60)
@given(CHAINS, st.integers(-20, 20), st.integers(-20, 20))
def test_a_crop_is_processed_as_the_whole(chain, dx, dy):
    canvas = PixelBox(100, -50, 80, 80)
    mask = np.roll(blob(17), (dy, dx), (0, 1))
    if abs(dx) > 12 or abs(dy) > 12:
        mask[0], mask[:, 0] = mask[1], mask[:, 1]
    inner = tight_box(mask)
    out, box = post.post_process_crop(mask[inner.slices()], inner.moved(canvas.x, canvas.y), canvas, chain)
    assert box.empty or canvas.contains(box)
    steps = mask
    if chain.threshold is not None:
        steps = post.threshold(steps, chain.threshold)
    steps = post.levels(steps, chain.levels_low, chain.levels_high)
    if chain.fill_holes:
        steps = post.fill_holes(steps, chain.max_hole_area)
    steps = grow(post.smooth(post.remove_specks(steps, chain.min_area), chain.smooth), chain.grow)
    steps = post.gaussian(steps, chain.feather)
    if chain.invert:
        steps = 1 - steps
    assert np.abs(recrop(out, box, canvas) - np.clip(steps, 0, 1)).max() < 2 / 255


def test_empty_full_and_tiny_masks():
    everything = PostProcess(0.5, 0.1, 0.9, True, 0, 2, 2, 1.5, 2, False)
    assert not post_process(np.zeros((9, 7), np.float32), everything).any()
    assert post_process(np.zeros((9, 7), np.float32), replace(everything, invert=True)).all()
    assert np.allclose(post_process(np.ones((9, 7), np.float32), everything), 1, atol=1e-6)
    assert post_process(np.ones((1, 1), np.float32), replace(everything, min_area=0)).shape == (1, 1)


def test_invert_comes_after_grow():
    mask = np.zeros((20, 20), np.float32)
    mask[5:15, 5:15] = 1
    out, box = post.post_process_crop(mask, whole(mask), whole(mask), PostProcess(grow=2, invert=True))
    assert box == whole(mask)
    assert out[3, 10] == 0
    assert out[2, 10] == 1

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright.masks import instances as ops
from maskwright.masks.boxes import PixelBox, dequantise, quantise, recrop, tight_box
from maskwright.masks.logits import LogitMap

FULL = np.ones((4, 6), np.float32)


def test_merge_and_limit():
    merged, box = ops.merge([(FULL, PixelBox(-2, 0, 6, 4)), (FULL * 0.5, PixelBox(2, 2, 6, 4))])
    assert box == PixelBox(-2, 0, 10, 6)
    assert merged[0, 0] == 1
    assert merged[5, 9] == 0.5
    assert merged[3, 5] == 1
    assert merged[5, 0] == 0
    assert ops.merge([])[1].empty
    inside, common = ops.limit(FULL, PixelBox(0, 0, 6, 4), FULL * 0.5, PixelBox(4, 2, 6, 4))
    assert common == PixelBox(4, 2, 2, 2)
    assert (inside == 0.5).all()


def test_ious():
    assert ops.box_iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert ops.box_iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0
    first, second = np.zeros((4, 9), bool), np.zeros((4, 9), bool)
    first[:, :6], second[:, 3:] = True, True
    assert ops.mask_iou(first, second) == pytest.approx(1 / 3)
    assert ops.mask_iou(first, first) == 1
    assert ops.mask_iou(first, ~first) == 0
    assert ops.mask_iou(first & ~first, first & ~first) == 0


def test_maps_on_different_grids_are_compared_on_the_first_ones():
    cells = np.full((8, 8), -1, np.float32)
    cells[2:6, 2:6] = 1
    coarse = LogitMap(cells, 0, 0, 80, 80)
    fine = LogitMap(np.kron(cells, np.ones((4, 4), np.float32)), 0, 0, 80, 80)
    moved = LogitMap(cells, 40, 0, 120, 80)
    assert ops.logit_iou(coarse, coarse) == ops.logit_iou(coarse, fine) == 1
    assert ops.logit_iou(fine, coarse) > 0.85
    assert ops.logit_iou(coarse, moved) == 0
    part = coarse.like(np.where(np.arange(8) < 4, cells, np.float32(-1)))
    assert ops.logit_iou(coarse, part) == 0.5
    assert ops.share_of_smaller(coarse, part) == ops.share_of_smaller(part, coarse) == 1
    assert ops.share_of_smaller(coarse, moved) == 0


BOXES = st.lists(
    st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 9)] * 2, st.floats(0, 1)).map(
        lambda t: ((t[0], t[1], t[0] + t[2], t[1] + t[3]), t[4])
    ),
    max_size=12,
)


@given(BOXES)
def test_nms_is_the_greedy_algorithm(items):
    boxes, scores = [b for b, _ in items], [s for _, s in items]
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(ops.box_iou(boxes[i], boxes[j]) <= 0.5 for j in kept):
            kept.append(i)
    assert ops.nms(boxes, scores, 0.5) == kept


def test_tight_boxes():
    plane = np.zeros((10, 20), np.float32)
    plane[1:3, 2:5], plane[6:10, 10:20] = 0.3, 1
    assert tight_box(plane) == PixelBox(2, 1, 18, 9)
    assert tight_box(np.full((3, 3), 0.0019, np.float32)).empty
    assert not tight_box(np.full((3, 3), 0.00197, np.float32)).empty


@pytest.mark.parametrize("depth", [8, 16])
def test_quantising_rounds_to_nearest_and_comes_back(depth):
    full = 2**depth - 1
    mask = np.linspace(-0.1, 1.1, 5000, dtype=np.float32).reshape(50, 100)
    whole_numbers = quantise(mask, depth)
    expected = np.clip(mask.astype(np.float64), 0, 1) * full
    assert np.abs(whole_numbers - expected).max() <= 0.51
    assert np.array_equal(quantise(dequantise(whole_numbers), depth), whole_numbers)


@given(st.integers(-5, 9), st.integers(-5, 9), st.integers(0, 9), st.integers(0, 9))
def test_recrop(x, y, width, height):
    array = np.arange(24, dtype=np.float32).reshape(4, 6) + 1
    out = recrop(array, PixelBox(0, 0, 6, 4), PixelBox(x, y, width, height))
    padded = np.zeros((40, 40), np.float32)
    padded[10:14, 10:16] = array
    assert np.array_equal(out, padded[10 + y : 10 + y + height, 10 + x : 10 + x + width])

"""Prompts in combination on real photos: words and a click that excludes, masks of any shape, many boxes at once."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from maskwright.masks.opencv import cv2
from maskwright.recipes.job.remembered import SmallPlane
from maskwright_protocol.messages import Mask, PixelRect, Point, Rect, Select
from tests.server.recipes.conftest import iou, plane
from tests.shared_data import EVAL, needs_eval, needs_models

pytestmark = [needs_models, needs_eval]


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    return np.array(Image.open(EVAL / "photos/bus.jpg").convert("RGB"))


@pytest.fixture(scope="module")
def lemur() -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array(Image.open(EVAL / "matting/lemur.png").convert("RGB")),
        np.array(Image.open(EVAL / "matting/lemur_alpha.png")) / 255,
    )


def test_words_and_a_click_that_excludes(desk, street):
    picture = desk.picture(street, "bus")
    plain = desk.run(Select("1", picture=picture, text="bus", precise="off")).instances[0]
    poster = Point(660, 420, False)
    less = desk.run(Select("2", picture=picture, text="bus", points=[poster], precise="off")).instances[0]
    before, after = plane(plain.mask, street), plane(less.mask, street)
    assert before[420, 660] > 0.9
    assert after[420, 660] < 0.5
    assert 0.2 * before.sum() < after.sum() < before.sum()
    assert less.label == "bus"


@pytest.mark.parametrize("shape", ["box", "blob", "eroded", "soft", "scribble"])
def test_a_mask_of_any_shape_to_start_from(desk, lemur, shape):
    pixels, truth = lemur
    rough = (truth >= 0.5).astype(np.float32)
    rows, columns = np.nonzero(rough)
    if shape == "box":
        rough[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 1
    elif shape == "blob":
        rough = cv2.dilate(rough, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 25)))
    elif shape == "eroded":
        rough = cv2.erode(rough, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (25, 25)))
    elif shape == "soft":
        rough = cv2.GaussianBlur(rough, (0, 0), 8)
    else:
        rough *= 0
        cv2.line(rough, (int(columns.min()) + 30, 220), (int(columns.max()) - 30, 220), 1.0, 24)
        rough *= truth >= 0.5
    # Its box neither starts at the picture's corner nor ends at its border.
    data = np.ascontiguousarray(np.rint(rough * 255).astype(np.uint8)[3:-2, 5:-7])
    start = Mask(PixelRect(5, 3, data.shape[1], data.shape[0]), data=data.tobytes())
    answer = desk.run(Select("1", picture=desk.picture(pixels, "lemur"), start=start, precise="off"))
    least = 0.6 if shape == "scribble" else 0.95
    assert iou(plane(answer.instances[0].mask, pixels), truth) >= max(least, iou(rough, truth) - 0.02)


def test_alternatives_are_distinct_grow_and_can_be_gone_on_from(desk, street):
    picture = desk.picture(street, "bus")
    click = Point(140, 480)
    answer = desk.run(Select("1", picture=picture, points=[click], alternatives=3, precise="off"))
    [one] = answer.instances
    assert len(one.alternatives) >= 2
    masks = [plane(m, street) for m in (one.mask, *(a.mask for a in one.alternatives))]
    for index, first in enumerate(masks):
        assert all(iou(first, other) < 0.95 for other in masks[index + 1 :])
    sizes = [float(m.sum()) for m in masks[1:]]
    assert sizes == sorted(sizes)
    assert len({one.id, *(a.id for a in one.alternatives)}) == 1 + len(one.alternatives)
    for alternative, mask in zip(one.alternatives, masks[1:], strict=True):
        again = desk.run(Select("2", picture=picture, continue_from=alternative.id, precise="off"))
        assert again.instances[0].id == alternative.id
        assert iou(plane(again.instances[0].mask, street), mask) > 0.99
        assert 0 < again.instances[0].score <= 1, "an estimate of its own; an alternative has the model's guess"


def test_several_boxes_use_one_embedding_and_equal_boxes_one_by_one(desk, street):
    picture = desk.picture(street, "several")
    boxes = [Rect(17, 396, 218, 508), Rect(225, 393, 117, 466), Rect(20, 230, 780, 520), Rect(690, 590, 120, 280)]
    desk.stages.clear()
    together = desk.run(Select("1", picture=picture, boxes=boxes, precise="off"))
    assert desk.stages.count("embed") == 1
    assert len(together.instances) == len(boxes)
    alone = [desk.run(Select("2", picture=picture, boxes=[box], precise="off")).instances[0] for box in boxes]
    assert desk.stages.count("embed") == 1
    found = {(i.mask.box.x, i.mask.box.y, i.mask.data) for i in together.instances if i.mask is not None}
    assert found == {(i.mask.box.x, i.mask.box.y, i.mask.data) for i in alone}


def test_remembered_logits_are_small_and_nearly_the_same():
    y, x = np.mgrid[:256, :256].astype(np.float32)
    logits = np.clip(40 - np.hypot(x - 100, y - 120), -15, 15)
    kept = SmallPlane.of(logits[None])
    assert kept.nbytes < 0.2 * logits.nbytes
    back = kept.plane()
    assert back.shape == (1, 256, 256)
    near = logits > -6
    assert np.abs(back[0] - logits)[near].max() < 0.01
    assert (back[0][~near] < -5).all()

"""The real models on real photos with ground truth."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from maskwright.masks.opencv import cv2
from maskwright.models.roles import SegmentPrompt
from maskwright_protocol.messages import Cutout, Detect, Point, Rect, Refine, Select
from tests.server.recipes.conftest import iou, photo, plane
from tests.shared_data import EVAL, needs_eval, needs_models

pytestmark = [needs_models, needs_eval]


def around(truth: np.ndarray) -> Rect:
    rows, columns = np.nonzero(truth >= 0.5)
    x, y = float(columns.min()), float(rows.min())
    return Rect(x, y, float(columns.max()) + 1 - x, float(rows.max()) + 1 - y)


def test_cutout(desk, lemur, truth):
    answer = desk.run(Cutout("1", picture=desk.picture(lemur, "lemur"), mask_depth=16))
    alpha = plane(answer.alpha, lemur)
    assert iou(alpha, truth) >= 0.98
    assert np.abs(alpha - truth).mean() <= 0.0105
    box = answer.foreground.box
    colours = np.frombuffer(answer.foreground.data, np.uint8).reshape(box.height, box.width, 4)
    part = (slice(box.y, box.y + box.height), slice(box.x, box.x + box.width))
    assert np.abs(colours[..., 3] / 255 - alpha[part]).max() <= 0.003
    solid = alpha[part] == 1
    assert np.array_equal(colours[..., :3][solid], lemur[part][solid])


def test_the_guided_edge_is_better_than_a_plain_enlargement(desk, lemur, truth):
    matting = desk.pool.matting("u2netp")
    raw = matting.saliency(lemur)
    plain = np.clip(cv2.resize(raw, lemur.shape[1::-1], interpolation=cv2.INTER_CUBIC), 0, 1)
    alpha = matting.matte(lemur)
    assert iou(alpha, truth) > iou(plain, truth)
    assert np.abs(alpha - truth).mean() < np.abs(plain - truth).mean()


def test_the_golden_drawing_is_reproduced_with_the_stretch_that_the_product_does_not_do(desk):
    drawing = photo("golden/anime-girl-1.jpg")
    golden = np.array(Image.open(EVAL / "golden/anime-girl-1.u2netp.png"))[..., 3]
    raw = desk.pool.matting("u2netp").saliency(drawing)
    stretched = (raw - raw.min()) / (raw.max() - raw.min())
    small = Image.fromarray((stretched * 255).astype(np.uint8))
    large = np.asarray(small.resize(drawing.shape[1::-1], Image.Resampling.LANCZOS))
    assert np.abs(large.astype(int) - golden).max() <= 1


def test_an_empty_picture_has_no_subject(desk):
    blank = np.full((200, 300, 3), 127, np.uint8)
    answer = desk.run(Cutout("1", picture=desk.picture(blank, "blank")))
    assert answer.reason == "nothing_found"
    assert answer.alpha is None
    assert answer.message


def test_one_click_and_one_box(desk, lemur, truth):
    picture = desk.picture(lemur, "lemur")
    clicked = desk.run(Select("1", picture=picture, points=[Point(340, 220)]))
    assert iou(plane(clicked.instances[0].mask, lemur), truth) >= 0.975
    boxed = desk.run(Select("2", picture=picture, boxes=[around(truth)]))
    assert iou(plane(boxed.instances[0].mask, lemur), truth) >= 0.975
    assert "embed" not in boxed.report.timings
    assert boxed.report.models == ["mobile-sam"]


def test_refining_a_click_makes_it_better(desk, lemur, truth):
    picture = desk.picture(lemur, "lemur")
    mask = desk.run(Select("1", picture=picture, points=[Point(340, 220)])).instances[0].mask
    before = plane(mask, lemur)
    answer = desk.run(Refine("2", picture=picture, mask=mask))
    after = plane(answer.instances[0].mask, lemur)
    assert np.abs(after - truth).mean() < 0.8 * np.abs(before - truth).mean()
    assert iou(after, truth) > iou(before, truth)
    assert answer.agreement > 0.8


@pytest.mark.parametrize(
    ("name", "text", "number", "least"),
    [("2011_000003", "bottle", 3, 0.86), ("2011_000003", "person", 1, 0.88), ("2011_000006", "chair", 4, 0.95)],
)
def test_text_on_pascal_voc(desk, name, text, number, least):
    # The armchair of 2011_000006, a chair to VOC, is a couch to the detector, which says so.
    picture = photo(f"voc/{name}.jpg")
    objects = np.array(Image.open(EVAL / f"voc/{name}_object.png"))
    answer = desk.run(Select("1", picture=desk.picture(picture, name), text=text))
    judged = objects != 255
    masks = [plane(i.mask, picture) for i in answer.instances]
    assert max(iou(np.where(judged, m, 0), objects == number) for m in masks) >= least


def test_bus_and_people(desk):
    street = photo("photos/bus.jpg")
    picture = desk.picture(street, "bus")
    answer = desk.run(Select("1", picture=picture, text="bus; people", merge=True))
    assert [i.label for i in answer.instances] == ["bus", "person", "person", "person"]
    scores = [i.score for i in answer.instances]
    sure = [i.confidence or 0.0 for i in answer.instances]
    assert sure == sorted(sure, reverse=True)
    people = [plane(i.mask, street) for i in answer.instances[1:]]
    assert max(np.minimum(people[0], people[1]).max(), np.minimum(people[0], people[2]).max()) <= 0.51
    union = plane(answer.merged, street)
    assert (union >= np.maximum.reduce([plane(i.mask, street) for i in answer.instances]) - 0.3).mean() > 0.999
    without = desk.run(Select("2", picture=picture, text="bus", exclude_text="people"))
    assert np.minimum(plane(without.instances[0].mask, street), people[0]).max() < 0.6
    assert desk.run(Select("3", picture=picture, text="people", pick="2")).instances[0].score == scores[2]
    none = desk.run(Select("4", picture=picture, text="zebra"))
    assert none.reason == "nothing_found"
    assert not none.instances
    boxes = desk.run(Detect("5", picture=picture, text="people"))
    assert len(boxes.instances) == 3
    assert all(i.mask is None for i in boxes.instances)


def test_a_click_on_the_truck_gives_the_truck_from_a_proxy_too(desk):
    truck = photo("photos/truck.jpg")
    full = desk.run(Select("1", picture=desk.picture(truck, "truck"), points=[Point(900, 600)]))
    proxy = desk.run(Select("2", picture=desk.picture(truck, "truck-small", 1024), points=[Point(900, 600)]))
    first, second = (plane(a.instances[0].mask, truck) for a in (full, proxy))
    assert iou(first, second) > 0.98
    assert first[400:600, 300:1500].mean() > 0.9
    assert first[:250].mean() < 0.02
    assert first[900:].mean() < 0.01


def test_boxes_at_once_are_boxes_one_by_one(desk):
    segmenter = desk.pool.segmenter("mobile-sam")
    street = photo("photos/bus.jpg")
    embedding = segmenter.embed(street)
    prompts = [
        SegmentPrompt(box=d.box) for d in desk.pool.detector("yolox-nano").detect(street, "person; bus", min_score=0.5)
    ]
    together = segmenter.segment(embedding, prompts)
    for prompt, hypotheses in zip(prompts, together, strict=True):
        (alone,) = segmenter.segment(embedding, [prompt])
        for a, b in zip(alone, hypotheses, strict=True):
            assert np.array_equal(a.logits.values, b.logits.values)


def test_the_basic_engine(basic, lemur, truth):
    answer = basic.run(Select("1", picture=basic.picture(lemur, "lemur"), points=[Point(340, 220)]))
    assert iou(plane(answer.instances[0].mask, lemur), truth) >= 0.97
    assert "basic engine" in answer.report.notes[0]
    assert "are missing" in answer.report.notes[0]
    boxed = basic.run(Select("2", picture=basic.picture(lemur, "lemur"), boxes=[around(truth)]))
    assert iou(plane(boxed.instances[0].mask, lemur), truth) >= 0.97

"""Prompts of every kind, wrong ones too, coordinates, memory, cancellation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maskwright.masks.opencv import cv2
from maskwright.recipes.job.cache import EmbeddingCache
from maskwright_protocol import errors
from maskwright_protocol.messages import (
    Cutout,
    Done,
    Mask,
    PixelRect,
    Point,
    PostProcess,
    Prefetch,
    Raster,
    Rect,
    Refine,
    Select,
)
from tests.server.recipes.conftest import iou, plane
from tests.shared_data import needs_models


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """A red disk and a blue square on textured grey, 600 x 400."""
    noise = np.random.default_rng(2).normal(0, 6, (400, 600, 1))
    image = np.clip(np.full((400, 600, 3), 150.0) + noise, 0, 255).astype(np.uint8)
    cv2.circle(image, (180, 200), 90, (200, 40, 40), -1, cv2.LINE_AA)
    cv2.rectangle(image, (380, 120), (519, 279), (40, 60, 190), -1)
    return image


def disk(scene: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:400, :600]
    return (np.hypot(x - 180, y - 200) <= 90).astype(np.float32)


@pytest.mark.parametrize("engine", ["basic", pytest.param("desk", marks=needs_models)])
def test_clicks_boxes_and_coordinates(engine, scene, request):
    desk = request.getfixturevalue(engine)
    picture = desk.picture(scene, f"scene-{engine}", x=-70, y=1000)
    found = desk.run(Select("1", picture=picture, points=[Point(110, 1200)]))
    assert iou(plane(found.instances[0].mask, scene, -70, 1000), disk(scene)) > 0.97
    box = Rect(310, 1120, 140, 160)
    found = desk.run(Select("2", picture=picture, boxes=[box], mask_depth=16))
    mask = found.instances[0].mask
    assert mask.depth == 16
    shape = mask.box
    assert abs(shape.x - 310) <= 3
    assert abs(shape.y - 1120) <= 3
    assert abs(shape.width - 140) <= 6
    assert abs(shape.height - 160) <= 6
    both = desk.run(Select("3", picture=picture, boxes=[box, Rect(10, 1100, 200, 200)], merge=True))
    assert len(both.instances) == 2
    assert plane(both.merged, scene, -70, 1000)[200, [180, 450, 300]].tolist() == [1, 1, 0]


def test_a_proxy_gives_masks_at_document_resolution(basic, scene):
    large = cv2.resize(scene, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    answer = basic.run(Select("1", picture=basic.picture(large, "large", 600), points=[Point(900, 1000)]))
    mask = plane(answer.instances[0].mask, large)
    truth = cv2.resize(disk(scene), None, fx=5, fy=5)
    assert iou(mask, truth) > 0.98
    row = mask[1000]
    assert np.count_nonzero((row > 0.02) & (row < 0.98)) <= 16
    with pytest.raises(errors.MorePixelsNeeded) as caught:
        basic.run(Cutout("2", picture=basic.picture(large, "large", 600)))
    x, y, width, height = caught.value.details["box"]
    assert 0 <= x < 900 < x + width <= 3000
    assert 0 <= y < 1000 < y + height <= 2000
    picture = basic.picture(large, "large", 600)
    basic.rasters["crop"] = memoryview(large[y : y + height, x : x + width].tobytes())
    picture.rasters.append(Raster("crop", width, height, "RGB8", PixelRect(x, y, width, height)))
    done = basic.run(Cutout("3", picture=picture))
    assert done.foreground.box == done.alpha.box
    assert "matte" not in done.report.timings
    assert done.foreground.data is not None
    assert len(done.foreground.data) == 4 * done.alpha.box.width * done.alpha.box.height
    with pytest.raises(errors.MorePixelsNeeded):
        basic.run(Cutout("4", picture=basic.picture(large, "large", 600), foreground=False))
    only_alpha = basic.run(Cutout("5", picture=basic.picture(large, "large", 600), foreground=False, edges="matte"))
    assert only_alpha.foreground is None
    assert iou(plane(only_alpha.alpha, large), plane(done.alpha, large)) > 0.97


def test_post_processing_region_and_start(basic, scene):
    picture = basic.picture(scene, "scene")
    point = [Point(180, 200)]
    plain = plane(basic.run(Select("1", picture=picture, points=point)).instances[0].mask, scene)
    post = PostProcess(threshold=0.5, grow=10)
    grown = plane(basic.run(Select("2", picture=picture, points=point, post=post)).instances[0].mask, scene)
    assert abs(math.sqrt(grown.sum() / np.pi) - math.sqrt(plain.sum() / np.pi) - 10) < 0.6
    region = Mask(PixelRect(0, 0, 180, 400), data=bytes([255]) * 180 * 400)
    left = plane(basic.run(Select("3", picture=picture, points=point, region=region)).instances[0].mask, scene)
    assert not left[:, 180:].any()
    assert np.array_equal(left[:, :180], plain[:, :180])
    gone = basic.run(Select("4", picture=picture, points=point, post=PostProcess(grow=-200)))
    assert gone.reason == "empty_after_post_processing"
    assert not gone.instances
    rough = np.zeros((120, 120), np.uint8)
    cv2.circle(rough, (60, 60), 55, 255, -1)
    start = Mask(PixelRect(120, 140, 120, 120), data=rough.tobytes())
    found = basic.run(Select("5", picture=picture, start=start, recipe="grabcut"))
    assert found.instances
    assert found.report.recipe == "grabcut"


@needs_models
def test_a_later_click_continues_the_instance(desk, scene):
    picture = desk.picture(scene, "continued")
    first = desk.run(Select("1", picture=picture, points=[Point(180, 200)]))
    name = first.instances[0].id
    points = [Point(180, 200), Point(450, 200)]
    second = desk.run(Select("2", picture=picture, points=points, continue_from=name))
    assert second.instances[0].id == name
    assert plane(second.instances[0].mask, scene)[200, 180] == 1
    assert not second.report.notes
    lost = desk.run(Select("3", picture=picture, points=points, continue_from="unknown"))
    assert "no longer remembered" in lost.report.notes[0]
    more = Select("4", picture=picture, points=[Point(180, 200)])
    more.alternatives = 2  # type: ignore[attr-defined]
    assert len(desk.run(more).instances[0].alternatives) <= 2


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, errors.EmptyPrompt),
        ({"points": [Point(9, 9, False)]}, errors.EmptyPrompt),
        ({"points": [Point(math.nan, 1)]}, errors.BadInput),
        ({"points": [Point(1, math.inf)]}, errors.BadInput),
        ({"points": [Point(-1, 5)]}, errors.OutsideImage),
        ({"points": [Point(5, 401)]}, errors.OutsideImage),
        ({"points": [Point(1, 1)] * 300}, errors.TooLarge),
        ({"boxes": [Rect(700, 0, 9, 9)]}, errors.OutsideImage),
        ({"boxes": [Rect(0, 0, 0, 9)]}, errors.BadInput),
        ({"boxes": [Rect(0, math.nan, 5, 9)]}, errors.BadInput),
        ({"boxes": [Rect(0, 0, 5, 9)] * 200}, errors.TooLarge),
        ({"text": "x" * 2000}, errors.TooLarge),
        ({"points": [Point(1, 1)], "pick": "none"}, errors.BadInput),
        ({"points": [Point(1, 1)], "pick": "0"}, errors.BadInput),
        ({"points": [Point(1, 1)], "min_score": 2.0}, errors.BadInput),
        ({"points": [Point(1, 1)], "mask_depth": 12}, errors.BadInput),
        ({"points": [Point(1, 1)], "recipe": "magic"}, errors.BadInput),
        ({"points": [Point(1, 1)], "recipe": "mobile-sam"}, errors.ModelMissing),
        ({"points": [Point(1, 1)], "models": {"painter": "x"}}, errors.BadInput),
        ({"points": [Point(1, 1)], "models": {"segmenter": "x"}}, errors.ModelMissing),
        ({"points": [Point(1, 1)], "post": PostProcess(feather=math.nan)}, errors.BadInput),
        ({"points": [Point(1, 1)], "post": PostProcess(smooth=-1)}, errors.BadInput),
        ({"text": "dog"}, errors.ModelMissing),
        ({"start": Mask(PixelRect(0, 0, 2, 2), data=bytes(4))}, errors.EmptyPrompt),
        ({"start": Mask(PixelRect(0, 0, 2, 2), data=bytes(5))}, errors.BadInput),
    ],
)
def test_wrong_prompts_have_typed_errors(basic, scene, fields, error):
    with pytest.raises(error):
        basic.run(Select("1", picture=basic.picture(scene, "scene"), **fields))
    box = Rect(-50, -50, 300, 400)  # partly outside: clipped
    assert basic.run(Select("2", picture=basic.picture(scene, "scene"), boxes=[box])).instances


@needs_models
def test_unknown_words(desk, scene):
    with pytest.raises(errors.UnknownWord) as caught:
        desk.run(Select("1", picture=desk.picture(scene, "scene"), text="scarf"))
    assert caught.value.details["models"]


def test_refine_wants_a_selection(basic, scene):
    picture = basic.picture(scene, "scene")
    for mask in (None, Mask(PixelRect(0, 0, 2, 2), data=bytes(4)), Mask(PixelRect(900, 0, 2, 2), data=b"\xff" * 4)):
        with pytest.raises(errors.EmptyPrompt):
            basic.run(Refine("1", picture=picture, mask=mask))
    rough = np.zeros((400, 600), np.uint8)
    cv2.circle(rough, (180, 200), 86, 255, -1)
    mask = Mask(PixelRect(0, 0, 600, 400), data=rough.tobytes())
    answer = basic.run(Refine("2", picture=picture, mask=mask, edge_width=20))
    assert iou(plane(answer.instances[0].mask, scene), disk(scene)) > iou(rough / 255, disk(scene))
    with pytest.raises(errors.BadInput):
        basic.run(Refine("3", picture=picture, mask=mask, edge_width=-1))


def test_prefetch_and_the_missing_raster(basic, scene):
    picture = basic.picture(scene, "scene")
    assert basic.run(Prefetch("1", picture=picture)) == Done("1")
    basic.rasters.clear()
    assert ("embedding", "grabcut", "fp32", "scene", None) in basic.cache
    with pytest.raises(errors.UnknownImage) as caught:
        basic.run(Cutout("2", picture=picture))
    assert caught.value.details["keys"] == ["scene"]
    with pytest.raises(errors.BadInput):
        basic.run(Cutout("3"))


def test_cancelling_between_stages(basic, scene):
    calls = iter(range(100))
    basic.cancelled = lambda: next(calls) > 2
    with pytest.raises(errors.JobCancelled):
        basic.run(Select("1", picture=basic.picture(scene, "scene"), points=[Point(180, 200)]))
    basic.cancelled = lambda: False
    assert basic.run(Select("2", picture=basic.picture(scene, "scene"), points=[Point(180, 200)])).instances
    assert {"load", "matte", "embed", "segment", "post"} <= set(basic.stages)


def test_the_cache_drops_the_least_recent():
    cache = EmbeddingCache(100)
    cache.put("a", 1, 40)
    cache.put("b", 2, 40)
    assert cache.get("a") == 1
    cache.put("c", 3, 40)
    assert "b" not in cache
    assert cache.get("a") == 1
    cache.put("huge", 4, 101)
    assert "huge" not in cache
    cache.put("a", 5, 10)
    assert cache.used == 50
    assert len(cache) == 2
    cache.clear()
    assert cache.used == 0

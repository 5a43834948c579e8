"""Long and thin pictures: clicks and boxes are as good as in others, and nothing lies outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskwright_client.ask import overview_side
from maskwright_protocol.errors import MorePixelsNeeded
from maskwright_protocol.messages import Everything, Point, Raster, Select
from tests.server.recipes.conftest import iou, plane
from tests.shared_data import needs_eval, needs_models

from .pasted import around, ground, inside, pasted

pytestmark = [needs_models, needs_eval]


def strip(width: int, height: int, name: str, place: float) -> tuple[np.ndarray, np.ndarray]:
    """A strip of photos with a thing at a part of its length, and the thing's mask."""
    short = min(width, height)
    tile = ground(0, short, short)
    row = np.concatenate([tile[:, :: 1 - 2 * (n % 2)] for n in range(max(width, height) // short + 1)], axis=1)
    if width > height:
        return pasted(np.ascontiguousarray(row[:, :width]), name, place * width, height / 2, 0.7 * short)
    tall = np.ascontiguousarray(row.swapaxes(0, 1)[:height])
    return pasted(tall, name, width / 2, place * height, 0.7 * short)


def described(desk, picture, key):
    height, width = picture.shape[:2]
    return desk.picture(picture, key, overview_side(width, height))


@pytest.mark.parametrize(
    ("width", "height", "name", "place"),
    [(33000, 200, "lemur", 0.31), (800, 12000, "bottle", 0.77), (3000, 40, "woman", 0.5), (300, 5000, "lemur", 0.01)],
)
def test_clicks_and_boxes_are_right_anywhere(desk, width, height, name, place):
    picture, truth = strip(width, height, name, place)
    shown = described(desk, picture, f"strip {width}")
    ask: tuple[dict[str, Any], ...] = {"points": [inside(truth)]}, {"boxes": [around(truth)]}
    for prompt in ask:
        with_pixels = shown
        try:
            answer = desk.run(Select("1", with_pixels, **prompt))
        except MorePixelsNeeded:
            desk.rasters["whole"] = memoryview(picture.tobytes())
            shown.rasters.append(Raster("whole", width, height, "RGB8", shown.box))
            answer = desk.run(Select("1", shown, **prompt))
        (found,) = answer.instances
        assert iou(plane(found.mask, picture), truth) > 0.88
        assert found.box.x >= 0
        assert found.box.y >= 0
        assert found.box.x + found.box.width <= width
        assert found.box.y + found.box.height <= height


def test_things_far_from_each_other_are_found_together_and_apart(desk):
    first, one = strip(9000, 200, "lemur", 0.1)
    picture, other = pasted(first, "bottle", 8000, 100, 150)
    shown = desk.picture(picture, "two on a strip")
    answer = desk.run(Select("1", shown, points=[inside(one), inside(other)]))
    assert iou(plane(answer.instances[0].mask, picture), one | other) > 0.9
    boxes = desk.run(Select("2", shown, boxes=[around(one), around(other)]))
    assert len(boxes.instances) == 2
    less = desk.run(Select("3", shown, points=[inside(one), Point(8000, 100, include=False)]))
    assert iou(plane(less.instances[0].mask, picture), one) > 0.9


def test_the_object_map_of_a_strip_lies_within_it(desk):
    picture, _ = strip(600, 90, "lemur", 0.4)
    answer = desk.run(Everything("1", desk.picture(picture, "mapped strip"), points_per_side=4))
    assert answer.objects
    for one in answer.objects:
        assert one.box.x >= 0
        assert one.box.y >= 0
        assert one.box.x + one.box.width <= 600
        assert one.box.y + one.box.height <= 90
        assert one.area <= 1.001 * one.box.width * one.box.height

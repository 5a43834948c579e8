"""Prompts as people give them: clicks on several things, again in one place, elsewhere; boxes of nothing and of all."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright_protocol import masks as wire
from maskwright_protocol.messages import Cutout, PixelRect, Point, Rect, Select
from tests.server.recipes.conftest import iou, photo, plane
from tests.shared_data import needs_eval, needs_models

from .pasted import ground, inside, pasted

pytestmark = [needs_models, needs_eval]
CASES = [
    (1000, 700, "lemur", "bottle"),
    (700, 900, "bottle", "woman"),
    (1600, 1000, "woman", "lemur"),
    (480, 320, "lemur", "woman"),
]


@pytest.fixture(params=range(len(CASES)))
def scene(desk, request):
    """A picture with two things, their masks, and how to ask about it."""
    width, height, first, second = CASES[request.param]
    size = 0.45 * min(width, height)
    picture, one = pasted(ground(request.param, width, height), first, 0.25 * width, 0.5 * height, size)
    picture, other = pasted(picture, second, 0.75 * width, 0.45 * height, size)
    described = desk.picture(picture, f"two things {request.param}")

    def ask(**prompt):
        answer = desk.run(Select("1", described, precise="off", **prompt))
        return plane(answer.instances[0].mask, picture), answer.instances[0].id

    return one, other, ask


def test_clicks_on_two_things_select_both(scene):
    one, other, ask = scene
    first, second = inside(one), inside(other)
    alone = np.maximum(ask(points=[first])[0], ask(points=[second])[0])
    both, _ = ask(points=[first, second])
    assert iou(both, alone) > 0.9
    continued, _ = ask(points=[first, second], continue_from=ask(points=[first])[1])
    assert iou(continued, alone) > 0.9


def test_a_further_click_on_a_thing_takes_nothing_away(scene):
    one, _, ask = scene
    before, _ = ask(points=[inside(one)])
    after, _ = ask(points=[inside(one), inside(one, 1), inside(one, 2)])
    assert np.count_nonzero((before > 0.5) & (after > 0.5)) > 0.85 * np.count_nonzero(before > 0.5)


def test_clicks_in_one_place_are_one(scene):
    one, _, ask = scene
    place = inside(one)
    once, name = ask(points=[place])
    shaken = [Point(place.x + 0.04 * n, place.y - 0.03 * n) for n in range(10)]
    assert np.array_equal(ask(points=shaken)[0], once)
    again, kept = ask(points=[place, place], continue_from=name)
    assert np.array_equal(again, once)
    assert kept == name
    assert np.array_equal(ask(points=[place, place], continue_from=kept)[0], once), "a third time, too"


def test_excluding_elsewhere_changes_nothing_and_on_the_thing_takes_a_part(scene):
    one, other, ask = scene
    place = inside(one)
    before, _ = ask(points=[place])
    for away in (inside(other), Point(2.0, 2.0)):
        assert np.array_equal(ask(points=[place, Point(away.x, away.y, include=False)])[0], before)
    part = inside(one, 5)
    after, _ = ask(points=[place, Point(part.x, part.y, include=False)])
    assert after[int(part.y), int(part.x)] < 0.5
    assert after[int(place.y), int(place.x)] > 0.5
    assert np.count_nonzero((after > 0.5) & (before <= 0.5)) < 0.02 * np.count_nonzero(before > 0.5)


def test_boxes_and_strokes_of_few_pixels_are_clicks(scene):
    one, _, ask = scene
    place = inside(one)
    clicked, _ = ask(points=[place])
    assert np.array_equal(ask(boxes=[Rect(place.x - 1, place.y - 1, 2, 2)])[0], clicked)
    x, y = int(place.x), int(place.y)
    dab = wire.pack(PixelRect(x - 1, y - 1, 3, 3), bytes([255]) * 9, compress=False)
    assert iou(ask(start=dab, boxes=[Rect(x - 1, y - 1, 3, 3)])[0], clicked) > 0.95


@pytest.mark.parametrize("name", ["matting/lemur.png", "photos/coffee.png", "photos/bus.jpg", "photos/truck.jpg"])
def test_a_box_around_the_whole_picture_means_the_main_subject(desk, name):
    picture = photo(name)
    height, width = picture.shape[:2]
    described = desk.picture(picture, name)
    subject = plane(desk.run(Cutout("1", described, foreground=False, edges="matte")).alpha, picture)
    for box in (Rect(0, 0, width, height), Rect(0.02 * width, 0.01 * height, 0.96 * width, 0.98 * height)):
        found = desk.run(Select("2", described, boxes=[box])).instances
        assert iou(plane(found[0].mask, picture), subject) > 0.85

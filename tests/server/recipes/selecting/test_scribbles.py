"""Strokes over things, over what does not belong to them, and loops around them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from maskwright_protocol.errors import BadInput, EmptyPrompt, OutsideImage, TooLarge
from maskwright_protocol.messages import Cutout, Point, Select, Stroke
from tests.server.recipes.conftest import iou, plane
from tests.shared_data import needs_eval
from tests.strokes_by_hand import around, correction, over

from .pasted import ground, inside, pasted

pytestmark = needs_eval
WIDTH, HEIGHT = 900, 640


@pytest.fixture(scope="module")
def scene():
    """A picture with two things, and their masks."""
    picture, one = pasted(ground(1, WIDTH, HEIGHT), "lemur", 0.28 * WIDTH, 0.5 * HEIGHT, 0.6 * HEIGHT)
    picture, other = pasted(picture, "woman", 0.75 * WIDTH, 0.45 * HEIGHT, 0.6 * HEIGHT)
    return picture, one, other


@pytest.fixture
def ask(desk, scene):
    picture = scene[0]
    described = desk.picture(picture, "two things to draw on")

    def asked(*strokes, **more):
        answer = desk.run(Select("1", described, precise="off", strokes=list(strokes), **more))
        return [plane(one.mask, picture) for one in answer.instances], answer

    return asked


def test_a_stroke_selects_what_it_runs_over(ask, scene):
    for thing in scene[1:]:
        (mask,), _ = ask(over(thing))
        assert iou(mask, thing) > 0.8


def test_a_second_stroke_corrects_near_itself_alone(ask, scene):
    """The same in whatever way it is asked for: at once, or on from the first answer."""
    _, one, other = scene
    first = over(one)
    (before,), answer = ask(first)
    wider = over(other)
    (both,), _ = ask(first, wider)
    assert iou(both, one | other) > 0.85
    assert np.count_nonzero((before > 0.5) & (both <= 0.5)) < 0.02 * np.count_nonzero(before > 0.5)
    (again,), _ = ask(first, wider, continue_from=answer.instances[0].id)
    assert iou(again, both) > 0.95
    rows = np.flatnonzero(one.any(axis=1))
    head = one.copy()
    head[rows[len(rows) // 4] :] = False
    less = replace(over(head), include=False)
    (left,), _ = ask(first, less)
    places = np.array(less.path).reshape(-1, 2).astype(int)
    assert (left[places[:, 1], places[:, 0]] < 0.5).mean() > 0.8, "what is drawn over is out"
    assert np.count_nonzero((left > 0.5) & (before <= 0.5)) < 0.005 * np.count_nonzero(before > 0.5), "nothing is added"
    assert np.count_nonzero(left > 0.5) > 0.5 * np.count_nonzero(before > 0.5), "the rest stays"


def test_corrections_make_it_better(ask, scene):
    _, one, _ = scene
    strokes = [over(one)]
    (mask,), _ = ask(*strokes)
    begun = iou(mask, one)
    for _ in range(3):
        more = correction(mask >= 0.5, one)
        if more is not None:
            strokes.append(more)
        (mask,), _ = ask(*strokes)
    assert iou(mask, one) >= begun - 0.005


def test_a_loop_selects_the_thing_inside_and_each_loop_one(ask, scene):
    _, one, other = scene
    (mask,), _ = ask(around(one, 0.1))
    assert iou(mask, one) > 0.9
    masks, answer = ask(around(one), around(other), merge=True)
    assert len(masks) == 2
    assert sorted(max(iou(mask, thing) for mask in masks) > 0.8 for thing in (one, other)) == [True, True]
    assert answer.merged is not None
    (left,), _ = ask(over(one), replace(around(one), include=False), over(other))
    assert not ((left > 0.5) & one).mean() > 0.01, "the loop takes it away again"


def test_a_stroke_of_few_pixels_is_a_click(ask, scene):
    place = inside(scene[1])
    dot = Stroke([place.x, place.y, place.x + 2, place.y + 1, place.x, place.y], width=9)
    (drawn,), _ = ask(dot)
    (clicked,), _ = ask(points=[Point(place.x + 1, place.y + 0.5)])
    assert np.array_equal(drawn, clicked)
    (loop,), _ = ask(replace(dot, closed=True))
    assert np.array_equal(loop, clicked)


def test_the_middle_of_a_stroke_counts_whatever_was_found(ask, scene):
    """Even where no network would see it: across the ground."""
    _, one, _ = scene
    line = Stroke([20.0, 620.0, 60.0, 600.0, 120.0, 625.0], width=12)
    (mask,), _ = ask(over(one), line)
    for x, y in zip(line.path[0::2], line.path[1::2], strict=True):
        assert mask[int(y), int(x)] >= 0.5
    less = replace(over(one), include=False, path=over(one).path[:60])
    (mask,), _ = ask(over(one), less)
    for x, y in zip(less.path[0::2], less.path[1::2], strict=True):
        assert mask[int(y), int(x)] < 0.5


def test_without_a_network_colours_decide(basic, scene):
    """GrabCut: strokes are surely inside or outside, and so is what lies beyond a loop."""
    picture, one, other = scene
    described = basic.picture(picture, "two things for colours")

    def asked(*strokes):
        answer = basic.run(Select("1", described, strokes=list(strokes)))
        return plane(answer.instances[0].mask, picture)

    beside = replace(over(other), include=False)
    drawn = asked(over(one), beside)
    assert iou(drawn, one) > 0.6
    assert np.count_nonzero((drawn > 0.5) & other) < 0.1 * np.count_nonzero(other)
    looped = asked(around(one))
    assert iou(looped, one) > 0.6
    assert not (looped[:, WIDTH // 2 + 60 :] > 0.5).any()


def test_odd_strokes_are_refused_with_a_sentence(ask, scene):
    line = over(scene[1])
    cases = [
        (Stroke([]), BadInput), (Stroke([1.0]), BadInput), (Stroke([1.0, 2.0, 3.0]), BadInput),
        (Stroke([float("nan"), 2.0]), BadInput), (Stroke([-50.0, -50.0, -10.0, -20.0]), OutsideImage),
        (replace(line, include=False), EmptyPrompt), (replace(around(scene[1]), include=False), EmptyPrompt),
    ]  # fmt: skip
    for stroke, error in cases:
        with pytest.raises(error) as caught:
            ask(stroke)
        assert caught.value.message
        assert caught.value.hint or error is OutsideImage
    with pytest.raises(TooLarge):
        ask(*[line] * 65)
    (mask,), _ = ask(replace(line, path=[-100.0, line.path[1], *line.path, 5000.0, 5000.0]))
    assert iou(mask, scene[1]) > 0.9, "what runs out of the picture counts as far as it is inside"


def test_cut_outs_take_strokes_too(desk, scene):
    picture, one, _ = scene
    described = desk.picture(picture, "a thing to cut out")
    answer = desk.run(Cutout("1", described, strokes=[over(one)], foreground=False))
    assert iou(plane(answer.alpha, picture), one) > 0.85

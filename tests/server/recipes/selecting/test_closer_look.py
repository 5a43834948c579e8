"""The precise pass, on real photos: small objects in large pictures, and edges that follow the colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from maskwright.models.roles import Box
from maskwright.recipes.job import vision
from maskwright.recipes.job.context import JobContext
from maskwright.recipes.job.picture import PictureView
from maskwright.recipes.job.prompts import ObjectPrompt
from maskwright.recipes.selecting.closer_look import CloserLook
from maskwright.recipes.selecting.segment import Segmenting
from maskwright_protocol.errors import BadInput, MorePixelsNeeded
from maskwright_protocol.messages import Select
from tests.server.recipes.conftest import iou, plane
from tests.server.recipes.selecting.large_photos import around, boundary_f, chair, lemur, middle, pasted, with_detail
from tests.shared_data import needs_eval, needs_models

pytestmark = [needs_models, needs_eval]


@pytest.mark.parametrize(
    ("thing", "side", "least"), [(lemur, 60, 0.94), (lemur, 120, 0.97), (chair, 100, 0.9)], ids=["60", "120", "chair"]
)
def test_a_small_object_gets_a_good_edge(desk, thing, side, least):
    image, alpha = thing()
    pixels, truth = pasted(image, alpha, side, 1700, 900)
    picture = desk.picture(pixels, f"small-{thing.__name__}-{side}", 1024)
    coarse = desk.run(Select("1", picture=picture, boxes=[around(truth)], precise="off"))
    with pytest.raises(MorePixelsNeeded) as caught:
        desk.run(Select("2", picture=picture, boxes=[around(truth)]))
    assert caught.value.details["box"][2] <= 4 * side + 8
    full = with_detail(desk, picture, pixels, caught.value)
    fine = desk.run(Select("3", picture=full, boxes=[around(truth)]))
    before, after = (plane(a.instances[0].mask, pixels) for a in (coarse, fine))
    assert iou(after, truth) >= max(least, iou(before, truth) + 0.05)
    assert boundary_f(after, truth, 1.0) >= boundary_f(before, truth, 1.0) + 0.2
    assert "close" in fine.report.timings
    # A further click needs neither pixels nor an encoder, and refines the same instance.
    again = desk.run(
        Select("4", picture=picture, boxes=[around(truth)], points=[middle(truth)], continue_from=fine.instances[0].id)
    )
    assert again.instances[0].id == fine.instances[0].id
    assert {"segment", "close", "post"} == set(again.report.timings)
    assert iou(plane(again.instances[0].mask, pixels), truth) >= least - 0.03


def test_objects_that_the_overview_shows_well_are_not_looked_at_twice(desk):
    pixels, truth = lemur()
    picture = desk.picture(pixels, "lemur")
    answer = desk.run(Select("1", picture=picture, points=[middle(truth)]))
    assert "close" not in answer.report.timings
    with pytest.raises(BadInput):
        desk.run(Select("2", picture=picture, points=[middle(truth)], precise="very"))


def test_an_edge_that_follows_the_colours_is_a_better_one(desk):
    pixels, truth = lemur()
    picture = desk.picture(pixels, "lemur")
    for prompt in (Select("1", points=[middle(truth)]), Select("1", boxes=[around(truth)])):
        plain = desk.run(replace(prompt, picture=picture, precise="off"))
        on = desk.run(replace(prompt, picture=picture, precise="on"))
        before, after = (plane(a.instances[0].mask, pixels) for a in (plain, on))
        assert boundary_f(after, truth) >= boundary_f(before, truth) + 0.08
        assert np.abs(after - truth).mean() < 0.8 * np.abs(before - truth).mean()
        assert iou(after, truth) > iou(before, truth)


def test_two_small_objects_are_asked_for_at_once(desk):
    pixels, first = pasted(*lemur(), 120, 1700, 900)
    second = np.roll(first, 300, axis=1)
    pixels = np.where(second[..., None] > 0, np.roll(pixels, 300, axis=1), pixels)
    boxes = [around(first), around(second)]
    picture = desk.picture(pixels, "two", 1024)
    with pytest.raises(MorePixelsNeeded) as caught:
        desk.run(Select("1", picture=picture, boxes=boxes, merge=True))
    answer = desk.run(Select("2", picture=with_detail(desk, picture, pixels, caught.value), boxes=boxes, merge=True))
    union = plane(answer.merged, pixels)
    assert iou(union, np.maximum(first, second)) > 0.9
    assert np.abs(union - np.maximum.reduce([plane(i.mask, pixels) for i in answer.instances])).max() < 0.01


def test_one_click_on_a_small_object(desk):
    pixels, truth = pasted(*lemur(), 300, 1700, 900)
    picture = desk.picture(pixels, "one-click", 1024)
    coarse = desk.run(Select("1", picture=picture, points=[middle(truth)], precise="off"))
    with pytest.raises(MorePixelsNeeded) as caught:
        desk.run(Select("2", picture=picture, points=[middle(truth)]))
    full = with_detail(desk, picture, pixels, caught.value)
    fine = desk.run(Select("3", picture=full, points=[middle(truth)]))
    before, after = (plane(a.instances[0].mask, pixels) for a in (coarse, fine))
    assert iou(after, truth) >= iou(before, truth) + 0.03
    assert boundary_f(after, truth) >= boundary_f(before, truth) + 0.3


def test_what_was_taken_from_an_object_stays_so_in_the_close_look(desk):
    pixels, truth = pasted(*lemur(), 300, 1700, 900)
    view = PictureView(desk.picture(pixels, "native"), desk.rasters)
    context = JobContext(desk.pool, desk.cache, lambda *_: None, lambda: False)
    segmenter, box = desk.pool.segmenter("mobile-sam"), around(truth)
    wanted = ObjectPrompt(box=Box(box.x, box.y, box.x + box.width, box.y + box.height))
    embedding = vision.embed(segmenter, view, context)
    (one,) = Segmenting(segmenter, embedding, view, context).run([wanted])
    kept = one.logits.values.copy()
    middle_column = int((box.x + box.width / 2 - one.logits.x0) / one.logits.cell[0])
    kept[:, :middle_column] = -9.0  # somebody else's half
    one.limit_to(one.logits.like(kept))
    CloserLook(segmenter, view, context, "auto").run([one])
    assert one.close is not None
    values, x = one.close.logits.values, box.x + box.width / 2
    column = int((x - one.close.logits.x0) / one.close.logits.cell[0])
    assert (values[:, : column - 12] > 0).mean() < 0.03  # 0.4 if nothing was taken
    assert (values[:, column + 12 :] > 0).any()

"""Lettering by the trained text detector, on made-up pages with known strokes."""

from __future__ import annotations

import numpy as np
import pytest

from maskwright.models.roles import Box, Detection
from maskwright.models.runtime.pool import ModelPool
from maskwright.recipes.job import tiling
from maskwright_protocol.errors import BadInput, MorePixelsNeeded, UnknownWord
from maskwright_protocol.messages import Detect, Mask, PixelRect, Point, Rect, Select
from tests.server.recipes.conftest import Desk, iou, plane
from tests.server.recipes.selecting.lettering_pages import Page, page
from tests.shared_data import MODELS, needs_eval, needs_models

MODEL = "pp-ocrv4-det"
PAGES = 6  # of each kind

pytestmark = [needs_models, needs_eval]


@pytest.fixture(scope="module")
def plain() -> Page:
    return page(3, busy=False)


def select(desk: Desk, one: Page, key: str, **fields):
    fields = {"text": "lettering", "merge": True, **fields}
    return desk.run(Select("1", desk.picture(one.pixels, key), **fields))


def soft_iou(mask: np.ndarray, truth: np.ndarray) -> float:
    return float(np.minimum(mask, truth).sum() / np.maximum(mask, truth).sum())


@pytest.mark.parametrize(("busy", "recall", "overlap"), [(False, 0.97, 0.95), (True, 0.90, 0.80)])
def test_the_strokes_of_made_up_pages(desk: Desk, busy: bool, recall: float, overlap: float) -> None:
    """Of each line at least 70 % of its ink; both kinds of page together are held against 95 % below."""
    found, overlaps = [], []
    for seed in range(PAGES):
        made = page(seed, busy)
        answer = select(desk, made, f"page-{busy}-{seed}")
        assert answer.report.recipe == "lettering"
        mask = plane(answer.merged, made.pixels)
        for line in made.lines:
            seen = mask[line.place]
            found.append(float(np.minimum(seen, line.ink).sum() / line.ink.sum()))
            overlaps.append(soft_iou(seen, line.ink))
    told = f"{np.mean(np.array(found) > 0.7):.3f} of {len(found)} lines, mean IoU {np.mean(overlaps):.3f}"
    print(f"{'busy' if busy else 'plain'} ground: {told}, median {np.median(overlaps):.3f}")
    assert np.mean(np.array(found) > 0.7) >= recall, told
    assert np.mean(overlaps) >= overlap, told


def test_edges_are_as_soft_as_they_were_drawn(desk: Desk, plain: Page) -> None:
    mask = plane(select(desk, plain, "plain").merged, plain.pixels)
    edge = (plain.ink > 0.1) & (plain.ink < 0.9) & (mask > 0)
    assert np.abs(mask - plain.ink)[edge].mean() < 0.06
    assert mask[plain.ink == 0].mean() < 0.001


@pytest.mark.parametrize("text", ["text", "writing", "the letters", "all text", "Lettering"])
def test_words_for_it_find_this_detector_though_others_are_there(desk: Desk, plain: Page, text: str) -> None:
    assert {"yolox-nano", "yunet"} <= set(desk.pool.installed)
    answer = select(desk, plain, "plain", text=text)
    assert answer.report.models == [MODEL]
    assert len(answer.instances) >= len(plain.lines) - 1
    assert all(one.label == "lettering" and len(one.quad) == 4 and one.mask for one in answer.instances)


def test_words_for_things_do_not(desk: Desk, plain: Page) -> None:
    answer = select(desk, plain, "plain", text="dog")
    assert MODEL not in answer.report.models


def test_each_line_is_an_instance_and_one_may_be_meant(desk: Desk, plain: Page) -> None:
    whole = select(desk, plain, "plain")
    left = min(one.box.x for one in whole.instances)
    (one,) = select(desk, plain, "plain", text="the left text").instances
    assert one.box.x <= left + 20
    assert len(select(desk, plain, "plain", pick="best").instances) == 1


def test_everything_but_the_lettering(desk: Desk, plain: Page) -> None:
    answer = select(desk, plain, "plain", text="everything but the lettering")
    (rest,) = answer.instances
    mask = plane(rest.mask, plain.pixels)
    assert iou(1 - mask, plain.ink) > 0.9


def test_a_line_that_is_clicked_away_and_a_region(desk: Desk, plain: Page) -> None:
    whole = select(desk, plain, "plain")
    first = whole.instances[0].quad
    middle = Point(sum(p.x for p in first) / 4, sum(p.y for p in first) / 4, include=False)
    assert len(select(desk, plain, "plain", points=[middle]).instances) == len(whole.instances) - 1
    region = Mask(PixelRect(0, 0, 1024, 512), data=b"\xff" * (1024 * 512))
    upper = plane(select(desk, plain, "plain", region=region).merged, plain.pixels)
    assert not upper[512:].any()
    assert upper[:512].any()


@pytest.mark.parametrize("more", [{"points": [Point(5, 5)]}, {"boxes": [Rect(0, 0, 50, 50)]}])
def test_what_clicks_cannot_change_is_said(desk: Desk, plain: Page, more: dict) -> None:
    with pytest.raises(BadInput, match="found by words alone"):
        select(desk, plain, "plain", **more)


def test_what_cannot_be_left_out_is_said(desk: Desk, plain: Page) -> None:
    answer = select(desk, plain, "plain", exclude_text="dog")
    assert any("was not left out" in note for note in answer.report.notes)
    assert answer.instances


def test_nothing_is_written_on_a_blank_page(desk: Desk) -> None:
    blank = Page(np.full((300, 400, 3), 200, np.uint8), np.zeros((300, 400), np.float32), [])
    answer = select(desk, blank, "blank")
    assert answer.reason == "nothing_found"
    assert answer.instances == []


def test_small_lettering_of_a_large_page_is_looked_for_closely(desk: Desk) -> None:
    """Letters that are too small in the overview; strokes need the page at full resolution."""
    made = page(1, busy=False, side=3200, sizes=(18, 26), count=10)
    assert len(made.lines) == 10
    with pytest.raises(MorePixelsNeeded):
        desk.run(Select("1", desk.picture(made.pixels, "proxy", small=1024), text="text"))
    picture = desk.picture(made.pixels, "proxy", small=1024)
    picture.rasters += desk.picture(made.pixels, "large").rasters
    answer = desk.run(Select("1", picture, text="text", merge=True))
    mask = plane(answer.merged, made.pixels)
    found = [np.minimum(mask[line.place], line.ink).sum() / line.ink.sum() for line in made.lines]
    assert np.mean(np.array(found) > 0.7) >= 0.9


def test_lines_are_detected_with_their_corners(desk: Desk, plain: Page) -> None:
    answer = desk.run(Detect("1", desk.picture(plain.pixels, "plain"), text="text"))
    assert len(answer.instances) >= len(plain.lines) - 1
    for one in answer.instances:
        first, second, third, _ = one.quad
        length = np.hypot(second.x - first.x, second.y - first.y)
        assert length >= np.hypot(third.x - second.x, third.y - second.y) - 1e-3
        assert second.x > first.x


def test_without_the_detector_the_words_are_unknown(plain: Page) -> None:
    bare = Desk(ModelPool([MODELS / "yolox-nano", MODELS / "mobile-sam"], "cpu", 1))
    if MODEL in bare.pool.installed:
        pytest.skip("the detector is built in")
    with pytest.raises(UnknownWord, match="'lettering'"):
        select(bare, plain, "bare")


def test_slanting_lines_side_by_side_are_no_doubles() -> None:
    def line(offset: float) -> Detection:
        quad = ((0.0, offset), (100.0, 100 + offset), (93.0, 107 + offset), (-7.0, 7 + offset))
        return Detection(Box(-7.0, offset, 100.0, 107 + offset), "lettering", 0.9, quad=quad)

    assert len(tiling.merged([(line(0), False), (line(20), False), (line(21), False)])) == 2

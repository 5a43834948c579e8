"""What the tables of quality are made of: pictures that are the same each time, truth that is exact, and scores."""

from __future__ import annotations

import json

import numpy as np
import pytest

from maskwright.masks.opencv import cv2
from tests.made_up_edges import KINDS, made_up
from tests.mixed_photos import mixed_photos
from tests.quality import page
from tests.quality.__main__ import BEFORE, NOW
from tests.quality.cases import cases
from tests.quality.routes import REMBG, fitting
from tests.quality.scores import MEASURES, boundary_f, scores
from tests.shared_data import needs_eval


@pytest.mark.parametrize("kind", KINDS)
def test_made_up_things_are_the_same_each_time_and_as_soft_as_their_kind(kind: str) -> None:
    first, second = made_up(kind, 0), made_up(kind, 0)
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.alpha, second.alpha)
    assert not np.array_equal(first.alpha, made_up(kind, 1).alpha)
    assert (first.alpha.min(), first.alpha.max()) == (0, 1 if kind != "glass" else first.alpha.max())
    soft = (first.alpha > 0.02) & (first.alpha < 0.98)
    assert soft.sum() > 0.05 * (first.alpha > 0).sum()
    assert first.alpha[first.inside[1], first.inside[0]] > 0.1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "motion blur"])
def test_the_opacity_of_made_up_things_explains_their_pixels(kind: str) -> None:
    """Empty places show the photo, which is out of focus; edges stand out from it."""
    thing = made_up(kind, 2)
    rough = np.abs(cv2.Laplacian(thing.pixels.astype(np.float32), cv2.CV_32F)).mean(axis=2)
    empty = cv2.erode((thing.alpha == 0).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    edge = (thing.alpha > 0.02) & (thing.alpha < 0.98)
    assert np.median(rough[empty]) < np.median(rough[edge])


def test_outlines_agree_within_two_pixels() -> None:
    square = np.zeros((80, 80))
    square[20:60, 20:60] = 1
    assert boundary_f(square, square) == 1
    assert boundary_f(np.roll(square, 2, axis=1), square) == 1
    assert boundary_f(np.roll(square, 4, axis=1), square) < 0.7
    assert boundary_f(np.zeros_like(square), square) == 0
    assert boundary_f(np.zeros_like(square), np.zeros_like(square)) == 1
    perfect = scores(square, square)
    assert [perfect[name] for name in MEASURES] == [0, 0, 0, 0, 1]


def test_what_fell_is_told() -> None:
    before = {("fur", "cut-out"): {"sad": 2.0, "mse": 1.0, "gradient": 1.0, "connectivity": 1.0, "boundary": 0.9}}
    after = {("fur", "cut-out"): {"sad": 2.5, "mse": 0.5, "gradient": 1.0, "connectivity": 1.0, "boundary": 0.7}}
    told = page.worse(before, after, 0.01)
    assert told == ["fur, cut-out: sad 2.000 -> 2.500", "fur, cut-out: boundary 0.900 -> 0.700"]
    assert not page.worse(before, before, 0.01)


def test_the_page_keeps_what_stands_around_the_tables(tmp_path) -> None:
    path = tmp_path / "page.md"
    path.write_text(f"# Head\n\n{page.FIRST}\nold\n{page.LAST}\n\nTail\n")
    page.write("new", path)
    assert path.read_text() == f"# Head\n\n{page.FIRST}\n\nnew\n{page.LAST}\n\nTail\n"


@needs_eval
def test_the_page_shows_the_figures_that_are_stored() -> None:
    groups = {case.name: case.group for case in cases()}
    before, now = json.loads(BEFORE.read_text()), json.loads(NOW.read_text())
    assert page.tables(before, now, groups) in page.PAGE.read_text(encoding="utf-8")


@needs_eval
def test_each_case_was_measured_on_each_route() -> None:
    before, now = json.loads(BEFORE.read_text()), json.loads(NOW.read_text())
    for case in cases():
        assert list(now[case.name]) == [*fitting(case), *(REMBG if case.main else ())]
        assert case.group.startswith("large") or list(before[case.name]) == fitting(case)


@needs_eval
def test_mixed_photos_have_half_a_megapixel_and_some_have_truth() -> None:
    photos = list(mixed_photos(18))
    assert len({one.name for one in photos}) == 18
    assert all(0.34e6 < one.pixels.shape[0] * one.pixels.shape[1] < 0.66e6 for one in photos)
    known = [one for one in photos if one.truth is not None]
    assert len(known) >= 7
    assert all(one.truth is not None and one.truth.shape == one.pixels.shape[:2] for one in known)

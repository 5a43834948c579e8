"""Regions of made-up line art, whose true regions are known, come out again whatever the lines are like."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from maskwright.masks import line_art
from maskwright.masks.boxes import PixelBox
from maskwright.masks.hatching import hatching
from maskwright.masks.line_art import Regions

from .line_drawings import Drawing, draw

SEEDS = range(3)
Shown = Callable[[Drawing], np.ndarray]


def overlaps(drawing: Drawing, found: Regions) -> np.ndarray:
    """For each true region the IoU with what a click into its middle gives."""
    values = []
    for cell in np.unique(drawing.truth):
        true = drawing.truth == cell
        depth = cv2.distanceTransform(np.pad(true & (drawing.ink < 0.2), 1).astype(np.uint8), cv2.DIST_L2, 5)[
            1:-1, 1:-1
        ]
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        if depth[y, x] < 3:  # a sliver that nobody would click on
            continue
        clicked = found.labels == found.labels[y, x]
        values.append(np.count_nonzero(clicked & true) / np.count_nonzero(clicked | true))
    return np.array(values)


LINES: dict[str, Shown] = {
    "black on white": lambda one: line_art.lines(one.on_paper()),
    "blue on cream": lambda one: line_art.lines(one.on_paper((40, 80, 200), (250, 244, 225))),
    "yellow on white": lambda one: line_art.lines(one.on_paper((250, 220, 60))),
    "grey pencil on grained paper": lambda one: line_art.lines(one.on_paper((150, 150, 150), (238, 236, 230), 4.0)),
    "white on black": lambda one: line_art.lines(one.on_paper((255, 255, 255), (12, 10, 16))),
    "black on a layer": lambda one: line_art.lines(*one.on_layer()),
    "white on a layer": lambda one: line_art.lines(*one.on_layer((255, 255, 255))),
    "brown on shaded paper": lambda one: line_art.lines(shaded(one.on_paper((110, 70, 40)))),
}


def shaded(paper: np.ndarray) -> np.ndarray:
    """As a photo of a page: darker towards one corner."""
    y, x = np.mgrid[: paper.shape[0], : paper.shape[1]]
    light = 1 - 0.35 * (x / paper.shape[1] + y / paper.shape[0]) / 2
    return np.round(paper * light[..., None]).astype(np.uint8)


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("gap", [0, 6])
def test_every_kind_of_line_with_and_without_gaps(kind: str, gap: int) -> None:
    found = []
    for seed in SEEDS:
        drawing = draw(seed, gap=gap, gaps=8 if gap else 0)
        found.append(overlaps(drawing, line_art.regions(LINES[kind](drawing), gap + 1)))
    together = np.concatenate(found)
    assert len(together) > 20
    assert (together > 0.9).mean() > 0.97
    assert together.mean() > 0.95


@pytest.mark.parametrize("thickness", [1.0, 1.6, 2.5, 5.0, 9.0])
@pytest.mark.parametrize("smooth", [True, False], ids=["smooth", "hard"])
def test_every_thickness(thickness: float, smooth: bool) -> None:
    found = [
        overlaps(one, line_art.regions(line_art.lines(one.on_paper()), 5))
        for one in (draw(seed, thickness=thickness, gap=4, gaps=6, smooth=smooth) for seed in SEEDS)
    ]
    assert (np.concatenate(found) > 0.9).mean() > 0.96


def test_wider_gaps_than_asked_for_stay_open() -> None:
    closed, left_open = 0, 0
    for seed in SEEDS:
        drawing = draw(seed, gap=12, gaps=6)
        lines = line_art.lines(drawing.on_paper())
        closed += line_art.regions(lines, 14).count
        left_open += line_art.regions(lines, 3).count
    assert left_open <= closed - 3 * len(SEEDS)


def test_hatching_encloses_nothing() -> None:
    found, stroked = [], 0
    for seed in SEEDS:
        drawing = draw(seed, hatched=3, gap=4, gaps=5)
        lines = line_art.lines(drawing.on_paper())
        stroked += hatching(lines, 5) is not None
        found.append(overlaps(drawing, line_art.regions(lines, 5)))
    assert stroked == len(SEEDS)
    assert (np.concatenate(found) > 0.9).mean() > 0.9


def test_lines_of_regions_are_no_hatching() -> None:
    for seed in SEEDS:
        assert hatching(line_art.lines(draw(seed, gap=4, gaps=8).on_paper()), 5) is None


def test_every_pixel_has_a_region_and_lines_are_shared_in_their_middle() -> None:
    lines = np.zeros((60, 101), np.bool_)
    lines[:, 45:56] = True  # 11 wide: its middle column is 50
    found = line_art.regions(lines, 0)
    assert found.count == 2
    assert (found.labels > 0).all()
    left = found.labels == found.labels[30, 5]
    assert left[:, :50].all()
    assert not left[:, 51:].any()
    assert found.areas.tolist()[1:] == [np.count_nonzero(found.labels == n) for n in (1, 2)]
    x0, y0, x1, y1 = found.boxes[found.labels[30, 5]].tolist()
    assert (x0, y0, y1) == (0, 0, 60)
    assert x1 in (50, 51)
    assert found.inside(PixelBox(0, 0, 60, 60)) == [found.labels[30, 5]]


def test_a_gap_as_wide_as_asked_for_is_closed_and_a_wider_one_is_not() -> None:
    for gap in range(1, 16):
        for width in (gap, gap + 2):  # of pixels a middle one is not there for even widths
            lines = np.zeros((120, 121), np.bool_)
            lines[:, 60] = True
            lines[60 : 60 + width, 60] = False
            assert line_art.regions(lines, gap).count == (2 if width == gap else 1), (gap, width)


def test_rooms_narrower_than_the_gap_are_regions() -> None:
    lines = np.ones((40, 100), np.bool_)
    lines[2:38, 2:60] = False
    lines[5:13, 62:98] = False  # closed, and narrower than the gaps that are closed
    lines[20:28, 62:98] = False
    lines[23:25, 59:63] = False  # with a gap of two pixels to the large one
    found = line_art.regions(lines, 10)
    assert found.count == 3
    assert len({int(found.labels[y, x]) for y, x in ((20, 20), (9, 80), (24, 80))}) == 3


def test_solid_black_is_ink_and_coloured_surfaces_are_not() -> None:
    picture = np.full((120, 160, 3), 255, np.uint8)
    cv2.rectangle(picture, (10, 10), (150, 110), (0, 0, 0), 2)
    cv2.rectangle(picture, (20, 20), (70, 100), (0, 0, 0), -1)
    cv2.rectangle(picture, (90, 20), (140, 100), (240, 120, 90), -1)
    lines = line_art.lines(picture)
    assert lines[30:90, 30:60].all()
    assert not lines[30:90, 100:130].any()


def test_a_layer_of_lines_and_colours_is_seen_as_on_paper() -> None:
    colours = np.full((100, 100, 3), (230, 180, 160), np.uint8)
    cv2.line(colours, (50, 0), (50, 99), (20, 10, 10), 3)
    alpha = np.full((100, 100), 255, np.uint8)
    alpha[:, :10] = 0
    found = line_art.regions(line_art.lines(colours, alpha), 2)
    assert found.labels[50, 20] != found.labels[50, 80]


@pytest.mark.parametrize("gap", [0, 5])
def test_a_picture_without_lines_has_no_regions(gap: int) -> None:
    blank = line_art.lines(np.full((50, 70, 3), 244, np.uint8))
    grained = line_art.lines(draw(0).on_paper((238, 236, 230), (238, 236, 230), 5.0))
    for lines in (blank, grained):
        found = line_art.regions(lines, gap)
        if found.count:  # grain may leave a dot; it encloses nothing
            assert found.count == 1
    assert line_art.regions(blank, gap).count == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 2), (3, 300)])
def test_pictures_of_a_few_pixels(size: tuple[int, int]) -> None:
    chance = np.random.default_rng(0)
    picture = chance.integers(0, 255, (*size, 3)).astype(np.uint8)
    for lines in (line_art.lines(picture), line_art.lines(picture, picture[..., 0].copy())):
        found = line_art.regions(lines, 4)
        assert found.labels.shape == size
        assert len(found.areas) == found.count + 1


def test_all_of_it_is_ink() -> None:
    assert line_art.regions(np.ones((20, 20), np.bool_), 3).count == 0


def test_small_regions_go_into_their_neighbours() -> None:
    lines = np.zeros((50, 100), np.bool_)
    lines[:, 50] = lines[10:17, 10] = lines[10:17, 16] = True
    lines[10, 10:17] = lines[16, 10:17] = True
    found = line_art.regions(lines, 0)
    assert found.count == 3
    fewer = line_art.without_small(found, 100)
    assert fewer.count == 2
    assert fewer.labels[13, 13] == fewer.labels[30, 30]
    assert line_art.without_small(found, 1e9).count == 1
    assert line_art.without_small(found, 0) is found


def test_flat_colours_are_all_different_and_far_from_the_next_ones() -> None:
    colours = line_art.flat_colours(5000)
    assert len({tuple(one) for one in colours.tolist()}) == 5001
    first = colours[1:30].astype(int)
    assert np.abs(first[1:] - first[:-1]).max(axis=1).min() > 40

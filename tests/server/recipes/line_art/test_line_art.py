"""Clicks on line art, its map, its flats, and paths around masks, through the worker's door."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from maskwright_protocol import masks as wire
from maskwright_protocol.errors import BadInput, EmptyPrompt, MorePixelsNeeded, OutsideImage
from maskwright_protocol.messages import (
    Everything,
    Example,
    Flats,
    Mask,
    Outline,
    Picture,
    PixelRect,
    Point,
    PostProcess,
    Raster,
    Rect,
    Select,
    Stroke,
)
from tests.server.masks.line_drawings import draw
from tests.server.recipes.conftest import Desk, plane

DRAWING = draw(1, gap=5, gaps=6)
PAPER = DRAWING.on_paper()
HEIGHT, WIDTH = DRAWING.truth.shape
CLICK = Select("1", recipe="line-art", gap=6.0)


@pytest.fixture
def page(desk: Desk) -> Picture:
    return desk.picture(PAPER, "page")


def middle(cell: int) -> tuple[int, int]:
    """A pixel in a cell, away from its lines."""
    rows, columns = np.nonzero((DRAWING.truth == cell) & (DRAWING.ink == 0))
    place = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
    return int(columns[place]), int(rows[place])


def cells(count: int) -> list[int]:
    """The largest ones."""
    areas = np.bincount(DRAWING.truth.ravel())
    return np.argsort(-areas)[:count].tolist()


def point(cell: int, include: bool = True) -> Point:
    x, y = middle(cell)
    return Point(x + 0.5, y + 0.5, include)


def agreement(mask: Mask | None, true: np.ndarray) -> float:
    shown = plane(mask, PAPER) > 0.5
    return np.count_nonzero(shown & true) / np.count_nonzero(shown | true)


def test_a_click_selects_the_region_up_to_the_middle_of_its_lines(desk: Desk, page: Picture) -> None:
    for cell in cells(6):
        answer = desk.run(replace(CLICK, picture=page, points=[point(cell)]))
        (one,) = answer.instances
        assert agreement(one.mask, DRAWING.truth == cell) > 0.95
        assert answer.report.recipe == "line-art"
        assert answer.report.models == []
        assert one.box == Rect(
            *(float(v) for v in (one.mask.box.x, one.mask.box.y, one.mask.box.width, one.mask.box.height))
        )


def test_clicks_strokes_and_boxes_say_which_regions(desk: Desk, page: Picture) -> None:
    one, two, three = cells(3)
    both = (DRAWING.truth == one) | (DRAWING.truth == two)
    clicked = desk.run(replace(CLICK, picture=page, points=[point(one), point(two)], merge=True))
    assert agreement(clicked.merged, both) > 0.95
    less = desk.run(replace(CLICK, picture=page, points=[point(one), point(three), point(two), point(three, False)]))
    assert agreement(less.instances[0].mask, both) > 0.95
    (x0, y0), (x1, y1) = middle(one), middle(two)
    crossed = np.unique(DRAWING.truth[np.linspace(y0, y1, 999).astype(int), np.linspace(x0, x1, 999).astype(int)])
    stroke = Stroke([x0 + 0.5, y0 + 0.5, x1 + 0.5, y1 + 0.5])
    drawn = desk.run(replace(CLICK, picture=page, strokes=[stroke]))
    assert agreement(drawn.instances[0].mask, np.isin(DRAWING.truth, crossed)) > 0.9
    boxed = desk.run(replace(CLICK, picture=page, boxes=[Rect(0, 0, WIDTH, HEIGHT)]))
    assert agreement(boxed.instances[0].mask, np.ones((HEIGHT, WIDTH), bool)) == 1
    rows, columns = np.nonzero(DRAWING.truth == one)
    around = Rect(float(columns.min()), float(rows.min()), float(np.ptp(columns)) + 1, float(np.ptp(rows)) + 1)
    inside = desk.run(replace(CLICK, picture=page, boxes=[around])).instances[0].mask
    assert (plane(inside, PAPER)[DRAWING.truth == one] > 0.5).mean() > 0.95


def test_an_id_names_the_region_without_any_memory(desk: Desk, page: Picture) -> None:
    one, two = cells(2)
    first = desk.run(replace(CLICK, picture=page, points=[point(one)])).instances[0]
    again = desk.run(replace(CLICK, picture=page, continue_from=first.id)).instances[0]
    assert wire.unpack(again.mask) == wire.unpack(first.mask)
    more = desk.run(replace(CLICK, picture=page, continue_from=first.id, points=[point(two)])).instances[0]
    assert agreement(more.mask, np.isin(DRAWING.truth, [one, two])) > 0.95
    with pytest.raises(EmptyPrompt):  # of another recipe: the client asks again with the click
        desk.run(replace(CLICK, picture=page, continue_from="3f-12"))


def test_masks_are_finished_as_others_are(desk: Desk, page: Picture) -> None:
    (cell,) = cells(1)
    usual = desk.run(replace(CLICK, picture=page, points=[point(cell)])).instances[0]
    post = PostProcess(grow=-4.0)
    small = desk.run(replace(CLICK, picture=page, points=[point(cell)], post=post)).instances[0]
    assert plane(small.mask, PAPER).sum() < 0.95 * plane(usual.mask, PAPER).sum()
    half = wire.pack(PixelRect(0, 0, WIDTH, HEIGHT // 2), b"\xff" * (WIDTH * (HEIGHT // 2)))
    all_of_it = [Rect(0, 0, WIDTH, HEIGHT)]
    limited = desk.run(replace(CLICK, picture=page, boxes=all_of_it, region=half)).instances[0]
    assert agreement(limited.mask, np.arange(HEIGHT)[:, None] < np.full(WIDTH, HEIGHT // 2)) == 1


def test_the_first_click_needs_all_pixels_and_the_next_ones_none(desk: Desk) -> None:
    large = np.kron(PAPER, np.ones((6, 6, 1), np.uint8))
    small = desk.picture(large, "small", small=400)
    request = replace(CLICK, picture=small, gap=36.0, points=[Point(6 * middle(1)[0], 6 * middle(1)[1])])
    with pytest.raises(MorePixelsNeeded):
        desk.run(request)
    desk.rasters["large"] = memoryview(large.tobytes())
    box = small.box
    both = Picture(box, [*small.rasters, Raster("large", box.width, box.height, "RGB8", box)])
    first = desk.run(replace(request, picture=both)).instances[0]
    again = desk.run(request).instances[0]
    assert wire.unpack(first.mask) == wire.unpack(again.mask)


def test_a_layer_that_lies_beside_the_origin(desk: Desk) -> None:
    colours, alpha = DRAWING.on_layer((200, 30, 30))
    pixels = np.concatenate([colours, alpha[..., None]], axis=2)
    box = PixelRect(-30, 40, WIDTH, HEIGHT)
    desk.rasters["layer"] = memoryview(pixels.tobytes())
    picture = Picture(box, [Raster("layer", WIDTH, HEIGHT, "RGBA8", box)])
    (cell,) = cells(1)
    x, y = middle(cell)
    answer = desk.run(replace(CLICK, picture=picture, points=[Point(x - 30, y + 40)]))
    shown = plane(answer.instances[0].mask, PAPER, -30, 40) > 0.5
    true = DRAWING.truth == cell
    assert np.count_nonzero(shown & true) / np.count_nonzero(shown | true) > 0.95


def test_the_map_names_what_a_click_takes(desk: Desk, page: Picture) -> None:
    found = desk.run(Everything("2", page, recipe="line-art", gap=6.0))
    numbers = np.frombuffer(wire.unpack(found.labels), "<u2").reshape(HEIGHT, WIDTH)
    for cell in cells(6):
        x, y = middle(cell)
        one = next(one for one in found.objects if one.number == numbers[y, x])
        assert one.clicked == one.number
        taken = desk.run(replace(CLICK, picture=page, continue_from=one.id)).instances[0]
        assert agreement(taken.mask, numbers == one.number) == 1
        assert one.area == np.count_nonzero(numbers == one.number)


@pytest.mark.parametrize("format", ["RGBA8", "BGRA8"])
def test_flats_give_each_region_a_colour_of_its_own(desk: Desk, page: Picture, format: str) -> None:
    answer = desk.run(Flats("3", page, gap=6.0, format=format))
    pixels = np.frombuffer(wire.unpack(answer.colours), np.uint8).reshape(HEIGHT, WIDTH, 4)
    assert (pixels[..., 3] == 255).all()
    shown = pixels.view(np.uint32)[..., 0]
    assert len(np.unique(shown)) == answer.count
    colours = []
    for cell in np.unique(DRAWING.truth):
        x, y = middle(cell)
        assert (shown[DRAWING.truth == cell] == shown[y, x]).mean() > 0.9
        colours.append(shown[y, x])
    assert len(set(colours)) == len(colours)
    rest = desk.run(Flats("3", page, gap=6.0, min_area=1e9))
    assert rest.count == 1


def test_formats_of_flats_agree(desk: Desk, page: Picture) -> None:
    one, other = (wire.unpack(desk.run(Flats("3", page, format=name)).colours) for name in ("RGBA8", "BGRA8"))
    pair = [np.frombuffer(data, np.uint8).reshape(-1, 4) for data in (one, other)]
    assert (pair[0] == pair[1][:, [2, 1, 0, 3]]).all()


def test_a_page_without_lines_is_told(desk: Desk) -> None:
    empty = desk.picture(np.full((40, 50, 3), 250, np.uint8), "empty")
    for request in (replace(CLICK, points=[Point(5, 5)]), Flats("3"), Everything("2", recipe="line-art")):
        answer = desk.run(replace(request, picture=empty))
        assert answer.reason == "nothing_found"
        assert answer.message
        assert answer.hint


def test_what_cannot_be_asked(desk: Desk, page: Picture) -> None:
    for wrong in (
        replace(CLICK, text="hat", points=[Point(5, 5)]),
        replace(CLICK, examples=[Example(0, 0, 9, 9)]),
        replace(CLICK, gap=-1.0, points=[Point(5, 5)]),
        replace(CLICK, gap=float("nan"), points=[Point(5, 5)]),
        replace(CLICK, gap=1e5, points=[Point(5, 5)]),
        Flats("3", format="GRAY8"),
    ):
        with pytest.raises(BadInput):
            desk.run(replace(wrong, picture=page))
    with pytest.raises(EmptyPrompt):
        desk.run(replace(CLICK, picture=page))
    with pytest.raises(EmptyPrompt):
        desk.run(replace(CLICK, picture=page, points=[Point(5, 5, False)]))
    with pytest.raises(OutsideImage):
        desk.run(replace(CLICK, picture=page, points=[Point(-5, 5)]))


# ---------------------------------------------------------------- outlines


def test_paths_go_round_the_masks(desk: Desk) -> None:
    y, x = np.mgrid[:60, :80]
    disc = (np.hypot(x - 40, y - 30) < 22) & (np.hypot(x - 40, y - 30) > 8)
    box = PixelRect(-7, 11, 80, 60)
    masks = [wire.pack(box, (disc * 255).astype(np.uint8).tobytes()), wire.pack(box, bytes(4800))]
    ring, nothing = desk.run(Outline("4", masks=masks)).paths
    assert nothing == ""
    assert ring.count("Z") == 2  # the hole is kept
    numbers = np.array([float(one) for one in re.findall(r"-?\d+\.\d+", ring)]).reshape(-1, 2)
    assert numbers.min(axis=0) == pytest.approx([40 - 22 - 7, 30 - 22 + 11], abs=1)
    assert numbers.max(axis=0) == pytest.approx([40 + 22 - 6, 30 + 22 + 12], abs=1)
    with pytest.raises(EmptyPrompt):
        desk.run(Outline("4"))

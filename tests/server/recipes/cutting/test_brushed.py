"""Live edges: what strokes do to a refined edge, and previews in the pixels of a view, on made-up hard edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from maskwright.masks.opencv import cv2
from maskwright_protocol import errors
from maskwright_protocol import masks as wire
from maskwright_protocol.messages import (
    Cutout,
    EdgeStroke,
    Mask,
    Picture,
    PixelRect,
    PostProcess,
    Raster,
    Refine,
    Viewport,
)
from tests.made_up_edges import HEIGHT, KINDS, WIDTH, MadeUp, made_up
from tests.server.recipes.conftest import Desk, plane

BAND = 24.0
CASES = [(kind, 1 + number % 2) for number, kind in enumerate(KINDS)]


def rough(thing: MadeUp) -> np.ndarray:
    """A selection by hand: about the thing, without its fine parts."""
    solid = (thing.alpha >= 0.5).astype(np.uint8)
    return cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)) * np.uint8(255)


def as_mask(selection: np.ndarray) -> Mask:
    return Mask(PixelRect(0, 0, selection.shape[1], selection.shape[0]), data=selection.tobytes())


def refined(desk: Desk, picture: Picture, selection: np.ndarray, **settings: object) -> np.ndarray:
    job = Refine("1", picture=picture, mask=as_mask(selection), **{"edge_width": BAND, "mask_depth": 16, **settings})
    return plane(desk.run(job).instances[0].mask, selection)


def strokes(thing: MadeUp, seed: int) -> list[EdgeStroke]:
    """Of each kind one, along the thing's outline, on it, and off it."""
    rng = np.random.default_rng(seed)
    rim, _ = cv2.findContours((thing.alpha >= 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = max(rim, key=len).reshape(-1, 2).astype(float)
    found = []
    for kind in ("hair", "hard", "inside", "outside"):
        first = int(rng.integers(len(line) - 80))
        path = line[first : first + 60 : 6] + rng.normal(0, 3, 2)
        found.append(EdgeStroke([float(value) for value in path.reshape(-1)], kind, float(rng.uniform(6, 24))))
    return found


def distance(stroke: EdgeStroke) -> np.ndarray:
    """Pixels from each pixel to the stroke's rim; 0 on it."""
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    path = np.array(stroke.path).reshape(-1, 1, 2)
    cv2.polylines(drawn, [np.round(path - 0.5).astype(np.int32)], False, 1, max(1, round(stroke.width)))
    return cv2.distanceTransform(1 - drawn, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def core(stroke: EdgeStroke) -> np.ndarray:
    """Where the stroke surely is."""
    return distance(replace(stroke, width=stroke.width - 4)) == 0


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_each_stroke_is_obeyed_and_changes_nothing_further_away(desk: Desk, kind: str, seed: int) -> None:
    thing = made_up(kind, seed)
    picture, selection = desk.picture(thing.pixels, f"brushed-{kind}-{seed}"), rough(thing)
    before = refined(desk, picture, selection)
    painted = strokes(thing, seed)
    for stroke in painted:
        after = refined(desk, picture, selection, edge_strokes=[stroke])
        far = distance(stroke) > BAND / 2 + 8
        assert np.array_equal(after[far], before[far]), stroke.kind
        if stroke.kind == "inside":
            assert (after[core(stroke)] == 1).all()
        if stroke.kind == "outside":
            assert (after[core(stroke)] == 0).all()
    together = refined(desk, picture, selection, edge_strokes=painted, smooth=6.0, contrast=0.3, shift_edge=-0.5)
    covered = core(painted[2]) & (distance(painted[3]) > 4)  # the later one counts
    assert (together[covered] == 1).all()
    assert (together[core(painted[3])] == 0).all()


@pytest.mark.parametrize(("kind", "seed", "share"), [("fur", 0, 0.2), ("fur", 1, 0.2), ("strands", 2, 0.85)])
def test_hair_that_was_left_out_comes_back_where_it_is_painted(desk: Desk, kind: str, seed: int, share: float) -> None:
    """``share`` of the error that may be left."""
    thing = made_up(kind, seed)
    picture, selection = desk.picture(thing.pixels, f"hair-{kind}-{seed}"), rough(thing)
    before = refined(desk, picture, selection, edge_width=6.0)
    ring, _ = cv2.findContours(selection, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    path = [float(value) for value in max(ring, key=len).reshape(-1, 2)[::8].reshape(-1)]
    stroke = EdgeStroke([*path, *path[:2]], "hair", 80.0)
    after = refined(desk, picture, selection, edge_width=6.0, edge_strokes=[stroke])
    error = [float(np.abs(one - thing.alpha).sum()) for one in (before, after)]
    print(kind, seed, error)
    assert error[1] < share * error[0]


@pytest.mark.parametrize("seed", range(3))
def test_a_hard_edge_is_a_pixel_wide_where_it_is_painted(desk: Desk, seed: int) -> None:
    thing = made_up("motion blur", seed)
    picture, selection = desk.picture(thing.pixels, f"blur-{seed}"), rough(thing)
    rim, _ = cv2.findContours(selection, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    path = [float(value) for value in max(rim, key=len).reshape(-1, 2)[:120:8].reshape(-1)]
    stroke = EdgeStroke(path, "hard", 50.0)
    before = refined(desk, picture, selection, edge_width=60.0)
    after = refined(desk, picture, selection, edge_width=60.0, edge_strokes=[stroke])
    inside = distance(replace(stroke, width=40.0)) == 0
    soft = [np.count_nonzero(inside & (one > 0.1) & (one < 0.9)) for one in (before, after)]
    print(seed, soft)
    assert soft[1] < 0.35 * soft[0]


def seen(desk: Desk, picture: Picture, job: Refine, view: Viewport) -> np.ndarray:
    answer = desk.run(replace(job, picture=picture, view=view))
    if not answer.instances:
        return np.zeros((view.height, view.width))
    mask = answer.instances[0].mask
    return np.frombuffer(bytes(wire.place(mask, view.width, view.height)), np.uint8).reshape(view.height, -1) / 255


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_a_preview_shows_what_the_full_size_will_be(desk: Desk, kind: str, seed: int) -> None:
    """Bounds: a mean difference of 1 %, and 99 of 100 pixels differ by less than 20 %."""
    thing = made_up(kind, seed)
    large = cv2.resize(thing.pixels, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_CUBIC)
    selection = cv2.resize(rough(thing), (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_NEAREST)
    picture = desk.picture(large, f"seen-{kind}-{seed}")
    painted = [
        replace(one, path=[2 * value for value in one.path], width=2 * one.width) for one in strokes(thing, seed)
    ]
    job = Refine("1", mask=as_mask(selection), edge_width=40.0, edge_strokes=painted, post=PostProcess(feather=2.0))
    whole = plane(desk.run(replace(job, picture=picture)).instances[0].mask, selection)
    view = PixelRect(100, 60, 1000, 800)
    found = seen(desk, picture, job, Viewport(view, 500, 400))
    expected = cv2.resize(whole[60:860, 100:1100], (500, 400), interpolation=cv2.INTER_AREA)
    difference = np.abs(found - expected)
    print(kind, seed, round(float(difference.mean()), 4), float(np.quantile(difference, 0.99)))
    assert difference.mean() < 0.01
    assert np.quantile(difference, 0.99) < 0.2


def test_a_view_asks_for_no_more_than_it_shows_and_remembers_what_it_found(desk: Desk) -> None:
    thing = made_up("fur", 3)
    large = cv2.resize(thing.pixels, (4 * WIDTH, 4 * HEIGHT), interpolation=cv2.INTER_CUBIC)
    selection = cv2.resize(rough(thing), (4 * WIDTH, 4 * HEIGHT), interpolation=cv2.INTER_NEAREST)
    small = desk.picture(large, "view-small", small=1024)
    desk.rasters["view-mask"] = memoryview(selection.tobytes())
    rect = PixelRect(0, 0, 4 * WIDTH, 4 * HEIGHT)
    small.rasters.append(Raster("view-mask", rect.width, rect.height, "GRAY8", rect))
    job = Refine("1", mask_key="view-mask", edge_width=60.0)
    far = Viewport(PixelRect(0, 0, 4 * WIDTH, 4 * HEIGHT), 800, 600)
    first = seen(desk, small, job, far)
    assert 0.02 < first.mean() < 0.9
    desk.stages.clear()
    again = seen(desk, small, replace(job, post=PostProcess(grow=8.0)), far)
    assert "refine" not in desk.stages, "another slider does not find the edge again"
    assert again.sum() > first.sum()
    near = Viewport(PixelRect(900, 500, 640, 480), 640, 480)
    with pytest.raises(errors.MorePixelsNeeded) as caught:
        seen(desk, small, job, near)
    x, y, width, height = caught.value.details["box"]
    assert x <= 900
    assert y <= 500
    assert x + width >= 1540
    assert y + height >= 980
    assert width * height < 2 * 640 * 480 + 2 * 256 * (640 + 480)
    part = np.ascontiguousarray(large[y : y + height, x : x + width])
    desk.rasters["view-near"] = memoryview(part.tobytes())
    box = PixelRect(x, y, width, height)
    close = replace(small, rasters=[*small.rasters, Raster("view-near", width, height, "RGB8", box)])
    assert seen(desk, close, job, near).shape == (480, 640)


@pytest.mark.parametrize("keep", [False, True])
def test_all_the_pixels_are_asked_for_at_once(desk: Desk, keep: bool) -> None:
    """A stroke far from the selection, as the client sends one part of the picture beside the overview."""
    thing = made_up("glass", 2)
    large = cv2.resize(thing.pixels, (4 * WIDTH, 4 * HEIGHT), interpolation=cv2.INTER_CUBIC)
    selection = cv2.resize(rough(thing), (4 * WIDTH, 4 * HEIGHT), interpolation=cv2.INTER_NEAREST)
    picture = desk.picture(large, f"apart-{keep}", small=512)
    job = Refine("1", picture=picture, mask=as_mask(selection), keep=keep, edge_width=30.0)
    job.edge_strokes = [EdgeStroke([60.0, 60.0, 120.0, 90.0], "inside", 40.0)]
    with pytest.raises(errors.MorePixelsNeeded) as caught:
        desk.run(job)
    x, y, width, height = caught.value.details["box"]
    desk.rasters["apart-part"] = memoryview(large[y : y + height, x : x + width].tobytes())
    part = Raster("apart-part", width, height, "RGB8", PixelRect(x, y, width, height))
    answer = desk.run(replace(job, picture=replace(picture, rasters=[*picture.rasters, part])))
    assert plane(answer.instances[0].mask, selection)[75, 90] == 1


def test_nothing_of_the_selection_in_sight_is_an_answer(desk: Desk) -> None:
    thing = made_up("glass", 1)
    picture, selection = desk.picture(thing.pixels, "corner"), rough(thing)
    corner = Viewport(PixelRect(0, 0, 40, 30), 40, 30)
    job = Refine("1", mask=as_mask(selection))
    assert not seen(desk, picture, job, corner).any()
    stroke = EdgeStroke([10.0, 10.0, 30.0, 20.0], "inside", 8.0)
    assert seen(desk, picture, replace(job, edge_strokes=[stroke]), corner)[15, 20] == 1


def test_a_mask_that_is_kept_changes_only_by_strokes(desk: Desk) -> None:
    thing = made_up("fur", 2)
    picture = desk.picture(thing.pixels, "kept")
    alpha = np.round(thing.alpha * 255).astype(np.uint8)
    kept = refined(desk, picture, alpha, keep=True, mask_depth=8)
    assert (np.round(kept * 255) == alpha).all()
    stroke = strokes(thing, 2)[3]
    after = refined(desk, picture, alpha, keep=True, mask_depth=8, edge_strokes=[stroke])
    assert not after[core(stroke)].any()
    far = distance(stroke) > BAND / 2 + 8
    assert (np.round(after * 255) == alpha)[far].all()


def test_a_cut_out_by_a_given_mask_has_exactly_that_alpha(desk: Desk) -> None:
    thing = made_up("strands", 4)
    picture = desk.picture(thing.pixels, "given")
    alpha = np.round(thing.alpha * 255).astype(np.uint8)
    answer = desk.run(Cutout("1", picture=picture, mask=as_mask(alpha), edges="given"))
    assert (np.round(plane(answer.alpha, alpha) * 255) == alpha).all()
    assert answer.foreground is not None
    with pytest.raises(errors.EmptyPrompt):
        desk.run(Cutout("1", picture=picture, edges="given"))
    with pytest.raises(errors.BadInput):
        desk.run(Cutout("1", picture=picture, mask=as_mask(alpha), text="cat", edges="given"))


@pytest.mark.parametrize(
    "settings",
    [
        {"edge_strokes": [EdgeStroke([1.0], "hair", 4.0)]},
        {"edge_strokes": [EdgeStroke([], "hair", 4.0)]},
        {"edge_strokes": [EdgeStroke([1.0, float("nan")], "hair", 4.0)]},
        {"edge_strokes": [EdgeStroke([1.0, 2.0], "hair", 1e6)]},
        {"view": Viewport(PixelRect(0, 0, 2000, 30), 40, 30)},
        {"view": Viewport(PixelRect(0, 0, 40, 30), 80, 30)},
        {"view": Viewport(PixelRect(0, 0, 40, 30), 0, 30)},
        {"view": Viewport(PixelRect(0, 0, 40, 30), 40, 30), "recipe": "inpaint"},
        {"mask": None, "mask_key": "unknown"},
    ],
)
def test_what_makes_no_sense_is_told(desk: Desk, settings: dict[str, object]) -> None:
    thing = made_up("glass", 1)
    picture = desk.picture(thing.pixels, "nonsense")
    with pytest.raises(errors.BadInput):
        desk.run(replace(Refine("1", picture=picture, mask=as_mask(rough(thing))), **settings))

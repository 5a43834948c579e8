"""Refined edges and cut-outs, measured on a photo with its true alpha, and everything that can be asked of them."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskwright.masks.foreground import decontaminate, estimate_foreground, multi_level
from maskwright.masks.opencv import cv2
from maskwright.models.families.matting.inference import closed_form
from maskwright.recipes.cutting.image_kind import DRAWN, drawn_share
from maskwright.recipes.job import edge
from maskwright_protocol import errors
from maskwright_protocol.messages import Cutout, Mask, PixelRect, Point, PostProcess, Rect, Refine, Select
from tests.server.matting_metrics import errors as measured
from tests.server.matting_metrics import fringe_error
from tests.server.recipes.conftest import Desk, iou, photo, plane
from tests.shared_data import EVAL, needs_eval, needs_models

KINDS = ("sad", "mse", "gradient", "connectivity")


@pytest.fixture
def refining(desk: Desk) -> Desk:
    return desk


def pixels(answer) -> np.ndarray:
    found = answer.foreground
    return np.frombuffer(found.data, np.uint8).reshape(found.box.height, found.box.width, -1)


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """Two disks, red and blue, on grey."""
    noise = np.random.default_rng(2).normal(0, 4, (300, 500, 1))
    image = np.clip(np.full((300, 500, 3), 170.0) + noise, 0, 255).astype(np.uint8)
    cv2.circle(image, (150, 150), 80, (200, 40, 40), -1, cv2.LINE_AA)
    cv2.circle(image, (380, 150), 55, (40, 50, 190), -1, cv2.LINE_AA)
    return image


def disks(*circles: tuple[int, int, int]) -> np.ndarray:
    out = np.zeros((300, 500), np.uint8)
    for x, y, radius in circles:
        cv2.circle(out, (x, y), radius, 255, -1)
    return out


def as_mask(selection: np.ndarray) -> Mask:
    return Mask(PixelRect(0, 0, selection.shape[1], selection.shape[0]), data=selection.tobytes())


# On the photo with its true alpha.


@needs_models
@needs_eval
def test_a_cutout_refined_by_trimap_matting_is_better_in_every_measure(refining, lemur, truth):
    picture = refining.picture(lemur, "lemur")
    found = {}
    for name, edges, hair in (("matte", "matte", False), ("refined", "auto", False), ("hair", "auto", True)):
        answer = refining.run(Cutout("1", picture=picture, edges=edges, hair=hair, foreground=False, mask_depth=16))
        found[name] = measured(plane(answer.alpha, lemur), truth)
        print(name, answer.edge_method, {k: round(v, 3) for k, v in found[name].items()})
        assert answer.edge_method == ("matte" if edges == "matte" else "matte+trimap")
    for measure in KINDS:
        assert found["refined"][measure] < 0.75 * found["matte"][measure]
        assert found["hair"][measure] < 0.85 * found["refined"][measure]


@needs_models
@needs_eval
def test_a_click_refined_is_better_in_every_measure(refining, lemur, truth):
    picture = refining.picture(lemur, "lemur")
    clicked = refining.run(Select("1", picture=picture, points=[Point(340, 220)])).instances[0].mask
    before = measured(plane(clicked, lemur), truth)
    print("click", {k: round(v, 3) for k, v in before.items()})
    for recipe, hair in (("guided", False), ("auto", False), ("auto", True)):
        answer = refining.run(Refine("2", picture=picture, mask=clicked, recipe=recipe, hair=hair, mask_depth=16))
        after = measured(plane(answer.instances[0].mask, lemur), truth)
        print(recipe, hair, answer.edge_method, {k: round(v, 3) for k, v in after.items()})
        assert answer.edge_method == ("guided" if recipe == "guided" else "trimap")
        assert all(after[m] < (0.75 if recipe == "guided" else 0.5) * before[m] for m in KINDS)


@needs_models
@needs_eval
def test_a_click_with_a_matters_edges(refining, lemur, truth):
    picture = refining.picture(lemur, "lemur")
    clicked = measured(
        plane(refining.run(Select("1", picture=picture, points=[Point(340, 220)])).instances[0].mask, lemur), truth
    )
    for paint_out in ("", "green", "mean", "blur"):
        for edges in ("matte", "refined"):
            request = Cutout(
                "2", picture=picture, points=[Point(340, 220)], recipe="segmenter+matting", edges=edges,
                paint_out=paint_out, foreground=False, mask_depth=16,
            )  # fmt: skip
            answer = refining.run(request)
            found = measured(plane(answer.alpha, lemur), truth)
            print(paint_out or "unpainted", edges, answer.edge_method, round(answer.agreement, 3),
                  {k: round(v, 3) for k, v in found.items()})  # fmt: skip
            assert answer.agreement > 0.7
            if not paint_out:
                assert all(found[m] < 0.8 * clicked[m] for m in KINDS)


def test_tiles_leave_no_seam(refining):
    # A ramp of 40 rows across three tiles, from a dark colour to a light one: every column must come out alike.
    height, width = 400, 1700
    alpha = np.clip((np.arange(height, dtype=np.float32) - 180) / 40, 0, 1)[:, None].repeat(width, 1)
    drift = np.linspace(0, 25, width, dtype=np.float32)[None, :, None]
    fore, behind = np.array([200, 160, 120], np.float32) + drift, np.array([40, 60, 90], np.float32) + drift
    image = np.round(alpha[..., None] * fore + (1 - alpha[..., None]) * behind).astype(np.uint8)
    mask = as_mask(np.where(alpha >= 0.5, 255, 0).astype(np.uint8))
    for recipe in ("trimap", "guided"):
        request = Refine("1", picture=refining.picture(image, "ramp"), mask=mask, edge_width=70, recipe=recipe)
        request.mask_depth = 16
        found = plane(refining.run(request).instances[0].mask, image)
        steps = np.abs(np.diff(found, axis=1))
        print(recipe, "largest step", steps.max(), "error", np.abs(found - alpha).max())
        assert steps.max() < 0.02
        assert recipe == "guided" or np.abs(found - alpha).max() < 0.06


def test_memory_is_that_of_tiles_and_not_of_the_picture(basic):
    peaks = []
    for width, height in ((1600, 1200), (3200, 2400)):
        selection = np.zeros((height, width), np.uint8)
        cv2.ellipse(selection, (width // 2, height // 2), (width * 3 // 10, height * 3 // 10), 0, 0, 360, 255, -1)
        image = np.random.default_rng(1).integers(80, 86, (height, width, 3), np.uint8)
        image[..., 0] += selection // 3
        request = Refine("1", picture=basic.picture(image, f"wide-{width}"), mask=as_mask(selection), edge_width=24)
        request.recipe = "guided"
        tracemalloc.start()
        basic.run(request)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    print("peak beyond picture and selection, MB", [round(peak / 1e6) for peak in peaks])
    # Four times the pixels: of the difference of 5.8 million there is room for the answer's plane, once.
    assert peaks[1] - peaks[0] < 4 * 3 * 1600 * 1200


@needs_models
@needs_eval
def test_when_the_matter_takes_something_else_the_trimap_decides(refining, lemur):
    # The stump below the lemur: asked for by its mask, while the matting model sees the lemur.
    stump = np.zeros(lemur.shape[:2], np.uint8)
    cv2.rectangle(stump, (300, 408), (440, 439), 255, -1)
    answer = refining.run(Cutout("1", picture=refining.picture(lemur, "lemur"), mask=as_mask(stump)))
    assert answer.agreement < 0.6
    assert answer.edge_method == "trimap"
    assert any("something else" in note for note in answer.report.notes)
    assert iou(plane(answer.alpha, lemur), stump / 255) > 0.5


@needs_models
@needs_eval
def test_decontaminated_colours_lower_the_fringe(lemur, truth):
    # The lemur over strong colours: what is left of them at its edge must go, whichever way it is estimated.
    alpha = truth.astype(np.float32)
    true = multi_level(lemur.astype(np.float32) / 255, alpha)
    for strong in ((0, 1, 0), (1, 0, 1), (0.1, 0.2, 1)):
        composite = true * alpha[..., None] + np.array(strong, np.float32) * (1 - alpha[..., None])
        own = fringe_error(composite, true, alpha)
        fast = fringe_error(decontaminate(composite, alpha, estimate=estimate_foreground), true, alpha)
        best = fringe_error(decontaminate(composite, alpha, estimate=multi_level), true, alpha)
        print(strong, f"own {own:.1f} fast {fast:.1f} best {best:.1f}")
        assert fast < 0.35 * own
        assert best < 0.35 * own


@needs_models
@needs_eval
@pytest.mark.parametrize("colours", ["own", "fast", "best"])
def test_the_answers_colours(desk, lemur, colours):
    answer = desk.run(Cutout("1", picture=desk.picture(lemur, "lemur"), colours=colours, edges="matte"))
    box = answer.foreground.box
    part = lemur[box.y : box.y + box.height, box.x : box.x + box.width]
    rgba = pixels(answer)
    soft = (rgba[..., 3] > 10) & (rgba[..., 3] < 245)
    changed = np.abs(rgba[..., :3].astype(int) - part)[soft].mean()
    assert (changed == 0) == (colours == "own")


@needs_models
@needs_eval
def test_photos_and_drawings_are_told_apart():
    folders = ("matting/lemur.png", "photos/*", "person_parts/*_image.png", "voc/*.jpg")
    photos = {
        path.name: drawn_share(np.array(Image.open(path).convert("RGB"))) for f in folders for path in EVAL.glob(f)
    }
    assert len(photos) >= 13
    assert max(photos.values()) < DRAWN - 0.01
    assert drawn_share(photo("golden/anime-girl-1.jpg")) > DRAWN + 0.01


@needs_eval
def test_photos_of_things_on_white_are_no_drawings():
    lemur_alpha = np.array(Image.open(EVAL / "matting/lemur_alpha.png").convert("L"))
    cut = [(photo("matting/lemur.png"), lemur_alpha[..., None] / 255)]
    for path in EVAL.glob("person_parts/*_annotation.png"):
        image = photo(f"person_parts/{path.name.replace('annotation', 'image')}")
        cut.append((image, (np.array(Image.open(path)) > 0)[..., None].astype(float)))
    for image, alpha in cut:
        assert drawn_share((image * alpha + 255 * (1 - alpha)).astype(np.uint8)) < DRAWN - 0.01


def test_flat_shapes_and_line_art_are_drawings():
    random = np.random.default_rng(0)
    for lines in (False, True):
        cells = np.full((800, 800, 3), (240, 220, 200), np.uint8)
        art = np.full((600, 900, 3), 255, np.uint8)
        for _ in range(25):
            x, y, radius, *colour = (
                int(v) for v in random.integers((80, 80, 30, 0, 0, 0), (720, 520, 160, 255, 255, 255))
            )
            cv2.circle(cells, (x, y), radius, colour, -1, cv2.LINE_AA)
            if lines:
                cv2.circle(cells, (x, y), radius, (20, 20, 20), 4, cv2.LINE_AA)
            cv2.line(art, (x, y), (y, x), (0, 0, 0), 3, cv2.LINE_AA)
        assert drawn_share(cells) > 0.5
        assert drawn_share(art) > 0.5
    for empty in (np.zeros((1, 1, 3), np.uint8), np.full((50, 40, 3), 255, np.uint8)):
        assert drawn_share(empty) < DRAWN


# What can be asked.


def test_subjects_are_listed_and_picked(basic, scene):
    picture = basic.picture(scene, "scene")
    both = basic.run(Cutout("1", picture=picture, foreground=False))
    if len(both.subjects) < 2:
        pytest.skip("the embedded matting model sees one subject here")
    first, second = both.subjects
    assert first.box.x < 150 < first.box.x + first.box.width
    alone = basic.run(Cutout("2", picture=picture, foreground=False, pick="2"))
    at = basic.run(Cutout("3", picture=picture, foreground=False, subject_at=Point(380, 150)))
    assert alone.alpha == at.alpha
    assert alone.alpha.box.x > 250
    none = basic.run(Cutout("4", picture=picture, foreground=False, pick="9"))
    assert none.reason == "nothing_found"
    assert len(none.subjects) == 2
    assert second.source == "u2netp"


def test_a_prompt_and_its_neighbours(basic, scene):
    picture = basic.picture(scene, "scene")
    mask = as_mask(disks((150, 150, 76)))
    answer = basic.run(Cutout("1", picture=picture, mask=mask))
    truth = disks((150, 150, 80)) / 255
    assert iou(plane(answer.alpha, scene), truth) > 0.98
    assert answer.edge_method
    assert answer.agreement is not None
    boxes = [Rect(65, 65, 170, 170), Rect(320, 90, 120, 120)]
    both = basic.run(Cutout("2", picture=picture, boxes=boxes, foreground=False))
    assert len(both.subjects) == 2
    picked = basic.run(Cutout("3", picture=picture, boxes=boxes, pick="2", foreground=False))
    assert picked.alpha.box.width < both.alpha.box.width
    assert all(subject.mask is None for subject in picked.subjects)


def test_outline_background_and_crop(basic, scene):
    picture = basic.picture(scene, "scene")
    mask = as_mask(disks((150, 150, 80)))
    plain = basic.run(Cutout("1", picture=picture, mask=mask))
    sticker = basic.run(Cutout("2", picture=picture, mask=mask, outline=12, outline_colour="#ffee00"))
    assert abs(sticker.alpha.box.width - 2 * (80 + 12)) <= 3
    box = sticker.foreground.box
    rgba = pixels(sticker)
    assert rgba[150 - box.y, 150 + 80 + 6 - box.x].tolist() == [255, 238, 0, 255]
    red = rgba[150 - box.y, 150 - box.x]
    assert red[0] > 150 > 80 > red[1]
    assert rgba[0, 0, 3] == 0
    # Its edge is a circle's, not that of pixels.
    ys, xs = np.nonzero(rgba[..., 3] > 127)
    assert abs(np.hypot(ys + box.y - 150, xs + box.x - 150).max() - 92) < 1.5

    filled = basic.run(Cutout("3", picture=picture, mask=mask, background="#102030"))
    assert (filled.foreground.box.width, filled.foreground.box.height) == (500, 300)
    rgba = pixels(filled)
    assert rgba[5, 5].tolist() == [16, 32, 48, 255]
    assert rgba[150, 380].tolist() == [16, 32, 48, 255]
    assert filled.alpha == plain.alpha
    cropped = basic.run(Cutout("4", picture=picture, mask=mask, background="#102030", crop=True))
    assert cropped.foreground.box == cropped.alpha.box
    assert pixels(cropped)[0, 0].tolist() == [16, 32, 48, 255]


def test_a_shadow_is_kept_on_request(basic):
    y, x = np.mgrid[:240, :320].astype(np.float32)
    shadow = np.clip(1 - np.hypot((y - 165) / 22, (x - 190) / 70), 0, 0.6)
    image = np.full((240, 320, 3), 215.0) * (1 - shadow)[..., None]
    thing = np.hypot(y - 120, x - 140) < 50
    image[thing] = (160, 60, 40)
    image += np.random.default_rng(1).normal(0, 1.5, image.shape)
    picture = basic.picture(np.clip(image, 0, 255).astype(np.uint8), "studio")
    mask = Mask(PixelRect(0, 0, 320, 240), data=(thing * np.uint8(255)).tobytes())
    without = basic.run(Cutout("1", picture=picture, mask=mask))
    kept = basic.run(Cutout("2", picture=picture, mask=mask, shadow=True))
    blank = np.zeros((240, 320, 3))
    assert plane(without.alpha, blank)[168, 215] < 0.02
    assert plane(kept.alpha, blank)[168, 215] == pytest.approx(shadow[168, 215], abs=0.12)
    box = kept.foreground.box
    assert pixels(kept)[168 - box.y, 215 - box.x, :3].max() < 30


def test_the_settings_of_the_edge(basic, scene):
    picture = basic.picture(scene, "scene")
    mask = as_mask(cv2.GaussianBlur(disks((150, 150, 80)), (0, 0), 8))

    def area(**settings) -> float:
        answer = basic.run(Refine("1", picture=picture, mask=mask, recipe="guided", **settings))
        return float(plane(answer.instances[0].mask, scene).sum())

    plain = area()
    assert area(shift_edge=0.8) > plain > area(shift_edge=-0.8)
    hard = basic.run(Refine("2", picture=picture, mask=mask, recipe="guided", contrast=1.0))
    assert set(np.unique(plane(hard.instances[0].mask, scene))) == {0.0, 1.0}
    assert area(smooth=5) == pytest.approx(plain, rel=0.02)


@pytest.mark.parametrize(
    "fields",
    [
        {"outline": -1.0},
        {"outline_colour": "white"},
        {"background": "#12345"},
        {"colours": "nice"},
        {"edges": "sharp"},
        {"paint_out": "red"},
        {"pick": "0"},
        {"contrast": 2.0},
        {"shift_edge": -3.0},
        {"smooth": float("nan")},
        {"edge_width": -1.0},
        {"models": {"refiner": "u2netp", "painter": "x"}},
    ],
)
def test_wrong_settings_are_typed_errors(basic, scene, fields):
    with pytest.raises(errors.BadInput):
        basic.run(Cutout("1", picture=basic.picture(scene, "scene"), mask=as_mask(disks((150, 150, 80))), **fields))


def test_an_empty_mask_is_an_empty_prompt(basic, scene):
    with pytest.raises(errors.EmptyPrompt):
        basic.run(Cutout("1", picture=basic.picture(scene, "scene"), mask=as_mask(disks())))


def test_a_selection_of_which_nothing_is_left_says_why(basic):
    picture = basic.picture(np.random.default_rng(3).integers(0, 255, (120, 160, 3), np.uint8), "noise")
    dot = np.zeros((120, 160), np.uint8)
    dot[60, 80] = 255
    gone = basic.run(Refine("1", picture=picture, mask=as_mask(dot), recipe="guided"))
    assert gone.reason == "empty_after_post_processing"
    assert "so small" in gone.message
    disk = np.zeros((120, 160), np.uint8)
    cv2.circle(disk, (80, 60), 20, 255, -1)
    shrunk = Refine("2", picture=picture, mask=as_mask(disk), recipe="guided", post=PostProcess(grow=-60))
    assert "settings" in basic.run(shrunk).message


def test_ready_for_inpainting(basic, scene):
    large = cv2.resize(scene, None, fx=4, fy=4)
    picture = basic.picture(large, "large", 500)  # a proxy is enough
    selection = cv2.resize(disks((150, 150, 40)), None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    answer = basic.run(Refine("1", picture=picture, mask=as_mask(selection), recipe="inpaint"))
    mask, context = answer.instances[0].mask, answer.context
    drawn = plane(mask, large)
    assert (drawn[selection > 0] > 0.95).all()
    assert drawn.sum() > 1.05 * (selection / 255).sum()
    assert ((drawn > 0.05) & (drawn < 0.95)).sum() > 3000
    assert context.width >= max(512, 1.9 * mask.box.width)
    assert context.width % 8 == 0
    assert 0 <= context.x <= mask.box.x
    assert context.x + context.width <= 2000
    chosen = PostProcess(grow=20, feather=2)
    exact = basic.run(Refine("2", picture=picture, mask=as_mask(selection), recipe="inpaint", post=chosen, context=0.1))
    grown = plane(exact.instances[0].mask, large)
    assert np.sqrt((grown > 0.5).sum() / np.pi) == pytest.approx(180, abs=2)
    assert exact.context.width == 512
    assert not basic.run(
        Refine("3", picture=basic.picture(scene, "scene"), mask=as_mask(disks((150, 150, 80))))
    ).context


def test_a_very_long_edge_is_solved_for_a_smaller_picture_unless_asked_for(refining, monkeypatch):
    monkeypatch.setattr(edge, "LONG_EQUATIONS", 500)
    looked: list[int] = []
    matte = closed_form.ColourMatting.matte

    def watched(self: Any, image: np.ndarray, trimap: np.ndarray | None = None) -> np.ndarray:
        looked.append(image.shape[0])
        return matte(self, image, trimap)

    monkeypatch.setattr(closed_form.ColourMatting, "matte", watched)
    small = np.random.default_rng(4).integers(90, 110, (240, 240, 3)).astype(np.uint8)
    cv2.circle(small, (120, 120), 80, (200, 60, 50), -1)
    selection = np.zeros((240, 240), np.uint8)
    cv2.circle(selection, (120, 120), 78, 255, -1)
    picture = refining.picture(small, "long")
    quick = refining.run(Refine("1", picture=picture, mask=as_mask(selection), edge_width=16))
    assert quick.edge_method == "trimap"
    assert max(looked) < 120
    looked.clear()
    asked = refining.run(Refine("2", picture=picture, mask=as_mask(selection), edge_width=16, recipe="trimap"))
    assert asked.edge_method == "trimap"
    assert max(looked) > 150
    one, other = (plane(answer.instances[0].mask, small) for answer in (quick, asked))
    assert iou(one > 0.5, small[..., 0] > 150) > 0.97
    assert np.abs(one - other).mean() < 0.02

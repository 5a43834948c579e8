"""The pieces of segmenter + matting: neighbours, loose parts, what is painted over, which crop is looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from maskwright.masks.boxes import PixelBox
from maskwright.masks.opencv import cv2
from maskwright.recipes.cutting.object_matte import attached, painted, region, without_neighbours
from maskwright_protocol.errors import MorePixelsNeeded
from maskwright_protocol.messages import Cutout, Mask, PixelRect, Point, PostProcess, Raster, Rect, Refine


def disk(x: int, y: int, radius: int) -> np.ndarray:
    out = np.zeros((120, 200), np.float32)
    cv2.circle(out, (x, y), radius, 1.0, -1)
    return out


def test_neighbours_take_their_sure_parts_back() -> None:
    alpha = cv2.GaussianBlur(disk(70, 60, 40), (0, 0), 4)
    other = (disk(120, 60, 30)[20:100, 80:160] * 255).astype(np.uint8)
    box = PixelBox(1000, -50, 200, 120)
    kept = without_neighbours(alpha.copy(), box, [(other, PixelBox(1080, -30, 80, 80))])
    claimed = disk(120, 60, 30) > 0
    assert not kept[claimed].any()
    assert np.array_equal(kept[~claimed], alpha[~claimed])
    far = without_neighbours(alpha.copy(), box, [(other, PixelBox(5000, 5000, 80, 80))])
    assert np.array_equal(far, alpha)


def test_only_what_touches_the_object_is_kept() -> None:
    alpha = np.maximum(disk(60, 60, 30), disk(150, 60, 20) * np.float32(0.8))
    assert not attached(alpha, disk(60, 60, 25))[:, 120:].any()
    assert np.array_equal(attached(alpha, np.maximum(disk(60, 60, 25), disk(150, 60, 15))), alpha)
    unsure = disk(60, 60, 25) * np.float32(0.6)
    assert attached(alpha, unsure) is alpha


def test_painting_over_leaves_the_object_and_hides_the_rest() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 80, (120, 200, 3)).astype(np.uint8)
    mask = disk(100, 60, 30)
    image[mask > 0] = (250, 200, 150)
    for how in ("green", "mean", "blur"):
        shown = painted(image, mask, 6, how)
        near = disk(100, 60, 33) > 0
        assert np.array_equal(shown[near], image[near])
        rest = shown[disk(100, 60, 40) == 0].astype(float)
        if how == "green":
            assert (rest == (0, 255, 0)).all()
        else:
            assert rest.std() < 0.4 * image[disk(100, 60, 40) == 0].std()
            assert rest.max() < 90  # nothing of the bright object
    assert painted(image, np.ones((120, 200), np.float32), 6, "green") is image


def test_the_crop_is_a_quarter_larger_and_inside_the_picture() -> None:
    canvas = PixelBox(0, 0, 4000, 3000)
    assert region(PixelBox(1000, 1000, 1600, 800), canvas, False, 10) == PixelBox(800, 900, 2000, 1000)
    assert region(PixelBox(1000, 1000, 80, 80), canvas, False, 10) == PixelBox(936, 936, 208, 208)
    assert region(PixelBox(5, 5, 80, 80), canvas, False, 10) == PixelBox(0, 0, 149, 149)
    wide = region(PixelBox(1000, 1000, 80, 80), canvas, True, 100)
    assert wide.contains(PixelBox(700, 700, 680, 680))


@pytest.mark.parametrize(
    "request_",
    [
        Cutout("1", edges="matte", hair=True),
        Cutout("2", edges="matte", points=[Point(300, 300)], outline=9.0, post=PostProcess(grow=30, feather=5)),
        Cutout("3", edges="matte", boxes=[Rect(125, 125, 350, 350), Rect(625, 175, 250, 250)], edge_width=200.0),
        Cutout("4", edges="matte", post=PostProcess(invert=True)),
        Refine("5", recipe="guided", hair=True, mask=Mask(PixelRect(150, 150, 300, 300), data=b"\xff" * 90_000)),
    ],
)
def test_full_resolution_is_asked_for_once(basic, request_: Any) -> None:
    # A client that knows only a proxy sends the one crop that it is asked for, in place of earlier ones.
    rng = np.random.default_rng(2)
    image = np.clip(rng.normal(160, 5, (600, 1000, 3)), 0, 255).astype(np.uint8)
    cv2.circle(image, (300, 300), 160, (200, 40, 40), -1)
    cv2.circle(image, (750, 300), 110, (40, 50, 190), -1)
    picture = basic.picture(image, "wide", 500)
    with pytest.raises(MorePixelsNeeded) as needed:
        basic.run(replace(request_, picture=picture))
    x, y, width, height = needed.value.details["box"]
    basic.rasters["part"] = memoryview(image[y : y + height, x : x + width].tobytes())
    picture.rasters.append(Raster("part", width, height, "RGB8", PixelRect(x, y, width, height)))
    assert not basic.run(replace(request_, picture=picture)).reason

"""Empty and transparent layers, from every kind of job."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from maskwright.masks.opencv import cv2
from maskwright_protocol.errors import BadInput
from maskwright_protocol.messages import (
    Cutout,
    Detect,
    Everything,
    Job,
    Mask,
    Parse,
    Picture,
    PixelRect,
    Point,
    Prefetch,
    Raster,
    Refine,
    Select,
    Similar,
)  # fmt: skip
from tests.server.recipes.conftest import Desk, iou, plane
from tests.shared_data import needs_models

WIDTH, HEIGHT = 240, 180
BOX = PixelRect(0, 0, WIDTH, HEIGHT)
SOME = Mask(PixelRect(40, 40, 60, 60), data=bytes([255]) * 3600)


def layered(desk: Desk, array: np.ndarray, key: str) -> Picture:
    desk.rasters[key] = memoryview(np.ascontiguousarray(array).tobytes())
    return Picture(BOX, [Raster(key, WIDTH, HEIGHT, "RGBA8", BOX)])


@pytest.mark.parametrize(
    "job",
    [
        lambda picture: Select("1", picture=picture, text="dog"),
        lambda picture: Select("1", picture=picture, points=[Point(50, 50, True)]),
        lambda picture: Detect("1", picture=picture, text="dog"),
        lambda picture: Cutout("1", picture=picture),
        lambda picture: Parse("1", picture=picture, parts=["hair"]),
        lambda picture: Refine("1", picture=picture, mask=SOME),
        lambda picture: Everything("1", picture=picture),
        lambda picture: Similar("1", picture=picture, mask=SOME),
    ],
)
@pytest.mark.parametrize("hidden", [0, 128, 255])
def test_every_job_says_that_a_layer_is_empty(desk: Desk, job: Callable[[Picture], Job], hidden: int) -> None:
    empty = np.full((HEIGHT, WIDTH, 4), hidden, np.uint8)
    empty[..., 3] = 0
    with pytest.raises(BadInput, match="layer is empty"):
        desk.run(job(layered(desk, empty, f"empty-{hidden}")))


@needs_models
def test_looking_ahead_at_an_empty_layer_does_no_harm(desk: Desk) -> None:
    desk.run(Prefetch("1", picture=layered(desk, np.zeros((HEIGHT, WIDTH, 4), np.uint8), "empty")))


@needs_models
@pytest.mark.parametrize("grey", [0, 60, 110, 128, 140, 200, 255])
@pytest.mark.parametrize("shape", ["disk", "box", "star"])
def test_a_grey_thing_on_an_empty_layer_is_a_thing(desk: Desk, grey: int, shape: str) -> None:
    coverage = np.zeros((HEIGHT, WIDTH), np.uint8)
    if shape == "disk":
        cv2.circle(coverage, (120, 90), 55, 255, -1, cv2.LINE_AA)
    elif shape == "box":
        cv2.rectangle(coverage, (70, 40), (170, 140), 255, -1)
    else:
        turns = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        radii = np.where(np.arange(10) % 2, 40, 80)
        points = np.stack([120 + radii * np.sin(turns), 90 - radii * np.cos(turns)], axis=1)
        cv2.fillPoly(coverage, [points.astype(np.int32)], 255, cv2.LINE_AA)
    array = np.dstack([np.full((HEIGHT, WIDTH, 3), grey, np.uint8), coverage])
    array[coverage == 0] = 0
    picture = layered(desk, array, f"{shape}-{grey}")
    answer = desk.run(Select("1", picture=picture, points=[Point(120, 90, True)], merge=True))
    assert iou(plane(answer.merged, array[..., :3]), coverage > 127) > 0.9

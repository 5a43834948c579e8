"""Rasters and jobs that cannot be, though each of their fields is fine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maskwright.gateway.validate import check_job, check_raster
from maskwright_protocol.errors import BadInput, MaskwrightError, TooLarge
from maskwright_protocol.messages import Mask, Picture, PixelRect, Raster, Refine

BOX = PixelRect(0, 0, 1, 1)
RASTER = Raster("k", 1, 1, "RGB8", BOX)
JOB = Refine("j", Picture(BOX, [RASTER]), mask=Mask(BOX, data=b"x"))
MOST = 10_000  # pixels


@pytest.mark.parametrize(
    ("raster", "error"),
    [
        (Raster("k", 0, 1, "RGB8", BOX), BadInput),
        (Raster("k", 1, -1, "RGB8", BOX), BadInput),
        (Raster("k", 101, 100, "RGB8", BOX), TooLarge),
    ],
)
def test_rasters_that_cannot_be(raster: Raster, error: type[MaskwrightError]) -> None:
    with pytest.raises(error):
        check_raster(raster, MOST)
    with pytest.raises(error):
        check_job(replace(JOB, picture=Picture(BOX, [RASTER, raster])), MOST)


def test_the_largest_raster() -> None:
    check_raster(Raster("k", 100, 100, "GRAYA32F", BOX, "linear"), MOST)


def test_a_good_job() -> None:
    check_job(JOB, MOST)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": ""}, "no id"),
        ({"picture": None}, "no image"),
        ({"picture": Picture(BOX, [])}, "no image"),
        ({"picture": Picture(PixelRect(0, 0, 0, 8), [RASTER])}, "The image is empty"),
        ({"picture": Picture(BOX, [replace(RASTER, box=PixelRect(0, 0, 8, -1))])}, "A part of the image is empty"),
        ({"mask": Mask(BOX, data=b"xy")}, "2 bytes where its box needs 1"),
        ({"mask": Mask(BOX)}, "0 bytes"),
        ({"mask": Mask(PixelRect(0, 0, -1, -1), data=b"x")}, "negative"),
        ({"mask": Mask(BOX, depth=12, data=b"xx")}, "8 or 16"),
    ],
)
def test_jobs_that_cannot_be(changes: dict[str, object], text: str) -> None:
    with pytest.raises(BadInput, match=text):
        check_job(replace(JOB, **changes), MOST)


def test_a_mask_beyond_the_limit() -> None:
    with pytest.raises(TooLarge):
        check_job(replace(JOB, mask=Mask(PixelRect(0, 0, 101, 100), encoding="zlib", data=b"")), MOST)


@pytest.mark.parametrize("box", [PixelRect(0, 0, 100_000, 100_000), PixelRect(-5, 0, 2_000_000_000, 1)])
def test_a_picture_of_no_size_that_a_mask_could_have(box: PixelRect) -> None:
    """The raster is small: only what it covers is large, and masks are made at that size."""
    for picture in (Picture(box, [RASTER]), Picture(BOX, [replace(RASTER, box=box)])):
        with pytest.raises(TooLarge):
            check_job(replace(JOB, picture=picture), MOST)

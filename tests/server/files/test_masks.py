"""Mask files of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from maskwright.files.masks import read_mask
from maskwright.files.result import mask_plane
from maskwright_protocol.errors import BadImage, BadInput
from maskwright_protocol.masks import place
from tests import shared_data
from tests.server.files import samples

HEIGHT, WIDTH = 40, 60
THING = np.zeros((HEIGHT, WIDTH), bool)
THING[5:25, 12:50] = True
THING[30, 3] = True


def plane_of(source: Path | bytes, notes: list[str] | None = None, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Any:
    mask = read_mask(source, *size, notes)
    assert place(mask, *size)
    plane = mask_plane(mask, *size)
    return plane / np.iinfo(plane.dtype).max


def grey(values: Any) -> bytes:
    return cv2.imencode(".png", values)[1].tobytes()


def palette(colours: list[tuple[int, int, int]], **more: Any) -> bytes:
    image = Image.fromarray(THING.astype(np.uint8), "P")
    image.putpalette([value for one in colours for value in one])
    return samples.buffer(image, "PNG", **more)


def with_alpha(dtype: Any) -> bytes:
    full = np.iinfo(dtype).max
    out = np.full((HEIGHT, WIDTH, 4), full, dtype)
    out[:, :, 3] = THING * full
    return cv2.imencode(".png", out)[1].tobytes()


def turned(orientation: int) -> bytes:
    stored = samples.stored_for(THING[:, :, None] * np.uint8(255), orientation)
    return samples.png(stored, 8, (b"eXIf", samples.exif(orientation)))


PLAIN: dict[str, Any] = {
    "white of 8 bits": lambda: grey(THING * np.uint8(255)),
    "white of 16 bits": lambda: grey(THING * np.uint16(65535)),
    "one bit": lambda: samples.buffer(Image.fromarray(THING), "PNG"),
    "one bit tiff": lambda: samples.buffer(Image.fromarray(THING), "TIFF", compression="group4"),
    "colour": lambda: grey(np.repeat(THING[:, :, None], 3, 2) * np.uint8(255)),
    "alpha of 8 bits": lambda: with_alpha(np.uint8),
    "alpha of 16 bits": lambda: with_alpha(np.uint16),
    "grey palette": lambda: palette([(0, 0, 0), (255, 255, 255)]),
    "floats": lambda: samples.buffer(Image.fromarray(THING.astype(np.float32)), "TIFF"),
    "floats to 255": lambda: samples.buffer(Image.fromarray(THING * np.float32(255)), "TIFF"),
    "white is zero": lambda: samples.png(THING[:, :, None] * 255, 8, samples.png_profile(samples.linear_grey())),
    **{f"orientation {n}": lambda n=n: turned(n) for n in range(1, 9)},
}


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_masks_are_taken_as_they_are(kind: str) -> None:
    notes: list[str] = []
    assert np.array_equal(plane_of(PLAIN[kind](), notes), THING)
    assert notes == []


NOTED: dict[str, tuple[Any, str]] = {
    "0 and 1 of 8 bits": (lambda: grey(THING.astype(np.uint8)), "0 and 1"),
    "0 and 1 of 16 bits": (lambda: grey(THING.astype(np.uint16)), "0 and 1"),
    "red on black palette": (lambda: palette([(0, 0, 0), (128, 0, 0)]), "not black"),
    "palette with a transparent ground": (lambda: palette([(9, 200, 9), (0, 0, 128)], transparency=0), "not black"),
}


@pytest.mark.parametrize("kind", NOTED)
def test_what_is_understood_otherwise_is_said(kind: str) -> None:
    write, word = NOTED[kind]
    notes: list[str] = []
    assert np.array_equal(plane_of(write(), notes), THING)
    assert len(notes) == 1
    assert word in notes[0]


def test_coverage_has_no_profile() -> None:
    """The same numbers, whatever the file says of their brightness."""
    values = np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))[:, :, None]
    data = samples.png(values, 8, samples.png_profile(samples.linear_grey()))
    assert np.array_equal(plane_of(data) * 255, values[:, :, 0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("width", "height"), [(30, 20), (120, 80), (31, 20), (59, 40), (600, 401)])
def test_a_mask_of_the_same_shape_is_scaled(width: int, height: int, dtype: Any) -> None:
    full = np.iinfo(dtype).max
    notes: list[str] = []
    small = cv2.resize(THING * np.uint8(255), (width, height), interpolation=cv2.INTER_AREA).astype(dtype)
    found = plane_of(grey(small * (full // 255)), notes)
    assert ((found > 0.5) != THING).mean() < 0.02
    assert notes == ["The mask was scaled to the picture's 60x40 pixels."]


@pytest.mark.parametrize(
    ("width", "height", "word"),
    [(60, 60, "another shape"), (40, 60, "on its side"), (30, 30, "another"), (64, 40, "60x40")],
)
def test_a_mask_of_another_shape_is_refused_with_the_reason(width: int, height: int, word: str) -> None:
    with pytest.raises(BadInput, match=word) as refused:
        read_mask(grey(np.full((height, width), 255, np.uint8)), WIDTH, HEIGHT)
    assert f"{width}x{height}" in refused.value.message
    assert refused.value.hint


def test_what_is_no_mask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="empty"):
        read_mask(grey(np.zeros((HEIGHT, WIDTH), np.uint8)), WIDTH, HEIGHT)
    with pytest.raises(BadImage, match="it is text"):
        read_mask(b"no mask at all", WIDTH, HEIGHT)
    notes: list[str] = []
    assert plane_of(grey(THING * np.uint8(3)), notes).max() == pytest.approx(3 / 255)
    assert "highest value is 3 of 255" in notes[0]
    tifffile.imwrite(tmp_path / "m.tif", THING.astype(np.float32) * np.nan)
    with pytest.raises(BadInput, match="empty"):
        read_mask(tmp_path / "m.tif", WIDTH, HEIGHT)


FIELD = shared_data.SHARED / "field"


@pytest.mark.skipif(not FIELD.is_dir(), reason="needs ../shared/field")
def test_the_mask_that_people_sent() -> None:
    notes: list[str] = []
    mask = read_mask(FIELD / "mask_0_1.png", 200, 129, notes)
    assert notes == ["The mask has values of 0 and 1: 1 is taken as wholly selected."]
    assert set(np.unique(mask_plane(mask, 200, 129))) == {0, 255}

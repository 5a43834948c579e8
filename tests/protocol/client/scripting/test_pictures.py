"""What a script may hand over as a picture or a mask, over many kinds."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from maskwright_client.ask import PROXY_SIDE
from maskwright_client.scripting import pictures
from maskwright_client.scripting.pictures import ArraySource
from maskwright_protocol.errors import BadImage, BadInput
from maskwright_protocol.masks import place

RAMP = np.arange(8 * 6 * 4, dtype=np.uint8).reshape(8, 6, 4)
PLANE = np.zeros((8, 6), np.uint8)
PLANE[2:5, 1:4] = 255


@pytest.mark.parametrize(
    ("array", "form"),
    [
        (RAMP[..., 0], "GRAY8"),
        (RAMP[..., :1], "GRAY8"),
        (RAMP[..., :2], "GRAYA8"),
        (RAMP[..., :3], "RGB8"),
        (RAMP, "RGBA8"),
        (RAMP[..., :3].astype(np.uint16) * 257, "RGB16"),
        (RAMP[..., :3].astype(">u2"), "RGB16"),
        (RAMP[..., :3].astype(np.float16) / 255, "RGB16F"),
        (RAMP[..., :3].astype(np.float32) / 255, "RGB32F"),
        (RAMP[..., :3].astype(np.float64) / 255, "RGB32F"),
        (RAMP[..., 0] > 7, "GRAY8"),
        (RAMP[::-1, ::2, :3], "RGB8"),
        (RAMP[..., :3].tolist(), None),
        (RAMP.astype(np.int32), None),
        (RAMP.transpose(2, 0, 1)[:3], None),
        (np.zeros((0, 4, 3), np.uint8), None),
        (np.zeros((2, 4, 4, 3), np.uint8), None),
    ],
)
def test_arrays(array: Any, form: str | None) -> None:
    if form is None:
        with pytest.raises(BadInput):
            pictures.read(array)
        return
    source = pictures.read(array)
    raster = source.overview()
    assert raster.raster.format == form
    assert (source.width, source.height) == (np.shape(array)[1], np.shape(array)[0])
    expected = np.asarray(array)
    expected = expected.astype(np.uint8) * 255 if expected.dtype == bool else expected
    assert bytes(raster.data) == expected.astype(source.pixels.dtype).tobytes()


def test_floats_above_one_are_told() -> None:
    assert pictures.read(np.full((2, 2), 2.0)).notes
    assert not pictures.read(np.full((2, 2), 1.0)).notes


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "I;16", "I", "F"])
def test_pillow_images(mode: str) -> None:
    colour = Image.new("RGB", (5, 4), (200, 100, 50))
    if mode in ("I;16", "I", "F"):
        values: Any = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        image = Image.fromarray(np.full((4, 5), 0.5 if mode == "F" else 30000, values))
        assert image.mode == mode
    else:
        image = colour.convert(mode)
    source = pictures.read(image)
    assert (source.width, source.height) == (5, 4)
    if mode in ("P", "RGB", "RGBA", "RGBX", "YCbCr", "HSV"):
        assert np.abs(source.pixels[0, 0, :3].astype(int) - (200, 100, 50)).max() <= 4
    if mode in ("I;16", "I"):
        assert source.pixels.dtype == np.uint16
        assert source.pixels[0, 0, 0] == 30000


def test_transparent_palettes_keep_their_alpha() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    image.info["transparency"] = 1
    assert pictures.read(image).pixels[0, :, 3].tolist() == [255, 0]


def test_profiles_become_srgb() -> None:
    image = Image.new("RGB", (2, 2), (10, 200, 30))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.info["icc_profile"] = profile
    assert np.abs(pictures.read(image).pixels.astype(int) - (10, 200, 30)).max() <= 1
    image.info["icc_profile"] = b"no profile"
    assert pictures.read(image).pixels[0, 0].tolist() == [10, 200, 30]


def test_overview_is_the_mean_of_what_it_shows() -> None:
    rng = np.random.default_rng(1)
    kinds: tuple[Any, ...] = (np.uint8, np.uint16, np.float32)
    for kind in kinds:
        top = 1.0 if kind is np.float32 else np.iinfo(kind).max
        pixels = (rng.random((500, 2500, 3)) * top).astype(kind)
        small = pictures.scaled(pixels, (PROXY_SIDE, 205))
        assert small.shape == (205, PROXY_SIDE, 3)
        assert small.dtype == kind
        assert abs(float(small.mean()) - float(pixels.mean())) < 0.01 * top
        source = ArraySource(pixels)
        assert source.overview().raster.width == PROXY_SIDE


# ---------------------------------------------------------------- files


@pytest.fixture
def own_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the client is alone, without a package that offers to read files."""
    monkeypatch.setattr(pictures, "_installed_reader", lambda: None)


@pytest.mark.usefixtures("own_reader")
def test_files_stand_upright(tmp_path: Path) -> None:
    image = Image.fromarray(np.ascontiguousarray(RAMP[..., :3]))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    for given in (tmp_path / "turned.png", str(tmp_path / "turned.png"), (tmp_path / "turned.png").read_bytes()):
        assert np.array_equal(pictures.read(given).pixels, np.rot90(RAMP[..., :3], -1))
    assert pictures.read(str(tmp_path / "turned.png")).path == str(tmp_path / "turned.png")


@pytest.mark.usefixtures("own_reader")
@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_files_that_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    for given in (tmp_path / "a.png", content):
        with pytest.raises(BadImage):
            pictures.read(given)
    with pytest.raises(BadImage, match="There is no file"):
        pictures.read(tmp_path / "absent.png")


def test_a_reader_of_ones_own(tmp_path: Path) -> None:
    asked: list[Any] = []

    def read(content: Any) -> Any:
        asked.append(content)
        return RAMP[..., :3]

    assert np.array_equal(pictures.read(tmp_path / "a.exr", read).pixels, RAMP[..., :3])
    assert asked == [tmp_path / "a.exr"]
    assert np.array_equal(pictures.read(b"bytes", read).pixels, RAMP[..., :3])


def test_the_installed_package_reads_files(tmp_path: Path) -> None:
    """Maskwright's server offers its reader, which knows more kinds of files than Pillow: 16 bits of colour here."""
    import cv2

    deep = RAMP[..., :3].astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), deep[..., ::-1])
    source = pictures.read(tmp_path / "deep.png")
    assert source.pixels.dtype == np.uint16
    assert np.array_equal(source.pixels, deep)
    assert np.array_equal(pictures.read((tmp_path / "deep.png").read_bytes()).pixels, deep)


# ---------------------------------------------------------------- masks


def as_png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def palette() -> Image.Image:
    image = Image.fromarray((PLANE > 0).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    return image


def with_alpha() -> Image.Image:
    image = Image.new("RGBA", (6, 8), (90, 20, 20, 0))
    image.putalpha(Image.fromarray(PLANE))
    return image


class Answer:
    mask = PLANE


@pytest.mark.parametrize(
    "given",
    [
        PLANE,
        PLANE > 0,
        (PLANE > 0).astype(np.uint8),
        (PLANE > 0).astype(np.int64),
        PLANE.astype(np.int32),
        PLANE.astype(np.uint16) * 257,
        PLANE / 255,
        (PLANE / 255).astype(np.float32),
        PLANE[..., None],
        np.repeat(PLANE[..., None], 3, axis=-1),
        Image.fromarray(PLANE),
        Image.fromarray(PLANE).convert("1"),
        palette(),
        with_alpha(),
        as_png(Image.fromarray(PLANE)),
        as_png(Image.fromarray((PLANE > 0).astype(np.uint8))),
        as_png(palette()),
        as_png(with_alpha()),
        Answer(),
    ],
)
def test_masks_of_every_kind_mean_the_same(given: Any) -> None:
    source = pictures.read(RAMP)
    found = pictures.mask(given, source)
    assert (found.box.x, found.box.y, found.box.width, found.box.height) == (1, 2, 3, 3)
    plane = np.frombuffer(place(found, 6, 8), np.uint8 if found.depth == 8 else "<u2").reshape(8, 6)
    assert np.array_equal(plane // (257 if found.depth == 16 else 1), PLANE)


def test_soft_masks_stay_soft() -> None:
    soft = np.linspace(0, 1, 48).reshape(8, 6)
    found = pictures.mask(soft, pictures.read(RAMP))
    plane = np.frombuffer(place(found, 6, 8), "<u2").reshape(8, 6)
    np.testing.assert_allclose(plane / 65535, soft, atol=1e-5)


@pytest.mark.parametrize("given", [np.zeros((8, 6)), np.ones((6, 8)), np.ones((8, 6, 5)), "mask.png"])
def test_masks_that_cannot_be_used(given: Any) -> None:
    with pytest.raises((BadInput, BadImage)) as caught:
        pictures.mask(given, pictures.read(RAMP))
    assert caught.value.hint

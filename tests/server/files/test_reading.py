from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from maskwright.files.masks import read_mask
from maskwright.files.reading import FileSource, read_picture
from maskwright.files.writing import write_png
from maskwright_protocol.errors import BadImage, BadInput
from maskwright_protocol.masks import unpack
from maskwright_protocol.messages import PixelRect


@pytest.fixture
def gradient() -> np.ndarray:
    y, x = np.mgrid[0:60, 0:90]
    return np.stack([x * 2, y * 4, (x + y)], axis=2).astype(np.uint8)


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_lossless_files_are_read_exactly(tmp_path: Path, gradient: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(gradient).save(path, lossless=True)
    assert np.array_equal(read_picture(path).pixels, gradient)


def test_jpeg_is_read_nearly_exactly(tmp_path: Path, gradient: np.ndarray) -> None:
    Image.fromarray(gradient).save(tmp_path / "a.jpg", quality=98)
    assert np.abs(read_picture(tmp_path / "a.jpg").pixels.astype(int) - gradient).mean() < 3


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_survive(tmp_path: Path, suffix: str, channels: int) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (20, 30, channels), np.uint16)
    bgr = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    stored = deep[:, :, bgr]
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), np.ascontiguousarray(stored))
    found = read_picture(tmp_path / f"a.{suffix}").pixels
    assert found.dtype == np.uint16
    assert np.array_equal(found, deep)
    assert (
        FileSource(tmp_path / f"a.{suffix}").overview().raster.format
        == {1: "GRAY16", 3: "RGB16", 4: "RGBA16"}[channels]
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_honoured(tmp_path: Path, gradient: np.ndarray, orientation: int) -> None:
    # Pillow's own transposition is the reference.
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(gradient).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored))
    assert np.array_equal(read_picture(tmp_path / "a.png").pixels, expected)


def test_palettes_and_grey_with_transparency_become_rgba(tmp_path: Path, gradient: np.ndarray) -> None:
    Image.fromarray(gradient).quantize(16).save(tmp_path / "p.png", transparency=0)
    assert read_picture(tmp_path / "p.png").pixels.shape == (60, 90, 4)
    Image.fromarray(gradient[:, :, :2], "LA").save(tmp_path / "la.png")
    assert read_picture(tmp_path / "la.png").pixels.shape == (60, 90, 4)


def test_a_colour_profile_is_converted(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    grey = Image.new("RGB", (8, 8), (200, 40, 90))
    grey.save(tmp_path / "same.png", icc_profile=lab.tobytes())
    assert np.abs(read_picture(tmp_path / "same.png").pixels.astype(int) - np.array([200, 40, 90])).max() <= 1
    grey.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    assert np.abs(read_picture(tmp_path / "cmyk.jpg").pixels.astype(int) - np.array([200, 40, 90])).max() <= 6


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_broken_files_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(BadImage, match=r"broken\.png"):
        read_picture(tmp_path / "broken.png")
    with pytest.raises(BadImage, match="no file"):
        read_picture(tmp_path / "missing.png")
    with pytest.raises(BadImage, match="folder"):
        read_picture(tmp_path)


def test_a_truncated_file_is_named(tmp_path: Path, gradient: np.ndarray) -> None:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)).save(stream, "PNG")
    (tmp_path / "cut.png").write_bytes(stream.getvalue()[:5000])
    with pytest.raises(BadImage, match=r"cut\.png"):
        read_picture(tmp_path / "cut.png")


def test_the_overview_is_small_and_detail_is_exact(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (1500, 2300, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), pixels[:, :, ::-1])
    source = FileSource(tmp_path / "a.png")
    overview = source.overview()
    assert (overview.raster.width, overview.raster.height) == (1024, 668)
    assert overview is source.overview()
    detail = source.detail(PixelRect(2200, -5, 500, 25))
    assert detail.raster.box == PixelRect(2200, 0, 100, 20)
    assert bytes(detail.data) == pixels[0:20, 2200:2300].tobytes()


def test_a_masks_alpha_counts_when_it_has_one(tmp_path: Path) -> None:
    rgba = np.full((10, 10, 4), 255, np.uint8)
    rgba[:, :, 3] = 0
    rgba[2:5, 3:9, 3] = 128
    write_png(tmp_path / "m.png", rgba)
    mask = read_mask(tmp_path / "m.png", 10, 10)
    assert mask.box == PixelRect(3, 2, 6, 3)
    assert set(bytes(unpack(mask))) == {128}


def test_unusable_masks_are_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "m.png", np.zeros((10, 10), np.uint8))
    with pytest.raises(BadInput, match="empty"):
        read_mask(tmp_path / "m.png", 10, 10)
    write_png(tmp_path / "m.png", np.full((10, 10), 255, np.uint8))
    with pytest.raises(BadInput, match=r"10x10.*another shape"):
        read_mask(tmp_path / "m.png", 20, 10)

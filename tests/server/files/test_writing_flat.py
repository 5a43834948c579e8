"""PNG, WebP, TIFF, AVIF, JPEG XL and JPEG hold what was found: each is read by another library than wrote it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pillow_jxl  # noqa: F401  # Pillow reads JPEG XL with it
import pytest
import tifffile
from PIL import Image, ImageCms
from psd_tools import PSDImage
from psd_tools.constants import Resource

from maskwright.files import profiles
from maskwright.files.picture import Picture
from maskwright.files.reading import read_picture
from maskwright.files.result import Result
from maskwright.files.writing import WriteOptions, write
from maskwright_protocol.errors import BadInput

from .made_masks import masks

MASKS = masks()
HEIGHT, WIDTH = MASKS["disc"].shape
DPI = (300.0, 150.0)


def _by_pillow(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def _by_opencv(path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    assert pixels is not None
    order = {2: None, 3: cv2.COLOR_BGR2RGB}.get(pixels.ndim)
    order = cv2.COLOR_BGRA2RGBA if pixels.ndim == 3 and pixels.shape[2] == 4 else order
    return pixels if order is None else cv2.cvtColor(pixels, order)


def _by_imagecodecs(path: Path) -> np.ndarray:
    return imagecodecs.imread(path)


# Format and depth -> what reads it here; not the library that writes it.
LOSSLESS: dict[tuple[str, int], Callable[[Path], np.ndarray]] = {
    ("png", 8): _by_pillow,
    ("png", 16): _by_imagecodecs,
    ("webp", 8): _by_imagecodecs,
    ("tif", 8): _by_pillow,
    ("tiff", 16): _by_opencv,
    ("tif", 32): _by_opencv,
    ("jxl", 8): _by_pillow,
}


def _deep(values: np.ndarray, depth: int) -> np.ndarray:
    return {8: values, 16: values.astype(np.uint16) * 257, 32: values.astype(np.float32) / np.float32(255)}[depth]


def _photo(depth: int = 8, seed: int = 1) -> np.ndarray:
    """A smooth picture of all colours with some noise, ``(H, W, 3)``."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(seed).integers(0, 40, (HEIGHT, WIDTH))
    made = np.stack([x * 2.5, y * 3.5, 255 - (x + y)], axis=2).clip(0, 215) + noise[..., None]
    return made.astype(np.uint8) if depth == 8 else (made * 256 + noise[..., None]).astype(np.uint16)


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Camera", 1
    exif.get_ifd(0x8769)[0x829A] = (1, 125)
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 15.0)
    return exif.tobytes()


def _cutout(mask: np.ndarray, depth: int = 8, profile: bytes | None = None) -> Result:
    """As the server makes them: colours of the picture inside, clean ones in soft edges, nothing outside."""
    own = _photo(depth)
    seen = profiles.to_srgb(own, "rgb", profile)
    picture = Picture(
        seen, path=Path("p.tif"), icc_profile=profile, exif=_exif(), dpi=DPI, own=own if profile else None
    )  # fmt: skip
    alpha = _deep(mask, depth)
    colour = seen.copy()
    colour[(mask > 0) & (mask < 255)] = np.array([250, 20, 60]) * (257 if depth == 16 else 1)
    colour[mask == 0] = 0
    return Result(WIDTH, HEIGHT, mask=alpha, cutout=np.dstack([colour, alpha]), picture=picture)


@pytest.mark.parametrize(("suffix", "depth"), LOSSLESS)
@pytest.mark.parametrize("name", MASKS)
def test_masks_keep_every_value(tmp_path: Path, suffix: str, depth: int, name: str) -> None:
    path = tmp_path / f"m.{suffix}"
    assert write(Result(WIDTH, HEIGHT, mask=MASKS[name]), path, WriteOptions(depth=depth)) == [path]
    found = LOSSLESS[suffix, depth](path)
    found = found[..., 0] if found.ndim == 3 else found
    assert np.array_equal(found, _deep(MASKS[name], depth))
    if depth < 32:  # and as this program reads it
        assert np.array_equal(read_picture(path).pixels[:, :, 0], _deep(MASKS[name], depth))


@pytest.mark.parametrize(("suffix", "depth"), LOSSLESS)
@pytest.mark.parametrize("name", ["empty", "full", "soft", "one pixel", "noise"])
def test_cutouts_keep_the_picture_s_colours_inside_and_clean_ones_in_the_edge(
    tmp_path: Path, suffix: str, depth: int, name: str
) -> None:
    path = tmp_path / f"c.{suffix}"
    result = _cutout(MASKS[name])
    write(result, path, WriteOptions(depth=depth))
    found = LOSSLESS[suffix, depth](path)
    assert result.cutout is not None
    expected = _deep(result.cutout, depth)
    if found.shape[2] == 3:  # WebP does without an alpha that hides nothing
        assert name == "full"
        expected = expected[:, :, :3]
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (257, 1), (3, 5)])
@pytest.mark.parametrize(("suffix", "depth"), LOSSLESS)
def test_sizes(tmp_path: Path, suffix: str, depth: int, height: int, width: int) -> None:
    mask = np.random.default_rng(0).integers(0, 256, (height, width)).astype(np.uint8)
    write(Result(width, height, mask=mask), tmp_path / f"m.{suffix}", WriteOptions(depth=depth))
    found = LOSSLESS[suffix, depth](tmp_path / f"m.{suffix}").reshape(height, width, -1)
    assert np.array_equal(found[:, :, 0], _deep(mask, depth))


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "avif", "jpg", "psd"])
@pytest.mark.parametrize("kind", ["adobergb", "prophoto", "srgb"])
@pytest.mark.parametrize("depth", [8, 16])
def test_profile_resolution_and_exif_are_kept(tmp_path: Path, suffix: str, kind: str, depth: int) -> None:
    profile = _profile(kind)
    result = _cutout(MASKS["full"], depth, profile)
    path = tmp_path / f"c.{suffix}"
    write(result, path)
    if (suffix, depth) == ("psd", 16):  # Pillow reads those of 8 bits
        assert PSDImage.open(path).image_resources.get_data(Resource.ICC_PROFILE) == profile
        return
    with Image.open(path) as picture:
        assert picture.info.get("icc_profile") == profile
        if suffix in ("png", "tif", "jpg"):
            assert picture.info["dpi"] == pytest.approx(DPI, rel=1e-4)
        if suffix != "psd":
            exif = picture.getexif()
            assert exif.get(0x010F) == "Camera"
            assert exif.get(0x0112, 1) == 1
            assert exif.get_ifd(0x8769)[0x829A] in ((1, 125), 0.008)
            assert exif.get_ifd(0x8825)[2] == (48.0, 8.0, 15.0)


def test_jpeg_xl_is_srgb_and_keeps_exif(tmp_path: Path) -> None:
    result = _cutout(MASKS["full"], 16, _profile("adobergb"))
    write(result, tmp_path / "c.jxl")
    found = imagecodecs.imread(tmp_path / "c.jxl")
    assert result.cutout is not None
    assert np.array_equal(found, result.cutout)
    with Image.open(tmp_path / "c.jxl") as picture:
        assert picture.getexif().get_ifd(0x8769)[0x829A] in ((1, 125), 0.008)


@pytest.mark.parametrize("kind", ["adobergb", "prophoto"])
@pytest.mark.parametrize("depth", [8, 16])
def test_numbers_inside_are_the_file_s_own_and_edges_look_as_they_should(tmp_path: Path, kind: str, depth: int) -> None:
    mask, profile = MASKS["soft"], _profile(kind)
    result = _cutout(mask, depth, profile)
    path = tmp_path / "c.png"
    write(result, path)
    found = imagecodecs.imread(path)
    assert found.dtype == (np.uint16 if depth == 16 else np.uint8)
    assert np.array_equal(found[mask == 255][:, :3], _photo(depth)[mask == 255])
    assert not found[mask == 0].any()
    # Little CMS as Pillow has it is the judge of the edge's colours.
    eight = found if depth == 8 else (found // 257).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(eight[:, :, :3]))
    seen = ImageCms.profileToProfile(picture, _cms(profile), ImageCms.createProfile("sRGB"))
    assert seen is not None
    edge = (mask > 0) & (mask < 255)
    assert np.abs(np.asarray(seen)[edge].astype(int) - [250, 20, 60]).max() <= 4


def test_a_crop_takes_its_own_part_of_the_picture(tmp_path: Path) -> None:
    from maskwright_protocol.messages import PixelRect

    result = _cutout(MASKS["full"], 8, _profile("adobergb")).cropped(PixelRect(11, 7, 30, 20))
    write(result, tmp_path / "c.png")
    assert np.array_equal(_by_pillow(tmp_path / "c.png")[:, :, :3], _photo()[7:27, 11:41])


@pytest.mark.parametrize(("suffix", "most"), [("avif", 6), ("webp", 0), ("jxl", 0)])
@pytest.mark.parametrize("name", ["soft", "noise", "hair"])
def test_alpha_loses_nothing_without_a_quality(tmp_path: Path, suffix: str, most: int, name: str) -> None:
    result = _cutout(MASKS[name])
    write(result, tmp_path / f"c.{suffix}")
    found = imagecodecs.imread(tmp_path / f"c.{suffix}")
    assert result.cutout is not None
    assert np.array_equal(found[:, :, 3], MASKS[name])
    visible = MASKS[name] > 0
    assert np.abs(found[visible].astype(int) - result.cutout[visible]).max() <= most


@pytest.mark.parametrize("suffix", ["webp", "avif", "jxl", "jpg"])
def test_quality_makes_files_smaller(tmp_path: Path, suffix: str) -> None:
    result, sizes = _cutout(MASKS["soft"]), []
    for quality in (95, 70, 20):
        options = WriteOptions(quality=quality, background="#ffffff" if suffix == "jpg" else "")
        (path,) = write(result, tmp_path / f"{quality}.{suffix}", options)
        sizes.append(path.stat().st_size)
        found = read_picture(path).pixels[:, :, :3].astype(int)
        inside = MASKS["soft"] == 255
        assert np.abs(found[inside] - _photo()[inside]).mean() < 30
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3


@pytest.mark.parametrize("suffix", ["jpg", "png", "psd", "ora"])
def test_a_background_is_put_behind(tmp_path: Path, suffix: str) -> None:
    result = _cutout(MASKS["soft"])
    write(result, tmp_path / f"c.{suffix}", WriteOptions(background="#0040ff"))
    found = read_picture(tmp_path / f"c.{suffix}").pixels
    assert found.shape[2] == 3 or (found[:, :, 3] == 255).all()
    alpha = MASKS["soft"][..., None] / 255
    assert result.cutout is not None
    expected = result.cutout[:, :, :3] * alpha + np.array([0, 64, 255]) * (1 - alpha)
    away = np.abs(found[:, :, :3] - expected)
    assert away.max() <= (60 if suffix == "jpg" else 1.01)
    assert away.mean() <= 3


def test_jpeg_of_something_transparent_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no transparency") as told:
        write(_cutout(MASKS["disc"]), tmp_path / "c.jpg")
    assert "--background" in told.value.hint
    assert not (tmp_path / "c.jpg").exists()
    write(_cutout(MASKS["full"]), tmp_path / "full.jpg")  # nothing of it is
    write(Result(WIDTH, HEIGHT, mask=MASKS["disc"]), tmp_path / "mask.jpg")
    assert np.abs(_by_opencv(tmp_path / "mask.jpg").astype(int) - MASKS["disc"]).mean() < 2


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("png", WriteOptions(depth=32)),
        ("webp", WriteOptions(depth=16)),
        ("png", WriteOptions(depth=12)),
        ("png", WriteOptions(quality=80)),
        ("webp", WriteOptions(quality=0)),
        ("webp", WriteOptions(quality=101)),
        ("jpg", WriteOptions(background="blue")),
        ("psd", WriteOptions(depth=32)),
        ("svg", WriteOptions(quality=50)),
    ],
)
def test_options_that_make_no_sense_are_told(tmp_path: Path, suffix: str, options: WriteOptions) -> None:
    with pytest.raises(BadInput) as told:
        write(_cutout(MASKS["disc"]), tmp_path / f"c.{suffix}", options)
    assert told.value.message.endswith(".")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "side"), [("webp", 16_384), ("jpg", 65_536), ("psd", 30_001)])
def test_what_is_too_long_for_a_format_is_told(tmp_path: Path, suffix: str, side: int) -> None:
    result = Result(side, 1, mask=np.full((1, side), 255, np.uint8))
    with pytest.raises(BadInput, match="at most"):
        write(result, tmp_path / f"m.{suffix}")


def test_large_tiff_files_are_read_by_strips(tmp_path: Path) -> None:
    mask = np.zeros((1200, 1000), np.uint8)
    write(Result(1000, 1200, mask=mask), tmp_path / "m.tif")
    with tifffile.TiffFile(tmp_path / "m.tif") as file:
        assert len(file.pages[0].dataoffsets) > 1  # type: ignore[union-attr]


def _profile(kind: str) -> bytes:
    if kind == "prophoto":
        corners: Any = [0.7347, 0.2653, 1.0, 0.1596, 0.8404, 1.0, 0.0366, 0.0001, 1.0]
        return imagecodecs.cms_profile("rgb", whitepoint=[0.3457, 0.3585, 1.0], primaries=corners, gamma=1.8)
    return imagecodecs.cms_profile(kind)


def _cms(profile: bytes) -> Any:
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))

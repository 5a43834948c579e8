"""Colour profiles at every depth, against what the profiles are by definition."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from maskwright.files import profiles
from maskwright.files.reading import read_picture
from tests.server.files import samples
from tests.server.files.samples import as_depth, fraction
from tests.server.files.test_formats import ALPHA, GREY, INKS, RGB, RGBA

WIDE = samples.wide_gamut()
WANTED = samples.wide_gamut_to_srgb(RGB)


def wide_png(tmp_path: Path, values: Any, bits: int) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(samples.png(np.round(values * ((1 << bits) - 1)), bits, samples.png_profile(WIDE)))
    return path


def wide_tiff(tmp_path: Path, values: Any, dtype: Any) -> Path:
    return samples.openimageio(tmp_path / "a.tif", as_depth(values, dtype), WIDE, oiio__UnassociatedAlpha=1)


def wide_pillow(kind: str, suffix: str, **more: Any) -> Any:
    def write(tmp_path: Path, values: Any, _: Any) -> Path:
        path = tmp_path / f"a.{suffix}"
        image = Image.fromarray(as_depth(values, np.uint8))
        path.write_bytes(samples.buffer(image, kind, icc_profile=WIDE, **more))
        return path

    return write


def wide_heic(tmp_path: Path, values: Any, _: Any) -> Path:
    import pillow_heif

    image = Image.fromarray(as_depth(values, np.uint8))
    image.info["icc_profile"] = WIDE
    pillow_heif.from_pillow(image).save(tmp_path / "a.heic", quality=100, chroma=444)
    return tmp_path / "a.heic"


def wide_jpeg_xl(tmp_path: Path, values: Any, dtype: Any) -> Path:
    return samples.openimageio(tmp_path / "a.jxl", as_depth(values, dtype), WIDE, compression="jpegxl:100")


def wide_jpeg_2000(tmp_path: Path, values: Any, dtype: Any) -> Path:
    """OpenJPEG's file with the colour box that names sRGB replaced by one with a profile."""
    data = imagecodecs.jpeg2k_encode(as_depth(values, dtype), level=0, codecformat="jp2")
    old = struct.pack(">I4sBBBI", 15, b"colr", 1, 0, 0, 16)
    new = struct.pack(">I4sBBB", 11 + len(WIDE), b"colr", 2, 0, 0) + WIDE
    at = data.index(old)
    header = data.index(b"jp2h") - 4
    size = int.from_bytes(data[header : header + 4], "big") + len(new) - len(old)
    out = data[:header] + struct.pack(">I", size) + data[header + 4 : at] + new + data[at + len(old) :]
    path = tmp_path / "a.jp2"
    path.write_bytes(out)
    return path


CASES: list[tuple[str, Any, Any, float]] = [
    ("png 8", lambda folder, values, _: wide_png(folder, values, 8), np.uint8, 0.012),
    ("png 16", lambda folder, values, _: wide_png(folder, values, 16), np.uint16, 0.003),
    ("tiff 8", wide_tiff, np.uint8, 0.012),
    ("tiff 16", wide_tiff, np.uint16, 0.003),
    ("tiff float", wide_tiff, np.float32, 0.003),
    ("jpeg", wide_pillow("JPEG", "jpg", quality=100, subsampling=0), np.uint8, 0.06),
    ("webp", wide_pillow("WEBP", "webp", lossless=True), np.uint8, 0.012),
    ("avif", wide_pillow("AVIF", "avif", quality=100, subsampling="4:4:4"), np.uint8, 0.13),
    ("heic", wide_heic, np.uint8, 0.08),
    ("jpeg xl 8", wide_jpeg_xl, np.uint8, 0.012),
    ("jpeg xl 16", wide_jpeg_xl, np.uint16, 0.003),
    ("jpeg 2000 8", wide_jpeg_2000, np.uint8, 0.012),
    ("jpeg 2000 16", wide_jpeg_2000, np.uint16, 0.003),
]  # fmt: skip


@pytest.mark.parametrize(("name", "write", "dtype", "tolerance"), CASES, ids=[one[0] for one in CASES])
@pytest.mark.parametrize("alpha", [False, True])
def test_wide_colours_become_srgb(
    tmp_path: Path, name: str, write: Any, dtype: Any, tolerance: float, alpha: bool
) -> None:
    if alpha and name in ("jpeg", "heic"):
        pytest.skip("without alpha")
    picture = read_picture(write(tmp_path, RGBA if alpha else RGB, dtype))
    found = fraction(picture.pixels)
    assert picture.pixels.dtype == (np.uint8 if dtype is np.uint8 else np.uint16)
    seen = np.broadcast_to(ALPHA[:, :, 0] > 0.02, RGB.shape[:2]) if alpha else np.full(RGB.shape[:2], True)
    # Away from the edge of sRGB: there, steps of the file's depth are large.
    inside = seen & (WANTED > 0.1).all(axis=2) & (WANTED < 0.99).all(axis=2)
    assert inside.sum() > 500
    assert np.abs(found[:, :, :3] - WANTED)[inside].max() < tolerance
    assert np.abs(found[:, :, :3] - RGB)[inside].max() > 0.1, "this file would prove nothing"
    if alpha:
        assert np.abs(found[:, :, 3:] - ALPHA).max() < 0.02
    # What is kept for files that are written: the numbers of the file, and the profile that gives them their meaning.
    assert picture.icc_profile == WIDE
    assert picture.own is not None
    assert np.abs(fraction(picture.own) - RGB)[inside].max() < max(tolerance, 1 / 255)
    back = profiles.from_srgb(np.ascontiguousarray(picture.pixels[:, :, :3]), WIDE)
    assert back is not None
    assert np.abs(fraction(back) - fraction(picture.own))[inside].max() < max(tolerance, 4 / 255)


def test_large_pictures_have_the_same_colours_as_small_ones() -> None:
    """Which take another way at 16 bits."""
    values = np.random.default_rng(1).integers(0, 65536, (300, 700, 3), np.uint16)
    large = profiles.to_srgb(values, "rgb", WIDE)
    small = np.concatenate([profiles.to_srgb(part, "rgb", WIDE) for part in np.array_split(values, 4)])
    assert np.abs(large.astype(int) - small).max() <= 12


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_with_a_profile_stays_grey(bits: int) -> None:
    data = samples.png(np.round(GREY * ((1 << bits) - 1)), bits, samples.png_profile(samples.linear_grey()))
    found = read_picture(data).pixels
    assert found.shape[2] == 1
    assert np.abs(fraction(found) - samples.srgb_curve(GREY)).max() < 0.005


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("grey", [False, True])
def test_a_png_may_say_its_gamma_and_primaries_in_chunks(bits: int, grey: bool) -> None:
    values = GREY if grey else RGB
    numbers = np.round(values * ((1 << bits) - 1))
    linear = (b"gAMA", struct.pack(">I", 100_000))
    found = fraction(read_picture(samples.png(numbers, bits, linear)).pixels)
    assert np.abs(found - samples.srgb_curve(values)).max() < 0.011
    primaries = struct.pack(">8I", *(round(value * 1e5) for value in profiles.SRGB_CHROMATICITY))
    usual = [(b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", primaries)]
    assert np.array_equal(read_picture(samples.png(numbers, bits, *usual)).pixels, numbers)
    srgb = [(b"sRGB", b"\0"), linear]  # which counts more
    assert np.array_equal(read_picture(samples.png(numbers, bits, *srgb)).pixels, numbers)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_srgb_profile_changes_nothing(tmp_path: Path, dtype: Any) -> None:
    for profile in (profiles.srgb(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()):
        path = samples.openimageio(tmp_path / "a.tif", as_depth(RGB, dtype), profile)
        assert np.array_equal(read_picture(path).pixels, as_depth(RGB, dtype))


@pytest.mark.parametrize("bits", [8, 16])
def test_a_broken_profile_leaves_the_numbers(bits: int) -> None:
    numbers = np.round(RGB * ((1 << bits) - 1))
    for profile in (b"x" * 300, WIDE[:200], WIDE[:36] + b"nope" + WIDE[40:], samples.linear_grey()):
        assert np.array_equal(read_picture(samples.png(numbers, bits, samples.png_profile(profile))).pixels, numbers)


@pytest.mark.parametrize("kind", ["tiff 8", "tiff 16", "jpeg", "psd 8", "psd 16"])
def test_inks_with_a_profile(tmp_path: Path, kind: str) -> None:
    """A made-up press whose inks are anything but complements: paper is yellow, cyan prints red."""
    corner = {}
    for inks in itertools.product((0, 1), repeat=4):
        lab = np.array([90.0, 0.0, 60.0]) + inks[0] * np.array([-30.0, 50, -30]) - inks[1] * np.array([20.0, 40, 0])
        corner[inks] = tuple(np.clip(lab - 60 * inks[3] * np.array([1.0, 0, 0]), [5, -100, -100], [100, 100, 100]))
    profile = samples.lookup_profile(b"CMYK", corner)
    numbers = np.zeros((16, 16, 4))
    numbers[:, :, 1] = 1  # without any ink is white in any case
    numbers[:, 8:, 0] = 1
    lab = np.array([corner[0, 1, 0, 0], corner[1, 1, 0, 0]])
    wanted = imagecodecs.cms_transform(
        lab[None].astype(np.float32),
        imagecodecs.cms_profile("lab4"),
        profiles.srgb(),
        colorspace="lab",
        outcolorspace="rgb",
    )[0]
    dtype = np.uint16 if kind.endswith("16") else np.uint8
    if kind.startswith("tiff"):
        import tifffile

        data = tmp_path / "a.tif"
        tifffile.imwrite(data, as_depth(numbers, dtype), photometric="separated", iccprofile=profile)
    elif kind.startswith("psd"):
        data = samples.psd(as_depth(1 - numbers, dtype).transpose(2, 0, 1), 4, profile=profile)
    else:
        image = Image.fromarray(as_depth(numbers, np.uint8), "CMYK")
        data = samples.buffer(image, "JPEG", quality=100, icc_profile=profile)
    picture = read_picture(data)
    assert picture.pixels.dtype == dtype
    found = fraction(picture.pixels)
    for column, colour in ((2, wanted[0]), (13, wanted[1])):
        assert np.abs(found[8, column] - np.clip(colour, 0, 1)).max() < 0.06
    assert picture.own is None  # no RGB of its own


def test_wide_light_without_an_end(tmp_path: Path) -> None:
    """A float file with a linear profile of other primaries, brighter than white."""
    linear = imagecodecs.cms_profile(
        "rgb", whitepoint=[0.3127, 0.329, 1], primaries=[0.64, 0.33, 1, 0.21, 0.71, 1, 0.15, 0.06, 1], gamma=1.0
    )
    light = RGB**2.2 * 4
    path = samples.openimageio(tmp_path / "a.tif", light.astype(np.float32), linear)
    found = fraction(read_picture(path).pixels)
    inside = (WANTED > 0.1).all(axis=2) & (WANTED < 0.95).all(axis=2)
    ratio = (found[inside] ** 2.2).mean() / (WANTED[inside] ** 2.2).mean()  # exposure follows the picture
    assert np.abs(found**2.2 / ratio - WANTED**2.2)[inside].max() < 0.05
    assert INKS.shape[2] == 4

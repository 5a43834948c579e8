"""Every kind of file, written by another library than reads it: the pixels are those that were written."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import imagecodecs as _imagecodecs
import numpy as np
import pytest
from PIL import Image

from maskwright.files.reading import FileSource, read_picture
from tests.server.files import samples
from tests.server.files.samples import Array, as_depth, colours, fraction

imagecodecs: Any = _imagecodecs  # its stubs say that it may give other kinds of bytes
RGB = colours()
GREY = RGB[:, :, 2:]
ALPHA = np.linspace(0, 1, RGB.shape[1])[None, :, None].repeat(RGB.shape[0], 0)
RGBA = np.concatenate([RGB, ALPHA], axis=2)
GREY_ALPHA = np.concatenate([GREY, ALPHA], axis=2)
INKS = np.concatenate([1 - RGB, np.zeros_like(GREY)], axis=2)
SHAPES: dict[str, Array] = {"grey": GREY, "rgb": RGB, "rgba": RGBA}


def by_opencv(suffix: str, values: Array, *flags: int) -> bytes:
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[values.shape[2]]
    return cv2.imencode(suffix, np.ascontiguousarray(values[:, :, order]), flags)[1].tobytes()


def expect(data: bytes | Path, values: Array, dtype: Any, tolerance: float = 0.0) -> None:
    """Exactly ``values`` of 0..1 in that depth, or within ``tolerance`` of 0..1."""
    found = read_picture(data).pixels
    assert found.dtype == dtype
    assert found.shape == values.shape
    assert np.abs(fraction(found) - fraction(as_depth(values, dtype))).max() <= tolerance
    FileSource(data).overview()  # has a format for it


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png(shape: str, dtype: Any) -> None:
    expect(by_opencv(".png", as_depth(SHAPES[shape], dtype)), SHAPES[shape], dtype)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("transparent", [False, True])
def test_grey_png_of_any_depth_with_and_without_a_transparent_value(bits: int, transparent: bool) -> None:
    values = np.arange(12 * 16).reshape(12, 16, 1) % (1 << bits)
    full = (1 << bits) - 1
    key = full // 2
    data = samples.png(values, bits, *[(b"tRNS", struct.pack(">H", key))] * transparent)
    dtype = np.uint16 if bits == 16 else np.uint8
    if not transparent:
        expect(data, values / full, dtype)
        return
    expect(data, np.concatenate([values / full] * 3 + [values != key], axis=2), dtype)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_transparent_colour_is_exactly_that_colour(bits: int) -> None:
    values = np.round(RGB * ((1 << bits) - 1)).astype(int)
    key = values[5, 7].copy()
    values[5, 8] = [key[0], key[1], key[2] + 1]
    values[20:25, 30:40] = key
    data = samples.png(values, bits, (b"tRNS", struct.pack(">3H", *key)))
    found = read_picture(data).pixels
    full = np.iinfo(found.dtype).max
    assert full == (1 << bits) - 1
    assert np.array_equal(found[:, :, :3], values)
    assert np.array_equal(found[:, :, 3] == 0, (values == key).all(axis=2))
    assert found[5, 8, 3] == full


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("transparent", [False, True])
def test_png_with_a_palette(bits: int, transparent: bool) -> None:
    indices = np.arange(12 * 16).reshape(12, 16, 1) % (1 << bits)
    palette = np.random.default_rng(bits).integers(0, 256, (1 << bits, 3), np.uint8)
    chunks = [(b"PLTE", palette.tobytes()), (b"tRNS", bytes([0, 128]))][: 1 + transparent]
    alpha = np.full(1 << bits, 255)
    alpha[:2] = (0, 128)
    wanted = np.concatenate([palette, alpha[:, None]], axis=1)[indices[:, :, 0]]
    expect(
        samples.png(indices, bits, *chunks, colour_type=3),
        (wanted if transparent else wanted[:, :, :3]) / 255,
        np.uint8,
    )


def test_jpeg() -> None:
    expect(by_opencv(".jpg", as_depth(RGB, np.uint8), cv2.IMWRITE_JPEG_QUALITY, 100), RGB, np.uint8, 0.02)
    expect(imagecodecs.jpeg_encode(as_depth(GREY[:, :, 0], np.uint8), level=100), GREY, np.uint8, 0.01)


def test_jpeg_of_inks() -> None:
    data = imagecodecs.jpeg_encode(as_depth(1 - INKS, np.uint8), level=100, colorspace="cmyk", outcolorspace="cmyk")
    expect(data, RGB, np.uint8, 0.02)  # as everybody writes them: upside down


@pytest.mark.parametrize("shape", ["rgb", "rgba"])
def test_webp(shape: str) -> None:
    data = imagecodecs.webp_encode(as_depth(SHAPES[shape], np.uint8), lossless=True)
    found = read_picture(data).pixels
    seen = found[:, :, 3:] > 0 if shape == "rgba" else np.True_
    assert (np.abs(found.astype(int) - as_depth(SHAPES[shape], np.uint8)) * seen).max() <= 1


def test_bmp_and_gif() -> None:
    expect(by_opencv(".bmp", as_depth(RGB, np.uint8)), RGB, np.uint8)
    few = np.round(GREY * 10) / 10
    data = imagecodecs.gif_encode(as_depth(few[:, :, 0], np.uint8))
    assert np.array_equal(read_picture(data).pixels[:, :, 0], as_depth(few, np.uint8)[:, :, 0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".pgm", ".ppm"])
def test_ppm(dtype: Any, suffix: str) -> None:
    values = GREY if suffix == ".pgm" else RGB
    expect(by_opencv(suffix, as_depth(values, dtype)), values, dtype)


def test_ppm_whose_white_is_another_number() -> None:
    values = np.round(RGB * 1000).astype(">u2")
    expect(b"P6 # made up\n72 48\n1000\n" + values.tobytes(), values / 1000, np.uint16, 1e-4)


@pytest.mark.skipif(not cv2.haveImageWriter("a.avif"), reason="this OpenCV writes no AVIF")
@pytest.mark.parametrize("bits", [8, 10, 12])
def test_avif(bits: int) -> None:
    values = np.round(RGB * ((1 << bits) - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    flags = [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100, cv2.IMWRITE_AVIF_SPEED, 9]
    expect(by_opencv(".avif", values, *flags), RGB, np.uint8 if bits == 8 else np.uint16, 0.02)


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("shape", ["grey", "rgb", "rgba"])
def test_heic(bits: int, shape: str) -> None:
    """No other library on the package index writes HEVC: this one is written by the one that reads it."""
    import pillow_heif

    values = SHAPES[shape]
    dtype = np.uint8 if bits == 8 else np.uint16
    mode = {"grey": "L", "rgb": "RGB", "rgba": "RGBA"}[shape] + ("" if bits == 8 else ";16")
    if mode == "L;16":
        pytest.skip("deep grey is not written")
    size = (values.shape[1], values.shape[0])
    out = io.BytesIO()
    pillow_heif.from_bytes(mode, size, as_depth(values, dtype).tobytes()).save(out, quality=100, chroma=444)
    expect(out.getvalue(), values, dtype, 0.025)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", ["rgb", "grey"])
def test_jpeg_xl(tmp_path: Path, dtype: Any, shape: str) -> None:
    values = SHAPES[shape]
    path = samples.openimageio(tmp_path / "a.jxl", as_depth(values, dtype), compression="jpegxl:100")
    if dtype is np.float32:  # with a profile that says that they are light
        values = samples.srgb_curve(values)
    expect(path, values, np.uint8 if dtype is np.uint8 else np.uint16, 2e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", SHAPES)
def test_jpeg_2000(dtype: Any, shape: str) -> None:
    data = by_opencv(".jp2", as_depth(SHAPES[shape], dtype), cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000)
    expect(data, SHAPES[shape], dtype, 0.01)


def test_jpeg_2000_of_twelve_bits_goes_over_the_whole_range() -> None:
    values = np.round(RGB * 4095).astype(np.uint16)
    data = imagecodecs.jpeg2k_encode(values, level=0, bitspersample=12)
    expect(data, values / 4095, np.uint16, 1e-4)


# ---------------------------------------------------------------- orientation, in every format that has it


def with_pillow_exif(kind: str, **more: Any) -> Callable[[Array, int], bytes]:
    def write(pixels: Array, orientation: int) -> bytes:
        exif = Image.Exif()
        exif[0x0112] = orientation
        return samples.buffer(Image.fromarray(pixels), kind, exif=exif, **more)

    return write


def heic_with_exif(pixels: Array, orientation: int) -> bytes:
    """Turned by the file's own property, and EXIF says it once more, as phones write it."""
    import pillow_heif

    out = io.BytesIO()
    file = pillow_heif.from_pillow(Image.fromarray(pixels))
    file.save(out, quality=100, chroma=444, exif=b"Exif\0\0" + samples.exif(orientation))
    assert (b"irot" in out.getvalue() or b"imir" in out.getvalue()) == (orientation != 1)
    return out.getvalue()


ORIENTED: dict[str, Callable[[Array, int], bytes]] = {
    "png": lambda pixels, o: samples.png(pixels, 8, (b"eXIf", samples.exif(o))),
    "png 16": lambda pixels, o: samples.png(pixels.astype(int) * 257, 16, (b"eXIf", samples.exif(o))),
    "jpeg": lambda pixels, o: samples.jpeg_with_exif(by_opencv(".jpg", pixels, cv2.IMWRITE_JPEG_QUALITY, 100), o),
    "webp": with_pillow_exif("WEBP", lossless=True),
    "tiff": with_pillow_exif("TIFF"),
    "tiff ycbcr": lambda pixels, o: samples.buffer(
        Image.fromarray(pixels).convert("YCbCr"), "TIFF", compression="tiff_lzw", tiffinfo={0x0112: o}
    ),
    "avif": with_pillow_exif("AVIF", quality=100),
    "heic": heic_with_exif,
}  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ORIENTED)
def test_a_turned_picture_is_turned_once(kind: str, orientation: int) -> None:
    upright = as_depth(RGB, np.uint8)
    data = ORIENTED[kind](samples.stored_for(upright, orientation), orientation)
    picture = read_picture(data)
    assert picture.pixels.shape == upright.shape
    assert np.abs(fraction(picture.pixels) - RGB).max() < 0.06
    if picture.exif is not None:  # whoever writes it beside upright pixels must not turn them again
        kept = Image.Exif()
        kept.load(picture.exif)
        assert kept.get(0x0112, 1) == 1


# ---------------------------------------------------------------- documents of layers


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_psd_merged(shape: str, dtype: Any, large: bool) -> None:
    values = SHAPES[shape].copy()
    if shape == "rgba":  # Photoshop lays the merged colours on white
        values[:, :, :3] = RGB * ALPHA + (1 - ALPHA)
    planes = as_depth(values, dtype).transpose(2, 0, 1)
    layers = [("a", 0, 0, planes)] if shape == "rgba" else []
    data = samples.psd(planes, 1 if shape == "grey" else 3, alpha=shape == "rgba", layers=layers, large=large)
    found = read_picture(data).pixels
    assert found.dtype == (np.uint8 if dtype is np.uint8 else np.uint16)
    assert found.shape == values.shape
    covered = ALPHA[:, :, 0] > 0.3 if shape == "rgba" else np.full(RGB.shape[:2], True)
    assert np.abs(fraction(found) - SHAPES[shape])[covered].max() < 0.02


def test_a_saved_selection_of_a_psd_is_not_its_alpha() -> None:
    planes = as_depth(RGBA, np.uint8).transpose(2, 0, 1)
    expect(samples.psd(planes, 3), RGB, np.uint8)


def test_psd_of_inks_and_lab() -> None:
    planes = as_depth(1 - INKS, np.uint8).transpose(2, 0, 1)  # Photoshop stores the paper that is seen
    expect(samples.psd(planes, 4), RGB, np.uint8, 0.01)
    lab = np.full((3, 8, 8), 128, np.uint8)
    lab[0] = 137  # L 53.7
    assert np.abs(read_picture(samples.psd(lab, 9)).pixels.astype(int) - 128).max() <= 2


def openraster(members: dict[str, bytes], stack: str, kind: str = "image/openraster") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("stack.xml", stack)
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


LAYER = np.zeros((10, 20, 4), np.uint8)
LAYER[2:8, 3:17] = (200, 100, 50, 255)
STACK = """<?xml version='1.0'?><image w="72" h="48"><stack><layer name="sky" src="data/0.png" x="0" y="0"/>
<stack x="1" y="2" name="group"><layer name="Cloud" src="data/1.png" x="60" y="-4"/></stack></stack></image>"""


def documents(dtype: Any) -> dict[str, bytes]:
    """The layer lies at 61, -2 of the canvas and sticks out of it on two sides."""
    layer = LAYER if dtype is np.uint8 else LAYER.astype(np.uint16) * 257
    sky = as_depth(RGB, dtype)
    members = {"data/0.png": by_opencv(".png", sky), "data/1.png": by_opencv(".png", layer)}
    planes = sky.transpose(2, 0, 1)
    solid = np.full((1, 48, 72), np.iinfo(dtype).max, dtype)
    layers = [("sky", 0, 0, np.concatenate([planes, solid])), ("Cloud", 61, -2, layer.transpose(2, 0, 1))]
    return {
        "openraster": openraster({"mergedimage.png": by_opencv(".png", sky), **members}, STACK),
        "psd": samples.psd(planes, 3, layers=layers),
        "psb": samples.psd(planes, 3, layers=layers, large=True),
    }


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["openraster", "psd", "psb"])
def test_a_layer_is_read_by_name_in_its_place(kind: str, dtype: Any) -> None:
    data = documents(dtype)[kind]
    expect(data, RGB, dtype)
    wanted = np.zeros((48, 72, 4))
    wanted[0:8, 61:72] = LAYER[2:10, 0:11] / 255
    for name in ("Cloud", "cloud"):
        found = read_picture(data, layer=name).pixels
        assert found.dtype == dtype
        assert np.array_equal(fraction(found), wanted)


def test_krita_files_have_a_merged_picture() -> None:
    data = openraster({"mergedimage.png": by_opencv(".png", as_depth(RGBA, np.uint8))}, "<x/>", "application/x-krita")
    expect(data, RGBA, np.uint8)

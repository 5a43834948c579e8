"""TIFF: every depth, order, packing and kind of colours, and which page is the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from maskwright.files.reading import frames_in, read_picture
from maskwright_protocol.errors import BadImage
from tests.server.files import samples
from tests.server.files.samples import as_depth, colours, fraction
from tests.server.files.test_formats import ALPHA, GREY, INKS, RGB, RGBA, SHAPES, by_opencv, expect

STEP = 1.01 / 255


def written(path: Path, values: Any, **about: Any) -> Path:
    """By tifffile, for what no other library writes."""
    tifffile.imwrite(path, values, **about)
    return path


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("tile", [0, 16])
@pytest.mark.parametrize("packing", ["none", "zip", "lzw"])
def test_integers_in_every_order(tmp_path: Path, shape: str, dtype: Any, planes: str, tile: int, packing: str) -> None:
    values = SHAPES[shape]
    about = {"planarconfig": planes, "compression": packing, "oiio__UnassociatedAlpha": 1}
    path = samples.openimageio(tmp_path / "a.tif", as_depth(values, dtype), tile=tile, **about)
    expect(path, values, dtype)


@pytest.mark.parametrize("dtype", [np.uint32, np.float16, np.float32])
@pytest.mark.parametrize("shape", ["grey", "rgb"])
def test_what_is_deeper_becomes_sixteen_bits(tmp_path: Path, shape: str, dtype: Any) -> None:
    values = SHAPES[shape]
    path = samples.openimageio(tmp_path / "a.tif", as_depth(values, dtype))
    expect(path, values, np.uint16, 1e-3 if dtype is np.float16 else 2e-5)
    assert read_picture(path).notes == []


@pytest.mark.parametrize("dtype", [np.float64, np.uint64])
def test_sixty_four_bits(tmp_path: Path, dtype: Any) -> None:
    values = RGB if dtype is np.float64 else np.round(RGB * 2.0**63).astype(np.uint64) * 2 - 1 * (RGB > 0)
    expect(written(tmp_path / "a.tif", values.astype(dtype), photometric="rgb"), RGB, np.uint16, 2e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_premultiplied_colours_are_divided(tmp_path: Path, dtype: Any) -> None:
    """OpenImageIO has premultiplied alpha in memory, and writes that as it is."""
    multiplied = np.concatenate([RGB * ALPHA, ALPHA], axis=2)
    path = samples.openimageio(tmp_path / "a.tif", as_depth(multiplied, dtype))
    assert tifffile.TiffFile(path).pages[0].extrasamples[0] == 1, "this file would prove nothing"  # type: ignore
    found = fraction(read_picture(path).pixels)
    steps = 255 if dtype is np.uint8 else 65535
    seen = ALPHA[:, :, 0] > 0
    wrong = np.abs(found - RGBA)[seen] * ALPHA[seen]
    assert wrong.max() <= 1.5 / steps


def test_a_channel_that_is_no_alpha_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", as_depth(RGBA, np.uint8), photometric="rgb", extrasamples=["unspecified"])
    expect(path, RGB, np.uint8)
    five = np.concatenate([RGBA, GREY], axis=2)
    path = written(
        tmp_path / "b.tif", as_depth(five, np.uint8), photometric="rgb", extrasamples=["unspecified", "unassalpha"]
    )
    expect(path, np.concatenate([RGB, GREY], axis=2), np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_white_may_be_zero(tmp_path: Path, dtype: Any) -> None:
    path = written(tmp_path / "a.tif", as_depth(1 - GREY[:, :, 0], dtype), photometric="miniswhite")
    expect(path, GREY, np.uint8 if dtype is np.uint8 else np.uint16, STEP)


@pytest.mark.parametrize("packing", ["raw", "group4", "packbits"])
def test_one_bit(packing: str) -> None:
    bits = GREY > 0.5
    data = samples.buffer(Image.fromarray(bits[:, :, 0]), "TIFF", compression=packing)
    expect(data, bits.astype(float), np.uint8)


@pytest.mark.parametrize("packing", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_palette(packing: str) -> None:
    few = Image.fromarray(as_depth(RGB, np.uint8)).quantize(16)
    expect(samples.buffer(few, "TIFF", compression=packing), np.asarray(few.convert("RGB")) / 255, np.uint8)


@pytest.mark.parametrize("bits", [2, 4, 10, 12, 14])
def test_odd_depths_go_over_the_whole_range(tmp_path: Path, bits: int) -> None:
    """By libtiff through OpenImageIO, which packs them."""
    full = (1 << bits) - 1
    values = np.round(GREY * full) / full
    dtype = np.uint16 if bits > 8 else np.uint8
    path = samples.openimageio(tmp_path / "a.tif", as_depth(values, dtype), oiio__BitsPerSample=bits)
    page = tifffile.TiffFile(path).pages[0]
    assert page.bitspersample == bits  # type: ignore[union-attr]
    expect(path, values, dtype, 1e-4)


def test_signed_numbers(tmp_path: Path) -> None:
    centred = np.round(GREY[:, :, 0] * 65535 - 32768).astype(np.int16)
    expect(written(tmp_path / "a.tif", centred), GREY, np.uint16, 1e-4)
    above = np.round(GREY[:, :, 0] * 32767).astype(np.int16)
    expect(written(tmp_path / "b.tif", above), GREY, np.uint16, 1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_inks(tmp_path: Path, dtype: Any, planes: str) -> None:
    values = as_depth(INKS, dtype)
    path = written(
        tmp_path / "a.tif",
        values if planes == "contig" else values.transpose(2, 0, 1),
        photometric="separated",
        planarconfig=planes,
        extrasamples=[],
    )
    expect(path, RGB, dtype, STEP)
    expect(samples.buffer(Image.fromarray(as_depth(INKS, np.uint8), "CMYK"), "TIFF"), RGB, np.uint8, STEP)


@pytest.mark.parametrize("kind", ["pillow 8", "cie 8", "cie 16", "icc 8", "icc 16"])
def test_lab(tmp_path: Path, kind: str) -> None:
    """Known colours of Lab (D50) in each of TIFF's ways to write them."""
    lab = np.array([[[100, 0, 0], [0, 0, 0], [54.29, 80.81, 69.89], [87.82, -79.27, 80.99], [29.57, 68.30, -112.03]]])
    srgb = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]])
    bits = 16 if kind.endswith("16") else 8
    lightness = lab[..., :1] * (655.35 if kind == "cie 16" else 652.8 if bits == 16 else 2.55)
    signed = lab[..., 1:] * (256 if bits == 16 else 1)
    if kind.startswith("icc"):
        signed = signed + (32768 if bits == 16 else 128)
    dtype = np.uint16 if bits == 16 else np.uint8
    numbers = np.round(np.concatenate([lightness, signed], axis=2)).astype(np.int64).astype(dtype)
    path = tmp_path / "a.tif"
    if kind.startswith("pillow"):
        path.write_bytes(samples.buffer(Image.frombytes("LAB", (5, 1), numbers.tobytes()), "TIFF"))
    else:
        written(path, numbers, photometric="cielab" if kind.startswith("cie") else "icclab")
    found = read_picture(path).pixels
    assert found.dtype == dtype
    assert np.abs(fraction(found) * 255 - srgb).max() < (
        24 if bits == 8 else 3
    )  # blue lies where one step of eight bits is large


@pytest.mark.parametrize("quality", [100, 75])
def test_ycbcr_packed_as_jpeg_and_not(quality: int) -> None:
    """As JPEG with fewer samples of colour, and not packed at all."""
    image = Image.fromarray(as_depth(RGB, np.uint8))
    expect(samples.buffer(image.convert("YCbCr"), "TIFF"), RGB, np.uint8, 0.02)
    expect(samples.buffer(image, "TIFF", compression="jpeg", quality=quality), RGB, np.uint8, 0.1)


def test_logarithmic_light(tmp_path: Path) -> None:
    values = np.ascontiguousarray(RGB[:, :, ::-1].astype(np.float32))
    cv2.imwrite(str(tmp_path / "a.tif"), values, [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_SGILOG])
    found = fraction(read_picture(tmp_path / "a.tif").pixels)
    assert np.corrcoef(found.ravel(), RGB.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_orders_of_bytes_and_bigtiff(tmp_path: Path, order: Any, big: bool) -> None:
    path = written(tmp_path / "a.tif", as_depth(RGB, np.uint16), photometric="rgb", byteorder=order, bigtiff=big)
    expect(path, RGB, np.uint16)


# ---------------------------------------------------------------- floats


def test_floats_that_are_whole_numbers_are_bytes(tmp_path: Path) -> None:
    for full in (255, 65535):
        path = samples.openimageio(tmp_path / "a.tif", np.round(RGB * full).astype(np.float32))
        expect(path, np.round(RGB * full) / full, np.uint16, 1e-4)
        assert f"0 to {full}" in read_picture(path).notes[0]


def test_light_without_an_end_is_exposed(tmp_path: Path) -> None:
    light = RGB * 3
    light[:2, :2] = 5000  # the sun
    light[0, 0] = np.inf
    light[40, 3] = np.nan
    path = samples.openimageio(tmp_path / "a.tif", light.astype(np.float32))
    picture = read_picture(path)
    wanted = samples.srgb_curve(RGB)
    wanted[40, 3] = 0
    assert np.abs(fraction(picture.pixels) - wanted)[2:].max() < 0.02
    assert (picture.pixels[:2, :2] == 65535).all()
    assert "shown as white" in picture.notes[0]


def test_a_span_that_the_file_names_is_black_to_white(tmp_path: Path) -> None:
    values = (GREY[:, :, 0] * 400.5 + 99.5).astype(np.float32)
    tags = [(340, "f", 1, 99.5, True), (341, "f", 1, 500.0, True)]
    path = written(tmp_path / "a.tif", values, extratags=tags)
    expect(path, GREY, np.uint16, 1e-3)
    assert "99.5 to 500" in read_picture(path).notes[0]


def test_a_few_highlights_are_cut(tmp_path: Path) -> None:
    values = RGB.copy()
    values[0, :2] = 1.5
    path = samples.openimageio(tmp_path / "a.tif", values.astype(np.float32))
    expect(path, np.minimum(values, 1), np.uint16, 2e-5)


# ---------------------------------------------------------------- pages

LARGE, HALF, QUARTER = (as_depth(colours(48 // n, 72 // n), np.uint8) for n in (1, 2, 4))


def pyramid(path: Path, flags: bool, sub: bool, first: bool) -> Path:
    """Smaller versions after the picture, before it, or within it; marked as such or not."""
    mark: dict[str, Any] = {"subfiletype": 1} if flags else {}
    with tifffile.TiffWriter(path) as out:
        if first:
            out.write(QUARTER, photometric="rgb", **mark)
        out.write(LARGE, photometric="rgb", tile=(16, 16), subifds=2 if sub else None)
        for one in (HALF, QUARTER):
            out.write(one, photometric="rgb", **mark)
    return path


@pytest.mark.parametrize("flags", [False, True])
@pytest.mark.parametrize("sub", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_the_picture_is_the_page_in_full_size(tmp_path: Path, flags: bool, sub: bool, first: bool) -> None:
    path = pyramid(tmp_path / "a.tif", flags, sub, first)
    expect(path, RGB, np.uint8)
    assert frames_in(path) == 1
    assert read_picture(path).notes == []


def test_the_full_size_may_be_below_its_thumbnail(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as out:
        out.write(QUARTER, photometric="rgb", subfiletype=1, subifds=1)
        out.write(LARGE, photometric="rgb", subfiletype=0)
    expect(path, RGB, np.uint8)


def test_pages_of_other_shapes_are_frames() -> None:
    pages = [Image.fromarray(as_depth(colours(h, w), np.uint8)) for h, w in ((40, 60), (60, 40), (30, 60))]
    data = samples.buffer(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert frames_in(data) == 3
    assert [read_picture(data, n).pixels.shape[:2] for n in (1, 2, 3)] == [(40, 60), (60, 40), (30, 60)]


def test_resolution_and_camera_data_are_kept() -> None:
    exif = Image.Exif()
    exif[271], exif[0x0112] = "Made up", 6
    exif.get_ifd(34665)[33434] = 0.008
    image = Image.fromarray(as_depth(RGB, np.uint8))
    picture = read_picture(samples.buffer(image, "TIFF", exif=exif.tobytes(), dpi=(300, 150)))
    assert picture.dpi == pytest.approx((150, 300))  # it lay on its side
    kept = Image.Exif()
    assert picture.exif is not None
    kept.load(picture.exif)
    assert (kept[271], kept[0x0112], float(kept.get_ifd(34665)[33434])) == ("Made up", 1, pytest.approx(0.008))


# ---------------------------------------------------------------- what is refused


def test_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    data = by_opencv(".tif", as_depth(RGB, np.uint16), cv2.IMWRITE_TIFF_COMPRESSION, 1)
    for part in (0.3, 0.7, 0.98):
        with pytest.raises(BadImage, match=r"cannot be read|cannot be used"):
            read_picture(data[: int(len(data) * part)])


def test_sizes_that_lie_are_refused_before_there_is_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tif", as_depth(RGB, np.uint8), photometric="rgb", tile=(16, 16))
    for tag, value in ((256, 2_000_000_000), (257, 2_000_000_000), (322, 1 << 30), (277, 60000)):
        with tifffile.TiffFile(path) as file:
            entry = file.pages[0].tags[tag]  # type: ignore[union-attr]
            data = bytearray(path.read_bytes())
            width = int(entry.dtype)  # 3: two bytes, 4: four
            size = 2 if width == 3 else 4
            data[entry.valueoffset : entry.valueoffset + size] = (value % (1 << 8 * size)).to_bytes(size, "little")
        with pytest.raises(BadImage):
            read_picture(bytes(data))


def test_unknown_inks_and_volumes_are_named(tmp_path: Path) -> None:
    inks = written(
        tmp_path / "a.tif", as_depth(INKS, np.uint8), photometric="separated", extratags=[(332, "H", 1, 2, True)]
    )
    with pytest.raises(BadImage, match="cyan, magenta, yellow and black"):
        read_picture(inks)
    volume = written(tmp_path / "b.tif", np.zeros((16, 32, 32), np.uint8), volumetric=True, tile=(16, 16, 16))
    with pytest.raises(BadImage, match="volume"):
        read_picture(volume)

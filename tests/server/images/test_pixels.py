from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright.images import pixels
from maskwright_protocol.errors import BadImage
from maskwright_protocol.pixels import FORMATS

RAMP = np.random.default_rng(5).random((6, 7, 3), dtype=np.float32)
ALPHA = np.linspace(0, 1, 42, dtype=np.float32).reshape(6, 7)
OPAQUE = np.ones((6, 7), np.float32)
GREY = np.repeat(RAMP @ np.array([0.2126, 0.7152, 0.0722], np.float32)[:, None], 3, axis=2)


@pytest.mark.parametrize("transfer", ["srgb", "linear"])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_there_and_back(name, transfer):
    layout = FORMATS[name]
    grey = "Y" in layout.channels
    data = pixels.pack(RAMP, ALPHA, name, transfer)
    assert len(data) == layout.image_bytes(7, 6)
    back = pixels.colours(data, 7, 6, name, transfer)
    assert back.dtype == np.float32
    # Light-linear bytes are coarse in the shadows, and grey mixes light in the curve it travels in.
    coarse = transfer == "linear" and layout.channel_bytes == 1
    expected = RAMP
    if grey:
        values = pixels.decode_srgb(RAMP) if transfer == "linear" else RAMP
        luma = np.repeat((values @ np.array([0.2126, 0.7152, 0.0722], np.float32))[..., None], 3, axis=2)
        expected = pixels.encode_srgb(luma) if transfer == "linear" else luma
    assert np.abs(back - expected).max() < (0.03 if coarse else 0.0025)
    coverage = pixels.alpha(data, 7, 6, name)
    if layout.channels.endswith("A"):
        assert coverage is not None
        assert np.abs(coverage - ALPHA).max() < 0.0025
    else:
        assert coverage is None
    opaque = pixels.pack(RAMP, OPAQUE, name, transfer)
    assert pixels.alpha(opaque, 7, 6, name) is None
    seen = pixels.rgb8(opaque, 7, 6, name, transfer)
    assert seen.dtype == np.uint8
    assert seen.shape == (6, 7, 3)
    assert seen.flags.c_contiguous
    assert np.abs(seen / 255 - expected).max() < (0.03 if coarse else 0.005)


def test_channel_order():
    one = bytes([10, 20, 30, 255])
    assert pixels.rgb8(one, 1, 1, "BGRA8").tolist() == [[[30, 20, 10]]]
    assert pixels.rgb8(one, 1, 1, "RGBA8").tolist() == [[[10, 20, 30]]]
    assert pixels.rgb8(bytes([7, 255]), 1, 1, "GRAYA8").tolist() == [[[7, 7, 7]]]
    assert pixels.pack(np.array([[[1, 0, 0]]], np.float32), np.array([[1]], np.float32), "BGRA8") == bytes(
        [0, 0, 255, 255]
    )


def test_opaque_rgb_is_a_view():
    data = bytearray(range(12))
    seen = pixels.rgb8(memoryview(data), 2, 2, "RGB8")
    data[0] = 99
    assert seen[0, 0, 0] == 99


def test_transparent_pixels_show_the_backdrop_and_keep_their_colours():
    data = bytes([0, 0, 0, 0, 255, 255, 255, 128, 1, 2, 3, 255])
    assert pixels.rgb8(data, 3, 1, "RGBA8").tolist() == [[[128] * 3, [192] * 3, [1, 2, 3]]]
    assert pixels.colours(data, 3, 1, "RGBA8")[0, 0].tolist() == [0, 0, 0]


def test_crops():
    data = pixels.pack(RAMP, ALPHA, "RGBA16")
    crop = (slice(1, 4), slice(2, 7))
    for convert in (pixels.rgb8, pixels.colours, pixels.alpha):
        cut = convert(data, 7, 6, "RGBA16", crop=crop)
        everything = convert(data, 7, 6, "RGBA16")
        assert cut is not None
        assert everything is not None
        assert np.array_equal(cut, everything[crop])


def test_floats_that_are_no_colours():
    data = np.array([np.nan, np.inf, -np.inf, 2, -1, 0.5], "<f4").tobytes()
    assert pixels.colours(data, 2, 1, "RGB32F")[0].tolist() == [[0, 1, 0], [1, 0, 0.5]]
    assert pixels.rgb8(data, 2, 1, "RGB32F")[0].tolist() == [[0, 255, 0], [255, 0, 128]]


def test_sizes_and_names_are_checked():
    for data, width, name in ((b"123", 2, "RGB8"), (b"123", 1, "CMYK8"), (b"", 0, "RGB8")):
        with pytest.raises(BadImage):
            pixels.rgb8(data, width, 1, name)
    with pytest.raises(BadImage):
        pixels.rgb8(b"123", 1, 1, "RGB8", "gamma22")


@given(st.floats(0, 1, width=32))
def test_the_srgb_curve_and_its_inverse(value):
    there = pixels.encode_srgb(np.array([value], np.float32))
    assert abs(float(pixels.decode_srgb(there)[0]) - value) < 2e-6

"""Masks: packed, unpacked, placed; and what is refused."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwright_protocol.errors import BadInput, MaskwrightError, TooLarge
from maskwright_protocol.masks import INLINE_BYTES, MAX_MASK_PIXELS, expected_size, pack, place, unpack
from maskwright_protocol.messages import Mask, PixelRect, Pixels
from maskwright_protocol.pixels import FORMATS


@st.composite
def planes(draw: st.DrawFn) -> tuple[PixelRect, bytes, int]:
    box = PixelRect(*(draw(st.integers(-9, 9)) for _ in range(2)), *(draw(st.integers(0, 9)) for _ in range(2)))
    depth = draw(st.sampled_from([8, 16]))
    size = box.width * box.height * depth // 8
    return box, draw(st.binary(min_size=size, max_size=size)), depth


@given(planes(), st.booleans())
def test_unpack_reverses_pack(plane: tuple[PixelRect, bytes, int], compress: bool) -> None:
    box, data, depth = plane
    mask = pack(box, data, depth, compress)
    assert mask.encoding == ("zlib" if compress else "raw")
    assert unpack(mask) == data
    assert expected_size(mask) == len(data)


def test_raw_masks_are_not_copied() -> None:
    plane = bytearray(100)
    mask = pack(PixelRect(0, 0, 10, 10), plane)
    assert mask.data is plane
    assert unpack(mask) is plane


def test_only_long_planes_are_compressed_by_themselves() -> None:
    assert pack(PixelRect(0, 0, INLINE_BYTES, 1), bytes(INLINE_BYTES)).encoding == "raw"
    mask = pack(PixelRect(0, 0, INLINE_BYTES + 1, 1), bytes(INLINE_BYTES + 1))
    assert mask.encoding == "zlib"
    assert len(mask.data or b"") < 50_000
    assert unpack(mask) == bytes(INLINE_BYTES + 1)


@settings(max_examples=200)
@given(planes(), *[st.integers(0, 12)] * 2, *[st.integers(-12, 12)] * 2, st.booleans())
def test_place_like_pixel_by_pixel(
    plane: tuple[PixelRect, bytes, int], width: int, height: int, x: int, y: int, compress: bool
) -> None:
    box, data, depth = plane
    step = depth // 8
    expected = bytearray()
    for row in range(y, y + height):
        for column in range(x, x + width):
            inside = box.x <= column < box.x + box.width and box.y <= row < box.y + box.height
            at = ((row - box.y) * box.width + column - box.x) * step
            expected += data[at : at + step] if inside else bytes(step)
    assert place(pack(box, data, depth, compress), width, height, x, y) == expected


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_colours_have_the_size_of_their_format(name: str) -> None:
    size = 3 * 2 * FORMATS[name].pixel_bytes
    assert unpack(Pixels(PixelRect(0, 0, 3, 2), name, data=bytes(size))) == bytes(size)
    with pytest.raises(BadInput):
        unpack(Pixels(PixelRect(0, 0, 3, 2), name, data=bytes(size + 1)))


# ---------------------------------------------------------------- refused


def box(width: int = 4, height: int = 4) -> PixelRect:
    return PixelRect(0, 0, width, height)


@pytest.mark.parametrize(
    "mask",
    [
        Mask(box(), data=bytes(15)),
        Mask(box(), data=bytes(17)),
        Mask(box()),
        Mask(box(), 16, data=bytes(16)),
        Mask(box(-4, -4), data=bytes(16)),
        Mask(box(-1, 4), data=b""),
        Mask(box(), 1, data=bytes(2)),
        Mask(box(), 32, data=bytes(64)),
        Mask(box(), 0, data=b""),
        Mask(box(), 8, "rle", data=bytes(16)),
        Mask(box(), 8, "zlib", data=b"not zlib"),
        Mask(box(), 8, "zlib", data=b""),
        Mask(box(), 8, "zlib"),
        Mask(box(), 8, "zlib", data=zlib.compress(bytes(15))),
        Mask(box(), 8, "zlib", data=zlib.compress(bytes(17))),
        Mask(box(), 8, "zlib", data=zlib.compress(bytes(16))[:-1]),
        Mask(box(), 8, "zlib", data=zlib.compress(bytes(16))[:-4] + b"\0\0\0\1"),
        Pixels(box(), "RGB9", data=bytes(48)),
    ],
)
def test_what_does_not_fit_its_box_is_refused(mask: Mask) -> None:
    with pytest.raises(BadInput):
        unpack(mask)


def test_sizes_beyond_all_reason_are_refused_before_any_work() -> None:
    with pytest.raises(TooLarge):
        unpack(Mask(box(MAX_MASK_PIXELS + 1, 1), 8, "zlib", data=zlib.compress(b"")))
    with pytest.raises(TooLarge):
        expected_size(Pixels(box(2**31, 2**31), "RGBA32F"))
    assert expected_size(Mask(box(MAX_MASK_PIXELS, 1))) == MAX_MASK_PIXELS


def test_a_bomb_inflates_no_further_than_its_box(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zlib.compress(bytes(50_000_000))
    made: list[int] = []
    real = zlib.decompressobj

    class Watched:
        def __init__(self) -> None:
            self._real = real()

        def decompress(self, data: bytes, limit: int = 0) -> bytes:
            out = self._real.decompress(data, limit)
            made.append(len(out))
            return out

        @property
        def eof(self) -> bool:
            return self._real.eof

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    with pytest.raises(BadInput):
        unpack(Mask(box(), 8, "zlib", data=bomb))
    assert 0 < sum(made) <= 17


@settings(max_examples=200)
@given(
    st.builds(
        Mask,
        st.builds(PixelRect, *[st.integers(-3, 12)] * 4),
        st.sampled_from([0, 8, 16, 24]),
        st.sampled_from(["raw", "zlib", ""]),
        st.none(),
        st.none() | st.binary(max_size=50) | st.binary(max_size=50).map(zlib.compress),
    )
)
def test_any_mask_is_right_or_a_typed_error(mask: Mask) -> None:
    try:
        plane = unpack(mask)
    except MaskwrightError:
        return
    assert len(plane) == mask.box.width * mask.box.height * mask.depth // 8

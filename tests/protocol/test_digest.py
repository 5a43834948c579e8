"""Names of images by content."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskwright_protocol.digest import STRIP_ROWS, image_key, strip_digests, strip_spans


def test_strips_of_known_heights() -> None:
    assert list(strip_spans(1)) == [(0, 1)]
    assert list(strip_spans(64)) == [(0, 64)]
    assert list(strip_spans(65)) == [(0, 64), (64, 1)]
    assert list(strip_spans(0)) == []


@given(st.integers(0, 10_000))
def test_strips_cover_each_row_once(height: int) -> None:
    rows = [row for top, count in strip_spans(height) for row in range(top, top + count)]
    assert rows == list(range(height))
    assert all(top % STRIP_ROWS == 0 and 0 < count <= STRIP_ROWS for top, count in strip_spans(height))


@settings(max_examples=30)
@given(st.integers(1, 200), st.integers(1, 9), st.data())
def test_one_changed_byte_changes_one_digest(height: int, row_bytes: int, data: st.DataObject) -> None:
    image = bytearray(range(256)) * (height * row_bytes // 256 + 1)
    image = image[: height * row_bytes]
    before = strip_digests(image, height, row_bytes)
    position = data.draw(st.integers(0, len(image) - 1))
    image[position] ^= 1
    after = strip_digests(image, height, row_bytes)
    changed = [strip for strip in range(len(before)) if before[strip] != after[strip]]
    assert changed == [position // row_bytes // STRIP_ROWS]


def test_digests_are_plain_sha256_of_the_rows() -> None:
    image = bytes(range(250)) * 13  # 65 rows of 50 bytes
    expected = [hashlib.sha256(image[:3200]).hexdigest(), hashlib.sha256(image[3200:]).hexdigest()]
    for buffer in (image, bytearray(image), memoryview(image), memoryview(image).cast("B", (65, 50))):
        assert strip_digests(buffer, 65, 50) == expected


@pytest.mark.parametrize(
    "other", [(3, 2, "RGB8", "srgb"), (2, 3, "RGBA8", "srgb"), (2, 3, "RGB8", "linear"), (2, 3, "RGB8", "srgb")]
)
def test_the_key_covers_shape_format_and_curve(other: tuple[int, int, str, str]) -> None:
    strips = ["ab" * 32]
    same = other == (2, 3, "RGB8", "srgb")
    assert (image_key(*other, strips) == image_key(2, 3, "RGB8", "srgb", strips)) is same


def test_the_key_covers_the_order_of_strips() -> None:
    assert image_key(1, 128, "GRAY8", "srgb", ["a", "b"]) != image_key(1, 128, "GRAY8", "srgb", ["b", "a"])


def test_strips_that_are_no_digests_still_give_a_key() -> None:
    """The server compares it with the claimed one, whatever a client may send."""
    assert image_key(1, 1, "GRAY8", "srgb", ["é"]).startswith("sha256-")

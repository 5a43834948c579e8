"""Sizes, boxes, the zoomable view, and the planes of the overlay."""

import numpy as np
import pytest

from maskwright_client.coordinates import bounds, intersection
from maskwright_gimp import paint
from maskwright_gimp.geometry import crop, overview_size
from maskwright_gimp.viewport import Viewport
from maskwright_protocol.messages import PixelRect


@pytest.mark.parametrize("size", [(4000, 3000), (3000, 4000), (1025, 777), (6016, 4016), (5000, 3), (1, 9000)])
def test_overview_shows_the_whole_picture_and_nothing_else(size: tuple[int, int]) -> None:
    width, height, scale = overview_size(*size, 1024)
    assert 992 <= max(width, height) <= 1024
    assert min(width, height) >= 1
    assert max(size) * scale == pytest.approx(max(width, height))
    if min(size) * scale >= 1:
        assert abs(min(size) * scale - min(width, height)) < 0.1, "less than a tenth of a pixel is off"


def test_small_pictures_are_not_scaled() -> None:
    assert overview_size(1024, 7, 1024) == (1024, 7, 1.0)


def test_intersection_and_crop() -> None:
    box, other = PixelRect(-2, 1, 5, 4), PixelRect(0, 0, 10, 3)
    inside = intersection(box, other)
    assert inside == PixelRect(0, 1, 3, 2)
    data = np.arange(5 * 4 * 2, dtype=np.uint8).reshape(4, 5, 2)
    assert crop(data.tobytes(), box, inside, 2) == data[0:2, 2:5].tobytes()
    assert crop(bytearray(b"ab"), PixelRect(0, 0, 2, 1), PixelRect(0, 0, 2, 1), 1) == b"ab"
    assert intersection(box, PixelRect(3, 0, 2, 2)).width == 0
    assert bounds([box, other, PixelRect(99, 99, 0, 4)]) == PixelRect(-2, 0, 12, 5)
    assert bounds([]) == PixelRect(0, 0, 0, 0)


def test_view_round_trip_at_every_zoom() -> None:
    view = Viewport(PixelRect(-100, 50, 4000, 3000), 780, 560)
    assert view.scale == pytest.approx(560 / 3000)
    for _ in range(12):
        x, y = view.to_document(123, 45)
        assert view.to_view(x, y) == pytest.approx((123, 45))
        view.zoom(1, 123, 45)
        assert view.to_document(123, 45) == pytest.approx((x, y)), "what is under the pointer stays there"
    view.resize(400, 300)
    assert (view.width, view.height) == (400, 300)


def test_view_cannot_lose_the_picture_and_fits_again() -> None:
    view = Viewport(PixelRect(0, 0, 100, 100), 200, 200)
    view.zoom(3, 0, 0)
    view.pan(1e6, -1e6)
    left, top = view.to_document(100, 100)
    assert 0 <= left <= 100
    assert 0 <= top <= 100
    view.fit()
    assert view.fitted
    assert view.clamp(-5, 120) == (0, 100)
    assert view.inside(0, 99.9)
    assert not view.inside(0, 100)


def test_outline_is_where_neighbours_differ() -> None:
    plane = np.zeros((6, 7), np.uint8)
    plane[2:5, 3:6] = 200
    edges = np.frombuffer(paint.outline(plane.tobytes(), 7), np.uint8).reshape(6, 7)
    hard = plane >= 128
    expected = np.zeros_like(hard)
    expected[:, 1:] |= hard[:, 1:] != hard[:, :-1]
    expected[1:] |= hard[1:] != hard[:-1]
    assert np.array_equal(edges > 0, expected)


def test_overlay_tints_by_the_mask() -> None:
    plane = bytes([0, 60, 60, 60])
    pixels = np.frombuffer(paint.overlay(plane, 4, (1, 2, 3), 100), np.uint8).reshape(4, 4)
    assert (pixels[:, :3] == (1, 2, 3)).all()
    assert list(pixels[:, 3]) == [0, 23, 23, 23]

"""Previews: requests and masks in the overview's pixels, and back."""

import numpy as np

from maskwright_client.ask import PictureSource
from maskwright_client.preview_picture import PreviewPicture, full_preview, scaled
from maskwright_protocol import masks
from maskwright_protocol.messages import Example, PixelRect, Point, PostProcess, Rect, Select


class Large(PictureSource):
    box = PixelRect(-100, 50, 4096, 2048)


def test_a_request_in_the_overviews_pixels() -> None:
    picture = PreviewPicture(Large())
    assert (picture.box, picture.is_smaller) == (PixelRect(0, 0, 1024, 512), True)
    region = masks.pack(PixelRect(-100, 50, 400, 200), b"\xff" * 80_000)
    post = PostProcess(grow=8.0, feather=4.0, smooth=2.0, min_area=160.0, threshold=0.5)
    job = Select("", points=[Point(300.0, 250.0, include=False)], boxes=[Rect(-100, 50, 40, 20)], precise="on",
                 examples=[Example(0, 50, 4, 8, include=False)], post=post, region=region, mask_depth=16)  # fmt: skip
    small = picture.job(job)
    assert small.points == [Point(100.0, 50.0, include=False)]
    assert small.boxes == [Rect(0, 0, 10, 5)]
    assert small.examples == [Example(25, 0, 1, 2, include=False)]
    assert (small.post.grow, small.post.feather, small.post.smooth) == (2.0, 1.0, 0.5)
    assert (small.post.min_area, small.post.threshold) == (10.0, 0.5)
    assert (small.precise, small.mask_depth) == ("off", 8)
    assert small.region is not None
    assert small.region.box == PixelRect(0, 0, 100, 50)
    assert set(bytes(masks.unpack(small.region))) == {255}
    assert job.points == [Point(300.0, 250.0, include=False)], "the request itself stays"


def test_masks_lie_where_they_are_in_the_document() -> None:
    found = PreviewPicture(Large()).preview(masks.pack(PixelRect(10, 20, 2, 1), b"\x01\x02"))
    assert (found.data, found.place) == (b"\x01\x02", Rect(-60.0, 130.0, 8.0, 4.0))


def test_deep_masks_are_shown_in_8_bits() -> None:
    found = full_preview(masks.pack(PixelRect(3, 4, 2, 1), b"\x34\x12\xff\xff", 16))
    assert (found.data, found.place) == (b"\x12\xff", Rect(3, 4, 2, 1))


def test_planes_are_scaled_to_the_nearest_pixel() -> None:
    plane = np.random.default_rng(1).integers(0, 256, (7, 11), np.uint8)
    for height, width in ((7, 11), (3, 4), (1, 1), (14, 22), (2, 30)):
        rows = ((2 * np.arange(height) + 1) * 7) // (2 * height)
        columns = ((2 * np.arange(width) + 1) * 11) // (2 * width)
        assert scaled(plane.tobytes(), 11, 7, width, height) == plane[np.ix_(rows, columns)].tobytes()


def test_a_small_picture_is_its_own_preview() -> None:
    class Small(PictureSource):
        box = PixelRect(0, 0, 300, 200)

    assert not PreviewPicture(Small()).is_smaller

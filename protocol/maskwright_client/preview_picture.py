"""A picture as if its document were no larger than the overview that the server looks at.

A mask of twelve million pixels costs more to make, send and draw than the model takes. No model sees more than the
overview, and no screen shows more of a whole picture: so previews are asked for in the overview's own pixels, with the
same key, and the full mask only when it goes into the document.
"""

from dataclasses import replace
from operator import itemgetter
from typing import NamedTuple

from maskwright_protocol import masks
from maskwright_protocol.messages import Example, Mask, PixelRect, Point, PostProcess, Rect, Select, Stroke

from .ask import PictureSource, RasterData, Steps


class Preview(NamedTuple):
    """A mask to look at: ``data`` has one byte for each pixel of ``box``, and covers ``place`` of the document."""

    box: PixelRect
    data: bytes
    place: Rect

    @property
    def area(self) -> float:
        """Of what is at least half selected, in square pixels of the document."""
        inside = self.data.translate(_INSIDE).count(1)
        return inside * self.place.width * self.place.height / max(1, self.box.width * self.box.height)

    def shows(self, x: float, y: float) -> bool:
        """Whether a place of the document is at least half selected."""
        column = int((x - self.place.x) * self.box.width // self.place.width) if self.place.width else -1
        row = int((y - self.place.y) * self.box.height // self.place.height) if self.place.height else -1
        inside = 0 <= column < self.box.width and 0 <= row < self.box.height
        return inside and self.data[row * self.box.width + column] > 127


_INSIDE = bytes(value > 127 for value in range(256))


def full_preview(mask: Mask) -> Preview:
    """A mask in the document's own pixels, as it is; of 16 bits the upper 8."""
    box, data = mask.box, bytes(masks.unpack(mask))
    return Preview(box, data[1::2] if mask.depth == 16 else data, Rect(box.x, box.y, box.width, box.height))


class PreviewPicture(PictureSource):
    """``across`` and ``down``: how many of its pixels are one of the document's."""

    def __init__(self, picture: PictureSource) -> None:
        self.picture = picture
        width, height = picture.overview_size()
        self.box = PixelRect(0, 0, width, height)
        self.across = width / picture.box.width
        self.down = height / picture.box.height

    @property
    def is_smaller(self) -> bool:
        return (self.box.width, self.box.height) != (self.picture.box.width, self.picture.box.height)

    def prepare(self) -> Steps:
        return (yield from self.picture.prepare())

    def overview(self) -> RasterData:
        found = self.picture.overview()
        return replace(found, raster=replace(found.raster, box=self.box))

    def job(self, job: Select) -> Select:
        """The same request in this picture's pixels. It looks at nothing closely: there are no more pixels to see."""
        return replace(
            job,
            precise="off",
            mask_depth=8,
            points=[self.point(point) for point in job.points],
            strokes=[self._stroke(one) for one in job.strokes],
            boxes=[self.rect(box) for box in job.boxes],
            examples=[self._example(one) for one in job.examples],
            post=self._post(job.post),
            region=None if job.region is None else self._region(job.region),
        )

    def point(self, point: Point) -> Point:
        outer = self.picture.box
        return Point((point.x - outer.x) * self.across, (point.y - outer.y) * self.down, point.include)

    def _stroke(self, one: Stroke) -> Stroke:
        outer, path = self.picture.box, list(one.path)
        path[0::2] = [(x - outer.x) * self.across for x in path[0::2]]
        path[1::2] = [(y - outer.y) * self.down for y in path[1::2]]
        return replace(one, path=path, width=one.width * self.across)

    def rect(self, rect: Rect) -> Rect:
        corner = self.point(Point(rect.x, rect.y))
        return Rect(corner.x, corner.y, rect.width * self.across, rect.height * self.down)

    def _example(self, one: Example) -> Example:
        box = self.rect(Rect(one.x, one.y, one.width, one.height))
        return Example(box.x, box.y, box.width, box.height, one.include)

    def _post(self, post: PostProcess) -> PostProcess:
        """Lengths and areas in its own pixels."""
        by, area = (self.across + self.down) / 2, self.across * self.down
        return replace(
            post,
            grow=post.grow * by,
            feather=post.feather * by,
            smooth=post.smooth * by,
            min_area=post.min_area * area,
            max_hole_area=post.max_hole_area * area,
        )

    def _region(self, mask: Mask) -> Mask:
        """A mask of the document in its own pixels: for each of them the nearest."""
        full = full_preview(mask)
        box = self.rect(full.place)
        width, height = max(1, round(box.width)), max(1, round(box.height))
        data = scaled(full.data, full.box.width, full.box.height, width, height)
        return masks.pack(PixelRect(round(box.x), round(box.y), width, height), data, compress=False)

    def preview(self, mask: Mask) -> Preview:
        """A mask in its pixels, and where in the document that lies."""
        full = full_preview(mask)
        return Preview(full.box, full.data, in_document(full.box, self.box.width, self.box.height, self.picture.box))


def in_document(box: PixelRect, width: int, height: int, shown: PixelRect) -> Rect:
    """Where a box of an overview of ``width`` x ``height``, which shows ``shown`` of the document, lies in that."""
    across, down = shown.width / width, shown.height / height
    return Rect(shown.x + box.x * across, shown.y + box.y * down, box.width * across, box.height * down)


def scaled(data: bytes, width: int, height: int, out_width: int, out_height: int) -> bytes:
    """A plane of one byte a pixel at another size; each new pixel is the old one that its middle lies in."""
    columns = [(2 * x + 1) * width // (2 * out_width) for x in range(out_width)]
    take = itemgetter(slice(columns[0], columns[0] + 1)) if out_width == 1 else itemgetter(*columns)
    tops = ((2 * y + 1) * height // (2 * out_height) * width for y in range(out_height))
    return b"".join([bytes(take(data[top : top + width])) for top in tops])

"""A picture as if its document were no larger than the overview that the server looks at.

A mask of twelve million pixels costs more to make, send and draw than the model takes. No model sees more than the
overview, and no screen shows more of a whole picture: so previews are asked for in the overview's own pixels, with the
same key, and the full mask only when it goes into the document.
"""

from dataclasses import replace
from typing import Any, Generator

from maskwright_client.ask import PictureSource, RasterData
from maskwright_protocol.messages import Example, PixelRect, Point, PostProcess, Rect

from .pictures import Picture
from .planes import Plane, scaled


class Sketch(PictureSource):
    """``across`` and ``down``: how many of its pixels are one of the document's."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        width, height = picture.overview_size()
        self.box = PixelRect(0, 0, width, height)
        self.across = width / picture.box.width
        self.down = height / picture.box.height

    @property
    def is_smaller(self) -> bool:
        return (self.box.width, self.box.height) != (self.picture.box.width, self.picture.box.height)

    def prepare(self) -> Generator[Any, None, None]:
        yield from self.picture.prepare()

    def overview(self) -> RasterData:
        found = self.picture.overview()
        return replace(found, raster=replace(found.raster, box=self.box))

    # ------------------------------------------------------------ to and fro

    def point(self, point: Point) -> Point:
        outer = self.picture.box
        return Point((point.x - outer.x) * self.across, (point.y - outer.y) * self.down, point.include)

    def rect(self, rect: Rect) -> Rect:
        start = self.point(Point(rect.x, rect.y))
        return Rect(start.x, start.y, rect.width * self.across, rect.height * self.down)

    def example(self, one: Example) -> Example:
        box = self.rect(Rect(one.x, one.y, one.width, one.height))
        return Example(box.x, box.y, box.width, box.height, one.include)

    def plane(self, plane: Plane) -> Plane:
        """A mask of the document, scaled."""
        box = plane.box
        corner = self.point(Point(box.x, box.y))
        width, height = max(1, round(box.width * self.across)), max(1, round(box.height * self.down))
        return scaled(plane, PixelRect(round(corner.x), round(corner.y), width, height))

    def post(self, post: PostProcess) -> PostProcess:
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

    def in_document(self, box: PixelRect) -> Rect:
        """Where a box of it lies in the document."""
        outer = self.picture.box
        return Rect(
            outer.x + box.x / self.across, outer.y + box.y / self.down, box.width / self.across, box.height / self.down
        )

"""The same questions as the plug-in's, asked from outside GIMP: what the plug-in must show, pixel by pixel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright_client import ask
from maskwright_client.client import Client
from maskwright_protocol import masks
from maskwright_protocol.messages import Job, Mask, PixelRect

Plane = NDArray[Any]


class Pixels(ask.PictureSource):
    """``data`` is ``(height, width, channels)`` uint8 and lies at ``(x, y)`` of the document; small enough not to
    be scaled."""

    def __init__(self, data: Plane, x: int = 0, y: int = 0) -> None:
        assert max(data.shape[:2]) <= ask.PROXY_SIDE
        self.data = np.ascontiguousarray(data)
        self.box = PixelRect(x, y, data.shape[1], data.shape[0])

    def _part(self, box: PixelRect) -> ask.RasterData:
        left, top = box.x - self.box.x, box.y - self.box.y
        part = np.ascontiguousarray(self.data[top : top + box.height, left : left + box.width])
        name = {1: "GRAY", 2: "GRAYA", 3: "RGB", 4: "RGBA"}[part.shape[2]] + str(8 * part.dtype.itemsize)
        return ask.raster_data(part.tobytes(), box.width, box.height, name, box)

    def overview(self) -> ask.RasterData:
        return self._part(self.box)

    def detail(self, box: PixelRect) -> ask.RasterData:
        return self._part(box)


def answer(client: Client, job: Job, source: ask.PictureSource) -> Any:
    job.id = ""
    return ask.run(ask.answer(client, job, source))


def plane(mask: Mask | None, width: int, height: int, x: int = 0, y: int = 0) -> Plane:
    """The mask in a plane of that size whose origin is document pixel ``(x, y)``."""
    assert mask is not None
    kind = np.uint8 if mask.depth == 8 else np.dtype("<u2")
    return np.frombuffer(bytes(masks.place(mask, width, height, x, y)), kind).reshape(height, width)

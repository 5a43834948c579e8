"""What the server is shown: an overview of the source, and parts of it at full resolution when it asks for them.

Reading happens on the GUI thread in slices of a few milliseconds; naming large pixel buffers (hashing) in a thread.
"""

from typing import Any, Dict, Tuple

from maskwright_client.ask import PictureSource, RasterData, Steps, raster_data
from maskwright_client.steps import background
from maskwright_protocol.messages import PixelRect

from .editor import planes
from .editor.tasks import Slice


class Picture(PictureSource):
    """One state of a source; steps prepare what ``overview`` and ``detail`` then tell."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader
        self.box: PixelRect = reader.box
        self._overview: Any = None
        self._details: Dict[Tuple[int, int, int, int], RasterData] = {}

    def prepare(self) -> Steps:
        """Read the overview, unless that was done."""
        if self._overview is not None:
            return
        try:
            yield from self._read_overview()
        finally:
            self.reader.release()

    def _read_overview(self) -> Steps:
        box = self.box
        out_width, out_height = self.overview_size()
        out_rows = max(1, min(out_height, self.reader.band_pixels * out_height // (box.width * box.height)))
        yield from self._begin()
        parts = []
        turn = Slice()
        for out_top, count in planes.bands(out_height, out_rows):
            top = out_top * box.height // out_height
            bottom = (out_top + count) * box.height // out_height
            data = self.reader.band(box.x, box.y + top, box.width, bottom - top)
            parts.append(planes.shrink_band(data, box.width, bottom - top, out_width, count))
            if turn.over():
                yield None
                turn.begin()
        self._overview = raster_data(b"".join(parts), out_width, out_height, "BGRA8", box)

    def _begin(self) -> Steps:
        """What the reader needs, in a slice of its own."""
        if not self.reader.direct:
            yield None
            self.reader.begin()
        yield None

    def prepare_detail(self, box: PixelRect) -> Steps:
        """Read a part at full resolution."""
        rows = max(1, self.reader.band_pixels // max(1, box.width))
        parts = []
        turn = Slice()
        try:
            yield from self._begin()
            turn.begin()
            for top, count in planes.bands(box.height, rows):
                parts.append(self.reader.band(box.x, box.y + top, box.width, count))
                if turn.over():
                    yield None
                    turn.begin()
        finally:
            self.reader.release()

        def name() -> RasterData:
            return raster_data(b"".join(parts), box.width, box.height, "BGRA8", box)

        self._details[_key(box)] = yield background(name)

    @property
    def key(self) -> str:
        """Names what the overview shows; prepared ones only."""
        return self.overview().raster.key

    def overview(self) -> RasterData:
        assert self._overview is not None, "prepare() was not run"
        return self._overview

    def detail(self, box: PixelRect) -> RasterData:
        return self._details[_key(box)]


def _key(box: PixelRect) -> Tuple[int, int, int, int]:
    return box.x, box.y, box.width, box.height

"""Reading: a layer, a layer with its effects, or the visible image, in bands of 8-bit BGRA.

Krita's document is never converted; bands of other depths and colour models are converted on a node of their own.
"""

from typing import List, Optional, Tuple, Union

from krita import Document, Node

from maskwright_client.choices import EMPTY_LAYER
from maskwright_client.coordinates import bounds, intersection
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PixelRect

from . import app
from .qt import QByteArray, QImage, QRect, QTimer

SRGB = "sRGB-elle-V2-srgbtrc.icc"
OWN_PIXELS = ("paintlayer",)
NO_PIXELS = ("filterlayer",)
# How far a layer may reach outside the canvas and still be read whole, in canvas areas.
MAX_AREAS = 8


def rect(box: QRect) -> PixelRect:
    return PixelRect(box.x(), box.y(), box.width(), box.height())


class Reader:
    """Reads one source of one document. ``box`` is its extent, ``canvas`` the document's; ``notes`` say what is read in
    place of something else, ``details`` what had to be converted."""

    def __init__(
        self, document: Document, node: Node, source: str, whole: bool = False, or_visible: bool = False
    ) -> None:
        """``whole`` includes what the layer has outside the canvas; with ``or_visible`` the visible image is read in
        place of an empty layer, and ``notes`` say so. Else raises ``Problem`` for an empty source."""
        self.document = document
        self.node = node
        self.source = "image" if node.type() in NO_PIXELS else source
        self.canvas = canvas = PixelRect(0, 0, document.width(), document.height())
        self.box = canvas
        self.notes: List[str] = []
        self.details: List[str] = []
        if self.source != "image":
            extent = rect(node.bounds())
            if self.source == "effects" and node.type() != "grouplayer":
                # Masks and styles may reach beyond the painted pixels, but seldom beyond the canvas.
                extent = bounds([extent, intersection(extent, canvas)])
            huge = extent.width * extent.height > MAX_AREAS * canvas.width * canvas.height
            self.box = extent if whole and not huge else intersection(extent, canvas)
            empty = self.box.width < 1 or self.box.height < 1
            if empty and or_visible:
                self.source, self.box = "image", canvas
                self.notes.append(EMPTY_LAYER)
            elif empty:
                raise app.Problem(
                    tr('The layer "{0}" is empty here.', node.name()),
                    tr('Choose another layer, or let Maskwright look at the "Visible image".'),
                )
        self._projection = self.source != "layer" or node.type() not in OWN_PIXELS
        self._bench: Optional[Bench] = None
        self._take_space(document if self.source == "image" else node)

    def _take_space(self, holder: Union[Document, Node]) -> None:
        self.space = (holder.colorModel(), holder.colorDepth(), holder.colorProfile())
        self.direct = self.space[:2] == ("RGBA", "U8")
        if not self.direct:
            text = tr("Converted a copy of the pixels from {0} to 8-bit sRGB for the model.", self._space_name())
            self.details.append(text)

    def _space_name(self) -> str:
        models = {"RGBA": "RGB", "GRAYA": tr("gray"), "CMYKA": "CMYK", "LABA": "Lab", "A": tr("alpha")}
        depths = {"U8": "8-bit", "U16": "16-bit", "F16": "16-bit float", "F32": "32-bit float"}
        return f"{depths.get(self.space[1], self.space[1])} {models.get(self.space[0], self.space[0])}"

    def raw(self, x: int, y: int, width: int, height: int) -> bytes:
        """Pixels of a part of the document in the source's own colour space; 0 where there are none."""
        if self.source == "image":
            return self.document.pixelData(x, y, width, height).data()
        if self._projection:
            return self.node.projectionPixelData(x, y, width, height).data()
        return self.node.pixelData(x, y, width, height).data()

    def band(self, x: int, y: int, width: int, height: int) -> bytes:
        """The same as BGRA8."""
        data = self.raw(x, y, width, height)
        if self.direct:
            return data
        return self.convert(data, width, height)

    def begin(self) -> None:
        """Make ready what converting needs; that takes Krita long enough for a slice of its own."""
        if not self.direct and self._bench is None:
            self._bench = Bench(self.space)

    def convert(self, data: bytes, width: int, height: int) -> bytes:
        """Pixels of the source's colour space as BGRA8, by Krita's colour management."""
        self.begin()
        assert self._bench is not None
        node = self._bench.node("conversion")
        node.setPixelData(QByteArray(data), 0, 0, width, height)
        node.setColorSpace("RGBA", "U8", SRGB)
        return node.pixelData(0, 0, width, height).data()

    def release(self) -> None:
        """Close what ``convert`` needed."""
        if self._bench is not None:
            self._bench.close()
            self._bench = None

    @property
    def band_pixels(self) -> int:
        """How many pixels to read at once so that it takes some milliseconds."""
        return 262_144 if self.direct else 32_768


class Bench:
    """A document that nobody sees, to work on nodes: converting a node, or adding one to a group, is an undo step of
    the node's document even while the node is not part of the image."""

    def __init__(self, space: Tuple[str, str, str], width: int = 16, height: int = 16) -> None:
        self.document = app.krita().createDocument(width, height, "maskwright", *space, 72.0)

    def node(self, name: str) -> Node:
        node = self.document.createNode(name, "paintlayer")
        if node is None:
            raise app.Problem(tr("Krita could not create a layer."))
        return node

    def close(self) -> None:
        """In a slice of its own: opening or closing a document takes Krita 50 ms, however small it is."""
        QTimer.singleShot(0, self._close)

    def _close(self) -> None:
        self.document.waitForDone()
        self.document.setModified(False)
        self.document.close()


def new_node(document: Document, name: str, space: Tuple[str, str, str]) -> Node:
    """A paint layer of that colour space which is not part of the image yet."""
    if (document.colorModel(), document.colorDepth(), document.colorProfile()) == space:
        node = document.createNode(name, "paintlayer")
        if node is None:
            raise app.Problem(tr("Krita could not create a layer."))
        return node
    bench = Bench(space)
    try:
        return bench.node(name).duplicate()
    finally:
        bench.close()


def thumbnail(reader: Reader, side: int) -> Optional[QImage]:
    """A small picture of the source, for lists."""
    if reader.source == "image":
        return reader.document.thumbnail(side, side)
    return reader.node.thumbnail(side, side)

"""The frames of an animated layer: reading one, and a copy of the layer whose frames are made anew."""

from typing import List, NamedTuple, Optional

from krita import Document, Node

from maskwright_client.ask import Steps
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PixelRect

from . import app, planes
from .layers import fill
from .pixels import OWN_PIXELS, Bench, Reader, rect
from .planes import Plane
from .qt import QByteArray
from .tasks import Slice


class Frame(NamedTuple):
    """What a frame of the copy shows: of the source what the plane says, or the given colours."""

    plane: Plane
    colours: Optional[Plane] = None


def times_of(document: Document, node: Node) -> List[int]:
    """Where the layer has frames. Raises ``Problem`` for a layer without any."""
    if node.type() not in OWN_PIXELS:
        raise app.Problem(tr('The layer "{0}" is no paint layer.', node.name()), tr("Choose an animated paint layer."))
    last = max(document.fullClipRangeEndTime(), document.animationLength())
    found = [time for time in range(last + 1) if node.hasKeyframeAtTime(time)] if node.animated() else []
    if not found:
        raise app.Problem(
            tr('The layer "{0}" has no frames.', node.name()), tr("Choose an animated layer in the Layers panel.")
        )
    return found


class FrameReader(Reader):
    """Reads one frame of a paint layer, wherever the playhead is; within the canvas."""

    def __init__(self, document: Document, node: Node, time: int) -> None:
        self.document, self.node, self.time = document, node, time
        self.source = "layer"
        self.box = self.canvas = PixelRect(0, 0, document.width(), document.height())
        self._projection = False
        self._bench = None
        self.notes, self.details = [], []
        self._take_space(node)

    def raw(self, x: int, y: int, width: int, height: int) -> bytes:
        return self.node.pixelDataAtTime(x, y, width, height, self.time).data()


class AnimatedCopies:
    """Copies of an animated layer in a document that nobody sees; there their frames are filled, and together they are
    added to the image in one undo step."""

    def __init__(self, document: Document, node: Node, names: List[str]) -> None:
        self._document, self._node, self._names = document, node, names
        self._bench: Optional[Bench] = None
        self._copies: List[Node] = []

    def open(self) -> Steps:
        yield None  # opening a document takes Krita long enough for a slice of its own
        document, node = self._document, self._node
        space = (node.colorModel(), node.colorDepth(), node.colorProfile())
        self._bench = Bench(space, document.width(), document.height())
        hidden = self._bench.document
        hidden.setFullClipRangeEndTime(max(document.fullClipRangeEndTime(), document.animationLength()))
        for name in self._names:
            copy = node.duplicate()
            copy.setName(name)
            hidden.rootNode().addChildNode(copy, None)
            self._copies.append(copy)
            yield None
        hidden.waitForDone()

    def put(self, time: int, reader: Reader, frames: List[Optional[Frame]]) -> Steps:
        """Steps that give each copy its frame at that time; None empties it."""
        assert self._bench is not None
        hidden = self._bench.document
        hidden.setCurrentTime(time)
        hidden.waitForDone()
        for copy, frame in zip(self._copies, frames):
            yield from _clear(copy)
            if frame is not None and frame.plane.data:
                yield from fill(reader, copy, frame.plane, frame.colours)
        reader.release()
        hidden.waitForDone()

    def add(self, name: str) -> Steps:
        """Steps that add the copies above the layer, several in a group: one undo step."""
        assert self._bench is not None
        hidden = self._bench.document
        whole = self._copies[0]
        if len(self._copies) > 1:
            whole = hidden.createGroupLayer(name)
            hidden.rootNode().addChildNode(whole, None)
            for copy in self._copies:
                copy.remove()
                whole.addChildNode(copy, None)
            hidden.waitForDone()
        yield None
        whole = whole.duplicate()
        yield None
        if not app.is_open(self._document):
            raise app.Problem(tr("The document was closed meanwhile."))
        app.parent_of(self._document, self._node).addChildNode(whole, self._node)

    def close(self) -> None:
        if self._bench is not None:
            self._bench.close()
            self._bench = None


def _clear(node: Node) -> Steps:
    box = rect(node.bounds())
    if box.width < 1 or box.height < 1:
        return
    empty = len(node.pixelData(box.x, box.y, 1, 1).data())
    turn = Slice()
    for top, count in planes.bands(box.height, max(1, 262_144 // box.width)):
        node.setPixelData(QByteArray(bytes(box.width * count * empty)), box.x, box.y + top, box.width, count)
        if turn.over():
            yield None
            turn.begin()

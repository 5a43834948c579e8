"""New layers and masks. Each is filled while it is outside the image, then added in one undo step."""

from typing import List, NamedTuple, Optional, Tuple

from krita import Document, Node

from maskwright_client.ask import Steps
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PixelRect

from . import app, planes, shapes
from .alpha import with_alpha
from .pixels import SRGB, Bench, Reader, new_node
from .planes import Plane
from .qt import QByteArray
from .selections import from_plane
from .tasks import Slice

COLOURS = ("RGBA", "U8", SRGB)


def add_transparency_mask(document: Document, node: Node, plane: Plane, name: str) -> None:
    """One undo step. Raises ``Problem`` for a locked layer."""
    app.check_unlocked(node)
    mask = document.createTransparencyMask(name)
    mask.setSelection(from_plane(plane))
    node.addChildNode(mask, None)


def add_selection_mask(document: Document, node: Node, plane: Plane, name: str) -> None:
    app.check_unlocked(node)
    mask = document.createSelectionMask(name)
    mask.setSelection(from_plane(plane))
    node.addChildNode(mask, None)


def fill(reader: Reader, node: Node, plane: Plane, colours: Optional[Plane]) -> Steps:
    """Steps that copy the source into a node of the same colour space, as transparent as ``plane`` says.

    ``colours`` (BGRA8 of a box that holds the plane's) replaces the source's own; the node is 8-bit RGB
    then.
    """
    box = plane.box
    rows = max(1, reader.band_pixels // max(1, box.width))
    turn = Slice()
    for top, count in planes.bands(box.height, rows):
        mask = plane.data[top * box.width : (top + count) * box.width]
        if not any(mask):
            continue
        y = box.y + top
        if colours is not None:
            data = with_alpha(_rows_of(colours, PixelRect(box.x, y, box.width, count)), mask, "U8")
            node.setPixelData(QByteArray(data), box.x, y, box.width, count)
            if turn.over():
                yield None
                turn.begin()
            continue
        data = reader.raw(box.x, y, box.width, count)
        small = data if reader.direct else reader.convert(data, box.width, count)
        opacity = small[3::4]
        if opacity.count(255) != len(opacity):
            mask = planes.multiply(opacity, mask, box.width, count)
        node.setPixelData(QByteArray(with_alpha(data, mask, reader.space[1])), box.x, y, box.width, count)
        if turn.over():
            yield None
            turn.begin()


def _rows_of(colours: Plane, box: PixelRect) -> bytes:
    """A part of a BGRA8 buffer whose box may be larger."""
    outer = colours.box
    if (outer.x, outer.width) == (box.x, box.width):
        start = (box.y - outer.y) * outer.width * 4
        return bytes(colours.data[start : start + box.height * outer.width * 4])
    left = (box.x - outer.x) * 4
    parts = []
    for row in range(box.y - outer.y, box.y - outer.y + box.height):
        start = row * outer.width * 4 + left
        parts.append(bytes(colours.data[start : start + box.width * 4]))
    return b"".join(parts)


def cut_layer(reader: Reader, plane: Plane, name: str, colours: Optional[Plane] = None) -> Steps:
    """Steps that add a copy of the source, as transparent as the mask says, above it: one undo step. Given colours make
    an 8-bit RGB layer of it."""
    document, node = reader.document, reader.node
    new = new_node(document, name, reader.space if colours is None or reader.direct else COLOURS)
    try:
        yield from fill(reader, new, plane, colours)
    finally:
        reader.release()
    yield None  # adding takes Krita long enough for a slice of its own
    if not app.is_open(document):
        raise app.Problem(tr("The document was closed meanwhile."))
    app.parent_of(document, node).addChildNode(new, node)


class Part(NamedTuple):
    """A layer of a group: of the source what the plane says, or the given colours as in ``fill``."""

    label: str
    reader: Reader
    plane: Plane
    colours: Optional[Plane] = None


def instance_layers(reader: Reader, parts: List[Tuple[str, Plane]], name: str) -> Steps:
    """Steps that add a group with one cut layer for each part above the source: one undo step."""
    made = [Part(label, reader, plane) for label, plane in parts]
    yield from group_layers(reader.document, reader.node, made, name)


def group_layers(document: Document, above: Node, parts: List[Part], name: str) -> Steps:
    """Steps that add a group with one cut layer for each part above a layer: one undo step.

    Adding a layer to a group is an undo step even when the group is outside the image; therefore the group is put
    together in a document that nobody sees, and its copy is added.
    """
    yield None  # opening a document takes Krita long enough for a slice of its own
    space = (document.colorModel(), document.colorDepth(), document.colorProfile())
    bench = Bench(space, document.width(), document.height())
    yield None
    try:
        group = bench.document.createGroupLayer(name)
        for number, (label, reader, plane, colours) in enumerate(parts):
            own = reader.space if colours is None or reader.direct else COLOURS
            new = new_node(bench.document, label, own)
            yield from fill(reader, new, plane, colours)
            reader.release()
            new.setColorLabel(shapes.colour_label(number))
            group.addChildNode(new, None)
        bench.document.waitForDone()
        yield None
        whole = group.duplicate()
        yield None
        if not app.is_open(document):
            raise app.Problem(tr("The document was closed meanwhile."))
        app.parent_of(document, above).addChildNode(whole, above)
    finally:
        for part in parts:
            part.reader.release()
        bench.close()

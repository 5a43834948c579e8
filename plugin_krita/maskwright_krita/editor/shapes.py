"""New layers that are no copies of pixels: outlines as shapes, flat colours by layer, a picture of flat colours."""

from typing import Any, Callable, List, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from krita import Document, InfoObject, Node

from maskwright_client.ask import Steps
from maskwright_client.findings import COLOURS
from maskwright_protocol.language import tr

from . import app, planes
from .pixels import SRGB, Bench, new_node
from .planes import Plane
from .qt import QByteArray
from .selections import from_plane
from .tasks import Slice

_LABELS = (1, 4, 2, 7, 6, 8, 3, 5)  # Krita's colour labels that come nearest to ``COLOURS``

_LONGEST_MS = 3000  # until something is drawn


class Coloured(NamedTuple):
    """What gets a colour by its place among others; ``plane`` and ``path`` (data of an SVG path) show it."""

    label: str
    plane: Plane
    path: str = ""


def colour_label(number: int) -> int:
    """Krita's colour label for the thing of that number, from 0."""
    return _LABELS[number % len(_LABELS)]


def _colour(number: int) -> str:
    return "#{:02x}{:02x}{:02x}".format(*COLOURS[number % len(COLOURS)])


def vector_layer(document: Document, above: Node, things: List[Coloured], name: str) -> Steps:
    """Steps that add a vector layer with a shape for each thing above a layer: one undo step."""

    def make(bench: Bench) -> Steps:
        # Made by the image that it will belong to, filled where nobody sees it: shapes in an image are an undo step.
        layer = document.createVectorLayer(name)
        bench.document.rootNode().addChildNode(layer, None)
        bench.document.waitForDone()
        yield None
        layer.addShapesFromSvg(_svg(document, things))
        bench.document.refreshProjection()
        yield from _drawn(layer, things[0].plane)
        return layer

    yield from _add(document, above, make)


def _drawn(layer: Node, plane: Plane) -> Steps:
    """Steps that wait until a layer shows something: Krita draws shapes and fills a little later, and a copy has what
    was drawn."""
    data, box = bytes(plane.data), plane.box
    place = data.find(max(data))
    x, y = box.x + place % box.width, box.y + place // box.width
    for _ in range(_LONGEST_MS // 10):
        if any(layer.projectionPixelData(x, y, 1, 1).data()):
            return
        yield 10


def _svg(document: Document, things: List[Coloured]) -> str:
    size = 'width="{0}px" height="{1}px" viewBox="0 0 {0} {1}"'.format(document.width(), document.height())
    shapes = [
        f'<path id={quoteattr(one.label)} d="{one.path}" fill="{_colour(number)}" fill-rule="evenodd" stroke="none">'
        f"<title>{escape(one.label)}</title></path>"
        for number, one in enumerate(things)
        if one.path
    ]
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(shapes)}</svg>'


def fill_layers(document: Document, above: Node, things: List[Coloured], name: str) -> Steps:
    """Steps that add a group with a layer of flat colour for each thing above a layer: one undo step."""

    def make(bench: Bench) -> Steps:
        group = bench.document.createGroupLayer(name)
        bench.document.rootNode().addChildNode(group, None)
        made: List[Node] = []
        for number, one in enumerate(things):
            flat = InfoObject()
            flat.setProperty("color", _colour(number))
            layer = bench.document.createFillLayer(one.label, "color", flat, from_plane(one.plane))
            if layer is None:
                raise app.Problem(tr("Krita could not create a layer."))
            layer.setColorLabel(colour_label(number))
            group.addChildNode(layer, None)
            made.append(layer)
            yield None
        bench.document.refreshProjection()
        for layer, one in zip(made, things):
            yield from _drawn(layer, one.plane)
        return group

    yield from _add(document, above, make)


def _add(document: Document, above: Node, make: Callable[[Bench], Steps]) -> Steps:
    """Steps that add a copy of what others make on a bench above a layer, in one undo step."""
    yield None  # opening a document takes Krita long enough for a slice of its own
    space = (document.colorModel(), document.colorDepth(), document.colorProfile())
    bench = Bench(space, document.width(), document.height())
    try:
        bench.document.setXRes(document.xRes())
        bench.document.setYRes(document.yRes())
        yield None
        made = yield from make(bench)
        bench.document.waitForDone()
        yield None
        whole = made.duplicate()
        yield None
        if not app.is_open(document):
            raise app.Problem(tr("The document was closed meanwhile."))
        app.parent_of(document, above).addChildNode(whole, above)
    finally:
        bench.close()


def colour_layer(document: Document, lines: Node, colours: Plane, name: str, see_through: bool) -> Steps:
    """Steps that add opaque colours (BGRA8 of a box) to a drawing, in one undo step: below its ``lines`` where they are
    ``see_through``, else above them as a layer that multiplies, since nothing below would be seen. They end with
    whether it is below."""
    new = new_node(document, name, ("RGBA", "U8", SRGB))
    turn = Slice()
    box = colours.box
    for top, count in planes.bands(box.height, max(1, 262_144 // max(1, box.width))):
        rows = colours.data[top * box.width * 4 : (top + count) * box.width * 4]
        new.setPixelData(QByteArray(bytes(rows)), box.x, box.y + top, box.width, count)
        if turn.over():
            yield None
            turn.begin()
    yield None
    if not app.is_open(document):
        raise app.Problem(tr("The document was closed meanwhile."))
    parent = app.parent_of(document, lines)
    below = _below(parent, lines)
    if see_through and below is not None:
        parent.addChildNode(new, below)
        return True
    new.setBlendingMode("multiply")
    parent.addChildNode(new, lines)
    return False


def _below(parent: Node, node: Node) -> Any:
    """The layer right below another; None for the lowest."""
    others: List[Node] = [one for one in parent.childNodes() if one.type() not in app.MASK_TYPES]
    place = next((i for i, one in enumerate(others) if one == node), 0)
    return others[place - 1] if place else None

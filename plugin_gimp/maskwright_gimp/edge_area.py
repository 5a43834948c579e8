"""The picture while an edge is worked on: the selection in one of several views, and the edge brush."""

from typing import Any, Callable, List, Optional, Tuple

from gi.repository import Gdk

from maskwright_client import edge_views
from maskwright_client.edge_settings import brush_of
from maskwright_client.preview_picture import Preview
from maskwright_protocol.messages import EdgeStroke, PixelRect, Rect

from .picture_area import PictureArea, wheel
from .screen import Screen

DIVIDER = (255, 255, 255)
WIDEST = 400.0


class EdgeArea(PictureArea):
    """Callbacks: ``on_look(visible, scale)`` when another part is seen, ``on_paint(kind, x, y)`` where the brush comes
    down, ``on_extend(x, y)`` where it goes, ``on_lift()`` and ``on_width(width)`` (Shift with the wheel). Ctrl or the
    right button paints with the brush's opposite."""

    def __init__(self, buffer: Any, box: PixelRect, width: int, height: int) -> None:
        super().__init__(buffer, box, width, height)
        self.on_look: Callable[[Rect, float], None] = lambda visible, scale: None
        self.on_paint: Callable[[str, float, float], None] = lambda kind, x, y: None
        self.on_extend: Callable[[float, float], None] = lambda x, y: None
        self.on_lift: Callable[[], None] = lambda: None
        self.on_width: Callable[[float], None] = lambda width: None
        self.brush, self.brush_width = "hair", 40.0  # in the document's pixels
        self.split = False  # the left half shows the picture alone
        self._view = edge_views.VIEWS[0]
        self._preview: Optional[Preview] = None
        self._strokes: List[EdgeStroke] = []
        self._coloured: Optional[bytes] = None
        self._painting = False
        self._over: Optional[Tuple[float, float]] = None  # where the pointer is, in the document
        self.on_hover = self._hover

    def show_view(self, name: str) -> None:
        self._view, self._coloured = edge_views.view_named(name), None
        self.queue()

    def show_preview(self, preview: Optional[Preview]) -> None:
        self._preview, self._coloured = preview, None
        self.queue()

    def show_strokes(self, strokes: List[EdgeStroke]) -> None:
        self._strokes = strokes
        self.queue()

    # ------------------------------------------------------------ drawing

    def draw_more(self, drawn: Screen) -> None:
        super().draw_more(drawn)
        middle = drawn.width // 2 if self.split else 0
        preview = self._preview
        if preview is not None:
            if self._coloured is None:
                self._coloured = colours(edge_views.pixels(self._view, preview), edge_views.table(self._view))
            drawn.stretched(self._coloured, preview.box.width, preview.box.height, preview.place, middle)
        for stroke in self._strokes:
            drawn.line(stroke.path, brush_of(stroke.kind).colour)
        if self.split:
            drawn.column(middle, DIVIDER)
        if self._over is not None:
            drawn.ring(*self._over, self.brush_width / 2, brush_of(self.brush).colour)
        viewport = self.viewport
        visible = Rect(viewport.left, viewport.top, viewport.width / viewport.scale, viewport.height / viewport.scale)
        self.on_look(visible, drawn.scale)

    # ------------------------------------------------------------ events

    def _hover(self, place: Optional[Tuple[float, float]]) -> None:
        self._over = place
        self.queue()

    def _pressed(self, widget: Any, event: Any) -> bool:
        if event.type == Gdk.EventType.BUTTON_PRESS and event.button in (1, 3):
            opposite = event.button == 3 or event.state & Gdk.ModifierType.CONTROL_MASK
            kind = brush_of(self.brush).other if opposite else self.brush
            self._painting = True
            self.on_paint(kind, *self.viewport.to_document(event.x, event.y))
        return super()._pressed(widget, event)

    def _moved(self, widget: Any, event: Any) -> bool:
        if self._painting and self._pan is None:
            self.on_extend(*self.viewport.to_document(event.x, event.y))
        return super()._moved(widget, event)

    def _released(self, widget: Any, event: Any) -> bool:
        if self._painting and event.button in (1, 3):
            self._painting = False
            self.on_lift()
        return super()._released(widget, event)

    def _scrolled(self, widget: Any, event: Any) -> bool:
        if not event.state & Gdk.ModifierType.SHIFT_MASK:
            return super()._scrolled(widget, event)
        self.on_width(min(WIDEST, max(1.0, self.brush_width * 1.2 ** wheel(event))))
        return True


def colours(plane: bytes, table: List[Tuple[int, int, int, int]]) -> bytes:
    """Straight RGBA of a plane of indices into premultiplied colours."""
    straight = [(*(min(255, value * 255 // (alpha or 1)) for value in rgb), alpha) for *rgb, alpha in table]
    pixels = bytearray(4 * len(plane))
    for channel in range(4):
        pixels[channel::4] = plane.translate(bytes(colour[channel] for colour in straight))
    return bytes(pixels)

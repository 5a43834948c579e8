"""The picture in Click to Select: a GTK widget that shows the layer, the masks and the clicks.

Drawn by GdkPixbuf and GEGL alone, because the Python that GIMP uses often has no cairo.
"""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GdkPixbuf, Gegl, GLib, Gtk  # noqa: E402

from maskwright_client.object_map import Shape  # noqa: E402
from maskwright_protocol import masks  # noqa: E402
from maskwright_protocol.messages import Mask, PixelRect  # noqa: E402

from . import paint  # noqa: E402
from .viewport import Viewport  # noqa: E402

NO_ABYSS = Gegl.AbyssPolicy.NONE
Paint = Tuple[Tuple[int, int, int], int]  # colour, strength of the tint 0..255
CURRENT: Paint = ((64, 140, 255), 110)
OTHER: Paint = ((40, 190, 150), 80)
HOVERED: Paint = ((255, 214, 90), 60)
INCLUDE, EXCLUDE = (30, 150, 60), (200, 40, 40)
BACKGROUND, BOX_COLOUR = 0x26262AFF, 0xFFD040FF
CHECKS = (0xFF9A9A9A, 0xFF666666)
DRAG_PIXELS = 4


def mask_buffer(mask: Mask, box: PixelRect) -> Any:
    """The mask as a GEGL buffer in coordinates that begin at the box' corner, so that GEGL scales it."""
    area = Gegl.Rectangle.new(mask.box.x - box.x, mask.box.y - box.y, mask.box.width, mask.box.height)
    buffer = Gegl.Buffer.new("Y u8", area.x, area.y, area.width, area.height)
    buffer.set(area, f"Y u{mask.depth}", bytes(masks.unpack(mask)))
    return buffer


def shape_buffer(shape: Shape) -> Any:
    """An object of an object map as a GEGL buffer in the overview's coordinates."""
    area = Gegl.Rectangle.new(shape.box.x, shape.box.y, shape.box.width, shape.box.height)
    buffer = Gegl.Buffer.new("Y u8", area.x, area.y, area.width, area.height)
    buffer.set(area, "Y u8", shape.plane)
    return buffer


class Layer(NamedTuple):
    """One mask to show. ``size``: how many of the buffer's pixels are one of the document."""

    buffer: Any
    paint: Paint
    size: float = 1.0


class View(Gtk.EventBox):
    """Callbacks, in document coordinates: ``on_click(x, y, include)``, ``on_box(x, y, width, height)``,
    ``on_example(x, y, width, height, include)`` instead while ``wants_examples``, and ``on_hover((x, y))`` (None when
    the pointer has left)."""

    def __init__(self, buffer: Any, box: PixelRect, width: int, height: int) -> None:
        super().__init__()
        self.on_click: Callable[[float, float, bool], None] = lambda x, y, include: None
        self.on_box: Callable[[float, float, float, float], None] = lambda x, y, w, h: None
        self.on_example: Callable[[float, float, float, float, bool], None] = lambda x, y, w, h, include: None
        self.wants_examples = False
        self.viewport = Viewport(box, width, height)
        self._buffer = buffer
        self._base: Optional[Tuple[Any, Any]] = None
        self._layers: List[Layer] = []
        self._points: Tuple[Tuple[float, float, bool], ...] = ()
        self._boxes: List[Tuple[float, float, float, float]] = []
        self._examples: Tuple[Tuple[float, float, float, float, bool], ...] = ()
        self._press: Optional[Tuple[float, float, bool]] = None
        self._drag: Optional[Tuple[float, float]] = None
        self._pan: Optional[Tuple[float, float]] = None
        self._markers: Dict[bool, Any] = {}
        self._queued = 0
        self.on_hover: Callable[[Optional[Tuple[float, float]]], None] = lambda place: None
        self._hovered: Optional[Layer] = None
        self._hovering = 0
        self._pointer: Optional[Tuple[float, float]] = None
        self._image = Gtk.Image()
        self._image.set_alignment(0.0, 0.0)
        # A scrolled window that never scrolls by itself lets the picture be larger than the widget for a moment.
        window = Gtk.ScrolledWindow()
        window.set_policy(Gtk.PolicyType.EXTERNAL, Gtk.PolicyType.EXTERNAL)
        window.add(self._image)
        self.add(window)
        self.set_above_child(True)
        self.set_can_focus(True)  # so that Return is the dialog's and not a button's
        self.set_size_request(min(width, 320), min(height, 240))
        self.add_events(
            Gdk.EventMask.BUTTON_PRESS_MASK
            | Gdk.EventMask.BUTTON_RELEASE_MASK
            | Gdk.EventMask.POINTER_MOTION_MASK
            | Gdk.EventMask.SCROLL_MASK
            | Gdk.EventMask.LEAVE_NOTIFY_MASK
        )
        self.connect("size-allocate", self._resized)
        self.connect("button-press-event", self._pressed)
        self.connect("button-release-event", self._released)
        self.connect("motion-notify-event", self._moved)
        self.connect("scroll-event", self._scrolled)
        self.connect("leave-notify-event", self._left)
        self.connect("realize", self._realized)
        self.connect("destroy", self._destroyed)

    def show_masks(
        self,
        layers: List[Layer],
        points: Tuple[Tuple[float, float, bool], ...],
        boxes: List[Tuple[float, float, float, float]],
        examples: Tuple[Tuple[float, float, float, float, bool], ...] = (),
    ) -> None:
        self._layers, self._points, self._boxes, self._examples = layers, points, boxes, examples
        self.queue()

    def show_hovered(self, layer: Optional[Layer]) -> None:
        """What a click would select."""
        if layer is not self._hovered:
            self._hovered = layer
            self.queue()

    def queue(self) -> None:
        """Draw soon, once."""
        if not self._queued:
            self._queued = GLib.idle_add(self._draw)

    def zoom(self, steps: float) -> None:
        self.viewport.zoom(steps, self.viewport.width / 2, self.viewport.height / 2)
        self.queue()

    def fit(self) -> None:
        self.viewport.fit()
        self.queue()

    # ------------------------------------------------------------ drawing

    def _background(self) -> Any:
        """The picture alone, kept until the view moves."""
        viewport = self.viewport
        x, y = viewport.corner()
        where = (x, y, viewport.scale, viewport.width, viewport.height)
        if self._base is not None and self._base[0] == where:
            return self._base[1]
        canvas = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, viewport.width, viewport.height)
        canvas.fill(BACKGROUND)
        box, scale = viewport.box, viewport.scale
        left, top = max(0, -x), max(0, -y)
        right = min(viewport.width, round(box.width * scale) - x)
        bottom = min(viewport.height, round(box.height * scale) - y)
        if right > left and bottom > top:
            width, height = right - left, bottom - top
            area = Gegl.Rectangle.new(x + left, y + top, width, height)
            data = self._buffer.get(area, scale, "R'G'B'A u8", NO_ABYSS)
            picture = _pixbuf(data, width, height)
            flat = picture.composite_color_simple(
                width, height, GdkPixbuf.InterpType.NEAREST, 255, 8, CHECKS[0], CHECKS[1]
            )
            _blend(canvas, flat, left, top)
        self._base = (where, canvas)
        return canvas

    def _draw(self) -> bool:
        self._queued = 0
        viewport = self.viewport
        canvas = self._background().copy()
        x, y = viewport.corner()
        width, height = viewport.width, viewport.height
        area = Gegl.Rectangle.new(x, y, width, height)
        for layer in [*self._layers, *([self._hovered] if self._hovered is not None else [])]:
            plane = layer.buffer.get(area, viewport.scale / layer.size, "Y u8", NO_ABYSS)
            colour, strength = layer.paint
            _blend(canvas, _pixbuf(paint.overlay(plane, width, colour, strength), width, height), 0, 0)
        for box in self._boxes:
            self._frame(canvas, box)
        for *example, include in self._examples:
            self._frame(canvas, tuple(example), include)
        if self._press is not None and self._drag is not None:
            self._frame(canvas, self._dragged(), self._press[2] if self.wants_examples else None)
        for px, py, include in self._points:
            if include not in self._markers:
                side, data = paint.marker(7, INCLUDE if include else EXCLUDE, not include)
                self._markers[include] = _pixbuf(data, side, side)
            vx, vy = viewport.to_view(px, py)
            _blend(canvas, self._markers[include], round(vx) - 7, round(vy) - 7)
        self._image.set_from_pixbuf(canvas)
        return False

    def _frame(self, canvas: Any, box: Tuple[float, ...], include: Optional[bool] = None) -> None:
        """A box; ``include`` tells examples, whose colours are those of the clicks."""
        red, green, blue = INCLUDE if include else EXCLUDE
        colour = BOX_COLOUR if include is None else red << 24 | green << 16 | blue << 8 | 0xFF
        left, top = (round(v) for v in self.viewport.to_view(box[0], box[1]))
        right, bottom = (round(v) for v in self.viewport.to_view(box[0] + box[2], box[1] + box[3]))
        for x, y, width, height in (
            (left, top, right - left + 2, 2),
            (left, bottom, right - left + 2, 2),
            (left, top, 2, bottom - top + 2),
            (right, top, 2, bottom - top + 2),
        ):
            x0, y0 = max(0, x), max(0, y)
            x1, y1 = min(canvas.get_width(), x + width), min(canvas.get_height(), y + height)
            if x1 > x0 and y1 > y0:
                canvas.new_subpixbuf(x0, y0, x1 - x0, y1 - y0).fill(colour)

    # ------------------------------------------------------------ events

    def _resized(self, widget: Any, allocation: Any) -> None:
        if (allocation.width, allocation.height) != (self.viewport.width, self.viewport.height):
            self.viewport.resize(allocation.width, allocation.height)
            self.queue()

    def _realized(self, widget: Any) -> None:
        cursor = Gdk.Cursor.new_from_name(self.get_display(), "crosshair")
        if cursor is not None:
            self.get_window().set_cursor(cursor)
        self.queue()

    def _destroyed(self, widget: Any) -> None:
        for source in (self._queued, self._hovering):
            if source:
                GLib.source_remove(source)
        self._queued = self._hovering = 0

    def _pressed(self, widget: Any, event: Any) -> bool:
        if event.type != Gdk.EventType.BUTTON_PRESS:
            return True
        self.grab_focus()
        if event.button == 2:
            self._pan = (event.x, event.y)
        elif event.button in (1, 3):
            shift = bool(event.state & Gdk.ModifierType.SHIFT_MASK)
            self._press = (event.x, event.y, event.button == 1 and not shift)
        return True

    def _moved(self, widget: Any, event: Any) -> bool:
        if self._pan is not None:
            self.viewport.pan(event.x - self._pan[0], event.y - self._pan[1])
            self._pan = (event.x, event.y)
            self.queue()
        elif self._press is not None and (self._press[2] or self.wants_examples):
            far = max(abs(event.x - self._press[0]), abs(event.y - self._press[1])) >= DRAG_PIXELS
            if far or self._drag is not None:
                self._drag = (event.x, event.y)
                self.queue()
        else:
            self._point((event.x, event.y))
        return True

    def _left(self, widget: Any, event: Any) -> bool:
        self._point(None)
        return False

    def _point(self, place: Optional[Tuple[float, float]]) -> None:
        """Tell where the pointer is, once for all the moves until there is time for it."""
        self._pointer = place
        if not self._hovering:
            self._hovering = GLib.idle_add(self._tell_pointer)

    def _tell_pointer(self) -> bool:
        self._hovering = 0
        place = self._pointer
        self.on_hover(self.viewport.to_document(*place) if place is not None else None)
        return False

    def _released(self, widget: Any, event: Any) -> bool:
        if event.button == 2:
            self._pan = None
        elif event.button in (1, 3) and self._press is not None:
            if self._drag is not None:
                self._drag = (event.x, event.y)
                x, y, width, height = self._dragged()
                include = self._press[2]
                self._press = self._drag = None
                if width >= 1 and height >= 1:
                    if self.wants_examples:
                        self.on_example(x, y, width, height, include)
                    else:
                        self.on_box(x, y, width, height)
            else:
                x, y = self.viewport.to_document(self._press[0], self._press[1])
                include = self._press[2]
                self._press = None
                if self.viewport.inside(x, y):
                    self.on_click(x, y, include)
            self.queue()
        return True

    def _dragged(self) -> Tuple[float, float, float, float]:
        assert self._press is not None
        assert self._drag is not None
        viewport = self.viewport
        x0, y0 = viewport.clamp(*viewport.to_document(self._press[0], self._press[1]))
        x1, y1 = viewport.clamp(*viewport.to_document(*self._drag))
        return min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)

    def _scrolled(self, widget: Any, event: Any) -> bool:
        if event.direction == Gdk.ScrollDirection.UP:
            self.viewport.zoom(1, event.x, event.y)
        elif event.direction == Gdk.ScrollDirection.DOWN:
            self.viewport.zoom(-1, event.x, event.y)
        elif event.direction == Gdk.ScrollDirection.SMOOTH:
            self.viewport.zoom(-event.delta_y, event.x, event.y)
        self.queue()
        return True


def _pixbuf(data: bytes, width: int, height: int) -> Any:
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(data), GdkPixbuf.Colorspace.RGB, True, 8, width, height, width * 4
    )


def _blend(canvas: Any, picture: Any, x: int, y: int) -> None:
    x0, y0 = max(0, x), max(0, y)
    x1 = min(canvas.get_width(), x + picture.get_width())
    y1 = min(canvas.get_height(), y + picture.get_height())
    if x1 > x0 and y1 > y0:
        nearest = GdkPixbuf.InterpType.NEAREST
        picture.composite(canvas, x0, y0, x1 - x0, y1 - y0, x, y, 1.0, 1.0, nearest, 255)

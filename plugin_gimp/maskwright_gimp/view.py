"""The picture in Click to Select: a GTK widget that shows the layer, the masks and the clicks.

Drawn by GdkPixbuf and GEGL alone, because the Python that GIMP uses often has no cairo.
"""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Union

from gi.repository import Gdk, GdkPixbuf, Gegl, GLib, Gtk

from maskwright_client.click_session import box_between
from maskwright_client.preview_picture import Preview
from maskwright_protocol.messages import Example, PixelRect, Point, Rect

from . import paint
from .viewport import Viewport

NO_ABYSS = Gegl.AbyssPolicy.NONE
Paint = Tuple[Tuple[int, int, int], int]  # colour, strength of the tint 0..255
CURRENT: Paint = ((64, 140, 255), 110)
OTHER: Paint = ((40, 190, 150), 80)
HOVERED: Paint = ((255, 214, 90), 60)
INCLUDE, EXCLUDE = (30, 150, 60), (200, 40, 40)
BACKGROUND, BOX_COLOUR = 0x26262AFF, 0xFFD040FF
CHECKS = (0xFF9A9A9A, 0xFF666666)
DRAG_PIXELS = 4


class Layer(NamedTuple):
    """One mask to show. ``size``: how many of the buffer's pixels are one of the document."""

    buffer: Any
    paint: Paint
    size: float = 1.0


def preview_buffer(preview: Preview, shown: PixelRect) -> Layer:
    """A mask as a GEGL buffer, so that GEGL scales it, in coordinates that begin at the corner of ``shown``."""
    size = preview.box.width / preview.place.width if preview.place.width else 1.0
    x, y = round((preview.place.x - shown.x) * size), round((preview.place.y - shown.y) * size)
    area = Gegl.Rectangle.new(x, y, preview.box.width, preview.box.height)
    buffer = Gegl.Buffer.new("Y u8", area.x, area.y, area.width, area.height)
    buffer.set(area, "Y u8", preview.data)
    return Layer(buffer, CURRENT, size)


class View(Gtk.EventBox):
    """Callbacks, in document coordinates: ``on_click(x, y, include, another)``, ``on_box(box, another)`` with
    ``another`` for a further object (Shift), ``on_example(box, include)`` instead while ``wants_examples``,
    ``on_hover((x, y))`` (None when the pointer has left), and ``on_climb(x, y, by)`` with 1 for the larger thing under
    the pointer and -1 for its part."""

    def __init__(self, buffer: Any, box: PixelRect, width: int, height: int) -> None:
        super().__init__()
        self.on_click: Callable[[float, float, bool, bool], None] = lambda x, y, include, another: None
        self.on_box: Callable[[Rect, bool], None] = lambda box, another: None
        self.on_example: Callable[[Rect, bool], None] = lambda box, include: None
        self.on_climb: Callable[[float, float, int], None] = lambda x, y, by: None
        self.wants_examples = False
        self.viewport = Viewport(box, width, height)
        self._buffer = buffer
        self._base: Optional[Tuple[Any, Any]] = None
        self._layers: List[Layer] = []
        self._points: List[Point] = []
        self._boxes: List[Rect] = []
        self._examples: List[Example] = []
        self._press: Optional[Tuple[float, float, bool, bool]] = None  # place, include, another
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

    def show_masks(self, layers: List[Layer], points: List[Point], boxes: List[Rect], examples: List[Example]) -> None:
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
        for example in self._examples:
            self._frame(canvas, example, example.include)
        if self._press is not None and self._drag is not None:
            self._frame(canvas, self._dragged(), self._press[2] if self.wants_examples else None)
        for point in self._points:
            include = point.include
            if include not in self._markers:
                side, data = paint.marker(7, INCLUDE if include else EXCLUDE, not include)
                self._markers[include] = _pixbuf(data, side, side)
            vx, vy = viewport.to_view(point.x, point.y)
            _blend(canvas, self._markers[include], round(vx) - 7, round(vy) - 7)
        self._image.set_from_pixbuf(canvas)
        return False

    def _frame(self, canvas: Any, box: Union[Rect, Example], include: Optional[bool] = None) -> None:
        """A box; ``include`` tells examples, whose colours are those of the clicks."""
        red, green, blue = INCLUDE if include else EXCLUDE
        colour = BOX_COLOUR if include is None else red << 24 | green << 16 | blue << 8 | 0xFF
        left, top = (round(v) for v in self.viewport.to_view(box.x, box.y))
        right, bottom = (round(v) for v in self.viewport.to_view(box.x + box.width, box.y + box.height))
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
            self._press = None  # the second of a double click says nothing new
            return True
        self.grab_focus()
        if event.button == 2:
            self._pan = (event.x, event.y)
        elif event.button in (1, 3):
            include = event.button == 1 and not event.state & Gdk.ModifierType.CONTROL_MASK
            another = include and bool(event.state & Gdk.ModifierType.SHIFT_MASK)
            self._press = (event.x, event.y, include, another)
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
                box, include, another = self._dragged(), *self._press[2:]
                self._press = self._drag = None
                if box.width >= 1 and box.height >= 1:
                    if self.wants_examples:
                        self.on_example(box, include)
                    else:
                        self.on_box(box, another)
            else:
                x, y = self.viewport.to_document(self._press[0], self._press[1])
                include, another = self._press[2:]
                self._press = None
                if self.viewport.inside(x, y):
                    self.on_click(x, y, include, another)
            self.queue()
        return True

    def _dragged(self) -> Rect:
        assert self._press is not None
        assert self._drag is not None
        viewport = self.viewport
        start = viewport.clamp(*viewport.to_document(self._press[0], self._press[1]))
        return box_between(*start, *viewport.clamp(*viewport.to_document(*self._drag)))

    def _scrolled(self, widget: Any, event: Any) -> bool:
        ways = {Gdk.ScrollDirection.UP: 1.0, Gdk.ScrollDirection.DOWN: -1.0}
        steps = ways.get(event.direction, 0.0)
        if event.direction == Gdk.ScrollDirection.SMOOTH:
            steps = -(event.delta_y or event.delta_x)  # Shift turns it
        if event.state & Gdk.ModifierType.SHIFT_MASK:
            if steps:
                self.on_climb(*self.viewport.to_document(event.x, event.y), 1 if steps > 0 else -1)
            return True
        self.viewport.zoom(steps, event.x, event.y)
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

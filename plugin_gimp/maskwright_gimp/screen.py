"""Draws what a dialog shows of a picture, pixel for pixel of the screen: the picture, masks, frames and marks.

By GdkPixbuf and GEGL alone, because the Python that GIMP uses often has no cairo.
"""

import ctypes
import math
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import gi
from gi.repository import Gdk, GdkPixbuf, Gegl, GLib

from maskwright_client.preview_picture import Preview
from maskwright_protocol.messages import PixelRect

from . import paint
from .viewport import Viewport

NO_ABYSS = Gegl.AbyssPolicy.NONE
Colour = Tuple[int, int, int]
Paint = Tuple[Colour, int]  # strength of the tint 0..255; the outline has the full colour
INCLUDE, EXCLUDE = (30, 150, 60), (200, 40, 40)
BACKGROUND = 0x26262AFF
CHECKS = (0xFF9A9A9A, 0xFF666666)
MARKER = 7  # radius


class Layer(NamedTuple):
    """One mask to show. ``size``: how many of the buffer's pixels are one of the document."""

    buffer: Any
    paint: Paint
    size: float = 1.0


def preview_buffer(preview: Preview, shown: PixelRect, look: Paint) -> Layer:
    """A mask as a GEGL buffer, so that GEGL scales it, in coordinates that begin at the corner of ``shown``."""
    size = preview.box.width / preview.place.width if preview.place.width else 1.0
    x, y = round((preview.place.x - shown.x) * size), round((preview.place.y - shown.y) * size)
    area = Gegl.Rectangle.new(x, y, preview.box.width, preview.box.height)
    buffer = Gegl.Buffer.new("Y u8", area.x, area.y, area.width, area.height)
    buffer.set(area, "Y u8", preview.data)
    return Layer(buffer, look, size)


class Screen:
    """``factor``: how many pixels of the screen are one of the widget's units, at HiDPI more than one."""

    def __init__(self, viewport: Viewport, factor: int) -> None:
        self.factor, self.viewport = factor, viewport
        self.width, self.height = viewport.width * factor, viewport.height * factor
        self.scale = viewport.scale * factor
        self.x, self.y = viewport.corner(factor)
        self.canvas: Any = None

    def begin(self, canvas: Any) -> None:
        """Draw on a copy of that."""
        self.canvas = canvas.copy()

    def picture(self, buffer: Any) -> Any:
        """The picture alone, whose buffer begins at the corner of the viewport's box."""
        canvas = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, False, 8, self.width, self.height)
        canvas.fill(BACKGROUND)
        box, x, y = self.viewport.box, self.x, self.y
        left, top = max(0, -x), max(0, -y)
        right = min(self.width, round(box.width * self.scale) - x)
        bottom = min(self.height, round(box.height * self.scale) - y)
        if right > left and bottom > top:
            width, height = right - left, bottom - top
            area = Gegl.Rectangle.new(x + left, y + top, width, height)
            picture = _pixbuf(buffer.get(area, self.scale, "R'G'B'A u8", NO_ABYSS), width, height)
            nearest = GdkPixbuf.InterpType.NEAREST
            flat = picture.composite_color_simple(width, height, nearest, 255, 8 * self.factor, *CHECKS)
            _blend(canvas, flat, left, top)
        return canvas

    def mask(self, layer: Layer) -> None:
        """Tint a mask and draw its outline; only where it lies, as there may be many."""
        scale, extent = self.scale / layer.size, layer.buffer.get_extent()
        left, top = int(extent.x * scale) - 2 - self.x, int(extent.y * scale) - 2 - self.y
        right = left + int(extent.width * scale) + 5
        bottom = top + int(extent.height * scale) + 5
        left, top, right, bottom = max(0, left), max(0, top), min(self.width, right), min(self.height, bottom)
        width, height = right - left, bottom - top
        if width <= 0 or height <= 0:
            return
        area = Gegl.Rectangle.new(self.x + left, self.y + top, width, height)
        plane = layer.buffer.get(area, scale, "Y u8", NO_ABYSS)
        colour, strength = layer.paint
        data = paint.overlay(plane, width, colour, strength, self.factor)
        _blend(self.canvas, _pixbuf(data, width, height), left, top)

    def frame(self, box: Any, colour: Colour, thick: int = 2) -> None:
        """``box``: what has x, y, width and height in the document."""
        red, green, blue = colour
        pixel, thick = red << 24 | green << 16 | blue << 8 | 0xFF, thick * self.factor
        left, top = self._place(box.x, box.y)
        right, bottom = self._place(box.x + box.width, box.y + box.height)
        for x, y, width, height in (
            (left, top, right - left + thick, thick),
            (left, bottom, right - left + thick, thick),
            (left, top, thick, bottom - top + thick),
            (right, top, thick, bottom - top + thick),
        ):
            x0, y0 = max(0, x), max(0, y)
            x1, y1 = min(self.width, x + width), min(self.height, y + height)
            if x1 > x0 and y1 > y0:
                self.canvas.new_subpixbuf(x0, y0, x1 - x0, y1 - y0).fill(pixel)

    def line(self, path: Sequence[float], colour: Colour, closed: bool = False, thick: float = 3.0) -> None:
        """A line along x, y, x, y, ... of the document; ``thick`` in the widget's units."""
        red, green, blue = colour
        pixel, side = red << 24 | green << 16 | blue << 8 | 0xFF, max(1, round(thick * self.factor))
        places = [self._place(x, y) for x, y in zip(path[0::2], path[1::2])]
        places += places[:1] if closed else []
        for (x0, y0), (x1, y1) in zip(places, places[1:] or places):
            steps = max(1, max(abs(x1 - x0), abs(y1 - y0)) * 2 // side)
            for step in range(steps + 1):
                self._square(x0 + (x1 - x0) * step // steps, y0 + (y1 - y0) * step // steps, side, pixel)

    def _square(self, x: int, y: int, side: int, pixel: int) -> None:
        left, top = max(0, x - side // 2), max(0, y - side // 2)
        width, height = min(self.width, x + side - side // 2) - left, min(self.height, y + side - side // 2) - top
        if width > 0 and height > 0:
            self.canvas.new_subpixbuf(left, top, width, height).fill(pixel)

    def stretched(self, data: bytes, width: int, height: int, place: Any, left: int = 0) -> None:
        """A picture (straight RGBA) over a place of the document, right of the column ``left`` of the screen."""
        x, y = self._place(place.x, place.y)
        across, down = place.width * self.scale / width, place.height * self.scale / height
        x0, y0 = max(left, x), max(0, y)
        x1 = min(self.width, x + round(place.width * self.scale))
        y1 = min(self.height, y + round(place.height * self.scale))
        if x1 > x0 and y1 > y0:
            how = GdkPixbuf.InterpType.BILINEAR
            part = (x0, y0, x1 - x0, y1 - y0)
            _pixbuf(data, width, height).composite(self.canvas, *part, x, y, across, down, how, 255)

    def column(self, x: int, colour: Colour) -> None:
        """A line from top to bottom."""
        red, green, blue = colour
        pixel = red << 24 | green << 16 | blue << 8 | 0xFF
        self.canvas.new_subpixbuf(x, 0, self.factor, self.height).fill(pixel)

    def ring(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A circle; ``radius`` in the document's pixels."""
        path = []
        for step in range(48):
            angle = step * math.pi / 24
            path += [x + radius * math.cos(angle), y + radius * math.sin(angle)]
        self.line(path, colour, closed=True, thick=1.5)

    def disc(self, x: float, y: float, include: bool) -> None:
        """A click."""
        radius = MARKER * self.factor
        left, top = self._place(x, y)
        _blend(self.canvas, _disc(radius, include), left - radius, top - radius)

    def _place(self, x: float, y: float) -> Tuple[int, int]:
        left, top = self.viewport.to_view(x, y)
        return round(left * self.factor), round(top * self.factor)


_discs: Dict[Tuple[int, bool], Any] = {}


def _disc(radius: int, include: bool) -> Any:
    if (radius, include) not in _discs:
        side, data = paint.marker(radius, INCLUDE if include else EXCLUDE, not include)
        _discs[radius, include] = _pixbuf(data, side, side)
    return _discs[radius, include]


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


# ---------------------------------------------------------------- onto the screen

# A pixbuf is drawn with one pixel for each unit of a widget; a cairo surface knows how many it has. Without pycairo
# Python cannot hold one, so GTK's own functions, which this process has loaded, pass it on.


def _setter() -> Optional[Callable[[Any, Any, int], None]]:
    """What shows a pixbuf in a ``Gtk.Image`` with so many pixels a unit; None where nothing can."""
    try:
        gi.require_foreign("cairo")
        return _set_by_pycairo
    except ImportError:
        pass
    try:
        gtk = ctypes.CDLL("libgtk-3.so.0")
        make, free = gtk.gdk_cairo_surface_create_from_pixbuf, gtk.cairo_surface_destroy
        put = gtk.gtk_image_set_from_surface
    except (OSError, AttributeError):
        return None
    make.restype = ctypes.c_void_p
    make.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    put.argtypes, free.argtypes = (ctypes.c_void_p, ctypes.c_void_p), (ctypes.c_void_p,)
    put.restype = free.restype = None
    address = ctypes.pythonapi.PyCapsule_GetPointer
    address.restype, address.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)

    def set_surface(image: Any, pixbuf: Any, factor: int) -> None:
        surface = make(address(pixbuf.__gpointer__, None), factor, None)
        put(address(image.__gpointer__, None), surface)
        free(surface)

    return set_surface


def _set_by_pycairo(image: Any, pixbuf: Any, factor: int) -> None:
    image.set_from_surface(Gdk.cairo_surface_create_from_pixbuf(pixbuf, factor, None))


_found: List[Optional[Callable[[Any, Any, int], None]]] = []


def _set_surface() -> Optional[Callable[[Any, Any, int], None]]:
    if not _found:
        _found.append(_setter())
    return _found[0]


def factor_of(widget: Any) -> int:
    """How many pixels a unit of the widget is to be drawn with."""
    factor = widget.get_scale_factor()
    return factor if factor > 1 and _set_surface() is not None else 1


def show(image: Any, pixbuf: Any, factor: int) -> None:
    """Show it in a ``Gtk.Image``, with that many of its pixels a unit."""
    put = _set_surface() if factor > 1 else None
    if put is None:
        image.set_from_pixbuf(pixbuf)
    else:
        put(image, pixbuf, factor)

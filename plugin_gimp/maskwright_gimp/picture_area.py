"""The picture in a dialog: a GTK widget that shows it with what was found, and can be zoomed and moved."""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from gi.repository import Gdk, GLib, Gtk

from maskwright_client.preview_picture import Preview
from maskwright_protocol.language import tr
from maskwright_protocol.messages import PixelRect, Rect

from . import screen
from .screen import Colour, Layer, Paint, Screen, preview_buffer
from .viewport import Viewport

NUMBER = "maskwright-number"
_STYLE = f"""
label.{NUMBER} {{ border-radius: 9px; padding: 0 6px; font-weight: bold; color: #ffffff;
 text-shadow: 0 0 2px #000000; border: 1px solid rgba(0, 0, 0, 0.6); }}
"""


class Mark(NamedTuple):
    """A number or word on the picture, at a place of the document."""

    x: float
    y: float
    text: str
    colour: Colour


Frame = Tuple[Rect, Colour]  # a box of the document


class PictureArea(Gtk.EventBox):
    """Callbacks in document coordinates: ``on_hover((x, y))``, None when the pointer has left, and ``on_pick(x, y)``
    for a click."""

    def __init__(self, buffer: Any, box: PixelRect, width: int, height: int) -> None:
        super().__init__()
        self.on_hover: Callable[[Optional[Tuple[float, float]]], None] = lambda place: None
        self.on_pick: Callable[[float, float], None] = lambda x, y: None
        self.viewport = Viewport(box, width, height)
        self._buffer = buffer
        self._base: Optional[Tuple[Any, Any]] = None
        self._layers: Sequence[Layer] = ()
        self._hovered: Optional[Layer] = None
        self._marks: Sequence[Mark] = ()
        self._frames: Sequence[Frame] = ()
        self._labels: List[Any] = []
        self._kept: Dict[int, Tuple[Preview, Layer]] = {}
        self._pan: Optional[Tuple[float, float]] = None
        self._pointer: Optional[Tuple[float, float]] = None
        self._queued = self._hovering = 0
        self._build(width, height)
        for signal, handler in (
            ("size-allocate", self._resized),
            ("button-press-event", self._pressed),
            ("button-release-event", self._released),
            ("motion-notify-event", self._moved),
            ("scroll-event", self._scrolled),
            ("leave-notify-event", self._left),
            ("realize", self._realized),
            ("destroy", self._destroyed),
        ):
            self.connect(signal, handler)
        self.connect("notify::scale-factor", lambda *_: self.queue())

    def _build(self, width: int, height: int) -> None:
        self._image = Gtk.Image()
        self._image.set_alignment(0.0, 0.0)
        # A scrolled window that never scrolls by itself lets the picture be larger than the widget for a moment.
        window = Gtk.ScrolledWindow()
        window.set_policy(Gtk.PolicyType.EXTERNAL, Gtk.PolicyType.EXTERNAL)
        window.add(self._image)
        self._overlay = Gtk.Overlay()
        self._overlay.add(window)
        self.add(self._overlay)
        self.set_above_child(True)
        self.set_can_focus(True)  # so that Return is the dialog's and not a button's
        self.set_size_request(min(width, 320), min(height, 240))
        mask = Gdk.EventMask
        self.add_events(
            mask.BUTTON_PRESS_MASK
            | mask.BUTTON_RELEASE_MASK
            | mask.POINTER_MOTION_MASK
            | mask.SCROLL_MASK
            | mask.LEAVE_NOTIFY_MASK
        )

    # ------------------------------------------------------------ what is shown

    def show_picture(self, buffer: Any, box: PixelRect) -> None:
        """Another picture, whole."""
        viewport = self.viewport
        self._buffer, self._base, self.viewport = buffer, None, Viewport(box, viewport.width, viewport.height)
        self._kept.clear()
        self._hovered = None
        self.show_layers(())

    def layer(self, preview: Preview, look: Paint) -> Layer:
        """What is drawn of a preview; kept, because pixels are copied for it."""
        if id(preview) not in self._kept:
            self._kept[id(preview)] = (preview, preview_buffer(preview, self.viewport.box, look))
        return self._kept[id(preview)][1]._replace(paint=look)

    def show_layers(self, layers: Sequence[Layer], marks: Sequence[Mark] = (), frames: Sequence[Frame] = ()) -> None:
        self._layers, self._marks, self._frames = layers, marks, frames
        self.queue()

    def show_hovered(self, layer: Optional[Layer]) -> None:
        """What is pointed at, above all else."""
        if layer != self._hovered:
            self._hovered = layer
            self.queue()

    def zoom(self, steps: float) -> None:
        self.viewport.zoom(steps, self.viewport.width / 2, self.viewport.height / 2)
        self.queue()

    def fit(self) -> None:
        self.viewport.fit()
        self.queue()

    # ------------------------------------------------------------ drawing

    def queue(self) -> None:
        """Draw soon, once."""
        if not self._queued:
            self._queued = GLib.idle_add(self._draw)

    def _draw(self) -> bool:
        self._queued = 0
        drawn = Screen(self.viewport, screen.factor_of(self))
        where = (drawn.x, drawn.y, drawn.scale, drawn.width, drawn.height)
        if self._base is None or self._base[0] != where:  # the picture alone is kept until the view moves
            self._base = (where, drawn.picture(self._buffer))
        drawn.begin(self._base[1])
        for layer in self._layers:
            drawn.mask(layer)
        if self._hovered is not None:
            drawn.mask(self._hovered)
        self.draw_more(drawn)
        screen.show(self._image, drawn.canvas, drawn.factor)
        self._place_labels()
        return False

    def draw_more(self, drawn: Screen) -> None:
        """What is drawn above the masks."""
        for box, colour in self._frames:
            drawn.frame(box, colour)

    def _place_labels(self) -> None:
        while len(self._labels) < len(self._marks):
            label = Gtk.Label(halign=Gtk.Align.START, valign=Gtk.Align.START)
            label.get_style_context().add_class(NUMBER)
            self._overlay.add_overlay(label)
            self._labels.append(label)
        for number, label in enumerate(self._labels):
            mark = self._marks[number] if number < len(self._marks) else None
            x, y = self.viewport.to_view(mark.x, mark.y) if mark is not None else (-1.0, -1.0)
            inside = 0 <= x < self.viewport.width and 0 <= y < self.viewport.height
            if mark is not None and inside:
                _colour(label, mark.colour)
                label.set_text(mark.text)
                size = label.get_preferred_size()[1]  # with the margins
                width, height = size.width - label.get_margin_start(), size.height - label.get_margin_top()
                label.set_margin_start(int(max(0.0, min(x - width / 2, self.viewport.width - width))))
                label.set_margin_top(int(max(0.0, min(y - height / 2, self.viewport.height - height))))
            label.set_visible(mark is not None and inside)

    # ------------------------------------------------------------ events

    def _resized(self, widget: Any, allocation: Any) -> None:
        if (allocation.width, allocation.height) != (self.viewport.width, self.viewport.height):
            self.viewport.resize(allocation.width, allocation.height)
            self.queue()

    def _realized(self, widget: Any) -> None:
        provider = Gtk.CssProvider()
        provider.load_from_data(_STYLE.encode())
        Gtk.StyleContext.add_provider_for_screen(self.get_screen(), provider, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION)
        cursor = Gdk.Cursor.new_from_name(self.get_display(), "crosshair")
        if cursor is not None:
            self.get_window().set_cursor(cursor)
        for window in self.get_window().get_children():  # among them the one above the picture, which has the events
            window.set_event_compression(False)  # a line has all the places that the hand went through
        self.queue()

    def _destroyed(self, widget: Any) -> None:
        for source in (self._queued, self._hovering):
            if source:
                GLib.source_remove(source)
        self._queued = self._hovering = 0

    def _pressed(self, widget: Any, event: Any) -> bool:
        self.grab_focus()
        if event.button == 2:
            self._pan = (event.x, event.y)
        return True

    def _released(self, widget: Any, event: Any) -> bool:
        if event.button == 2:
            self._pan = None
        elif event.button == 1:
            x, y = self.viewport.to_document(event.x, event.y)
            if self.viewport.inside(x, y):
                self.on_pick(x, y)
        return True

    def _moved(self, widget: Any, event: Any) -> bool:
        if self._pan is not None:
            self.viewport.pan(event.x - self._pan[0], event.y - self._pan[1])
            self._pan = (event.x, event.y)
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

    def _scrolled(self, widget: Any, event: Any) -> bool:
        self.viewport.zoom(wheel(event), event.x, event.y)
        self.queue()
        return True


def wheel(event: Any) -> float:
    """By how many steps the wheel was turned, up is more."""
    if event.direction == Gdk.ScrollDirection.SMOOTH:
        return -(event.delta_y or event.delta_x)  # Shift turns it
    return {Gdk.ScrollDirection.UP: 1.0, Gdk.ScrollDirection.DOWN: -1.0}.get(event.direction, 0.0)


def _colour(label: Any, colour: Colour) -> None:
    provider = Gtk.CssProvider()
    provider.load_from_data(b"label { background-color: rgb(%d, %d, %d); }" % colour)
    label.get_style_context().add_provider(provider, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION + 1)


class Pane(Gtk.Box):
    """A picture area with its buttons above and a hint below. ``bar`` and ``more`` have room for others."""

    HINT_HEIGHT = 38  # two lines, of which one may be empty

    def __init__(self, view: PictureArea, button: Callable[[str, str, Callable[[], Any]], Any], hint: str) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self.bar = Gtk.Box(spacing=6)
        for label, tip, action in (
            (tr("Zoom _In"), tr("Or turn the wheel over the picture"), lambda: view.zoom(2)),
            (tr("Zoom _Out"), tr("Or turn the wheel over the picture"), lambda: view.zoom(-2)),
            (tr("_Fit"), tr("Show everything"), view.fit),
        ):
            self.bar.pack_start(button(label, tip, action), False, False, 0)
        frame = Gtk.Frame()
        frame.add(view)
        self.hint = Gtk.Label(label=hint, xalign=0.0, yalign=0.0, wrap=True)
        self.hint.set_size_request(-1, self.HINT_HEIGHT)
        self.hint.get_style_context().add_class("dim-label")
        self.more = Gtk.Box(spacing=6)  # a second row
        self.pack_start(self.bar, False, False, 0)
        self.pack_start(self.more, False, False, 0)
        self.pack_start(frame, True, True, 0)
        self.pack_start(self.hint, False, False, 0)

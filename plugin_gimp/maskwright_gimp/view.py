"""The picture in Click to Select: it shows clicks, boxes and strokes too, and tells of new ones."""

from typing import Any, Callable, List, Sequence

from gi.repository import Gdk

from maskwright_client.gestures import Gesture, Meaning, Mode
from maskwright_protocol.messages import Example, PixelRect, Point, Rect, Stroke

from .picture_area import PictureArea, wheel
from .screen import EXCLUDE, INCLUDE, Layer, Paint, Screen

CURRENT: Paint = ((64, 140, 255), 110)
OTHER: Paint = ((40, 190, 150), 80)
HOVERED: Paint = ((255, 214, 90), 60)
BOX_COLOUR = (255, 208, 64)
REACH, BRUSH = 4, 12  # how far a click may shake, and how wide a scribble is, on the screen


class View(PictureArea):
    """Callbacks: ``on_gesture(gesture)`` in document coordinates, and ``on_climb(x, y, by)`` with 1 for the larger
    thing under the pointer and -1 for its part. ``mode`` says what a drag draws. Shift means another object too, Ctrl
    or the right button what is not meant."""

    def __init__(self, buffer: Any, box: PixelRect, width: int, height: int) -> None:
        super().__init__(buffer, box, width, height)
        self.on_gesture: Callable[[Gesture], None] = lambda gesture: None
        self.on_climb: Callable[[float, float, int], None] = lambda x, y, by: None
        self.mode = Mode.BOX
        self._points: Sequence[Point] = ()
        self._boxes: Sequence[Rect] = ()
        self._examples: Sequence[Example] = ()
        self._strokes: Sequence[Stroke] = ()
        self._path: List[float] = []  # of the button that is held, on the screen
        self._meaning = Meaning.THIS

    def show_prompts(
        self,
        layers: List[Layer],
        points: Sequence[Point],
        boxes: Sequence[Rect],
        examples: Sequence[Example],
        strokes: Sequence[Stroke],
    ) -> None:
        """The masks of the objects, and what was asked with."""
        self._points, self._boxes, self._examples, self._strokes = points, boxes, examples, strokes
        self.show_layers(layers)

    def draw_more(self, drawn: Screen) -> None:
        super().draw_more(drawn)
        for box in self._boxes:
            drawn.frame(box, BOX_COLOUR)
        for example in self._examples:
            drawn.frame(example, INCLUDE if example.include else EXCLUDE)
        for stroke in self._strokes:
            drawn.line(stroke.path, INCLUDE if stroke.include else EXCLUDE, stroke.closed)
        gesture = self._gesture() if self._path else None
        if gesture is not None and not gesture.is_click:
            colour = EXCLUDE if gesture.meaning is Meaning.NOT else INCLUDE
            if gesture.mode in (Mode.BOX, Mode.EXAMPLE):
                drawn.frame(gesture.box, BOX_COLOUR if gesture.mode is Mode.BOX else colour)
            else:
                drawn.line(gesture.path, colour, gesture.mode is Mode.LASSO)
        for point in self._points:
            drawn.disc(point.x, point.y, point.include)

    # ------------------------------------------------------------ events

    def _gesture(self) -> Gesture:
        """What was drawn so far, in the document; it stays inside of the picture."""
        viewport, path = self.viewport, []
        for x, y in zip(self._path[0::2], self._path[1::2]):
            path += viewport.clamp(*viewport.to_document(x, y))
        return Gesture(self.mode, self._meaning, path, REACH / viewport.scale, BRUSH / viewport.scale)

    def _pressed(self, widget: Any, event: Any) -> bool:
        if event.type != Gdk.EventType.BUTTON_PRESS:
            self._path = []  # the second of a double click says nothing new
            return True
        if event.button in (1, 3):
            modifier = Gdk.ModifierType
            refused = event.button == 3 or event.state & modifier.CONTROL_MASK
            another = event.state & modifier.SHIFT_MASK
            self._meaning = Meaning.NOT if refused else Meaning.ANOTHER if another else Meaning.THIS
            self._path = [event.x, event.y]
        return super()._pressed(widget, event)

    def _moved(self, widget: Any, event: Any) -> bool:
        if self._pan is not None or not self._path:
            return super()._moved(widget, event)
        self._path += [event.x, event.y]
        self.queue()
        return True

    def _released(self, widget: Any, event: Any) -> bool:
        if event.button in (1, 3) and self._path:
            self._path += [event.x, event.y]
            gesture, began = self._gesture(), self.viewport.to_document(self._path[0], self._path[1])
            self._path = []
            if not gesture.is_click or self.viewport.inside(*began):
                self.on_gesture(gesture)
            self.queue()
        return super()._released(widget, event)

    def _scrolled(self, widget: Any, event: Any) -> bool:
        if not event.state & Gdk.ModifierType.SHIFT_MASK:
            return super()._scrolled(widget, event)
        steps = wheel(event)
        if steps:
            self.on_climb(*self.viewport.to_document(event.x, event.y), 1 if steps > 0 else -1)
        return True

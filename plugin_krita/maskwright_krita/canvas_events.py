"""Mouse, pen, finger and keys for the click tool, while it is on.

Krita has no tools in Python: an event filter sees the application's events first and takes those of canvases that mean
a click or a stroke. None of them reaches Krita's own tool: nothing is painted while the click tool is on, in no view.
Zooming, panning (middle button, space, two fingers) and everything else goes on to Krita.
"""

import time
from typing import Any, List, Optional, Tuple

from maskwright_client.gestures import Gesture, Meaning, Mode

from .editor import canvas
from .editor.qt import QAbstractButton, QApplication, QEvent, QObject, QPointF, Qt, QTimer

_TABLET = (QEvent.Type.TabletPress, QEvent.Type.TabletMove, QEvent.Type.TabletRelease)
_TOUCH = (QEvent.Type.TouchBegin, QEvent.Type.TouchUpdate, QEvent.Type.TouchEnd, QEvent.Type.TouchCancel)
_PRESS = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TabletPress)
_MOVE = (QEvent.Type.MouseMove, QEvent.Type.TabletMove)
_RELEASE = (QEvent.Type.MouseButtonRelease, QEvent.Type.TabletRelease)
_KEYS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease)
_MODIFIERS = (Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Control, Qt.Key.Key_Meta)
DRAG_PIXELS = 6  # of the screen: a shorter drag is a click
BRUSH_PIXELS = 14  # of the screen: how wide a scribble is
# Widgets with a use of their own for Enter, Tab and the arrows. (An editable combo box has the focus itself, not the
# line in it.)
_TAKE_KEYS = ("QLineEdit", "QComboBox", "QAbstractSpinBox", "QAbstractItemView", "QTextEdit", "QPlainTextEdit")
_CLIMB = {Qt.Key.Key_Up: 1, Qt.Key.Key_BracketRight: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_BracketLeft: -1}
_MODE_KEYS = {Qt.Key.Key_S: Mode.SCRIBBLE, Qt.Key.Key_L: Mode.LASSO}


class CanvasEvents(QObject):
    """Tells ``tool`` (a ``ClickTool``) what is meant on the canvas ``widget`` of ``view``."""

    def __init__(self, tool: Any, view: Any, widget: Any) -> None:
        super().__init__(tool)
        self._tool = tool
        self._space = False
        self._fingers = False  # a second finger came: that is Krita's
        self._last: Tuple[float, QPointF, Optional[Meaning]] = (0.0, QPointF(), None)  # the last click
        self.look_at(view, widget)
        QApplication.instance().installEventFilter(self)

    def look_at(self, view: Any, widget: Any) -> None:
        """Another view is the one that is meant."""
        self._view, self._canvas = view, widget
        self._path: List[float] = []  # of the gesture that is being made, in the image's pixels
        self._start = QPointF()  # where it began, in the widget
        self._meaning = Meaning.THIS

    def let_go(self) -> None:
        QApplication.instance().removeEventFilter(self)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: Any) -> bool:
        kind = event.type()
        if not self._tool.active:
            return False
        if kind in _KEYS:
            return self._key(kind, event)
        if kind in _TABLET and self._is_over_canvas(watched):
            return self._pen_on_bar(kind, watched, event)
        if watched is not self._canvas:
            if kind not in (*_PRESS, QEvent.Type.TouchBegin) or not canvas.is_canvas(watched):
                return False
            if not self._tool.follow(watched):  # the tool has ended; but this press was meant for it
                return True
        return self._on_canvas(kind, event)

    def _on_canvas(self, kind: Any, event: Any) -> bool:
        if kind in _PRESS:
            return self._press(event)
        if kind in _MOVE:
            return self._move(event)
        if kind in _RELEASE:
            return self._release(event)
        if kind in _TOUCH:
            return self._touch(kind, event)
        if kind == QEvent.Type.Wheel:
            return self._wheel(event)
        if kind == QEvent.Type.Enter:
            self._tool.point(self._meant(event=None))
            QTimer.singleShot(0, self._tool.hide_outline)
        elif kind == QEvent.Type.Leave and event.spontaneous():
            self._tool.left()
        return False

    # ------------------------------------------------------------ what lies over the canvas

    def _is_over_canvas(self, watched: Any) -> bool:
        """It is a widget on the canvas, such as the tool's bar."""
        if watched is self._canvas or not watched.isWidgetType():
            return False
        return bool(self._canvas.isAncestorOf(watched))

    def _pen_on_bar(self, kind: Any, watched: Any, event: Any) -> bool:
        """Qt hands a pen's events on to the canvas, where they would paint; here they press buttons."""
        event.accept()
        if kind == QEvent.Type.TabletRelease and isinstance(watched, QAbstractButton):
            watched.click()
        return True

    # ------------------------------------------------------------ keys

    def _wheel(self, event: Any) -> bool:
        turned = event.angleDelta().y() or event.angleDelta().x()  # some modifiers turn it
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if not shift or not turned or not self._tool.can_climb():
            return False
        event.accept()
        self._tool.climb(1 if turned > 0 else -1)
        return True

    def _key(self, kind: Any, event: Any) -> bool:
        key, tool = event.key(), self._tool
        if key == Qt.Key.Key_Space:
            self._space = kind != QEvent.Type.KeyRelease
            return False
        if key in _MODIFIERS and kind != QEvent.Type.ShortcutOverride:
            tool.point(self._meant(event=None))
            return False
        if kind == QEvent.Type.KeyRelease or self._is_elsewhere():
            return False
        command = self._command(key, event.modifiers())
        if command is None:
            return False
        event.accept()
        if kind != QEvent.Type.ShortcutOverride:  # accepted, so that Krita's shortcuts do not fire
            command()
        return True

    def _command(self, key: Any, held: Any) -> Any:
        """What a key means to the tool; None for nothing."""
        tool = self._tool
        control = bool(held & Qt.KeyboardModifier.ControlModifier)
        shift = bool(held & Qt.KeyboardModifier.ShiftModifier)
        if key == Qt.Key.Key_Escape:
            return tool.stop
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return tool.commit
        if control and key == Qt.Key.Key_Z:
            if shift:
                return tool.redo if tool.session.can_redo() else None
            return tool.undo if len(tool.session) > 0 else None
        if key == Qt.Key.Key_Tab and len(tool.session) > 0:
            return tool.other
        if key in _CLIMB and tool.can_climb():
            return lambda: tool.climb(_CLIMB[key])
        if key in _MODE_KEYS and held == Qt.KeyboardModifier.NoModifier:
            return lambda: tool.toggle_mode(_MODE_KEYS[key])
        return None

    def _is_elsewhere(self) -> bool:
        """A menu or a dialog is open, or something is being typed."""
        if QApplication.activeModalWidget() is not None or QApplication.activePopupWidget() is not None:
            return True
        focus = QApplication.focusWidget()
        if focus is None or focus is self._canvas:
            return False
        return any(focus.inherits(name) for name in _TAKE_KEYS)

    # ------------------------------------------------------------ presses, drags, releases

    def _meant(self, event: Any) -> Meaning:
        """What keys and buttons say of what is pointed at: as with Krita's selection tools."""
        held = QApplication.queryKeyboardModifiers() if event is None else event.modifiers()
        right = event is not None and event.button() == Qt.MouseButton.RightButton
        if right or held & Qt.KeyboardModifier.AltModifier or _is_eraser(event):
            return Meaning.NOT
        if held & Qt.KeyboardModifier.ShiftModifier:
            return Meaning.ANOTHER
        if held & Qt.KeyboardModifier.ControlModifier:
            return Meaning.ANEW
        return self._tool.meaning

    def _press(self, event: Any) -> bool:
        if self._space or event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            return False
        event.accept()
        self._begin(_position(event), self._meant(event))
        return True

    def _begin(self, position: QPointF, meaning: Meaning) -> None:
        self._canvas.setFocus()  # from then on Enter means the clicks, not what was typed last
        self._start, self._meaning = position, meaning
        self._path = self._image(position)

    def _move(self, event: Any) -> bool:
        position = _position(event)
        if not self._path:
            if self._space or event.buttons() != Qt.MouseButton.NoButton:
                return False
            at = self._image(position)
            self._tool.hover(QPointF(at[0], at[1]), self._meant(event))
            event.accept()
            return True  # else Krita draws its brush's outline there
        event.accept()
        self._draw(position)
        return True

    def _draw(self, position: QPointF) -> None:
        self._path += self._image(position)
        gesture = self._gesture()
        if not gesture.is_click:
            self._tool.drag(gesture)

    def _release(self, event: Any) -> bool:
        if not self._path:
            return False
        event.accept()
        self._end(_position(event))
        return True

    def _end(self, position: QPointF) -> None:
        self._path += self._image(position)
        gesture, self._path = self._gesture(), []
        self._tool.drag(None)
        if gesture.is_click and self._is_again(gesture.meaning):
            return  # a double click is one click
        self._tool.perform(gesture)

    def _is_again(self, meaning: Meaning) -> bool:
        """It is the second click of a double click, which a pen does not tell."""
        when, where, meant = self._last
        self._last = now, here, _ = time.monotonic(), self._start, meaning
        near = max(abs(here.x() - where.x()), abs(here.y() - where.y())) < DRAG_PIXELS
        return near and meant is meaning and 1000 * (now - when) < QApplication.doubleClickInterval()

    def _touch(self, kind: Any, event: Any) -> bool:
        """One finger clicks and draws; two are Krita's, to move and turn the canvas."""
        points = event.points() if hasattr(event, "points") else event.touchPoints()
        if kind == QEvent.Type.TouchBegin:
            self._fingers = len(points) > 1
        if len(points) > 1 or self._fingers or kind == QEvent.Type.TouchCancel:
            self._fingers, self._path = True, []
            self._tool.drag(None)
            return False
        event.accept()
        position = QPointF(points[0].position() if hasattr(points[0], "position") else points[0].pos())
        if kind == QEvent.Type.TouchBegin:
            self._begin(position, self._tool.meaning)
        elif self._path and kind == QEvent.Type.TouchUpdate:
            self._draw(position)
        elif self._path:
            self._end(position)
        return True

    def _gesture(self) -> Gesture:
        """What was drawn so far."""
        way = canvas.image_to_widget(self._view)
        scale = max(1e-6, abs(way.determinant()) ** 0.5)  # screen pixels for one of the image's
        return Gesture(self._tool.mode, self._meaning, self._path, DRAG_PIXELS / scale, BRUSH_PIXELS / scale)

    def _image(self, position: QPointF) -> List[float]:
        inverse, _ = canvas.image_to_widget(self._view).inverted()
        at = inverse.map(position)
        return [at.x(), at.y()]


def _is_eraser(event: Any) -> bool:
    """A pen that is turned round."""
    if event is None or event.type() not in _TABLET:
        return False
    kind = event.pointerType()
    return "Eraser" in str(kind) or kind == 3  # Qt 5 has numbers


def _position(event: Any) -> QPointF:
    """Where a mouse or tablet event was, in its widget, in Qt 5 and 6."""
    if hasattr(event, "position"):
        return QPointF(event.position())
    if hasattr(event, "localPos"):
        return QPointF(event.localPos())
    return QPointF(event.posF())

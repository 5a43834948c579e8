"""Mouse, pen and keys for the click tool, while it is on.

Krita has no tools in Python: an event filter sees the application's events first and takes those of the canvas that
mean a click. Zooming, panning (middle button, space) and everything else goes on to Krita.
"""

from typing import Any

from maskwright_client.click_session import box_between
from maskwright_protocol.messages import Point

from .editor import canvas
from .editor.qt import QApplication, QEvent, QObject, QPointF, Qt

_PRESS = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TabletPress)
_MOVE = (QEvent.Type.MouseMove, QEvent.Type.TabletMove)
_RELEASE = (QEvent.Type.MouseButtonRelease, QEvent.Type.TabletRelease)
_KEYS = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)
DRAG_PIXELS = 6  # of the screen: a shorter drag is a click
# Widgets with a use of their own for Enter, Tab and the arrows. (An editable combo box has the focus itself, not the
# line in it.)
_TAKE_KEYS = ("QLineEdit", "QComboBox", "QAbstractSpinBox", "QAbstractItemView", "QTextEdit", "QPlainTextEdit")


class CanvasEvents(QObject):
    """Tells ``tool`` (a ``ClickTool``) what is meant on the canvas of a view."""

    def __init__(self, tool: Any, view: Any, widget: Any) -> None:
        super().__init__(tool)
        self._tool, self._view, self._canvas = tool, view, widget
        self._pressed: Any = None  # (widget position, is it an exclusion)
        self._doubled = False  # it is the second press of a double click
        self._space = False
        QApplication.instance().installEventFilter(self)

    def let_go(self) -> None:
        QApplication.instance().removeEventFilter(self)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: Any) -> bool:
        kind = event.type()
        if not self._tool.active:
            return False
        if kind in _KEYS or kind == QEvent.Type.KeyRelease:
            return self._key(kind, event)
        if watched is not self._canvas:
            return False
        if kind in _PRESS:
            return self._press(event)
        if kind in _MOVE:
            return self._move(event)
        if kind in _RELEASE:
            return self._release(event)
        if kind == QEvent.Type.Wheel:
            return self._wheel(event)
        if kind == QEvent.Type.Leave:
            self._tool.left()
        return False

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
        if kind == QEvent.Type.KeyRelease or self._is_elsewhere():
            return False
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        enter = key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        redo = control and shift and key == Qt.Key.Key_Z and tool.session.can_redo()
        undo = control and not shift and key == Qt.Key.Key_Z and len(tool.session) > 0
        other = key == Qt.Key.Key_Tab and len(tool.session) > 0
        larger = {Qt.Key.Key_Up: 1, Qt.Key.Key_BracketRight: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_BracketLeft: -1}
        climb = larger.get(key, 0) if tool.can_climb() else 0
        if not (enter or undo or redo or other or climb or key == Qt.Key.Key_Escape):
            return False
        event.accept()
        if kind == QEvent.Type.ShortcutOverride:  # so that Krita's shortcuts do not fire
            return True
        if undo:
            tool.undo()
        elif redo:
            tool.redo()
        elif other:
            tool.other()
        elif climb:
            tool.climb(climb)
        elif enter:
            tool.commit()
        else:
            tool.stop()
        return True

    def _is_elsewhere(self) -> bool:
        """A menu or a dialog is open, or something is being typed."""
        if QApplication.activeModalWidget() is not None or QApplication.activePopupWidget() is not None:
            return True
        focus = QApplication.focusWidget()
        if focus is None or focus is self._canvas:
            return False
        return any(focus.inherits(name) for name in _TAKE_KEYS)

    def _press(self, event: Any) -> bool:
        button = event.button()
        if self._space or button not in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            return False
        held = event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier)
        exclude = button == Qt.MouseButton.RightButton or bool(held)
        self._pressed = (_position(event), exclude)
        self._doubled = event.type() == QEvent.Type.MouseButtonDblClick
        self._canvas.setFocus()  # from then on Enter means the clicks, not what was typed last
        event.accept()
        return True

    def _move(self, event: Any) -> bool:
        position = _position(event)
        if self._pressed is None:
            if event.buttons() == Qt.MouseButton.NoButton:
                self._tool.hover(self._to_image(position))
            return False
        start, exclude = self._pressed
        if _far(start, position) and (self._tool.by_example or not exclude):
            self._tool.drag(self._box(start, position))
        event.accept()
        return True

    def _release(self, event: Any) -> bool:
        if self._pressed is None:
            return False
        start, exclude = self._pressed
        self._pressed = None
        position = _position(event)
        event.accept()
        self._tool.drag(None)
        if _far(start, position) and (self._tool.by_example or not exclude):
            self._tool.boxed(self._box(start, position), include=not exclude)
        elif not self._doubled:  # a double click is one click
            at = self._to_image(start)
            self._tool.click(Point(at.x(), at.y(), include=not exclude))
        return True

    def _to_image(self, position: QPointF) -> QPointF:
        inverse, _ = canvas.image_to_widget(self._view).inverted()
        return inverse.map(position)

    def _box(self, start: QPointF, end: QPointF) -> Any:
        first, second = self._to_image(start), self._to_image(end)
        return box_between(first.x(), first.y(), second.x(), second.y())


def _position(event: Any) -> QPointF:
    """Where a mouse or tablet event was, in its widget, in Qt 5 and 6."""
    if hasattr(event, "position"):
        return QPointF(event.position())
    if hasattr(event, "localPos"):
        return QPointF(event.localPos())
    return QPointF(event.posF())


def _far(start: QPointF, end: QPointF) -> bool:
    return max(abs(start.x() - end.x()), abs(start.y() - end.y())) >= DRAG_PIXELS

"""Mouse, pen and keys while an edge is worked on: the edge brush paints on the canvas.

An event filter sees the application's events first, as for the click tool. Zooming, panning (middle button, space) and
everything else goes on to Krita; so does the left button while no brush is chosen.
"""

from typing import Any

from .editor import canvas
from .editor.qt import QApplication, QEvent, QObject, QPointF, Qt, QTimer

_PRESS = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TabletPress)
_MOVE = (QEvent.Type.MouseMove, QEvent.Type.TabletMove)
_RELEASE = (QEvent.Type.MouseButtonRelease, QEvent.Type.TabletRelease)
_TEXTS = ("QLineEdit", "QComboBox", "QTextEdit", "QPlainTextEdit", "QAbstractItemView")  # where letters are written
PAINT, RESIZE = "paint", "resize"


class EdgeEvents(QObject):
    """Tells ``work`` (an ``EdgeWork``) what is meant on the canvas of a view, and ``panel`` what keys mean."""

    def __init__(self, work: Any, panel: Any, view: Any, widget: Any) -> None:
        super().__init__(work)
        self._work, self._panel, self._view, self._canvas = work, panel, view, widget
        self._doing = ""
        self._start = QPointF()
        self._width = 0.0
        self._space = False
        QApplication.instance().installEventFilter(self)

    def let_go(self) -> None:
        QApplication.instance().removeEventFilter(self)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: Any) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            return self._key(kind, event)
        if watched is not self._canvas:
            return False
        if kind in _PRESS:
            return self._press(event)
        if kind in _MOVE:
            return self._move(event)
        if kind in _RELEASE:
            return self._release(event)
        if kind == QEvent.Type.Leave:
            self._work.point_at(None)
        elif kind == QEvent.Type.Enter and self._work.brush:  # at which Krita shows its own brush's outline
            QTimer.singleShot(0, self._work.hide_krita_brush)
        return False

    # ------------------------------------------------------------ keys

    def _key(self, kind: Any, event: Any) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Space:
            self._space = kind != QEvent.Type.KeyRelease
            return False
        if kind == QEvent.Type.KeyRelease or self._is_elsewhere():
            return False
        held = event.modifiers()
        control = bool(held & Qt.KeyboardModifier.ControlModifier)
        shift = bool(held & Qt.KeyboardModifier.ShiftModifier)
        work, panel = self._work, self._panel
        commands = {
            (Qt.Key.Key_F, False, False): panel.next_view,
            (Qt.Key.Key_BracketRight, False, False): lambda: work.resize_brush(1.25),
            (Qt.Key.Key_BracketLeft, False, False): lambda: work.resize_brush(0.8),
            (Qt.Key.Key_Z, True, False): work.undo,
            (Qt.Key.Key_Z, True, True): work.redo,
        }
        if self._on_canvas():  # in the panel these are the buttons' keys anyway
            commands[(Qt.Key.Key_Return, False, False)] = commands[(Qt.Key.Key_Enter, False, False)] = panel.accept
            commands[(Qt.Key.Key_Escape, False, False)] = panel.reject
        command = commands.get((key, control, shift))
        if command is None:
            return False
        event.accept()
        if kind == QEvent.Type.KeyPress:  # before it came the question whether Krita's shortcuts may have it
            command()
        return True

    def _is_elsewhere(self) -> bool:
        """A menu or a dialog is open, or something is being written, or a number of Krita's is set."""
        if QApplication.activeModalWidget() is not None or QApplication.activePopupWidget() is not None:
            return True
        focus = QApplication.focusWidget()
        if focus is None or focus is self._canvas:
            return False
        mine = focus.window() is self._panel
        return any(focus.inherits(name) for name in (_TEXTS if mine else (*_TEXTS, "QAbstractSpinBox")))

    def _on_canvas(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is None or focus is self._canvas or focus.inherits("QMainWindow")

    # ------------------------------------------------------------ the brush

    def _press(self, event: Any) -> bool:
        button = event.button()
        left, right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
        if self._space or button not in (left, right) or not self._work.brush:
            return False
        self._canvas.setFocus()
        self._start = _position(event)
        event.accept()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:  # as for Krita's own brushes
            self._doing, self._width = RESIZE, self._work.brush_width
        else:
            self._doing = PAINT
            at = self._to_image(self._start)
            self._work.brush_down(at.x(), at.y(), other=button == right)
        return True

    def _move(self, event: Any) -> bool:
        position = _position(event)
        if not self._doing:
            self._work.point_at(position)
            # Krita would draw its own brush's outline there.
            return bool(self._work.brush) and not self._space and event.buttons() == Qt.MouseButton.NoButton
        event.accept()
        if self._doing == RESIZE:
            by = (position.x() - self._start.x()) / max(1e-6, self._scale())
            self._work.set_brush_width(self._width + 2 * by)
        else:
            self._work.point_at(position)
            at = self._to_image(position)
            self._work.extend(at.x(), at.y())
        return True

    def _release(self, event: Any) -> bool:
        doing, self._doing = self._doing, ""
        if not doing:
            return False
        event.accept()
        if doing == PAINT:
            self._work.end()
        return True

    def _scale(self) -> float:
        return abs(canvas.image_to_widget(self._view).determinant()) ** 0.5

    def _to_image(self, position: QPointF) -> QPointF:
        inverse, _ = canvas.image_to_widget(self._view).inverted()
        return inverse.map(position)


def _position(event: Any) -> QPointF:
    """Where a mouse or tablet event was, in its widget, in Qt 5 and 6."""
    if hasattr(event, "position"):
        return QPointF(event.position())
    return QPointF(event.localPos() if hasattr(event, "localPos") else event.posF())

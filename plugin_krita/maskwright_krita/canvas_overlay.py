"""A transparent widget over the canvas that goes with it: its size, and the way from the image to the screen."""

from typing import Any, Callable

from .editor.qt import QRectF, Qt, QTimer, QTransform, QWidget

POLL_MS = 40


class CanvasOverlay(QWidget):
    """``transform()`` gives the way from the image to this widget. ``way`` is what it was at the last look."""

    def __init__(self, canvas: QWidget, transform: Callable[[], QTransform], name: str) -> None:
        super().__init__(canvas)
        self.setObjectName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._transform = transform
        self.way = QTransform()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._follow)
        self._timer.start(POLL_MS)
        self.setGeometry(canvas.rect())
        self.show()
        self.raise_()

    def moved(self) -> None:
        """The canvas was zoomed, moved, turned or has another size."""
        self.update()

    def _follow(self) -> None:
        """Krita tells nobody when the canvas is zoomed, moved or turned."""
        parent = self.parentWidget()
        if parent is None:
            return
        resized = self.geometry() != parent.rect()
        if resized:
            self.setGeometry(parent.rect())
        now = self._transform()
        if now != self.way or resized:
            self.way = now
            self.moved()

    def look(self) -> None:
        """Take the way as it is now, ahead of the timer."""
        self.way = self._transform()

    def visible_part(self) -> QRectF:
        """What of the image's plane the widget shows; turned views have corners that reach further."""
        inverse, _ = self.way.inverted()
        return inverse.mapRect(QRectF(self.rect()))

    def remove(self) -> None:
        try:
            self._timer.stop()
            self.hide()
            self.deleteLater()
        except RuntimeError:  # it went with its canvas
            pass

    def paintEvent(self, event: Any) -> None:
        raise NotImplementedError

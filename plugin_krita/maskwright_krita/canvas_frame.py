"""A frame with buttons that lies on the canvas."""

from typing import Any

from .editor.qt import QEvent, QFrame, QObject, Qt, QTimer, QWidget


class CanvasFrame(QFrame):
    """Keeps its place on ``over``, the canvas, until it leaves. Subclasses say where that is (``place``)."""

    def __init__(self, name: str, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName(name)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)  # a press on it is no stroke
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._over = over
        over.installEventFilter(self)

    def place(self) -> None:
        """Take size and place on the canvas as it is now."""
        raise NotImplementedError

    def eventFilter(self, watched: QObject, event: Any) -> bool:
        if event.type() == QEvent.Type.Resize:
            QTimer.singleShot(0, self.place)
        return False

    def leave(self) -> None:
        try:
            self._over.removeEventFilter(self)
            self.hide()
            self.deleteLater()
        except RuntimeError:  # it went with its canvas
            pass

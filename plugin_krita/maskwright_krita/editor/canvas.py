"""The canvas widget of a view, and the way from its coordinates to the image's and back."""

from typing import Any, List, Optional

from krita import Document, View

from maskwright_protocol.messages import PixelRect

from . import app
from .qt import QApplication, QEvent, QMdiArea, QMdiSubWindow, QTransform, QWidget

CANVAS_CLASSES = ("KisOpenGLCanvas2", "KisQPainterCanvas")


def active_widget() -> Optional[QWidget]:
    """The widget that shows the active view's image."""
    main = app.main_widget()
    if main is None:
        return None
    # Not from the main window down: looking through all its panels takes tens of milliseconds.
    central = main.centralWidget()
    area = central if central is None or isinstance(central, QMdiArea) else central.findChild(QMdiArea)
    sub = area.activeSubWindow() if area is not None else None
    for widget in (sub or main).findChildren(QWidget):
        if widget.metaObject().className() in CANVAS_CLASSES and widget.isVisible():
            return widget
    return None


def is_canvas(widget: Any) -> bool:
    """It shows an image."""
    return bool(widget.isWidgetType()) and widget.metaObject().className() in CANVAS_CLASSES


def activate(widget: QWidget) -> None:
    """Bring the view to front that the widget shows."""
    parent: Any = widget
    while parent is not None and not isinstance(parent, QMdiSubWindow):
        parent = parent.parentWidget()
    if parent is not None and parent.mdiArea() is not None:
        parent.mdiArea().setActiveSubWindow(parent)
    widget.setFocus()


def image_to_widget(view: View) -> QTransform:
    """Right under zoom, rotation and mirroring; widget coordinates are Qt's, whatever the screen's pixel ratio."""
    to_image, _ = view.flakeToImageTransform().inverted()
    return to_image * view.flakeToCanvasTransform()


def hide_brush_outline(widget: QWidget) -> None:
    """The brush's outline would stay where the pointer was while another tool takes the events."""
    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))


def add_guides(document: Document, box: PixelRect) -> None:
    """Guides along the box' sides, beside those that are there. Krita keeps them out of its history."""
    document.setVerticalGuides(_with(document.verticalGuides(), box.x, box.x + box.width))
    document.setHorizontalGuides(_with(document.horizontalGuides(), box.y, box.y + box.height))
    document.setGuidesVisible(True)


def _with(lines: List[float], *more: float) -> List[float]:
    return [*lines, *(float(line) for line in more if float(line) not in lines)]

"""What is seen on the canvas while an edge is worked on: the preview in one of five views, the strokes, the brush."""

from typing import Any, Callable, List, Optional

from maskwright_client import edge_views
from maskwright_client.edge_settings import brush_of
from maskwright_client.edge_views import EdgeView
from maskwright_client.preview_picture import Preview
from maskwright_protocol.messages import EdgeStroke

from .canvas_overlay import CanvasOverlay
from .editor.qt import QColor, QImage, QPainter, QPen, QPointF, QPolygonF, QRectF, Qt, QTimer, QTransform, QWidget

MARK = 0.35  # opacity of a stroke's mark


class EdgeOverlay(CanvasOverlay):
    """``moved_to`` is called when another part of the image is seen."""

    def __init__(self, canvas: QWidget, transform: Callable[[], QTransform], moved_to: Callable[[], None]) -> None:
        super().__init__(canvas, transform, "maskwright_edge_overlay")
        self._moved_to = moved_to
        self._view = edge_views.VIEWS[0]
        self._preview: Optional[Preview] = None
        self._indexed: Optional[QImage] = None
        self._data = b""  # what the image shows; Qt does not copy it
        self._image: Optional[QImage] = None
        self._strokes: List[EdgeStroke] = []
        self._drawn: Optional[EdgeStroke] = None
        self._brush: Any = None  # (place in the widget, kind, width in the image's pixels)
        self._phase = 0
        self.painted = 0
        self._ants = QTimer(self)
        self._ants.timeout.connect(self._march)
        self.look()

    def moved(self) -> None:
        self.update()
        self._moved_to()

    # ------------------------------------------------------------ what is shown

    def show_preview(self, view: EdgeView, preview: Optional[Preview]) -> None:
        """``preview`` as the view shows it; nothing for None."""
        self._view, self._preview, self._indexed, self._image = view, preview, None, None
        if preview is not None:
            box = preview.box
            self._data = edge_views.pixels(view, preview)
            self._indexed = QImage(self._data, box.width, box.height, box.width, QImage.Format.Format_Indexed8)
            self._colour()
        marching = preview is not None and view.outside is None
        if marching != self._ants.isActive():
            self._ants.start(edge_views.STEP_MS) if marching else self._ants.stop()
        self.update()

    def show_strokes(self, strokes: List[EdgeStroke], drawn: Optional[EdgeStroke]) -> None:
        self._strokes, self._drawn = strokes, drawn
        self.update()

    def show_brush(self, at: Optional[QPointF], kind: str = "", width: float = 0.0) -> None:
        """A ring where the pointer is; none for None."""
        brush = None if at is None or not kind else (at, kind, width)
        if brush != self._brush:
            self._brush = brush
            self.update()

    def _march(self) -> None:
        self._phase = (self._phase + 1) % edge_views.PHASES
        self._colour()
        self.update()

    def _colour(self) -> None:
        """The preview's indices in the view's colours; Qt's tables are not multiplied by their alpha."""
        assert self._indexed is not None
        table = []
        for red, green, blue, alpha in edge_views.table(self._view, self._phase):
            over = max(1, alpha)
            table.append(
                alpha << 24 | min(255, red * 255 // over) << 16 | min(255, green * 255 // over) << 8
                | min(255, blue * 255 // over)
            )  # fmt: skip
        self._indexed.setColorTable(table)
        self._image = self._indexed.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)

    # ------------------------------------------------------------ painting

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self)
        painter.setTransform(self.way)
        if self._image is not None and self._preview is not None:
            smooth = self._view.outside is not None
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            place = self._preview.place
            painter.drawImage(QRectF(place.x, place.y, place.width, place.height), self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # Earlier strokes would hide what the other views are for.
        shown = self._strokes if self._view.outside is None else []
        for stroke in [*shown, *([self._drawn] if self._drawn is not None else [])]:
            _draw_stroke(painter, stroke)
        painter.resetTransform()
        if self._brush is not None:
            self._draw_brush(painter)
        painter.end()
        self.painted += 1

    def _draw_brush(self, painter: QPainter) -> None:
        at, kind, width = self._brush
        radius = max(1.5, width / 2 * abs(self.way.determinant()) ** 0.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, thick in ((QColor(0, 0, 0, 170), 3.0), (QColor(*brush_of(kind).colour), 1.5)):
            painter.setPen(QPen(colour, thick))
            painter.drawEllipse(at, radius, radius)


def _draw_stroke(painter: QPainter, stroke: EdgeStroke) -> None:
    colour = QColor(*brush_of(stroke.kind).colour)
    colour.setAlphaF(MARK)
    places = [QPointF(x, y) for x, y in zip(stroke.path[::2], stroke.path[1::2])]
    if len(places) == 1:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(places[0], stroke.width / 2, stroke.width / 2)
        return
    cap, join = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    painter.setPen(QPen(colour, stroke.width, Qt.PenStyle.SolidLine, cap, join))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(places))

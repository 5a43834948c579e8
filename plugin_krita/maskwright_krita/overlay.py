"""A transparent widget over the canvas that shows the click tool's preview, points and boxes."""

from typing import Any, Callable, Optional

from maskwright_client.click_session import ClickSession
from maskwright_client.preview_picture import Preview
from maskwright_protocol.messages import Point, Rect

from .editor.qt import QColor, QImage, QPainter, QPen, QPointF, QPolygonF, QRectF, Qt, QTimer, QTransform, QWidget

SELECTED = QColor(255, 30, 100)  # the red of masking film: seldom a colour of the picture
HOVERED = QColor(255, 170, 40)
INCLUDE = QColor(50, 200, 90)
EXCLUDE = QColor(230, 60, 60)
MAX_SIDE = 1200  # of a tinted preview, which is drawn in the moment between a click and the eye
POLL_MS = 40


def tinted(preview: Preview, colour: QColor, opacity: float) -> QImage:
    """The mask as a colour whose alpha follows it, at most ``MAX_SIDE`` large."""
    box = preview.box
    image = QImage(preview.data, box.width, box.height, box.width, QImage.Format.Format_Alpha8)
    if max(box.width, box.height) > MAX_SIDE:
        image = image.scaled(
            MAX_SIDE, MAX_SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation
        )
    out = QImage(image.width(), image.height(), QImage.Format.Format_ARGB32_Premultiplied)
    shade = QColor(colour)
    shade.setAlphaF(opacity)
    out.fill(shade)
    painter = QPainter(out)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
    painter.drawImage(0, 0, image)
    painter.end()
    return out


def _drawn(preview: Optional[Preview], colour: QColor, opacity: float) -> Any:
    if preview is None or not preview.data:
        return None
    return preview, tinted(preview, colour, opacity)


class Overlay(QWidget):
    """``transform()`` gives the way from the image to this widget at the time of painting."""

    def __init__(self, canvas: QWidget, session: ClickSession, transform: Callable[[], QTransform]) -> None:
        super().__init__(canvas)
        self.setObjectName("maskwright_overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._session = session
        self._transform = transform
        self._last = QTransform()
        self._preview: Any = None
        self._hover: Any = None
        self.title = ""
        self.drag: Optional[Rect] = None
        self.painted = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._follow)
        self._timer.start(POLL_MS)
        self.setGeometry(canvas.rect())
        self.show()
        self.raise_()

    def _follow(self) -> None:
        """Krita tells nobody when the canvas is zoomed, moved or turned."""
        parent = self.parentWidget()
        if parent is None:
            return
        if self.geometry() != parent.rect():
            self.setGeometry(parent.rect())
        now = self._transform()
        if now != self._last:
            self._last = now
            self.update()

    def show_preview(self, preview: Optional[Preview]) -> None:
        """Paint it at once, and no more of the canvas than it and the one before cover."""
        before, self._preview = self._preview, _drawn(preview, SELECTED, 0.45)
        changed = QRectF()
        for shown in (before, self._preview):
            if shown is not None:
                changed = changed.united(self._last.mapRect(_rectangle(shown[0].place)))
        self.update()  # clicks come and go with previews; that may wait for the next round
        if not changed.isEmpty():
            self.repaint(changed.toAlignedRect().adjusted(-1, -1, 1, 1))

    def remove(self) -> None:
        try:
            self.hide()
            self.deleteLater()
        except RuntimeError:  # it went with its canvas
            pass

    def show_hover(self, preview: Optional[Preview], title: str = "") -> None:
        """``title`` is written on it."""
        if preview is None and self._hover is None:
            return
        self._hover, self.title = _drawn(preview, HOVERED, 0.35), title
        self.update()

    def paintEvent(self, event: Any) -> None:
        self._last = self._transform()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setTransform(self._last)
        for shown in (self._preview, self._hover):
            if shown is not None:
                painter.drawImage(_rectangle(shown[0].place), shown[1])
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._hover is not None and self.title:
            self._draw_title(painter, self._last.mapRect(_rectangle(self._hover[0].place)))
        for rect in [*self._session.boxes, *([self.drag] if self.drag is not None else [])]:
            self._draw_box(painter, rect)
        for one in self._session.examples:
            box = Rect(one.x, one.y, one.width, one.height)
            self._draw_box(painter, box, INCLUDE if one.include else EXCLUDE)
        for point in self._session.points:
            self._draw_point(painter, point)
        painter.end()
        self.painted += 1

    def _draw_title(self, painter: QPainter, place: QRectF) -> None:
        for colour, shift in ((QColor(0, 0, 0, 200), 1.0), (QColor(255, 255, 255), 0.0)):
            painter.setPen(colour)
            painter.drawText(place.translated(shift, shift), int(Qt.AlignmentFlag.AlignCenter), self.title)

    def _draw_box(self, painter: QPainter, rect: Rect, inner: Optional[QColor] = None) -> None:
        polygon = self._last.map(_polygon(rect))
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (inner or QColor(255, 255, 255), 1.4)):
            painter.setPen(QPen(colour, width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolygon(polygon)

    def _draw_point(self, painter: QPainter, point: Point) -> None:
        at = self._last.map(QPointF(point.x, point.y))
        painter.setPen(QPen(QColor(255, 255, 255), 2.0))
        painter.setBrush(INCLUDE if point.include else EXCLUDE)
        painter.drawEllipse(at, 7.0, 7.0)
        painter.setPen(QPen(QColor(255, 255, 255), 2.0))
        painter.drawLine(QPointF(at.x() - 3.5, at.y()), QPointF(at.x() + 3.5, at.y()))
        if point.include:
            painter.drawLine(QPointF(at.x(), at.y() - 3.5), QPointF(at.x(), at.y() + 3.5))


def _rectangle(rect: Rect) -> QRectF:
    return QRectF(rect.x, rect.y, rect.width, rect.height)


def _polygon(rect: Rect) -> QPolygonF:
    right, bottom = rect.x + rect.width, rect.y + rect.height
    corners = ((rect.x, rect.y), (right, rect.y), (right, bottom), (rect.x, bottom))
    return QPolygonF([QPointF(x, y) for x, y in corners])

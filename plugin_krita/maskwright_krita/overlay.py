"""A transparent widget over the canvas that shows the click tool's preview, points, strokes and boxes."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from maskwright_client.click_session import ClickSession
from maskwright_client.gestures import Gesture, Meaning, Mode
from maskwright_client.preview_picture import Preview
from maskwright_protocol.messages import Point, Rect

from .canvas_overlay import CanvasOverlay
from .editor.qt import QColor, QImage, QPainter, QPen, QPointF, QPolygonF, QRectF, Qt, QTransform, QWidget

SELECTED = QColor(255, 30, 100)  # the red of masking film: seldom a colour of the picture
HOVERED = QColor(255, 170, 40)
INCLUDE = QColor(50, 200, 90)
EXCLUDE = QColor(230, 60, 60)
MAX_SIDE = 1200  # of a tinted preview, which is drawn in the moment between a click and the eye
_AROUND = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7))
_OVER = QPainter.CompositionMode


def tinted(preview: Preview, colour: QColor, opacity: float) -> QImage:
    """The mask as a colour whose alpha follows it, at most ``MAX_SIDE`` large."""
    box = preview.box
    image = QImage(preview.data, box.width, box.height, box.width, QImage.Format.Format_Alpha8)
    if max(box.width, box.height) > MAX_SIDE:
        image = image.scaled(
            MAX_SIDE, MAX_SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation
        )
    out = _empty(image.width(), image.height())
    shade = QColor(colour)
    shade.setAlphaF(opacity)
    out.fill(shade)
    painter = QPainter(out)
    painter.setCompositionMode(_OVER.CompositionMode_DestinationIn)
    painter.drawImage(0, 0, image)
    painter.end()
    return out


def outlined(preview: Preview, colour: QColor, scale: float) -> Tuple[QRectF, QImage]:
    """A line around the mask, some two screen pixels wide, and a breath of its colour inside; where in the document it
    lies. ``scale``: screen pixels for one of the document's."""
    inner, place = tinted(preview, colour, 1.0), preview.place
    across, down = place.width / inner.width(), place.height / inner.height()
    reach = max(1, round(2 / max(1e-6, scale * across)))
    out = _empty(inner.width() + 2 * reach, inner.height() + 2 * reach)
    out.fill(Qt.GlobalColor.transparent)
    painter = QPainter(out)
    for x, y in _AROUND:
        painter.drawImage(QPointF(reach + round(x * reach), reach + round(y * reach)), inner)
    painter.setCompositionMode(_OVER.CompositionMode_DestinationOut)
    painter.setOpacity(0.85)
    painter.drawImage(QPointF(reach, reach), inner)
    painter.end()
    left, top = place.x - reach * across, place.y - reach * down
    return QRectF(left, top, out.width() * across, out.height() * down), out


def _empty(width: int, height: int) -> QImage:
    return QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)


class Overlay(CanvasOverlay):
    """Shows what is in ``session``, the previews that it is given, and a gesture while it is being made."""

    def __init__(self, canvas: QWidget, session: ClickSession, transform: Callable[[], QTransform]) -> None:
        self.session = session
        self._previews: List[Tuple[Preview, Any]] = []
        self._hover: Optional[Tuple[Preview, QRectF, Any]] = None
        self.title = ""
        self.drag: Optional[Gesture] = None
        self.painted = 0
        super().__init__(canvas, transform, "maskwright_overlay")

    def show_previews(self, previews: Sequence[Preview]) -> None:
        """Paint them at once, and no more of the canvas than they and those before cover."""
        before = self._previews
        known: Dict[int, Any] = {id(preview): image for preview, image in before}
        shown = [preview for preview in previews if preview.data]
        self._previews = [(one, known.get(id(one)) or tinted(one, SELECTED, 0.45)) for one in shown]
        changed = QRectF()
        for preview, _ in (*before, *self._previews):
            changed = changed.united(self.way.mapRect(_rectangle(preview.place)))
        self.update()  # clicks come and go with previews; that may wait for the next round
        if not changed.isEmpty():
            self.repaint(changed.toAlignedRect().adjusted(-1, -1, 1, 1))

    def show_hover(self, preview: Optional[Preview], title: str = "") -> None:
        """Outline an object; ``title`` is written on it."""
        if preview is None and self._hover is None:
            return
        self.title = title
        self._outline(preview)
        self.update()

    def moved(self) -> None:
        self._outline(self._hover[0] if self._hover is not None else None)
        self.update()

    def _outline(self, one: Optional[Preview]) -> None:
        scale = abs(self.way.determinant()) ** 0.5
        self._hover = (one, *outlined(one, HOVERED, scale)) if one is not None and one.data else None

    def paintEvent(self, event: Any) -> None:
        self.look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setTransform(self.way)
        for preview, image in self._previews:
            painter.drawImage(_rectangle(preview.place), image)
        if self._hover is not None:
            painter.drawImage(self._hover[1], self._hover[2])
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._hover is not None and self.title:
            self._draw_title(painter, self.way.mapRect(self._hover[1]))
        self._draw_prompts(painter)
        if self.drag is not None:
            self._draw_gesture(painter, self.drag)
        painter.end()
        self.painted += 1

    def _draw_prompts(self, painter: QPainter) -> None:
        for rect in self.session.boxes:
            self._draw_box(painter, rect)
        for one in self.session.examples:
            box = Rect(one.x, one.y, one.width, one.height)
            self._draw_box(painter, box, INCLUDE if one.include else EXCLUDE)
        for stroke in self.session.strokes:
            self._draw_line(painter, stroke.path, INCLUDE if stroke.include else EXCLUDE, 2.0, stroke.closed)
        for point in self.session.points:
            self._draw_point(painter, point)

    def _draw_gesture(self, painter: QPainter, gesture: Gesture) -> None:
        colour = EXCLUDE if gesture.meaning is Meaning.NOT else INCLUDE
        if gesture.mode in (Mode.BOX, Mode.EXAMPLE):
            plain = gesture.mode is Mode.BOX and gesture.meaning is not Meaning.NOT
            self._draw_box(painter, gesture.box, None if plain else colour)
        else:
            closed = gesture.mode is Mode.LASSO
            width = 1.6 if closed else gesture.width * abs(self.way.determinant()) ** 0.5
            self._draw_line(painter, gesture.path, colour, width, closed)

    def _draw_line(self, painter: QPainter, path: Sequence[float], colour: QColor, width: float, closed: bool) -> None:
        line = self.way.map(QPolygonF([QPointF(x, y) for x, y in zip(path[0::2], path[1::2])]))
        shade = QColor(colour)
        shade.setAlphaF(0.6 if width > 4 else 1.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for ink, wide in ((QColor(0, 0, 0, 120), width + 1.6), (shade, width)):
            round_cap, round_join = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
            painter.setPen(QPen(ink, wide, Qt.PenStyle.SolidLine, round_cap, round_join))
            if closed:
                painter.drawPolygon(line)
            else:
                painter.drawPolyline(line)

    def _draw_title(self, painter: QPainter, place: QRectF) -> None:
        for colour, shift in ((QColor(0, 0, 0, 200), 1.0), (QColor(255, 255, 255), 0.0)):
            painter.setPen(colour)
            painter.drawText(place.translated(shift, shift), int(Qt.AlignmentFlag.AlignCenter), self.title)

    def _draw_box(self, painter: QPainter, rect: Rect, inner: Optional[QColor] = None) -> None:
        polygon = self.way.map(_polygon(rect))
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (inner or QColor(255, 255, 255), 1.4)):
            painter.setPen(QPen(colour, width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolygon(polygon)

    def _draw_point(self, painter: QPainter, point: Point) -> None:
        at = self.way.map(QPointF(point.x, point.y))
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

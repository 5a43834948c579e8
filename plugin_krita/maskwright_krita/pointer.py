"""The pointer over the canvas, which says what a click will do."""

from functools import lru_cache
from typing import Any

from maskwright_client.gestures import Meaning, Mode

from .editor.qt import QColor, QCursor, QPainter, QPen, QPixmap, QPointF, QRectF, Qt

_SIDE, _HOT = 32, 11
_SIGNS = {Meaning.ANOTHER: "+", Meaning.NOT: "\N{MINUS SIGN}", Meaning.ANEW: "1"}


@lru_cache(maxsize=None)
def cursor(mode: Mode, meaning: Meaning) -> QCursor:
    """A cross, for scribbling a ring, for a lasso a loop; beside it a sign for all but the plain meaning."""
    shown = QPixmap(_SIDE, _SIDE)
    shown.fill(Qt.GlobalColor.transparent)
    painter = QPainter(shown)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((QColor(0, 0, 0), 3.0), (QColor(255, 255, 255), 1.2)):
        painter.setPen(QPen(colour, width))
        _draw(painter, mode)
        _sign(painter, _SIGNS.get(meaning, ""))
    painter.end()
    return QCursor(shown, _HOT, _HOT)


def _draw(painter: Any, mode: Mode) -> None:
    middle = QPointF(_HOT + 0.5, _HOT + 0.5)
    if mode is Mode.SCRIBBLE:
        painter.drawEllipse(middle, 6.0, 6.0)
        painter.drawPoint(middle)
        return
    if mode is Mode.LASSO:
        painter.drawEllipse(QRectF(_HOT + 2, _HOT - 9, 14, 8))
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        painter.drawLine(middle + QPointF(3 * x, 3 * y), middle + QPointF(9 * x, 9 * y))


def _sign(painter: Any, sign: str) -> None:
    middle = QPointF(25.5, 24.5)
    if sign == "1":
        painter.drawLine(middle + QPointF(0, -4), middle + QPointF(0, 4))
        painter.drawLine(middle + QPointF(-2, -2), middle + QPointF(0, -4))
    elif sign:
        painter.drawLine(middle + QPointF(-4, 0), middle + QPointF(4, 0))
    if sign == "+":
        painter.drawLine(middle + QPointF(0, -4), middle + QPointF(0, 4))

"""The list of found objects: thumbnail, label, score; tick, untick, hover."""

from typing import Any, Optional

from maskwright_client.results import DOUBTFUL, rated

from .editor.planes import Plane, gray_image
from .editor.qt import QColor, QIcon, QImage, QListWidget, QListWidgetItem, QPainter, QPixmap, QSize, Qt, pyqtSignal
from .editor.texts import tr
from .results import FoundObject, Result

SIDE = 40
ROLE = int(Qt.ItemDataRole.UserRole)
MAX_SHOWN = 50


def thumbnail(plane: Plane) -> QIcon:
    """The mask in white on dark, in a square."""
    pixmap = QPixmap(SIDE, SIDE)
    pixmap.fill(QColor(40, 40, 40))
    small = gray_image(plane).scaled(
        SIDE - 4, SIDE - 4, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation
    )
    painter = QPainter(pixmap)
    painter.drawImage((SIDE - small.width()) // 2, (SIDE - small.height()) // 2, QImage(small))
    painter.end()
    return QIcon(pixmap)


class FoundList(QListWidget):
    """``ticks_changed`` after a tick; ``hovered`` with the object under the pointer, or None."""

    ticks_changed = pyqtSignal()
    hovered = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("maskwright_found")
        self.setIconSize(QSize(SIDE, SIDE))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self._result: Optional[Result] = None
        self._filling = False
        self.itemChanged.connect(self._on_changed)
        self.itemEntered.connect(lambda item: self.hovered.emit(self._object(item)))

    def show_result(self, result: Optional[Result]) -> None:
        self._filling = True
        self._result = result
        self.clear()
        for one in result.objects[:MAX_SHOWN] if result is not None else []:
            label = one.label or (result.title if result is not None else "")
            item = QListWidgetItem(thumbnail(one.plane), tr("{0}  {1}", label, rated(one.score, one.doubtful)))
            item.setToolTip(tr(DOUBTFUL) if one.doubtful else "")
            item.setData(ROLE, one.id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = result is not None and one.id in result.ticked
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            self.addItem(item)
        self._filling = False
        self.setVisible(self.count() > 0)

    def _object(self, item: QListWidgetItem) -> Optional[FoundObject]:
        if self._result is None:
            return None
        return next((one for one in self._result.objects if one.id == item.data(ROLE)), None)

    def _on_changed(self, item: QListWidgetItem) -> None:
        if self._filling or self._result is None:
            return
        identity = item.data(ROLE)
        if item.checkState() == Qt.CheckState.Checked:
            self._result.ticked.add(identity)
        else:
            self._result.ticked.discard(identity)
        self.ticks_changed.emit()

    def leaveEvent(self, event: Any) -> None:
        self.hovered.emit(None)
        super().leaveEvent(event)

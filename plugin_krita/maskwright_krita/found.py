"""What was found: a list with thumbnail, label, score; tick, untick, hover. It opens beside what asked for it."""

from typing import Any, Optional

from maskwright_client.results import DOUBTFUL, by_whom, rated
from maskwright_protocol.language import tr

from .controller import Controller
from .editor.planes import Plane, gray_image
from .editor.qt import (
    QApplication,
    QColor,
    QDialog,
    QIcon,
    QImage,
    QListWidget,
    QListWidgetItem,
    QPainter,
    QPixmap,
    QRect,
    QSize,
    Qt,
    QVBoxLayout,
    pyqtSignal,
)
from .hover import HoverPreview
from .results import FoundObject, Result
from .widgets import button, label

SIDE = 40
ROLE = int(Qt.ItemDataRole.UserRole)
MAX_SHOWN = 50
SIZE = (250, 280)  # of the window, without what the window manager puts around it:
FRAME = (12, 36)


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
        self.result: Optional[Result] = None
        self._filling = False
        self.itemChanged.connect(self._on_changed)
        self.itemEntered.connect(lambda item: self.hovered.emit(self._object(item)))

    def show_result(self, result: Optional[Result]) -> None:
        self._filling = True
        self.result = result
        self.clear()
        for one in result.objects[:MAX_SHOWN] if result is not None else []:
            label = one.label or (result.title if result is not None else "")
            item = QListWidgetItem(thumbnail(one.plane), tr("{0}  {1}", label, rated(one.score, one.doubtful)))
            item.setToolTip(DOUBTFUL if one.doubtful else "")
            item.setData(ROLE, one.id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = result is not None and one.id in result.ticked
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            self.addItem(item)
        self._filling = False

    def _object(self, item: QListWidgetItem) -> Optional[FoundObject]:
        if self.result is None:
            return None
        return next((one for one in self.result.objects if one.id == item.data(ROLE)), None)

    def _on_changed(self, item: QListWidgetItem) -> None:
        if self._filling or self.result is None:
            return
        identity = item.data(ROLE)
        if item.checkState() == Qt.CheckState.Checked:
            self.result.ticked.add(identity)
        else:
            self.result.ticked.discard(identity)
        self.ticks_changed.emit()

    def leaveEvent(self, event: Any) -> None:
        self.hovered.emit(None)
        super().leaveEvent(event)


class FoundWindow(QDialog):
    """The list with its button. It shows what was found in the image in front, and goes when that goes."""

    def __init__(self, controller: Controller, parent: Any) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setObjectName("maskwright_found_window")
        self.setWindowTitle(tr("Found"))
        self.controller = controller
        self.hover = HoverPreview()
        self.list = FoundList()
        hint = label("", tr("Point at a line to see it on the canvas; untick what you do not want."))
        tip = tr("Put what is ticked in the place of what was put into the image, beginning with the selection before")
        self.again = button("maskwright_again", tr("Apply ticked"), controller.apply_again, tip)
        self.how = label("maskwright_how")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        for part in (hint, self.list, self.again, self.how):
            layout.addWidget(part)
        self.list.hovered.connect(self._show_hovered)
        controller.result_changed.connect(self.show_result)
        self.show_result()

    def show_result(self) -> None:
        result = self.controller.shown_result()
        if result is not self.list.result:
            self.list.show_result(result)
        if result is None or not result.objects:
            self.hide()
        elif result.report is not None:
            self.how.setText(by_whom(result.report, self.controller.connection.models))

    def open_beside(self, place: QRect) -> None:
        """On the left of that place of the screen, or on the right where there is more room."""
        if self.controller.shown_result() is None:
            return
        self.resize(*SIZE)
        screen = QApplication.screenAt(place.center()) or QApplication.primaryScreen()
        room = screen.availableGeometry()
        wide, high = SIZE[0] + FRAME[0], SIZE[1] + FRAME[1]
        left = place.left() - wide if place.left() - wide >= room.left() else place.right() + 1
        top = min(place.bottom(), room.bottom()) - high
        self.move(min(left, room.right() - wide), max(top, room.top()))
        self.show()
        self.raise_()
        self.list.setFocus()

    def hideEvent(self, event: Any) -> None:
        self._show_hovered(None)
        super().hideEvent(event)

    def _show_hovered(self, part: Any) -> None:
        result = self.controller.shown_result()
        self.hover.show(result.document if result is not None and part is not None else None, part)

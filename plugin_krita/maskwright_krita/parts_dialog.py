"""Clothes, face and body parts: what was seen of each person, with thumbnails, to tick."""

from typing import Any, List

from maskwright_client import body_parts
from maskwright_client.body_parts import BodyPart
from maskwright_client.part_names import shown
from maskwright_protocol.errors import JobCancelled
from maskwright_protocol.language import tr

from .controller import Controller, Failure
from .dialogs import Dialog
from .editor.planes import Plane
from .editor.qt import (
    QColor,
    QDialog,
    QIcon,
    QImage,
    QListWidget,
    QListWidgetItem,
    QPainter,
    QPixmap,
    QSize,
    Qt,
)
from .editor.tasks import Task
from .options import KINDS
from .pictures import Picture
from .results import plane_of
from .widgets import check, combo, label, line

SIDE = 44
TILE = QColor(120, 120, 120)  # neither black hair nor a white shirt vanishes on it
PART_KINDS = (*KINDS[:-1], ("instances", tr("One layer per part")))


class PartsDialog(Dialog):
    """Asks the server for a draft as it opens; nothing else is done before OK."""

    def __init__(self, controller: Controller) -> None:
        super().__init__("maskwright_parts_dialog", tr("Clothes, Face and Body Parts"), tr("Select"))
        self._controller = controller
        self._parts: List[BodyPart] = []
        self.list = QListWidget()
        self.list.setObjectName("maskwright_parts")
        self.list.setIconSize(QSize(SIDE, SIDE))
        self.list.setMinimumSize(340, 260)
        self.list.itemChanged.connect(lambda *_: self._ticked())
        self.list.itemDoubleClicked.connect(_toggle)  # not "activated": Return is for the button
        self.state = label("maskwright_parts_state", tr("Looking for people..."))
        tip = tr("At full resolution, hair by matting where a model for it is installed.")
        self.exact = check("maskwright_exact", tr("Find the edges exactly"), True, tip)
        tip = tr("What is ticked, or in your own words; #2 means the second person from the left.")
        self.words = line("maskwright_parts_words", "", tr("hair; all clothes #2"), tip)
        self.words.textChanged.connect(lambda *_: self._allow())
        self.kind = combo("maskwright_parts_kind", PART_KINDS)
        for row in (self.list, self.state):
            self.form.addRow(row)
        self.form.addRow(tr("Parts:"), self.words)
        self.form.addRow(self.exact)
        self.form.addRow(tr("Result:"), self.kind)
        self.task = Task(self._look(), self)
        self.task.failed.connect(self._failed)
        self.accepted.connect(self._select)
        self.finished.connect(lambda *_: self.task.cancel())
        self._allow()
        self.open()

    def _look(self) -> Any:
        picture = Picture(self._controller.reader("selection"))
        answer = yield from self._controller.connection.ask(self._controller.options.parts_draft(), picture)
        self.list.blockSignals(True)
        for part, instance in body_parts.rows(answer.instances):
            icon = thumbnail(picture, plane_of(instance.mask))
            item = QListWidgetItem(icon, shown(part, instance.label))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            on = body_parts.is_ticked(part, self.words.text())
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
            self.list.addItem(item)
            self._parts.append(part)
            yield None
        self.list.blockSignals(False)
        self.list.setFocus()
        told = tr("Tick what is to be selected.") if self._parts else f"{answer.message} {answer.hint}".strip()
        self.state.setText(told)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, JobCancelled):
            failure = Failure.of(error)
            self.state.setText(f"{failure.message} {failure.hint}".strip())
            self._controller.failed.emit(failure)  # the panel has a button that does what the hint says

    def ticked(self) -> List[BodyPart]:
        checked = Qt.CheckState.Checked
        return [part for row, part in enumerate(self._parts) if self.list.item(row).checkState() == checked]

    def _ticked(self) -> None:
        self.words.setText(body_parts.with_ticks(self.words.text(), self._parts, self.ticked()))

    def _allow(self) -> None:
        self.ok.setEnabled(bool(self.words.text().strip()))

    def _select(self) -> None:
        self._controller.select_parts(self.words.text(), self.exact.isChecked(), self.kind.currentData())


def _toggle(item: Any) -> None:
    on = item.checkState() == Qt.CheckState.Checked
    item.setCheckState(Qt.CheckState.Unchecked if on else Qt.CheckState.Checked)


def thumbnail(picture: Picture, plane: Plane) -> QIcon:
    """The picture where the mask is, in a square; of a picture whose overview was read."""
    seen = picture.overview()
    width, height = seen.raster.width, seen.raster.height
    across, down = width / picture.box.width, height / picture.box.height
    x, y = round((plane.box.x - picture.box.x) * across), round((plane.box.y - picture.box.y) * down)
    image = QImage(bytes(seen.data), width, height, width * 4, QImage.Format.Format_ARGB32)
    part = image.copy(x, y, max(1, round(plane.box.width * across)), max(1, round(plane.box.height * down)))
    scale = min(1.0, SIDE / max(part.width(), part.height()))
    size = max(1, round(part.width() * scale)), max(1, round(part.height() * scale))
    fit = (Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    small = part.scaled(*size, *fit).convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    alpha = QImage(plane.data, plane.box.width, plane.box.height, plane.box.width, QImage.Format.Format_Alpha8)
    painter = QPainter(small)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
    painter.drawImage(0, 0, alpha.scaled(*size, *fit))
    painter.end()
    pixmap = QPixmap(SIDE, SIDE)
    pixmap.fill(TILE)
    painter = QPainter(pixmap)
    painter.drawImage((SIDE - size[0]) // 2, (SIDE - size[1]) // 2, small)
    painter.end()
    return QIcon(pixmap)


def ask_parts(controller: Controller) -> QDialog:
    return PartsDialog(controller)

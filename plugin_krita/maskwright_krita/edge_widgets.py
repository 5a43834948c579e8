"""What the live panels for edges are made of: sliders with their number, the brushes, a colour."""

from typing import Any

from maskwright_client.edge_settings import BRUSHES, Slider
from maskwright_protocol.language import tr

from .edge_work import NARROWEST, WIDEST, EdgeWork
from .editor.qt import (
    QColor,
    QColorDialog,
    QDoubleSpinBox,
    QGridLayout,
    QIcon,
    QLabel,
    QPainter,
    QPixmap,
    QPushButton,
    QSizePolicy,
    QSlider,
    Qt,
    QToolButton,
    QWidget,
)
from .widgets import button, row, spin

WHITE = "#ffffff"


class BrushBox(QWidget):
    """The four brushes, of which one or none is chosen, their size, and the strokes' undo and redo."""

    def __init__(self, work: EdgeWork) -> None:
        super().__init__()
        self._work = work
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        self.buttons = {}
        for place, brush in enumerate(BRUSHES):
            made = QToolButton()
            made.setObjectName(f"maskwright_brush_{brush.kind}")
            made.setText(brush.title)
            made.setIcon(_dot(brush.colour))
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            made.setCheckable(True)
            made.setChecked(brush.kind == work.brush)
            made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            made.setToolTip(
                tr("{0} The right button does the opposite. Press again to leave the canvas to Krita.", brush.tip)
            )
            made.clicked.connect(lambda on, kind=brush.kind: self.choose(kind if on else ""))
            self.buttons[brush.kind] = made
            grid.addWidget(made, place // 2, place % 2)
        tip = tr("How wide the brush is: [ and ], or Shift and drag on the canvas.")
        self.size_box = spin("maskwright_brush_size", NARROWEST, WIDEST, NARROWEST, tip, tr(" px"))
        self.size_box.valueChanged.connect(lambda value: work.set_brush_width(value))
        self.undo = button("maskwright_edge_undo", tr("Undo stroke"), work.undo, tr("Ctrl+Z"))
        self.redo = button("maskwright_edge_redo", tr("Redo"), work.redo, tr("Ctrl+Shift+Z"))
        for one in (self.undo, self.redo):
            one.setAutoDefault(False)
        grid.addWidget(row(QLabel(tr("Brush size:")), self.size_box), 2, 0, 1, 2)
        grid.addWidget(self.undo, 3, 0)
        grid.addWidget(self.redo, 3, 1)

    def choose(self, kind: str) -> None:
        """That brush; none for an empty kind."""
        self._work.brush = kind
        self._work.point_at(None)
        for other, made in self.buttons.items():
            made.setChecked(other == kind)

    def show_state(self) -> None:
        self.size_box.blockSignals(True)
        self.size_box.setValue(self._work.brush_width)
        self.size_box.blockSignals(False)
        self.undo.setEnabled(self._work.can_undo())
        self.redo.setEnabled(self._work.can_redo())


class SliderRow:
    """``title``, ``slider`` and ``box`` (the number) of a slider; they go together."""

    def __init__(self, about: Slider, value: float) -> None:
        unit = tr(" px") if about.unit == "px" else " %"
        self.title = QLabel(about.title)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(int(about.low), int(about.high))
        self.slider.setToolTip(about.tip)
        self.slider.setMinimumWidth(70)
        self.box: QDoubleSpinBox = spin(
            f"maskwright_{about.name}", about.low, about.high, value, about.tip, unit, about.zero
        )
        self.title.setBuddy(self.box)
        self.slider.setValue(round(value))
        self.slider.valueChanged.connect(self._slid)
        self.box.valueChanged.connect(self._typed)

    def _slid(self, value: int) -> None:
        if round(self.box.value()) != value:
            self.box.setValue(value)

    def _typed(self, value: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round(value))
        self.slider.blockSignals(False)


class ColourButton(QPushButton):
    """Shows a colour, "#rrggbb", and lets another one be chosen."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self.setObjectName("maskwright_outline_colour")
        self.setAutoDefault(False)
        self.colour = ""
        self.choose(colour)
        self.clicked.connect(lambda *_: self._ask())

    def choose(self, colour: str) -> None:
        self.colour = colour
        self.setText(colour)
        dark = QColor(colour).lightness() < 128
        self.setStyleSheet(f"background-color: {colour}; color: {WHITE if dark else '#000000'}")

    def _ask(self) -> None:
        dialog = QColorDialog(QColor(self.colour), self)
        dialog.colorSelected.connect(lambda colour: self.choose(colour.name()))
        dialog.finished.connect(lambda *_: dialog.deleteLater())
        dialog.open()


def _dot(colour: Any) -> QIcon:
    """A disk of that colour, as the brush marks with it."""
    pixmap = QPixmap(16, 16)
    pixmap.fill(QColor(0, 0, 0, 0))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(*colour))
    painter.setPen(QColor(0, 0, 0, 140))
    painter.drawEllipse(2, 2, 12, 12)
    painter.end()
    return QIcon(pixmap)

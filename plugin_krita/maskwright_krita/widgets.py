"""Widgets as the panel and the dialogs have them: rows with labels, numbers, choices, switches, folds."""

from typing import Any, Callable, List, Optional, Sequence, Tuple

from .editor.qt import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    Qt,
    QToolButton,
    QVBoxLayout,
    QWidget,
    pyqtSignal,
)
from .icons import Themed, icon

Rows = Sequence[Tuple[str, QWidget]]  # labels and widgets of a form


def spin(
    name: str, low: float, high: float, value: float, tip: str, suffix: str = "", zero: str = ""
) -> QDoubleSpinBox:
    """``zero`` is shown instead of the lowest value."""
    box = QDoubleSpinBox()
    box.setObjectName(name)
    box.setRange(low, high)
    box.setDecimals(0 if high > 500 or suffix == " %" else 1)
    box.setSuffix(suffix)
    box.setSpecialValueText(zero)
    box.setValue(value)
    box.setToolTip(tip)
    return box


def button(name: str, text: str, command: Callable[[], Any], tip: str = "") -> QPushButton:
    made = QPushButton(text)
    made.setObjectName(name)
    made.setToolTip(tip)
    made.clicked.connect(lambda *_: command())
    return made


def icon_button(name: str, text: str, tip: str = "") -> QToolButton:
    """Flat, for an icon; its text stands where there is none. The Tab key reaches it, a click leaves the keys where
    they are."""
    made = QToolButton()
    made.setObjectName(name)
    made.setText(text)
    made.setToolTip(tip or text)
    made.setAccessibleName(text.rstrip("."))
    made.setAutoRaise(True)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


class IconChoice(QWidget):
    """A row of icons of which one is on. ``items``: values, texts; the icons are those of the values' names."""

    changed = pyqtSignal()

    def __init__(self, name: str, items: Sequence[Tuple[str, str]], current: str) -> None:
        super().__init__()
        self.setObjectName(name)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        group = QButtonGroup(self)
        self.buttons = {}
        for value, text in items:
            button = icon_button(f"{name}_{value}", text)
            button.setCheckable(True)
            button.setChecked(value == current)
            button.toggled.connect(lambda on: self.changed.emit() if on else None)
            group.addButton(button)
            layout.addWidget(button)
            self.buttons[value] = button
        Themed(self, self._show_icons)

    def _show_icons(self) -> None:
        for value, button in self.buttons.items():
            button.setIcon(icon(value))

    def value(self) -> str:
        return next((value for value, button in self.buttons.items() if button.isChecked()), "")

    def choose(self, value: str) -> None:
        if value in self.buttons:
            self.buttons[value].setChecked(True)


def label(name: str = "", text: str = "") -> QLabel:
    """A text of as many lines as it needs."""
    made = QLabel(text)
    made.setObjectName(name)
    made.setWordWrap(True)
    return made


def line(name: str, text: str, placeholder: str, tip: str = "") -> QLineEdit:
    made = QLineEdit(text)
    made.setObjectName(name)
    made.setPlaceholderText(placeholder)
    made.setToolTip(tip)
    return made


def check(name: str, text: str, on: bool = False, tip: str = "") -> QCheckBox:
    box = QCheckBox(text)
    box.setObjectName(name)
    box.setToolTip(tip)
    box.setChecked(on)
    return box


def combo(name: str, items: Sequence[Tuple[str, str]] = (), current: str = "", tip: str = "") -> QComboBox:
    """``items``: values and texts."""
    box = QComboBox()
    box.setObjectName(name)
    box.setToolTip(tip)
    box.setMinimumContentsLength(10)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    fill(box, [(value, text) for value, text in items], current)
    return box


def fill(box: QComboBox, items: List[Tuple[str, str]], current: Optional[str]) -> None:
    """Replace the entries and keep the choice; nothing happens when they are the same."""
    have = [(box.itemData(i), box.itemText(i)) for i in range(box.count())]
    if have != list(items):
        box.clear()
        for value, text in items:
            box.addItem(text, value)
    place = box.findData(current)
    box.setCurrentIndex(max(0, place))


def value_of(widget: Any) -> Any:
    """What the user chose in one of these, or wrote in a line."""
    if isinstance(widget, QComboBox):
        return widget.currentData()
    if isinstance(widget, (QDoubleSpinBox, IconChoice)):
        return widget.value()
    return widget.isChecked() if isinstance(widget, QCheckBox) else widget.text()


def show_value(widget: Any, value: Any) -> None:
    """As if the user had chosen it."""
    if isinstance(widget, QComboBox):
        widget.setCurrentIndex(max(0, widget.findData(value)))
    elif isinstance(widget, QDoubleSpinBox):
        widget.setValue(value)
    elif isinstance(widget, IconChoice):
        widget.choose(value)
    elif isinstance(widget, QCheckBox):
        widget.setChecked(value)
    else:
        widget.setText(value)


def changed(widget: Any) -> Any:
    """The signal that tells of another value."""
    if isinstance(widget, IconChoice):
        return widget.changed
    if isinstance(widget, QComboBox):
        return widget.currentIndexChanged
    if isinstance(widget, QDoubleSpinBox):
        return widget.valueChanged
    return widget.toggled if isinstance(widget, QCheckBox) else widget.editingFinished


def row(*widgets: QWidget) -> QWidget:
    """Side by side; the first one takes the room that is left."""
    frame = QWidget()
    layout = QHBoxLayout(frame)
    layout.setContentsMargins(0, 0, 0, 0)
    for place, widget in enumerate(widgets):
        layout.addWidget(widget, 0 if place else 1)
    return frame


def column(*widgets: QWidget, spacing: int = 4) -> QWidget:
    """One below the other."""
    frame = QWidget()
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for widget in widgets:
        layout.addWidget(widget)
    return frame


def form(rows: Rows, indent: int = 0) -> QWidget:
    frame = QWidget()
    layout = QFormLayout(frame)
    layout.setContentsMargins(indent, 0, 0, 0)
    layout.setVerticalSpacing(4)
    layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)  # so that a narrow docker has room
    for label, widget in rows:
        layout.addRow(label, widget)
    return frame


class Fold(QWidget):
    """A heading that shows and hides the rows below it."""

    def __init__(self, title: str, rows: Rows, is_open: bool) -> None:
        super().__init__()
        self.heading = QToolButton()
        self.heading.setText(title)
        self.heading.setCheckable(True)
        self.heading.setAutoRaise(True)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._body = form(rows, indent=12)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.heading)
        layout.addWidget(self._body)
        self.heading.toggled.connect(self._show)
        self.heading.setChecked(is_open)
        self._show(is_open)

    def _show(self, on: bool) -> None:
        self.heading.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self._body.setVisible(on)
        if isinstance(self.window(), QDialog) and self.window().isVisible():
            self.window().adjustSize()

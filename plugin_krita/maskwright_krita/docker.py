"""The docker: small enough for the place that Krita gives it. It shows the controller's state and hands the user's
wishes to it. No logic in here."""

from typing import Any

from krita import DockWidget

from maskwright_protocol.language import tr

from .dialogs import fill_history, prompt_box
from .editor import app
from .editor.qt import QEvent, QHBoxLayout, QRect, QSizePolicy, Qt, QVBoxLayout, QWidget
from .found import FoundWindow
from .icons import Themed, icon
from .options import KINDS, MODES
from .options_window import OptionsWindow
from .plugin import plugin
from .status import Status
from .tool_row import ToolRow
from .widgets import IconChoice, button, changed, combo, icon_button, show_value, value_of

MARGIN = 4
SPACING = 3


class MaskwrightDocker(DockWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(tr("Maskwright"))
        self.in_sight = False  # not closed, and not behind another tab
        self.visibilityChanged.connect(self._sight_changed)
        parts = plugin()
        self.controller, self.availability = parts.controller, parts.availability
        self.feedback = parts.feedback
        self.options_window = OptionsWindow(self.controller, self)
        self.found = FoundWindow(self.controller, self)
        body = _Body()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACING)
        self.status = Status(self.feedback)
        for part in (self._prompt_row(), ToolRow(parts, self.availability), self._result_row()):
            layout.addWidget(part)
        layout.addWidget(self.status, 1)
        self.setWidget(body)
        self.availability.changed.connect(self._show_availability)
        self.feedback.found_wanted.connect(self._show_found)
        self._show_availability()

    def canvasChanged(self, canvas: Any) -> None:
        """Krita tells that another view is active, or none; the click tool looks after that itself."""
        plugin().front_changed()

    def _sight_changed(self, visible: bool) -> None:
        self.in_sight = visible
        plugin().feedback.changed.emit()

    # ------------------------------------------------------------ widgets

    def _prompt_row(self) -> QWidget:
        self.prompt = prompt_box(self.controller)
        self.prompt.setObjectName("maskwright_prompt_field")
        self.prompt.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.prompt.lineEdit().returnPressed.connect(self._search)
        self.go = button("maskwright_go", tr("Select"), self._search, tr("Select everything that the words name"))
        tip = tr("Options: what is looked at, edges, models")
        self.options_button = icon_button("maskwright_options_button", tr("Options"), tip)
        self.options_button.clicked.connect(self._show_options)
        return _line(self.prompt, self.go, self.options_button)

    def _result_row(self) -> QWidget:
        options = self.controller.options
        self.mode = IconChoice("maskwright_mode", MODES, options.mode)
        self.kind = combo("maskwright_kind", KINDS, options.kind, tr("What is made of what is found"))
        self.kind.setMinimumContentsLength(6)
        for widget in (self.mode, self.kind):
            changed(widget).connect(self._save)
        Themed(self.kind, self._show_icons)
        return _line(self.mode, self.kind)

    def _show_icons(self) -> None:
        for place in range(self.kind.count()):
            self.kind.setItemIcon(place, icon(self.kind.itemData(place)))
        self.options_button.setIcon(icon("options"))

    # ------------------------------------------------------------ from the user

    def _search(self) -> None:
        if self.availability.image:
            self.controller.select_by_prompt(self.prompt.currentText(), exclude=self.controller.options.exclude)
            fill_history(self.controller, self.prompt)

    def _save(self, *_: Any) -> None:
        options = self.controller.options
        options.mode, options.kind = value_of(self.mode), value_of(self.kind)
        self.mode.setEnabled(options.kind == "selection")
        self.controller.save_options()

    def _show_options(self) -> None:
        self.options_window.show()
        self.options_window.raise_()

    def _show_found(self) -> None:
        if self.parent() == app.main_widget():  # each of Krita's windows has a panel
            status = self.status if self.in_sight else None
            self.found.open_beside(self._place_of(status))

    def _place_of(self, widget: Any) -> QRect:
        """On the screen; without a widget, the middle of the window's upper part."""
        if widget is not None:
            return QRect(widget.mapToGlobal(widget.rect().topLeft()), widget.size())
        main = self.parent()
        corner = main.mapToGlobal(main.rect().center())
        return QRect(corner.x() - 160, main.mapToGlobal(main.rect().topLeft()).y() + 160, 320, 1)

    # ------------------------------------------------------------ from the plugin

    def _show_availability(self) -> None:
        self.go.setEnabled(self.availability.image)
        self.mode.setEnabled(self.controller.options.kind == "selection")

    def show_options(self) -> None:
        """The options as they are, after something else than the panel has changed them."""
        show_value(self.mode, self.controller.options.mode)
        show_value(self.kind, self.controller.options.kind)


class _Body(QWidget):
    """Keeps the Tab key, which is Krita's shortcut for hiding all panels, for going from one widget to the next."""

    def event(self, event: Any) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            event.accept()
            return True
        return super().event(event)


def _line(*widgets: QWidget) -> QWidget:
    frame = QWidget()
    layout = QHBoxLayout(frame)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACING)
    for widget in widgets:
        layout.addWidget(widget)
    return frame

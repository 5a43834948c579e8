"""The panel's row of icons: the click tool in its ways of asking, the commands, and a menu with all of them in words.
Buttons that a narrow panel has no room for are left to that menu."""

from typing import Any, Dict, List, Tuple, Union

from maskwright_client.gestures import Mode
from maskwright_protocol.language import tr

from .availability import Availability
from .commands import EXAMPLE, PanelCommand, commands
from .editor.qt import QHBoxLayout, QMenu, QSize, QToolButton, QWidget
from .icons import Themed, icon
from .plugin import Plugin
from .widgets import icon_button

SPACING = 1
MODE_NAMES = {
    Mode.BOX: "maskwright_click_button",
    Mode.SCRIBBLE: "maskwright_scribble_button",
    Mode.LASSO: "maskwright_lasso_button",
}


class ToolRow(QWidget):
    def __init__(self, plugin: Plugin, availability: Availability) -> None:
        super().__init__()
        self._tool, self._availability = plugin.tool, availability
        self._commands = commands(plugin)
        self._buttons: List[QToolButton] = []
        self._icons: List[Tuple[Any, Union[str, Tuple[str, ...]]]] = []
        self._needs: List[Tuple[Any, str]] = []
        self._modes: Dict[Mode, List[Any]] = {}  # what shows that it is on
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING)
        menu = QMenu(self)
        menu.setObjectName("maskwright_more_menu")
        menu.setToolTipsVisible(True)
        self._add_modes(menu)
        for command in self._commands:
            self._add_command(command, menu)
        self.more = icon_button("maskwright_more", tr("More"), tr("More: all commands, in words"))
        self.more.setMenu(menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._icons.append((self.more, "more"))
        for button in (*self._buttons, self.more):
            layout.addWidget(button)
        layout.addStretch(1)
        for signal in (self._tool.active_changed, self._tool.stepped, availability.changed):
            signal.connect(self.show_state)
        Themed(self, self._show_icons)
        self.show_state()

    # ------------------------------------------------------------ made once

    def _add_modes(self, menu: QMenu) -> None:
        for mode, text, tip, names in self._tool.MODES:
            action = menu.addAction(text)
            action.triggered.connect(lambda *_, mode=mode: self._choose(mode, True))
            parts: List[Any] = [action]
            if mode is not Mode.EXAMPLE:  # one among the commands is enough for that
                button = icon_button(MODE_NAMES[mode], text, tip)
                button.clicked.connect(lambda on, mode=mode: self._choose(mode, on))
                self._buttons.append(button)
                parts.append(button)
            for part in parts:
                part.setToolTip(tip)
                part.setCheckable(True)
                self._icons.append((part, names))
                self._needs.append((part, "image"))
            self._modes[mode] = parts
        menu.addSeparator()

    def _add_command(self, command: PanelCommand, menu: QMenu) -> None:
        parts: List[Any] = [menu.addAction(command.text, command.run)]
        parts[0].setToolTip(command.tip)
        if command.button:
            button = icon_button(command.name, command.text, command.tip)
            button.clicked.connect(lambda *_: command.run())
            self._buttons.append(button)
            parts.append(button)
        for part in parts:
            self._needs.append((part, command.needs))
            if command.icon:
                self._icons.append((part, command.icon))
        if command.ends:
            menu.addSeparator()

    # ------------------------------------------------------------ as things stand

    def _choose(self, mode: Mode, on: bool) -> None:
        """The way of asking; what was clicked so far stays."""
        if not on:
            self._tool.stop()
        else:
            self._tool.mode = mode
            self._tool.start()
        self.show_state()

    def _show_icons(self) -> None:
        for part, name in self._icons:
            part.setIcon(icon(name))

    def show_state(self, *_: Any) -> None:
        allows, tool = self._availability.allows, self._tool
        for part, needs in self._needs:
            part.setEnabled(allows("selection") or tool.active if needs == EXAMPLE else allows(needs))
        for mode, parts in self._modes.items():
            for part in parts:
                part.setChecked(tool.active and tool.mode is mode)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._show_what_fits()

    def _show_what_fits(self) -> None:
        room = self.width() - self.more.sizeHint().width()
        for button in self._buttons:
            room -= button.sizeHint().width() + SPACING
            button.setVisible(room >= 0)

    def minimumSizeHint(self) -> QSize:
        one = self.more.sizeHint()
        return QSize(3 * (one.width() + SPACING), one.height())

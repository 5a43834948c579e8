"""The menu *Recipes* of a main window: an entry for each saved recipe, and what can be done with recipes."""

from typing import Any, Dict, List

from maskwright_protocol.language import tr

from .editor import app
from .editor.qt import QAction, QMenu, QObject
from .plugin import Plugin
from .saved import PREFIX


class RecipeMenu(QObject):
    """Keeps the entries right while recipes come and go. A new recipe has its entry at once, and can have a shortcut
    after Krita's next start."""

    def __init__(self, plugin: Plugin, window: Any, commands: List[QAction]) -> None:
        super().__init__()
        self._plugin, self._commands = plugin, commands
        self.main: Any = None  # the main window, once it is known
        self._actions: Dict[str, QAction] = {}  # by the recipe's name
        self.menu = QMenu(tr("Recip&es"))
        self.menu.setObjectName("maskwright_recipes_menu")
        self.menu.menuAction().setObjectName("maskwright_recipes")
        self.menu.aboutToShow.connect(plugin.saved.refresh)
        plugin.saved.changed.connect(self.fill)
        self._fill(window)

    def fill(self) -> None:
        # Krita's object of a window does not outlive the call that it came with.
        for window in app.krita().windows():
            if self.main is not None and window.qwindow() == self.main:
                self._fill(window)

    def _fill(self, window: Any) -> None:
        usable = [one for one in self._plugin.saved.list if not one.problem]
        self.menu.clear()
        for one in usable:
            action = self._action(window, one.name)
            action.setText(one.title.replace("&", "&&"))
            action.setToolTip(one.description)
            self.menu.addAction(action)
        gone = set(self._actions) - {one.name for one in usable}
        for name in gone:
            self._actions[name].setEnabled(False)
        if usable:
            self.menu.addSeparator()
        self.menu.addActions(self._commands)

    def _action(self, window: Any, name: str) -> QAction:
        if name not in self._actions:
            action: Any = window.createAction(PREFIX + name, name, "")
            action.triggered.connect(lambda *_: self._plugin.saved.run(name))
            self._actions[name] = action
        self._actions[name].setEnabled(True)
        return self._actions[name]

    def close(self) -> None:
        self._plugin.saved.changed.disconnect(self.fill)

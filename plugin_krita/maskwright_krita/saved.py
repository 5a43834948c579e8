"""The user's saved recipes: asked of the server, remembered in Krita's settings for the next start, and known to Krita
as actions, so that each can have a shortcut. No widgets here."""

import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional
from xml.sax.saxutils import escape

from maskwright_client import recipe as recipes
from maskwright_client import saved_recipes
from maskwright_client.ask import Steps
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.language import tr
from maskwright_protocol.messages import SavedRecipe
from maskwright_protocol.whole_file import write_whole

from .controller import Controller, Failure
from .editor import app
from .editor.qt import QObject, pyqtSignal
from .editor.tasks import Task
from .recipes import Last, last

SETTING = "recipes"
PREFIX = "maskwright_recipe_"  # of the actions' ids
FILE = "maskwright_recipes.action"


class SavedRecipes(QObject):
    """One for the application. ``changed`` comes when there is a new list."""

    changed = pyqtSignal()

    def __init__(self, controller: Controller, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._connection = controller.connection
        self._task: Optional[Task] = None
        self.list: List[SavedRecipe] = saved_recipes.of_text(app.read_setting(SETTING))
        self._connection.changed.connect(self._server_changed)
        self._was_connected = False

    def _server_changed(self) -> None:
        connected = self._connection.state == "connected"
        if connected and not self._was_connected:
            self.refresh()
        self._was_connected = connected

    def refresh(self) -> None:
        """Ask the server for the list."""
        if self._task is None and self._connection.state == "connected":
            self._task = Task(self._look(), self)
            self._task.finished.connect(self._looked)
            self._task.failed.connect(self._looked)

    def _looked(self, *_: Any) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.deleteLater()

    def _look(self) -> Steps:
        try:
            self._take((yield from saved_recipes.listed(self._connection.client)))
        except MaskwrightError:
            pass  # a server that is older, or gone: the remembered list stays

    def _take(self, found: List[SavedRecipe]) -> None:
        if found != self.list:
            self.list = found
            app.write_setting(SETTING, saved_recipes.to_text(found))
            write_actions(found)
            self.changed.emit()

    # ------------------------------------------------------------ what the menus do

    def run(self, name: str, scope: str = "image") -> None:
        """Run the recipe of that name."""
        one = next((one for one in self.list if one.name == name), None)
        try:
            if one is None:
                raise app.Problem(tr('The recipe "{0}" is gone.', name), tr("It was deleted or renamed."))
            self._controller.run_recipe(saved_recipes.read(one), scope)
        except (MaskwrightError, app.Problem) as error:
            self._controller.failed.emit(Failure.of(error))

    def last(self) -> Optional[Last]:
        """What was done last as a recipe; None after telling why there is none."""
        try:
            return last(self._connection, self._controller.last_kind)
        except app.Problem as error:
            self._controller.failed.emit(Failure.of(error))
            return None

    def save(
        self, name: str, data: Dict[str, Any], overwrite: bool, done: Callable[[Optional[Exception]], None]
    ) -> None:
        """Have the server save a recipe; ``done`` gets the error, if there is one."""
        task = Task(self._save(name, data, overwrite), self)

        def end(error: Optional[Exception]) -> None:
            task.deleteLater()
            done(error)

        task.finished.connect(lambda _: end(None))
        task.failed.connect(end)

    def _save(self, name: str, data: Dict[str, Any], overwrite: bool) -> Steps:
        one = yield from saved_recipes.saved(self._connection.client, name, data, overwrite)
        others = [other for other in self.list if other.name != one.name]
        self._take(sorted([*others, one], key=lambda each: each.name))
        self._controller.told.emit(tr('Saved as "{0}": Select > Recipes.', one.title))

    def copy_command(self) -> None:
        """What was done last as a command line, on the clipboard."""
        found = self.last()
        if found is None:
            return
        command = recipes.command(found.recipe)
        app.copy_text(command.text)
        self._controller.told.emit(" ".join([tr("Copied: {0}", command.text), *found.notes, *command.notes]))


# ---------------------------------------------------------------- for Krita's shortcut settings


def actions_of(found: List[SavedRecipe]) -> str:
    """Krita's description of the actions. It reads such files when it starts; only what is in one can have a
    shortcut."""
    entries = "".join(
        _ENTRY.format(
            id=_quoted(PREFIX + one.name),
            text=escape(one.title),
            name=escape(tr("Recipe: {0}", one.title)),
            tip=escape(tr("Run this recipe of Maskwright on the image")),
        )
        for one in found
        if not one.problem
    )
    return _FILE.format(entries=entries, title=escape(tr("Maskwright recipes")))


def _quoted(text: str) -> str:
    return escape(text, {'"': "&quot;"})


_ENTRY = """    <Action name="{id}">
      <icon></icon>
      <text>{name}</text>
      <whatsThis>{tip}</whatsThis>
      <toolTip>{tip}</toolTip>
      <iconText>{text}</iconText>
      <activationFlags>0</activationFlags>
      <activationConditions>0</activationConditions>
      <shortcut></shortcut>
      <isCheckable>false</isCheckable>
      <statusTip></statusTip>
    </Action>
"""
_FILE = """<?xml version="1.0" encoding="UTF-8"?>
<ActionCollection version="2" name="Scripts">
  <Actions category="Scripts">
    <text>{title}</text>
{entries}  </Actions>
</ActionCollection>
"""


def write_actions(found: List[SavedRecipe]) -> None:
    """Write the file beside the plugin's own, whole or not at all; without it there are menu entries only."""
    folder = app.actions_folder()
    if not folder:
        return
    try:
        os.makedirs(folder, exist_ok=True)
        write_whole(Path(folder, FILE), actions_of(found).encode())
    except OSError:
        pass

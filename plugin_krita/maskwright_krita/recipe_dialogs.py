"""The dialogs of recipes: run one, save one."""

from typing import Any, Optional

from maskwright_client import recipe as recipes
from maskwright_client.saved_recipes import DEFAULT_NAME
from maskwright_protocol.errors import MaskwrightError
from maskwright_protocol.language import tr

from .dialogs import Dialog
from .editor.qt import QDialog
from .plugin import Plugin
from .recipes import SCOPES
from .widgets import check, combo, label, line


def ask_run(plugin: Plugin) -> Optional[QDialog]:
    """Which recipe, and what to run it on."""
    saved = plugin.saved
    saved.refresh()
    dialog = Dialog("maskwright_run_dialog", tr("Run Recipe"), tr("Run"))
    box = combo("maskwright_which_recipe")
    scope = combo("maskwright_scope", SCOPES)
    about = label("maskwright_about_recipe")
    about.setMinimumWidth(320)
    dialog.add([(tr("Recipe:"), box), (tr("Run on:"), scope)])
    dialog.form.addRow(about)

    def fill() -> None:
        before = box.currentData()
        box.clear()
        for one in saved.list:
            box.addItem(one.title, one.name)
        box.setCurrentIndex(max(0, box.findData(before)))
        describe()

    def describe(*_: Any) -> None:
        one = next((one for one in saved.list if one.name == box.currentData()), None)
        if one is None:
            none = tr('No recipe is saved yet. Select something, then choose "Save Last as Recipe..." in this menu.')
            about.setText(none)
        else:
            about.setText(f"{one.problem} {one.hint}".strip() or one.description or _told(one.recipe))
        dialog.ok.setEnabled(one is not None and not one.problem)

    box.currentIndexChanged.connect(describe)
    saved.changed.connect(fill)
    dialog.finished.connect(lambda *_: saved.changed.disconnect(fill))
    dialog.accepted.connect(lambda: saved.run(box.currentData(), scope.currentData()))
    fill()
    dialog.open()
    return dialog


def _told(data: Any) -> str:
    """A recipe without a description, in its own words."""
    try:
        return recipes.told(recipes.read(data))
    except MaskwrightError:
        return ""


def ask_save(plugin: Plugin) -> Optional[QDialog]:
    """A name for what was done last."""
    saved = plugin.saved
    found = saved.last()
    if found is None:
        return None
    dialog = Dialog("maskwright_save_dialog", tr("Save as Recipe"), tr("Save"))
    name = line("maskwright_recipe_name", "", DEFAULT_NAME)
    about = line("maskwright_recipe_about", "", tr("what it is for"))
    replace = check("maskwright_replace", tr("Replace the recipe of that name"))
    replace.hide()
    text = label("maskwright_recipe_told", " ".join([recipes.told(found.recipe), *found.notes]))
    text.setMinimumWidth(360)
    problem = label("maskwright_save_problem")
    problem.hide()
    dialog.add([(tr("Name:"), name), (tr("Description:"), about)])
    for widget in (text, problem, replace):
        dialog.form.addRow(widget)
    dialog.ok.setEnabled(False)
    name.textChanged.connect(lambda typed: dialog.ok.setEnabled(bool(typed.strip())))

    def save() -> None:
        data = {**recipes.as_data(found.recipe), "name": name.text().strip()}
        if about.text().strip():
            data["description"] = about.text().strip()
        dialog.ok.setEnabled(False)
        saved.save(name.text(), data, replace.isChecked(), ended)

    def ended(error: Optional[Exception]) -> None:
        if error is None:
            dialog.done(1)
            return
        dialog.ok.setEnabled(True)
        problem.setText(f"{getattr(error, 'message', error)} {getattr(error, 'hint', '')}".strip())
        problem.show()
        replace.setVisible(bool(getattr(error, "details", {}).get("exists")))
        dialog.adjustSize()

    dialog.buttons.accepted.disconnect()
    dialog.buttons.accepted.connect(save)
    dialog.open()
    name.setFocus()
    return dialog

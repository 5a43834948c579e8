"""The dialogs of recipes: run one, save one."""

from typing import Any

from gi.repository import GimpUi, Gtk

from maskwright_client import recipe as recipes
from maskwright_protocol.errors import BadInput
from maskwright_protocol.language import joined, tr

from . import procedures
from .recipes import last, refresh


def ask(call: Any) -> bool:
    """Show the dialog of a call; whether the user wants it done."""
    GimpUi.init("maskwright")
    return _ask_run(call) if call.entry.verb == "run_recipe" else _ask_save(call)


def _dialog(title: str, button: str) -> Any:
    dialog = GimpUi.Dialog(title=title, role="maskwright-recipe")
    dialog.add_button(tr("_Cancel"), Gtk.ResponseType.CANCEL)
    dialog.add_button(button, Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    return dialog


def _grid(rows: Any) -> Any:
    grid = Gtk.Grid(column_spacing=12, row_spacing=6, border_width=12)
    for number, (text, widget) in enumerate(rows):
        if text:
            label = Gtk.Label(label=text, use_underline=True, xalign=0.0, mnemonic_widget=widget)
            grid.attach(label, 0, number, 1, 1)
        widget.set_hexpand(True)
        grid.attach(widget, 1 if text else 0, number, 1 if text else 2, 1)
    return grid


def _wrapped(text: str) -> Any:
    return Gtk.Label(label=text, wrap=True, xalign=0.0, max_width_chars=50)


def _ask_run(call: Any) -> bool:
    saved = [one for one in refresh(call) if not one.problem]
    if not saved:
        raise BadInput(tr("No recipe is saved yet."), tr("Select something, then choose Save Last as Recipe."))
    dialog = _dialog(tr("Run Recipe"), tr("_Run"))
    which, scope, about = Gtk.ComboBoxText(), Gtk.ComboBoxText(), _wrapped("")
    for one in saved:
        which.append(one.name, one.title)
    for identity, text in procedures.SCOPES:
        scope.append(identity, text)

    def describe(*_: Any) -> None:
        one = next(one for one in saved if one.name == which.get_active_id())
        about.set_text(one.description or recipes.told(recipes.read(one.recipe)))

    which.connect("changed", describe)
    if not which.set_active_id(call.config.get_property("recipe")):
        which.set_active(0)
    scope.set_active_id(call.config.get_property("run-on"))
    dialog.get_content_area().add(_grid([(tr("_Recipe"), which), (tr("Run _on"), scope), ("", about)]))
    dialog.show_all()
    dialog.get_widget_for_response(Gtk.ResponseType.OK).grab_focus()  # a list would take Return for itself
    wanted = dialog.run() == Gtk.ResponseType.OK
    call.config.set_property("recipe", which.get_active_id())
    call.config.set_property("run-on", scope.get_active_id())
    dialog.destroy()
    return wanted


def _ask_save(call: Any) -> bool:
    kept = last()
    dialog = _dialog(tr("Save as Recipe"), tr("_Save"))
    name, about = Gtk.Entry(activates_default=True), Gtk.Entry(activates_default=True)
    replace = Gtk.CheckButton(label=tr("Re_place the recipe of that name"), use_underline=True)
    text = _wrapped(joined(recipes.told(recipes.read(kept["recipe"])), *kept["notes"]))
    rows = [(tr("_Name"), name), (tr("_Description"), about), ("", text), ("", replace)]
    dialog.get_content_area().add(_grid(rows))
    dialog.set_response_sensitive(Gtk.ResponseType.OK, False)

    def typed(*_: Any) -> None:
        dialog.set_response_sensitive(Gtk.ResponseType.OK, bool(name.get_text().strip()))

    name.connect("changed", typed)
    dialog.show_all()
    wanted = dialog.run() == Gtk.ResponseType.OK
    call.config.set_property("title", name.get_text())
    call.config.set_property("description", about.get_text())
    call.config.set_property("replace", replace.get_active())
    dialog.destroy()
    return wanted

"""Rows of labelled widgets for a procedure's arguments, bound to its config: shared by all dialogs."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

from gi.repository import Gdk, GimpUi, Gtk, Pango

from maskwright_client import choices, offers
from maskwright_client.jobs import ROLES
from maskwright_protocol.language import tr

from . import procedures
from .mnemonics import Mnemonics

Rows = Sequence[Tuple[str, str]]  # (value, label)

AUTOMATIC: Rows = (("", tr("Automatic")),)
BEST: Rows = (("auto", tr("Best of what is installed")),)
FREE_LISTS: Dict[str, Rows] = {"recipe": BEST, "models": AUTOMATIC, "pick": choices.PICKS}
# What is worth more words than the argument's own; the same on all places where it is asked for.
TIPS = {"prompt": choices.PROMPT_HELP, "detector-options": choices.DETECTOR_HELP}
CHOICE_WIDTH = 16  # characters that a list of choices is wide at least
UNITS = {"min-area": "px²"}
COMBINED = ("selection", "layer-mask")  # results that are combined with what is there


class Fields:
    """Widgets for some arguments of a call. ``grids`` are made one by one; ``stores`` hold the open lists."""

    def __init__(self, entry: procedures.Procedure, config: Any, letters: Optional[Mnemonics] = None) -> None:
        self.config = config
        self.letters = letters or Mnemonics()
        self.arguments = {argument.name: argument for argument in entry.arguments}
        self.stores: Dict[str, Any] = {}
        self.widgets: Dict[str, Any] = {}

    def grid(self, names: Sequence[str]) -> Any:
        """A grid with a row for each of the names that the procedure has."""
        grid = Gtk.Grid(column_spacing=8, row_spacing=6)
        for row, argument in enumerate(self.arguments[name] for name in names if name in self.arguments):
            widget = self._widget(argument)
            widget.set_hexpand(True)
            widget.set_tooltip_text(TIPS.get(argument.name, argument.blurb))
            self.widgets[argument.name] = widget
            if argument.kind == "boolean":
                grid.attach(widget, 1, row, 1, 1)
                continue
            label = Gtk.Label(label=self.letters.give(argument.nick), use_underline=True, xalign=0.0)
            label.set_mnemonic_widget(widget)
            grid.attach(label, 0, row, 1, 1)
            grid.attach(widget, 1, row, 1, 1)
        if "mode" in names and "mode" in self.widgets and "result" in self.arguments:
            self._follow_result(self.widgets["mode"])
        grid.show_all()
        return grid

    def _follow_result(self, mode: Any) -> None:
        """Grey what has no effect: only into a selection or a mask can something be combined."""

        def enable(*_: Any) -> None:
            mode.set_sensitive(self.config.get_property("result") in COMBINED)

        handler = self.config.connect("notify::result", enable)
        mode.connect("destroy", lambda widget: self.config.disconnect(handler))
        enable()

    def expander(self, title: str, names: Sequence[str]) -> Optional[Any]:
        """The same, folded away; open when one of the values is not the usual one."""
        names = [name for name in names if name in self.arguments]
        if not names:
            return None
        expander = Gtk.Expander(label=self.letters.give(title), use_underline=True)
        grid = self.grid(names)
        grid.set_margin_start(12)
        grid.set_margin_top(6)
        expander.add(grid)
        plain = [name for name in names if self.arguments[name].kind != "color"]
        expander.set_expanded(any(self.config.get_property(n) != self.arguments[n].default for n in plain))
        expander.show_all()
        return expander

    def folds(self, folds: Sequence[Tuple[str, Sequence[str]]], height: int) -> Any:
        """Expanders, one below the other, that scroll beyond ``height``: the dialog stays on the screen."""
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        for title, names in folds:
            expander = self.expander(title, names)
            if expander is not None:
                box.pack_start(expander, False, False, 0)
        scrolled = Gtk.ScrolledWindow(propagate_natural_height=True, max_content_height=height)
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.add(box)
        scrolled.show_all()
        return scrolled

    def _widget(self, argument: procedures.Argument) -> Any:
        name = argument.name
        if argument.kind == "choice":
            return _narrow(GimpUi.prop_choice_combo_box_new(self.config, name))
        if argument.kind == "boolean":
            return GimpUi.prop_check_button_new(self.config, name, self.letters.give(argument.nick))
        if argument.kind == "color":
            return GimpUi.prop_color_select_new(self.config, name, 60, 22, GimpUi.ColorAreaType.FLAT)
        if argument.kind == "double":
            small = argument.high <= 1.0
            step, page, digits = (0.01, 0.1, 2) if small else (1.0, 10.0, 0 if name in UNITS else 1)
            number = GimpUi.prop_spin_button_new(self.config, name, step, page, digits)
            number.connect("key-press-event", _run_dialog)
            return number
        if name in FREE_LISTS:
            self.stores[name] = Gtk.ListStore(str, str)
            self._fill(name, FREE_LISTS[name])
            return _narrow(GimpUi.prop_string_combo_box_new(self.config, name, self.stores[name], 0, 1))
        entry = GimpUi.prop_entry_new(self.config, name, -1)
        entry.set_activates_default(True)
        if name == "prompt":
            entry.set_placeholder_text(tr("dog; red car - wheels"))
        return entry

    def _fill(self, name: str, rows: Rows) -> None:
        store = self.stores[name]
        current = self.config.get_property(name)
        store.clear()
        for value, label in rows:
            store.append([value, label])
        if current not in [value for value, _ in rows]:
            store.append([current, current])
        self.config.set_property(name, current)

    def fill_from_server(self, models: Any, verb: str) -> None:
        """Put what the server has into the recipe and model lists."""
        for name, rows in (("recipe", recipe_rows(models, verb)), ("models", model_rows(models, verb))):
            if name in self.stores:
                self._fill(name, rows)


def _narrow(combo: Any) -> Any:
    """Long names of models do not widen the dialog: they are shortened in the box, and whole in its list."""
    for cell in combo.get_cells():
        if isinstance(cell, Gtk.CellRendererText):
            cell.set_property("ellipsize", Pango.EllipsizeMode.END)
            cell.set_property("width-chars", CHOICE_WIDTH)
    return combo


def _run_dialog(number: Any, event: Any) -> bool:
    """Return in a number is the dialog's, as in a text; GIMP's numbers keep it to themselves."""
    if event.keyval not in (Gdk.KEY_Return, Gdk.KEY_KP_Enter):
        return False
    number.update()
    number.get_toplevel().activate_default()
    return True


def recipe_rows(models: Any, verb: str) -> List[Tuple[str, str]]:
    """What can be done now, the automatic choice first."""
    rows = [(recipe.name, recipe.title) for recipe in models.recipes if recipe.verb == verb and recipe.available]
    rows.sort(key=lambda row: row[0] != "auto")
    return rows if rows and rows[0][0] == "auto" else [*FREE_LISTS["recipe"], *rows]


def model_rows(models: Any, verb: str) -> List[Tuple[str, str]]:
    rows = list(AUTOMATIC)
    for role in ROLES[verb]:
        for model in offers.playing(models.models, role):
            rows.append((f"{role}={model.id}", f"{model.title} ({offers.ROLE_NAMES[role]})"))
    return rows


def button(label: str, tip: str, action: Any) -> Any:
    """A button that leaves the keyboard where it is."""
    button = Gtk.Button(label=label, use_underline=True, tooltip_text=tip)
    button.set_focus_on_click(False)
    button.connect("clicked", lambda widget: action())
    return button

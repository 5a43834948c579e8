"""Registers the docker and the menu entries with Krita."""

from typing import Any, Callable, List, Optional, Tuple

from krita import DockWidgetFactory, DockWidgetFactoryBase, Extension, Krita, Window

from maskwright_protocol.language import tr

from .cut_panel import ask_cut_out
from .dialogs import ask_prompt
from .docker import MaskwrightDocker
from .edge_dialogs import ask_inpainting
from .edge_panel import ask_refine
from .editor import app
from .editor.qt import QAction, QEvent, QMenu, QObject, QTimer
from .line_art import ask_flats
from .parts_dialog import ask_parts
from .plugin import Plugin, plugin
from .recipe_dialogs import ask_run, ask_save
from .recipe_menu import RecipeMenu

Command = Callable[[Plugin], Any]
RECIPES = "Recipes"  # a menu of our own, in Select
# id, text, menu, command; without a menu it is for a shortcut only
ENTRIES: Tuple[Tuple[str, str, str, Command], ...] = (
    ("maskwright_select_prompt", tr("Select by &Prompt..."), "Select", lambda p: ask_prompt(p.controller, "selection")),
    ("maskwright_select_subject", tr("Select Sub&ject"), "Select", lambda p: p.controller.select_subject()),
    ("maskwright_refine", tr("Re&fine Selection..."), "Select", lambda p: ask_refine(p.controller)),
    ("maskwright_parts", tr("C&lothes, Face and Body Parts..."), "Select", lambda p: ask_parts(p.controller)),
    ("maskwright_similar", tr("Select Si&milar"), "Select", lambda p: p.select_similar()),
    ("maskwright_inpaint", tr("Prepare for &Inpainting..."), "Select", lambda p: ask_inpainting(p.controller)),
    ("maskwright_select_object", tr("Select &Object from Selection"), "Select", lambda p: p.controller.select_object()),
    (
        "maskwright_click",
        tr("Select by &Clicking"),
        "Select",
        lambda p: p.tool.stop() if p.tool.active else p.tool.start(),
    ),
    ("maskwright_line_art", tr("Select inside Li&ne Art"), "Select", lambda p: p.tool.toggle_line_art()),
    ("maskwright_cutout", tr("Remove &Background to New Layer"), "Layer", lambda p: p.controller.remove_background()),
    ("maskwright_cut_out", tr("Cut Out b&y Prompt..."), "Layer", lambda p: ask_cut_out(p.controller)),
    ("maskwright_mask", tr("Add Mask from &Prompt..."), "Layer", lambda p: ask_prompt(p.controller, "transparency")),
    ("maskwright_flats", tr("&Flat Colours from Line Art..."), "Layer", lambda p: ask_flats(p.controller)),
    ("maskwright_run_recipe", tr("&Run Recipe..."), RECIPES, ask_run),
    ("maskwright_save_recipe", tr("&Save Last as Recipe..."), RECIPES, ask_save),
    ("maskwright_copy_command", tr("&Copy Last as Command"), RECIPES, lambda p: p.saved.copy_command()),
    ("maskwright_stop", tr("Stop What Maskwright Does"), "", lambda p: p.controller.cancel()),
    ("maskwright_answer", tr("Do What Maskwright Suggests"), "", lambda p: p.feedback.press()),
    ("maskwright_other", tr("Another Guess"), "", lambda p: p.tool.other()),
    ("maskwright_larger", tr("Larger Object"), "", lambda p: p.tool.climb(1)),
    ("maskwright_smaller", tr("Smaller Object"), "", lambda p: p.tool.climb(-1)),
)


class MaskwrightExtension(Extension):
    def setup(self) -> None:
        """Krita calls this once at its start."""

    def createActions(self, window: Window) -> None:
        """Krita calls this for each window. The actions' shortcuts come from the ``.action`` file."""
        made = []
        for name, text, menu, command in ENTRIES:
            action = window.createAction(name, text, "")
            _translate(action)
            action.triggered.connect(lambda *_, command=command: command(plugin()))
            made.append((menu, action))
        recipes = RecipeMenu(plugin(), window, [action for menu, action in made if menu == RECIPES])
        made.append(("Select", recipes.menu.menuAction()))
        QTimer.singleShot(0, lambda: _keep_menus(made, recipes, 0))


def _translate(action: QAction) -> None:
    """Say what comes from the ``.action`` file in the user's language; those texts are in the catalogues too."""
    tip, keys = action.toolTip(), ""
    if action.shortcut().toString() and tip.endswith(")"):  # Krita writes a shortcut after it
        tip, _, keys = tip.rpartition(" (")
        keys = f" ({keys}"
    said = tr(tip)
    action.setToolTip(f"{said}{keys}")
    action.setWhatsThis(said)


KEPT = "maskwright_menus"  # a property of the main windows that are looked after
_keepers: List[Any] = []  # Krita gives a window a new Python object each time it is asked for; ours must stay


def _keep_menus(made: List[Tuple[str, QAction]], recipes: RecipeMenu, tries: int) -> None:
    """Find the main window that the actions were made for: it is not ready yet when Krita asks for the actions."""
    for window in app.krita().windows():
        main = window.qwindow()
        if main is not None and main.isVisible() and not main.property(KEPT):
            main.setProperty(KEPT, True)
            _keepers.append(_MenuKeeper(main, made, recipes))
            return
    if tries < 300:
        QTimer.singleShot(100, lambda: _keep_menus(made, recipes, tries + 1))


class _MenuKeeper(QObject):
    """Puts the actions into Krita's own menus (its scripts menu is far from where one looks for a selection command),
    and again whenever Krita builds its menus anew."""

    def __init__(self, main: Any, made: List[Tuple[str, QAction]], recipes: RecipeMenu) -> None:
        super().__init__(main)
        self._bar = main.menuBar()
        self._made, self._recipes = made, recipes
        recipes.main = main
        recipes.fill()
        main.destroyed.connect(lambda *_: self._gone())
        self._bar.installEventFilter(self)
        QTimer.singleShot(0, self._insert)

    def _gone(self) -> None:
        self._recipes.close()
        _keepers.remove(self)

    def eventFilter(self, watched: QObject, event: Any) -> bool:
        if event.type() in (QEvent.Type.ActionAdded, QEvent.Type.Show, QEvent.Type.LayoutRequest):
            QTimer.singleShot(0, self._insert)
        return False

    def _insert(self) -> None:
        for name in ("Select", "Layer"):
            menu = _menu(self._bar, name)
            actions = [action for wanted, action in self._made if wanted == name]
            if menu is not None and not any(action in menu.actions() for action in actions):
                menu.addSeparator()
                menu.addActions(actions)


def _menu(bar: Any, name: str) -> Optional[QMenu]:
    for entry in bar.actions():
        if entry.objectName().lower() == name.lower():
            return entry.menu()
    return None


def register() -> None:
    """Called once, when Krita imports the plugin."""
    krita = Krita.instance()
    krita.addExtension(MaskwrightExtension(krita))
    positions = getattr(DockWidgetFactoryBase, "DockPosition", DockWidgetFactoryBase)
    krita.addDockWidgetFactory(DockWidgetFactory(app.PANEL, positions.DockRight, MaskwrightDocker))

"""Registers the docker and the menu entries with Krita."""

from typing import Any, Callable, List, Optional, Tuple

from krita import DockWidgetFactory, DockWidgetFactoryBase, Extension, Krita, Window

from .editor import app
from .editor.qt import QAction, QEvent, QMenu, QObject, QTimer
from .editor.texts import tr

DOCKER_ID = "maskwright_docker"

# id, text, menu; without a menu it is for a shortcut only
ENTRIES: Tuple[Tuple[str, str, str], ...] = (
    ("maskwright_select_prompt", "Select by &Prompt...", "Select"),
    ("maskwright_select_subject", "Select Sub&ject", "Select"),
    ("maskwright_refine", "Re&fine Selection...", "Select"),
    ("maskwright_parts", "C&lothes, Face and Body Parts...", "Select"),
    ("maskwright_similar", "Select Si&milar", "Select"),
    ("maskwright_inpaint", "Prepare for &Inpainting...", "Select"),
    ("maskwright_select_object", "Select &Object from Selection", "Select"),
    ("maskwright_click", "Select by &Clicking", "Select"),
    ("maskwright_cutout", "Remove &Background to New Layer", "Layer"),
    ("maskwright_cut_out", "Cut Out b&y Prompt...", "Layer"),
    ("maskwright_mask", "Add Mask from &Prompt...", "Layer"),
    ("maskwright_other", "Another Guess", ""),
    ("maskwright_larger", "Larger Object", ""),
    ("maskwright_smaller", "Smaller Object", ""),
)


def _commands() -> "dict[str, Callable[[], Any]]":
    from . import dialogs, edge_dialogs, parts_dialog
    from .plugin import plugin

    parts = plugin()
    controller, tool = parts.controller, parts.tool
    return {
        "maskwright_select_prompt": lambda: dialogs.ask_prompt(controller, "selection"),
        "maskwright_select_subject": controller.select_subject,
        "maskwright_refine": lambda: edge_dialogs.ask_refine(controller),
        "maskwright_parts": lambda: parts_dialog.ask_parts(controller),
        "maskwright_similar": lambda: tool.similar() if tool.active else controller.select_similar(),
        "maskwright_inpaint": lambda: edge_dialogs.ask_inpainting(controller),
        "maskwright_select_object": controller.select_object,
        "maskwright_click": lambda: tool.stop() if tool.active else tool.start(),
        "maskwright_cutout": controller.remove_background,
        "maskwright_cut_out": lambda: edge_dialogs.ask_cut_out(controller),
        "maskwright_other": tool.other,
        "maskwright_larger": lambda: tool.climb(1),
        "maskwright_smaller": lambda: tool.climb(-1),
        "maskwright_mask": lambda: dialogs.ask_prompt(controller, "transparency"),
    }


class MaskwrightExtension(Extension):
    def setup(self) -> None:
        """Krita calls this once at its start."""

    def createActions(self, window: Window) -> None:
        """Krita calls this for each window. The actions' shortcuts come from the ``.action`` file."""
        made = []
        for name, text, menu in ENTRIES:
            action = window.createAction(name, tr(text), "")
            action.triggered.connect(lambda *_, name=name: _commands()[name]())
            made.append((menu, action))
        QTimer.singleShot(0, lambda: _keep_menus(made, 0))


KEPT = "maskwright_menus"  # a property of the main windows that are looked after
_keepers: List[Any] = []  # Krita gives a window a new Python object each time it is asked for; ours must stay


def _keep_menus(made: List[Tuple[str, QAction]], tries: int) -> None:
    """Find the main window that the actions were made for: it is not ready yet when Krita asks for the actions."""
    for window in app.krita().windows():
        main = window.qwindow()
        if main is not None and main.isVisible() and not main.property(KEPT):
            main.setProperty(KEPT, True)
            _keepers.append(_MenuKeeper(main, made))
            return
    if tries < 300:
        QTimer.singleShot(100, lambda: _keep_menus(made, tries + 1))


class _MenuKeeper(QObject):
    """Puts the actions into Krita's own menus (its scripts menu is far from where one looks for a selection command),
    and again whenever Krita builds its menus anew."""

    def __init__(self, main: Any, made: List[Tuple[str, QAction]]) -> None:
        super().__init__(main)
        self._bar = main.menuBar()
        self._made = made
        main.destroyed.connect(lambda *_: _keepers.remove(self))
        self._bar.installEventFilter(self)
        QTimer.singleShot(0, self._insert)

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
    from .docker import MaskwrightDocker

    krita = Krita.instance()
    krita.addExtension(MaskwrightExtension(krita))
    positions = getattr(DockWidgetFactoryBase, "DockPosition", DockWidgetFactoryBase)
    krita.addDockWidgetFactory(DockWidgetFactory(DOCKER_ID, positions.DockRight, MaskwrightDocker))


def show_docker() -> None:
    for docker in app.krita().dockers():
        if docker.objectName() == DOCKER_ID:
            docker.setVisible(True)
            docker.raise_()

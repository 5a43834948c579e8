"""Krita itself: version, documents, settings, actions, messages."""

from typing import Any, List, Optional, Tuple

from krita import Document, Krita, Node, View, Window

from maskwright_client import told
from maskwright_protocol.language import tr

from .qt import QApplication, QIcon, Qt, QWidget

SETTINGS_GROUP = "maskwright"
PANEL = "maskwright_docker"
MASK_TYPES = ("transparencymask", "filtermask", "transformmask", "selectionmask", "colorizemask")


class Problem(Exception):
    """Something about the document that the user has to change first."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = "document"


def krita() -> Krita:
    return Krita.instance()


def version() -> Tuple[int, int]:
    numbers = krita().version().split("-")[0].split(".")
    return int(numbers[0]), int(numbers[1])


def read_setting(name: str) -> str:
    """User settings live in Krita's own configuration, so that an update of the plugin keeps them."""
    return krita().readSetting(SETTINGS_GROUP, name, "")


def write_setting(name: str, value: str) -> None:
    krita().writeSetting(SETTINGS_GROUP, name, value)


def icon(name: str) -> QIcon:
    return krita().icon(name)


def action(name: str) -> Any:
    return krita().action(name)


def window() -> Optional[Window]:
    return krita().activeWindow()


def main_widget() -> Optional[QWidget]:
    active = window()
    return active.qwindow() if active is not None else None


def active_document() -> Optional[Document]:
    return krita().activeDocument()


def active_view() -> Optional[View]:
    active = window()
    return active.activeView() if active is not None else None


def views() -> List[View]:
    """All views of all windows."""
    return [view for one in krita().windows() for view in one.views()]


def is_open(document: Document) -> bool:
    return any(other == document for other in krita().documents())


def is_active(document: Document) -> bool:
    active = active_document()
    return active is not None and active == document


def activate(document: Document) -> None:
    """Bring the document's view to front. (``Window.showView`` compares wrappers and never finds the view.)"""
    for view in views():
        shown = view.document()
        if shown is not None and shown == document:
            view.setVisible()
            break
    krita().setActiveDocument(document)


def hand_is_busy() -> bool:
    """A mouse button is held, as in the middle of a brush stroke."""
    return bool(QApplication.mouseButtons() != Qt.MouseButton.NoButton)


def panel_in_sight() -> bool:
    """The panel of the active window is open, and not behind another one."""
    active = window()
    docks = active.dockers() if active is not None else []
    return any(dock.objectName() == PANEL and getattr(dock, "in_sight", False) for dock in docks)


def layer_of(document: Document) -> Node:
    """The active layer; for a mask, the layer that it belongs to. Raises ``Problem`` when there is none."""
    node = document.activeNode()
    while node is not None and node.type() in MASK_TYPES:
        node = node.parentNode()
    if node is None:
        raise Problem(*told.NO_LAYER)
    return node


def current_document() -> Document:
    """Raises ``Problem`` when no document is open."""
    document = active_document()
    if document is None or active_view() is None:
        raise Problem(*told.NO_IMAGE)
    return document


def parent_of(document: Document, node: Node) -> Node:
    return node.parentNode() or document.rootNode()


def check_unlocked(node: Node) -> None:
    if node.locked():
        raise Problem(tr('The layer "{0}" is locked.', node.name()), tr("Unlock it in the Layers panel."))


def copy_text(text: str) -> None:
    """Onto the clipboard."""
    QApplication.clipboard().setText(text)


def actions_folder() -> str:
    """Where Krita looks for descriptions of actions of the user's own; empty when it does not tell."""
    tell = getattr(Krita, "getAppDataLocation", None)
    return f"{tell()}/actions" if tell is not None else ""

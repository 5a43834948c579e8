"""Krita's own icons, which come light or dark with its theme; where this Krita has none of a name, the next one."""

from typing import Any, Callable, Dict, Tuple, Union

from .editor import app
from .editor.qt import QEvent, QIcon, QObject

SIZE = 16
ICONS: Dict[str, Tuple[str, ...]] = {
    "subject": ("user-identity", "im-user"),
    "object": ("tool_magnetic_selection", "tool_polygonal_selection"),
    "cut": ("edit-cut", "cut-item"),
    "refine": ("hairybrush", "paintbrush"),
    "parts": ("im-user", "user-identity"),
    "line-art": ("tool_contiguous_selection", "krita_tool_color_fill"),
    "similar": ("tool_similar_selection", "similar-selection"),
    "more": ("hamburger_menu_dots", "view-list-text"),
    "options": ("properties", "configure"),
    "replace": ("selection_replace",),
    "add": ("selection_add",),
    "subtract": ("selection_subtract",),
    "intersect": ("selection_intersect",),
    "difference": ("selection_symmetric_difference",),
    "selection": ("tool_rect_selection", "select-clear"),
    "transparency": ("transparencyMask",),
    "layer": ("paintLayer",),
    "selection-mask": ("selectionMask",),
    "instances": ("groupLayer", "groupClosed"),
    "vector": ("vectorLayer",),
    "fills": ("fillLayer",),
    "problem": ("warning", "dialog-warning"),
    "note": ("selection-info", "dialog-ok"),
    "close": ("docker_close", "dialog-cancel-16"),
}


def icon(name: Union[str, Tuple[str, ...]]) -> QIcon:
    """By a name in ``ICONS``, or by names of Krita's. Empty where Krita has none: then the text stands in its place."""
    found = QIcon()
    for one in ICONS.get(name, (name,)) if isinstance(name, str) else name:
        found = app.icon(one)
        if not found.isNull() and not found.pixmap(SIZE, SIZE).isNull():
            break
    return found


class Themed(QObject):
    """Gives a widget its icons, and again when Krita's theme changes."""

    def __init__(self, widget: Any, show: Callable[[], None]) -> None:
        super().__init__(widget)
        self._show = show
        widget.installEventFilter(self)
        show()

    def eventFilter(self, watched: QObject, event: Any) -> bool:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._show()
        return False

"""Krita's own marching ants, out of sight while something else shows the selection's edge.

Whether they are seen is a view's own affair, and the action toggles it for the view in front. Its mark tells how that
is right after it was triggered, and not before: it stays as it was when another view comes to the front.
"""

from typing import Any, List

from . import app
from .qt import QTimer

ACTION = "toggle_display_selection"
LOOK_MS = 400
_hidden: List[Any] = []  # views
_to_show: List[Any] = []  # those of them that have to come to the front first
_timer: List[QTimer] = []


def hide(view: Any) -> None:
    """In the view, which is in front; nothing happens where they are not shown."""
    open_views = app.views()
    _hidden[:] = [other for other in _hidden if other in open_views]
    _to_show[:] = [other for other in _to_show if other in _hidden and other != view]
    if view not in _hidden and _see(False):
        _hidden.append(view)


def show(view: Any) -> None:
    """Again, now or as soon as the view is in front."""
    if view in _hidden and view not in _to_show:
        _to_show.append(view)
        if view != app.active_view():
            _mark()
        _look()


def _see(wanted: bool) -> bool:
    """Let the ants of the view in front be seen or not; whether that is a change."""
    action = app.action(ACTION)
    if action is None:
        return False
    action.trigger()
    changed = bool(action.isChecked()) == wanted
    if not changed:  # it was so before
        action.trigger()
    return changed


def _look() -> None:
    front, open_views = app.active_view(), app.views()
    for view in list(_to_show):
        if view == front:
            _see(True)
        elif view in open_views:
            continue
        _to_show.remove(view)
        _hidden.remove(view)
    if not _timer:
        _timer.append(QTimer())
        _timer[0].timeout.connect(_look)
    if _to_show and not _timer[0].isActive():
        _timer[0].start(LOOK_MS)
    elif not _to_show:
        _timer[0].stop()


def _mark() -> None:
    """The mark in the menu as it is for other views; that alone toggles nothing."""
    action = app.action(ACTION)
    if action is not None and not action.isChecked():
        action.blockSignals(True)
        action.setChecked(True)
        action.blockSignals(False)

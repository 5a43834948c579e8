"""Krita's own marching ants, out of sight while something else shows the selection's edge."""

from typing import Any, List

from . import app
from .qt import QTimer

ACTION = "toggle_display_selection"  # of the view in front
LOOK_MS = 400
_hidden: List[Any] = []  # views
_to_show: List[Any] = []  # those of them that have to come to the front first
_timer: List[QTimer] = []


def hide(view: Any) -> None:
    """In the view, which is in front; nothing happens where they are not shown."""
    action = app.action(ACTION)
    _to_show[:] = [other for other in _to_show if other != view]
    if action is not None and action.isChecked() and view not in _hidden:
        action.trigger()
        _hidden.append(view)


def show(view: Any) -> None:
    """Again, now or as soon as the view is in front."""
    if view in _hidden:
        _to_show.append(view)
        _look()


def _look() -> None:
    front, open_views = app.active_view(), app.views()
    for view in list(_to_show):
        if view == front or view not in open_views:
            _to_show.remove(view)
            _hidden.remove(view)
            action = app.action(ACTION)
            if view == front and action is not None and not action.isChecked():
                action.trigger()
    if not _timer:
        _timer.append(QTimer())
        _timer[0].timeout.connect(_look)
    if _to_show and not _timer[0].isActive():
        _timer[0].start(LOOK_MS)
    elif not _to_show:
        _timer[0].stop()

"""Shows on the canvas which object of the docker's list is under the pointer."""

from typing import Any, Optional

from .editor import app, canvas
from .guesses import preview_of
from .marks import Marks
from .overlay import Overlay


class HoverPreview:
    """One overlay that lives while a part is pointed at."""

    def __init__(self) -> None:
        self._overlay: Optional[Overlay] = None

    def show(self, document: Any, part: Any) -> None:
        """Show a part of that document, or nothing for None."""
        self._hide()
        view, widget = app.active_view(), canvas.active_widget()
        if document is None or view is None or widget is None or not app.is_active(document):
            return
        self._overlay = Overlay(widget, Marks(), lambda: canvas.image_to_widget(view))
        self._overlay.show_hover(preview_of(part.plane))

    def _hide(self) -> None:
        overlay, self._overlay = self._overlay, None
        if overlay is not None:
            try:
                overlay.hide()
                overlay.deleteLater()
            except RuntimeError:  # it went with its canvas
                pass

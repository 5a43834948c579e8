"""Shows on the canvas which object of the docker's list is under the pointer."""

from typing import Any, Optional

from maskwright_client.click_session import ClickSession
from maskwright_client.preview_picture import Preview
from maskwright_protocol.messages import Rect

from .editor import app, canvas
from .overlay import Overlay


class HoverPreview:
    """One overlay that lives while a listed object is pointed at."""

    def __init__(self) -> None:
        self._overlay: Optional[Overlay] = None

    def show(self, document: Any, found: Any) -> None:
        """Show a ``FoundObject`` of that document, or nothing for None."""
        self._hide()
        view, widget = app.active_view(), canvas.active_widget()
        if document is None or view is None or widget is None or not app.is_active(document):
            return
        box = found.plane.box
        self._overlay = Overlay(widget, ClickSession(), lambda: canvas.image_to_widget(view))
        self._overlay.show_hover(Preview(box, found.plane.data, Rect(box.x, box.y, box.width, box.height)))

    def _hide(self) -> None:
        overlay, self._overlay = self._overlay, None
        if overlay is not None:
            overlay.remove()

"""The view that the click tool is on: what it shows over the canvas, and the pointer there."""

from typing import Any, Optional, Sequence

from maskwright_client.click_session import ClickSession
from maskwright_client.gestures import Gesture, Meaning, Mode
from maskwright_client.preview_picture import Preview

from .editor import canvas
from .overlay import Overlay
from .pointer import cursor
from .tool_bar import ToolBar


class ToolView:
    """``canvas`` is the widget that shows ``view``."""

    def __init__(self, tool: Any, view: Any, widget: Any, session: ClickSession) -> None:
        self.view, self.canvas = view, widget
        self.overlay = Overlay(widget, session, lambda: canvas.image_to_widget(view))
        self._bar = ToolBar(tool, widget)
        self._own_cursor = widget.cursor()
        canvas.hide_brush_outline(widget)
        widget.setFocus()

    def show(self, previews: Sequence[Optional[Preview]]) -> None:
        self.overlay.show_previews([one for one in previews if one is not None])

    def drag(self, gesture: Optional[Gesture]) -> None:
        """A gesture that is being made."""
        if gesture is not None or self.overlay.drag is not None:
            self.overlay.drag = gesture
            self.overlay.update()

    def point(self, mode: Mode, meaning: Meaning) -> None:
        """The pointer says what a click means. (Krita sets its own now and then.)"""
        wanted = cursor(mode, meaning)
        if self.canvas.cursor().pixmap().cacheKey() != wanted.pixmap().cacheKey():
            self.canvas.setCursor(wanted)

    def show_state(self) -> None:
        self._bar.show_state()

    def leave(self) -> None:
        self.overlay.remove()
        self._bar.leave()
        try:
            self.canvas.setCursor(self._own_cursor)
        except RuntimeError:  # it went with its view
            pass

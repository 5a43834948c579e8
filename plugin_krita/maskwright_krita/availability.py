"""What there is to work on: an image, a selection. Buttons are grey where they could not work."""

from typing import Any, Optional

from .editor import app
from .editor.qt import QObject, QTimer, pyqtSignal

KNOWN = "maskwright_known"  # a property of the actions that are listened to
NEEDS = ("", "image", "selection")


class Availability(QObject):
    """``changed`` when an image or a selection has come or gone, or another image is in front."""

    changed = pyqtSignal()

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.image = False
        self.selection = False
        self._waiting = False

    def allows(self, needs: str) -> bool:
        """``needs`` is one of ``NEEDS``."""
        return {"": True, "image": self.image, "selection": self.selection}[needs]

    def look_soon(self, *_: Any) -> None:
        """Krita tells of another view before that is the active one."""
        if not self._waiting:
            self._waiting = True
            QTimer.singleShot(0, self._look)

    def _look(self) -> None:
        self._waiting = False
        # Krita has no signal for a change of the selection; its own command that takes one away is grey without one.
        deselect = app.action("deselect")
        if deselect is not None and not deselect.property(KNOWN):
            deselect.setProperty(KNOWN, True)
            deselect.changed.connect(self.look_soon)
        self.image = app.active_document() is not None and app.active_view() is not None
        self.selection = self.image and deselect is not None and deselect.isEnabled()
        self.changed.emit()

"""Downloads of models, as Krita's widgets see them. No widgets in here."""

from typing import Callable, List, Optional

from maskwright_client import downloads
from maskwright_protocol.messages import ModelInfo

from .connection import Connection
from .editor.qt import QObject, pyqtSignal
from .editor.tasks import QtLoop


class Downloads(QObject):
    """``changed`` when one begins or all are over; ``failed`` with the error that ended them."""

    changed = pyqtSignal()
    progressed = pyqtSignal(str, float)
    failed = pyqtSignal(object)

    def __init__(self, connection: Connection, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.connection = connection
        self._then: Optional[Callable[[], None]] = None
        self._models: List[ModelInfo] = []  # those of the last start
        self._again: Optional[Callable[[], None]] = None  # and what was to be done then
        self._queue = downloads.Downloads(
            connection.client, QtLoop.get(), self.changed.emit, self.progressed.emit, self._ended
        )
        self.busy, self.cancel = self._queue.busy, self._queue.cancel

    @property
    def current(self) -> Optional[ModelInfo]:
        """The model that is being downloaded."""
        return self._queue.current

    def start(self, models: List[ModelInfo], then: Optional[Callable[[], None]] = None) -> None:
        """The user has said yes to their licences. ``then`` is called when all are there."""
        if self._queue.start(models):
            self._then, self._models = then, models
            self._again = then

    def again(self) -> None:
        """Try once more what has failed."""
        self.start(self._models, self._again)

    def _ended(self, error: Optional[Exception]) -> None:
        then, self._then = self._then, None
        self.connection.refresh()
        if error is not None:
            self.failed.emit(error)
        elif then is not None:
            then()

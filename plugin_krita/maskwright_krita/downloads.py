"""Downloads of models that the user agreed to: one after the other, with progress and cancel. No widgets in here."""

from typing import Any, Callable, Generator, List, Optional

from maskwright_protocol.messages import ModelInfo, ModelPull

from .connection import Connection
from .qt import QObject, Qt, pyqtSignal
from .tasks import Task

Steps = Generator[Any, Any, Any]


class Downloads(QObject):
    """``changed`` when one begins or all are over; ``failed`` with the error that ended them."""

    changed = pyqtSignal()
    progressed = pyqtSignal(str, float)
    failed = pyqtSignal(object)
    _io_progress = pyqtSignal(object)

    def __init__(self, connection: Connection, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.connection = connection
        self.current: Optional[ModelInfo] = None
        self._task: Optional[Task] = None
        self._io_progress.connect(self._on_progress, Qt.ConnectionType.QueuedConnection)

    def busy(self) -> bool:
        return self._task is not None

    def start(self, models: List[ModelInfo], then: Optional[Callable[[], None]] = None) -> None:
        """The user has said yes to their licences. ``then`` is called when all are there."""
        if self._task is not None:
            return
        task = Task(self._pull(models), self)
        self._task = task
        task.finished.connect(lambda _: self._ended(task, None, then))
        task.failed.connect(lambda error: self._ended(task, error, None))

    def cancel(self) -> None:
        """What has arrived is kept by the server, so that the next try goes on from there."""
        if self._task is not None:
            self._task.cancel()

    def _pull(self, models: List[ModelInfo]) -> Steps:
        for model in models:
            self.current = model
            self.changed.emit()
            request = ModelPull("", model.id, accept_licence=True)
            yield from self.connection.request(request, self._io_progress.emit)

    def _on_progress(self, progress: Any) -> None:
        if self._task is not None:
            self.progressed.emit(progress.text, progress.fraction)

    def _ended(self, task: Task, error: Optional[Exception], then: Optional[Callable[[], None]]) -> None:
        self._task = self.current = None
        task.deleteLater()
        self.connection.refresh()
        self.changed.emit()
        if error is not None:
            self.failed.emit(error)
        elif then is not None:
            then()

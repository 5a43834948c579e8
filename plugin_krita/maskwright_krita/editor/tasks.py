"""Long work on Krita's GUI thread: steps that give way between slices and while they wait (see ``steps``)."""

import time
from typing import Any, Callable, Dict, List, Optional

from maskwright_client.ask import Steps
from maskwright_client.steps import Loop, Runner

from .qt import QObject, Qt, QTimer, pyqtSignal

SLICE_S = 0.012


class Slice:
    """Tells when a slice of work has taken long enough to give way."""

    def __init__(self, seconds: float = SLICE_S) -> None:
        self.seconds = seconds
        self._end = time.perf_counter() + seconds

    def over(self) -> bool:
        """True once the slice is used up; the next one begins then."""
        now = time.perf_counter()
        if now < self._end:
            return False
        self._end = now + self.seconds
        return True

    def begin(self) -> None:
        self._end = time.perf_counter() + self.seconds


class _Relay(QObject):
    """Brings functions from other threads to the GUI thread. Lives as long as Krita."""

    arrived = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.arrived.connect(self._call, Qt.ConnectionType.QueuedConnection)

    def _call(self, function: Callable[[], None]) -> None:
        function()


class QtLoop(Loop):
    """Made by the first task, so on the GUI thread."""

    _made: List["QtLoop"] = []

    def __init__(self) -> None:
        self._relay = _Relay()

    @classmethod
    def get(cls) -> "QtLoop":
        if not cls._made:
            cls._made.append(cls())
        return cls._made[0]

    def post(self, function: Callable[[], None]) -> None:
        self._relay.arrived.emit(function)

    def later(self, function: Callable[[], None], milliseconds: int) -> None:
        QTimer.singleShot(milliseconds, function)


class Task(QObject):
    """Drives steps to their end on the GUI thread; then emits ``finished`` or ``failed``, once."""

    finished = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, steps: Steps, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.runner = Runner(steps, QtLoop.get(), self._done)
        self.running, self.cancel = self.runner.running, self.runner.cancel

    def _done(self, value: Any, error: Optional[Exception]) -> None:
        if error is None:
            self.finished.emit(value)
        else:
            self.failed.emit(error)


class NamedTasks:
    """Tasks of one owner, at most one of each name. ``failed`` is told the name and the error."""

    def __init__(self, owner: QObject, failed: Callable[[str, Exception], None]) -> None:
        self._owner, self._failed = owner, failed
        self._running: Dict[str, Task] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._running

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, name: str, steps: Steps) -> None:
        """Run steps; a running task of the same name is given up."""
        old = self._running.pop(name, None)
        if old is not None:
            old.cancel()
        self._running[name] = task = Task(steps, self._owner)
        task.finished.connect(lambda _: self._ended(name, task, None))
        task.failed.connect(lambda error: self._ended(name, task, error))

    def _ended(self, name: str, task: Task, error: Optional[Exception]) -> None:
        if self._running.get(name) is task:
            del self._running[name]
            if error is not None:
                self._failed(name, error)
        task.deleteLater()

    def cancel(self) -> None:
        """Give up all."""
        running, self._running = list(self._running.values()), {}
        for task in running:
            task.cancel()

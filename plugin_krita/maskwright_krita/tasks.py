"""Long work on the GUI thread without blocking it: a generator that gives way between slices and while it waits.

A task's steps yield ``None`` to let the event loop turn once, a number to be called again after so many milliseconds,
or something with ``add_done_callback`` (a ticket of the client, a ``Background``) to be called when that is done.
"""

import threading
import time
from typing import Any, Callable, Generator, List, Optional

from maskwright_protocol.errors import JobCancelled

from .qt import QObject, Qt, QTimer, pyqtSignal

Steps = Generator[Any, None, Any]
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


class Background:
    """A function that runs in a thread of its own. No call into Krita in there."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._value: Any = None
        self._error: Optional[BaseException] = None
        self._callbacks: List[Callable[["Background"], None]] = []
        self._done = False
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="maskwright-background", daemon=True).start()

    def _run(self) -> None:
        try:
            self._value = self._function()
        except BaseException as error:
            self._error = error
        with self._lock:
            self._done = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)

    def add_done_callback(self, callback: Callable[["Background"], None]) -> None:
        with self._lock:
            if not self._done:
                self._callbacks.append(callback)
                return
        callback(self)

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value

    def cancel(self) -> None:
        """A thread cannot be stopped; its result is not looked at any more."""


class _Relay(QObject):
    """Brings "it is done" from other threads to the GUI thread. Lives as long as Krita: its task may be gone."""

    arrived = pyqtSignal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.arrived.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)

    def _hand_over(self, task: "Task", awaited: Any) -> None:
        task.on_arrived(awaited)


_relays: List[_Relay] = []


def _relay() -> _Relay:
    """Made by the first task, so on the GUI thread."""
    if not _relays:
        _relays.append(_Relay())
    return _relays[0]


class Task(QObject):
    """Drives steps to their end on the thread that made it; then emits ``finished`` or ``failed``, once."""

    finished = pyqtSignal(object)
    failed = pyqtSignal(object)
    slowest_s = 0.0  # the longest slice of any task: how long the user interface had to wait for us

    def __init__(self, steps: Steps, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._steps: Optional[Steps] = steps
        self._awaited: Any = None
        self._relay = _relay()
        QTimer.singleShot(0, self._advance)

    def running(self) -> bool:
        return self._steps is not None

    def cancel(self) -> None:
        """Stop at once: what is waited for is told, and the task fails with ``JobCancelled``."""
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            awaited.cancel()
        self._throw(JobCancelled("Cancelled."))

    def on_arrived(self, awaited: Any) -> None:
        """What was waited for is done; too late is no harm."""
        if awaited is self._awaited:
            self._awaited = None
            self._advance()

    def _advance(self) -> None:
        if self._steps is None:
            return
        began = time.perf_counter()
        try:
            self._step()
        finally:
            Task.slowest_s = max(Task.slowest_s, time.perf_counter() - began)

    def _step(self) -> None:
        assert self._steps is not None
        try:
            self._wait(next(self._steps))
        except StopIteration as end:
            self._steps = None
            self.finished.emit(end.value)
        except Exception as error:
            self._steps = None
            self.failed.emit(error)

    def _throw(self, error: Exception) -> None:
        steps, self._steps = self._steps, None
        if steps is None:
            return
        try:
            steps.throw(error)
        except Exception as raised:
            self.failed.emit(raised)
        else:
            steps.close()
            self.failed.emit(error)

    def _wait(self, awaited: Any) -> None:
        if awaited is None:
            QTimer.singleShot(0, self._advance)
        elif isinstance(awaited, (int, float)):
            QTimer.singleShot(int(awaited), self._advance)
        else:
            self._awaited = awaited
            relay = self._relay
            awaited.add_done_callback(lambda done: relay.arrived.emit(self, done))

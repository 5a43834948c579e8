"""The plugin's connection to the server: asks for jobs, watches the state, starts the server, stops what it started."""

from typing import Any, Callable, Generator, List, Optional

from maskwright_client import ask, launcher
from maskwright_client.client import Client
from maskwright_protocol.discovery import read_endpoint
from maskwright_protocol.errors import MaskwrightError, MorePixelsNeeded
from maskwright_protocol.messages import (
    Job,
    ModelInfo,
    ModelsRequest,
    PixelRect,
    Progress,
    RecipeInfo,
    Shutdown,
    StatusRequest,
)
from maskwright_protocol.version import __version__

from . import ownership
from .qt import QObject, Qt, QTimer, pyqtSignal
from .tasks import Background, Task

Steps = Generator[Any, Any, Any]
POLL_MS = 3000


class Connection(QObject):
    """Signals arrive on the GUI thread. ``state`` is "absent", "starting", "connected" or "refused"."""

    changed = pyqtSignal()
    progressed = pyqtSignal(object)
    not_started = pyqtSignal(object)  # the error that says why the server could not be started
    _io_state = pyqtSignal(str)
    _io_progress = pyqtSignal(object)

    def __init__(self, parent: Optional[QObject] = None, command: Callable[[], str] = str) -> None:
        super().__init__(parent)
        self.state = "absent"
        self.device = ""
        self.device_reason = ""
        self.error: Optional[MaskwrightError] = None
        self.models: List[ModelInfo] = []
        self.recipes: List[RecipeInfo] = []
        self._command = command
        self._generation = 0
        self._asking: Optional[Task] = None
        self._io_state.connect(self._on_io_state, Qt.ConnectionType.QueuedConnection)
        self._io_progress.connect(self.progressed.emit, Qt.ConnectionType.QueuedConnection)
        self.client = Client("krita", __version__, on_state=self._io_state.emit)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)

    def watch(self) -> None:
        """Look for the server now and again from now on."""
        if not self._timer.isActive():
            self._timer.start(POLL_MS)
            self.refresh()

    def close(self, stop_server: bool) -> None:
        """End the connection; a server that was started here and that nobody else uses may go too."""
        self._timer.stop()
        try:
            if stop_server and self.state == "connected" and ownership.is_ours():
                status = self.client.request(StatusRequest(""), timeout=0.5)
                if getattr(status, "sessions", 2) <= 1:
                    self.client.request(Shutdown(""), timeout=1.0)
        except (MaskwrightError, TimeoutError):
            pass
        self.client.close()

    # ------------------------------------------------------------ state

    def _on_io_state(self, state: str) -> None:
        if state == "connected":
            self._set_state("connected", None)
            self.refresh()
        elif self.state == "connected":
            self._set_state("absent", None)

    def _set_state(self, state: str, error: Optional[MaskwrightError]) -> None:
        self.error = error
        self.state = state
        self.changed.emit()

    def refresh(self) -> None:
        """Ask what the server has and does."""
        if self._asking is not None or self.state == "starting":
            return
        self._asking = Task(self._ask_state(), self)
        self._asking.finished.connect(lambda _: self._asked(None))
        self._asking.failed.connect(self._asked)

    def _ask_state(self) -> Steps:
        report = yield from self.request(StatusRequest(""))
        models = yield from self.request(ModelsRequest(""))
        before = (self.device, self.device_reason, self.models, self.recipes)
        worker = report.workers[0] if report.workers else None
        self.device = worker.device if worker else ""
        self.device_reason = worker.device_reason if worker else ""
        self.models, self.recipes = models.models, models.recipes
        if before != (self.device, self.device_reason, self.models, self.recipes):
            self.changed.emit()

    def _asked(self, error: Optional[Exception]) -> None:
        self._asking = None
        if error is None:
            if self.state != "connected":
                self._set_state("connected", None)
        elif isinstance(error, MaskwrightError) and self.state != "starting":
            state = "refused" if error.code in ("version_mismatch", "forbidden") else "absent"
            if (self.state, str(self.error)) != (state, str(error)):
                self._set_state(state, error)

    def start_server(self) -> Task:
        """Start the server in a thread; the state tells how that goes."""
        self._set_state("starting", None)
        task = Task(self._start(), self)
        task.failed.connect(self._start_failed)
        return task

    def _start(self) -> Steps:
        before = read_endpoint()
        starting = Background(lambda: launcher.start_if_absent(self._command()))
        yield starting
        endpoint = starting.result()
        if endpoint != before:  # else somebody had started it already
            ownership.claim(endpoint)
        self.state = "absent"
        self.refresh()

    def _start_failed(self, error: Exception) -> None:
        self._set_state("absent", error if isinstance(error, MaskwrightError) else None)
        self.not_started.emit(error)

    # ------------------------------------------------------------ asking

    def request(self, message: Any, on_progress: Optional[Callable[[Progress], None]] = None) -> Steps:
        """Steps that end with the answer to a plain request. ``on_progress`` is called in the network's thread."""
        ticket = self.client.submit(message, on_progress)
        yield ticket  # whoever ends the task cancels it
        return ticket.result(0)

    def ask(self, job: Job, picture: Any) -> Steps:
        """Steps that end with a job's answer, or raise its typed error. ``picture``: a ``Picture`` or a ``Sketch``."""
        yield from picture.prepare()
        self._generation += 1
        job.generation = self._generation  # a newer job of the same tool takes the place of the older
        steps = ask.answer(self.client, job, picture, self._on_progress)
        ticket = next(steps)
        while True:
            try:
                yield ticket
            except BaseException:
                ticket.cancel()
                raise
            try:
                ticket.result(0)
            except MorePixelsNeeded as need:
                yield from picture.prepare_detail(PixelRect(*(int(value) for value in need.details["box"])))
            except Exception:  # noqa: S110 - handed to the steps below
                pass
            try:
                ticket = ask.step(steps, ticket)
            except StopIteration as end:
                return end.value

    def _on_progress(self, progress: Progress) -> None:
        self._io_progress.emit(progress)

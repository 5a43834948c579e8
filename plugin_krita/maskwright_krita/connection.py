"""The plugin's connection to the server: asks for jobs, watches the state, starts the server, stops what it started."""

from dataclasses import replace
from typing import Any, Callable, List, Optional, Tuple

from maskwright_client import ask
from maskwright_client.ask import PictureSource, Steps
from maskwright_client.client import Client
from maskwright_client.jobs import outline
from maskwright_client.server_state import ABSENT, CONNECTED, STARTING, ServerState, stop_claimed
from maskwright_protocol.errors import ServerAbsent
from maskwright_protocol.language import tr
from maskwright_protocol.messages import Job, Mask, PixelRect, Progress
from maskwright_protocol.version import __version__

from .editor.qt import QObject, Qt, QTimer, pyqtSignal
from .editor.tasks import Task

POLL_MS = 3000
COMMANDS = ("select", "cutout", "refine")  # the tools whose jobs can be kept as a recipe; the click tool tells its own


class Connection(QObject, ServerState):
    """Signals arrive on the GUI thread. ``state`` is "absent", "starting", "connected" or "refused"."""

    changed = pyqtSignal()
    progressed = pyqtSignal(object)
    not_started = pyqtSignal(object)  # the error that says why the server could not be started
    _io_state = pyqtSignal(str)
    _io_progress = pyqtSignal(object)
    owner = "krita"
    settings_place = tr("the settings of the Maskwright panel")

    def __init__(self, parent: Optional[QObject] = None, command: Callable[[], str] = str) -> None:
        super().__init__(parent)
        ServerState.__init__(self)
        self._command = command
        self.asked: Optional[Tuple[Job, PixelRect]] = None  # the last job of a command that was answered, and where
        self._generation = 0
        self._looking: Optional[Task] = None
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
        if stop_server and self.state == CONNECTED:
            stop_claimed(self.client, self.owner)
        self.client.close()

    # ------------------------------------------------------------ state

    def server_changed(self) -> None:
        self.changed.emit()

    def _on_io_state(self, state: str) -> None:
        if state == CONNECTED:
            self.set_state(CONNECTED)
            self.refresh()
        elif self.state == CONNECTED:
            self.set_state(ABSENT)

    def refresh(self) -> None:
        """Ask what the server has and does."""
        if self._looking is None and self.state != STARTING:
            self._looking = Task(self.look(), self)
            self._looking.finished.connect(self._looked)
            self._looking.failed.connect(self._looked)

    def _looked(self, *_: Any) -> None:
        task, self._looking = self._looking, None
        if task is not None:
            task.deleteLater()

    def start_server(self) -> Task:
        """Start the server in a thread; the state tells how that goes."""
        task = Task(self.start(self._command()), self)
        task.failed.connect(self.not_started.emit)
        return task

    # ------------------------------------------------------------ asking

    def ask(self, job: Job, picture: PictureSource) -> Steps:
        """Steps that end with a job's answer, or raise its typed error."""
        self._generation += 1
        job.generation = self._generation  # a newer job of the same tool takes the place of the older
        return self._answer(job, picture)

    def _answer(self, job: Job, picture: PictureSource) -> Steps:
        """Where no server answers, one is started first."""
        try:
            answer = yield from ask.answer(self.client, job, picture, self._on_progress)
        except ServerAbsent:
            yield from self._begin()
            answer = yield from ask.answer(self.client, job, picture, self._on_progress)
        if job.tool in COMMANDS:
            self.asked = job, picture.box
        return answer

    def outlines(self, masks: List[Mask]) -> Steps:
        """Steps that end with the data of a path for each mask."""
        answer = yield self.client.submit(replace(outline(masks), id=self.client.new_id()), self._on_progress)
        return answer.paths

    def _begin(self) -> Steps:
        """Start the server, unless that is under way, and wait until it is there. Raises ``ServerAbsent``."""
        # In a task of its own: who does not want to wait any longer ends the question, not the server.
        task = self.start_server() if self.state != STARTING else None
        self._on_progress(Progress("", 0, "starting", 0.0, tr("Starting the server...")))
        while self.state == STARTING or (task is not None and task.running()):
            yield 50
        if self.state != CONNECTED and self.error is not None:
            raise self.error

    def _on_progress(self, progress: Progress) -> None:
        self._io_progress.emit(progress)

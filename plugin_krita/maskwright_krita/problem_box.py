"""The docker's part that tells of a problem, with a button that does what the hint says."""

from typing import Any, Callable, List, Optional, Tuple

from maskwright_client.offers import may_help, offered, size
from maskwright_protocol.messages import ModelInfo

from .controller import Controller, Failure
from .dialogs import ask_licences
from .downloads import Downloads
from .editor.qt import QApplication, QFrame, Qt, QVBoxLayout
from .editor.texts import tr
from .widgets import button, label, row

STARTABLE = ("server_absent", "connection_lost", "shutting_down")
# What may be gone the next time, without a change of the document or of the question.
PASSING = ("busy", "worker_died", "deadline", "out_of_memory", "version_mismatch", "forbidden", "internal")


class ProblemBox(QFrame):
    def __init__(self, controller: Controller, downloads: Downloads) -> None:
        super().__init__()
        self.setObjectName("maskwright_problem")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._controller, self._downloads = controller, downloads
        self._failure: Any = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        self._text, self._hint = label(), label()
        for part in (self._text, self._hint):
            part.setTextFormat(Qt.TextFormat.PlainText)
            layout.addWidget(part)
        font = self._text.font()
        font.setBold(True)
        self._text.setFont(font)
        self._button = button("maskwright_problem_button", "", self._do_hint)
        close = button("maskwright_problem_close", tr("Close"), lambda: self.show_failure(None))
        layout.addWidget(row(self._button, close))
        controller.connection.changed.connect(self._on_connection)
        controller.connection.not_started.connect(lambda error: self.show_failure(Failure.of(error)))
        self.hide()

    def show_failure(self, failure: Any) -> None:
        """Show it, or nothing for None."""
        self._failure = failure
        self.setVisible(failure is not None)
        if failure is None:
            return
        self._text.setText(failure.message)
        self._hint.setText(failure.hint)
        self._hint.setVisible(bool(failure.hint))
        self._show_button()

    def _on_connection(self) -> None:
        failure, connected = self._failure, self._controller.connection.state == "connected"
        if failure is not None and connected and failure.code in STARTABLE and failure.retry is None:
            self.show_failure(None)  # that was all there was to do
        self._show_button()

    def _show_button(self) -> None:
        remedy = self._remedy()
        self._button.setVisible(remedy is not None)
        if remedy is not None:
            self._button.setText(remedy[0])

    def _do_hint(self) -> None:
        remedy = self._remedy()
        if remedy is not None:
            remedy[1]()

    def _remedy(self) -> Optional[Tuple[str, Callable[[], Any]]]:
        """What the button says and does, as things stand now."""
        failure, connection = self._failure, self._controller.connection
        if failure is None:
            return None
        if failure.code in STARTABLE and connection.state != "connected":
            return tr("Start the server"), self._start
        if may_help(failure):
            model = offered(failure, connection.models)
            if model is not None:
                # The problem stays in sight until the user has agreed.
                ask = lambda: ask_licences([model], lambda: self._download([model], failure.retry))  # noqa: E731
                return tr("Download {0}, {1}...", model.title, tr(size(model))), ask
            if failure.code != "unknown_word":  # another word is what helps then
                return tr("Copy the command that lists models"), self._copy
        if failure.retry is not None and failure.code in (*PASSING, *STARTABLE):
            return tr("Try again"), self._retry
        return None

    def _start(self) -> None:
        self.show_failure(None)
        self._controller.connection.start_server()

    def _copy(self) -> None:
        self.show_failure(None)
        QApplication.clipboard().setText("maskwright models list")
        self._controller.connection.refresh()

    def _retry(self) -> None:
        again = self._failure.retry
        self.show_failure(None)
        again()

    def _download(self, models: List[ModelInfo], then: Any) -> None:
        self.show_failure(None)
        self._downloads.start(models, then)
